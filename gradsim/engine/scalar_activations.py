"""Value and slope of each activation at one number.

The slope keeps its relative accuracy down to where it underflows, because the layers where it is tiny are
those people look at: ``1 - tanh(z)**2`` is 0 from |z| = 19 on. NaN gives NaN twice, ±Inf the limits. Written
once for both dtypes; ``like`` gives each constant the dtype of z. The loops are in ``activation_passes``.
"""

from __future__ import annotations

from typing import Any

from gradsim.engine.compilation import elementary
from gradsim.engine.elementary import (
    exp_and_expm1_of_negative,
    exp_of_negative,
    like,
    log1p_of_fraction,
    normal_density_and_mills,
)

SELU_ALPHA = 1.6732632423543772
SELU_LAMBDA = 1.0507009873554805
_ROOT_8_OVER_PI = (
    1.5957691216057308  # 2 √(2/π): the approximation of gelu is z · sigmoid of this times a cubic
)
_CUBIC = 0.044715


@elementary
def _bounded(y: Any) -> Any:
    """Return |z| or 1,000, where every exponential has long underflown: Inf times such a 0 would be NaN."""
    return like(y, 1000.0) if y > like(y, 1000.0) else y


@elementary
def step_of(z: Any) -> Any:
    """Return 1 for z ≥ 0, else 0, and the slope 0."""
    zero = like(z, 0.0)
    value = like(z, 1.0) if z >= zero else zero
    return (value if z == z else z), (zero if z == z else z)


@elementary
def sigmoid_of(z: Any) -> Any:
    """Return 1 / (1 + exp(−z)) and its slope."""
    one = like(z, 1.0)
    t = exp_of_negative(-abs(z))
    d = one / (one + t)
    return (d if z > like(z, 0.0) else t * d), t * d * d


@elementary
def hard_sigmoid_of(z: Any) -> Any:
    """Return clip(z + 3, 0, 6) / 6 and its slope, which is 0 at both kinks."""
    zero, three = like(z, 0.0), like(z, 3.0)
    value = (z + three) / like(z, 6.0)
    value = zero if z <= -three else value
    value = like(z, 1.0) if z >= three else value
    slope = zero if abs(z) >= three else like(z, 1.0 / 6.0)
    return value, (slope if z == z else z)


@elementary
def tanh_of(z: Any) -> Any:
    """Return tanh z, exactly ±1 where it rounds to that, and its slope 4 t / (1 + t)² with t = exp(−2|z|)."""
    one = like(z, 1.0)
    t, m = exp_and_expm1_of_negative(like(z, -2.0) * abs(z))
    d = one / (one + t)
    value = -m * d
    return (value if z > like(z, 0.0) else -value), like(z, 4.0) * (t * d * d)


@elementary
def hard_tanh_of(z: Any) -> Any:
    """Return clip(z, −1, 1) and its slope, which is 0 at both kinks."""
    one = like(z, 1.0)
    value = one if z > one else z
    value = -one if z < -one else value
    slope = like(z, 0.0) if abs(z) >= one else one
    return value, (slope if z == z else z)


@elementary
def softsign_of(z: Any) -> Any:
    """Return z / (1 + |z|) and its slope."""
    one, magnitude = like(z, 1.0), abs(z)
    d = one / (one + magnitude)
    value = z * d
    # from here on the quotient rounds to ±1; computed, it would be Inf · 0 in the end
    value = one if z > like(z, 2.0**54) else value
    value = -one if z < like(z, -(2.0**54)) else value
    return value, d * d


@elementary
def softplus_of(z: Any) -> Any:
    """Return ln(1 + exp z) and its slope, the sigmoid of z."""
    zero, one = like(z, 0.0), like(z, 1.0)
    t = exp_of_negative(-abs(z))
    d = one / (one + t)
    return log1p_of_fraction(t) + (z if z > zero else zero), (d if z > zero else t * d)


@elementary
def relu_of(z: Any, slope_at_zero: Any) -> Any:
    """Return max(z, 0) and its slope."""
    zero = like(z, 0.0)
    slope = zero if z < zero else slope_at_zero
    slope = like(z, 1.0) if z > zero else slope
    return (zero if z <= zero else z), (slope if z == z else z)


