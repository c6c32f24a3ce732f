"""The machine: one compiled function that runs whole iterations of any tape.

It reads the instructions in order for the forward pass and in reverse for the backward pass, then clips and
updates. What each instruction computes stands in the file of its kind; here is only the order of things.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gradsim.engine.activations import (
    PRELU,
    RRELU,
    SOFTMAX,
    activate,
    prelu_pass,
    prelu_slope_gradient,
    rrelu_pass,
    softmax_backward,
    softmax_pass,
)
from gradsim.engine.clipping import (
    ADAPTIVE,
    GLOBAL_NORM,
    NO_CLIPPING,
    NORM,
    VALUE,
    clip_adaptive,
    clip_norm,
    clip_values,
)
from gradsim.engine.compilation import kernel
from gradsim.engine.linear import CHUNK, linear_backward, linear_forward
from gradsim.engine.losses import SSE, correct_share, loss_and_gradient
from gradsim.engine.optimizers import (
    ADAGRAD,
    ADAM,
    ADAMW,
    MOMENTUM,
    NESTEROV,
    RMSPROP,
    adagrad_update,
    adam_update,
    momentum_update,
    rmsprop_update,
    sgd_update,
)
from gradsim.engine.random import permutation
from gradsim.engine.schedules import scheduled_rate
from gradsim.engine.statistics import (
    ACCUMULATOR_SIZE,
    accumulate_statistics,
    begin_statistics,
    finish_statistics,
    histogram,
    tensor_statistics,
)
from gradsim.engine.tape import (
    BIAS,
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
    P_COLUMNS,
    P_IS_WEIGHT,
    P_LAYER,
    P_OFFSET,
    P_ROWS,
    P_TRAINABLE,
    PARAMETER_0,
    PARAMETER_1,
    SLOPE,
    WEIGHT,
)

# Places of the tensors in the statistics, in the order of ``trace.TENSORS``.
PRE_ACTIVATION = 0
ACTIVATION = 1
ACTIVATION_GRADIENT = 2
DELTA = 3
WEIGHT_GRADIENT = 4
UPDATE = 5
WEIGHT_VALUES = 6

RMS = 2

# Columns of ``Statistics.scalars``.
LOSS = 0
CORRECT = 1
RATE = 2
GRADIENT_NORM = 3
CLIPPED_NORM = 4
SCALARS = 5


class Choices(NamedTuple):
    """Whole-number settings of a run."""

    batch: int
    sample_count: int
    loss: int
    optimizer: int
    clipping: int
    schedule: int
    warm_up: int
    schedule_length: int
    shuffle: int
    is_classification: int
    optimizer_start: int
    input_gradient: int
    measure: int
    histogram_every: int
    validate_every: int


class Amounts(NamedTuple):
    """Real settings of a run."""

    rate: float
    beta_1: float
    beta_2: float
    eps: float
    weight_decay: float
    threshold: float
    clipping_eps: float
    schedule_share: float


class Program(NamedTuple):
    """The tape as arrays."""

    instructions: NDArray[np.int64]
    constants: NDArray[np.float64]
    parameter_table: NDArray[np.int64]
    rate_scales: NDArray[np.float64]
    stream_keys: NDArray[np.uint64]
    shuffle_key: NDArray[np.uint64]


class Buffers(NamedTuple):
    """Flat arrays in the precision of the experiment, except for the order of the samples."""

    work: NDArray[Any]
    parameters: NDArray[Any]
    gradients: NDArray[Any]
    clipped: NDArray[Any]
    updates: NDArray[Any]
    moment_1: NDArray[Any]
    moment_2: NDArray[Any]
    targets: NDArray[Any]
    typed: NDArray[Any]
    classes: NDArray[np.int64]
    rows: NDArray[np.int64]
    order: NDArray[np.int64]
    order_epoch: NDArray[np.int64]


class Samples(NamedTuple):
    """Samples of one part, training or validation, in the precision of the experiment."""

    inputs: NDArray[Any]
    targets: NDArray[Any]
    classes: NDArray[np.int64]


class Statistics(NamedTuple):
    """Where the statistics of successive iterations go: rows, and frames for what is not taken every time."""

    values: NDArray[np.float64]
    counts: NDArray[np.int32]
    saturation: NDArray[np.float32]
    scalars: NDArray[np.float64]
    histograms: NDArray[np.int32]
    histogram_iterations: NDArray[np.int64]
    validations: NDArray[np.float64]
    validation_iterations: NDArray[np.int64]


@kernel
def gather_batch(choices: Any, program: Any, buffers: Any, samples: Any, iteration: Any) -> Any:
    """Copy the samples of an iteration into the work and target buffers.

    The epochs, each in an order of its own when shuffled, follow each other without a seam: batch k holds
    places k · batch … (k + 1) · batch − 1 of that stream, so every batch is full and every sample is used
    equally often.
    """
    count = choices.sample_count
    features = samples.inputs.shape[1]
    outputs = samples.targets.shape[1]
    x = program.instructions[0, INPUT]
    for i in range(choices.batch):
        place = iteration * choices.batch + i
        row = place % count
        if choices.shuffle:
            epoch = place // count
            if buffers.order_epoch[0] != epoch:
                permutation(program.shuffle_key[0], epoch, buffers.order)
                buffers.order_epoch[0] = epoch
            row = buffers.order[row]
        buffers.rows[i] = row
        line = buffers.work[x + i * features : x + (i + 1) * features]
        source = samples.inputs[row]
        for j in range(features):
            line[j] = source[j]
        for j in range(outputs):
            buffers.targets[i * outputs + j] = samples.targets[row, j]
        if choices.is_classification:
            buffers.classes[i] = samples.classes[row]


@kernel
def activation_forward(
    code: Any,
    z: Any,
    a: Any,
    slope: Any,
    fan_out: Any,
    constants: Any,
    slopes: Any,
    key: Any,
    first: Any,
    training: Any,
    measure: Any,
    accumulator: Any,
    values: Any,
    counts: Any,
) -> Any:
    """Write a = φ(z) and φ'(z), chunk by chunk with the statistics of a; returns the mean of φ'(z).

    z, a and slope are flat, (rows · fan_out,). ``first`` is the counter of the first random number of an
    RReLU; in evaluation it takes its mean slope. NaN is returned where φ mixes units and has no slope.
    """
    size = z.shape[0]
    step = max(1, CHUNK // fan_out) * fan_out
    slope_sum = 0.0
    if measure:
        begin_statistics(accumulator)
    if code == SOFTMAX:
        softmax_pass(z.reshape(size // fan_out, fan_out), a.reshape(size // fan_out, fan_out))
    for start in range(0, size, step):
        stop = min(start + step, size)
        if code == PRELU:
            rows = (stop - start) // fan_out
            prelu_pass(
                z[start:stop].reshape(rows, fan_out),
                a[start:stop].reshape(rows, fan_out),
                slope[start:stop].reshape(rows, fan_out),
                slopes,
            )
        elif code == RRELU and training:
            rrelu_pass(
                z[start:stop],
                a[start:stop],
                slope[start:stop],
                constants[PARAMETER_0],
                constants[PARAMETER_1],
                key,
                first + start,
            )
        elif code != SOFTMAX:
            activate(
                code,
                z[start:stop],
                a[start:stop],
                slope[start:stop],
                constants[PARAMETER_0],
                constants[PARAMETER_1],
            )
        if measure:
            accumulate_statistics(a[start:stop], accumulator)
            if code != SOFTMAX:
                slope_sum += chunk_sum(slope[start:stop])
    if measure:
        finish_statistics(accumulator, size, values, counts)
    return math.nan if code == SOFTMAX else slope_sum / size


@kernel
def chunk_sum(x: Any) -> Any:
    """Return Σ x in float64."""
    total = 0.0
    for i in range(x.shape[0]):
        total += x[i]
    return total


@kernel
def activation_backward(
    code: Any,
    fused: Any,
    z: Any,
    a: Any,
    a_gradient: Any,
    delta: Any,
    fan_out: Any,
    slopes_gradient: Any,
    measure: Any,
    accumulator: Any,
    a_gradient_values: Any,
    a_gradient_counts: Any,
    delta_values: Any,
    delta_counts: Any,
) -> Any:
    """δ = ∂L/∂a ⊙ φ'(z), in place over the slope, with the statistics of both.

    ``fused``: the loss has already left δ there. Softmax multiplies by its full Jacobian instead.
    """
    size = z.shape[0]
    rows = size // fan_out
    if code == PRELU and not fused:
        prelu_slope_gradient(z.reshape(rows, fan_out), a_gradient.reshape(rows, fan_out), slopes_gradient)
    if code == SOFTMAX and not fused:
        softmax_backward(
            a.reshape(rows, fan_out), a_gradient.reshape(rows, fan_out), delta.reshape(rows, fan_out)
        )
    multiply = code != SOFTMAX and not fused
    if not measure:
        if multiply:
            multiply_into(delta, a_gradient)
        return
    begin_statistics(accumulator[0])
    begin_statistics(accumulator[1])
    for start in range(0, size, CHUNK):
        stop = min(start + CHUNK, size)
        if multiply:
            multiply_into(delta[start:stop], a_gradient[start:stop])
        accumulate_statistics(a_gradient[start:stop], accumulator[0])
        accumulate_statistics(delta[start:stop], accumulator[1])
    finish_statistics(accumulator[0], size, a_gradient_values, a_gradient_counts)
    finish_statistics(accumulator[1], size, delta_values, delta_counts)


@kernel
def multiply_into(out: Any, factor: Any) -> Any:
    """Out ← out ⊙ factor."""
    for i in range(out.shape[0]):
        out[i] *= factor[i]


@kernel
def forward(
    program: Any,
    buffers: Any,
    batch: Any,
    iteration: Any,
    training: Any,
    measure: Any,
    accumulator: Any,
    values: Any,
    counts: Any,
    saturation: Any,
) -> Any:
    """Run the tape forwards over the first ``batch`` rows that stand in the work buffer."""
    work = buffers.work
    for op in range(program.instructions.shape[0]):
        row = program.instructions[op]
        layer = row[LAYER]
        fan_out = row[FAN_OUT]
        source = row[INPUT]
        target = row[OUTPUT]
        if row[OPCODE] == OP_LINEAR:
            fan_in = row[FAN_IN]
            bias = row[BIAS]
            linear_forward(
                work[source : source + batch * fan_in],
                buffers.parameters[row[WEIGHT] : row[WEIGHT] + fan_in * fan_out],
                buffers.parameters[bias : bias + fan_out] if bias >= 0 else buffers.parameters[:0],
                work[target : target + batch * fan_out],
                fan_in,
                fan_out,
                measure,
                accumulator[0],
                values[layer, PRE_ACTIVATION],
                counts[layer, PRE_ACTIVATION],
            )
        else:
            size = batch * fan_out
            mean_slope = activation_forward(
                row[FUNCTION],
                work[source : source + size],
                work[target : target + size],
                work[row[SLOPE] : row[SLOPE] + size],
                fan_out,
                program.constants[op],
                buffers.parameters[row[WEIGHT] : row[WEIGHT] + row[FAN_IN]]
                if row[FUNCTION] == PRELU
                else buffers.parameters[:0],
                program.stream_keys[layer],
                iteration * size,
                training,
                measure,
                accumulator[0],
                values[layer, ACTIVATION],
                counts[layer, ACTIVATION],
            )
            if measure:
                saturation[layer] = 1.0 - mean_slope / program.constants[op, MAXIMAL_SLOPE]


@kernel
def backward(
    choices: Any, program: Any, buffers: Any, measure: Any, accumulator: Any, values: Any, counts: Any
) -> Any:
    """Run the tape backwards from the head's ∂L/∂a (or δ); leaves every parameter gradient."""
    work = buffers.work
    batch = choices.batch
    for op in range(program.instructions.shape[0] - 1, -1, -1):
        row = program.instructions[op]
        layer = row[LAYER]
        fan_out = row[FAN_OUT]
        delta = row[SLOPE] if row[OPCODE] != OP_LINEAR else row[OUTPUT_GRADIENT]
        size = batch * fan_out
        if row[OPCODE] == OP_LINEAR:
            fan_in = row[FAN_IN]
            bias = row[BIAS]
            # Nothing below needs the gradient of the inputs; it is computed only to be looked at.
            x_gradient = row[INPUT_GRADIENT] if op > 0 or choices.input_gradient else -1
            linear_backward(
                work[row[INPUT] : row[INPUT] + batch * fan_in],
                buffers.parameters[row[WEIGHT] : row[WEIGHT] + fan_in * fan_out],
                work[delta : delta + size],
                buffers.gradients[row[WEIGHT] : row[WEIGHT] + fan_in * fan_out],
                buffers.gradients[bias : bias + fan_out] if bias >= 0 else buffers.gradients[:0],
                work[x_gradient : x_gradient + batch * fan_in] if x_gradient >= 0 else work[:0],
                fan_in,
                fan_out,
                measure,
                values[layer, WEIGHT_GRADIENT],
                counts[layer, WEIGHT_GRADIENT],
            )
        else:
            activation_backward(
                row[FUNCTION],
                row[FUSED],
                work[row[INPUT] : row[INPUT] + size],
                work[row[OUTPUT] : row[OUTPUT] + size],
                work[row[OUTPUT_GRADIENT] : row[OUTPUT_GRADIENT] + size],
                work[delta : delta + size],
                fan_out,
                buffers.gradients[row[WEIGHT] : row[WEIGHT] + row[FAN_IN]]
                if row[FUNCTION] == PRELU
                else buffers.gradients[:0],
                measure,
                accumulator,
                values[layer, ACTIVATION_GRADIENT],
                counts[layer, ACTIVATION_GRADIENT],
                values[layer, DELTA],
                counts[layer, DELTA],
            )


