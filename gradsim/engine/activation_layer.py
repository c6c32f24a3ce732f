"""The activation of a layer: a = φ(z) with its slope, and δ = ∂L/∂a ⊙ φ'(z), with their statistics."""

from __future__ import annotations

import math
from typing import Any

from gradsim.engine.activations import (
    LINEAR,
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
from gradsim.engine.dropout import dropout_pass
from gradsim.engine.elementwise import multiply_into
from gradsim.engine.instructions import (
    FAN_OUT,
    FUNCTION,
    FUSED,
    INPUT,
    LAYER,
    MAXIMAL_SLOPE,
    MEASURES_INPUT,
    MEASURES_INPUT_GRADIENT,
    OUTPUT,
    OUTPUT_GRADIENT,
    PARAMETER_0,
    PARAMETER_1,
    SLOPE,
    SLOPES,
    SLOPES_SIZE,
    STEPS,
)
from gradsim.engine.linkage import activate_at
from gradsim.engine.measuring import measure_tensor
from gradsim.engine.memory import matrix, stretch
from gradsim.engine.precision import BACKWARD, FORWARD, round_tensor
from gradsim.engine.program import (
    ACTIVATION,
    ACTIVATION_GRADIENT,
    DELTA,
    PRE_ACTIVATION,
    counts_of,
    values_of,
)
from gradsim.engine.statistics import CHUNK, accumulate_statistics, begin_statistics, finish_statistics

DROPOUT = 21
"""Code of dropout, after those of the activations: an activation whose slope is 0 or 1 / (1 − rate)."""


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

    ``table`` holds the addresses of what is compiled by itself; z, a and slope are flat,
    (rows · fan_out,). ``first`` is the counter of the first random number of an
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
        elif code == DROPOUT and training:
            dropout_pass(z_part, a_part, slope_part, constant_0, key, first + start)
        elif code == DROPOUT:
            activate_at(table, LINEAR, z_part, a_part, slope_part, 0.0, 0.0)
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
    measures_delta: Any,
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
        if measures_delta:
            accumulate_statistics(delta_part, second)
    finish_statistics(first, size, a_gradient_values, a_gradient_counts)
    if measures_delta:
        finish_statistics(second, size, delta_values, delta_counts)


@inner_kernel
def run_activation_forward(
    table: Any,
    row: Any,
    constants: Any,
    stream_keys: Any,
    work: Any,
    parameters: Any,
    batch: Any,
    iteration: Any,
    training: Any,
    measure: Any,
    measures: Any,
) -> None:
    """Do the instruction OP_ACTIVATION forwards."""
    layer = row[LAYER]
    size = batch * row[STEPS] * row[FAN_OUT]
    z = stretch(work, row[INPUT], size)
    if measure and row[MEASURES_INPUT]:
        measure_tensor(z, measures, layer, PRE_ACTIVATION)
    mean_slope = activation_forward(
        table,
        row[FUNCTION],
        z,
        stretch(work, row[OUTPUT], size),
        stretch(work, row[SLOPE], size),
        row[FAN_OUT],
        constants[PARAMETER_0],
        constants[PARAMETER_1],
        stretch(parameters, row[SLOPES], row[SLOPES_SIZE]),
        stream_keys[layer],
        iteration * size,
        training,
        measure,
        measures.first,
        values_of(measures, layer, ACTIVATION),
        counts_of(measures, layer, ACTIVATION),
    )
    round_tensor(stretch(work, row[OUTPUT], size), measures, layer, FORWARD)
    round_tensor(stretch(work, row[SLOPE], size), measures, layer, FORWARD)
    if measure:
        measures.saturation[layer] = 1.0 - mean_slope / constants[MAXIMAL_SLOPE]


@inner_kernel
def run_activation_backward(
    row: Any, work: Any, gradients: Any, batch: Any, measure: Any, measures: Any
) -> None:
    """Do the instruction OP_ACTIVATION backwards."""
    layer = row[LAYER]
    code = row[FUNCTION]
    size = batch * row[STEPS] * row[FAN_OUT]
    a_gradient = stretch(work, row[OUTPUT_GRADIENT], size)
    delta = stretch(work, row[SLOPE], size)
    if code == PRELU or code == SOFTMAX:
        activation_backward(
            code,
            row[FUSED],
            stretch(work, row[INPUT], size),
            stretch(work, row[OUTPUT], size),
            a_gradient,
            delta,
            row[FAN_OUT],
            stretch(gradients, row[SLOPES], row[SLOPES_SIZE]),
        )
    measure_backward(
        code != SOFTMAX and not row[FUSED],
        a_gradient,
        delta,
        measure,
        row[MEASURES_INPUT_GRADIENT] != 0,
        measures.first,
        measures.second,
        values_of(measures, layer, ACTIVATION_GRADIENT),
        counts_of(measures, layer, ACTIVATION_GRADIENT),
        values_of(measures, layer, DELTA),
        counts_of(measures, layer, DELTA),
    )
    round_tensor(delta, measures, layer, BACKWARD)
    if code == PRELU:
        round_tensor(stretch(gradients, row[SLOPES], row[SLOPES_SIZE]), measures, layer, BACKWARD)
