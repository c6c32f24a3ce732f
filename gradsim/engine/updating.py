"""From gradients to new parameters: clip, let the optimizer decide, add; with the statistics of both."""

from __future__ import annotations

import math
from typing import Any

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
from gradsim.engine.compilation import inner_kernel
from gradsim.engine.instructions import (
    M_FIELDS,
    M_LAYER,
    M_OFFSET,
    M_SIZE,
    M_TENSOR,
    P_COLUMNS,
    P_FIELDS,
    P_IS_DECODER,
    P_IS_MEASURED,
    P_LAYER,
    P_OFFSET,
    P_ROWS,
    P_TRAINABLE,
)
from gradsim.engine.loss_scaling import multiply
from gradsim.engine.measuring import measure_tensor
from gradsim.engine.memory import clear, copy, stretch
from gradsim.engine.optimizers import (
    ADAM,
    ADAMW,
    CORRECTED_RATE,
    DECAY_1,
    DECAY_2,
    EPS,
    RATE,
    RATE_TIMES_DECAY,
    REST_1,
    REST_2,
    ROOT,
    SGD,
    WEIGHT_DECAY,
    update_chunk,
)
from gradsim.engine.precision import BACKWARD, FLOAT32, round_tensor
from gradsim.engine.program import (
    RMS,
    UPDATE,
    WEIGHT_GRADIENT,
    WEIGHT_VALUES,
    counts_of,
    values_of,
)
from gradsim.engine.statistics import (
    CHUNK,
    accumulate_statistics,
    begin_statistics,
    finish_statistics,
    tensor_norm,
)

EVERY_LAYER = -1
"""Not a phase of pretraining: all layers move."""
NO_LAYER = -2
"""An update that is left out."""


@inner_kernel
def moves(row: Any, only: Any) -> Any:
    """Whether a parameter is trained, in the pretraining of layer ``only`` or with ``EVERY_LAYER``."""
    if only == EVERY_LAYER:
        return row[P_TRAINABLE] != 0 and row[P_IS_DECODER] == 0
    return row[P_TRAINABLE] != 0 and row[P_LAYER] == only


@inner_kernel
def unscale(program: Any, gradients: Any, scale: Any) -> None:
    """Take the loss scale off the gradients of all parameters."""
    for p in range(program.rate_scales.shape[0]):
        row = stretch(program.parameter_table, p * P_FIELDS, P_FIELDS)
        multiply(stretch(gradients, row[P_OFFSET], row[P_ROWS] * row[P_COLUMNS]), 1.0 / scale)


