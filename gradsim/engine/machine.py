"""The machine: one compiled function that runs whole iterations of any tape.

Here is only the order of things: gather a batch, forward, loss, backward, clip, update, count; and the two other
ways to move weights, which are given up to it: the phases of pretraining, and evolution, whose step is made before
the pass that is shown. What each of them computes stands in the file of its kind.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gradsim.engine.clipping import NO_CLIPPING
from gradsim.engine.compilation import ON, allocates, inner_kernel, kernel
from gradsim.engine.evaluation import evaluate, place_sample
from gradsim.engine.evolution import best_first, make_child, recombine
from gradsim.engine.histograms import BINS, count_after_update, count_before_update
from gradsim.engine.instructions import COLUMNS, FUSED, INPUT, LAYER, OUTPUT, OUTPUT_GRADIENT, SLOPE
from gradsim.engine.loss_scaling import SCALE, move_scale, scale_head
from gradsim.engine.losses import correct_share, loss_and_gradient
from gradsim.engine.memory import clear, stretch
from gradsim.engine.passes import backward, forward
from gradsim.engine.precision import BACKWARD, FLOAT32, round_tensor
from gradsim.engine.pretraining import (
    BELOW,
    PHASE_FIELDS,
    THROUGH,
    begin_phase,
    part_of,
    phase_of,
    silence_head,
    stop_gradient,
)
from gradsim.engine.pretraining import LAYER as PHASE_LAYER
from gradsim.engine.program import (
    CLIPPED_NORM,
    CORRECT,
    COUNT_COUNT,
    EVOLUTION,
    GRADIENT_NORM,
    LOSS,
    LOSS_SCALE,
    RATE,
    ROUNDED,
    SCALARS,
    TENSOR_COUNT,
    VALUE_COUNT,
    Measures,
)
from gradsim.engine.random import permutation
from gradsim.engine.schedules import scheduled_rate
from gradsim.engine.statistics import ACCUMULATOR_SIZE
from gradsim.engine.updating import (
    EVERY_LAYER,
    NO_LAYER,
    clip,
    measure_again,
    measure_norms,
    unscale,
    update_parameters,
)
from gradsim.engine.weight_noise import add_weight_noise, remove_weight_noise


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


class Room(NamedTuple):
    """What the machine needs while it runs, and forgets."""

    accumulators: NDArray[np.float64]
    norms: NDArray[np.float64]
    losses: NDArray[np.float64]
    order: NDArray[np.int64]


@kernel
@allocates
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
    room = Room(
        np.empty(2 * ACCUMULATOR_SIZE),
        np.empty(program.rate_scales.shape[0]),
        np.empty(choices.population),
        np.empty(choices.population, np.int64),
    )
    return iterate(first, count, choices, amounts, program, buffers, samples, validation, statistics, room)


@inner_kernel
def iterate(
    first: Any,
    count: Any,
    choices: Any,
    amounts: Any,
    program: Any,
    buffers: Any,
    samples: Any,
    validation: Any,
    statistics: Any,
    room: Any,
) -> Any:
    """Do what ``run_iterations`` says, allocating nothing."""
    measure = choices.measure != 0
    layers = program.stream_keys.shape[0]
    values = statistics.values.reshape(-1)
    counts = statistics.counts.reshape(-1)
    saturation = statistics.saturation.reshape(-1)
    rounded = statistics.rounded.reshape(-1)
    histograms = statistics.histograms.reshape(-1)
    all_scalars = statistics.scalars.reshape(-1)
    accumulators, norms, losses, order = room.accumulators, room.norms, room.losses, room.order
    head = stretch(program.instructions, (choices.operations - 1) * COLUMNS, COLUMNS)
    rows = choices.batch * choices.target_steps
    size = rows * choices.outputs
    work = buffers.work
    source = buffers.gradients if choices.clipping == NO_CLIPPING else buffers.clipped
    is_narrow = choices.format != FLOAT32
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
            stretch(rounded, slot * layers * ROUNDED, layers * ROUNDED),
            choices.format,
            stretch(accumulators, 0, ACCUMULATOR_SIZE),
            stretch(accumulators, ACCUMULATOR_SIZE, ACCUMULATOR_SIZE),
            buffers.scratch,
        )
        phase = phase_of(choices, iteration)
        start = phase_start(choices, phase, iteration)
        if start > 0 and iteration == start:
            clear(buffers.moment_1)
            clear(buffers.moment_2)
        rate = rate_of(choices, amounts, phase, iteration - start)
        scale = buffers.scaling[SCALE]
        gather_batch(choices, program, buffers, samples, iteration)
        children = 0
        if choices.method == EVOLUTION:
            children = choices.population
            rate = amounts.mutation * amounts.mutation_decay**iteration
        loss = 0.0
        # The children of an evolution pass forwards before the weights themselves, through the same code.
        for number in range(children + 1):
            is_child = number < children
            if is_child:
                first_child = iteration * children
                make_child(program, buffers.parameters, buffers.candidate, rate, first_child + number)
            else:
                if children > 0:
                    best_first(losses, order)
                    recombine(program, buffers.updates, order, choices.parents, rate, iteration * children)
                if is_narrow:
                    clear(measures.rounded)  # only now: what the children lost does not count
                if amounts.weight_noise > 0.0:
                    add_weight_noise(program, buffers, amounts.weight_noise, iteration)
            parameters = buffers.candidate if is_child else buffers.parameters
            measured = measure and not is_child
            last = choices.operations - 1
            forward(program, work, parameters, choices.batch, 0, last, iteration, ON, measured, measures)
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
            if is_child:
                losses[number] = loss
        share = math.nan
        if choices.is_classification:
            share = correct_share(stretch(work, head[OUTPUT], size), buffers.classes, choices.outputs)
        only = EVERY_LAYER
        first_op, last_op, wanted = choices.first_op, choices.last_op, choices.input_gradient
        if choices.phases > 0:
            clear(buffers.gradients)  # those of what takes no part are 0
        if phase >= 0:
            only = program.phase_table[phase * PHASE_FIELDS + PHASE_LAYER]
            silence_head(head, work, size)
        else:
            if scale != 1.0:
                scale_head(head, work, size, scale)
            if is_narrow:
                round_tensor(stretch(work, head[OUTPUT_GRADIENT], size), measures, head[LAYER], BACKWARD)
                if head[FUSED]:
                    round_tensor(stretch(work, head[SLOPE], size), measures, head[LAYER], BACKWARD)
            if choices.seed >= 0:
                unit = stretch(work, choices.seed_offset, choices.seed_size)
                clear(unit)
                unit[choices.seed] = 1
        # A phase of pretraining goes backwards in three parts: above its layer, through it, and below.
        for part in range(3 if phase >= 0 else 1):
            if phase >= 0:
                first_op, last_op, wanted = part_of(choices, program, phase, part)
                if part == THROUGH:
                    loss = begin_phase(choices, program, buffers, phase, scale, measures)
                elif part == BELOW:
                    stop_gradient(choices, program, work, phase)
            backward(
                program,
                work,
                buffers.parameters,
                buffers.gradients,
                choices.batch,
                first_op,
                last_op,
                wanted,
                measure,
                measures,
            )
        if scale != 1.0:
            unscale(program, buffers.gradients, scale)
        if measure and (is_narrow or scale != 1.0):
            measure_again(program, buffers, measures)
        norm = measure_norms(program, buffers.gradients, norms, only, measure, measures)
        is_updated = move_scale(choices, buffers.scaling, norm)
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
            only,
            measures.first,
        )
        counted = measure and iteration % choices.histogram_every == 0
        frame = stretch(histograms, frames * layers * TENSOR_COUNT * BINS, layers * TENSOR_COUNT * BINS)
        if counted:
            count_before_update(program, buffers, frame)
        if amounts.weight_noise > 0.0:
            remove_weight_noise(program, buffers)
        update_parameters(
            program,
            source,
            buffers.parameters,
            buffers.noisy if amounts.weight_noise > 0.0 else buffers.parameters,
            buffers.updates,
            buffers.moment_1,
            buffers.moment_2,
            buffers.typed,
            choices.optimizer,
            amounts,
            iteration - max(choices.optimizer_start, start) + 1,
            rate,
            only if is_updated else NO_LAYER,
            choices.method == EVOLUTION,
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
        scalars[LOSS_SCALE] = scale
    return frames, validations


@inner_kernel
def phase_start(choices: Any, phase: Any, iteration: Any) -> Any:
    """Return the first iteration of the phase of pretraining or fine-tuning that an iteration belongs to."""
    return phase * choices.phase_length if phase >= 0 else choices.phases * choices.phase_length


@inner_kernel
def rate_of(choices: Any, amounts: Any, phase: Any, since: Any) -> Any:
    """Return the learning rate, constant while pretraining, else by the schedule since the phase began."""
    if phase >= 0:
        return amounts.phase_rate
    return scheduled_rate(
        choices.schedule,
        amounts.rate,
        since,
        choices.warm_up,
        choices.schedule_length,
        amounts.schedule_share,
    )
