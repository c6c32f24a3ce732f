"""Value and slope of every activation in extended precision, by other formulas than the engine's."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

Wide = NDArray[np.longdouble]
PI = np.longdouble("3.14159265358979323846")
SCALE = np.longdouble("1.0507009873554805")
SELU_ALPHA = np.longdouble("1.6732632423543772")


def _where(condition: Any, yes: Any, no: Any) -> Wide:
    return np.where(condition, yes, no).astype(np.longdouble)


def sigmoid(z: Wide) -> Wide:
    return 1 / (1 + np.exp(-z))


def sigmoid_slope(z: Wide) -> Wide:
    return 1 / (2 * np.cosh(z / 2)) ** 2


def softplus(z: Wide) -> Wide:
    return np.logaddexp(np.longdouble(0), z)


def _upper_tail(y: Wide) -> Wide:
    mills = special.erfcx(y.astype(np.float64) / np.sqrt(2.0)).astype(np.longdouble) * np.sqrt(PI / 2)
    return mills * normal_density(y)


def normal_density(z: Wide) -> Wide:
    return np.exp(-z * z / 2) / np.sqrt(2 * PI)


def normal_distribution(z: Wide) -> Wide:
    return _where(z < 0, _upper_tail(np.abs(z)), 1 - _upper_tail(np.abs(z)))


def _gelu_tanh_argument(z: Wide) -> Wide:
    return np.sqrt(8 / PI) * (z + np.longdouble("0.044715") * z**3)


def _gelu_tanh_slope(z: Wide) -> Wide:
    x = _gelu_tanh_argument(z)
    growth = np.sqrt(8 / PI) * (1 + 3 * np.longdouble("0.044715") * z * z)
    return sigmoid(x) + z * growth * sigmoid_slope(x)


def _mish_slope(z: Wide) -> Wide:
    return np.tanh(softplus(z)) + z * sigmoid(z) / np.cosh(softplus(z)) ** 2


Function = Callable[[Wide, float, float], Wide]

EXACT: dict[str, tuple[Function, Function]] = {
    "linear": (lambda z, p, q: z, lambda z, p, q: np.ones_like(z)),
    "step": (lambda z, p, q: _where(z >= 0, 1, 0), lambda z, p, q: np.zeros_like(z)),
    "sigmoid": (lambda z, p, q: sigmoid(z), lambda z, p, q: sigmoid_slope(z)),
    "hard_sigmoid": (
        lambda z, p, q: np.clip(z + 3, 0, 6) / 6,
        lambda z, p, q: _where(np.abs(z) < 3, np.longdouble(1) / 6, 0),
    ),
    "tanh": (lambda z, p, q: np.tanh(z), lambda z, p, q: 1 / np.cosh(z) ** 2),
    "hard_tanh": (lambda z, p, q: np.clip(z, -1, 1), lambda z, p, q: _where(np.abs(z) < 1, 1, 0)),
    "softsign": (lambda z, p, q: z / (1 + np.abs(z)), lambda z, p, q: 1 / (1 + np.abs(z)) ** 2),
    "softplus": (lambda z, p, q: softplus(z), lambda z, p, q: sigmoid(z)),
    "relu": (
        lambda z, p, q: np.maximum(z, 0),
        lambda z, p, q: _where(z > 0, 1, _where(z < 0, 0, p)),
    ),
    "leaky_relu": (lambda z, p, q: _where(z > 0, z, p * z), lambda z, p, q: _where(z > 0, 1, p)),
    "rrelu": (
        lambda z, p, q: _where(z > 0, z, (p + q) / 2 * z),
        lambda z, p, q: _where(z > 0, 1, (p + q) / 2),
    ),
    "elu": (
        lambda z, p, q: _where(z > 0, z, p * np.expm1(z)),
        lambda z, p, q: _where(z > 0, 1, p * np.exp(z)),
    ),
    "selu": (
        lambda z, p, q: SCALE * _where(z > 0, z, SELU_ALPHA * np.expm1(z)),
        lambda z, p, q: SCALE * _where(z > 0, 1, SELU_ALPHA * np.exp(z)),
    ),
    "celu": (
        lambda z, p, q: _where(z > 0, z, p * np.expm1(z / p)),
        lambda z, p, q: _where(z > 0, 1, np.exp(z / p)),
    ),
    "gelu": (
        lambda z, p, q: z * normal_distribution(z),
        lambda z, p, q: normal_distribution(z) + z * normal_density(z),
    ),
    "gelu_tanh": (lambda z, p, q: z * sigmoid(_gelu_tanh_argument(z)), lambda z, p, q: _gelu_tanh_slope(z)),
    "silu": (lambda z, p, q: z * sigmoid(z), lambda z, p, q: sigmoid(z) + z * sigmoid_slope(z)),
    "mish": (lambda z, p, q: z * np.tanh(softplus(z)), lambda z, p, q: _mish_slope(z)),
    "relu6": (lambda z, p, q: np.clip(z, 0, 6), lambda z, p, q: _where((z > 0) & (z < 6), 1, 0)),
}
"""Name: value and slope as functions of z and the two constants."""

SLOPE_HAS_A_ROOT = {"gelu", "gelu_tanh", "silu", "mish"}
"""Near the root no relative accuracy is possible; these are compared with a slope at a z moved by an eps or two."""

LIMITS = {
    "linear": (-np.inf, 1, np.inf, 1),
    "step": (0, 0, 1, 0),
    "sigmoid": (0, 0, 1, 0),
    "hard_sigmoid": (0, 0, 1, 0),
    "tanh": (-1, 0, 1, 0),
    "hard_tanh": (-1, 0, 1, 0),
    "softsign": (-1, 0, 1, 0),
    "softplus": (0, 0, np.inf, 1),
    "relu": (0, 0, np.inf, 1),
    "leaky_relu": (-np.inf, 0.25, np.inf, 1),
    "rrelu": (-np.inf, 0.375, np.inf, 1),
    "elu": (-0.25, 0, np.inf, 1),
    "selu": (-SCALE * SELU_ALPHA, 0, np.inf, SCALE),
    "celu": (-0.25, 0, np.inf, 1),
    "gelu": (0, 0, np.inf, 1),
    "gelu_tanh": (0, 0, np.inf, 1),
    "silu": (0, 0, np.inf, 1),
    "mish": (0, 0, np.inf, 1),
    "relu6": (0, 0, 6, 0),
}
"""Name: value and slope at −Inf, value and slope at +Inf, with constants 0.25 and 0.5."""