@elementary
def leaky_relu_of(z: Any, negative_slope: Any) -> Any:
    """Return z or, for z ≤ 0, ``negative_slope`` · z, and the slope."""
    zero = like(z, 0.0)
    slope = like(z, 1.0) if z > zero else negative_slope
    return (z if z > zero else negative_slope * z), (slope if z == z else z)


@elementary
def elu_of(z: Any, alpha: Any) -> Any:
    """Return z or, for z ≤ 0, alpha · (exp z − 1), and the slope."""
    zero = like(z, 0.0)
    t, m = exp_and_expm1_of_negative(zero if z > zero else z)
    return (z if z > zero else alpha * m), (like(z, 1.0) if z > zero else alpha * t)


@elementary
def selu_of(z: Any) -> Any:
    """Return the self-normalizing elu and its slope."""
    value, slope = elu_of(z, like(z, SELU_ALPHA))
    return like(z, SELU_LAMBDA) * value, like(z, SELU_LAMBDA) * slope


@elementary
def celu_of(z: Any, alpha: Any) -> Any:
    """Return z or, for z ≤ 0, alpha · (exp(z / alpha) − 1), and the slope."""
    zero = like(z, 0.0)
    t, m = exp_and_expm1_of_negative(zero if z > zero else z / alpha)
    return (z if z > zero else alpha * m), (like(z, 1.0) if z > zero else t)


@elementary
def gelu_of(z: Any) -> Any:
    """Return z Φ(z) and its slope Φ(z) + z pdf(z): pdf · (M − |z|) for z < 0, M the ratio of Mills."""
    zero = like(z, 0.0)
    y = _bounded(abs(z))
    density, mills = normal_density_and_mills(y)
    excess = density * (mills - y)
    value = y * (density * mills)
    return (z - value if z > zero else -value), (like(z, 1.0) - excess if z > zero else excess)


@elementary
def gelu_tanh_of(z: Any) -> Any:
    """Return z · sigmoid(2u) with u = √(2/π) (z + 0.044715 z³), and its slope."""
    one, cubic, zero = like(z, 1.0), like(z, _CUBIC), like(z, 0.0)
    scale = like(z, _ROOT_8_OVER_PI)
    y = _bounded(abs(z))
    square = y * y
    t = exp_of_negative(-scale * (y + cubic * y * square))
    d = one / (one + t)
    growth = y * scale * (one + like(z, 3.0) * cubic * square) * d
    value = z * d if z > zero else -y * (t * d)
    return value, (d * (one + t * growth) if z > zero else t * d * (one - growth))


@elementary
def silu_of(z: Any) -> Any:
    """Return z · sigmoid(z) and its slope."""
    one, zero = like(z, 1.0), like(z, 0.0)
    y = _bounded(abs(z))
    t = exp_of_negative(-y)
    d = one / (one + t)
    value = z * d if z > zero else -y * (t * d)
    return value, (d * (one + y * (t * d)) if z > zero else t * d * (one - y * d))


@elementary
def mish_of(z: Any) -> Any:
    """Return z · tanh(softplus(z)) and its slope; the tanh w is rational in t = exp(−|z|)."""
    one, two, zero = like(z, 1.0), like(z, 2.0), like(z, 0.0)
    y = _bounded(abs(z))
    t = exp_of_negative(-y)
    positive = z > zero
    numerator = one + two * t if positive else t * (two + t)
    inverse = one / (numerator + (two * t * t if positive else two))
    w = numerator * inverse
    w_slope = like(z, 4.0) * (t * t if positive else t) * (one + t) * inverse * inverse
    return (z if positive else -y) * w, w + (y if positive else -y) * w_slope


@elementary
def relu6_of(z: Any) -> Any:
    """Return clip(z, 0, 6) and its slope, which is 0 at both kinks."""
    zero, six = like(z, 0.0), like(z, 6.0)
    value = zero if z <= zero else z
    value = six if z >= six else value
    slope = like(z, 1.0) if z > zero else zero
    slope = zero if z >= six else slope
    return value, (slope if z == z else z)
