"""The linear map z = x @ W + b and its backward pass. Matrix products are BLAS; only tiny ones are loops."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradsim.engine.compilation import allocates, inner_kernel
from gradsim.engine.instructions import (
    BIAS,
    FAN_IN,
    FAN_OUT,
    INPUT,
    INPUT_GRADIENT,
    LAYER,
    OUTPUT,
    OUTPUT_GRADIENT,
    STEPS,
    WEIGHT,
)
from gradsim.engine.memory import clear, matrix, stretch
from gradsim.engine.precision import BACKWARD, BFLOAT16, FLOAT32, FORWARD, count_created, round_tensor
from gradsim.engine.program import PRE_ACTIVATION, WEIGHT_GRADIENT, counts_of, values_of
from gradsim.engine.statistics import (
    CHUNK,
    accumulate_statistics,
    begin_statistics,
    finish_statistics,
)

TINY_PRODUCT = 256
"""Multiplications up to which plain loops beat the call of BLAS (measured: 8 against 75 ns at 1 × 1 × 1)."""


@inner_kernel
def add_bias(z: Any, bias: Any) -> Any:
    """Add a bias (units,) to every row of z (rows · units,), in place."""
    units = bias.shape[0]
    rows = z.shape[0] // units
    for row in range(rows):
        line = stretch(z, row * units, units)
        for j in range(units):
            line[j] += bias[j]


@inner_kernel
def sum_rows(delta: Any, out: Any) -> Any:
    """Write the sum over the rows of delta (rows · units,) into out (units,)."""
    units = out.shape[0]
    rows = delta.shape[0] // units
    clear(out)
    for row in range(rows):
        line = stretch(delta, row * units, units)
        for j in range(units):
            out[j] += line[j]


@inner_kernel
@allocates  # not so, but numba lets its own product hand the result back, which it counts
def matrix_product(a: Any, b: Any, out: Any) -> None:
    """Out = a @ b, matrices of which any may be transposed."""
    np.dot(a, b, out)


@inner_kernel
def linear_forward(
    x: Any,
    weight: Any,
    bias: Any,
    z: Any,
    fan_in: Any,
    fan_out: Any,
    measure: Any,
    accumulator: Any,
    values: Any,
    counts: Any,
) -> Any:
    """Z = x @ W + b for flat x (rows · fan_in,), W (fan_in · fan_out,), b (fan_out,) or empty.

    Statistics of z go into ``values`` (5,) and ``counts`` (4,) when ``measure``.
    """
    rows = z.shape[0] // fan_out
    if rows * fan_in * fan_out <= TINY_PRODUCT:
        for i in range(rows):
            for j in range(fan_out):
                total = x[i * fan_in] * weight[j]
                for k in range(1, fan_in):
                    total += x[i * fan_in + k] * weight[k * fan_out + j]
                z[i * fan_out + j] = total
    else:
        matrix_product(
            matrix(x, 0, rows, fan_in), matrix(weight, 0, fan_in, fan_out), matrix(z, 0, rows, fan_out)
        )
    has_bias = bias.shape[0] > 0
    if not measure:
        if has_bias:
            add_bias(z, bias)
        return
    step = max(1, CHUNK // fan_out) * fan_out
    begin_statistics(accumulator)
    for first in range(0, rows * fan_out, step):
        chunk = stretch(z, first, min(step, rows * fan_out - first))
        if has_bias:
            add_bias(chunk, bias)
        accumulate_statistics(chunk, accumulator)
    finish_statistics(accumulator, rows * fan_out, values, counts)


@inner_kernel
def linear_backward(
    x: Any,
    weight: Any,
    delta: Any,
    weight_gradient: Any,
    bias_gradient: Any,
    x_gradient: Any,
    fan_in: Any,
    fan_out: Any,
    measure: Any,
    accumulator: Any,
    values: Any,
    counts: Any,
) -> Any:
    """∂L/∂W = xᵀ δ, ∂L/∂b = Σ δ, ∂L/∂x = δ Wᵀ; an empty ``bias_gradient`` or ``x_gradient`` is left out.

    Shapes as in ``linear_forward``. Statistics of ∂L/∂W go into ``values`` and ``counts`` when ``measure``.
    """
    rows = delta.shape[0] // fan_out
    if rows * fan_in * fan_out <= TINY_PRODUCT:
        for k in range(fan_in):
            for j in range(fan_out):
                total = x[k] * delta[j]
                for i in range(1, rows):
                    total += x[i * fan_in + k] * delta[i * fan_out + j]
                weight_gradient[k * fan_out + j] = total
        if x_gradient.shape[0] > 0:
            for i in range(rows):
                for k in range(fan_in):
                    total = delta[i * fan_out] * weight[k * fan_out]
                    for j in range(1, fan_out):
                        total += delta[i * fan_out + j] * weight[k * fan_out + j]
                    x_gradient[i * fan_in + k] = total
    else:
        delta_rows = matrix(delta, 0, rows, fan_out)
        matrix_product(matrix(x, 0, rows, fan_in).T, delta_rows, matrix(weight_gradient, 0, fan_in, fan_out))
        if x_gradient.shape[0] > 0:
            matrix_product(
                delta_rows, matrix(weight, 0, fan_in, fan_out).T, matrix(x_gradient, 0, rows, fan_in)
            )
    if bias_gradient.shape[0] > 0:
        sum_rows(delta, bias_gradient)
    if measure:
        begin_statistics(accumulator)
        for start in range(0, weight_gradient.shape[0], CHUNK):
            count = min(CHUNK, weight_gradient.shape[0] - start)
            accumulate_statistics(stretch(weight_gradient, start, count), accumulator)
        finish_statistics(accumulator, weight_gradient.shape[0], values, counts)


@inner_kernel
def run_linear_forward(row: Any, work: Any, parameters: Any, batch: Any, measure: Any, measures: Any) -> None:
    """Do the instruction OP_LINEAR forwards."""
    rows = batch * row[STEPS]
    fan_in = row[FAN_IN]
    fan_out = row[FAN_OUT]
    linear_forward(
        stretch(work, row[INPUT], rows * fan_in),
        stretch(parameters, row[WEIGHT], fan_in * fan_out),
        stretch(parameters, row[BIAS], fan_out if row[BIAS] >= 0 else 0),
        stretch(work, row[OUTPUT], rows * fan_out),
        fan_in,
        fan_out,
        measure,
        measures.first,
        values_of(measures, row[LAYER], PRE_ACTIVATION),
        counts_of(measures, row[LAYER], PRE_ACTIVATION),
    )
    out = stretch(work, row[OUTPUT], rows * fan_out)
    count_created(
        out,
        stretch(work, row[INPUT], rows * fan_in),
        stretch(parameters, row[WEIGHT], fan_in * fan_out),
        measures,
        row[LAYER],
        FORWARD,
    )
    round_tensor(out, measures, row[LAYER], FORWARD)


@inner_kernel
def run_linear_backward(
    row: Any,
    work: Any,
    parameters: Any,
    gradients: Any,
    batch: Any,
    wanted: Any,
    measure: Any,
    measures: Any,
) -> None:
    """Do the instruction OP_LINEAR backwards; the gradient of its input only if ``wanted``."""
    rows = batch * row[STEPS]
    fan_in = row[FAN_IN]
    fan_out = row[FAN_OUT]
    linear_backward(
        stretch(work, row[INPUT], rows * fan_in),
        stretch(parameters, row[WEIGHT], fan_in * fan_out),
        stretch(work, row[OUTPUT_GRADIENT], rows * fan_out),
        stretch(gradients, row[WEIGHT], fan_in * fan_out),
        stretch(gradients, row[BIAS], fan_out if row[BIAS] >= 0 else 0),
        stretch(work, row[INPUT_GRADIENT], rows * fan_in if wanted else 0),
        fan_in,
        fan_out,
        measure,
        measures.first,
        values_of(measures, row[LAYER], WEIGHT_GRADIENT),
        counts_of(measures, row[LAYER], WEIGHT_GRADIENT),
    )
    if measures.format == BFLOAT16:
        delta = stretch(work, row[OUTPUT_GRADIENT], rows * fan_out)
        x, weight = (
            stretch(work, row[INPUT], rows * fan_in),
            stretch(parameters, row[WEIGHT], fan_in * fan_out),
        )
        found = stretch(gradients, row[WEIGHT], fan_in * fan_out)
        count_created(found, x, delta, measures, row[LAYER], BACKWARD)
        if wanted:
            found = stretch(work, row[INPUT_GRADIENT], rows * fan_in)
            count_created(found, delta, weight, measures, row[LAYER], BACKWARD)
    if measures.format != FLOAT32:
        round_tensor(stretch(gradients, row[WEIGHT], fan_in * fan_out), measures, row[LAYER], BACKWARD)
        if row[BIAS] >= 0:
            round_tensor(stretch(gradients, row[BIAS], fan_out), measures, row[LAYER], BACKWARD)
        if wanted:
            round_tensor(stretch(work, row[INPUT_GRADIENT], rows * fan_in), measures, row[LAYER], BACKWARD)
