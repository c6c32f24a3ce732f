"""What the bits of a number tell without arithmetic: order, magnitude, octave, and whether it is at an edge.

Comparisons of floating-point numbers become vector code only where NaN may be forgotten. Their bits, read as
integers, can be compared in any order, and NaN then lies beyond ±Inf, where it shows.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gradsim.engine.compilation import by_dtype, elementary, kernel
from gradsim.trace.statistics import HISTOGRAM_HIGHEST, HISTOGRAM_LOWEST

_ALL_BUT_SIGN_32 = np.int32(0x7FFFFFFF)
_ALL_BUT_SIGN_64 = np.int64(0x7FFFFFFFFFFFFFFF)
_SMALLEST_NORMAL_32 = np.int32(0x00800000)
_SMALLEST_NORMAL_64 = np.int64(0x0010000000000000)
_INFINITY_32 = np.int32(0x7F800000)
_INFINITY_64 = np.int64(0x7FF0000000000000)

PLACES = HISTOGRAM_HIGHEST - HISTOGRAM_LOWEST + 2
"""Values of ``octave``: below the lowest octave, the octaves, above the highest."""

_LAST_PLACE_32 = np.int32(PLACES - 1)
_LAST_PLACE_64 = np.int64(PLACES - 1)
_BIAS_32 = np.int32(126 + HISTOGRAM_LOWEST)  # the exponent field that becomes place 0
_BIAS_64 = np.int64(1022 + HISTOGRAM_LOWEST)


@elementary
def _ordered_key32(x: Any) -> Any:
    bits = np.float32(x).view(np.int32)
    return np.int32(bits ^ (np.int32(bits >> 31) & _ALL_BUT_SIGN_32))


@elementary
def _ordered_key64(x: Any) -> Any:
    bits = np.float64(x).view(np.int64)
    return np.int64(bits ^ (np.int64(bits >> 63) & _ALL_BUT_SIGN_64))


ordered_key = by_dtype(_ordered_key32, _ordered_key64)
"""``ordered_key(x)``: int32 or int64 in the same order as the numbers; −0 below +0, NaN beyond ±Inf."""


@elementary
def _key_number32(_x: Any, key: Any) -> Any:
    return np.int32(key ^ (np.int32(key >> 31) & _ALL_BUT_SIGN_32)).view(np.float32)


@elementary
def _key_number64(_x: Any, key: Any) -> Any:
    return np.int64(key ^ (np.int64(key >> 63) & _ALL_BUT_SIGN_64)).view(np.float64)


key_number = by_dtype(_key_number32, _key_number64)
"""``key_number(x, key)``: the number of an ordered key, in the dtype of x."""


@elementary
def _magnitude32(x: Any) -> Any:
    return np.int32(np.float32(x).view(np.int32) & _ALL_BUT_SIGN_32)


@elementary
def _magnitude64(x: Any) -> Any:
    return np.int64(np.float64(x).view(np.int64) & _ALL_BUT_SIGN_64)


magnitude = by_dtype(_magnitude32, _magnitude64)
"""``magnitude(x)``: the bits of |x|, in the order of |x|."""


@elementary
def _smallest_normal32(_x: Any) -> Any:
    return _SMALLEST_NORMAL_32


@elementary
def _smallest_normal64(_x: Any) -> Any:
    return _SMALLEST_NORMAL_64


smallest_normal = by_dtype(_smallest_normal32, _smallest_normal64)
"""``smallest_normal(x)``: magnitude of the smallest normal number in the dtype of x."""


@elementary
def _infinity32(_x: Any) -> Any:
    return _INFINITY_32


@elementary
def _infinity64(_x: Any) -> Any:
    return _INFINITY_64


infinity = by_dtype(_infinity32, _infinity64)
"""``infinity(x)``: magnitude of Inf in the dtype of x; that of NaN is greater."""


@elementary
def _octave32(x: Any) -> Any:
    place = np.int32(np.int32(_magnitude32(x) >> 23) - _BIAS_32)
    return np.uint32(min(max(place, np.int32(0)), _LAST_PLACE_32))


@elementary
def _octave64(x: Any) -> Any:
    place = np.int64((_magnitude64(x) >> 52) - _BIAS_64)
    return np.uint64(min(max(place, np.int64(0)), _LAST_PLACE_64))


octave = by_dtype(_octave32, _octave64)
"""``octave(x)``: 1 + i where |x| is in octave i of a histogram, 0 below, ``PLACES`` − 1 above and for NaN."""


@kernel
def small_counts(x: Any) -> Any:
    """Return how many values are zero and how many subnormal.

    Parameters
    ----------
    x : ndarray of float32 or float64, shape (n,)
        Contiguous, n < 2³¹.

    Returns
    -------
    zeros, subnormals : int32
        A zero of either sign is one.
    """
    zeros = small = np.int32(0)
    limit = smallest_normal(x)
    for i in range(x.size):
        bits = magnitude(x[i])
        zeros = np.int32(zeros + np.int32(bits == 0))
        small = np.int32(small + np.int32(bits < limit))
    return zeros, np.int32(small - zeros)


@kernel
def large_counts(x: Any) -> Any:
    """Return how many values are NaN and how many ±Inf.

    Parameters
    ----------
    x : ndarray of float32 or float64, shape (n,)
        Contiguous, n < 2³¹.

    Returns
    -------
    nans, infs : int32
        Their sum is the number of values that are not finite.
    """
    nans = large = np.int32(0)
    limit = infinity(x)
    for i in range(x.size):
        bits = magnitude(x[i])
        large = np.int32(large + np.int32(bits >= limit))
        nans = np.int32(nans + np.int32(bits > limit))
    return nans, np.int32(large - nans)
