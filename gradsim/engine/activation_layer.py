"""The activation of a layer: a = φ(z) with its slope, and δ = ∂L/∂a ⊙ φ'(z), with their statistics."""

from __future__ import annotations

import math
from typing import Any

from gradsim.engine.activations import (
    PRELU,
    RRELU,
    SOFTMAX,
    prelu_pass,
    prelu_slope_gradient,
    rrelu_pass,
    softmax_backward,
    softmax_pass,
)
from gradsim.engine.compilation import inner_kernel, kernel
from gradsim.engine.linear import CHUNK
from gradsim.engine.linkage import activate_at
from gradsim.engine.memory import matrix, stretch
from gradsim.engine.statistics import accumulate_statistics, begin_statistics, finish_statistics


@kernel
def activation_forward(
    table: Any,
    code: Any,
    z: Any,
    a: Any,
    slope: Any,
    fan_out: Any,
    constant_0: Any,
    constant_1: Any,
    slopes: Any,
    key: Any,
    first: Any,
    training: Any,
    measure: Any,
    accumulator: Any,
    values: Any,
    counts: Any,
) -> Any:
    """Write a = φ(z) and φ'(z), chunk by chunk with the statistics of a; return the mean of φ'(z).

    ``table`` holds the addresses of what is compiled by itself; z, a and slope are flat, (rows · fan_out,).
    ``first`` is the counter of the first random number of an
    RReLU; in evaluation it takes its mean slope. NaN is returned where φ mixes units and has no slope.
    """
    size = z.shape[0]
    step = max(1, CHUNK // fan_out) * fan_out
    slope_sum = 0.0
    if measure:
        begin_statistics(accumulator)
    if code == SOFTMAX:
        softmax_pass(matrix(z, 0, size // fan_out, fan_out), matrix(a, 0, size // fan_out, fan_out))
    for start in range(0, size, step):
        count = min(step, size - start)
        z_part = stretch(z, start, count)
        a_part = stretch(a, start, count)
        slope_part = stretch(slope, start, count)
        if code == PRELU:
            rows = count // fan_out
            prelu_pass(
                matrix(z, start, rows, fan_out),
                matrix(a, start, rows, fan_out),
                matrix(slope, start, rows, fan_out),
                slopes,
            )
        elif code == RRELU and training:
            rrelu_pass(z_part, a_part, slope_part, constant_0, constant_1, key, first + start)
        elif code != SOFTMAX:
            activate_at(table, code, z_part, a_part, slope_part, constant_0, constant_1)
        if measure:
            accumulate_statistics(a_part, accumulator)
            if code != SOFTMAX:
                slope_sum += sum_of(slope_part)
    if measure:
        finish_statistics(accumulator, size, values, counts)
    return math.nan if code == SOFTMAX else slope_sum / size


@inner_kernel
def sum_of(x: Any) -> Any:
    """Return Σ x in float64."""
    total = 0.0
    for i in range(x.shape[0]):
        total += x[i]
    return total


@inner_kernel
def multiply_into(out: Any, factor: Any) -> None:
    """Multiply out by factor, element by element."""
    for i in range(out.shape[0]):
        out[i] *= factor[i]


@inner_kernel
def activation_backward(
    code: Any, fused: Any, z: Any, a: Any, a_gradient: Any, delta: Any, fan_out: Any, slopes_gradient: Any
) -> None:
    """Write δ = ∂L/∂a ⊙ φ'(z) over the slope, for what cannot be done chunk by chunk.

    ``fused``: the loss has already left δ there. Softmax multiplies by its full Jacobian; a PReLU has a
    gradient of its own.
    """
    rows = z.shape[0] // fan_out
    if code == PRELU:
        prelu_slope_gradient(
            matrix(z, 0, rows, fan_out), matrix(a_gradient, 0, rows, fan_out), slopes_gradient
        )
    if code == SOFTMAX and not fused:
        softmax_backward(
            matrix(a, 0, rows, fan_out), matrix(a_gradient, 0, rows, fan_out), matrix(delta, 0, rows, fan_out)
        )


@inner_kernel
def measure_backward(
    multiply: Any,
    a_gradient: Any,
    delta: Any,
    measure: Any,
    first: Any,
    second: Any,
    a_gradient_values: Any,
    a_gradient_counts: Any,
    delta_values: Any,
    delta_counts: Any,
) -> None:
    """Multiply the slope in ``delta`` by ∂L/∂a (if ``multiply``), chunk by chunk with the statistics of both."""
    if not measure:
        if multiply:
            multiply_into(delta, a_gradient)
        return
    size = delta.shape[0]
    begin_statistics(first)
    begin_statistics(second)
    for start in range(0, size, CHUNK):
        count = min(CHUNK, size - start)
        delta_part = stretch(delta, start, count)
        gradient_part = stretch(a_gradient, start, count)
        if multiply:
            multiply_into(delta_part, gradient_part)
        accumulate_statistics(gradient_part, first)
        accumulate_statistics(delta_part, second)
    finish_statistics(first, size, a_gradient_values, a_gradient_counts)
    finish_statistics(second, size, delta_values, delta_counts)
