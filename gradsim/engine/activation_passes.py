"""One pass for each activation: value and slope of every element of an array.

The three arrays of a pass are one-dimensional and contiguous, have the same length and dtype, and do not
overlap: then the loop becomes vector code. Constants come in as float64 and take the dtype of z once, before
the loop.
"""

from __future__ import annotations

from typing import Any

from gradsim.engine.compilation import kernel
from gradsim.engine.elementary import like
from gradsim.engine.scalar_activations import (
    celu_of,
    elu_of,
    gelu_of,
    gelu_tanh_of,
    hard_sigmoid_of,
    hard_tanh_of,
    leaky_relu_of,
    mish_of,
    relu6_of,
    relu_of,
    selu_of,
    sigmoid_of,
    silu_of,
    softplus_of,
    softsign_of,
    step_of,
    tanh_of,
)


@kernel
def linear_pass(z: Any, a: Any, slope: Any) -> None:
    """Write a = z and slope = 1."""
    one = like(z, 1.0)
    for i in range(z.size):
        a[i] = z[i]
        slope[i] = one if z[i] == z[i] else z[i]


@kernel
def step_pass(z: Any, a: Any, slope: Any) -> None:
    """Write ``step_of`` each z."""
    for i in range(z.size):
        a[i], slope[i] = step_of(z[i])


@kernel
def sigmoid_pass(z: Any, a: Any, slope: Any) -> None:
    """Write ``sigmoid_of`` each z."""
    for i in range(z.size):
        a[i], slope[i] = sigmoid_of(z[i])


@kernel
def hard_sigmoid_pass(z: Any, a: Any, slope: Any) -> None:
    """Write ``hard_sigmoid_of`` each z."""
    for i in range(z.size):
        a[i], slope[i] = hard_sigmoid_of(z[i])


@kernel
def tanh_pass(z: Any, a: Any, slope: Any) -> None:
    """Write ``tanh_of`` each z."""
    for i in range(z.size):
        a[i], slope[i] = tanh_of(z[i])


@kernel
def hard_tanh_pass(z: Any, a: Any, slope: Any) -> None:
    """Write ``hard_tanh_of`` each z."""
    for i in range(z.size):
        a[i], slope[i] = hard_tanh_of(z[i])


@kernel
def softsign_pass(z: Any, a: Any, slope: Any) -> None:
    """Write ``softsign_of`` each z."""
    for i in range(z.size):
        a[i], slope[i] = softsign_of(z[i])


@kernel
def softplus_pass(z: Any, a: Any, slope: Any) -> None:
    """Write ``softplus_of`` each z."""
    for i in range(z.size):
        a[i], slope[i] = softplus_of(z[i])


@kernel
def relu_pass(z: Any, a: Any, slope: Any, slope_at_zero: float) -> None:
    """Write ``relu_of`` each z."""
    at_zero = like(z, slope_at_zero)
    for i in range(z.size):
        a[i], slope[i] = relu_of(z[i], at_zero)


@kernel
def leaky_relu_pass(z: Any, a: Any, slope: Any, negative_slope: float) -> None:
    """Write ``leaky_relu_of`` each z."""
    negative = like(z, negative_slope)
    for i in range(z.size):
        a[i], slope[i] = leaky_relu_of(z[i], negative)


@kernel
def elu_pass(z: Any, a: Any, slope: Any, alpha: float) -> None:
    """Write ``elu_of`` each z."""
    typed_alpha = like(z, alpha)
    for i in range(z.size):
        a[i], slope[i] = elu_of(z[i], typed_alpha)


@kernel
def selu_pass(z: Any, a: Any, slope: Any) -> None:
    """Write ``selu_of`` each z."""
    for i in range(z.size):
        a[i], slope[i] = selu_of(z[i])


@kernel
def celu_pass(z: Any, a: Any, slope: Any, alpha: float) -> None:
    """Write ``celu_of`` each z."""
    typed_alpha = like(z, alpha)
    for i in range(z.size):
        a[i], slope[i] = celu_of(z[i], typed_alpha)


@kernel
def gelu_pass(z: Any, a: Any, slope: Any) -> None:
    """Write ``gelu_of`` each z."""
    for i in range(z.size):
        a[i], slope[i] = gelu_of(z[i])


@kernel
def gelu_tanh_pass(z: Any, a: Any, slope: Any) -> None:
    """Write ``gelu_tanh_of`` each z."""
    for i in range(z.size):
        a[i], slope[i] = gelu_tanh_of(z[i])


@kernel
def silu_pass(z: Any, a: Any, slope: Any) -> None:
    """Write ``silu_of`` each z."""
    for i in range(z.size):
        a[i], slope[i] = silu_of(z[i])


@kernel
def mish_pass(z: Any, a: Any, slope: Any) -> None:
    """Write ``mish_of`` each z."""
    for i in range(z.size):
        a[i], slope[i] = mish_of(z[i])


@kernel
def relu6_pass(z: Any, a: Any, slope: Any) -> None:
    """Write ``relu6_of`` each z."""
    for i in range(z.size):
        a[i], slope[i] = relu6_of(z[i])
