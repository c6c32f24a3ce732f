"""Layer-wise pretraining: in its phase a layer is trained, with a linear decoder behind it, to restore its input.

The whole network is passed forwards, so every layer shows what it does now. Then the loss of the phase is that of
the decoder; it takes no part in the other layers: those above are not asked, from the layer's input on the gradient
is stopped. So their gradients are exactly 0.
"""

from __future__ import annotations

from typing import Any

from gradsim.engine.compilation import inner_kernel
from gradsim.engine.instructions import (
    COLUMNS,
    FAN_IN,
    FAN_OUT,
    FUSED,
    INPUT,
    INPUT_GRADIENT,
    OUTPUT,
    OUTPUT_GRADIENT,
    SLOPE,
    STEPS,
)
from gradsim.engine.loss_scaling import multiply
from gradsim.engine.losses import MSE, loss_and_gradient
from gradsim.engine.memory import stretch
from gradsim.engine.passes import backward, forward

# Columns of the table of phases.
FIRST_OP = 0
LAST_OP = 1
LAYER = 2
PHASE_FIELDS = 3


@inner_kernel
def fill(x: Any) -> None:
    """Make every element 0."""
    for i in range(x.shape[0]):
        x[i] = 0


@inner_kernel
def train_autoencoder(
    choices: Any,
    program: Any,
    buffers: Any,
    phase: Any,
    iteration: Any,
    scale: Any,
    measure: Any,
    measures: Any,
) -> Any:
    """Do loss and pass backwards of a phase, after the pass forwards; return the loss of the decoder."""
    row = stretch(program.phase_table, phase * PHASE_FIELDS, PHASE_FIELDS)
    decoder_op = choices.operations + phase
    decoder = stretch(program.instructions, decoder_op * COLUMNS, COLUMNS)
    entrance = stretch(program.instructions, row[FIRST_OP] * COLUMNS, COLUMNS)
    head = stretch(program.instructions, (choices.operations - 1) * COLUMNS, COLUMNS)
    work = buffers.work
    rows = choices.batch * decoder[STEPS]
    size = rows * decoder[FAN_OUT]
    forward(
        program,
        work,
        buffers.parameters,
        choices.batch,
        decoder_op,
        decoder_op,
        iteration,
        True,
        False,
        measures,
    )
    restored = stretch(work, decoder[OUTPUT], size)
    gradient = stretch(work, decoder[OUTPUT_GRADIENT], size)
    loss = loss_and_gradient(
        MSE,
        restored,
        restored,
        stretch(work, entrance[INPUT], size),
        gradient,
        gradient,
        rows,
        decoder[FAN_OUT],
    )
    multiply(gradient, scale)
    outputs = choices.batch * head[STEPS] * head[FAN_OUT]
    fill(buffers.gradients)
    fill(stretch(work, head[OUTPUT_GRADIENT], outputs))
    if head[FUSED]:
        fill(stretch(work, head[SLOPE], outputs))
    backward_over(choices, program, buffers, row[LAST_OP] + 1, choices.operations - 1, 1, measure, measures)
    backward_over(choices, program, buffers, decoder_op, decoder_op, 1, False, measures)
    backward_over(choices, program, buffers, row[FIRST_OP], row[LAST_OP], 1, measure, measures)
    fill(stretch(work, entrance[INPUT_GRADIENT], rows * entrance[FAN_IN]))
    wanted = choices.input_gradient
    backward_over(choices, program, buffers, 0, row[FIRST_OP] - 1, wanted, measure, measures)
    return loss


@inner_kernel
def backward_over(
    choices: Any, program: Any, buffers: Any, first: Any, last: Any, wanted: Any, measure: Any, measures: Any
) -> None:
    """Run some instructions backwards."""
    backward(
        program,
        buffers.work,
        buffers.parameters,
        buffers.gradients,
        choices.batch,
        first,
        last,
        wanted,
        measure,
        measures,
    )


@inner_kernel
def phase_of(choices: Any, iteration: Any) -> Any:
    """Return the phase of an iteration; −1 where all layers are trained together."""
    phase = iteration // choices.phase_length if choices.phases > 0 else 0
    return phase if phase < choices.phases else -1
