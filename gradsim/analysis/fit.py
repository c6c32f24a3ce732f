"""A straight line through log10 of one value per layer: by what factor it changes from layer to layer."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Direction = Literal["backward", "forward"]

_FLAT_PER_LAYER = 0.005
_FLAT_IN_ALL = 1.25
_ROUNDING = 1e-12  # of log10, whose last place is worth 6e-14 at 1e±300
_EVEN = 2.0  # largest / smallest value of layers that may be called flat without more words


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """A least-squares line through log10 of one value per layer.

    Attributes
    ----------
    factor : float
        By what the value is multiplied from one layer to the next, in the direction of the fit; NaN where
        fewer than two layers have a finite value other than 0.
    r_squared : float
        Share of the variance of log10 that the line explains, 0 to 1; 1 for constant values; NaN with
        ``factor``.
    words : str
        ``"×0.24 per layer"``, ``"grows ×3.1 per layer"``, ``"flat"``, ``"flat on average, but uneven"``, or
        why there is no factor.
    used : ndarray of int64, shape (layers in the fit,)
        Indices, not numbers, of the layers in the fit; ascending.
    note : str
        Which layers stand outside the fit because their value is 0, NaN or infinite; empty if none does, or
        if all do for one reason, which the words give.
    slope, intercept : float
        log10 of the line is ``intercept + slope * index``, the index counted from 0 at the input whatever the
        direction; NaN with ``factor``.
    """

    factor: float
    r_squared: float
    words: str
    used: NDArray[np.int64]
    note: str
    slope: float
    intercept: float

    def log10_at(self, index: NDArray[np.int64] | int) -> NDArray[np.float64]:
        """Return the height of the line.

        Parameters
        ----------
        index : int or ndarray of int64
            Index of a layer, from 0 at the input.

        Returns
        -------
        ndarray of float64
            log10 of the fitted value, of the same shape.
        """
        return np.asarray(self.intercept + self.slope * np.asarray(index, dtype=np.float64))


def fitted_factor(
    values: NDArray[np.float64], numbers: NDArray[np.int64], direction: Direction, among: int
) -> Fit:
    """Return the line through log10 of the values of the first layers.

    Parameters
    ----------
    values : ndarray of float64, shape (layers,)
        One value per layer in forward order, such as rms δ. A value that is 0, NaN or infinite has no
        logarithm: its layer stands outside the fit and is named in the note.
    numbers : ndarray of int64, shape (layers,)
        How the layers are numbered for people.
    direction : {"backward", "forward"}
        Whether the factor is that of a step towards the input or towards the output.
    among : int
        How many of the layers, from the first on, the fit may use.

    Returns
    -------
    Fit
        Over the usable layers.
    """
    values, numbers = np.asarray(values, dtype=np.float64)[:among], np.asarray(numbers)[:among]
    used = np.flatnonzero((values > 0) & np.isfinite(values)).astype(np.int64)
    used.setflags(write=False)
    if len(used) < 2:
        words = "no slope: " + _reason(values, numbers, used)
        return Fit(math.nan, math.nan, words, used, _note(values, numbers), math.nan, math.nan)
    x, y = used.astype(np.float64), np.log10(values[used])
    dx, dy = x - x.mean(), y - y.mean()
    slope = float(dx @ dy / (dx @ dx))
    intercept = float(y.mean() - slope * x.mean())
    spread = float(dy @ dy)
    left = float(np.sum((dy - slope * dx) ** 2))
    # Values that are equal but for rounding have no variance to explain: the line through them is right.
    r_squared = 1.0 if spread <= len(y) * _ROUNDING**2 else 1.0 - left / spread
    change = -slope if direction == "backward" else slope
    with np.errstate(over="ignore", under="ignore"):
        factor = float(np.power(10.0, change))
    words = factor_words(change, int(used[-1] - used[0]))
    if words == "flat" and np.ptp(y) > math.log10(_EVEN):
        words = "flat on average, but uneven"
    return Fit(factor, min(max(r_squared, 0.0), 1.0), words, used, _note(values, numbers), slope, intercept)


def factor_words(log10_factor: float, steps: int) -> str:
    """Return a factor per layer in words.

    Parameters
    ----------
    log10_factor : float
        log10 of it, because the factor itself may be beyond float64.
    steps : int
        From how many steps it was fitted: over many, a little per layer is much in all.

    Returns
    -------
    str
        ``"×0.24 per layer"``, ``"grows ×3.1 per layer"`` or ``"flat"``, which it is within half a percent per
        layer as long as all steps together make less than a factor of 1.25.
    """
    flat_per_layer = abs(log10_factor) <= math.log10(1 + _FLAT_PER_LAYER)
    if flat_per_layer and abs(log10_factor) * steps < math.log10(_FLAT_IN_ALL):
        return "flat"
    return f"{'grows ' if log10_factor > 0 else ''}×{_told(log10_factor)} per layer"


def _told(log10_factor: float) -> str:
    """Two digits of the factor; near 1, as many decimals as tell it from 1."""
    if -2.0 <= log10_factor < 3.0:
        factor = 10.0**log10_factor
        if factor >= 99.5:
            return f"{factor:.0f}"
        if 0.9 < factor < 1.1:
            return f"{factor:.{-math.floor(math.log10(abs(factor - 1)))}f}"
        return f"{factor:.2g}"
    exponent = math.floor(log10_factor)
    mantissa = round(10.0 ** (log10_factor - exponent), 1)
    if mantissa >= 10.0:
        exponent, mantissa = exponent + 1, 1.0
    return f"{mantissa:.1f}e{exponent:+03d}"


def _kinds(values: NDArray[np.float64]) -> list[tuple[str, NDArray[np.bool_]]]:
    return [("0", values == 0), ("not a number", np.isnan(values)), ("infinite", np.isinf(values))]


def _reason(values: NDArray[np.float64], numbers: NDArray[np.int64], used: NDArray[np.int64]) -> str:
    count = len(values)
    if count == 0:
        return "no layer takes part"
    if count == 1:
        return "a single layer takes part" + "".join(
            f", and its value is {word}" for word, there in _kinds(values) if there.all()
        )
    for word, there in _kinds(values):
        if there.all():
            return f"all {count} layers are {'NaN' if word == 'not a number' else word}"
    if len(used) == 0:
        return f"no layer of {count} has a finite value other than 0"
    return f"only layer {numbers[used[0]]} of {count} has a finite value other than 0"


def _note(values: NDArray[np.float64], numbers: NDArray[np.int64]) -> str:
    zero, *broken = _kinds(values)
    if any(there.all() for _, there in (zero, *broken)):
        return ""  # the words of the fit say so already
    parts = []
    zeros = int(zero[1].sum())
    if zeros:
        verbs = ("is", "stands") if zeros == 1 else ("are", "stand")
        parts.append(f"{zeros} of {_layers(len(values))} {verbs[0]} 0 and {verbs[1]} outside the fit")
    parts += [f"{word} in {_named(numbers[there])}" for word, there in broken if there.any()]
    return "; ".join(parts)


def _layers(count: int) -> str:
    return f"{count} layer{'' if count == 1 else 's'}"


def _named(numbers: NDArray[np.int64]) -> str:
    """``layer 3`` or ``layers 3–5, 8``."""
    runs = np.split(numbers, np.flatnonzero(np.diff(numbers) != 1) + 1)
    told = ", ".join(str(run[0]) if len(run) == 1 else f"{run[0]}–{run[-1]}" for run in runs)
    return f"layer{'' if len(numbers) == 1 else 's'} {told}"
