"""How each kind of factor is drawn, and the stacks that the factors of the layers make."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gradsim.analysis.cause import FactorKind, LayerCause, times
from gradsim.analysis.fit import Direction
from gradsim.views.cause.bars import Hatch, StackedBars
from gradsim.views.theme import Theme


@dataclass(frozen=True, slots=True)
class KindLook:
    """How one kind of factor is drawn."""

    kind: FactorKind
    series: int
    hatch: Hatch
    letter: str
    words: str


KINDS = (
    KindLook("slope", 1, "", "φ", "slope of the activation"),
    KindLook("weight", 2, "/", "W", "weights"),
    KindLook("normalization", 0, "\\", "N", "normalization"),
    KindLook("skip", 3, "x", "+", "skip and branch"),
    KindLook("time", 5, "-", "t", "time steps"),
    KindLook("dropout", 7, "|", "D", "dropout"),
    KindLook("bias", 4, "+", "b", "bias"),
)
"""From the axis outwards."""


def stacked_bars(
    rows: Sequence[LayerCause],
    direction: Direction,
    theme: Theme,
    *,
    letters: bool,
    measured: NDArray[np.float64] | None = None,
) -> list[StackedBars]:
    """Return one mark per kind that occurs, stacked from 1 outwards: what grows above, what shrinks below.

    Parameters
    ----------
    rows : sequence of LayerCause
        Of one direction; factors without a logarithm are left out.
    direction : {"backward", "forward"}
        Decides the words.
    theme : Theme
        In which colours.
    letters : bool
        Whether large bars have one.
    measured : ndarray of float64, shape (rows,), or None, default None
        log10 of the ratios that are marked on the bars, which no letter touches; None where none are.

    Returns
    -------
    list of StackedBars
        From the axis outwards; the names tell the product over all layers.
    """
    by_kind = [cause.log10_by_kind for cause in rows]
    x = np.array([float(cause.number) for cause in rows])
    above, below = np.zeros(len(rows)), np.zeros(len(rows))
    found = []
    for row in KINDS:
        if not any(row.kind in values for values in by_kind):
            continue
        heights = np.array([values.get(row.kind, 0.0) for values in by_kind])
        low = np.where(heights < 0, below + heights, above)
        high = np.where(heights < 0, below, above + heights)
        above, below = np.maximum(above, high), np.minimum(below, low)
        there = heights != 0
        words = "activation" if (row.kind, direction) == ("slope", "forward") else row.words
        found.append(
            StackedBars(
                x[there],
                low[there],
                high[there],
                theme.color_of_series(row.series),
                theme.color("background"),
                row.hatch,
                row.letter if letters else "",
                f"{words} {times(float(heights.sum()))}",
                None if measured is None else measured[there],
            )
        )
    return found


def stack_ends(
    rows: Sequence[LayerCause], measured: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return how far down and up the stack of each layer reaches, with 1 and the measured ratio.

    Parameters
    ----------
    rows : sequence of LayerCause
        Of one direction.
    measured : ndarray of float64, shape (rows,)
        log10 of the ratio of each; NaN where it has none.

    Returns
    -------
    low, high : ndarray of float64, shape (rows,)
        log10 of the ends, never beyond 0 on the other side.
    """
    found = [list(cause.log10_by_kind.values()) for cause in rows]
    low = np.array([math.fsum(value for value in values if value < 0) for values in found])
    high = np.array([math.fsum(value for value in values if value > 0) for values in found])
    return np.fmin(low, measured), np.fmax(high, measured)
