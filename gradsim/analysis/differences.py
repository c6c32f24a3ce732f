"""Derivatives from differences of a function: central ones, extrapolated to step 0, with an estimate of their error.

The function is only as exact as its rounding, so a small step drowns in it and a large one leaves the straight
part of the function: the step is chosen for each direction, by the estimated error alone.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise

LEVELS = 5
"""Most halvings of a step."""
_GIVE_UP = 2.0
_ATTEMPTS = 5
_SMALLER, _LARGER = 1 / 64, 16.0
_NEVER_ABOVE = 0.25


@dataclass(frozen=True, slots=True)
class Difference:
    """A derivative at 0 from differences.

    Attributes
    ----------
    value : float
        Extrapolated central difference; NaN where the function is not finite nearby.
    uncertainty : float
        Estimated error of ``value``: of the extrapolation and of the rounding of the function.
    step : float
        Smallest step that took part.
    forward, backward : float
        One-sided differences at that step.
    kink : float or None
        Smallest step at which the one-sided differences disagreed as at a kink; a smooth function may do so too
        where its curvature changes its sign.
    evaluations : int
        How often the function was called.
    """

    value: float
    uncertainty: float
    step: float
    forward: float
    backward: float
    kink: float | None
    evaluations: int

    @property
    def gap(self) -> float:
        """How far the one-sided differences are apart."""
        return abs(self.forward - self.backward)


def difference(
    function: Callable[[float], float], at_zero: float, step: float, wanted: float, rounding: float
) -> Difference:
    """Return the derivative of a function at 0.

    Parameters
    ----------
    function : callable
        From a step to a value.
    at_zero : float
        Its value at 0.
    step : float
        The first step to try; others follow if it does not do.
    wanted : float
        Absolute error that suffices.
    rounding : float
        Absolute error of one value of the function.

    Returns
    -------
    Difference
        The one with the smallest estimated error.

    Notes
    -----
    Ridders' method: central differences at h, h/2, h/4, … have an error in even powers of h, which Neville's
    tableau removes one after another (Press et al., Numerical Recipes, section 5.7, ``dfridr``).
    """
    best: Difference | None = None
    calls = 0
    kink: float | None = None
    tried: set[float] = set()
    first = min(step, _NEVER_ABOVE)
    while len(tried) < _ATTEMPTS and first not in tried:
        tried.add(first)
        found = _ridders(function, at_zero, first, wanted, rounding)
        calls += found.evaluations
        if found.kink is not None:
            kink = found.kink if kink is None else min(kink, found.kink)
        if best is None or found.uncertainty < best.uncertainty:
            best = found
        if best.uncertainty <= wanted:
            break
        drowned = rounding / found.step > 0.5 * found.uncertainty  # a larger step stands out of the rounding
        first = min(max(tried) * _LARGER, _NEVER_ABOVE) if drowned else min(tried) * _SMALLER
    assert best is not None
    return replace(best, kink=kink, evaluations=calls)


def _ridders(
    function: Callable[[float], float], at_zero: float, step: float, wanted: float, rounding: float
) -> Difference:
    rows: list[list[float]] = []
    best, error, at = math.nan, math.inf, step
    sides = (math.nan, math.nan)
    gaps: list[tuple[float, float]] = []
    for level in range(LEVELS):
        h = step / 2**level
        above, below = function(h), function(-h)
        if not (math.isfinite(above) and math.isfinite(below)):
            return Difference(math.nan, math.inf, h, math.nan, math.nan, None, 2 * (level + 1))
        noise = rounding / h
        forward, backward = (above - at_zero) / h, (at_zero - below) / h
        gaps.append((h, abs(forward - backward)))
        row = [(above - below) / (2 * h)]
        for k, before in enumerate(rows[-1] if rows else ()):
            power = 4.0 ** (k + 1)
            row.append((power * row[k] - before) / (power - 1))
        # Each entry is judged by its neighbours in the tableau, and none is surer than the function's rounding.
        for k in range(1, len(row)):
            spread = max(abs(row[k] - row[k - 1]), abs(row[k] - rows[-1][k - 1]))
            if spread + noise < error:
                best, error, at, sides = row[k], spread + noise, h, (forward, backward)
        rows.append(row)
        if error <= wanted:
            break
        if level > 1 and abs(row[-1] - rows[-2][-1]) > _GIVE_UP * error and noise > error / 2:
            break
    return Difference(best, error, at, *sides, _kink_in(gaps, rounding, wanted), 2 * len(rows))


def _kink_in(gaps: list[tuple[float, float]], rounding: float, wanted: float) -> float | None:
    """Smallest step with a kink in its way: of a smooth function the gap halves with the step."""
    found = None
    for (h, wide), (_, narrow) in pairwise(gaps):
        loud = wide > max(200 * rounding / h, 10 * wanted)
        if loud and not 0.35 < narrow / wide < 0.65:
            found = h if narrow <= 0.35 * wide else h / 2
    return found
