"""Passes of the activations that need more than one number at a time: prelu, rrelu and softmax.

Two-dimensional arrays are (batch, units), contiguous; arrays of one pass do not overlap.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gradsim.engine.compilation import kernel
from gradsim.engine.elementary import exp_of_negative, like
from gradsim.engine.float_bits import key_number, ordered_key
from gradsim.engine.random import counter_uniform
from gradsim.engine.scalar_activations import leaky_relu_of


@kernel
def prelu_pass(z: Any, a: Any, slope: Any, slopes: Any) -> None:
    """Write value and slope of a leaky ReLU with trained slopes.

    Parameters
    ----------
    z : ndarray, shape (batch, units)
        Pre-activation.
    a, slope : ndarray, shape (batch, units)
        Overwritten.
    slopes : ndarray, shape (1,) or (units,)
        The slope for z ≤ 0, of the layer or of each unit.
    """
    rows, units = z.shape
    if slopes.size == 1:
        for i in range(rows):
            for j in range(units):
                a[i, j], slope[i, j] = leaky_relu_of(z[i, j], slopes[0])
    else:
        for i in range(rows):
            for j in range(units):
                a[i, j], slope[i, j] = leaky_relu_of(z[i, j], slopes[j])


@kernel
def prelu_slope_gradient(z: Any, activation_gradient: Any, out: Any) -> None:
    """Write ∂L/∂slopes, the sum of ∂L/∂a · z over all values with z ≤ 0.

    Parameters
    ----------
    z, activation_gradient : ndarray, shape (batch, units)
        Pre-activation and ∂L/∂a.
    out : ndarray, shape (1,) or (units,)
        Overwritten.
    """
    rows, units = z.shape
    zero = like(z, 0.0)
    if out.size == 1:
        total = 0.0
        for i in range(rows):
            for j in range(units):
                total += np.float64(zero if z[i, j] > zero else activation_gradient[i, j] * z[i, j])
        out[0] = total
    else:
        for j in range(units):
            out[j] = zero
        for i in range(rows):
            for j in range(units):
                out[j] += zero if z[i, j] > zero else activation_gradient[i, j] * z[i, j]


@kernel
def rrelu_pass(z: Any, a: Any, slope: Any, lower: float, upper: float, key: Any, first_index: int) -> None:
    """Write value and slope of a leaky ReLU whose slope is drawn anew for every value.

    Parameters
    ----------
    z : ndarray, shape (n,)
        Pre-activation.
    a, slope : ndarray, shape (n,)
        Overwritten.
    lower, upper : float
        Limits between which a slope is uniform.
    key : uint64
        From ``stream_key``.
    first_index : int
        Which number of the stream belongs to ``z[0]``: the same draws however a tensor is cut into chunks.

    Notes
    -----
    Evaluation takes the mean slope: ``activate`` with ``RRELU``.
    """
    width = upper - lower
    first = np.uint64(first_index)
    for i in range(z.size):
        drawn = like(z, lower + width * counter_uniform(key, first + np.uint64(i)))
        a[i], slope[i] = leaky_relu_of(z[i], drawn)


@kernel
def softmax_pass(z: Any, a: Any) -> None:
    """Write exp z / Σ exp z of every row, shifted by the largest z of the row so that nothing overflows.

    Parameters
    ----------
    z : ndarray, shape (batch, units)
        Pre-activation. A row with NaN or +Inf gives NaN: the limit depends on the way there.
    a : ndarray, shape (batch, units)
        Overwritten.
    """
    rows, units = z.shape
    for i in range(rows):
        key = ordered_key(z[i, 0])
        for j in range(1, units):
            key = max(key, ordered_key(z[i, j]))
        largest = key_number(z, key)
        total = 0.0
        for j in range(units):
            power = exp_of_negative(z[i, j] - largest)
            a[i, j] = power
            total += np.float64(power)
        inverse = 1.0 / total
        for j in range(units):
            a[i, j] = np.float64(a[i, j]) * inverse


@kernel
def softmax_backward(a: Any, activation_gradient: Any, delta: Any) -> None:
    """Write δ = a · (∂L/∂a − Σ a ∂L/∂a) of every row: the full Jacobian of softmax, transposed, times ∂L/∂a.

    Parameters
    ----------
    a, activation_gradient : ndarray, shape (batch, units)
        Output of ``softmax_pass`` and ∂L/∂a.
    delta : ndarray, shape (batch, units)
        Overwritten with ∂L/∂z.
    """
    rows, units = a.shape
    for i in range(rows):
        mean = 0.0
        for j in range(units):
            mean += np.float64(a[i, j]) * np.float64(activation_gradient[i, j])
        for j in range(units):
            delta[i, j] = np.float64(a[i, j]) * (np.float64(activation_gradient[i, j]) - mean)
