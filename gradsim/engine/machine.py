"""The machine: one compiled function that runs whole iterations of any tape.

Here is only the order of things: gather a batch, forward, loss, backward, clip, update, count. What each of
them computes stands in the file of its kind.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from gradsim.engine.clipping import NO_CLIPPING
from gradsim.engine.compilation import inner_kernel, kernel
from gradsim.engine.evaluation import evaluate, place_sample
from gradsim.engine.histograms import BINS, count_after_update, count_before_update
from gradsim.engine.instructions import COLUMNS, INPUT, OUTPUT, OUTPUT_GRADIENT, SLOPE
from gradsim.engine.losses import correct_share, loss_and_gradient
from gradsim.engine.memory import stretch
from gradsim.engine.passes import backward, forward
from gradsim.engine.program import (
    CLIPPED_NORM,
    CORRECT,
    COUNT_COUNT,
    GRADIENT_NORM,
    LOSS,
    RATE,
    SCALARS,
    TENSOR_COUNT,
    VALUE_COUNT,
    Measures,
)
from gradsim.engine.random import permutation
from gradsim.engine.schedules import scheduled_rate
from gradsim.engine.statistics import ACCUMULATOR_SIZE
from gradsim.engine.updating import clip, measure_norms, update_parameters


@inner_kernel
def gather_batch(choices: Any, program: Any, buffers: Any, samples: Any, iteration: Any) -> None:
    """Copy the samples of an iteration into the work and target buffers.

    The epochs, each in an order of its own when shuffled, follow each other without a seam: batch k holds
    places k · batch … (k + 1) · batch − 1 of that stream, so every batch is full and every sample is used
    equally often.
    """
    batch = choices.batch
    inputs = stretch(buffers.work, program.instructions[INPUT], batch * choices.steps * choices.features)
    for i in range(choices.batch):
        place = iteration * choices.batch + i
        row = place % choices.sample_count
        if choices.shuffle:
            epoch = place // choices.sample_count
            if buffers.order_epoch[0] != epoch:
                permutation(program.shuffle_key[0], epoch, buffers.order)
                buffers.order_epoch[0] = epoch
            row = buffers.order[row]
        buffers.rows[i] = row
        place_sample(samples.inputs, row, i, inputs, batch, choices.steps, choices.features)
        place_sample(samples.targets, row, i, buffers.targets, batch, choices.target_steps, choices.outputs)
        if choices.is_classification:
            place_sample(samples.classes, row, i, buffers.classes, batch, choices.target_steps, 1)


@kernel
def run_iterations(
    first: Any,
    count: Any,
    choices: Any,
    amounts: Any,
    program: Any,
    buffers: Any,
    samples: Any,
    validation: Any,
    statistics: Any,
) -> Any:
    """Run ``count`` whole iterations from iteration ``first`` on: forward, loss, backward, clip, update.

    Statistics of iteration ``first + k`` go to row k of ``statistics``. Of the iterations that
    ``choices.histogram_every`` divides, histograms go to its frames; before those that
    ``choices.validate_every`` divides, the validation part is evaluated. Returns how many of both.
    """
    measure = choices.measure != 0
    layers = program.stream_keys.shape[0]
    values = statistics.values.reshape(-1)
    counts = statistics.counts.reshape(-1)
    saturation = statistics.saturation.reshape(-1)
    histograms = statistics.histograms.reshape(-1)
    all_scalars = statistics.scalars.reshape(-1)
    accumulators = np.empty(2 * ACCUMULATOR_SIZE)
    norms = np.empty(program.rate_scales.shape[0])
    head = stretch(program.instructions, program.instructions.shape[0] - COLUMNS, COLUMNS)
    rows = choices.batch * choices.target_steps
    size = rows * choices.outputs
    work = buffers.work
    source = buffers.gradients if choices.clipping == NO_CLIPPING else buffers.clipped
    frames = 0
    validations = 0
    for k in range(count):
        iteration = first + k
        if validation.inputs.shape[0] > 0 and iteration % choices.validate_every == 0:
            loss, correct = evaluate(choices, program, buffers, validation)
            statistics.validations[validations, 0] = loss
            statistics.validations[validations, 1] = correct
            statistics.validation_iterations[validations] = iteration
            validations += 1
        slot = k if measure else 0
        measures = Measures(
            stretch(values, slot * layers * TENSOR_COUNT * VALUE_COUNT, layers * TENSOR_COUNT * VALUE_COUNT),
            stretch(counts, slot * layers * TENSOR_COUNT * COUNT_COUNT, layers * TENSOR_COUNT * COUNT_COUNT),
            stretch(saturation, slot * layers, layers),
            stretch(accumulators, 0, ACCUMULATOR_SIZE),
            stretch(accumulators, ACCUMULATOR_SIZE, ACCUMULATOR_SIZE),
            buffers.scratch,
        )
        gather_batch(choices, program, buffers, samples, iteration)
        forward(program, work, buffers.parameters, choices.batch, iteration, True, measure, measures)
        loss = loss_and_gradient(
            choices.loss,
            stretch(work, head[INPUT], size),
            stretch(work, head[OUTPUT], size),
            buffers.targets,
            stretch(work, head[OUTPUT_GRADIENT], size),
            stretch(work, head[SLOPE], size),
            rows,
            choices.outputs,
        )
        share = math.nan
        if choices.is_classification:
            share = correct_share(stretch(work, head[OUTPUT], size), buffers.classes, choices.outputs)
        if choices.seed >= 0:
            unit = stretch(work, choices.seed_offset, choices.seed_size)
            for i in range(choices.seed_size):
                unit[i] = 0
            unit[choices.seed] = 1
        backward(
            program,
            work,
            buffers.parameters,
            buffers.gradients,
            choices.batch,
            choices.first_op,
            choices.last_op,
            choices.input_gradient,
            measure,
            measures,
        )
        norm = measure_norms(program, buffers.gradients, norms, measure, measures)
        clipped_norm = clip(
            program,
            buffers.gradients,
            buffers.parameters,
            buffers.clipped,
            choices.clipping,
            amounts.threshold,
            amounts.clipping_eps,
            norms,
            norm,
            measures.first,
        )
        rate = scheduled_rate(
            choices.schedule,
            amounts.rate,
            iteration,
            choices.warm_up,
            choices.schedule_length,
            amounts.schedule_share,
        )
        counted = measure and iteration % choices.histogram_every == 0
        frame = stretch(histograms, frames * layers * TENSOR_COUNT * BINS, layers * TENSOR_COUNT * BINS)
        if counted:
            count_before_update(program, buffers, frame)
        update_parameters(
            program,
            source,
            buffers.parameters,
            buffers.updates,
            buffers.moment_1,
            buffers.moment_2,
            buffers.typed,
            choices.optimizer,
            amounts,
            iteration - choices.optimizer_start + 1,
            rate,
            measure,
            measures,
        )
        if counted:
            count_after_update(program, buffers, frame)
            statistics.histogram_iterations[frames] = iteration
            frames += 1
        scalars = stretch(all_scalars, k * SCALARS, SCALARS)
        scalars[LOSS] = loss
        scalars[CORRECT] = share
        scalars[RATE] = rate
        scalars[GRADIENT_NORM] = norm
        scalars[CLIPPED_NORM] = clipped_norm
    return frames, validations
