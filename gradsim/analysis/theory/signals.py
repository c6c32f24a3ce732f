"""The signal of a random network between two layers, and what a layer does to a gradient that comes back."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

import numpy as np

from gradsim.analysis.theory.gaussian import Moments, Numbers
from gradsim.spec import Activation

_CENTRED = 1e-9
_SAME = 1e-6


class NotRandom(Exception):
    """The theory says nothing about this network; the message says why, as the end of a sentence."""


@dataclass(frozen=True, slots=True, eq=False)
class Signal:
    """The output of a layer.

    Attributes
    ----------
    square : ndarray of float64, shape (groups,)
        E[a²] over units, of groups of like samples.
    mean : ndarray of float64, shape (groups,)
        E[a].
    spread : float
        Variance over the batch of one unit, mean over units; NaN where only a measurement tells.
    width : int
        Number of units.
    chain : tuple of Activation
        What was applied since the last normal z.
    q : ndarray of float64, shape (groups,)
        Variance of that z; empty where the signal comes of none.
    z_mean : float
        Its mean.
    noise, z_noise : float
        Variance of the logarithm of E[a²], and of that of E[z²], over draws of the weights, from finite width.
    is_sized : bool
        Whether E[z²] over the units is known, as after a normalization, and not that of so many draws.
    """

    square: Numbers
    mean: Numbers
    spread: float
    width: int
    chain: tuple[Activation, ...] = ()
    q: Numbers = field(default_factory=lambda: np.zeros(0))
    z_mean: float = 0.0
    noise: float = 0.0
    z_noise: float = 0.0
    is_sized: bool = True

    def is_like(self, other: Signal) -> bool:
        """Whether another signal is the same but for rounding: far from the input, every layer's is."""
        if self.width != other.width or abs(self.spread - other.spread) > _SAME * abs(self.spread):
            return False
        if math.isnan(self.spread) != math.isnan(other.spread) or self.mean.shape != other.mean.shape:
            return False
        apart = np.abs(self.square - other.square) + np.abs(self.mean - other.mean) * np.abs(self.mean)
        return bool((apart <= _SAME * self.square).all())

    @property
    def is_centred(self) -> bool:
        """Whether every unit has mean 0 over the batch."""
        square = float(self.square.mean())
        return abs(self.spread - square) <= _CENTRED * square


@dataclass(frozen=True, slots=True)
class Passage:
    """What one layer does to the mean square of a gradient.

    Attributes
    ----------
    name : str
        Stable name.
    before : float or ndarray of float64, shape (groups,)
        From ∂L/∂output to δ of a dense layer, to ∂L/∂input of any other.
    after : float
        From δ to ∂L/∂input.
    q : float
        Variance of what enters φ, of a dense layer, mean over the samples.
    variance : float
        Of the logarithm of the mean square of a gradient, from finite width.
    square, noise : float
        E[a²] of the output of a dense layer, mean over the samples, and the variance of its logarithm.
    branch : tuple of Passage
        Of a residual block.
    scale_square, skip : float
        Of a residual block: α², and the gain of its skip.
    width : int
        Units of its output.
    has_mean : bool
        Whether the output of the branch of a residual block has a mean other than 0.
    """

    name: str
    before: float | Numbers
    after: float = 1.0
    q: float = math.nan
    variance: float = 0.0
    square: float = math.nan
    noise: float = 0.0
    branch: tuple[Passage, ...] = ()
    scale_square: float = 0.0
    skip: float = 1.0
    width: int = 1
    has_mean: bool = False


def drawn(signal: Signal, found: Moments) -> Signal:
    """Return a signal with what finite width makes of its size: E[a²] is a mean over so many normal draws of z.

    Parameters
    ----------
    signal : Signal
        With the z it comes of and ``z_noise``.
    found : Moments
        Of what was applied to that z.

    Returns
    -------
    Signal
        With ``noise``, to first order in 1/width: (E[φ⁴] / E[φ²]² − 1) / width of its own, 5 / width for ReLU, and what
        comes of the noise of z. Where the size of z is known, what that explains is no noise.
    """
    square = float(found.square.mean())
    if not square > 0 or not math.isfinite(square):
        return replace(signal, noise=0.0)
    carried = float((found.growth * signal.q).mean()) / square
    own = float(found.fourth.mean()) / float((found.square**2).mean()) - 1.0
    if signal.is_sized:
        own = max(own - 2.0 * carried**2, 0.0)
    return replace(signal, noise=carried**2 * signal.z_noise + own / signal.width)


def added_noise(skip: Signal, branch: Signal, scale: float, width: int) -> float:
    """Return the noise of a sum of two signals that share what they come of.

    Parameters
    ----------
    skip, branch : Signal
        The parts.
    scale : float
        α, by which the branch is multiplied.
    width : int
        Units of the sum.

    Returns
    -------
    float
        Variance of the logarithm of E[a²]; chance overlap adds 4 s (1 − s) / width, s the share of the branch.
    """
    parts = float(skip.square.mean()), scale**2 * float(branch.square.mean())
    if not 0 < sum(parts) < math.inf:
        return 0.0
    s = parts[1] / sum(parts)
    shared = min(skip.noise, branch.noise)
    mixed = 2.0 * s * (1.0 - s)
    return (1.0 - s) ** 2 * skip.noise + s**2 * branch.noise + mixed * (shared + 2.0 / width)
