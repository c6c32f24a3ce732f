"""Findings about the gradient on its way back through the time steps of a sequence."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from gradsim.analysis.diagnosis.case import Case, Measurement, Unknown
from gradsim.analysis.diagnosis.words import number
from gradsim.spec import Recurrent


def vanishing_through_time(case: Case) -> Measurement | Unknown:
    """Smallest rms ∂L/∂h at the first time step / at the last, of the layers that hand on only the last."""
    ratios = _ratios(case)
    if isinstance(ratios, Unknown):
        return ratios
    worst = min(ratios, key=lambda name: ratios[name])
    return Measurement(
        ratios[worst],
        f"In {worst} the gradient of the first time step is {number(ratios[worst])} of that of the last "
        f"(rms ∂L/∂h): what came early is not learned from.",
        _cause(case, worst, ratios[worst]),
        ratios,
        _per_step(case, ratios[worst]),
    )


def exploding_through_time(case: Case) -> Measurement | Unknown:
    """Largest rms ∂L/∂h at the first time step / at the last."""
    ratios = _ratios(case)
    if isinstance(ratios, Unknown):
        return ratios
    worst = max(ratios, key=lambda name: ratios[name])
    return Measurement(
        ratios[worst],
        f"In {worst} the gradient of the first time step is {number(ratios[worst])} times that of the last "
        f"(rms ∂L/∂h).",
        _cause(case, worst, ratios[worst]),
        ratios,
        _per_step(case, ratios[worst]),
    )


def _ratios(case: Case) -> dict[str, float] | Unknown:
    if case.samples.target_steps > 1:
        return Unknown("every time step is answered, so that a gradient begins at each")
    trace = case.standing.trace
    ratios: dict[str, float] = {}
    reason = "there is no recurrent layer that hands on only its last time step"
    for layer in case.numbered:
        spec = case.placed[layer.name].layer
        if not isinstance(spec, Recurrent) or spec.return_sequences:
            continue
        if trace is None:
            reason = "the pass is not finite, and of those before it only statistics are known"
            continue
        sizes = _rms_per_step(trace.layers[layer.index]["hidden_gradient"])
        if len(sizes) < 2:
            reason = "a sequence has a single time step"
        elif 0 < spec.truncation < len(sizes):
            reason = (
                f"{layer.name} cuts the gradient off after {spec.truncation} time steps, as it is told to"
            )
        elif not (sizes[-1] > 0 and math.isfinite(sizes[-1])) or math.isnan(sizes[0]):
            reason = f"the gradient of the last time step of {layer.name} is {number(float(sizes[-1]))}"
        else:
            ratios[layer.name] = float(sizes[0] / sizes[-1])
    return ratios or Unknown(reason)


def _rms_per_step(gradient: NDArray[np.float64]) -> NDArray[np.float64]:
    with np.errstate(all="ignore"):
        return np.asarray(np.sqrt(np.square(np.asarray(gradient, np.float64)).mean(axis=(0, 2))))


def _per_step(case: Case, ratio: float) -> dict[str, float]:
    steps = case.samples.steps - 1
    return {
        "factor per time step": ratio ** (1.0 / steps) if ratio >= 0 else math.nan,
        "time steps": float(steps + 1),
    }


def _cause(case: Case, name: str, ratio: float) -> str:
    """Return the factor per step, and what makes it: the recurrent weights, and the slopes or gates."""
    layer, spec = (case.standing.trace or case.trace)[name], case.placed[name].layer
    assert isinstance(spec, Recurrent)
    factor = _per_step(case, ratio)["factor per time step"]
    told = f"Every step back multiplies the gradient by {number(factor)} on average"
    if spec.cell != "simple":
        return f"{told}, by its gates and recurrent weights."
    weight = np.asarray(layer["recurrent_weight"], np.float64)
    if not np.isfinite(weight).all():
        return f"{told}."
    largest = float(np.linalg.norm(weight, 2))
    told += f": the largest singular value of the recurrent weights is {number(largest)}"
    if spec.activation == "tanh":
        slope = 1.0 - np.square(np.asarray(layer["hidden"], np.float64))
        told += f", the rms slope of tanh {number(float(np.sqrt(np.square(slope).mean())))}"
    return f"{told}."
