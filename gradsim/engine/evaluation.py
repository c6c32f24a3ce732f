"""The network as it answers: forward passes in evaluation mode, batch after batch through the work buffer."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from gradsim.engine.compilation import inner_kernel, kernel
from gradsim.engine.losses import SSE, correct_share, loss_and_gradient
from gradsim.engine.memory import stretch
from gradsim.engine.passes import forward
from gradsim.engine.program import Measures
from gradsim.engine.tape import COLUMNS, INPUT, OUTPUT, OUTPUT_GRADIENT, SLOPE


@inner_kernel
def copy(source: Any, out: Any) -> None:
    """Copy source into out, element by element."""
    for i in range(out.shape[0]):
        out[i] = source[i]


@inner_kernel
def forward_in_evaluation(
    program: Any, buffers: Any, inputs: Any, features: Any, first: Any, rows: Any
) -> None:
    """Run the tape forwards over ``rows`` rows of flat inputs from row ``first`` on, measuring nothing."""
    place = program.instructions[INPUT]
    copy(stretch(inputs, first * features, rows * features), stretch(buffers.work, place, rows * features))
    nothing = np.empty(0)
    measures = Measures(nothing, np.empty(0, np.int32), np.empty(0, np.float32), nothing, nothing)
    forward(program, buffers.work, buffers.parameters, rows, 0, False, False, measures)


@kernel
def outputs_of(choices: Any, program: Any, buffers: Any, inputs: Any, out: Any) -> None:
    """Write the activations of the head for flat inputs (samples · features,) into out (samples · outputs,)."""
    head = stretch(program.instructions, program.instructions.shape[0] - COLUMNS, COLUMNS)
    outputs = choices.outputs
    count = out.shape[0] // outputs
    for first in range(0, count, choices.batch):
        rows = min(choices.batch, count - first)
        forward_in_evaluation(program, buffers, inputs, choices.features, first, rows)
        copy(
            stretch(buffers.work, head[OUTPUT], rows * outputs), stretch(out, first * outputs, rows * outputs)
        )


@kernel
def evaluate(choices: Any, program: Any, buffers: Any, part: Any) -> Any:
    """Return loss and share of right classes over a whole part of the samples, in evaluation mode.

    A mean loss is weighted by the rows of each batch. The share is NaN for a regression.
    """
    head = stretch(program.instructions, program.instructions.shape[0] - COLUMNS, COLUMNS)
    outputs = choices.outputs
    count = part.inputs.shape[0] // choices.features
    loss = 0.0
    correct = 0.0
    for first in range(0, count, choices.batch):
        rows = min(choices.batch, count - first)
        size = rows * outputs
        forward_in_evaluation(program, buffers, part.inputs, choices.features, first, rows)
        batch_loss = loss_and_gradient(
            choices.loss,
            stretch(buffers.work, head[INPUT], size),
            stretch(buffers.work, head[OUTPUT], size),
            stretch(part.targets, first * outputs, size),
            stretch(buffers.work, head[OUTPUT_GRADIENT], size),
            stretch(buffers.work, head[SLOPE], size),
            rows,
            outputs,
        )
        loss += batch_loss if choices.loss == SSE else batch_loss * (rows / count)
        if choices.is_classification:
            share = correct_share(
                stretch(buffers.work, head[OUTPUT], size), stretch(part.classes, first, rows), outputs
            )
            correct += share * (rows / count)
    return loss, correct if choices.is_classification else math.nan
