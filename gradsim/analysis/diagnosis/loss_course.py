"""Findings about the course of the loss: it swings, or it stands still."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from gradsim.analysis.diagnosis.blockage import backward_blockage
from gradsim.analysis.diagnosis.case import Case, Measurement, Unknown
from gradsim.analysis.diagnosis.losses import sample_losses
from gradsim.analysis.diagnosis.updates import LIVELY, cures, stop_of_gradient, update_ratios
from gradsim.analysis.diagnosis.words import number, percent

SWING = 0.1
"""Relative standard deviation of the loss that is worth a word."""

BY_CHANCE = 3.0
"""How many times what the choice of the batch explains: three standard deviations."""

STANDSTILL = 0.01
"""Relative fall of the loss over the window. SageMaker Debugger asks for 0.1 % in 10 steps: 0.5 % in 50."""

UNNOTICED = 0.05
"""Relative fall that batches may hide: where it is possible within two standard errors, nothing is said."""

FOR_SLOWNESS = ("much_higher_rate", "adam", "higher_rate")
"""Remedies where no layer moves as it should."""


def oscillating_loss(case: Case) -> Measurement | Unknown:
    """Return the standard deviation of the loss around its trend / its mean, over the last 50 records.

    The first third of the run, where the loss drops, is left out. Held against what the batches explain: the standard
    deviation between samples / √batch, for one batch after the other out of a limited stock. A loss that falls by a
    fifth all the same, and by more than its swings explain, is excused.
    """
    losses = case.losses[max(len(case.losses) // 3, len(case.losses) - 50) :]
    if len(losses) < 20:
        return Unknown("fewer than 30 iterations are known")
    if not np.isfinite(losses).all():
        return Unknown("the loss is not finite")
    mean = float(losses.mean())
    if not mean > 0:
        return Unknown("the loss is 0")
    at = np.arange(len(losses))
    residual = losses - np.polyval(np.polyfit(at, losses, 1), at)
    swing = float(residual.std()) / mean
    batches = _batch_noise(case)
    first, second = _halves(losses)
    falls = 1.0 - second / first
    by_chance = BY_CHANCE * swing * (4.0 / len(losses)) ** 0.5
    return Measurement(
        swing,
        f"The loss swings by {percent(swing)} of its mean from iteration to iteration (standard deviation); the "
        f"choice of the batch explains {percent(batches)}.",
        "Each step overshoots the valley that it aims at: the learning rate "
        f"{number(case.trace.learning_rate)} is more than twice the inverse of the steepest curvature.",
        {},
        {"explained by the batches": batches, "fall over the window": falls, "mean loss": mean},
        cut=max(SWING, BY_CHANCE * batches),
        excuse="the loss falls all the same" if falls > max(0.2, by_chance) else "",
    )


def stagnating_loss(case: Case) -> Measurement | Unknown:
    """Relative fall of the loss from the first to the second half of the last third of the run."""
    stride, done = case.history.stride, case.trace.iteration
    window = max(50, case.epoch, done // 3)
    if done < 60 or window > done:
        return Unknown(f"fewer than {max(60, window)} iterations were made")
    losses = case.losses[-max(2, window // stride) :]
    if not np.isfinite(losses).all():
        return Unknown("the loss is not finite")
    first, second = _halves(losses)
    if not first > 0:
        return Unknown("the loss is 0")
    fall = 1.0 - second / first
    sure = 2.0 * float(losses.std()) / first * (2.0 / max(1, len(losses) // 2)) ** 0.5
    norm = float(np.median(case.history.gradient_norm[-max(1, len(losses) - 1) :]))
    start = float(case.losses[0])
    ratio = _update_ratio(case)
    is_slow = max(ratio.values(), default=1.0) < LIVELY
    # Not from the head: it keeps the gradient of its biases when all before it are dead.
    blockage = stop_of_gradient(case, case.numbered[-1].name) or backward_blockage(case)
    remedies = cures(case, blockage) or (FOR_SLOWNESS if is_slow else None)
    why = blockage.words if blockage else case.cause("backward")
    return Measurement(
        fall,
        f"Over the last {window:,} iterations the loss fell by {percent(fall) if fall > 0 else 'nothing'}; it stands "
        f"at {percent(case.share)} of what a constant answer costs.",
        f"The gradient over all parameters has a norm of {number(norm)}. {why}",
        {},
        {"loss": case.loss, "loss at the beginning": start, "median gradient norm": norm} | ratio,
        excuse="the loss swings too much to tell" if fall + sure > UNNOTICED else "",
        remedies=remedies,
        after=blockage.causes if blockage else (),
    )


def _update_ratio(case: Case) -> dict[str, float]:
    ratios = update_ratios(case)
    return {} if isinstance(ratios, Unknown) else {"largest update ratio": max(ratios.values())}


def _halves(losses: NDArray[np.float64]) -> tuple[float, float]:
    middle = len(losses) // 2
    return float(losses[:middle].mean()), float(losses[middle:].mean())


def _batch_noise(case: Case) -> float:
    """Relative standard deviation of the batch's mean loss that comes from which samples are in it."""
    each = sample_losses(case.trace)
    rows, stock = len(each), len(case.samples.training_targets)
    if rows < 2 or stock <= rows or not np.isfinite(each).all() or not each.mean() > 0:
        return 0.0
    left = 1.0 - (rows - 1) / (stock - 1)
    return float(each.std(ddof=1) / each.mean()) * math.sqrt(left / rows)