@kernel
def clip(
    choices: Any,
    amounts: Any,
    program: Any,
    buffers: Any,
    measure: Any,
    values: Any,
    scratch_values: Any,
    scratch_counts: Any,
    norms: Any,
) -> Any:
    """Clip the gradients into ``buffers.clipped``; returns the global norm before and after.

    Frozen parameters are not clipped and do not count in the norm, as in PyTorch, where they have no
    gradient. Without clipping nothing is copied and the update reads ``buffers.gradients``.
    """
    table = program.parameter_table
    total = 0.0
    for p in range(table.shape[0]):
        row = table[p]
        size = row[P_ROWS] * row[P_COLUMNS]
        if measure and row[P_IS_WEIGHT]:
            rms = values[row[P_LAYER], WEIGHT_GRADIENT, RMS]
        else:
            tensor_statistics(
                buffers.gradients[row[P_OFFSET] : row[P_OFFSET] + size], scratch_values, scratch_counts
            )
            rms = scratch_values[RMS]
        norms[p] = rms * math.sqrt(size)
        if row[P_TRAINABLE]:
            total = math.hypot(total, norms[p])
    if choices.clipping == NO_CLIPPING:
        return total, total
    after = 0.0
    for p in range(table.shape[0]):
        row = table[p]
        offset = row[P_OFFSET]
        size = row[P_ROWS] * row[P_COLUMNS]
        gradient = buffers.gradients[offset : offset + size]
        out = buffers.clipped[offset : offset + size]
        if not row[P_TRAINABLE]:
            out[:] = gradient
            continue
        if choices.clipping == VALUE:
            clip_values(gradient, out, amounts.threshold)
        elif choices.clipping == NORM:
            clip_norm(gradient, out, norms[p], amounts.threshold)
        elif choices.clipping == GLOBAL_NORM:
            clip_norm(gradient, out, total, amounts.threshold)
        elif choices.clipping == ADAPTIVE:
            clip_adaptive(
                gradient,
                buffers.parameters[offset : offset + size],
                out,
                row[P_ROWS],
                row[P_COLUMNS],
                row[P_IS_WEIGHT],
                amounts.threshold,
                amounts.clipping_eps,
            )
        tensor_statistics(out, scratch_values, scratch_counts)
        after = math.hypot(after, scratch_values[RMS] * math.sqrt(size))
    return total, after


