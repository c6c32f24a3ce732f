"""Statistics and histograms of tensors, right at the edges of the dtype and fast enough for every pass.

``tensor_statistics`` takes a whole tensor; the machine calls its three parts itself, chunk by chunk while a chunk is
in the first-level cache. The fast loop sums in float64 and compares integers; it only notices that there are zeros,
subnormals, NaN or Inf, or that squares would leave float64: what then is needed is a second look at the same chunk.

An accumulator is a float64 array of ``ACCUMULATOR_SIZE`` places. Its sums are in units of 2^EXPONENT, which is 0
unless the largest magnitude of a float64 tensor lies beyond 2^±500 or so.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from gradsim.engine.compilation import by_dtype, elementary, exact_kernel, kernel
from gradsim.trace.statistics import COUNTS, HISTOGRAM_BINS, HISTOGRAM_HIGHEST, HISTOGRAM_LOWEST, VALUES

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
"""Elements that ``tensor_statistics`` takes at a time: with their companions they stay in the first-level cache."""

_FAR = 600.0
_UP = 2.0**600
_DOWN = 2.0**-600
_BIG = 2.0**500  # 2,048 squares of numbers up to here are far from overflow
_SMALL = (
    2.0**-450
)  # where the largest square is at least the square of this, those that underflow do not count
_CANCELLED = 1e-3  # part of Σ x² below which Σ x² − n mean² has lost three digits: look again


@elementary
def _ordered_key32(x: Any) -> Any:
    """Return an int32 in the same order as the numbers, NaN beyond ±Inf: minima of integers become vector code."""
    bits = np.float32(x).view(np.int32)
    return np.int32(bits ^ (np.int32(bits >> 31) & np.int32(0x7FFFFFFF)))


@elementary
def _ordered_key64(x: Any) -> Any:
    bits = np.float64(x).view(np.int64)
    return np.int64(bits ^ (np.int64(bits >> 63) & np.int64(0x7FFFFFFFFFFFFFFF)))


@elementary
def _number_of32(key: Any) -> Any:
    return np.float64(np.int32(key ^ (np.int32(key >> 31) & np.int32(0x7FFFFFFF))).view(np.float32))


@elementary
def _number_of64(key: Any) -> Any:
    return np.int64(key ^ (np.int64(key >> 63) & np.int64(0x7FFFFFFFFFFFFFFF))).view(np.float64)


@elementary
def _magnitude32(x: Any) -> Any:
    """Return the bits of |x|."""
    return np.int32(np.float32(x).view(np.int32) & np.int32(0x7FFFFFFF))


@elementary
def _magnitude64(x: Any) -> Any:
    return np.int64(np.float64(x).view(np.int64) & np.int64(0x7FFFFFFFFFFFFFFF))


_SMALLEST_NORMAL_32 = np.int32(0x00800000)
_SMALLEST_NORMAL_64 = np.int64(0x0010000000000000)
_INFINITY_32 = np.int32(0x7F800000)
_INFINITY_64 = np.int64(0x7FF0000000000000)
_LARGEST_KEY_32 = np.int32(0x7FFFFFFF)
_LARGEST_KEY_64 = np.int64(0x7FFFFFFFFFFFFFFF)


@kernel
def _sums32(x: Any) -> Any:
    """Return Σ x, Σ x², the extremes and whether there are zeros or subnormals, NaN or Inf."""
    total = squares = 0.0
    low = least = _LARGEST_KEY_32
    high = np.int32(-_LARGEST_KEY_32 - 1)
    for i in range(x.size):
        value = np.float64(x[i])
        total += value
        squares += value * value
        key = _ordered_key32(x[i])
        low = min(low, key)
        high = max(high, key)
        least = min(least, _magnitude32(x[i]))
    edges = least < _SMALLEST_NORMAL_32 or high >= _INFINITY_32 or low <= ~_INFINITY_32
    return total, squares, _number_of32(low), _number_of32(high), edges


@kernel
def _sums64(x: Any) -> Any:
    total = squares = 0.0
    low = least = _LARGEST_KEY_64
    high = np.int64(-_LARGEST_KEY_64 - 1)
    for i in range(x.size):
        value = x[i]
        total += value
        squares += value * value
        key = _ordered_key64(value)
        low = min(low, key)
        high = max(high, key)
        least = min(least, _magnitude64(value))
    edges = least < _SMALLEST_NORMAL_64 or high >= _INFINITY_64 or low <= ~_INFINITY_64
    return total, squares, _number_of64(low), _number_of64(high), edges


_sums = by_dtype(_sums32, _sums64)


@kernel
def _edge_counts32(x: Any) -> Any:
    """Return how many values are zero, subnormal, NaN, ±Inf."""
    zeros = small = large = nans = np.int32(0)
    for i in range(x.size):
        magnitude = _magnitude32(x[i])
        zeros = np.int32(zeros + np.int32(magnitude == np.int32(0)))
        small = np.int32(small + np.int32(magnitude < _SMALLEST_NORMAL_32))
        large = np.int32(large + np.int32(magnitude >= _INFINITY_32))
        nans = np.int32(nans + np.int32(magnitude > _INFINITY_32))
    return zeros, small - zeros, nans, large - nans


@kernel
def _edge_counts64(x: Any) -> Any:
    zeros = small = large = nans = 0
    for i in range(x.size):
        magnitude = _magnitude64(x[i])
        zeros += np.int64(magnitude == np.int64(0))
        small += np.int64(magnitude < _SMALLEST_NORMAL_64)
        large += np.int64(magnitude >= _INFINITY_64)
        nans += np.int64(magnitude > _INFINITY_64)
    return zeros, small - zeros, nans, large - nans


_edge_counts = by_dtype(_edge_counts32, _edge_counts64)


@kernel
def _scaled_sums(x: Any, factor: float) -> Any:
    total = squares = 0.0
    for i in range(x.size):
        value = np.float64(x[i]) * factor
        total += value
        squares += value * value
    return total, squares


@kernel
def _deviation(x: Any, factor: float, mean: float) -> float:
    """Return Σ (x · factor − mean)², corrected for the rounding of the mean."""
    rest = squares = 0.0
    for i in range(x.size):
        value = np.float64(x[i]) * factor - mean
        rest += value
        squares += value * value
    return max(squares - rest * rest / x.size, 0.0)


@exact_kernel
def begin_statistics(accumulator: Any) -> None:
    """Empty an accumulator.

    Parameters
    ----------
    accumulator : ndarray of float64, shape (ACCUMULATOR_SIZE,)
        Overwritten.
    """
    accumulator[:] = 0.0
    accumulator[_EXPONENT] = -_FAR
    accumulator[_LEAST] = math.inf
    accumulator[_GREATEST] = -math.inf


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
    total, squares, low, high, edges = _sums(x)
    exponent, factor = 0.0, 1.0
    if edges:
        zeros, subnormals, nans, infs = _edge_counts(x)
        accumulator[_FIRST_COUNT + ZEROS] += zeros
        accumulator[_FIRST_COUNT + SUBNORMALS] += subnormals
        accumulator[_FIRST_COUNT + NANS] += nans
        accumulator[_FIRST_COUNT + INFS] += infs
        if nans > 0:
            low = high = math.nan
    largest = max(-low, high)
    if x.itemsize == 8:
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
    deviation = squares - total * mean
    if deviation < _CANCELLED * squares:
        deviation = _deviation(x, factor, mean)

    # The union of two sets: Chan, Golub and LeVeque, "Algorithms for computing the sample variance" (1983).
    before = accumulator[_SIZE]
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
    if before > 0.0:
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
        Overwritten with mean, sd (of the population), rms, min, max. NaN shows in all of them, ±Inf as IEEE 754 says.
    counts : ndarray of int32 or int64, shape (4,)
        Overwritten with the numbers of zeros (of either sign), subnormals, NaN, ±Inf.
    """
    unit = 1.0
    if accumulator[_EXPONENT] > 0.0:
        unit = _UP
    elif accumulator[_EXPONENT] < 0.0:
        unit = _DOWN
    low, high = accumulator[_LEAST], accumulator[_GREATEST]
    values[MEAN] = accumulator[_SUM] / n * unit
    values[SD] = math.sqrt(accumulator[_DEVIATION] / n) * unit
    values[RMS] = math.sqrt(accumulator[_SQUARES] / n) * unit
    values[MIN] = low
    values[MAX] = high
    if low == high and math.isfinite(low):  # a constant: the sums are right to rounding only
        values[MEAN] = low
        values[SD] = 0.0
        values[RMS] = abs(low)
    for i in range(len(COUNTS)):
        counts[i] = np.int64(accumulator[_FIRST_COUNT + i])


