"""Findings about the weights: growing like an avalanche, collapsing to 0, starting with the wrong size."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from gradsim.analysis.diagnosis.case import Case, Measurement, Unknown
from gradsim.analysis.diagnosis.gains import wanted_gains
from gradsim.analysis.diagnosis.words import number
from gradsim.spec import Activation

BURST = 10
"""Iterations within which an avalanche shows."""

LARGE_GAIN = 4.0
"""Weights below this gain (rms · √fan_in) may double quickly: they are only growing up from a small start. The
largest gain that an activation asks for is 4, the sigmoid's."""


POOR = 1000.0**0.5
"""Half of the thousand that counts as vanishing, in logarithms. A ratio of 10, where SageMaker Debugger cuts, is met by
three ReLU layers that start as PyTorch does (14), and these learn."""


def avalanche(case: Case) -> Measurement | Unknown:
    """Largest growth of the weights of a layer within ten iterations, over the last fifty.

    Doubling in ten iterations is 7 % at each; at that pace single precision overflows within 1,300 iterations. A
    sound run slows down as the loss falls.
    """
    iterations = np.append(case.history.iterations, case.trace.iteration)
    recent = iterations > case.trace.iteration - 50
    iterations, weights = iterations[recent], case.weight_rms[recent]
    if len(iterations) < 2:
        return Unknown("fewer than two iterations are known")
    growth: dict[str, float] = {}
    gains: dict[str, float] = {}
    for layer in case.numbered:
        rms = weights[:, layer.index]
        rms = np.where(np.isnan(rms), math.inf, rms)
        gains[layer.name] = float(rms[-1] * math.sqrt(layer.fan_in))
        growth[layer.name] = max(
            _quotient(rms[np.searchsorted(iterations, i + BURST, side="right") - 1], rms[k])
            for k, i in enumerate(iterations)
        )
    large = {name: value for name, value in growth.items() if gains[name] > LARGE_GAIN}
    worst = max(large or growth, key=lambda name: growth[name])
    return Measurement(
        growth[worst],
        f"The weights of {worst} grew {_times(growth[worst])} within {BURST} iterations; "
        f"their rms is {number(float(weights[-1, case.trace[worst].index]))}.",
        "Larger weights make larger gradients, and these larger weights again: every step overshoots more than the "
        f"one before at a learning rate of {number(case.trace.learning_rate)}.",
        large or growth,
        {"gain of the weights (rms · √fan_in)": gains[worst]},
        excuse="" if large else f"no layer's weights have a gain above {number(LARGE_GAIN)} yet",
    )


def collapsing_weights(case: Case) -> Measurement | Unknown:
    """Smallest rms weight now / at the first record, of the numbered layers."""
    if len(case.history) < 1:
        return Unknown("nothing is known of earlier weights")
    shares: dict[str, float] = {}
    for layer in case.numbered:
        before, now = case.weight_rms[0, layer.index], case.weight_rms[-1, layer.index]
        if before > 0 and math.isfinite(before) and math.isfinite(now):
            shares[layer.name] = float(now / before)
    if not shares:
        return Unknown("no layer began with finite weights other than 0")
    worst = min(shares, key=lambda name: shares[name])
    optimizer: Any = case.experiment.training.optimizer
    decay, rate = float(getattr(optimizer, "weight_decay", 0.0)), case.trace.learning_rate
    why = (
        f"Weight decay {number(decay)} at a learning rate of {number(rate)} takes {number(decay * rate)} of every "
        "weight away at each iteration."
        if decay > 0
        else "The gradient itself drives the weights towards 0."
    )
    return Measurement(
        shares[worst],
        f"The weights of {worst} have shrunk to {number(shares[worst])} of what they were.",
        why,
        shares,
        {"weight decay": decay, "learning rate": rate},
    )


def poor_initialization(case: Case) -> Measurement | Unknown:
    """By what factor the gradient is bound to change over all dense layers, given how their weights start.

    For each the gain of its first weights, rms · √fan_in, is held against what keeps the gradient of its activation
    (``wanted_gains``); what lies outside is multiplied up.
    """
    if len(case.plain) < 2:
        return Unknown("there are not two dense layers without normalization or skip before the head")
    if len(case.history) and case.history.iterations[0] != 0:
        return Unknown("the first weights are not known")
    first = case.weight_rms[0]
    logs: dict[str, float] = {}
    gains: dict[str, float] = {}
    for layer in case.plain:
        gain = float(first[layer.index] * math.sqrt(layer.fan_in))
        wanted = wanted_gains(_activation(case, layer.name))
        if wanted is None:
            continue
        if not (gain > 0 and math.isfinite(gain)):
            return Unknown(f"the weights of {layer.name} start at {number(gain)}")
        gains[layer.name] = gain
        logs[layer.name] = math.log(gain / min(max(gain, wanted[0]), wanted[1]))
    if len(logs) < 2:
        return Unknown("for these activations no gain is known that keeps the gradient")
    total = sum(logs.values())
    worst = max(logs, key=lambda name: abs(logs[name]))
    kind = case.trace[worst].activation_kind
    low, high = wanted_gains(_activation(case, worst)) or (math.nan, math.nan)
    span = number(low) if number(low) == number(high) else f"{number(low)} to {number(high)}"
    ways = "larger" if total > 0 else "smaller"
    return Measurement(
        math.exp(min(700.0, abs(total))),
        f"The first weights of {len(logs)} layers make the gradient {number(math.exp(min(700.0, abs(total))))} times "
        f"{ways} than weights that fit their activations: in {worst} the gain is {number(gains[worst])}.",
        f"To keep the size of its gradient, {kind} wants a gain (rms · √fan_in) of {span}.",
        {name: math.exp(min(700.0, abs(log))) for name, log in logs.items()},
        {f"gain of {worst}": gains[worst], "wanted at least": low, "wanted at most": high},
        layers=tuple(name for name, log in logs.items() if abs(log) > 0.05),
    )


def begins_badly(case: Case) -> bool:
    """Return whether the first weights alone make the gradient much larger or smaller than it should be."""
    measured = poor_initialization(case)
    return isinstance(measured, Measurement) and measured.value > POOR


def _activation(case: Case, name: str) -> Activation:
    layer: Any = case.placed[name].layer
    return layer.activation  # type: ignore[no-any-return]


def _times(growth: float) -> str:
    return f"{number(growth)} times" if math.isfinite(growth) else "out of all numbers"


def _quotient(after: float, before: float) -> float:
    return float(after / before) if before > 0 and math.isfinite(before) else 0.0
