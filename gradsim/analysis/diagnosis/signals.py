"""Findings about sizes along the network: the gradient on its way back, the signal on its way forward."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradsim.analysis.diagnosis.case import Case, Measurement, Unknown
from gradsim.analysis.diagnosis.words import number
from gradsim.trace import LayerTrace

VANISHING = 1e-3
"""A layer whose gradient is a thousandth of the last hidden layer's: with one learning rate for both it learns a
thousand times slower. AutoTrainer (Zhang et al. 2021) cuts |g₁|/|g_L| at the same 1e-3."""

EXPLODING = 1e3
"""The mirror image of ``VANISHING``. AutoTrainer's 70 is met by sound nets with batch normalization, whose gradient
grows by √(π/(π−1)) = 1.21 per ReLU layer of itself: 45 times over 20 layers."""


def vanishing_gradient(case: Case) -> Measurement | Unknown:
    """Smallest rms δ before the last hidden layer / rms δ there; of residual blocks that of their input."""
    sizes = _delta_ratios(case)
    if isinstance(sizes, Unknown):
        return sizes
    ratios, reference = sizes
    worst = min(ratios, key=lambda name: ratios[name])
    small = [name for name, ratio in ratios.items() if ratio < VANISHING]
    told = f"The gradient of {worst} is {number(ratios[worst])} of that of {reference} (rms δ)"
    return Measurement(
        ratios[worst],
        f"{told}; {len(small)} of {len(case.path)} layers get less than a thousandth.",
        case.cause("backward"),
        ratios,
        _per_layer(ratios[worst], list(ratios).index(worst), len(ratios)),
    )


def exploding_gradient(case: Case) -> Measurement | Unknown:
    """Largest rms δ before the last hidden layer / rms δ there."""
    sizes = _delta_ratios(case)
    if isinstance(sizes, Unknown):
        return sizes
    ratios, reference = sizes
    worst = max(ratios, key=lambda name: ratios[name])
    return Measurement(
        ratios[worst],
        f"The gradient of {worst} is {number(ratios[worst])} times that of {reference} (rms δ).",
        case.cause("backward"),
        ratios,
        _per_layer(ratios[worst], list(ratios).index(worst), len(ratios)),
    )


def vanishing_signal(case: Case) -> Measurement | Unknown:
    """By how much the samples differ from each other in a layer / in the first: sd over the batch, rms over units.

    Not the rms of the activation, which stays near ½ in a sigmoid net that answers the same to every input.
    """
    if len(case.path) < 2:
        return Unknown("there are not two layers before the head")
    if case.rows < 2:
        return Unknown("the batch holds a single sample")
    inputs = _difference(case.trace.inputs)
    if not inputs > 0:
        return Unknown("the samples of the batch do not differ")
    differences = {layer.name: _difference(layer.output) for layer in case.path}
    first, *_ = differences.values()
    if not all(math.isfinite(value) for value in differences.values()):
        return Unknown("an activation is not finite")
    ratios = {
        name: value / first if first > 0 else 0.0 for name, value in list(differences.items())[first > 0 :]
    }
    worst = min(ratios, key=lambda name: ratios[name])
    return Measurement(
        ratios[worst],
        f"In {worst} the samples of the batch differ by {number(ratios[worst])} of what they do in "
        f"{case.path[0].name} (sd over the batch): hardly anything of the input arrives.",
        "Differences go forward through the same weights and slopes as the gradient comes back: "
        + case.cause("backward"),
        ratios,
        {"sd over the batch of the inputs": inputs, f"sd over the batch of {worst}": differences[worst]},
    )


def exploding_signal(case: Case) -> Measurement | Unknown:
    """Largest rms activation / that of the first layer."""
    if len(case.path) < 2:
        return Unknown("there are not two layers before the head")
    sizes = {layer.name: _rms(layer, "activation") for layer in case.path}
    first = next(iter(sizes.values()))
    if not (first > 0 and math.isfinite(first)):
        return Unknown(f"the activation of {case.path[0].name} is {number(first)}")
    ratios = {name: value / first for name, value in list(sizes.items())[1:]}
    if any(math.isnan(ratio) for ratio in ratios.values()):
        return Unknown("an activation is not a number")
    worst = max(ratios, key=lambda name: ratios[name])
    return Measurement(
        ratios[worst],
        f"The activation of {worst} is {number(ratios[worst])} times that of {case.path[0].name} (rms a).",
        case.cause("forward"),
        ratios,
        {f"rms a of {worst}": sizes[worst]}
        | _per_layer(ratios[worst], len(sizes) - 2 - list(ratios).index(worst), len(ratios)),
    )


def _delta_ratios(case: Case) -> tuple[dict[str, float], str] | Unknown:
    """Rms δ of each layer of the path / that of its last, or of the head where that is 0."""
    if len(case.path) < 2:
        return Unknown("there are not two layers before the head")
    sizes = {layer.name: _rms(layer, "delta") for layer in case.path}
    last = case.path[-1].name
    reference = sizes.pop(last)
    if reference == 0:
        sizes[last], last = 0.0, "head"
        reference = _rms(case.numbered[-1], "delta")
    if not (reference > 0 and math.isfinite(reference)):
        return Unknown(f"the gradient of {last} is {number(reference)}")
    if any(math.isnan(size) for size in sizes.values()):
        return Unknown("a gradient is not a number")
    return {name: size / reference for name, size in sizes.items()}, last


def _per_layer(ratio: float, index: int, steps: int) -> dict[str, float]:
    """Return the factor per layer, over the layers from the worst one to the reference."""
    between = steps - index
    if not (ratio > 0 and math.isfinite(ratio)) or between < 1:
        return {}
    return {"factor per layer": ratio ** (1.0 / between), "layers between": float(between)}


def _rms(layer: LayerTrace, tensor: str) -> float:
    return float(layer.statistics[tensor].rms)


def _difference(values: NDArray[Any]) -> float:
    """Rms over units (and time) of the standard deviation over the batch."""
    with np.errstate(all="ignore"):
        return float(np.sqrt(np.asarray(values, np.float64).var(axis=0).mean()))
