"""A gradient check as points: every parameter tensor at its layer, its verdict as a shape."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gradsim.analysis import VERDICT_WORDS, GradientCheck
from gradsim.analysis.check_wording import NOT_FINITE
from gradsim.analysis.gradient_verdict import Verdict
from gradsim.views.plot.lanes import log10_or_nan
from gradsim.views.plot.marks import Mark
from gradsim.views.plot.numbers import brief
from gradsim.views.plot.points import LanePoints, Points, Shape
from gradsim.views.theme import Theme

_SHAPES: dict[Verdict, Shape] = {
    "agrees": "circle",
    "zero": "ring",
    "kink": "diamond",
    "undecided": "square",
    "deliberate": "triangle",
    "not finite": "cross",
    "disagrees": "star",
}


@dataclass(frozen=True, slots=True, eq=False)
class DrawnCheck:
    """What is drawn of a check: a value per tensor, taken once and not at every frame.

    Attributes
    ----------
    check : GradientCheck
        The check itself.
    at : ndarray of float64, shape (tensors,)
        Places on the axis of the layers, the tensors of a layer beside each other.
    errors, own : ndarray of float64, shape (tensors,)
        Relative error of backpropagation, and of the network's own precision.
    verdicts : ndarray of str, shape (tensors,)
        As in ``Verdict``.
    words : str
        All of it in a few words.
    """

    check: GradientCheck
    at: NDArray[np.float64]
    errors: NDArray[np.float64]
    own: NDArray[np.float64]
    verdicts: NDArray[np.str_]
    words: str

    @staticmethod
    def of(check: GradientCheck) -> DrawnCheck:
        """Return that of a check."""
        at = np.array([tensor.layer + 1.0 for tensor in check.tensors])
        errors = np.array([tensor.error for tensor in check.tensors])
        own = np.array([tensor.own_error for tensor in check.tensors])
        verdicts = np.array([tensor.verdict for tensor in check.tensors], dtype=str)
        return DrawnCheck(check, at + _spread(at), errors, own, verdicts, _short(check))

    def verdict_marks(self, theme: Theme) -> list[Mark]:
        """Return the points of every verdict that occurs, each in its own shape."""
        marks: list[Mark] = []
        for verdict, shape in _SHAPES.items():
            chosen = self.verdicts == verdict
            if chosen.any():
                color = theme.color("bad" if verdict in ("disagrees", "not finite") else "backward")
                at, errors = self.at[chosen], self.errors[chosen]
                name = VERDICT_WORDS[verdict]
                marks.append(Points(at, log10_or_nan(errors), color, shape, 7.0, name=name))
                marks.append(LanePoints(at, errors, color))
        return marks


def _short(check: GradientCheck) -> str:
    """Return the verdict in a few words; ``check_sentences`` has the whole of it."""
    agree = [tensor for tensor in check.tensors if tensor.verdict == "agrees"]
    wrong = [tensor.name for tensor in check.tensors if tensor.verdict == "disagrees"]
    if wrong:
        return f"{len(wrong)} of {len(check.tensors)} tensors, first {wrong[0]}"
    broken = sum(tensor.verdict == "not finite" for tensor in check.tensors)
    if broken:
        return f"in {broken} of {len(check.tensors)} tensors {NOT_FINITE}"
    told = f"{len(agree)} of {len(check.tensors)} tensors agree"
    zeros = sum(tensor.verdict == "zero" for tensor in check.tensors)
    if zeros:
        told += f", {zeros} as 0 = 0" if not agree else f", {zeros} more as 0 = 0"
    largest = max((tensor.error for tensor in agree), default=None)
    return told if largest is None else f"{told}, largest relative error {brief(largest)}"


def _spread(at: NDArray[np.float64]) -> NDArray[np.float64]:
    """Set the tensors of a layer beside each other within its room."""
    result = np.zeros(len(at))
    for place in np.unique(at):
        where = np.flatnonzero(at == place)
        if len(where) > 1:
            result[where] = np.linspace(-0.25, 0.25, len(where))
    return result
