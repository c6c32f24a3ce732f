"""Ranges that stay put: an axis that moved with every frame would hide the change it should show."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

_FEWEST_BARS = 8


def finite_range(*arrays: NDArray[Any]) -> tuple[float, float] | None:
    """Return the least and the greatest finite number.

    Parameters
    ----------
    *arrays : ndarray
        Any shapes; empty ones too.

    Returns
    -------
    tuple of float or None
        None where there is no finite number.
    """
    low, high = math.inf, -math.inf
    for array in arrays:
        finite = array[np.isfinite(array)]
        if finite.size:
            low, high = min(low, float(finite.min())), max(high, float(finite.max()))
    return (low, high) if low <= high else None


def range_of_most(low: NDArray[Any], high: NDArray[Any]) -> tuple[float, float] | None:
    """Return the range of all bars but a few that are much longer than the others.

    Parameters
    ----------
    low, high : ndarray of float, shape (bars,)
        Ends of each; those that are not finite do not count.

    Returns
    -------
    tuple of float or None
        That of all, unless leaving out a twentieth of them at most (of eight bars on at least one) makes it less
        than half as wide; None where nothing is finite.
    """
    is_known = np.isfinite(low) & np.isfinite(high)
    low, high = low[is_known], high[is_known]
    if not low.size:
        return None
    whole = float(low.min()), float(high.max())
    if low.size < _FEWEST_BARS:
        return whole
    by_reach = np.argsort(np.maximum(np.abs(low), np.abs(high)), kind="stable")
    for left_out in range(1, max(1, low.size // 20) + 1):
        kept = by_reach[:-left_out]
        most = float(low[kept].min()), float(high[kept].max())
        if most[1] - most[0] < (whole[1] - whole[0]) / 2:
            return most
    return whole


class StickyRange:
    """A range that grows when numbers leave it and shrinks only when asked.

    Parameters
    ----------
    step : float
        Its ends are multiples of this.
    margin : float
        Room left beyond the numbers when it is chosen.
    least : float
        Smallest width.
    """

    def __init__(self, step: float, margin: float, least: float) -> None:
        self._step, self._margin, self._least = step, margin, least
        self._held: tuple[float, float] | None = None

    def fit(self) -> None:
        """Choose anew from the next numbers."""
        self._held = None

    def around(self, found: tuple[float, float] | None) -> tuple[float, float]:
        """Return the range to draw.

        Parameters
        ----------
        found : tuple of float or None
            Least and greatest number to be seen now.

        Returns
        -------
        tuple of float
            The one held before, widened only if the numbers leave it.
        """
        if found is None:
            return self._held or (-self._least / 2, self._least / 2)
        if self._held is None:
            self._held = self._chosen(*found)
        elif found[0] < self._held[0] or found[1] > self._held[1]:
            low, high = self._chosen(*found)
            self._held = (min(low, self._held[0]), max(high, self._held[1]))
        return self._held

    def _chosen(self, low: float, high: float) -> tuple[float, float]:
        low = math.floor((low - self._margin) / self._step) * self._step
        high = math.ceil((high + self._margin) / self._step) * self._step
        missing = self._least - (high - low)
        if missing > 0:
            half = math.ceil(missing / 2 / self._step) * self._step
            low, high = low - half, high + half
        return low, high


class GrowingRange:
    """The range of iterations from the first on: it grows by leaps, so that its axis seldom moves.

    Parameters
    ----------
    least : int
        Smallest width.
    """

    def __init__(self, least: int = 10) -> None:
        self._least = least
        self._held: tuple[float, float] | None = None

    def fit(self) -> None:
        """Choose anew from the next numbers."""
        self._held = None

    def around(self, first: float, last: float) -> tuple[float, float]:
        """Return the range to draw.

        Parameters
        ----------
        first, last : float
            Least and greatest number.

        Returns
        -------
        tuple of float
            From ``first`` to a round number not below ``last``.
        """
        if self._held is None or last > self._held[1] or first < self._held[0]:
            self._held = (first, first + round_up(max(last - first, self._least)))
        return self._held


def round_up(value: float) -> float:
    """Return the next round number.

    Parameters
    ----------
    value : float
        Above 0.

    Returns
    -------
    float
        The least of 1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10 times a power of ten that is not below it.
    """
    if not value > 0 or not math.isfinite(value):
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return next(
        (m * power for m in (1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10) if m * power >= value * (1 - 1e-12)),
        value,
    )
