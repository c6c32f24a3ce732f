"""Findings about how far the weights move: too fast, too slow, the first layers not at all."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from gradsim.analysis.diagnosis.blockage import Blockage, backward_blockage
from gradsim.analysis.diagnosis.blocked_remedies import FOR_NO_GRADIENT, remedies_for
from gradsim.analysis.diagnosis.case import Case, Measurement, Unknown
from gradsim.analysis.diagnosis.words import number

RECENT = 10
"""Records over which the update ratio is taken, with the present one: one batch alone is noise."""

SETTLED = 5
"""Iterations after which the usual cut holds."""

FIRST_STEPS = 1.0
"""Cut before that: the first steps of a sound net are larger than all others, but none replaces its weights."""

LIVELY = 1e-4
"""Rms update / rms weight of a layer that does move (TheDeepChecker, DL4J): larger steps for all would be too large
for it, and what has to change is the gradient of the others."""

FOR_UNEVENNESS = ("relu_he", "tanh", "batch_normalization", "skips")

MOVED = 0.01
"""Least distance, in rms of the weights, that the farthest layer must have gone before others can lag behind."""


def fast_updates(case: Case) -> Measurement | Unknown:
    """Largest rms update / rms weight of the learning layers, geometric mean over the last records."""
    ratios = update_ratios(case)
    if isinstance(ratios, Unknown):
        return ratios
    worst = max(ratios, key=lambda name: ratios[name])
    return Measurement(
        ratios[worst],
        f"Every iteration changes the weights of {worst} by {number(ratios[worst])} of their size "
        "(rms update / rms weight).",
        _rate_words(case, worst),
        ratios,
        _evidence(case, worst),
        cut=None if len(case.history) >= SETTLED else FIRST_STEPS,
    )


def slow_updates(case: Case) -> Measurement | Unknown:
    """Smallest rms update / rms weight of the learning layers, geometric mean over the last records."""
    if case.trace.iteration < case.experiment.training.schedule.warm_up:
        return Unknown("the learning rate still rises")
    ratios = update_ratios(case)
    if isinstance(ratios, Unknown):
        return ratios
    worst = min(ratios, key=lambda name: ratios[name])
    ratio = ratios[worst]
    told = f"Every iteration changes the weights of {worst} by {number(ratio)} of their size: it would take "
    told += f"{number(1.0 / ratio)} iterations to replace them." if ratio > 0 else ""
    if ratio == 0:
        told = f"The weights of {worst} do not move at all."
    blockage = stop_of_gradient(case, worst)
    return Measurement(
        ratio,
        told,
        f"{_rate_words(case, worst)}{f' {blockage.words}' if blockage else ''}",
        ratios,
        _evidence(case, worst),
        remedies=cures(case, blockage) or (FOR_UNEVENNESS if max(ratios.values()) > LIVELY else None),
        after=blockage.causes if blockage else (),
    )


def stop_of_gradient(case: Case, name: str) -> Blockage | None:
    """Return why the gradient of a layer's weights is exactly 0; None where it is not."""
    if case.trace[name].statistics["weight_gradient"].rms != 0:
        return None
    return backward_blockage(case) or Blockage(
        name, "", f"The gradient of the weights of {name} is exactly 0."
    )


def cures(case: Case, blockage: Blockage | None) -> tuple[str, ...] | None:
    """Return what helps where there is no gradient, which no learning rate does; None where there is one."""
    if blockage is None:
        return None
    return remedies_for(case, blockage) or (FOR_UNEVENNESS if blockage.is_small else FOR_NO_GRADIENT)


def unchanged_first_layers(case: Case) -> Measurement | Unknown:
    """Distance that the weights of the first layer went / that of the layer that went farthest, all updates added up.

    Each in units of the layer's weights at the first record; after the first twenty iterations.
    """
    if case.trace.iteration < 20 or len(case.history) < 2:
        return Unknown("fewer than 20 iterations were made")
    first_layers = [layer for layer in case.hidden if layer in case.learning]
    if len(case.learning) < 3 or not first_layers:
        return Unknown("fewer than three layers learn")
    updates, weights = case.history.series("update", "rms"), case.history.series("weight", "rms")
    with np.errstate(all="ignore"):
        travelled = updates.sum(axis=0) * case.history.stride / weights[0]
    gone = {layer.name: float(travelled[layer.index]) for layer in case.learning}
    gone = {name: value for name, value in gone.items() if math.isfinite(value)}
    if first_layers[0].name not in gone or len(gone) < 3:
        return Unknown("the distance that the weights went is not finite")
    farthest = max(gone, key=lambda name: gone[name])
    if not gone[farthest] > 0:
        return Unknown("no weight has moved")
    shares = {name: value / gone[farthest] for name, value in gone.items() if name != farthest}
    first = first_layers[0].name
    if first == farthest:
        return Unknown("the first layer went farthest")
    return Measurement(
        shares[first],
        f"In {case.trace.iteration} iterations {first} went {number(gone[first])} of its size while {farthest} "
        f"went {number(gone[farthest])}.",
        case.cause("backward"),
        shares,
        {f"distance of {first}": gone[first], f"distance of {farthest}": gone[farthest]},
        excuse="" if gone[farthest] >= MOVED else "no layer has gone a hundredth of its size yet",
    )


def update_ratios(case: Case) -> dict[str, float] | Unknown:
    """Return rms update / rms weight of every learning layer, the geometric mean over the last records."""
    layers = [layer for layer in case.learning if layer.name not in case.closed]
    rows = [layer.index for layer in layers]
    if not rows:
        return Unknown("no layer learns")
    with np.errstate(all="ignore"):
        ratios = case.with_now("update")[-RECENT:, rows] / case.weight_rms[-RECENT:, rows]
        means = np.exp(np.log(ratios).mean(axis=0))
    told = {layer.name: float(mean) for layer, mean in zip(layers, means, strict=True) if not _unsure(mean)}
    return told or Unknown("no ratio of update and weight is a number")


def _unsure(mean: NDArray[np.float64]) -> bool:
    """Return whether a ratio says nothing: a weight of 0 has no relative change."""
    return not math.isfinite(float(mean))


def _evidence(case: Case, name: str) -> dict[str, float]:
    layer = case.trace[name]
    return {
        "learning rate": case.trace.learning_rate,
        f"rms gradient of {name}": layer.statistics["weight_gradient"].rms,
        f"rms weight of {name}": layer.statistics["weight"].rms,
    }


def _rate_words(case: Case, name: str) -> str:
    layer = case.trace[name]
    gradient, weight = (layer.statistics[tensor].rms for tensor in ("weight_gradient", "weight"))
    return (
        f"The learning rate {number(case.trace.learning_rate)} meets gradients of rms {number(gradient)} and "
        f"weights of rms {number(weight)}."
    )