@kernel
def update_chunk(
    optimizer: Any,
    gradient: Any,
    parameter: Any,
    update: Any,
    moment_1: Any,
    moment_2: Any,
    typed: Any,
    decay: Any,
) -> Any:
    """Write Δw of one chunk; ``typed`` holds the constants in the precision of the network.

    typed: 0 rate, 1 β₁ or μ or α, 2 1 − β₁, 3 β₂, 4 1 − β₂, 5 eps, 6 weight decay, 7 root of the second
    bias correction, 8 rate over the first bias correction, 9 rate · weight decay.
    """
    if decay and optimizer != ADAMW:
        factor = typed[6]
        for i in range(update.shape[0]):
            update[i] = gradient[i] + factor * parameter[i]
    else:
        for i in range(update.shape[0]):
            update[i] = gradient[i]
    if optimizer == MOMENTUM or optimizer == NESTEROV:
        momentum_update(update, moment_1, typed[0], typed[1], optimizer == NESTEROV)
    elif optimizer == RMSPROP:
        rmsprop_update(update, moment_1, typed[0], typed[1], typed[2], typed[5])
    elif optimizer == ADAGRAD:
        adagrad_update(update, moment_1, typed[0], typed[5])
    elif optimizer == ADAM or optimizer == ADAMW:
        adam_update(
            update, moment_1, moment_2, typed[8], typed[1], typed[2], typed[3], typed[4], typed[7], typed[5]
        )
        if decay and optimizer == ADAMW:
            factor = typed[9]
            for i in range(update.shape[0]):
                update[i] -= factor * parameter[i]
    else:
        sgd_update(update, typed[0])


