"""Layer-wise pretraining: in its phase a layer is trained, with a linear decoder behind it, to restore its input.

The whole network is passed forwards, so every layer shows what it does now. Then the loss of the phase is that of
the decoder; it takes no part in the other layers: those above are not asked, from the layer's input on the gradient
is stopped. So their gradients are exactly 0.
"""

from __future__ import annotations

from typing import Any

from gradsim.engine.compilation import OFF, ON, inner_kernel
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
from gradsim.engine.instructions import LAYER as LAYER_COLUMN
from gradsim.engine.linear import run_linear_backward, run_linear_forward
from gradsim.engine.loss_scaling import multiply
from gradsim.engine.losses import MSE, loss_and_gradient
from gradsim.engine.memory import clear, stretch
from gradsim.engine.precision import BACKWARD, round_tensor

# Columns of the table of phases.
FIRST_OP = 0
LAST_OP = 1
LAYER = 2
PHASE_FIELDS = 3

ABOVE, THROUGH, BELOW = range(3)
"""Parts of the pass backwards of a phase: above its layer, through it, below it."""


@inner_kernel
def silence_head(head: Any, work: Any, size: Any) -> None:
    """Begin the pass backwards with 0: the loss at the head is not that of a phase."""
    clear(stretch(work, head[OUTPUT_GRADIENT], size))
    if head[FUSED]:
        clear(stretch(work, head[SLOPE], size))


@inner_kernel
def part_of(choices: Any, program: Any, phase: Any, part: Any) -> Any:
    """Return first and last instruction of a part of the pass backwards, and whether its input gradient is wanted."""
    row = stretch(program.phase_table, phase * PHASE_FIELDS, PHASE_FIELDS)
    if part == ABOVE:
        return row[LAST_OP] + 1, choices.operations - 1, 1
    if part == THROUGH:
        return row[FIRST_OP], row[LAST_OP], 1
    return 0, row[FIRST_OP] - 1, choices.input_gradient


@inner_kernel
def begin_phase(choices: Any, program: Any, buffers: Any, phase: Any, scale: Any, measures: Any) -> Any:
    """Restore the input of the layer of a phase; return the loss and leave ∂L/∂a of the layer in its place."""
    row = stretch(program.phase_table, phase * PHASE_FIELDS, PHASE_FIELDS)
    decoder = stretch(program.instructions, (choices.operations + phase) * COLUMNS, COLUMNS)
    entrance = stretch(program.instructions, row[FIRST_OP] * COLUMNS, COLUMNS)
    work = buffers.work
    rows = choices.batch * decoder[STEPS]
    size = rows * decoder[FAN_OUT]
    run_linear_forward(decoder, work, buffers.parameters, choices.batch, OFF, measures)
    restored = stretch(work, decoder[OUTPUT], size)
    gradient = stretch(work, decoder[OUTPUT_GRADIENT], size)
    goal = stretch(work, entrance[INPUT], size)
    loss = loss_and_gradient(MSE, restored, restored, goal, gradient, gradient, rows, decoder[FAN_OUT])
    multiply(gradient, scale)
    round_tensor(gradient, measures, decoder[LAYER_COLUMN], BACKWARD)
    run_linear_backward(
        decoder, work, buffers.parameters, buffers.gradients, choices.batch, ON, OFF, measures
    )
    return loss


@inner_kernel
def stop_gradient(choices: Any, program: Any, work: Any, phase: Any) -> None:
    """Let nothing reach what lies below the layer of a phase."""
    row = stretch(program.phase_table, phase * PHASE_FIELDS, PHASE_FIELDS)
    entrance = stretch(program.instructions, row[FIRST_OP] * COLUMNS, COLUMNS)
    clear(stretch(work, entrance[INPUT_GRADIENT], choices.batch * entrance[STEPS] * entrance[FAN_IN]))


@inner_kernel
def phase_of(choices: Any, iteration: Any) -> Any:
    """Return the phase of an iteration; −1 where all layers are trained together."""
    phase = iteration // choices.phase_length if choices.phases > 0 else 0
    return phase if phase < choices.phases else -1
