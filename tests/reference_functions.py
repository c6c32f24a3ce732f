"""Activations, losses and statistics in plain NumPy, written as their formulas; for ``tests.reference``."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gradsim.spec import activation as kinds
from gradsim.spec import kind_of
from gradsim.trace import HISTOGRAM_BINS, HISTOGRAM_HIGHEST, HISTOGRAM_LOWEST, TensorStatistics

Array = NDArray[Any]


class _Activation(NamedTuple):
    spec: kinds.Activation
    pair: Callable[[Array, Any], tuple[Array, Array]]
    """z and the spec → φ(z) and φ'(z)."""
    steepest: float
    """max φ'."""


def _sigmoid(z: Array) -> Array:
    return np.exp(-np.logaddexp(0.0, -z))


def _cdf(z: Array) -> Array:
    return 0.5 * np.vectorize(math.erfc, otypes=[np.float64])(-z / math.sqrt(2.0))


def _where(positive: Array, yes: Any, no: Any) -> Array:
    return np.where(positive, yes, no)


def _softmax(z: Array) -> Array:
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


ACTIVATIONS: dict[str, _Activation] = {
    kind_of(spec): _Activation(spec, pair, steepest)
    for spec, pair, steepest in (
        (kinds.Linear(), lambda z, _: (z, np.ones_like(z)), 1.0),
        (kinds.Step(), lambda z, _: (_where(z >= 0, 1.0, 0.0), np.zeros_like(z)), 0.0),
        (kinds.Sigmoid(), lambda z, _: (_sigmoid(z), _sigmoid(z) * _sigmoid(-z)), 0.25),
        (kinds.Tanh(), lambda z, _: (np.tanh(z), 4.0 * _sigmoid(2 * z) * _sigmoid(-2 * z)), 1.0),
        (kinds.HardTanh(), lambda z, _: (np.clip(z, -1, 1), _where(np.abs(z) < 1, 1.0, 0.0)), 1.0),
        (kinds.Softsign(), lambda z, _: (z / (1 + np.abs(z)), (1 + np.abs(z)) ** -2.0), 1.0),
        (kinds.Softplus(), lambda z, _: (np.logaddexp(0, z), _sigmoid(z)), 1.0),
        (kinds.Relu(), lambda z, s: (np.maximum(z, 0), _where(z == 0, s.slope_at_zero, z > 0)), 1.0),
        (kinds.LeakyRelu(), lambda z, s: (_where(z > 0, z, s.slope * z), _where(z > 0, 1.0, s.slope)), 1.0),
        (kinds.Prelu(), None, 1.0),  # its slope is a parameter: see activation_of
        (
            kinds.Elu(),
            lambda z, s: (
                _where(z > 0, z, s.alpha * np.expm1(np.minimum(z, 0))),
                _where(z >= 0, 1.0, s.alpha * np.exp(np.minimum(z, 0))),
            ),
            1.0,
        ),
        (
            kinds.Gelu(),
            lambda z, _: (z * _cdf(z), _cdf(z) + z * np.exp(-z * z / 2) / math.sqrt(2 * math.pi)),
            1.1289,
        ),
        (
            kinds.Silu(),
            lambda z, _: (z * _sigmoid(z), _sigmoid(z) * (1 + z * _sigmoid(-z))),
            1.0998,
        ),
        (kinds.Softmax(), lambda z, _: (_softmax(z), _softmax(z) * (1 - _softmax(z))), 0.25),
    )
}
"""The activations the reference knows. Softmax is known as a head only, its slope being the diagonal."""


def activation_of(spec: Any, z: Array, prelu_slope: Array | None = None) -> tuple[Array, Array]:
    """Return φ(z) and φ'(z) in the precision of z."""
    if prelu_slope is not None:
        pair = _where(z > 0, z, prelu_slope * z), _where(z > 0, 1.0, prelu_slope)
    else:
        pair = ACTIVATIONS[kind_of(spec)].pair(z, spec)
    return pair[0].astype(z.dtype), pair[1].astype(z.dtype)


def loss_and_gradients(
    name: str, head: Any, z: Array, a: Array, t: Array
) -> tuple[float, Array, Array | None]:
    """Return the loss, ∂L/∂a of the head, and ∂L/∂z where it is fused with the activation, else None."""
    n, difference = len(a), a - t
    if name == "cross_entropy":
        assert kind_of(head) == "softmax"
        top = z.max(axis=1, keepdims=True)
        log_a = z - top - np.log(np.exp(z - top).sum(axis=1, keepdims=True))
        return float(-(t * log_a).sum() / n), np.where(t > 0, -t / (a * n), 0).astype(a.dtype), difference / n
    if name == "binary_cross_entropy":
        assert kind_of(head) == "sigmoid"
        loss = float((np.logaddexp(0, z) - t * z).mean())
        return loss, (difference / (a * (1 - a)) / a.size).astype(a.dtype), difference / a.size
    squares = float(np.sum(np.square(difference, dtype=np.float64)))
    scale = {"mse": 1 / a.size, "half_mse": 0.5 / n, "sse": 1.0}[name]
    return squares * scale, (2 * scale * difference).astype(a.dtype), None


def tensor_statistics(values: Array) -> TensorStatistics:
    """Return the statistics of a tensor, scaled by its largest value so that no square leaves float64."""
    x = values.astype(np.float64).ravel()
    tiny = np.finfo(values.dtype).tiny
    with np.errstate(all="ignore"):
        largest = float(np.max(np.abs(x)))
        scale = largest if 0.0 < largest < np.inf else 1.0
        y = x / scale
        mean, sd, rms = np.mean(y), np.std(y), np.sqrt(np.mean(y * y))
    return TensorStatistics(
        mean=float(mean) * scale,
        sd=float(sd) * scale,
        rms=float(rms) * scale,
        min=float(x.min()),
        max=float(x.max()),
        zeros=int(np.sum(x == 0)),
        subnormals=int(np.sum((x != 0) & (np.abs(x) < tiny))),
        nans=int(np.isnan(x).sum()),
        infs=int(np.isinf(x).sum()),
        count=x.size,
    )


def histogram(values: Array) -> NDArray[np.int32]:
    """Return the counts of |x| in the octave bins of ``trace.HISTOGRAM_BINS``."""
    x = np.abs(values.astype(np.float64).ravel())
    octave = np.frexp(np.where(np.isfinite(x), x, 0.0))[1] - 1
    bins = np.clip(octave - HISTOGRAM_LOWEST + 2, 1, HISTOGRAM_HIGHEST - HISTOGRAM_LOWEST + 2)
    bins = np.select([x == 0, np.isnan(x), np.isinf(x)], [0, HISTOGRAM_BINS - 2, HISTOGRAM_BINS - 1], bins)
    return np.bincount(bins, minlength=HISTOGRAM_BINS).astype(np.int32)


def frozen(array: Array) -> Array:
    """Return the array, contiguous and read-only."""
    array = np.ascontiguousarray(array)
    array.setflags(write=False)
    return array
