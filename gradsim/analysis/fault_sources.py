"""From a value back to the inputs that made it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradsim.analysis.update_rule import STANDING, update_rule
from gradsim.spec import phase_at
from gradsim.trace import IterationTrace, LayerTrace


@dataclass(frozen=True, slots=True)
class Source:
    """One input of an operation.

    Attributes
    ----------
    symbol : str
        As formulas write it: ``x``, ``W``, ``δ``.
    layer : str
        Whose it is; empty for data.
    tensor : str
        Which tensor.
    index : tuple of int
        Which value of it.
    value : float
        Itself.
    """

    symbol: str
    layer: str
    tensor: str
    index: tuple[int, ...]
    value: float


def sources_of(
    trace: IterationTrace, layer: int | None, tensor: str, operation: str, index: tuple[int, ...]
) -> tuple[Source, ...]:
    """Return the inputs that made a value.

    Parameters
    ----------
    trace : IterationTrace
        A record.
    layer : int or None
        Index of the layer; None for the loss.
    tensor, operation : str
        Which tensor, and the operation of its step.
    index : tuple of int
        Which value.

    Returns
    -------
    tuple of Source
        Of a sum the factors of the term that counts most: one that is not finite, else the largest.
    """
    if layer is None:
        if not hands_down(trace):
            return ()  # the loss of a phase is that of the decoder, which is in no record
        head = trace.layers[-1]
        place = _first_or_largest(np.asarray(head["pre_activation"]))
        return (_source("z", head, "pre_activation", place),)
    own = trace.layers[layer]
    if tensor == "pre_activation":
        return _of_product(own, own, "input", _weight_name(own), index)
    if tensor in ("activation", "normalized", "scaled", "hidden", "gates", "cell"):
        return _of_activation(own, tensor, index)
    if tensor in ("activation_gradient", "hidden_gradient", "cell_gradient"):
        return _of_handed_down(trace, own, index)
    if tensor == "delta":
        names = (("∂L/∂a", "activation_gradient"), ("φ'", "slope"))
        known = [(symbol, name) for symbol, name in names if name in own.tensors]
        if "normalized_gradient" in own.tensors:
            known.append(("∂L/∂ẑ", "normalized_gradient"))
        return tuple(
            _source(s, own, name, index) for s, name in known if own[name].shape == own["delta"].shape
        )
    if operation == "weight_gradient" or tensor.endswith("bias_gradient"):
        return _of_parameter_gradient(own, tensor, index)
    if tensor.endswith("_clipped_gradient"):
        name = tensor.replace("_clipped_gradient", "_gradient")
        return (_source("g", own, name, index),)
    if tensor.endswith("_update"):
        return _of_change(trace, own, tensor.removesuffix("_update"), index)
    return ()


def _of_product(
    of: LayerTrace, source: LayerTrace, left: str, right: str, index: tuple[int, ...]
) -> tuple[Source, ...]:
    """Left row times right column; of recurrent layers only the part of the inputs can be told."""
    if right not in source.tensors:
        return (_source("x", of, left, index),) if of[left].shape == of["pre_activation"].shape else ()
    row, column = source[left][index[:-1]], source[right][:, index[-1]]
    k = _term(row, column)
    found = [_source("x", source, left, (*index[:-1], k)), _source("W", source, right, (k, index[-1]))]
    if "hidden" in source.tensors and index[1] > 0 and "recurrent_weight" in source.tensors:
        before = source["hidden"][index[0], index[1] - 1]
        j = _term(before, source["recurrent_weight"][:, index[-1]])
        found += [
            _source("h", source, "hidden", (index[0], index[1] - 1, j)),
            _source("R", source, "recurrent_weight", (j, index[-1])),
        ]
    return tuple(found)


def _weight_name(layer: LayerTrace) -> str:
    return "input_weight" if "input_weight" in layer.tensors else "weight" if layer.kind == "dense" else ""


def _of_activation(layer: LayerTrace, tensor: str, index: tuple[int, ...]) -> tuple[Source, ...]:
    if layer.kind == "residual":
        skip = "skip" if "skip" in layer.tensors else "input"
        return _source("x", layer, skip, index), _source("branch", layer, "branch", index)
    if tensor == "activation" and "scaled" in layer.tensors:
        return (_source("ẑ", layer, "scaled", index),)
    if tensor == "scaled":
        return (_source("x̂", layer, "normalized", index),)
    if layer.kind == "recurrent":
        z = layer["pre_activation"][index[:-1]]
        k = _first_or_largest(z)
        return (_source("z", layer, "pre_activation", (*index[:-1], *k)),)
    own = _source("z", layer, "pre_activation", index)
    if layer.activation_kind != "softmax":
        return (own,)
    row = layer["pre_activation"][index[:-1]]
    return own, _source("largest z", layer, "pre_activation", (*index[:-1], int(np.argmax(row))))


def _of_handed_down(trace: IterationTrace, layer: LayerTrace, index: tuple[int, ...]) -> tuple[Source, ...]:
    if not hands_down(trace):
        return ()
    above = layer_above(trace, layer)
    if above is None:
        if layer.index < len(trace.layers) - 1:
            return ()
        return (
            _source("a", layer, "activation", index),
            Source("t", "", "targets", index, float(trace.targets[index])),
        )
    if above.kind == "dense":
        k = _term(above["delta"][index[:-1]], above["weight"][index[-1]])
        return (
            _source("δ", above, "delta", (*index[:-1], k)),
            _source("W", above, "weight", (index[-1], k)),
        )
    gradient = above["input_gradient"]
    return (_source("∂L/∂x", above, "input_gradient", index),) if gradient.ndim == len(index) else ()


def hands_down(trace: IterationTrace) -> bool:
    """Return whether every ∂L/∂a comes from above: that of a pretrained layer does not, and it hands down none.

    Parameters
    ----------
    trace : IterationTrace
        A record.

    Returns
    -------
    bool
        False in a phase of pretraining.
    """
    return phase_at(trace.experiment, trace.iteration).layer is None


def _of_change(
    trace: IterationTrace, layer: LayerTrace, name: str, index: tuple[int, ...]
) -> tuple[Source, ...]:
    """Return what Δw is made of; what an optimizer remembers and the children of an evolution are in no record."""
    rule = update_rule(trace, layer, name)
    if rule.mover in STANDING:
        return ()
    weight = _source("w", layer, name, index)
    if rule.mover == "evolution":
        return weight, Source("σ", "", "mutation", (), rule.rate)
    found = (
        _source("g", layer, f"{name}_clipped_gradient", index),
        Source("η", "", "learning_rate", (), rule.rate),
    )
    return (*found, Source("λ", "", "weight_decay", (), rule.decay), weight) if rule.decay else found


def _of_parameter_gradient(layer: LayerTrace, tensor: str, index: tuple[int, ...]) -> tuple[Source, ...]:
    delta = layer["delta"].reshape(-1, layer["delta"].shape[-1])
    rows = layer["delta"].shape[:-1]
    if tensor == "weight_gradient" and layer.kind == "dense":
        i = _term(layer["input"].reshape(-1, layer.fan_in)[:, index[0]], delta[:, index[1]])
        at = tuple(int(k) for k in np.unravel_index(i, rows))
        return _source("x", layer, "input", (*at, index[0])), _source("δ", layer, "delta", (*at, index[1]))
    if len(index) == 1 and index[0] < delta.shape[1]:
        i = _first_or_largest(delta[:, index[0]])[0]
        at = tuple(int(k) for k in np.unravel_index(i, rows))
        return (_source("δ", layer, "delta", (*at, index[0])),)
    return ()


def layer_above(trace: IterationTrace, layer: LayerTrace) -> LayerTrace | None:
    """Return the layer that reads the output of another, where it is the only one.

    Parameters
    ----------
    trace : IterationTrace
        A record.
    layer : LayerTrace
        One of its layers.

    Returns
    -------
    LayerTrace or None
        None for the head, and where several read it.
    """
    reads = [
        one
        for one in trace.layers[layer.index + 1 :]
        if one["input"].shape == layer["output"].shape and np.may_share_memory(one["input"], layer["output"])
    ]
    return reads[0] if len(reads) == 1 else None


def _term(a: NDArray[Any], b: NDArray[Any]) -> int:
    """Place of the factors whose product counts most; products of tiny numbers are compared by logarithm."""
    with np.errstate(all="ignore"):
        product = a.astype(np.float64) * b.astype(np.float64)
        bad = ~(np.isfinite(a) & np.isfinite(b) & np.isfinite(product))
        if bad.any():
            return int(np.argmax(bad))
        return int(np.argmax(np.log2(np.abs(a.astype(np.float64))) + np.log2(np.abs(b.astype(np.float64)))))


def _first_or_largest(values: NDArray[Any]) -> tuple[int, ...]:
    bad = ~np.isfinite(values)
    flat = int(np.argmax(bad)) if bad.any() else int(np.argmax(np.abs(values)))
    return tuple(int(i) for i in np.unravel_index(flat, values.shape))


def _source(symbol: str, layer: LayerTrace, tensor: str, index: tuple[int, ...]) -> Source:
    return Source(symbol, layer.name, tensor, index, float(layer[tensor][index]))
