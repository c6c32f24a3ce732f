"""Value and slope of every activation as plain NumPy: the lines that are drawn under what a pass has computed.

The engine has its own, which run passes; these are held against them by tests. A new activation is one row of
``FUNCTIONS``. The slope keeps its relative accuracy until it underflows: ``1 - tanh(z)**2`` would be 0 from
|z| = 19 on.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradsim.spec import Activation, kind_of

Numbers = NDArray[np.float64]
Pair = tuple[Numbers, Numbers]

_SELU_ALPHA = 1.6732632423543772
_SELU_LAMBDA = 1.0507009873554805
_CUBIC = 0.044715
_FAR = 1000.0
"""Every exponential has underflown there: ∞ times such a 0 would be NaN."""


@dataclass(frozen=True, slots=True)
class ActivationFunction:
    """What can be said about one activation without a network.

    Attributes
    ----------
    of : callable
        Value and slope at z (any shape), from z, p0 and p1.
    constants : tuple of str
        The fields of its spec that are p0 and p1.
    maximal_slope : callable
        Largest φ'(z) over all z, from p0 and p1; 0 for ``step``.
    kinks : callable
        The z where the slope jumps, from p0 and p1.
    is_elementwise : bool
        False for softmax, whose value needs all units of a sample: the last axis of z.
    """

    of: Callable[[Numbers, float, float], Pair]
    constants: tuple[str, ...] = ()
    maximal_slope: Callable[[float, float], float] = lambda p0, p1: 1.0
    kinks: Callable[[float, float], tuple[float, ...]] = lambda p0, p1: ()
    is_elementwise: bool = True


def activation_pair(activation: Activation, z: NDArray[Any], slopes: NDArray[Any] | None = None) -> Pair:
    """Return value and slope of an activation.

    Parameters
    ----------
    activation : Activation
        With its own parameters; of ``rrelu`` the mean slope is taken, as in evaluation.
    z : ndarray, any shape
        Pre-activation; the units along the last axis.
    slopes : ndarray, shape (1,) or (units,), optional
        Trained slopes of a ``prelu``; without them its initial slope.

    Returns
    -------
    value, slope : ndarray of float64, the shape of z
        φ(z) and φ'(z), of softmax the diagonal a (1 − a) of its Jacobian. NaN where z is; the limits at ±∞.
    """
    row = FUNCTIONS[kind_of(activation)]
    p0, p1 = _constants(activation)
    z = np.asarray(z, dtype=np.float64)
    with np.errstate(all="ignore"):
        if slopes is not None:
            value, slope = _leaky(z, np.asarray(slopes, dtype=np.float64))
        else:
            value, slope = row.of(z, p0, p1)
    broken = np.isnan(z)
    return np.where(broken, np.nan, value), np.where(broken, np.nan, slope)


def largest_slope(activation: Activation, slopes: NDArray[Any] | None = None) -> float:
    """Return the largest φ'(z) over all z.

    Parameters
    ----------
    activation : Activation
        With its own parameters.
    slopes : ndarray, optional
        Trained slopes of a ``prelu``.

    Returns
    -------
    float
        0 for ``step``.
    """
    if slopes is not None:
        return max(1.0, float(np.max(slopes)))
    return FUNCTIONS[kind_of(activation)].maximal_slope(*_constants(activation))


def kinks(activation: Activation) -> tuple[float, ...]:
    """Return where the slope of an activation jumps.

    Parameters
    ----------
    activation : Activation
        With its own parameters.

    Returns
    -------
    tuple of float
        Values of z, rising; empty for a smooth activation.
    """
    return FUNCTIONS[kind_of(activation)].kinks(*_constants(activation))


def _constants(activation: Activation) -> tuple[float, float]:
    fields = FUNCTIONS[kind_of(activation)].constants
    p0, p1, *_ = [*(float(getattr(activation, field)) for field in fields), 0.0, 0.0]
    return p0, p1


def _linear(z: Numbers, p0: float, p1: float) -> Pair:
    return z, np.ones_like(z)


def _step(z: Numbers, p0: float, p1: float) -> Pair:
    return np.where(z >= 0, 1.0, 0.0), np.zeros_like(z)


def _sigmoid(z: Numbers, p0: float, p1: float) -> Pair:
    t = np.exp(-np.abs(z))
    d = 1.0 / (1.0 + t)
    return np.where(z > 0, d, t * d), t * d * d


def _tanh(z: Numbers, p0: float, p1: float) -> Pair:
    t = np.exp(-2.0 * np.abs(z))
    return np.tanh(z), 4.0 * t / (1.0 + t) ** 2


def _hard_sigmoid(z: Numbers, p0: float, p1: float) -> Pair:
    return np.clip((z + 3.0) / 6.0, 0.0, 1.0), np.where(np.abs(z) < 3.0, 1.0 / 6.0, 0.0)


def _hard_tanh(z: Numbers, p0: float, p1: float) -> Pair:
    return np.clip(z, -1.0, 1.0), np.where(np.abs(z) < 1.0, 1.0, 0.0)


def _softsign(z: Numbers, p0: float, p1: float) -> Pair:
    d = 1.0 / (1.0 + np.abs(z))
    return np.where(np.isinf(z), np.sign(z), z * d), d * d


def _softplus(z: Numbers, p0: float, p1: float) -> Pair:
    return np.logaddexp(0.0, z), _sigmoid(z, p0, p1)[0]


def _relu(z: Numbers, at_zero: float, p1: float) -> Pair:
    return np.maximum(z, 0.0), np.where(z > 0, 1.0, np.where(z < 0, 0.0, at_zero))


def _leaky(z: Numbers, slope: float | Numbers, p1: float = 0.0) -> Pair:
    return np.where(z > 0, z, slope * z), np.where(z > 0, 1.0, slope)


def _rrelu(z: Numbers, lower: float, upper: float) -> Pair:
    return _leaky(z, 0.5 * (lower + upper))


def _elu(z: Numbers, alpha: float, p1: float) -> Pair:
    below = np.minimum(z, 0.0)
    return np.where(z > 0, z, alpha * np.expm1(below)), np.where(z > 0, 1.0, alpha * np.exp(below))


def _selu(z: Numbers, p0: float, p1: float) -> Pair:
    value, slope = _elu(z, _SELU_ALPHA, 0.0)
    return _SELU_LAMBDA * value, _SELU_LAMBDA * slope


def _celu(z: Numbers, alpha: float, p1: float) -> Pair:
    below = np.minimum(z, 0.0) / alpha
    return np.where(z > 0, z, alpha * np.expm1(below)), np.where(z > 0, 1.0, np.exp(below))


def _gelu(z: Numbers, p0: float, p1: float) -> Pair:
    """Below 0 by the ratio of Mills M = (1 − Φ) / pdf, so that neither tail loses its digits."""
    from scipy import special  # only here, because the window must not wait for it to load

    y = np.minimum(np.abs(z), _FAR)
    density = np.exp(-0.5 * y * y) / math.sqrt(2.0 * math.pi)
    mills = math.sqrt(0.5 * math.pi) * special.erfcx(y / math.sqrt(2.0))
    small, excess = y * density * mills, density * (mills - y)
    return np.where(z > 0, z - small, -small), np.where(z > 0, 1.0 - excess, excess)


def _gelu_tanh(z: Numbers, p0: float, p1: float) -> Pair:
    scale = 2.0 * math.sqrt(2.0 / math.pi)
    y = np.minimum(np.abs(z), _FAR)
    t = np.exp(-scale * (y + _CUBIC * y**3))
    d = 1.0 / (1.0 + t)
    growth = y * scale * (1.0 + 3.0 * _CUBIC * y * y) * d
    return np.where(z > 0, z * d, -y * t * d), np.where(z > 0, d * (1 + t * growth), t * d * (1 - growth))


def _silu(z: Numbers, p0: float, p1: float) -> Pair:
    y = np.minimum(np.abs(z), _FAR)
    t = np.exp(-y)
    d = 1.0 / (1.0 + t)
    return np.where(z > 0, z * d, -y * t * d), np.where(z > 0, d * (1 + y * t * d), t * d * (1 - y * d))


def _mish(z: Numbers, p0: float, p1: float) -> Pair:
    """Return z w and its slope, where w = tanh(softplus z) is rational in t = exp(−|z|)."""
    y = np.minimum(np.abs(z), _FAR)
    t = np.exp(-y)
    numerator = np.where(z > 0, 1.0 + 2.0 * t, t * (2.0 + t))
    below = numerator + np.where(z > 0, 2.0 * t * t, 2.0)
    w = numerator / below
    w_slope = 4.0 * np.where(z > 0, t * t, t) * (1.0 + t) / below**2
    return np.where(z > 0, z, -y) * w, w + np.where(z > 0, y, -y) * w_slope


def _relu6(z: Numbers, p0: float, p1: float) -> Pair:
    return np.clip(z, 0.0, 6.0), np.where((z > 0) & (z < 6.0), 1.0, 0.0)


def _softmax(z: Numbers, p0: float, p1: float) -> Pair:
    power = np.exp(z - z.max(axis=-1, keepdims=True))
    a = power / power.sum(axis=-1, keepdims=True)
    return a, a * (1.0 - a)


def _at(*places: float) -> Callable[[float, float], tuple[float, ...]]:
    return lambda p0, p1: places


def _always(value: float) -> Callable[[float, float], float]:
    return lambda p0, p1: value


def _first_or_one(p0: float, p1: float) -> float:
    return max(1.0, p0)


def _at_zero_unless_one(p0: float, p1: float) -> tuple[float, ...]:
    return () if p0 == 1.0 else (0.0,)


FUNCTIONS: dict[str, ActivationFunction] = {
    "linear": ActivationFunction(_linear),
    "step": ActivationFunction(_step, maximal_slope=_always(0.0), kinks=_at(0.0)),
    "sigmoid": ActivationFunction(_sigmoid, maximal_slope=_always(0.25)),
    "hard_sigmoid": ActivationFunction(_hard_sigmoid, maximal_slope=_always(1.0 / 6.0), kinks=_at(-3.0, 3.0)),
    "tanh": ActivationFunction(_tanh),
    "hard_tanh": ActivationFunction(_hard_tanh, kinks=_at(-1.0, 1.0)),
    "softsign": ActivationFunction(_softsign),
    "softplus": ActivationFunction(_softplus),
    "relu": ActivationFunction(_relu, ("slope_at_zero",), kinks=_at(0.0)),
    "leaky_relu": ActivationFunction(_leaky, ("slope",), _first_or_one, _at_zero_unless_one),
    "prelu": ActivationFunction(_leaky, ("initial",), _first_or_one, _at_zero_unless_one),
    "rrelu": ActivationFunction(_rrelu, ("lower", "upper"), lambda p0, p1: max(1.0, p1), _at(0.0)),
    "elu": ActivationFunction(_elu, ("alpha",), _first_or_one, _at_zero_unless_one),
    "selu": ActivationFunction(_selu, maximal_slope=_always(_SELU_LAMBDA * _SELU_ALPHA), kinks=_at(0.0)),
    "celu": ActivationFunction(_celu, ("alpha",)),
    "gelu": ActivationFunction(_gelu, maximal_slope=_always(1.1289041451851547)),
    "gelu_tanh": ActivationFunction(_gelu_tanh, maximal_slope=_always(1.1289930686587717)),
    "silu": ActivationFunction(_silu, maximal_slope=_always(1.099839320128867)),
    "mish": ActivationFunction(_mish, maximal_slope=_always(1.088498161251728)),
    "relu6": ActivationFunction(_relu6, kinks=_at(0.0, 6.0)),
    "softmax": ActivationFunction(_softmax, maximal_slope=_always(0.25), is_elementwise=False),
}
"""Name of the kind → its row."""
