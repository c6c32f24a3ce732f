"""The first broken value of one recorded iteration, and the first one that was lost below the smallest number."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from gradsim.analysis.fault_sources import Source, sources_of
from gradsim.analysis.lost_numbers import lost_in
from gradsim.analysis.parameters import parameter_names
from gradsim.trace import IterationTrace, LayerTrace, Step

FaultKind = Literal["nan", "inf", "zero"]


@dataclass(frozen=True, slots=True)
class Fault:
    """The place where numbers went wrong.

    Attributes
    ----------
    kind : {"nan", "inf", "zero"}
        What the value is; ``zero`` for one that is 0 only because the precision knows none so small.
    iteration : int
        Which one.
    step : int or None
        Index into ``IterationTrace.steps``; None for what was there before the first step: the data, the
        parameters.
    layer : int or None
        Index into ``IterationTrace.layers``; None for data and loss.
    layer_name : str
        Its name; empty for data and loss.
    tensor, operation : str
        Which tensor, made by which operation of the step.
    index : tuple of int
        Of the first such value in it; empty where only counts are known.
    value : float
        Itself.
    count, size : int
        How many values of the tensor are like that, and how many there are.
    sources : tuple of Source
        The inputs that made it; empty where only counts are known.
    open_value : str
        What it may be, where only counts are known and they leave that open, such as ``±∞``; else empty.
    """

    kind: FaultKind
    iteration: int
    step: int | None
    layer: int | None
    layer_name: str
    tensor: str
    operation: str
    index: tuple[int, ...]
    value: float
    count: int
    size: int
    sources: tuple[Source, ...] = ()
    open_value: str = ""


def broken_in(trace: IterationTrace) -> Fault | None:
    """Return the first value of an iteration that is NaN or infinite.

    Parameters
    ----------
    trace : IterationTrace
        Its record.

    Returns
    -------
    Fault or None
        In the order in which the iteration is told; before it data and parameters.
    """
    start: list[tuple[str, int | None, str, NDArray[Any]]] = [
        ("", None, "inputs", trace.inputs),
        ("", None, "targets", trace.targets),
    ]
    start += [(one.name, one.index, name, one[name]) for one in trace.layers for name in parameter_names(one)]
    for layer_name, index, tensor, values in start:
        found = _first(~np.isfinite(values))
        if found is not None:
            return _fault(trace, None, index, layer_name, tensor, "", values, found)
    for number, step in enumerate(trace.steps):
        if step.operation == "loss":
            if not np.isfinite(trace.loss):
                values = np.array([trace.loss])
                return _fault(trace, number, None, "", "loss", "loss", values, (0,))
            continue
        for layer, tensor, values, before in _made_by(step, trace):
            if _is_harmless(trace, layer, tensor):
                continue
            found = _first(~np.isfinite(values))
            if found is not None:
                return _fault(
                    trace, number, layer.index, layer.name, tensor, step.operation, values, found, before
                )
    return None


def lost_to_zero_in(trace: IterationTrace) -> Fault | None:
    """Return the first value of an iteration that is 0 only because it is below the smallest number.

    Parameters
    ----------
    trace : IterationTrace
        Its record.

    Returns
    -------
    Fault or None
        Looked for in dense layers and in everything computed element by element, by computing in float64 what
        is 0; sums whose terms cancel exactly do not count.
    """
    for number, step in enumerate(trace.steps):
        if step.layer is None:
            continue
        layer = trace.layers[step.layer]
        for tensor, lost in lost_in(trace, layer, step):
            found = _first(lost)
            if found is not None:
                values = layer[tensor]
                fault = _fault(trace, number, layer.index, layer.name, tensor, step.operation, values, found)
                return replace(fault, count=int(np.count_nonzero(lost)))
    return None


def _made_by(
    step: Step, trace: IterationTrace
) -> Iterator[tuple[LayerTrace, str, NDArray[Any], tuple[int, ...]]]:
    """Yield layer, tensor, values and the index that stands before theirs, of all that a step makes."""
    layers = trace.layers if step.layer is None else (trace.layers[step.layer],)
    for layer in layers:
        parameters = parameter_names(layer)
        if step.operation == "recurrent":
            forward = ("pre_activation", "gates", "cell", "hidden")
            names = forward if step.phase == "forward" else ("hidden_gradient", "cell_gradient")
            for name in (name for name in names if name in layer.tensors):
                yield layer, name, layer[name][:, step.time], (-1 if step.time is None else step.time,)
            continue
        if step.operation == "activation" and "scaled" in layer.tensors:
            tensors = ["normalized", "scaled", "activation"]
        elif step.operation == "weight_gradient" or (step.phase == "backward" and step.tensor == "delta"):
            tensors = [step.tensor] if step.tensor == "delta" else []
            tensors += [f"{name}_gradient" for name in parameters]
        elif step.phase == "clip":
            tensors = [f"{name}_clipped_gradient" for name in parameters]
        elif step.phase == "update":
            tensors = [f"{name}_update" for name in parameters]
        else:
            tensors = [step.tensor]
        for name in tensors:
            if name in layer.tensors:
                yield layer, name, layer[name], ()


def _is_harmless(trace: IterationTrace, layer: LayerTrace, tensor: str) -> bool:
    """Return whether it is ∂L/∂a of a fused head: where a underflows to 0 it is infinite, but not needed."""
    is_head = layer.index == len(trace.layers) - 1
    return is_head and tensor == "activation_gradient" and bool(np.isfinite(layer["delta"]).all())


def _first(where: NDArray[np.bool_]) -> tuple[int, ...] | None:
    if not where.any():
        return None
    return tuple(int(i) for i in np.unravel_index(int(np.argmax(where)), where.shape))


def _fault(
    trace: IterationTrace,
    step: int | None,
    layer: int | None,
    layer_name: str,
    tensor: str,
    operation: str,
    values: NDArray[Any],
    index: tuple[int, ...],
    before: tuple[int, ...] = (),
) -> Fault:
    value = float(values[index])
    kind: FaultKind = "nan" if np.isnan(value) else "inf" if np.isinf(value) else "zero"
    count = int(np.count_nonzero(np.isnan(values) if kind == "nan" else np.isinf(values)))
    place = (index[0], *before, *index[1:]) if before else index
    sources = () if step is None else sources_of(trace, layer, tensor, operation, place)
    return Fault(
        kind,
        trace.iteration,
        step,
        layer,
        layer_name,
        tensor,
        operation,
        place,
        value,
        count,
        int(values.size),
        sources,
    )
