"""The budget of the whole net in words."""

from __future__ import annotations

import math

from gradsim.analysis.cause.budget import BudgetPart, CauseBudget
from gradsim.analysis.cause.factor_wording import HARDLY, joined, times
from gradsim.analysis.fit import Fit

_ENOUGH = 0.75
"""A kind with less than this share of what pulls the same way is not named alone."""


def budget_sentence(budget: CauseBudget) -> str:
    """Return what the whole net owes to which kind of factor.

    Parameters
    ----------
    budget : CauseBudget
        Of one direction.

    Returns
    -------
    str
        One or two sentences.
    """
    backward = budget.direction == "backward"
    signal = "the error signal δ" if backward else "the activation a"
    way = (
        "from the last layer back to the first"
        if backward
        else "from the first layer to the last before the head"
    )
    if not budget.steps:
        if backward:
            return "There is a single layer: no ratio to explain."
        return "There is a single layer before the head: nothing to add up."
    if not budget.counted:
        return (
            f"No ratio of {signal} between neighbouring layers is a finite number: {budget.left_out_words}."
        )
    parts = ", ".join(f"{part.label} {times(part.log10)}" for part in budget.parts)
    change = f"{signal[0].upper()}{signal[1:]} changes {times(budget.log10)} {way}: {parts}."
    left_out = f"Left out: {budget.left_out_words}." if budget.left_out else ""
    return " ".join(part for part in (change, main_cause_sentence(budget), left_out) if part)


def main_cause_sentence(budget: CauseBudget) -> str:
    """Return the chief cause alone.

    Parameters
    ----------
    budget : CauseBudget
        Of one direction.

    Returns
    -------
    str
        ``Sigmoid slopes account for 97 % of the shrinking.``; empty where there is nothing to explain.
    """
    pulling = [part for part in budget.parts if not math.isnan(part.share)]
    if not budget.counted or not budget.parts:
        return ""
    against = [part for part in budget.parts if math.isnan(part.share) and abs(part.log10) > HARDLY]
    if abs(budget.log10) <= HARDLY:
        up = [part.label for part in budget.parts if part.log10 > HARDLY]
        down = [part.label for part in budget.parts if part.log10 < -HARDLY]
        if up and down:
            verb = "make" if len(up) > 1 or _part_of(budget, up[0]).is_plural else "makes"
            return f"{_start(joined(up))} {verb} up for {joined(down)}."
        return "No factor changes it much."
    verb = "shrinking" if budget.log10 < 0 else "growth"
    main = pulling[0]
    accounts = "account" if main.is_plural else "accounts"
    told = f"{_start(main.label)} {accounts} for {_percent(main.share)} of the {verb}"
    if main.share < _ENOUGH and len(pulling) > 1:
        told += f", {pulling[1].label} for {_percent(pulling[1].share)}"
    if against:
        labels = joined([part.label for part in against])
        told += f"; against it: {labels} {times(math.fsum(part.log10 for part in against))}"
    return told + "."


def total_cause_sentence(budget: CauseBudget) -> str:
    """Return the chief cause behind the total that it explains, for where other numbers stand beside it.

    Parameters
    ----------
    budget : CauseBudget
        Of one direction.

    Returns
    -------
    str
        ``Over all layers δ changes ×0.14. Tanh slopes account for all of the shrinking.``; empty where there is
        nothing to explain.
    """
    cause = main_cause_sentence(budget)
    if not cause:
        return ""
    signal = "δ" if budget.direction == "backward" else "a"
    return f"Over {counted_layers(budget)} {signal} changes {times(budget.log10)}. {cause}"


def counted_layers(budget: CauseBudget) -> str:
    """Return over which layers the total of a budget goes.

    Parameters
    ----------
    budget : CauseBudget
        Of one direction.

    Returns
    -------
    str
        ``all layers``, or ``69 of 200 layers`` where some have no ratio that is a finite number.
    """
    return "all layers" if budget.counted == budget.steps else f"{budget.counted} of {budget.steps} layers"


def is_along(budget: CauseBudget, fit: Fit) -> bool:
    """Return whether the chief cause of a budget may be told as that of a fitted slope.

    The first and the last layer alone make the total, all layers the slope: where the signal goes unevenly, one
    may shrink while the other grows.

    Parameters
    ----------
    budget : CauseBudget
        Of one direction.
    fit : Fit
        Of the same signal in the same direction.

    Returns
    -------
    bool
        Whether both shrink, both grow or both hardly change; False without a slope.
    """
    if math.isnan(fit.slope):
        return False
    per_layer = -fit.slope if budget.direction == "backward" else fit.slope
    if abs(budget.log10) <= HARDLY or fit.words.startswith("flat"):
        return abs(budget.log10) <= HARDLY and fit.words.startswith("flat")
    return (budget.log10 > 0) == (per_layer > 0)


def main_cause_words(budget: CauseBudget) -> str:
    """Return the chief cause in the fewest words.

    Parameters
    ----------
    budget : CauseBudget
        Of one direction.

    Returns
    -------
    str
        ``sigmoid slopes 97 %``; empty where nothing changes much or there is nothing to explain.
    """
    if not budget.counted or abs(budget.log10) <= HARDLY:
        return ""
    main = budget.parts[0]
    return f"{main.label} {'100 %' if main.share == 1.0 else _percent(main.share)}"


def _part_of(budget: CauseBudget, label: str) -> BudgetPart:
    return next(part for part in budget.parts if part.label == label)


def _percent(share: float) -> str:
    if share == 1.0:
        return "all"
    return ">99 %" if share > 0.995 else "<1 %" if share < 0.005 else f"{100 * share:.0f} %"


def _start(words: str) -> str:
    return words[0].upper() + words[1:]
