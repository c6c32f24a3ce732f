"""Means over a normal pre-activation: E[φ], E[φ²], E[φ'²], all that mean-field theory asks of an activation.

A Gauss–Hermite rule of any fixed size fails where it matters here: at a kink its error falls only as 1/nodes, and for
√q = 100 tanh is a jump between two of its nodes. So the axis is cut at the kinks, where the activation bends and where
the bell bends, and each piece gets a Gauss–Legendre rule: 1e-10 relative from q = 1e-12 to 1e12.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gradsim.analysis.activation_functions import activation_pair, kinks
from gradsim.spec import Activation
from gradsim.spec.activation import LeakyRelu, Rrelu

Numbers = NDArray[np.float64]

_BELL = (0.75, 1.5, 2.5, 3.5, 5.0, 7.0, 9.5, 13.0, 18.0, 26.0, 37.0)
"""Cuts in standard deviations: beyond the last, the density is 0 in float64."""
_BENDS = tuple(0.5 * 1.5**k for k in range(14)) + tuple(200.0 * 4.0**k for k in range(9))
"""Cuts in units of z, where activations bend, and far out, where softsign still does."""
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(16)
_TABLE = 10.0 ** np.linspace(-6.0, 6.0, 97)
_FOUR = np.arange(4)[:, None]
_SLOPELESS = 1e-24
"""Stands for a variance of 0, at which the mean over both sides of a kink is wanted, not one of them."""


class Moments(NamedTuple):
    """Means over z ~ N(mean, q); each has the shape of q.

    Attributes
    ----------
    value : ndarray of float64
        E[φ(z)].
    square : ndarray of float64
        E[φ(z)²].
    fourth : ndarray of float64
        E[φ(z)⁴].
    slope : ndarray of float64
        E[φ'(z)].
    slope_square : ndarray of float64
        E[φ'(z)²].
    slope_fourth : ndarray of float64
        E[φ'(z)⁴].
    growth : ndarray of float64
        d E[φ(z)²] / d q = E[φ φ' (z − mean)] / q, by partial integration free of φ''.
    swing : ndarray of float64
        Variance of φ'(z) (z − mean) / √q, what a normalization takes out of a gradient.
    """

    value: Numbers
    square: Numbers
    fourth: Numbers
    slope: Numbers
    slope_square: Numbers
    slope_fourth: Numbers
    growth: Numbers
    swing: Numbers


def moments(
    activations: Activation | tuple[Activation, ...],
    q: float | Numbers,
    mean: float = 0.0,
    slopes: NDArray[np.float64] | None = None,
    excess: float = 0.0,
) -> Moments:
    """Return the means of an activation over a normal pre-activation.

    Parameters
    ----------
    activations : Activation or tuple of Activation
        φ; of several, the first is applied first. Not softmax, whose value needs all units.
    q : float or ndarray of float64, shape (n,)
        Variance of z.
    mean : float, default 0
        Mean of z.
    slopes : ndarray of float64, shape (1,) or (units,), optional
        Trained slopes of a ``prelu``; of several their rms stands for all.
    excess : float, default 0
        Excess kurtosis of z: −6 / (B + 1) behind a normalization over a batch of B, which is a point on a sphere and
        no normal draw. The density is that of Edgeworth, to first order.

    Returns
    -------
    Moments
        To 1e-8 relative or better; for a tuple of several with kinks, to about 1e-4.
    """
    chain = activations if isinstance(activations, tuple) else (activations,)
    variance = np.atleast_1d(np.asarray(q, dtype=np.float64))
    s = np.sqrt(np.maximum(variance, _SLOPELESS))[:, None]
    z, density = _nodes(chain[0] if chain else None, s, mean)
    u = mean + s[..., None] * z
    if excess:
        density = density * (1.0 + excess / 24.0 * (z**4 - 6.0 * z * z + 3.0))
    value, square, slope, slope_square = _chained(chain, u, slopes)
    turn = slope * z

    def over(values: Numbers) -> Numbers:
        """Mean over the density, in the shape of q."""
        found: Numbers = (values * density).sum(axis=(1, 2))
        return found.reshape(np.shape(q))

    mixed = over(value * slope * z)
    if len(chain) == 1 and isinstance(
        chain[0], Rrelu
    ):  # the slope of a pass is drawn, and squared before its mean
        mixed = over(square * z / np.where(u == 0, 1.0, u))
    swing = over(slope_square * z * z) - over(turn) ** 2
    scale = s[:, 0].reshape(np.shape(q))
    return Moments(
        over(value),
        over(square),
        over(square**2),
        over(slope),
        over(slope_square),
        over(slope_square**2),
        mixed / scale,
        swing,
    )


def _nodes(first: Activation | None, s: Numbers, mean: float) -> tuple[Numbers, Numbers]:
    """Standardized places and density times weight, shape (q, pieces, 16)."""
    bends = np.array([-edge for edge in _BENDS] + [0.0, *_BENDS])
    jumps = np.array(kinks(first) if first is not None else ())
    bell = np.array([-edge for edge in _BELL] + [0.0, *_BELL])
    cuts = np.concatenate(
        [(bends - mean) / s, (jumps - mean) / s, np.broadcast_to(bell, (len(s), len(bell)))], 1
    )
    cuts = np.sort(np.clip(cuts, -_BELL[-1], _BELL[-1]), axis=1)
    half = 0.5 * np.diff(cuts, axis=1)[..., None]
    z = 0.5 * (cuts[:, 1:] + cuts[:, :-1])[..., None] + half * _NODES
    return z, half * _WEIGHTS * np.exp(-0.5 * z * z) / math.sqrt(2.0 * math.pi)


def _chained(
    chain: tuple[Activation, ...], u: Numbers, slopes: NDArray[np.float64] | None
) -> tuple[Numbers, Numbers, Numbers, Numbers]:
    """φ, φ², φ' and φ'² of the activations one after the other."""
    value, slope = u, np.ones_like(u)
    if len(chain) == 1 and isinstance(chain[0], Rrelu):
        low, high = chain[0].lower, chain[0].upper
        value, slope = activation_pair(chain[0], u)
        square_slope = math.sqrt((low * low + low * high + high * high) / 3.0)
        rms, rms_slope = activation_pair(LeakyRelu(slope=square_slope), u)
        return value, rms**2, slope, rms_slope**2
    for activation in chain:
        trained = None if slopes is None else np.sqrt(np.mean(np.square(slopes), keepdims=True))
        value, local = activation_pair(activation, value, trained)
        slope = slope * local
    return value, value * value, slope, slope * slope


class MomentTable:
    """The moments of an activation, read off a table: for curves over hundreds of layers, to about 1e-4.

    Parameters
    ----------
    chain : tuple of Activation
        As for ``moments``.
    mean : float
        Mean of z.
    slopes : tuple of float
        Trained slopes of a ``prelu``; empty for none.
    excess : float
        Excess kurtosis of z.
    """

    def __init__(
        self, chain: tuple[Activation, ...], mean: float, slopes: tuple[float, ...], excess: float
    ) -> None:
        self._exact = (chain, mean, np.array(slopes) if slopes else None, excess)
        rows = moments(chain, _TABLE, mean, self._exact[2], excess)
        self._positive = [bool((row > 0).all()) for row in rows]
        self._curves = [
            np.log(row) if positive else row for row, positive in zip(rows, self._positive, strict=True)
        ]
        self._log = np.log(_TABLE)

    def at(self, q: Numbers) -> Moments:
        """Return the moments at some variances.

        Parameters
        ----------
        q : ndarray of float64, shape (n,)
            Variances of z.

        Returns
        -------
        Moments
            Of arrays of shape (n,).
        """
        low_end, high_end = _TABLE[0], _TABLE[-1]
        if not (q.min() >= low_end and q.max() <= high_end):
            chain, mean, slopes, excess = self._exact
            return moments(chain, q, mean, slopes, excess)
        # Lagrange's cubic through the four nearest, of the logarithms where all are positive.
        place = (np.log(q) - self._log[0]) / (self._log[1] - self._log[0])
        low = np.minimum(np.maximum(place.astype(np.int64) - 1, 0), len(_TABLE) - 4)
        x = place - low
        u, v, w = x - 1.0, x - 2.0, x - 3.0
        shares = np.stack([u * v * w / -6.0, x * v * w / 2.0, x * u * w / -2.0, x * u * v / 6.0])
        near = (low + _FOUR).T
        return Moments(
            *(
                np.exp((row[near] * shares.T).sum(axis=1)) if positive else (row[near] * shares.T).sum(axis=1)
                for row, positive in zip(self._curves, self._positive, strict=True)
            )
        )


@lru_cache(64)
def moment_table(
    chain: tuple[Activation, ...], mean: float = 0.0, slopes: tuple[float, ...] = (), excess: float = 0.0
) -> MomentTable:
    """Return the table of an activation, made once.

    Parameters
    ----------
    chain : tuple of Activation
        As for ``moments``.
    mean : float, default 0
        Mean of z.
    slopes : tuple of float, optional
        Trained slopes of a ``prelu``.
    excess : float, default 0
        Excess kurtosis of z.

    Returns
    -------
    MomentTable
        Kept for the next time.
    """
    return MomentTable(chain, mean, slopes, excess)
