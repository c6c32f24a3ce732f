"""The network as it answers: forward passes in evaluation mode, batch after batch through the work buffer."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from gradsim.engine.compilation import OFF, allocates, inner_kernel, kernel
from gradsim.engine.instructions import COLUMNS, INPUT, OUTPUT, OUTPUT_GRADIENT, SLOPE
from gradsim.engine.losses import SSE, correct_share, loss_and_gradient
from gradsim.engine.memory import copy, stretch
from gradsim.engine.passes import forward
from gradsim.engine.program import ROUNDED, Measures


@inner_kernel
def place_sample(
    source: Any, sample: Any, place: Any, out: Any, batch: Any, steps: Any, columns: Any
) -> None:
    """Copy one sample (steps · columns,) of flat samples to its place in a batch, time after time."""
    for step in range(steps):
        copy(
            stretch(source, (sample * steps + step) * columns, columns),
            stretch(out, (step * batch + place) * columns, columns),
        )


@inner_kernel
@allocates
def forward_in_evaluation(
    choices: Any, program: Any, buffers: Any, inputs: Any, first: Any, rows: Any
) -> None:
    """Run the tape forwards over ``rows`` samples of flat inputs from sample ``first`` on, measuring nothing."""
    size = rows * choices.steps * choices.features
    batch = stretch(buffers.work, program.instructions[INPUT], size)
    for i in range(rows):
        place_sample(inputs, first + i, i, batch, rows, choices.steps, choices.features)
    nothing = np.empty(0)
    measures = Measures(
        nothing,
        np.empty(0, np.int32),
        np.empty(0, np.float32),
        np.zeros(program.stream_keys.shape[0] * ROUNDED, np.int64),
        choices.format,
        nothing,
        nothing,
        buffers.scratch,
    )
    last = choices.operations - 1
    forward(program, buffers.work, buffers.parameters, rows, 0, last, np.int64(0), OFF, OFF, measures)


@kernel
def outputs_of(choices: Any, program: Any, buffers: Any, inputs: Any, out: Any) -> None:
    """Write the activations of the head for flat inputs into flat out, sample after sample."""
    head = stretch(program.instructions, (choices.operations - 1) * COLUMNS, COLUMNS)
    outputs = choices.outputs
    steps = choices.target_steps
    count = out.shape[0] // (outputs * steps)
    for first in range(0, count, choices.batch):
        rows = min(choices.batch, count - first)
        forward_in_evaluation(choices, program, buffers, inputs, first, rows)
        for i in range(rows):
            for step in range(steps):
                copy(
                    stretch(buffers.work, head[OUTPUT] + (step * rows + i) * outputs, outputs),
                    stretch(out, ((first + i) * steps + step) * outputs, outputs),
                )


@kernel
def evaluate(choices: Any, program: Any, buffers: Any, part: Any) -> Any:
    """Return loss and share of right classes over a whole part of the samples, in evaluation mode.

    A mean loss is weighted by the samples of each batch. The share is NaN for a regression.
    """
    head = stretch(program.instructions, (choices.operations - 1) * COLUMNS, COLUMNS)
    outputs = choices.outputs
    steps = choices.target_steps
    count = part.inputs.shape[0] // (choices.features * choices.steps)
    loss = 0.0
    correct = 0.0
    for first in range(0, count, choices.batch):
        rows = min(choices.batch, count - first)
        size = rows * steps * outputs
        forward_in_evaluation(choices, program, buffers, part.inputs, first, rows)
        for i in range(rows):
            place_sample(part.targets, first + i, i, buffers.targets, rows, steps, outputs)
            if choices.is_classification:
                place_sample(part.classes, first + i, i, buffers.classes, rows, steps, 1)
        batch_loss = loss_and_gradient(
            choices.loss,
            stretch(buffers.work, head[INPUT], size),
            stretch(buffers.work, head[OUTPUT], size),
            stretch(buffers.targets, 0, size),
            stretch(buffers.work, head[OUTPUT_GRADIENT], size),
            stretch(buffers.work, head[SLOPE], size),
            rows * steps,
            outputs,
        )
        loss += batch_loss if choices.loss == SSE else batch_loss * (rows / count)
        if choices.is_classification:
            share = correct_share(
                stretch(buffers.work, head[OUTPUT], size), stretch(buffers.classes, 0, rows * steps), outputs
            )
            correct += share * (rows / count)
    return loss, correct if choices.is_classification else math.nan