@kernel
def add_into(out: Any, term: Any) -> Any:
    """Out ← out + term."""
    for i in range(out.shape[0]):
        out[i] += term[i]


@kernel
def update_parameters(
    choices: Any,
    amounts: Any,
    program: Any,
    buffers: Any,
    iteration: Any,
    rate: Any,
    measure: Any,
    accumulator: Any,
    values: Any,
    counts: Any,
) -> Any:
    """W ← w + Δw for every parameter, with the statistics of Δw and of w before it."""
    typed = buffers.typed
    optimizer = choices.optimizer
    age = iteration - choices.optimizer_start + 1
    correction_1 = 1.0 - amounts.beta_1**age
    correction_2 = 1.0 - amounts.beta_2**age
    typed[1] = amounts.beta_1
    typed[2] = 1.0 - amounts.beta_1
    typed[3] = amounts.beta_2
    typed[4] = 1.0 - amounts.beta_2
    typed[5] = amounts.eps
    typed[6] = amounts.weight_decay
    typed[7] = math.sqrt(correction_2)
    decay = amounts.weight_decay != 0.0
    uses_1 = optimizer != 0
    uses_2 = optimizer == ADAM or optimizer == ADAMW
    source = buffers.clipped if choices.clipping != NO_CLIPPING else buffers.gradients
    for p in range(program.parameter_table.shape[0]):
        row = program.parameter_table[p]
        offset = row[P_OFFSET]
        size = row[P_ROWS] * row[P_COLUMNS]
        scaled = rate * program.rate_scales[p]
        typed[0] = scaled
        typed[8] = scaled / correction_1
        typed[9] = scaled * amounts.weight_decay
        counted = measure and row[P_IS_WEIGHT]
        if counted:
            begin_statistics(accumulator[0])
            begin_statistics(accumulator[1])
        for start in range(offset, offset + size, CHUNK):
            stop = min(start + CHUNK, offset + size)
            parameter = buffers.parameters[start:stop]
            update = buffers.updates[start:stop]
            if row[P_TRAINABLE]:
                update_chunk(
                    optimizer,
                    source[start:stop],
                    parameter,
                    update,
                    buffers.moment_1[start:stop] if uses_1 else buffers.moment_1[:0],
                    buffers.moment_2[start:stop] if uses_2 else buffers.moment_2[:0],
                    typed,
                    decay,
                )
            else:
                update[:] = 0
            if counted:
                accumulate_statistics(update, accumulator[0])
                accumulate_statistics(parameter, accumulator[1])
            if row[P_TRAINABLE]:
                add_into(parameter, update)
        if counted:
            layer = row[P_LAYER]
            finish_statistics(accumulator[0], size, values[layer, UPDATE], counts[layer, UPDATE])
            finish_statistics(
                accumulator[1], size, values[layer, WEIGHT_VALUES], counts[layer, WEIGHT_VALUES]
            )


