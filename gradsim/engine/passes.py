"""The forward and the backward pass: reading the tape in order and in reverse."""

from __future__ import annotations

from typing import Any

from gradsim.engine.activation_layer import activation_backward, activation_forward, measure_backward
from gradsim.engine.activations import PRELU, SOFTMAX
from gradsim.engine.compilation import inner_kernel
from gradsim.engine.linear import linear_backward, linear_forward
from gradsim.engine.memory import stretch
from gradsim.engine.program import (
    ACTIVATION,
    ACTIVATION_GRADIENT,
    DELTA,
    PRE_ACTIVATION,
    WEIGHT_GRADIENT,
    counts_of,
    values_of,
)
from gradsim.engine.tape import (
    BIAS,
    COLUMNS,
    CONSTANTS,
    FAN_IN,
    FAN_OUT,
    FUNCTION,
    FUSED,
    INPUT,
    INPUT_GRADIENT,
    LAYER,
    MAXIMAL_SLOPE,
    OP_LINEAR,
    OPCODE,
    OUTPUT,
    OUTPUT_GRADIENT,
    PARAMETER_0,
    PARAMETER_1,
    SLOPE,
    WEIGHT,
)


@inner_kernel
def forward(
    program: Any,
    work: Any,
    parameters: Any,
    batch: Any,
    iteration: Any,
    training: Any,
    measure: Any,
    measures: Any,
) -> None:
    """Run the tape forwards over the first ``batch`` rows that stand in the work buffer."""
    for op in range(program.instructions.shape[0] // COLUMNS):
        row = stretch(program.instructions, op * COLUMNS, COLUMNS)
        layer = row[LAYER]
        fan_out = row[FAN_OUT]
        size = batch * fan_out
        if row[OPCODE] == OP_LINEAR:
            fan_in = row[FAN_IN]
            linear_forward(
                stretch(work, row[INPUT], batch * fan_in),
                stretch(parameters, row[WEIGHT], fan_in * fan_out),
                stretch(parameters, row[BIAS], fan_out if row[BIAS] >= 0 else 0),
                stretch(work, row[OUTPUT], size),
                fan_in,
                fan_out,
                measure,
                measures.first,
                values_of(measures, layer, PRE_ACTIVATION),
                counts_of(measures, layer, PRE_ACTIVATION),
            )
        else:
            constants = stretch(program.constants, op * CONSTANTS, CONSTANTS)
            mean_slope = activation_forward(
                program.addresses,
                row[FUNCTION],
                stretch(work, row[INPUT], size),
                stretch(work, row[OUTPUT], size),
                stretch(work, row[SLOPE], size),
                fan_out,
                constants[PARAMETER_0],
                constants[PARAMETER_1],
                stretch(parameters, row[WEIGHT], row[FAN_IN] if row[FUNCTION] == PRELU else 0),
                program.stream_keys[layer],
                iteration * size,
                training,
                measure,
                measures.first,
                values_of(measures, layer, ACTIVATION),
                counts_of(measures, layer, ACTIVATION),
            )
            if measure:
                measures.saturation[layer] = 1.0 - mean_slope / constants[MAXIMAL_SLOPE]


@inner_kernel
def backward(
    program: Any,
    work: Any,
    parameters: Any,
    gradients: Any,
    batch: Any,
    input_gradient: Any,
    measure: Any,
    measures: Any,
) -> None:
    """Run the tape backwards from the head's ∂L/∂a (or δ); leaves every parameter gradient."""
    for op in range(program.instructions.shape[0] // COLUMNS - 1, -1, -1):
        row = stretch(program.instructions, op * COLUMNS, COLUMNS)
        layer = row[LAYER]
        fan_out = row[FAN_OUT]
        size = batch * fan_out
        if row[OPCODE] == OP_LINEAR:
            fan_in = row[FAN_IN]
            # Nothing below needs the gradient of the inputs; it is computed only to be looked at.
            wanted = op > 0 or input_gradient
            linear_backward(
                stretch(work, row[INPUT], batch * fan_in),
                stretch(parameters, row[WEIGHT], fan_in * fan_out),
                stretch(work, row[OUTPUT_GRADIENT], size),
                stretch(gradients, row[WEIGHT], fan_in * fan_out),
                stretch(gradients, row[BIAS], fan_out if row[BIAS] >= 0 else 0),
                stretch(work, row[INPUT_GRADIENT], batch * fan_in if wanted else 0),
                fan_in,
                fan_out,
                measure,
                measures.first,
                values_of(measures, layer, WEIGHT_GRADIENT),
                counts_of(measures, layer, WEIGHT_GRADIENT),
            )
        else:
            code = row[FUNCTION]
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
                    fan_out,
                    stretch(gradients, row[WEIGHT], row[FAN_IN] if code == PRELU else 0),
                )
            measure_backward(
                code != SOFTMAX and not row[FUSED],
                a_gradient,
                delta,
                measure,
                measures.first,
                measures.second,
                values_of(measures, layer, ACTIVATION_GRADIENT),
                counts_of(measures, layer, ACTIVATION_GRADIENT),
                values_of(measures, layer, DELTA),
                counts_of(measures, layer, DELTA),
            )