@exact_kernel
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
        accumulate_statistics(x[start : start + CHUNK], accumulator)
    finish_statistics(accumulator, x.size, values, counts)


_OCTAVES = HISTOGRAM_HIGHEST - HISTOGRAM_LOWEST
_PLACES = _OCTAVES + 2  # below, the octaves, above
_BIAS_32 = np.int32(126 + HISTOGRAM_LOWEST)  # exponent field that becomes place 0
_BIAS_64 = np.int64(1022 + HISTOGRAM_LOWEST)


@elementary
def _octave32(x: Any) -> Any:
    place = np.int32(np.int32(_magnitude32(x) >> 23) - _BIAS_32)
    return np.uint32(min(max(place, np.int32(0)), np.int32(_PLACES - 1)))


@elementary
def _octave64(x: Any) -> Any:
    place = np.int64((_magnitude64(x) >> 52) - _BIAS_64)
    return np.uint64(min(max(place, np.int64(0)), np.int64(_PLACES - 1)))


_octave = by_dtype(_octave32, _octave64)


@kernel
def histogram(x: Any, bins: Any) -> None:
    """Count |x| in octaves.

    Parameters
    ----------
    x : ndarray of float32 or float64, shape (n,)
        Contiguous.
    bins : ndarray of int32, shape (HISTOGRAM_BINS,)
        Overwritten: zeros; not zero but below 2^HISTOGRAM_LOWEST; [2^e, 2^(e+1)) for each e; from
        2^HISTOGRAM_HIGHEST; NaN; ±Inf.
    """
    # Neighbours tend to lie in the same octave: four histograms, so that no increment waits for the last.
    parts = np.zeros((4, _PLACES), np.int32)
    whole = x.size - x.size % 4
    for i in range(0, whole, 4):
        parts[0, _octave(x[i])] += np.int32(1)
        parts[1, _octave(x[i + 1])] += np.int32(1)
        parts[2, _octave(x[i + 2])] += np.int32(1)
        parts[3, _octave(x[i + 3])] += np.int32(1)
    for i in range(whole, x.size):
        parts[0, _octave(x[i])] += np.int32(1)
    bins[0] = 0
    for place in range(_PLACES):
        bins[1 + place] = parts[0, place] + parts[1, place] + parts[2, place] + parts[3, place]
    bins[HISTOGRAM_BINS - 2] = 0
    bins[HISTOGRAM_BINS - 1] = 0
    if bins[1] > 0 or bins[_PLACES] > 0:
        zeros, _, nans, infs = _edge_counts(x)
        bins[0] = zeros
        bins[1] -= zeros
        bins[_PLACES] -= nans + infs
        bins[HISTOGRAM_BINS - 2] = nans
        bins[HISTOGRAM_BINS - 1] = infs