@kernel
def count_histograms(choices: Any, program: Any, buffers: Any, frame: Any) -> Any:
    """Write the histograms of all tensors but the updates into one frame (layers, tensors, bins).

    Called before the update, so that the weights are those of this iteration.
    """
    work = buffers.work
    for op in range(program.instructions.shape[0]):
        row = program.instructions[op]
        out = frame[row[LAYER]]
        size = choices.batch * row[FAN_OUT]
        if row[OPCODE] == OP_LINEAR:
            weights = row[FAN_IN] * row[FAN_OUT]
            histogram(work[row[OUTPUT] : row[OUTPUT] + size], out[PRE_ACTIVATION])
            histogram(buffers.gradients[row[WEIGHT] : row[WEIGHT] + weights], out[WEIGHT_GRADIENT])
            histogram(buffers.parameters[row[WEIGHT] : row[WEIGHT] + weights], out[WEIGHT_VALUES])
        else:
            histogram(work[row[OUTPUT] : row[OUTPUT] + size], out[ACTIVATION])
            histogram(work[row[OUTPUT_GRADIENT] : row[OUTPUT_GRADIENT] + size], out[ACTIVATION_GRADIENT])
            histogram(work[row[SLOPE] : row[SLOPE] + size], out[DELTA])


@kernel
def count_update_histograms(program: Any, buffers: Any, frame: Any) -> Any:
    """Write the histograms of the updates into one frame (layers, tensors, bins), after the update."""
    table = program.parameter_table
    for p in range(table.shape[0]):
        if table[p, P_IS_WEIGHT]:
            start = table[p, P_OFFSET]
            size = table[p, P_ROWS] * table[p, P_COLUMNS]
            histogram(buffers.updates[start : start + size], frame[table[p, P_LAYER], UPDATE])


