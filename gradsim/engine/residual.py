"""Residual blocks: out = skip + α · branch(x), the skip x itself or its projection x @ P.

Backwards the gradient takes two paths, through the branch and past it; they meet where the block begins.
Both are kept, so that their shares can be shown.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gradsim.engine.compilation import inner_kernel
from gradsim.engine.instructions import (
    BIAS,
    BRANCH,
    BRANCH_GRADIENT,
    FAN_IN,
    FAN_OUT,
    INPUT,
    INPUT_GRADIENT,
    LAYER,
    OUTPUT,
    OUTPUT_GRADIENT,
    PARAMETER_0,
    SKIP,
    SKIP_GRADIENT,
    STEPS,
    WEIGHT,
)
from gradsim.engine.linear import matrix_product
from gradsim.engine.measuring import measure_tensor
from gradsim.engine.memory import matrix, stretch
from gradsim.engine.precision import BACKWARD, FORWARD, count_created, round_tensor
from gradsim.engine.program import (
    ACTIVATION,
    ACTIVATION_GRADIENT,
    DELTA,
    PRE_ACTIVATION,
    WEIGHT_GRADIENT,
)


@inner_kernel
def add_scaled(skip: Any, branch: Any, scale: Any, out: Any) -> None:
    """Write skip + scale · branch, all in one precision."""
    for i in range(out.shape[0]):
        out[i] = skip[i] + scale * branch[i]


@inner_kernel
def scale_into(x: Any, scale: Any, out: Any) -> None:
    """Write scale · x, both in one precision."""
    for i in range(out.shape[0]):
        out[i] = scale * x[i]


@inner_kernel
def product_sum(x: Any, y: Any) -> Any:
    """Return Σ x · y in float64."""
    total = 0.0
    for i in range(x.shape[0]):
        total += np.float64(x[i]) * np.float64(y[i])
    return total


@inner_kernel
def scale_of(row: Any, constants: Any, parameters: Any) -> Any:
    """Return α in the precision of the parameters."""
    if row[BIAS] >= 0:
        return parameters[row[BIAS]]
    return parameters.dtype.type(constants[PARAMETER_0])


@inner_kernel
def run_residual_forward(
    row: Any, constants: Any, work: Any, parameters: Any, batch: Any, measure: Any, measures: Any
) -> None:
    """Do the instruction OP_RESIDUAL_END forwards."""
    rows = batch * row[STEPS]
    fan_in = row[FAN_IN]
    fan_out = row[FAN_OUT]
    if row[WEIGHT] >= 0:
        matrix_product(
            matrix(work, row[INPUT], rows, fan_in),
            matrix(parameters, row[WEIGHT], fan_in, fan_out),
            matrix(work, row[SKIP], rows, fan_out),
        )
        round_tensor(stretch(work, row[SKIP], rows * fan_out), measures, row[LAYER], FORWARD)
    branch = stretch(work, row[BRANCH], rows * fan_out)
    out = stretch(work, row[OUTPUT], rows * fan_out)
    skip = stretch(work, row[SKIP], rows * fan_out)
    add_scaled(skip, branch, scale_of(row, constants, parameters), out)
    count_created(out, skip, branch, measures, row[LAYER], FORWARD)
    round_tensor(out, measures, row[LAYER], FORWARD)
    if measure:
        measure_tensor(branch, measures, row[LAYER], PRE_ACTIVATION)
        measure_tensor(out, measures, row[LAYER], ACTIVATION)


@inner_kernel
def run_residual_end_backward(
    row: Any,
    constants: Any,
    work: Any,
    parameters: Any,
    gradients: Any,
    batch: Any,
    measure: Any,
    measures: Any,
) -> None:
    """Do the instruction OP_RESIDUAL_END backwards: ∂L/∂branch = α ∂L/∂out, ∂L/∂α = Σ ∂L/∂out · branch."""
    size = batch * row[STEPS] * row[FAN_OUT]
    gradient = stretch(work, row[OUTPUT_GRADIENT], size)
    scale_into(gradient, scale_of(row, constants, parameters), stretch(work, row[BRANCH_GRADIENT], size))
    round_tensor(stretch(work, row[BRANCH_GRADIENT], size), measures, row[LAYER], BACKWARD)
    if row[BIAS] >= 0:
        gradients[row[BIAS]] = product_sum(gradient, stretch(work, row[BRANCH], size))
        round_tensor(stretch(gradients, row[BIAS], 1), measures, row[LAYER], BACKWARD)
    if measure:
        measure_tensor(gradient, measures, row[LAYER], ACTIVATION_GRADIENT)


@inner_kernel
def run_residual_begin_backward(
    row: Any, work: Any, parameters: Any, gradients: Any, batch: Any, measure: Any, measures: Any
) -> None:
    """Do the instruction OP_RESIDUAL_BEGIN backwards: the gradients of both paths are added."""
    rows = batch * row[STEPS]
    fan_in = row[FAN_IN]
    fan_out = row[FAN_OUT]
    out = stretch(work, row[INPUT_GRADIENT], rows * fan_in)
    branch = stretch(work, row[BRANCH_GRADIENT], rows * fan_in)
    if row[WEIGHT] >= 0:
        gradient = matrix(work, row[OUTPUT_GRADIENT], rows, fan_out)
        matrix_product(
            matrix(work, row[INPUT], rows, fan_in).T,
            gradient,
            matrix(gradients, row[WEIGHT], fan_in, fan_out),
        )
        matrix_product(
            gradient,
            matrix(parameters, row[WEIGHT], fan_in, fan_out).T,
            matrix(work, row[SKIP_GRADIENT], rows, fan_in),
        )
        skip = stretch(work, row[SKIP_GRADIENT], rows * fan_in)
        weight_gradient = stretch(gradients, row[WEIGHT], fan_in * fan_out)
        round_tensor(skip, measures, row[LAYER], BACKWARD)
        round_tensor(weight_gradient, measures, row[LAYER], BACKWARD)
        add(skip, branch, out)
        if measure:
            measure_tensor(weight_gradient, measures, row[LAYER], WEIGHT_GRADIENT)
    else:
        add(stretch(work, row[OUTPUT_GRADIENT], rows * fan_in), branch, out)
    round_tensor(out, measures, row[LAYER], BACKWARD)
    if measure:
        measure_tensor(out, measures, row[LAYER], DELTA)


@inner_kernel
def add(x: Any, y: Any, out: Any) -> None:
    """Write x + y."""
    for i in range(out.shape[0]):
        out[i] = x[i] + y[i]
