"""Mean-field theory of a random dense layer: where the signal settles, and what the gradient does there.

Poole et al. 2016 (arXiv 1606.05340) and Schoenholz et al. 2017 (arXiv 1611.01232): in a wide net of random weights z is
normal with variance q ← σ_w² E[φ(√q z)²] + σ_b²; at its fixed point q* the squared gradient grows by
χ = σ_w² E[φ'(√q* z)²] per layer.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from gradsim.analysis.theory.gaussian import Moments, moments
from gradsim.spec import Activation

Regime = Literal["vanishing", "edge of chaos", "exploding"]

_GRID = 10.0 ** np.linspace(-10.0, 10.0, 401)
_NEUTRAL = 1e-9
_EDGE = 5e-3
"""|χ − 1| that is called the edge: √χ is within a quarter of a percent of 1."""


@dataclass(frozen=True, slots=True)
class MeanField:
    """What mean-field theory says of one layer repeated for ever.

    Attributes
    ----------
    activation : Activation
        φ.
    weight_variance, bias_variance : float
        σ_w² = fan_in · Var W, and σ_b².
    q_star : float
        Variance of z to which the signal settles from the start; 0 if it dies out, infinite if it grows for ever.
    chi : float
        χ, by which the squared gradient grows per layer at q*; in the limit where q* is 0 or infinite.
    q_slope : float
        d q' / d q at q*: below 1 q* is stable, and deviations shrink by it per layer; 1 where every q stays as it is
        (ReLU at He's variance); above 1 only another q* can be reached.
    """

    activation: Activation
    weight_variance: float
    bias_variance: float
    q_star: float
    chi: float
    q_slope: float

    @property
    def factor(self) -> float:
        """√χ, by which the rms of the gradient changes per layer."""
        return math.sqrt(self.chi)

    @property
    def depth_scale(self) -> float:
        """ξ = 1 / |ln χ|: layers over which the squared gradient changes by e; infinite at the edge, 0 if χ is 0."""
        if self.chi == 0:
            return 0.0
        return math.inf if self.chi == 1 else 1.0 / abs(math.log(self.chi))

    @property
    def q_depth_scale(self) -> float:
        """ξ_q = −1 / ln(d q' / d q): layers over which the size of the signal settles; infinite where it does not."""
        if not 0 < self.q_slope < 1.0 - _NEUTRAL:
            return 0.0 if self.q_slope == 0 else math.inf
        return -1.0 / math.log(self.q_slope)

    @property
    def is_stable(self) -> bool:
        """Whether the signal settles at q*: a χ of 1 at a q* that is not stable is no place to initialize."""
        return math.isfinite(self.q_star) and self.q_slope < 1.0 - _NEUTRAL

    @property
    def regime(self) -> Regime:
        """Which side of the edge of chaos, χ = 1, this is."""
        if abs(self.chi - 1.0) <= _EDGE:
            return "edge of chaos"
        return "vanishing" if self.chi < 1.0 else "exploding"


def mean_field_of(
    activation: Activation,
    weight_variance: float,
    bias_variance: float = 0.0,
    start: float | None = None,
) -> MeanField:
    """Return what theory says of a dense layer repeated for ever.

    Parameters
    ----------
    activation : Activation
        φ, elementwise.
    weight_variance : float
        σ_w² = fan_in · Var W, 0 or more.
    bias_variance : float, default 0
        σ_b², 0 or more.
    start : float, optional
        Variance of z in the first layer, from which it settles; by default what inputs of rms 1 make of it.

    Returns
    -------
    MeanField
        At the q* reached from the start.

    Raises
    ------
    ValueError
        If a variance is negative or not a number, or the activation is softmax.
    """
    if type(activation).__name__ == "Softmax":
        raise ValueError("expected an activation that takes each unit by itself, got softmax")
    for name, value in (("weight_variance", weight_variance), ("bias_variance", bias_variance)):
        if not value >= 0:
            raise ValueError(f"{name}: expected 0 or more, got {value}")
    begin = start if start is not None else weight_variance + bias_variance
    q = _settled(activation, weight_variance, bias_variance, begin)
    found = moments(activation, min(max(q, 0.0), 1e12))
    return MeanField(
        activation,
        weight_variance,
        bias_variance,
        q,
        weight_variance * float(found.slope_square),
        weight_variance * float(found.growth if q > 0 else found.slope_square),
    )


def next_q(activation: Activation, weight_variance: float, bias_variance: float, q: float) -> float:
    """Return the variance of z one layer on: σ_w² E[φ(√q z)²] + σ_b².

    Parameters
    ----------
    activation : Activation
        φ.
    weight_variance, bias_variance : float
        σ_w² = fan_in · Var W, and σ_b².
    q : float
        Variance of z in the layer before.

    Returns
    -------
    float
        The variance of z.
    """
    return weight_variance * float(moments(activation, q).square) + bias_variance


def critical_points(activation: Activation, bias_variance: float = 0.0) -> tuple[MeanField, ...]:
    """Return where the edge of chaos lies: every weight variance with χ = 1 at a fixed point.

    Parameters
    ----------
    activation : Activation
        φ, elementwise.
    bias_variance : float, default 0
        σ_b².

    Returns
    -------
    tuple of MeanField
        By rising weight variance; ``is_stable`` says whether a signal settles there. One with ``q_slope`` 1 stands for
        all q of an activation that keeps every size (ReLU, linear). Empty if there is none, as for ReLU with biases.
    """
    found: list[MeanField] = []
    grid = moments(activation, _GRID)
    gap: NDArray[np.float64]
    with np.errstate(divide="ignore", invalid="ignore"):
        gap = _GRID - grid.square / grid.slope_square - bias_variance

    def at(q: float) -> MeanField:
        """Mean field of the weight variance that makes χ 1 at q."""
        here = moments(activation, q)
        sigma = 1.0 / float(here.slope_square)
        return MeanField(
            activation,
            sigma,
            bias_variance,
            q,
            1.0,
            sigma * float(here.growth if q > 0 else here.slope_square),
        )

    if bias_variance == 0:
        still = moments(activation, 0.0)
        level = np.abs(gap) <= 1e-9 * _GRID
        if level.all():  # positively homogeneous: every q is a fixed point
            return (at(1.0),)
        if float(still.square) < 1e-12 and float(still.slope_square) > 0:
            found.append(at(0.0))
        gap = np.where(level, np.nan, gap)
    for low, high in _crossings(gap):
        root = _root(lambda q: q - _ratio(activation, q) - bias_variance, low, high)
        found.append(at(root))
    return tuple(sorted(found, key=lambda point: point.weight_variance))


def _ratio(activation: Activation, q: float) -> float:
    here: Moments = moments(activation, q)
    return float(here.square) / float(here.slope_square)


def _settled(activation: Activation, weight: float, bias: float, start: float) -> float:
    """Return the first fixed point above the start if the map goes up there, else the first below."""
    if weight == 0:
        return bias

    def gain(q: float) -> float:
        return next_q(activation, weight, bias, q) - q

    begin = max(start, float(_GRID[0]))
    first = gain(begin)
    if abs(first) <= _NEUTRAL * begin:
        return begin
    change: NDArray[np.float64] = weight * _grid_squares(activation) + bias - _GRID
    place = int(np.searchsorted(_GRID, begin))
    grid, change = np.insert(_GRID, place, begin), np.insert(change, place, first)
    if first > 0:
        turns = np.flatnonzero(change[place:] < 0)
        if not len(turns):
            return math.inf
        high = place + int(turns[0])
        return _root(gain, grid[high - 1], grid[high])
    turns = np.flatnonzero(change[: place + 1] >= 0)
    if not len(turns):
        return 0.0
    low = int(turns[-1])
    return _root(gain, grid[low], grid[low + 1])


@lru_cache(64)
def _grid_squares(activation: Activation) -> NDArray[np.float64]:
    """E[φ²] along the grid, worked out once: where the signal starts changes with every iteration, this does not."""
    return moments(activation, _GRID).square


def _crossings(values: NDArray[np.float64]) -> list[tuple[float, float]]:
    good = np.isfinite(values)
    places = np.flatnonzero(good[:-1] & good[1:] & (np.sign(values[:-1]) * np.sign(values[1:]) < 0))
    return [(float(_GRID[k]), float(_GRID[k + 1])) for k in places]


def _root(of: Callable[[float], float], low: float, high: float) -> float:
    from scipy import optimize  # only here, because the window must not wait for it to load

    root: float = optimize.brentq(of, low, high, xtol=1e-300, rtol=1e-13, maxiter=200)
    return root