@kernel
def load_rows(program: Any, buffers: Any, inputs: Any, first: Any, rows: Any) -> Any:
    """Copy ``rows`` rows of inputs (samples, features) from row ``first`` on into the work buffer."""
    features = inputs.shape[1]
    x = program.instructions[0, INPUT]
    for i in range(rows):
        line = buffers.work[x + i * features : x + (i + 1) * features]
        source = inputs[first + i]
        for j in range(features):
            line[j] = source[j]


@kernel
def forward_in_evaluation(program: Any, buffers: Any, rows: Any) -> Any:
    """Run the tape forwards in evaluation mode over ``rows`` rows, measuring nothing."""
    accumulator = np.empty((2, ACCUMULATOR_SIZE))
    layers = program.stream_keys.shape[0]
    values = np.empty((layers, 7, 5))
    counts = np.empty((layers, 7, 4), np.int32)
    saturation = np.empty(layers, np.float32)
    forward(program, buffers, rows, 0, False, False, accumulator, values, counts, saturation)


@kernel
def outputs_of(choices: Any, program: Any, buffers: Any, inputs: Any, out: Any) -> Any:
    """Write the activations of the head for inputs (samples, features) into out (samples, outputs)."""
    head = program.instructions[program.instructions.shape[0] - 1]
    outputs = head[FAN_OUT]
    for first in range(0, inputs.shape[0], choices.batch):
        rows = min(choices.batch, inputs.shape[0] - first)
        load_rows(program, buffers, inputs, first, rows)
        forward_in_evaluation(program, buffers, rows)
        for i in range(rows):
            for j in range(outputs):
                out[first + i, j] = buffers.work[head[OUTPUT] + i * outputs + j]


