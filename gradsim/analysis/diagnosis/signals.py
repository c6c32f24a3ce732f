"""Findings about sizes along the network: the gradient on its way back, the signal on its way forward."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradsim.analysis.diagnosis.blockage import Blockage, backward_blockage, forward_blockage
from gradsim.analysis.diagnosis.blocked_remedies import remedies_for
from gradsim.analysis.diagnosis.case import Case, Measurement, Unknown
from gradsim.analysis.diagnosis.words import number

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
    blockage = backward_blockage(case) if ratios[worst] == 0 else None
    if ratios[worst] == 0:
        told = f"No gradient at all reaches {worst}: its δ is exactly 0, while {reference} has one"
    else:
        told = f"The gradient of {worst} is {number(ratios[worst])} of that of {reference} (rms δ)"
    evidence = _per_layer(ratios[worst], list(ratios).index(worst), len(ratios))
    return Measurement(
        ratios[worst],
        f"{told}; {len(small)} of {len(case.path)} layers get less than a thousandth.{_when(case)}",
        _why(case, blockage),
        ratios,
        evidence | _judged(case),
        remedies=remedies_for(case, blockage),
        after=blockage.causes if blockage else (),
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
        f"The gradient of {worst} is {_times(ratios[worst])} that of {reference} (rms δ).{_when(case)}",
        case.cause("backward"),
        ratios,
        _per_layer(ratios[worst], list(ratios).index(worst), len(ratios)) | _judged(case),
    )


def vanishing_signal(case: Case) -> Measurement | Unknown:
    """By how much the samples differ from each other in a layer / in the first: sd over the batch, rms over units.

    Not the rms of the activation, which stays near ½ in a sigmoid net that answers the same to every input.
    """
    if len(case.path) < 2:
        return Unknown("there are not two layers before the head")
    if case.rows < 2:
        return Unknown("the batch holds a single sample")
    trace = case.standing.trace
    if trace is None:
        return Unknown("the pass is not finite, and of those before it only statistics are known")
    inputs = _difference(trace.inputs)
    if not inputs > 0:
        return Unknown("the samples of the batch do not differ")
    differences = {layer.name: _difference(trace.layers[layer.index].output) for layer in case.path}
    first, *_ = differences.values()
    if not all(math.isfinite(value) for value in differences.values()):
        return Unknown("an activation is not finite")
    ratios = {
        name: value / first if first > 0 else 0.0 for name, value in list(differences.items())[first > 0 :]
    }
    worst = min(ratios, key=lambda name: ratios[name])
    blockage = forward_blockage(case) if ratios[worst] == 0 else None
    told = (
        f"In {worst} the samples of the batch differ by {number(ratios[worst])} of what they do in "
        f"{case.path[0].name} (sd over the batch): hardly anything of the input arrives."
    )
    if ratios[worst] == 0:
        told = f"In {worst} the samples of the batch no longer differ: nothing of the input arrives."
    return Measurement(
        ratios[worst],
        f"{told}{_when(case)}",
        blockage.words if blockage else _why_alike(case, differences),
        ratios,
        {"sd over the batch of the inputs": inputs, f"sd over the batch of {worst}": differences[worst]}
        | _judged(case),
        remedies=remedies_for(case, blockage),
        after=blockage.causes if blockage else (),
    )


def exploding_signal(case: Case) -> Measurement | Unknown:
    """Largest rms activation / that of the first layer."""
    if len(case.path) < 2:
        return Unknown("there are not two layers before the head")
    sizes = {layer.name: case.standing.rms(layer, "activation") for layer in case.path}
    first = next(iter(sizes.values()))
    if not (first > 0 and math.isfinite(first)):
        return Unknown(f"the activation of {case.path[0].name} is {number(first)}")
    ratios = _known({name: value / first for name, value in list(sizes.items())[1:]})
    if not ratios:
        return Unknown("an activation is not a number")
    worst = max(ratios, key=lambda name: ratios[name])
    return Measurement(
        ratios[worst],
        f"The activation of {worst} is {_times(ratios[worst])} that of {case.path[0].name} (rms a)."
        f"{_when(case)}",
        case.cause("forward"),
        ratios,
        {f"rms a of {worst}": sizes[worst]}
        | _per_layer(ratios[worst], len(sizes) - 2 - list(ratios).index(worst), len(sizes) - 1)
        | _judged(case),
    )


def _delta_ratios(case: Case) -> tuple[dict[str, float], str] | Unknown:
    """Rms δ of each layer of the path / that of its last, or of the head where that is 0."""
    if len(case.path) < 2:
        return Unknown("there are not two layers before the head")
    sizes = {layer.name: case.standing.rms(layer, "delta") for layer in case.path}
    last = case.path[-1].name
    reference = sizes.pop(last)
    if reference == 0:
        sizes[last], last = 0.0, "head"
        reference = case.standing.rms(case.numbered[-1], "delta")
    if not (reference > 0 and math.isfinite(reference)):
        return Unknown(f"the gradient of {last} is {number(reference)}")
    backward = _known({name: sizes[name] / reference for name in reversed(sizes)})
    if not backward:
        return Unknown("a gradient is not a number")
    return {name: backward[name] for name in sizes if name in backward}, last


def _known(ratios: dict[str, float]) -> dict[str, float]:
    """Return what comes before the first NaN, which makes all that follows one: 0 times ∞, or ∞ − ∞."""
    known = {}
    for name, ratio in ratios.items():
        if math.isnan(ratio):
            break
        known[name] = ratio
    return known


def _times(ratio: float) -> str:
    return f"{number(ratio)} times" if math.isfinite(ratio) else "infinite and not to be compared with"


def _why(case: Case, blockage: Blockage | None) -> str:
    """Return what blocks the gradient, and what makes it small before."""
    if blockage is None:
        return case.cause("backward")
    return f"{blockage.words} {case.cause('backward')}" if blockage.is_small else blockage.words


def _why_alike(case: Case, differences: dict[str, float]) -> str:
    """Return why samples come to differ less and less: the cause of the gradient, or else where it is worst."""
    if case.explains("backward"):
        words = "Differences go forward through the same weights and slopes as the gradient comes back. "
        return words + case.cause("backward")
    pairs = [
        (after / before, first, second)
        for (first, before), (second, after) in pairwise(differences.items())
        if before > 0
    ]
    if not pairs:
        return f"They are already alike in {case.path[0].name}."
    share, first, second = min(pairs)
    return f"Every layer takes its share, most of all {second}: it leaves {number(share)} of what differs in {first}."


def _when(case: Case) -> str:
    """Say at which iteration it is so, where that is not the present one."""
    if not case.is_past:
        return ""
    at = case.standing.iteration
    if case.breaking is not None and at == case.breaking.fault.iteration:
        return f" That was at iteration {at:,}, as far as its numbers are finite."
    return f" That was at iteration {at:,}, the last one whose numbers were all finite."


def _judged(case: Case) -> dict[str, float]:
    return {"judged at iteration": float(case.standing.iteration)} if case.is_past else {}


def _per_layer(ratio: float, index: int, steps: int) -> dict[str, float]:
    """Return the factor per layer, over the layers from the worst one to the reference."""
    between = steps - index
    if not (ratio > 0 and math.isfinite(ratio)) or between < 1:
        return {}
    return {"factor per layer": ratio ** (1.0 / between), "layers between": float(between)}


def _difference(values: NDArray[Any]) -> float:
    """Rms over units (and time) of the standard deviation over the batch."""
    with np.errstate(all="ignore"):
        return float(np.sqrt(np.asarray(values, np.float64).var(axis=0).mean()))
