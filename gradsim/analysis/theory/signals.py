"""The signal of a random network between two layers, and what a layer does to a gradient that comes back."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from gradsim.analysis.theory.gaussian import Numbers
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
    """

    square: Numbers
    mean: Numbers
    spread: float
    width: int
    chain: tuple[Activation, ...] = ()
    q: Numbers = field(default_factory=lambda: np.zeros(0))
    z_mean: float = 0.0

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
        Of the logarithm of the mean square, from finite width.
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
    branch: tuple[Passage, ...] = ()
    scale_square: float = 0.0
    skip: float = 1.0
    width: int = 1
    has_mean: bool = False