@kernel
def evaluate(choices: Any, program: Any, buffers: Any, part: Any) -> Any:
    """Return loss and share of right classes over a whole part of the samples, in evaluation mode.

    Batch after batch through the work buffer; a mean loss is weighted by the rows of each batch.
    """
    head = program.instructions[program.instructions.shape[0] - 1]
    outputs = head[FAN_OUT]
    work = buffers.work
    count = part.inputs.shape[0]
    loss = 0.0
    correct = 0.0
    for first in range(0, count, choices.batch):
        rows = min(choices.batch, count - first)
        size = rows * outputs
        load_rows(program, buffers, part.inputs, first, rows)
        for i in range(rows):
            for j in range(outputs):
                buffers.targets[i * outputs + j] = part.targets[first + i, j]
        forward_in_evaluation(program, buffers, rows)
        batch_loss = loss_and_gradient(
            choices.loss,
            work[head[INPUT] : head[INPUT] + size],
            work[head[OUTPUT] : head[OUTPUT] + size],
            buffers.targets[:size],
            work[head[OUTPUT_GRADIENT] : head[OUTPUT_GRADIENT] + size],
            work[head[SLOPE] : head[SLOPE] + size],
            rows,
            outputs,
        )
        loss += batch_loss if choices.loss == SSE else batch_loss * (rows / count)
        if choices.is_classification:
            share = correct_share(
                work[head[OUTPUT] : head[OUTPUT] + size], part.classes[first : first + rows], outputs
            )
            correct += share * (rows / count)
    return loss, correct if choices.is_classification else math.nan


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
    accumulator = np.empty((2, ACCUMULATOR_SIZE))
    scratch_values = np.empty(5)
    scratch_counts = np.empty(4, np.int32)
    norms = np.empty(program.parameter_table.shape[0])
    head = program.instructions[program.instructions.shape[0] - 1]
    outputs = head[FAN_OUT]
    size = choices.batch * outputs
    work = buffers.work
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
        values = statistics.values[slot]
        counts = statistics.counts[slot]
        scalars = statistics.scalars[k]
        gather_batch(choices, program, buffers, samples, iteration)
        forward(
            program,
            buffers,
            choices.batch,
            iteration,
            True,
            measure,
            accumulator,
            values,
            counts,
            statistics.saturation[slot],
        )
        scalars[LOSS] = loss_and_gradient(
            choices.loss,
            work[head[INPUT] : head[INPUT] + size],
            work[head[OUTPUT] : head[OUTPUT] + size],
            buffers.targets,
            work[head[OUTPUT_GRADIENT] : head[OUTPUT_GRADIENT] + size],
            work[head[SLOPE] : head[SLOPE] + size],
            choices.batch,
            outputs,
        )
        scalars[CORRECT] = math.nan
        if choices.is_classification:
            scalars[CORRECT] = correct_share(
                work[head[OUTPUT] : head[OUTPUT] + size], buffers.classes, outputs
            )
        backward(choices, program, buffers, measure, accumulator, values, counts)
        scalars[GRADIENT_NORM], scalars[CLIPPED_NORM] = clip(
            choices,
            amounts,
            program,
            buffers,
            measure,
            values,
            scratch_values,
            scratch_counts,
            norms,
        )
        rate = scheduled_rate(
            choices.schedule,
            amounts.rate,
            iteration,
            choices.warm_up,
            choices.schedule_length,
            amounts.schedule_share,
        )
        scalars[RATE] = rate
        counted = measure and iteration % choices.histogram_every == 0
        if counted:
            count_histograms(choices, program, buffers, statistics.histograms[frames])
        update_parameters(
            choices, amounts, program, buffers, iteration, rate, measure, accumulator, values, counts
        )
        if counted:
            count_update_histograms(program, buffers, statistics.histograms[frames])
            statistics.histogram_iterations[frames] = iteration
            frames += 1
    return frames, validations
