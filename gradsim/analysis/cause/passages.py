"""What each kind of layer does to the size of a signal: the sizes it has one after the other on its way."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gradsim.analysis.cause.records import FactorKind
from gradsim.analysis.cause.route import Leg, Stop
from gradsim.analysis.cause.sizes import size_of
from gradsim.analysis.magnitude import rms
from gradsim.trace import LayerTrace

_CANCELLED = 1e-2
"""Below this share of the bias, what is left of z − b is computed anew as x @ W: rounding has eaten its digits."""


class Passage(NamedTuple):
    """One operation, and the rms of the signal behind it."""

    kind: FactorKind
    label: str
    stop: Stop
    size: float


def backward_passages(leg: Leg) -> Iterator[Passage]:
    """Yield what δ of the upper layer goes through until it is δ of the lower one.

    Parameters
    ----------
    leg : Leg
        Two neighbouring layers.

    Yields
    ------
    Passage
        The last one with rms δ of the lower layer.
    """
    upper = leg.upper.layer
    label = "input weights" if upper.kind == "recurrent" else "weights"
    size = _handed_down(leg)
    yield Passage("weight", label, leg.upper, size)
    for stop in reversed(leg.between):
        for passage in _back_through(stop):
            size = passage.size
            yield passage
    through = _back_into_recurrent if leg.lower.layer.kind == "recurrent" else _back_into_dense
    yield from through(leg.lower, size)


def forward_passages(leg: Leg) -> Iterator[Passage]:
    """Yield what a of the lower layer goes through until it is a of the upper one.

    Parameters
    ----------
    leg : Leg
        Two neighbouring layers.

    Yields
    ------
    Passage
        The last one with rms a of the upper layer.
    """
    lower = leg.lower.layer
    if lower.kind == "recurrent" and not leg.lower.spec.return_sequences:
        yield Passage("time", "last time step only", leg.lower, rms(lower["hidden"][:, -1]))
    for stop in leg.between:
        yield from _through(stop)
    into = _into_recurrent if leg.upper.layer.kind == "recurrent" else _into_dense
    yield from into(leg.upper)


def _handed_down(leg: Leg) -> float:
    """Return the rms of ∂L/∂x of the upper layer, which is ∂L/∂a of what is below it and measured there."""
    below = leg.between[-1] if leg.between else leg.lower
    # A recurrent layer measures the total over all later steps, a branch begins with a copy of its own.
    if below.kind == "enter" or below.layer.kind == "recurrent":
        return rms(leg.upper.layer["input_gradient"])
    return size_of(below.layer, "activation_gradient")


# -- backward ------------------------------------------------------------------------------------------------


def _back_through(stop: Stop) -> Iterator[Passage]:
    """Yield what a layer without a number, or an end of a residual block, does."""
    layer = stop.layer
    if stop.kind == "layer":
        yield Passage(*_named(stop), stop, size_of(layer, "input_gradient"))
        return
    if stop.kind == "leave":
        if _scale(stop) != 1.0:
            yield Passage("skip", "branch scale", stop, size_of(layer, "branch_gradient"))
        return
    if stop.kind == "across" and "skip_gradient" in layer.tensors:
        yield Passage("weight", "projection of the skip", stop, size_of(layer, "skip_gradient"))
    label = "skip added" if stop.kind == "enter" else "branch added"
    yield Passage("skip", label, stop, size_of(layer, "input_gradient"))


def _back_into_dense(stop: Stop, size: float) -> Iterator[Passage]:
    layer = stop.layer
    normalization = getattr(stop.spec, "normalization", None)
    if layer.activation_kind != "linear":
        behind = "delta" if normalization is None else "normalized_gradient"
        yield Passage("slope", f"{layer.activation_kind} slope", stop, size_of(layer, behind))
    if normalization is not None:
        label = f"{normalization.method} normalization"
        yield Passage("normalization", label, stop, size_of(layer, "delta"))


def _back_into_recurrent(stop: Stop, size: float) -> Iterator[Passage]:
    """Only the last step gets a gradient from above, or all; then it runs back through the steps, then to z."""
    layer, cell = stop.layer, stop.spec.cell
    if not stop.spec.return_sequences:
        alone = size / math.sqrt(layer["hidden"].shape[1])
        yield Passage("time", "last time step only", stop, alone)
    yield Passage("time", "back through time", stop, size_of(layer, "hidden_gradient"))
    if cell == "lstm":
        yield Passage("time", "memory cell", stop, size_of(layer, "cell_gradient"))
    label = f"{layer.activation_kind} slope" if cell == "simple" else "gates"
    if cell != "simple" or layer.activation_kind != "linear":
        yield Passage("slope", label, stop, size_of(layer, "delta"))


# -- forward -------------------------------------------------------------------------------------------------


def _through(stop: Stop) -> Iterator[Passage]:
    """Yield what a layer without a number, or an end of a residual block, does."""
    layer = stop.layer
    if stop.kind == "layer":
        kind, label = _named(stop)
        yield Passage(kind, label.removesuffix(" slope"), stop, size_of(layer, "output"))
    elif stop.kind == "leave":
        scale = _scale(stop)
        if scale != 1.0:
            yield Passage("skip", "branch scale", stop, abs(scale) * size_of(layer, "branch"))
        yield Passage("skip", "skip added", stop, size_of(layer, "output"))
    elif stop.kind == "across":
        if "skip_gradient" in layer.tensors:
            yield Passage("weight", "projection of the skip", stop, size_of(layer, "skip"))
        yield Passage("skip", "branch added", stop, size_of(layer, "output"))


def _into_dense(stop: Stop) -> Iterator[Passage]:
    layer = stop.layer
    biased = "bias" in layer.tensors and np.any(layer["bias"] != 0)
    if biased:
        yield Passage("weight", "weights", stop, rms(_linear_part(layer)))
        yield Passage("bias", "bias", stop, size_of(layer, "pre_activation"))
    else:
        yield Passage("weight", "weights", stop, size_of(layer, "pre_activation"))
    normalization = getattr(stop.spec, "normalization", None)
    if normalization is not None:
        yield Passage(
            "normalization", f"{normalization.method} normalization", stop, size_of(layer, "scaled")
        )
    if layer.activation_kind != "linear":
        yield Passage("slope", layer.activation_kind, stop, size_of(layer, "activation"))


def _into_recurrent(stop: Stop) -> Iterator[Passage]:
    layer = stop.layer
    with np.errstate(all="ignore"):
        z = layer["input"] @ layer["input_weight"]
        yield Passage("weight", "input weights", stop, rms(z))
        if "bias" in layer.tensors and np.any(layer["bias"] != 0):
            yield Passage("bias", "bias", stop, rms(z + layer["bias"]))
    yield Passage("time", "earlier time steps", stop, size_of(layer, "pre_activation"))
    simple = stop.spec.cell == "simple"
    if not simple or layer.activation_kind != "linear":
        yield Passage(
            "slope", layer.activation_kind if simple else "gates", stop, size_of(layer, "activation")
        )


def _linear_part(layer: LayerTrace) -> NDArray[np.float64]:
    """Return x @ W. z − b is cheaper, and as good as long as the two do not nearly cancel."""
    with np.errstate(all="ignore"):
        bias = np.asarray(layer["bias"], dtype=np.float64)
        part = np.asarray(layer["pre_activation"], dtype=np.float64) - bias
        # Written so that NaN is computed anew, too.
        if rms(part) > _CANCELLED * float(np.abs(bias).max()):
            return part
        return np.asarray(layer["input"] @ layer["weight"], dtype=np.float64)


def _scale(stop: Stop) -> float:
    """α of a residual block, as it was in this pass."""
    trained = stop.layer.tensors.get("scale")
    return float(stop.spec.scale if trained is None else trained[0])


def _named(stop: Stop) -> tuple[FactorKind, str]:
    """Kind and words of a layer without a number."""
    kind = stop.layer.kind
    if kind == "normalization":
        return "normalization", f"{stop.spec.method} normalization"
    if kind == "dropout":
        return "dropout", "dropout"
    return "slope", f"{stop.layer.activation_kind} slope"
