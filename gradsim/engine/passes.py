"""The forward and the backward pass: reading the tape in order and in reverse."""

from __future__ import annotations

from typing import Any

from gradsim.engine.activation_layer import run_activation_backward, run_activation_forward
from gradsim.engine.compilation import inner_kernel
from gradsim.engine.instructions import (
    COLUMNS,
    CONSTANTS,
    OP_ACTIVATION,
    OP_LINEAR,
    OP_NORMALIZATION,
    OP_RECURRENT,
    OP_RESIDUAL_BEGIN,
    OP_RESIDUAL_END,
    OPCODE,
)
from gradsim.engine.linear import run_linear_backward, run_linear_forward
from gradsim.engine.memory import stretch
from gradsim.engine.normalization_layer import run_normalization_backward, run_normalization_forward
from gradsim.engine.recurrent_layer import run_recurrent_backward, run_recurrent_forward
from gradsim.engine.residual import (
    run_residual_begin_backward,
    run_residual_end_backward,
    run_residual_forward,
)


@inner_kernel
def forward(
    program: Any,
    work: Any,
    parameters: Any,
    batch: Any,
    first: Any,
    last: Any,
    iteration: Any,
    training: Any,
    measure: Any,
    measures: Any,
) -> None:
    """Run the tape forwards from instruction ``first`` to ``last`` over ``batch`` samples in the work buffer."""
    for op in range(first, last + 1):
        row = stretch(program.instructions, op * COLUMNS, COLUMNS)
        constants = stretch(program.constants, op * CONSTANTS, CONSTANTS)
        if row[OPCODE] == OP_LINEAR:
            run_linear_forward(row, work, parameters, batch, measure, measures)
        elif row[OPCODE] == OP_ACTIVATION:
            run_activation_forward(
                program.addresses,
                row,
                constants,
                program.stream_keys,
                work,
                parameters,
                batch,
                iteration,
                training,
                measure,
                measures,
            )
        elif row[OPCODE] == OP_NORMALIZATION:
            run_normalization_forward(
                program.functions, row, constants, work, parameters, batch, training, measure, measures
            )
        elif row[OPCODE] == OP_RESIDUAL_END:
            run_residual_forward(row, constants, work, parameters, batch, measure, measures)
        elif row[OPCODE] == OP_RECURRENT:
            run_recurrent_forward(program.functions, row, work, parameters, batch, measure, measures)


@inner_kernel
def backward(
    program: Any,
    work: Any,
    parameters: Any,
    gradients: Any,
    batch: Any,
    first: Any,
    last: Any,
    input_gradient: Any,
    measure: Any,
    measures: Any,
) -> None:
    """Run the tape backwards from instruction ``last`` to ``first``; leaves every parameter gradient.

    The gradient of the output of ``last`` must stand in its place. Nothing below the first layer needs the
    gradient of the inputs: it is computed only if ``input_gradient``.
    """
    for op in range(last, first - 1, -1):
        row = stretch(program.instructions, op * COLUMNS, COLUMNS)
        constants = stretch(program.constants, op * CONSTANTS, CONSTANTS)
        wanted = op > 0 or input_gradient != 0
        if row[OPCODE] == OP_LINEAR:
            run_linear_backward(row, work, parameters, gradients, batch, wanted, measure, measures)
        elif row[OPCODE] == OP_ACTIVATION:
            run_activation_backward(row, work, gradients, batch, measure, measures)
        elif row[OPCODE] == OP_NORMALIZATION:
            run_normalization_backward(
                program.functions, row, work, parameters, gradients, batch, measure, measures
            )
        elif row[OPCODE] == OP_RESIDUAL_END:
            run_residual_end_backward(row, constants, work, parameters, gradients, batch, measure, measures)
        elif row[OPCODE] == OP_RESIDUAL_BEGIN:
            run_residual_begin_backward(row, work, parameters, gradients, batch, measure, measures)
        elif row[OPCODE] == OP_RECURRENT:
            run_recurrent_backward(
                program.functions, row, work, parameters, gradients, batch, wanted, measure, measures
            )
