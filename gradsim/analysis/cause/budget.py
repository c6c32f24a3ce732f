"""The budget of the whole net: how much of log10 of the total change each kind of factor owes."""

from __future__ import annotations

import math
from dataclasses import dataclass

from gradsim.analysis.cause.records import FACTOR_KINDS, Causes, FactorKind, LayerCause
from gradsim.analysis.fit import Direction


@dataclass(frozen=True, slots=True)
class BudgetPart:
    """What one kind of factor does over all layers together.

    Attributes
    ----------
    kind : str
        One of ``FACTOR_KINDS``.
    label : str
        In words, such as ``sigmoid slopes``.
    is_plural : bool
        How a verb agrees with the label.
    log10 : float
        Sum of log10 of its factors.
    share : float
        Of everything that pulls the same way as the total, 0 to 1; NaN for a kind that pulls against it.
    """

    kind: FactorKind
    label: str
    is_plural: bool
    log10: float
    share: float


@dataclass(frozen=True, slots=True)
class CauseBudget:
    """What the change of a signal over the whole net is made of.

    Attributes
    ----------
    direction : {"backward", "forward"}
        Which signal.
    log10 : float
        Sum over the layers counted.
    parts : tuple of BudgetPart
        The strongest first, those that pull the same way as the total before those against it.
    steps : int
        Pairs of neighbouring layers.
    counted : int
        Those whose ratio is a finite number other than 0.
    left_out : tuple of int
        Numbers of the layers of the others.
    left_out_words : str
        Which they are, and why; empty for none.
    """

    direction: Direction
    log10: float
    parts: tuple[BudgetPart, ...]
    steps: int
    counted: int
    left_out: tuple[int, ...]
    left_out_words: str


def cause_budget(causes: Causes, direction: Direction) -> CauseBudget:
    """Return which kind of factor explains how much of the change over the whole net.

    Parameters
    ----------
    causes : Causes
        Of a record.
    direction : {"backward", "forward"}
        Which way.

    Returns
    -------
    CauseBudget
        Of the layers whose ratio has a logarithm; the others are named. Forward the head, whose activation is the
        answer and has a size of its own, takes no part, as in the fit of the profile.
    """
    every = causes.backward if direction == "backward" else causes.forward[:-1]
    counted = [cause for cause in every if cause.state == "finite"]
    left_out = [cause for cause in every if cause.state != "finite"]
    sums: dict[FactorKind, list[float]] = {kind: [] for kind in FACTOR_KINDS}
    for cause in counted:
        for kind, value in cause.log10_by_kind.items():
            sums[kind].append(value)
    totals = {kind: math.fsum(values) for kind, values in sums.items() if values}
    total = math.fsum(cause.log10 for cause in counted)
    with_it = [kind for kind in totals if totals[kind] * total > 0]
    against = [kind for kind in totals if totals[kind] * total <= 0]
    pull = math.fsum(totals[kind] for kind in with_it)
    parts = [
        BudgetPart(
            kind,
            *_label(kind, counted, direction),
            totals[kind],
            totals[kind] / pull if kind in with_it else math.nan,
        )
        for group in (with_it, against)
        for kind in sorted(group, key=lambda kind: -abs(totals[kind]))
    ]
    return CauseBudget(
        direction=direction,
        log10=total,
        parts=tuple(parts),
        steps=len(every),
        counted=len(counted),
        left_out=tuple(cause.number for cause in left_out),
        left_out_words=_left_out_words(left_out),
    )


def _label(kind: FactorKind, causes: list[LayerCause], direction: Direction) -> tuple[str, bool]:
    """Words for a kind, and whether they are a plural."""
    labels = {factor.label for cause in causes for factor in cause.factors if factor.kind == kind}
    if kind == "slope":
        only = next(iter(labels)) if len(labels) == 1 else ""
        if only == "gates":
            return "gates", True
        word = "slopes" if direction == "backward" else "activations"
        return f"{only.removesuffix(' slope')} {word}".lstrip(), True
    if kind == "normalization":
        return (next(iter(labels)) if len(labels) == 1 else "normalization"), False
    words = {
        "weight": "weights",
        "bias": "biases",
        "skip": "skips",
        "dropout": "dropout",
        "time": "time steps",
    }
    return words[kind], kind != "dropout"


_REASONS = {
    "nothing arrives": "nothing arrives",
    "vanishes": "it becomes 0",
    "appears": "it comes from 0",
    "infinite": "it becomes infinite",
    "not a number": "it is not a number",
}


def _left_out_words(causes: list[LayerCause]) -> str:
    reasons: dict[str, list[int]] = {}
    for cause in causes:
        reasons.setdefault(cause.state, []).append(cause.number)
    return "; ".join(f"in {_named(numbers)} {_REASONS[state]}" for state, numbers in reasons.items())


def _named(numbers: list[int]) -> str:
    """``layer 3`` or ``layers 3–5, 8``."""
    runs: list[list[int]] = []
    for number in sorted(numbers):
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    told = ", ".join(str(run[0]) if len(run) == 1 else f"{run[0]}–{run[-1]}" for run in runs)
    return f"layer{'' if len(numbers) == 1 else 's'} {told}"