@inner_kernel
def measure_again(program: Any, buffers: Any, measures: Any) -> None:
    """Take the statistics of what was stored, where rounding has followed the pass that took them along."""
    for m in range(program.measured.shape[0] // M_FIELDS):
        row = stretch(program.measured, m * M_FIELDS, M_FIELDS)
        measure_tensor(
            stretch(buffers.work, row[M_OFFSET], row[M_SIZE]), measures, row[M_LAYER], row[M_TENSOR]
        )
    for p in range(program.rate_scales.shape[0]):
        row = stretch(program.parameter_table, p * P_FIELDS, P_FIELDS)
        if row[P_IS_MEASURED]:
            gradient = stretch(buffers.gradients, row[P_OFFSET], row[P_ROWS] * row[P_COLUMNS])
            measure_tensor(gradient, measures, row[P_LAYER], WEIGHT_GRADIENT)


@inner_kernel
def measure_norms(program: Any, gradients: Any, norms: Any, only: Any, measure: Any, measures: Any) -> Any:
    """Write the l2 norm of each parameter gradient; return that of all trained ones together.

    Frozen parameters do not count, as in PyTorch, where they have no gradient.
    """
    total = 0.0
    for p in range(norms.shape[0]):
        row = stretch(program.parameter_table, p * P_FIELDS, P_FIELDS)
        size = row[P_ROWS] * row[P_COLUMNS]
        if measure and row[P_IS_MEASURED]:
            norms[p] = values_of(measures, row[P_LAYER], WEIGHT_GRADIENT)[RMS] * math.sqrt(size)
        else:
            norms[p] = tensor_norm(stretch(gradients, row[P_OFFSET], size), measures.first)
        if moves(row, only):
            total = joined_norm(total, norms[p])
    return total


@inner_kernel
def joined_norm(a: Any, b: Any) -> Any:
    """√(a² + b²) for a, b ≥ 0 that neither overflows nor underflows on the way; NaN and Inf as IEEE says."""
    squared = a * a + b * b
    if 1e-280 < squared < 1e280:
        return math.sqrt(squared)
    return math.hypot(a, b) if a == a and b == b else a + b


@inner_kernel
def clip(
    program: Any,
    gradients: Any,
    parameters: Any,
    clipped: Any,
    kind: Any,
    threshold: Any,
    eps: Any,
    norms: Any,
    total: Any,
    only: Any,
    accumulator: Any,
) -> Any:
    """Clip the gradients into ``clipped``; return their norm afterwards.

    Frozen parameters are not clipped. Without clipping nothing is copied and the update reads the gradients.
    """
    if kind == NO_CLIPPING:
        return total
    after = 0.0
    for p in range(norms.shape[0]):
        row = stretch(program.parameter_table, p * P_FIELDS, P_FIELDS)
        offset = row[P_OFFSET]
        size = row[P_ROWS] * row[P_COLUMNS]
        gradient = stretch(gradients, offset, size)
        out = stretch(clipped, offset, size)
        if not moves(row, only):
            copy(gradient, out)
            continue
        if kind == VALUE:
            clip_values(gradient, out, threshold)
        elif kind == NORM:
            clip_norm(gradient, out, norms[p], threshold)
        elif kind == GLOBAL_NORM:
            clip_norm(gradient, out, total, threshold)
        elif kind == ADAPTIVE:
            clip_adaptive(
                gradient,
                stretch(parameters, offset, size),
                out,
                row[P_ROWS],
                row[P_COLUMNS],
                row[P_IS_MEASURED],
                threshold,
                eps,
            )
        after = joined_norm(after, tensor_norm(out, accumulator))
    return after


@inner_kernel
def add_into(out: Any, term: Any) -> None:
    """Add term to out, element by element."""
    for i in range(out.shape[0]):
        out[i] += term[i]


@inner_kernel
def update_parameters(
    program: Any,
    source: Any,
    parameters: Any,
    shown: Any,
    updates: Any,
    moment_1: Any,
    moment_2: Any,
    typed: Any,
    optimizer: Any,
    amounts: Any,
    age: Any,
    rate: Any,
    only: Any,
    given: Any,
    measure: Any,
    measures: Any,
) -> None:
    """W ← w + Δw for every parameter, with the statistics of Δw and of ``shown``, the w that the pass saw.

    ``source`` holds the (clipped) gradients; ``age`` is the number of this update, the first is 1. Where
    ``given``, Δw stands in ``updates`` already.
    """
    typed[DECAY_1] = amounts.beta_1
    typed[REST_1] = 1.0 - amounts.beta_1
    typed[DECAY_2] = amounts.beta_2
    typed[REST_2] = 1.0 - amounts.beta_2
    typed[EPS] = amounts.eps
    correction_1 = 1.0
    if optimizer == ADAM or optimizer == ADAMW:
        correction_1 = 1.0 - amounts.beta_1**age
        typed[ROOT] = math.sqrt(1.0 - amounts.beta_2**age)
    narrow = measures.format != FLOAT32
    uses_1 = 1 if optimizer != SGD else 0
    uses_2 = 1 if optimizer == ADAM or optimizer == ADAMW else 0
    for p in range(program.rate_scales.shape[0]):
        row = stretch(program.parameter_table, p * P_FIELDS, P_FIELDS)
        size = row[P_ROWS] * row[P_COLUMNS]
        scaled = rate * program.rate_scales[p]
        typed[RATE] = scaled
        typed[CORRECTED_RATE] = scaled / correction_1
        weight_decay = amounts.weight_decay * program.decay_scales[p]
        typed[WEIGHT_DECAY] = weight_decay
        typed[RATE_TIMES_DECAY] = scaled * weight_decay
        trained = moves(row, only)
        counted = measure and row[P_IS_MEASURED]
        if counted:
            begin_statistics(measures.first)
            begin_statistics(measures.second)
        for done in range(0, size, CHUNK):
            count = min(CHUNK, size - done)
            start = row[P_OFFSET] + done
            parameter = stretch(parameters, start, count)
            update = stretch(updates, start, count)
            if not trained:
                clear(update)
            elif not given:
                update_chunk(
                    optimizer,
                    stretch(source, start, count),
                    parameter,
                    update,
                    stretch(moment_1, start * uses_1, count * uses_1),
                    stretch(moment_2, start * uses_2, count * uses_2),
                    typed,
                    weight_decay != 0.0,
                )
            if narrow and trained:
                round_tensor(update, measures, row[P_LAYER], BACKWARD)
                round_tensor(
                    stretch(moment_1, start * uses_1, count * uses_1), measures, row[P_LAYER], BACKWARD
                )
                round_tensor(
                    stretch(moment_2, start * uses_2, count * uses_2), measures, row[P_LAYER], BACKWARD
                )
            if counted:
                accumulate_statistics(update, measures.first)
                accumulate_statistics(stretch(shown, start, count), measures.second)
            if trained:
                add_into(parameter, update)
                round_tensor(parameter, measures, row[P_LAYER], BACKWARD)
        if counted:
            layer = row[P_LAYER]
            finish_statistics(
                measures.first, size, values_of(measures, layer, UPDATE), counts_of(measures, layer, UPDATE)
            )
            finish_statistics(
                measures.second,
                size,
                values_of(measures, layer, WEIGHT_VALUES),
                counts_of(measures, layer, WEIGHT_VALUES),
            )
