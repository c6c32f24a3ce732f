"""Exponential, logarithm and normal distribution as plain arithmetic that becomes vector code.

A call of the C library cannot be vectorised: tanh costs 28 to 40 times as much per element with it. Each
function here is a pair of one for float32 and one for float64, joined by ``by_dtype``; both are right to a
few units in the last place over their whole range, subnormal results included. NaN goes in, NaN comes out. No
loops, no arrays: those are in ``activations``.

The coefficients interpolate at Chebyshev nodes, computed with 60 digits; the comments give the largest
relative error of the function they serve.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gradsim.engine.compilation import by_dtype, elementary


def _single(*values: float) -> tuple[np.float32, ...]:
    return tuple(np.float32(value) for value in values)


@elementary
def _like32(_x: Any, constant: float) -> np.float32:
    return np.float32(constant)


@elementary
def _like64(_x: Any, constant: float) -> np.float64:
    return np.float64(constant)


like = by_dtype(_like32, _like64)
"""``like(x, constant)``: the constant in the dtype of x. float32 times a bare literal would be float64."""


_LOG2_E_32 = np.float32(1.4426950408889634)
_LN2_HIGH_32 = np.float32(0.693145751953125)  # 15 bits: times any exponent it is exact
_LN2_LOW_32 = np.float32(1.4286068203094173e-06)
_LOWEST_32 = np.float32(-104.0)  # exp rounds to 0 from here on
_ROUNDER_32 = np.float32(1.5 * 2.0**23)  # added to a number it leaves its nearest integer in the lowest bits
_ROUNDER_BITS_32 = np.int32(0x4B400000)
_LIFT_32 = 64  # powers of two this much too large are normal numbers; the last product brings them down
_LOWER_32 = np.float32(2.0**-64)
# (exp r − 1 − r) / r² for |r| ≤ ln 2 / 2: 2.4e-8 of exp r − 1
_EXP_32 = _single(0.5, 0.16666576989698775, 0.041666554617204574, 0.008363179052722578, 0.0013926183587713494)

_LOG2_E_64 = 1.4426950408889634
_LN2_HIGH_64 = 0.6931471803691238  # 32 bits
_LN2_LOW_64 = 1.9082149292705877e-10
_LOWEST_64 = -746.0
_ROUNDER_64 = 1.5 * 2.0**52
_ROUNDER_BITS_64 = np.int64(0x4338000000000000)
_LIFT_64 = 512
_LOWER_64 = 2.0**-512
# the same: 5.5e-19
_EXP_64 = (
    0.5,
    0.1666666666666667,
    0.04166666666666667,
    0.008333333333326136,
    0.0013888888888883748,
    0.00019841269874820627,
    2.4801587325547743e-05,
    2.7557255400206422e-06,
    2.75572736431103e-07,
    2.5105217004720745e-08,
    2.0914686968086876e-09,
)


@elementary
def _reduced32(x: Any, low: Any) -> Any:
    """Return 2^k · 2^LIFT and exp(r) − 1, where x + low = k ln 2 + r. NaN goes its way through r."""
    bounded = _LOWEST_32 if x < _LOWEST_32 else x
    rounded = np.float32(bounded * _LOG2_E_32 + _ROUNDER_32)
    k = rounded - _ROUNDER_32
    r = ((bounded - k * _LN2_HIGH_32) - k * _LN2_LOW_32) + low
    c = _EXP_32
    p = (((c[4] * r + c[3]) * r + c[2]) * r + c[1]) * r + c[0]
    exponent = np.int32(np.float32(rounded).view(np.int32) - _ROUNDER_BITS_32)
    power = np.int32(np.int32(exponent + np.int32(_LIFT_32 + 127)) << np.int32(23)).view(np.float32)
    return power, r + (r * r) * p


@elementary
def _reduced64(x: Any, low: Any) -> Any:
    bounded = _LOWEST_64 if x < _LOWEST_64 else x
    rounded = np.float64(bounded * _LOG2_E_64 + _ROUNDER_64)
    k = rounded - _ROUNDER_64
    r = ((bounded - k * _LN2_HIGH_64) - k * _LN2_LOW_64) + low
    c = _EXP_64
    p = ((((c[10] * r + c[9]) * r + c[8]) * r + c[7]) * r + c[6]) * r + c[5]
    p = ((((p * r + c[4]) * r + c[3]) * r + c[2]) * r + c[1]) * r + c[0]
    exponent = np.int64(np.float64(rounded).view(np.int64) - _ROUNDER_BITS_64)
    power = np.int64((exponent + (_LIFT_64 + 1023)) << 52).view(np.float64)
    return power, r + (r * r) * p


_reduced = by_dtype(_reduced32, _reduced64)


@elementary
def _lower32(_x: Any) -> Any:
    return _LOWER_32


@elementary
def _lower64(_x: Any) -> Any:
    return _LOWER_64


_lower = by_dtype(_lower32, _lower64)


@elementary
def exp_of_sum(x: Any, low: Any) -> Any:
    """Return exp(x + low) for an exponent that was rounded to x, with low what the rounding lost.

    Parameters
    ----------
    x : float32 or float64
        At most 0, or NaN.
    low : float32 or float64
        At most about 1e-2 in magnitude.

    Returns
    -------
    float32 or float64
        Subnormal where it should be. The error of x alone would be |x| units in the last place.
    """
    power, fraction = _reduced(x, low)
    return (power + power * fraction) * _lower(x)


@elementary
def exp_of_negative(x: Any) -> Any:
    """Return exp x for x ≤ 0.

    Parameters
    ----------
    x : float32 or float64
        At most 0, or NaN. Nothing in the engine needs more, and powers of two then stay normal numbers.

    Returns
    -------
    float32 or float64
        Subnormal where it should be, then 0.
    """
    return exp_of_sum(x, like(x, 0.0))


@elementary
def exp_and_expm1_of_negative(x: Any) -> Any:
    """Return exp x and exp x − 1 for x ≤ 0, each with its full relative accuracy.

    Parameters
    ----------
    x : float32 or float64
        At most 0, or NaN.

    Returns
    -------
    exp, expm1 : float32 or float64
        exp x keeps its digits where it is tiny, exp x − 1 where x is.
    """
    lifted, fraction = _reduced(x, like(x, 0.0))
    power = lifted * _lower(x)
    return (lifted + lifted * fraction) * _lower(x), power * fraction + (power - like(x, 1.0))


# (2 artanh s − 2 s) / s³ as a polynomial of s², |s| ≤ √2 − 1 over √2 + 1: 1.7e-11 and 3e-20 of the logarithm
_ARTANH_32 = _single(0.6666666655430018, 0.4000012200081688, 0.2855080255327671, 0.2333096405177204)
_ARTANH_64 = (
    0.6666666666666666,
    0.4000000000000088,
    0.28571428570801954,
    0.22222222392489008,
    0.18181795600060793,
    0.15386241881938595,
    0.13268714792348096,
    0.1308723619665962,
)


@elementary
def _artanh_series32(w: Any) -> Any:
    c = _ARTANH_32
    return ((c[3] * w + c[2]) * w + c[1]) * w + c[0]


@elementary
def _artanh_series64(w: Any) -> Any:
    c = _ARTANH_64
    p = ((c[7] * w + c[6]) * w + c[5]) * w + c[4]
    return (((p * w + c[3]) * w + c[2]) * w + c[1]) * w + c[0]


_artanh_series = by_dtype(_artanh_series32, _artanh_series64)


@elementary
def log1p_of_fraction(t: Any) -> Any:
    """Return ln(1 + t) for a fraction t.

    Parameters
    ----------
    t : float32 or float64
        From 0 to 1, or NaN.

    Returns
    -------
    float32 or float64
        Equal to t where t is tiny.
    """
    large = t > like(t, 0.41421356)
    f = (t - like(t, 1.0)) * like(t, 0.5) if large else t  # ln(1 + t) = ln 2 + ln(1 + f)
    s = f / (like(t, 2.0) + f)
    w = s * s
    logarithm = f - s * (f - w * _artanh_series(w))
    return logarithm + (like(t, 0.6931471805599453) if large else like(t, 0.0))


_INVERSE_ROOT_2_PI = 0.3989422804014327
# M(y) · (y + c) as a polynomial of (y − c) / (y + c) with c = 4 and 6, M the ratio of Mills (1 − Φ(y)) /
# pdf(y): 1.4e-8 for y ≤ 15 and 2.8e-17 for y ≤ 45
_MILLS_32 = _single(
    1.8932190838138112,
    -1.5237707909359477,
    0.9704077559311388,
    -0.4675445945966924,
    0.15141585257272935,
    -0.018863386479458042,
    -0.008825770034811607,
    0.003927589941593159,
    0.0004737440193856807,
    -0.0003147281994676371,
)
_MILLS_64 = (
    1.9485319307624094,
    -1.7571690543441036,
    1.4261935116084195,
    -1.0375024310762115,
    0.6717118214987762,
    -0.38271258667144287,
    0.18842804929105453,
    -0.07766866792730638,
    0.025141031829019285,
    -0.005343142103219781,
    8.239398800013146e-05,
    0.00045460440343202493,
    -0.00016231310881568368,
    2.691443872482511e-06,
    1.7044846958239143e-05,
    -4.500096914429725e-06,
    -1.0889315276250125e-06,
    7.617424164918941e-07,
    2.8320005061257413e-08,
    -9.46650438033225e-08,
    1.812491267112905e-09,
    7.3183105193369915e-09,
)


@elementary
def _leading_bits32(y: Any) -> Any:
    """Return y cut to 12 bits, whose square is exact."""
    return np.int32(np.float32(y).view(np.int32) & np.int32(-4096)).view(np.float32)


@elementary
def _leading_bits64(y: Any) -> Any:
    return np.int64(np.float64(y).view(np.int64) & np.int64(-(1 << 27))).view(np.float64)


_leading_bits = by_dtype(_leading_bits32, _leading_bits64)


@elementary
def _mills32(y: Any) -> Any:
    inverse = np.float32(1.0) / (y + np.float32(4.0))
    v = (y - np.float32(4.0)) * inverse
    c = _MILLS_32
    p = (((c[9] * v + c[8]) * v + c[7]) * v + c[6]) * v + c[5]
    p = ((((p * v + c[4]) * v + c[3]) * v + c[2]) * v + c[1]) * v + c[0]
    return p * inverse


@elementary
def _mills64(y: Any) -> Any:
    inverse = 1.0 / (y + 6.0)
    v = (y - 6.0) * inverse
    c = _MILLS_64
    p = ((((c[21] * v + c[20]) * v + c[19]) * v + c[18]) * v + c[17]) * v + c[16]
    p = (((((p * v + c[15]) * v + c[14]) * v + c[13]) * v + c[12]) * v + c[11]) * v + c[10]
    p = (((((p * v + c[9]) * v + c[8]) * v + c[7]) * v + c[6]) * v + c[5]) * v + c[4]
    p = (((p * v + c[3]) * v + c[2]) * v + c[1]) * v + c[0]
    return p * inverse


_mills = by_dtype(_mills32, _mills64)


@elementary
def normal_density_and_mills(y: Any) -> Any:
    """Return the standard normal density at y and the ratio of Mills, (1 − Φ(y)) / density.

    Parameters
    ----------
    y : float32 or float64
        From 0 to 15 (float32) or 45 (float64), where the density is 0; not NaN.

    Returns
    -------
    density, mills : float32 or float64
        Their product is the upper tail 1 − Φ(y), accurate down to where it underflows.
    """
    leading = _leading_bits(y)
    half = like(y, 0.5)
    # exp(−y²/2) with the square in two parts: rounded to one it would cost y²/2 units in the last place
    density = exp_of_sum(-half * leading * leading, -half * (y - leading) * (y + leading))
    return density * like(y, _INVERSE_ROOT_2_PI), _mills(y)
