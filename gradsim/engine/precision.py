"""float16 and bfloat16 in the storage of float32: every stored value is rounded to the narrow format.

To the nearest value, ties to even; subnormals are kept, overflow gives ±Inf, NaN stays NaN. Two kinds of loss
are counted: values that were not zero and became zero, and finite values that became ±Inf.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradsim.engine.compilation import elementary, inline_kernel, inner_kernel, kernel
from gradsim.engine.memory import stretch

FLOAT32, FLOAT16, BFLOAT16 = range(3)
"""Formats of ``round_stored``."""

FLUSHED, OVERFLOWED = range(2)
"""Places of ``counts``."""

_ALL_BUT_SIGN = np.int32(0x7FFFFFFF)
_INFINITY = np.int32(0x7F800000)
_ONE = np.int32(1)
_ZERO = np.int32(0)

_HALF_DROPPED = np.int32(13)  # bits of the significand of float32 that float16 has not
_HALF_BELOW_TIE = np.int32(0x0FFF)
_HALF_KEPT = np.int32(~0x1FFF)
_HALF_SMALLEST_NORMAL = np.int32(0x38800000)  # 2^-14
_HALF_OVERFLOW = np.int32(0x477FF000)  # 65,520: halfway between the largest and the next power of two
_HALF_SUBNORMAL_SPACING = np.float32(0.5)  # whose last place is 2^-24: adding it rounds to multiples of that

_BRAIN_DROPPED = np.int32(16)
_BRAIN_BELOW_TIE = np.int32(0x7FFF)
_BRAIN_KEPT = np.int32(~0xFFFF)


@elementary
def _half_magnitude(size: Any) -> Any:
    """Return the bits of |x| rounded to float16, from the bits of |x|."""
    odd = np.int32(np.int32(size >> _HALF_DROPPED) & _ONE)
    normal = np.int32(np.int32(size + np.int32(_HALF_BELOW_TIE + odd)) & _HALF_KEPT)
    lifted = np.float32(np.int32(size).view(np.float32) + _HALF_SUBNORMAL_SPACING)
    small = np.float32(lifted - _HALF_SUBNORMAL_SPACING).view(np.int32)
    rounded = small if size < _HALF_SMALLEST_NORMAL else normal
    rounded = _INFINITY if size >= _HALF_OVERFLOW else rounded
    return size if size > _INFINITY else rounded


@elementary
def _brain_magnitude(size: Any) -> Any:
    """Return the bits of |x| rounded to bfloat16, from the bits of |x|: the exponent has the same range."""
    odd = np.int32(np.int32(size >> _BRAIN_DROPPED) & _ONE)
    rounded = np.int32(np.int32(size + np.int32(_BRAIN_BELOW_TIE + odd)) & _BRAIN_KEPT)
    return size if size > _INFINITY else rounded


@elementary
def _became(limit: Any, size: Any, rounded: Any) -> Any:
    """Return 1 where a magnitude was not the limit (0 or Inf) and is now. NaN never is."""
    return np.int32(np.int32(size != limit) & np.int32(rounded == limit))


@kernel
def round_to_half(x: Any) -> Any:
    """Round to float16 in place.

    Parameters
    ----------
    x : ndarray of float32, shape (n,)
        Contiguous, n < 2³¹.

    Returns
    -------
    flushed, overflowed : int32
        How many values that were not zero became zero, and how many finite ones ±Inf.
    """
    flushed = overflowed = np.int32(0)
    for i in range(x.size):
        bits = np.float32(x[i]).view(np.int32)
        size = np.int32(bits & _ALL_BUT_SIGN)
        rounded = _half_magnitude(size)
        flushed = np.int32(flushed + _became(_ZERO, size, rounded))
        overflowed = np.int32(overflowed + _became(_INFINITY, size, rounded))
        x[i] = np.int32(rounded | np.int32(bits & ~_ALL_BUT_SIGN)).view(np.float32)
    return flushed, overflowed


@kernel
def round_to_bfloat16(x: Any) -> Any:
    """Round to bfloat16 in place.

    Parameters
    ----------
    x : ndarray of float32, shape (n,)
        Contiguous, n < 2³¹.

    Returns
    -------
    flushed, overflowed : int32
        As from ``round_to_half``.
    """
    flushed = overflowed = np.int32(0)
    for i in range(x.size):
        bits = np.float32(x[i]).view(np.int32)
        size = np.int32(bits & _ALL_BUT_SIGN)
        rounded = _brain_magnitude(size)
        flushed = np.int32(flushed + _became(_ZERO, size, rounded))
        overflowed = np.int32(overflowed + _became(_INFINITY, size, rounded))
        x[i] = np.int32(rounded | np.int32(bits & ~_ALL_BUT_SIGN)).view(np.float32)
    return flushed, overflowed


@kernel
def round_stored(code: Any, x: Any, counts: Any) -> None:
    """Round a stretch to the format of a code, in place, and add to its counts.

    Parameters
    ----------
    code : int
        ``FLOAT32`` does nothing, ``FLOAT16``, ``BFLOAT16``.
    x : ndarray of float32, shape (n,)
        Of float64: left as it is, for a machine compiled for both.
    counts : ndarray of int64, shape (2,)
        At ``FLUSHED`` and ``OVERFLOWED``, changed in place.
    """
    if code == FLOAT32 or x.itemsize != 4:
        return
    flushed, overflowed = round_to_half(x) if code == FLOAT16 else round_to_bfloat16(x)
    counts[FLUSHED] += flushed
    counts[OVERFLOWED] += overflowed


@kernel
def created_infinities(out: Any, left: Any, right: Any) -> Any:
    """Return how many values an operation made infinite by itself.

    Parameters
    ----------
    out, left, right : ndarray of float32, shapes (n,), (m,), (k,)
        What it made, and of what.

    Returns
    -------
    int64
        The infinite values of ``out``; 0 if one of the operands was not finite already, as they may come from there.
    """
    infinite = np.int64(0)
    for i in range(out.size):
        infinite += np.int64(abs(out[i]) == np.inf)
    if infinite == 0:
        return infinite
    for operand in (left, right):
        for i in range(operand.size):
            if not np.isfinite(operand[i]):
                return np.int64(0)
    return infinite


FORWARD, BACKWARD = range(2)
"""Directions of a pass, for the counts of a layer."""


@inline_kernel
def rounded_of(measures: Any, layer: Any, direction: Any) -> Any:
    """Return the place (2,) of the counts of a layer in one direction."""
    return stretch(measures.rounded, (layer * 2 + direction) * 2, 2)


@inner_kernel
def round_tensor(x: Any, measures: Any, layer: Any, direction: Any) -> None:
    """Round a tensor of a layer, in place, to the format of the run, and add to the counts of the layer.

    Parameters
    ----------
    x : ndarray, shape (n,)
        What has been stored.
    measures : Measures
        With the format and, for each layer and direction, the two counts.
    layer : int
        Index of the layer.
    direction : int
        ``FORWARD`` or ``BACKWARD``.
    """
    if measures.format != FLOAT32:
        round_stored(measures.format, x, rounded_of(measures, layer, direction))


@inner_kernel
def count_created(x: Any, left: Any, right: Any, measures: Any, layer: Any, direction: Any) -> None:
    """Count what an operation made infinite in bfloat16: it ends where float32 does, so rounding finds it infinite.

    Parameters
    ----------
    x, left, right : ndarray, shapes (n,), (m,), (k,)
        As for ``created_infinities``.
    measures : Measures
        As for ``round_tensor``.
    layer, direction : int
        As for ``round_tensor``.
    """
    if measures.format == BFLOAT16:
        rounded_of(measures, layer, direction)[OVERFLOWED] += created_infinities(x, left, right)


def storage_type(precision: str) -> np.dtype[Any]:
    """Return the type of the arrays of a precision.

    Parameters
    ----------
    precision : {"float32", "float64", "float16", "bfloat16"}
        As in an experiment.

    Returns
    -------
    numpy.dtype
        float32 for the two narrow ones, which are emulated in it.
    """
    return np.dtype(np.float64 if precision == "float64" else np.float32)


FORMATS = {"float32": FLOAT32, "float64": FLOAT32, "float16": FLOAT16, "bfloat16": BFLOAT16}
"""Code of the format to which a precision rounds; the native ones are left as they are."""


def rounded(values: NDArray[Any], precision: str) -> NDArray[Any]:
    """Return values as they are stored in a precision.

    Parameters
    ----------
    values : ndarray, any shape
        Any numbers.
    precision : {"float32", "float64", "float16", "bfloat16"}
        As in an experiment.

    Returns
    -------
    ndarray, same shape
        A copy of ``storage_type``; what does not fit is ±Inf.
    """
    with np.errstate(over="ignore"):  # what does not fit becomes Inf, which is then shown
        stored = np.array(values, storage_type(precision))
    if FORMATS[precision] != FLOAT32:
        round_stored(FORMATS[precision], stored.reshape(-1), np.zeros(2, np.int64))
    return stored
