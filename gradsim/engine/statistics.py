"""Statistics of tensors, right at the edges of the dtype and fast enough for every pass.

``tensor_statistics`` takes a whole tensor; the machine calls its three parts itself, chunk by chunk while a
chunk is in the first-level cache. The fast loop sums in float64 and compares integers; it only notices that
there are zeros, subnormals, NaN or Inf, or that squares would leave float64: what then is needed is a second
look at the same chunk.

An accumulator is a float64 array of ``ACCUMULATOR_SIZE`` places. Its sums are in units of 2^EXPONENT, which
is 0 unless the largest magnitude of a float64 tensor lies beyond 2^±500 or so.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from gradsim.engine.compilation import allocates, exact_kernel, kernel
from gradsim.engine.float_bits import (
    infinity,
    key_number,
    large_counts,
    magnitude,
    ordered_key,
    small_counts,
    smallest_normal,
)
from gradsim.engine.memory import stretch
from gradsim.trace.statistics import COUNTS, VALUES

MEAN, SD, RMS, MIN, MAX = range(len(VALUES))
ZEROS, SUBNORMALS, NANS, INFS = range(len(COUNTS))

_SIZE = 0
_SUM = 1
_SQUARES = 2  # Σ x²
_DEVIATION = 3  # Σ (x − mean)²
_EXPONENT = 4
_LEAST = 5
_GREATEST = 6
_FIRST_COUNT = 7
ACCUMULATOR_SIZE = _FIRST_COUNT + len(COUNTS)

CHUNK = 2048
"""Elements that ``tensor_statistics`` takes at a time: they stay in the first-level cache."""

_FAR = 600.0
_UP = 2.0**600
_DOWN = 2.0**-600
_BIG = 2.0**500  # 2,048 squares of numbers up to here are far from overflow
_SMALL = (
    2.0**-450
)  # where the largest square is at least the square of this, those that underflow do not count
_LEAST_SAFE, _GREATEST_SAFE = 2.0**-900, 2.0**900  # sums of squares that lost nothing at either end
_CANCELLED = 1e-3  # part of Σ x² below which Σ x² − n mean² has lost three digits: look again


@kernel
def _sums(x: Any) -> Any:
    """Return Σ x, Σ x², the extremes, and whether there are zeros or subnormals, whether NaN or Inf."""
    total = squares = 0.0
    low = high = ordered_key(x[0])
    least = magnitude(x[0])
    for i in range(x.size):
        value = np.float64(x[i])
        total += value
        squares += value * value
        key = ordered_key(x[i])
        low = min(low, key)
        high = max(high, key)
        least = min(least, magnitude(x[i]))
    smallest, greatest = np.float64(key_number(x, low)), np.float64(key_number(x, high))
    return (
        total,
        squares,
        smallest,
        greatest,
        least < smallest_normal(x),
        high >= infinity(x) or low <= ~infinity(x),
    )


@kernel
def _scaled_sums(x: Any, factor: float) -> Any:
    total = squares = 0.0
    for i in range(x.size):
        value = np.float64(x[i]) * factor
        total += value
        squares += value * value
    return total, squares


@kernel
def _deviation(x: Any, factor: float, mean: float) -> Any:
    """Return Σ (x · factor − mean)², corrected for the rounding of the mean."""
    rest = squares = 0.0
    for i in range(x.size):
        value = np.float64(x[i]) * factor - mean
        rest += value
        squares += value * value
    return max(squares - rest * rest / x.size, 0.0)


@kernel
def _square_sum(x: Any) -> Any:
    squares = 0.0
    for i in range(x.size):
        value = np.float64(x[i])
        squares += value * value
    return squares


@exact_kernel
def begin_statistics(accumulator: Any) -> None:
    """Empty an accumulator.

    Parameters
    ----------
    accumulator : ndarray of float64, shape (ACCUMULATOR_SIZE,)
        Overwritten.
    """
    accumulator[_SIZE] = 0.0  # the first chunk writes the rest


@exact_kernel
def accumulate_statistics(x: Any, accumulator: Any) -> None:
    """Add a chunk to an accumulator.

    Parameters
    ----------
    x : ndarray of float32 or float64, shape (n,)
        Contiguous, not empty, n < 2³¹.
    accumulator : ndarray of float64, shape (ACCUMULATOR_SIZE,)
        Begun, changed in place. The same chunks in the same order give the same bits.
    """
    total, squares, low, high, has_small, has_large = _sums(x)
    before = accumulator[_SIZE]
    exponent, factor = 0.0, 1.0
    if before == 0.0:
        for i in range(len(COUNTS)):
            accumulator[_FIRST_COUNT + i] = 0.0
    if has_small:
        zeros, subnormals = small_counts(x)
        accumulator[_FIRST_COUNT + ZEROS] += zeros
        accumulator[_FIRST_COUNT + SUBNORMALS] += subnormals
    if has_large:
        nans, infs = large_counts(x)
        accumulator[_FIRST_COUNT + NANS] += nans
        accumulator[_FIRST_COUNT + INFS] += infs
        if nans > 0:
            low = high = math.nan
    if x.itemsize == 8:
        largest = max(-low, high)
        if largest == 0.0:
            exponent = -_FAR  # zeros fit any unit
        elif not largest <= _BIG:
            exponent, factor = _FAR, _DOWN
            total, squares = _scaled_sums(x, factor)
        elif largest < _SMALL:
            exponent, factor = -_FAR, _UP
            total, squares = _scaled_sums(x, factor)
    size = float(x.size)
    mean = total / size
    deviation = squares - total * mean if low < high or has_large else 0.0
    if deviation < _CANCELLED * squares and low < high:
        deviation = _deviation(x, factor, mean)
    if before == 0.0:
        accumulator[_SIZE] = size
        accumulator[_SUM] = total
        accumulator[_SQUARES] = squares
        accumulator[_DEVIATION] = deviation
        accumulator[_EXPONENT] = exponent
        accumulator[_LEAST] = low
        accumulator[_GREATEST] = high
        return

    # The union of two sets: Chan, Golub and LeVeque, "Algorithms for computing the sample variance" (1983).
    gap = exponent - accumulator[_EXPONENT]
    if gap > 0.0:
        shrink = _DOWN if gap == _FAR else 0.0
        accumulator[_SUM] *= shrink
        accumulator[_SQUARES] = accumulator[_SQUARES] * shrink * shrink
        accumulator[_DEVIATION] = accumulator[_DEVIATION] * shrink * shrink
        accumulator[_EXPONENT] = exponent
    elif gap < 0.0:
        shrink = _DOWN if gap == -_FAR else 0.0
        total *= shrink
        mean *= shrink
        squares = squares * shrink * shrink
        deviation = deviation * shrink * shrink
    distance = mean - accumulator[_SUM] / before
    deviation += distance * distance * (before * size / (before + size))
    accumulator[_SIZE] = before + size
    accumulator[_SUM] += total
    accumulator[_SQUARES] += squares
    accumulator[_DEVIATION] += deviation
    least, greatest = accumulator[_LEAST], accumulator[_GREATEST]
    accumulator[_LEAST] = least if least <= low or least != least else low
    accumulator[_GREATEST] = greatest if greatest >= high or greatest != greatest else high


@exact_kernel
def finish_statistics(accumulator: Any, n: int, values: Any, counts: Any) -> None:
    """Write the statistics of everything in an accumulator.

    Parameters
    ----------
    accumulator : ndarray of float64, shape (ACCUMULATOR_SIZE,)
        Not changed.
    n : int
        Elements of all chunks together.
    values : ndarray of float64, shape (5,)
        Overwritten with mean, sd (of the population), rms, min, max. NaN shows in all of them, ±Inf as IEEE
        754 says.
    counts : ndarray of int32 or int64, shape (4,)
        Overwritten with the numbers of zeros (of either sign), subnormals, NaN, ±Inf.
    """
    low, high = accumulator[_LEAST], accumulator[_GREATEST]
    values[MIN] = low
    values[MAX] = high
    if low == high and math.isfinite(low):  # a constant: the sums are right to rounding only
        values[MEAN] = low
        values[SD] = 0.0
        values[RMS] = abs(low)
    else:
        share = 1.0 / n
        unit = 1.0
        if accumulator[_EXPONENT] != 0.0:
            unit = _UP if accumulator[_EXPONENT] > 0.0 else _DOWN
        values[MEAN] = accumulator[_SUM] * share * unit
        values[SD] = math.sqrt(accumulator[_DEVIATION] * share) * unit
        values[RMS] = math.sqrt(accumulator[_SQUARES] * share) * unit
    for i in range(len(COUNTS)):
        counts[i] = np.int32(accumulator[_FIRST_COUNT + i])


@exact_kernel
@allocates
def tensor_statistics(x: Any, values: Any, counts: Any) -> None:
    """Write the statistics of a whole tensor.

    Parameters
    ----------
    x : ndarray of float32 or float64, shape (n,)
        Contiguous, not empty.
    values : ndarray of float64, shape (5,)
        Overwritten as by ``finish_statistics``.
    counts : ndarray of int32 or int64, shape (4,)
        Overwritten as by ``finish_statistics``.
    """
    accumulator = np.empty(ACCUMULATOR_SIZE, np.float64)
    begin_statistics(accumulator)
    for start in range(0, x.size, CHUNK):
        accumulate_statistics(stretch(x, start, min(CHUNK, x.size - start)), accumulator)
    finish_statistics(accumulator, x.size, values, counts)


@exact_kernel
def tensor_norm(x: Any, accumulator: Any) -> Any:
    """Return the l2 norm of a whole tensor.

    Parameters
    ----------
    x : ndarray of float32 or float64, shape (n,)
        Contiguous, not empty.
    accumulator : ndarray of float64, shape (ACCUMULATOR_SIZE,)
        Overwritten.

    Returns
    -------
    float
        √Σ x², also where the squares would leave float64.
    """
    squares = 0.0
    for start in range(0, x.size, CHUNK):
        squares += _square_sum(stretch(x, start, min(CHUNK, x.size - start)))
    if _LEAST_SAFE < squares < _GREATEST_SAFE:
        return math.sqrt(squares)
    begin_statistics(accumulator)
    for start in range(0, x.size, CHUNK):
        accumulate_statistics(stretch(x, start, min(CHUNK, x.size - start)), accumulator)
    exponent = accumulator[_EXPONENT]
    unit = _UP if exponent > 0.0 else (_DOWN if exponent < 0.0 else 1.0)
    return math.sqrt(accumulator[_SQUARES]) * unit
