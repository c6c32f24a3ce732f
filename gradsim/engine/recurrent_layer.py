"""The instruction OP_RECURRENT: the recurrent passes on the tensors of a tape.

Rows lie time after time. A layer that hands on only its last step has an output of its own, so that a batch of
fewer samples, as in evaluation, ends elsewhere in time without moving the place of its output.
"""

from __future__ import annotations

from typing import Any

from gradsim.engine.compilation import inner_kernel
from gradsim.engine.instructions import (
    BIAS,
    CELL,
    CELL_FUNCTION,
    CELL_GRADIENT,
    FAN_IN,
    FAN_OUT,
    FUNCTION,
    GATE_DELTA,
    GATES,
    HIDDEN,
    HIDDEN_GRADIENT,
    INPUT,
    INPUT_GRADIENT,
    LAYER,
    OUTPUT,
    OUTPUT_GRADIENT,
    RECURRENT_BIAS,
    RECURRENT_WEIGHT,
    STEPS,
    TRUNCATION,
    WEIGHT,
    WORKSPACE,
    WORKSPACE_SIZE,
    Z,
)
from gradsim.engine.measuring import measure_tensor
from gradsim.engine.memory import stretch
from gradsim.engine.precision import BACKWARD, FORWARD, rounded_of
from gradsim.engine.program import ACTIVATION, ACTIVATION_GRADIENT, DELTA, PRE_ACTIVATION, WEIGHT_GRADIENT
from gradsim.engine.recurrent_cells import gates_of


@inner_kernel
def run_recurrent_forward(
    functions: Any, row: Any, work: Any, parameters: Any, batch: Any, measure: Any, measures: Any
) -> None:
    """Do the instruction OP_RECURRENT forwards."""
    steps = row[STEPS]
    fan_in = row[FAN_IN]
    units = row[FAN_OUT]
    width = gates_of(row[FUNCTION]) * units
    state = batch * units
    hidden = stretch(work, row[HIDDEN], steps * state)
    z = stretch(work, row[Z], steps * batch * width)
    functions.recurrent_forward(
        row[FUNCTION],
        row[CELL_FUNCTION],
        0.0,
        0.0,
        stretch(work, row[INPUT], steps * batch * fan_in),
        stretch(parameters, row[WEIGHT], fan_in * width),
        stretch(parameters, row[RECURRENT_WEIGHT], units * width),
        stretch(parameters, row[BIAS], width if row[BIAS] >= 0 else 0),
        stretch(parameters, row[RECURRENT_BIAS], width if row[RECURRENT_BIAS] >= 0 else 0),
        z,
        stretch(work, row[GATES], steps * batch * width if row[GATES] >= 0 else 0),
        stretch(work, row[GATE_DELTA], steps * batch * width),
        stretch(work, row[HIDDEN] - state, (steps + 1) * state),
        stretch(work, row[CELL] - state, (steps + 1) * state if row[CELL] >= 0 else 0),
        stretch(work, row[WORKSPACE], row[WORKSPACE_SIZE]),
        steps,
        batch,
        fan_in,
        units,
        measures.format,
        rounded_of(measures, row[LAYER], FORWARD),
    )
    if row[OUTPUT] != row[HIDDEN]:
        last = stretch(hidden, (steps - 1) * state, state)
        out = stretch(work, row[OUTPUT], state)
        for i in range(state):
            out[i] = last[i]
    if measure:
        measure_tensor(z, measures, row[LAYER], PRE_ACTIVATION)
        measure_tensor(hidden, measures, row[LAYER], ACTIVATION)


@inner_kernel
def run_recurrent_backward(
    functions: Any,
    row: Any,
    work: Any,
    parameters: Any,
    gradients: Any,
    batch: Any,
    wanted: Any,
    measure: Any,
    measures: Any,
) -> None:
    """Do the instruction OP_RECURRENT backwards; the gradient of its input only if ``wanted``."""
    steps = row[STEPS]
    fan_in = row[FAN_IN]
    units = row[FAN_OUT]
    width = gates_of(row[FUNCTION]) * units
    state = batch * units
    hidden_gradient = stretch(work, row[HIDDEN_GRADIENT], steps * state)
    delta = stretch(work, row[GATE_DELTA], steps * batch * width)
    # Only the last step where the others hand nothing on: their direct share of the gradient is 0.
    handed = steps * state if row[OUTPUT] == row[HIDDEN] else state
    above = stretch(work, row[OUTPUT_GRADIENT], handed)
    silent = steps * state - handed
    for i in range(silent):
        hidden_gradient[i] = 0
    direct = stretch(hidden_gradient, silent, handed)
    for i in range(handed):
        direct[i] = above[i]
    weight_gradient = stretch(gradients, row[RECURRENT_WEIGHT], units * width)
    functions.recurrent_backward(
        row[FUNCTION],
        stretch(work, row[INPUT], steps * batch * fan_in),
        stretch(parameters, row[WEIGHT], fan_in * width),
        stretch(parameters, row[RECURRENT_WEIGHT], units * width),
        stretch(work, row[GATES], steps * batch * width if row[GATES] >= 0 else 0),
        stretch(work, row[HIDDEN] - state, (steps + 1) * state),
        stretch(work, row[CELL] - state, (steps + 1) * state if row[CELL] >= 0 else 0),
        stretch(work, row[WORKSPACE], row[WORKSPACE_SIZE]),
        delta,
        hidden_gradient,
        stretch(work, row[CELL_GRADIENT], steps * state if row[CELL] >= 0 else 0),
        stretch(gradients, row[WEIGHT], fan_in * width),
        weight_gradient,
        stretch(gradients, row[BIAS], width if row[BIAS] >= 0 else 0),
        stretch(gradients, row[RECURRENT_BIAS], width if row[RECURRENT_BIAS] >= 0 else 0),
        stretch(work, row[INPUT_GRADIENT], steps * batch * fan_in if wanted else 0),
        row[TRUNCATION],
        steps,
        batch,
        fan_in,
        units,
        measures.format,
        rounded_of(measures, row[LAYER], BACKWARD),
    )
    if measure:
        measure_tensor(hidden_gradient, measures, row[LAYER], ACTIVATION_GRADIENT)
        measure_tensor(delta, measures, row[LAYER], DELTA)
        measure_tensor(weight_gradient, measures, row[LAYER], WEIGHT_GRADIENT)
