"""The rules of AutoTrainer with the default parameters of its authors."""

from __future__ import annotations

import numpy as np

from gradsim.analysis.rule_packs.record import Record, ratio
from gradsim.analysis.rule_packs.rule import Measured, NotApplicable, PublishedRule

PACK = "AutoTrainer"
VANISHING_RATIO = 1e-3
VANISHING_NORM = 1e-4
EXPLODING_RATIO = 70.0
ZERO_SHARE = 0.7
SWING = 0.03
SWING_SHARE = 0.2


def vanishing_gradient(record: Record) -> Measured | NotApplicable:
    """Fire where |g₁| / |g_L| < 1e-3 and |g₁| < 1e-4, Euclidean norms of the first and the last weight gradient.

    Zhang, Zhai, Ma, Shen: AutoTrainer, ICSE 2021, with β₁ = 1e-3 and β₂ = 1e-4.
    """
    first, last = record.matrices[0], record.matrices[-1]
    value = ratio(first.gradient_norm, last.gradient_norm)
    fires = value < VANISHING_RATIO and first.gradient_norm < VANISHING_NORM
    return Measured(value, fires, first.layer, f"|g₁| = {first.gradient_norm:.3g}")


def exploding_gradient(record: Record) -> Measured | NotApplicable:
    """Fire where |g₁| / |g_L| > 70, Euclidean norms of the first and the last weight gradient.

    Zhang, Zhai, Ma, Shen: AutoTrainer, ICSE 2021, with β₃ = 70.
    """
    first, last = record.matrices[0], record.matrices[-1]
    value = ratio(first.gradient_norm, last.gradient_norm)
    return Measured(value, value > EXPLODING_RATIO, first.layer)


def dying_relu(record: Record) -> Measured | NotApplicable:
    """Fire where 70 % or more of all gradients are exactly 0.

    Zhang, Zhai, Ma, Shen: AutoTrainer, ICSE 2021, with γ = 0.7. The program counts the gradients of all weights
    and biases together, whatever the activation.
    """
    zeros = sum(one.zero_gradients for one in record.parameters)
    value = ratio(zeros, sum(one.count for one in record.parameters))
    return Measured(value, value >= ZERO_SHARE)


def oscillating_loss(record: Record) -> Measured | NotApplicable:
    """Fire where peaks and troughs of the accuracy that differ by 0.03 or more make up 20 % of the epochs.

    Zhang, Zhai, Ma, Shen: AutoTrainer, ICSE 2021, with ζ = 0.03 and η = 0.2. The k-th peak is held against the
    k-th trough.
    """
    accuracy = record.epoch_accuracies()
    if record.trace.accuracy is None:
        return NotApplicable("a regression has no accuracy")
    if len(accuracy) < 3:
        return NotApplicable("fewer than 3 epochs")
    before, here, after = accuracy[:-2], accuracy[1:-1], accuracy[2:]
    peaks = here[(here >= before) & (here >= after)]
    troughs = here[(here <= before) & (here <= after)]
    pairs = min(len(peaks), len(troughs))
    swings = np.count_nonzero(peaks[:pairs] - troughs[:pairs] >= SWING)
    return Measured(swings / len(accuracy), bool(swings >= SWING_SHARE * len(accuracy)))


RULES = (
    PublishedRule(
        PACK,
        "Vanishing gradient",
        "vanishing gradient",
        "|g₁| / |g_L|",
        "< 1e-3, and |g₁| < 1e-4",
        vanishing_gradient,
    ),
    PublishedRule(
        PACK, "Exploding gradient", "exploding gradient", "|g₁| / |g_L|", "> 70", exploding_gradient
    ),
    PublishedRule(
        PACK, "Dying ReLU", "dead units", "share of gradients that are exactly 0", "≥ 70 %", dying_relu
    ),
    PublishedRule(
        PACK,
        "Oscillating loss",
        "course of the loss",
        "swings of the accuracy by 0.03 per epoch",
        "≥ 20 %",
        oscillating_loss,
    ),
)
