"""The instruction OP_NORMALIZATION: normalization kernels on the tensors of a tape."""

from __future__ import annotations

from typing import Any

from gradsim.engine.compilation import inner_kernel
from gradsim.engine.instructions import (
    BIAS,
    FAN_OUT,
    FUNCTION,
    INPUT,
    INPUT_GRADIENT,
    INVERSE_SD,
    LAYER,
    MEAN,
    MEASURES_INPUT,
    NORMALIZED,
    OUTPUT,
    OUTPUT_GRADIENT,
    PARAMETER_0,
    PARAMETER_1,
    RUNNING_MEAN,
    RUNNING_VARIANCE,
    STEPS,
    WEIGHT,
)
from gradsim.engine.measuring import measure_tensor
from gradsim.engine.memory import stretch
from gradsim.engine.normalization import BATCH
from gradsim.engine.precision import BACKWARD, FLOAT32, FORWARD, round_tensor
from gradsim.engine.program import ACTIVATION, ACTIVATION_GRADIENT, DELTA, PRE_ACTIVATION, WEIGHT_GRADIENT


@inner_kernel
def run_normalization_forward(
    functions: Any,
    row: Any,
    constants: Any,
    work: Any,
    parameters: Any,
    batch: Any,
    training: Any,
    measure: Any,
    measures: Any,
) -> None:
    """Do the instruction OP_NORMALIZATION forwards; in training a batch method moves its running values."""
    units = row[FAN_OUT]
    size = batch * row[STEPS] * units
    saved = units if row[FUNCTION] == BATCH else batch * row[STEPS]
    runs = units if row[RUNNING_MEAN] >= 0 else 0
    x = stretch(work, row[INPUT], size)
    out = stretch(work, row[OUTPUT], size)
    functions.normalize_forward(
        row[FUNCTION],
        x,
        out,
        stretch(work, row[NORMALIZED], size),
        stretch(parameters, row[WEIGHT], units if row[WEIGHT] >= 0 else 0),
        stretch(parameters, row[BIAS], units if row[BIAS] >= 0 else 0),
        stretch(work, row[MEAN], saved),
        stretch(work, row[INVERSE_SD], saved),
        stretch(parameters, row[RUNNING_MEAN], runs),
        stretch(parameters, row[RUNNING_VARIANCE], runs),
        units,
        constants[PARAMETER_0],
        constants[PARAMETER_1],
        training,
        measures.scratch,
    )
    if measures.format != FLOAT32:
        layer = row[LAYER]
        round_tensor(stretch(work, row[MEAN], saved), measures, layer, FORWARD)
        round_tensor(stretch(work, row[INVERSE_SD], saved), measures, layer, FORWARD)
        round_tensor(stretch(work, row[NORMALIZED], size), measures, layer, FORWARD)
        round_tensor(out, measures, layer, FORWARD)
        round_tensor(stretch(parameters, row[RUNNING_MEAN], runs), measures, layer, FORWARD)
        round_tensor(stretch(parameters, row[RUNNING_VARIANCE], runs), measures, layer, FORWARD)
    if measure and row[MEASURES_INPUT]:
        measure_tensor(x, measures, row[LAYER], PRE_ACTIVATION)
        measure_tensor(out, measures, row[LAYER], ACTIVATION)


@inner_kernel
def run_normalization_backward(
    functions: Any,
    row: Any,
    work: Any,
    parameters: Any,
    gradients: Any,
    batch: Any,
    measure: Any,
    measures: Any,
) -> None:
    """Do the instruction OP_NORMALIZATION backwards."""
    units = row[FAN_OUT]
    size = batch * row[STEPS] * units
    saved = units if row[FUNCTION] == BATCH else batch * row[STEPS]
    gradient = stretch(work, row[OUTPUT_GRADIENT], size)
    out = stretch(work, row[INPUT_GRADIENT], size)
    gamma_gradient = stretch(gradients, row[WEIGHT], units if row[WEIGHT] >= 0 else 0)
    functions.normalize_backward(
        row[FUNCTION],
        stretch(work, row[NORMALIZED], size),
        stretch(parameters, row[WEIGHT], units if row[WEIGHT] >= 0 else 0),
        stretch(work, row[INVERSE_SD], saved),
        gradient,
        out,
        gamma_gradient,
        stretch(gradients, row[BIAS], units if row[BIAS] >= 0 else 0),
        units,
        measures.scratch,
    )
    if measures.format != FLOAT32:
        layer = row[LAYER]
        round_tensor(out, measures, layer, BACKWARD)
        round_tensor(gamma_gradient, measures, layer, BACKWARD)
        beta_gradient = stretch(gradients, row[BIAS], units if row[BIAS] >= 0 else 0)
        round_tensor(beta_gradient, measures, layer, BACKWARD)
    if measure:
        measure_tensor(out, measures, row[LAYER], DELTA)
        if row[MEASURES_INPUT]:
            measure_tensor(gradient, measures, row[LAYER], ACTIVATION_GRADIENT)
            if row[WEIGHT] >= 0:
                measure_tensor(gamma_gradient, measures, row[LAYER], WEIGHT_GRADIENT)
