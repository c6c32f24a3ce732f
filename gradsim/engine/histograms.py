"""Histograms of all measured tensors of an iteration."""

from __future__ import annotations

from typing import Any

from gradsim.engine.compilation import inner_kernel
from gradsim.engine.memory import stretch
from gradsim.engine.program import (
    ACTIVATION,
    ACTIVATION_GRADIENT,
    DELTA,
    PRE_ACTIVATION,
    TENSOR_COUNT,
    UPDATE,
    WEIGHT_GRADIENT,
    WEIGHT_VALUES,
)
from gradsim.engine.statistics import histogram
from gradsim.engine.tape import (
    COLUMNS,
    FAN_IN,
    FAN_OUT,
    LAYER,
    OP_LINEAR,
    OPCODE,
    OUTPUT,
    OUTPUT_GRADIENT,
    P_COLUMNS,
    P_FIELDS,
    P_IS_WEIGHT,
    P_LAYER,
    P_OFFSET,
    P_ROWS,
    SLOPE,
    WEIGHT,
)
from gradsim.trace import HISTOGRAM_BINS

BINS = HISTOGRAM_BINS


@inner_kernel
def count(x: Any, frame: Any, layer: Any, tensor: Any) -> None:
    """Write the histogram of one tensor to its place in a flat frame (layers · tensors · bins,)."""
    histogram(x, stretch(frame, (layer * TENSOR_COUNT + tensor) * BINS, BINS))


@inner_kernel
def count_histograms(choices: Any, program: Any, buffers: Any, frame: Any) -> None:
    """Write the histograms of all tensors but the updates into a frame.

    Called before the update, so that the weights are those of this iteration.
    """
    work = buffers.work
    for op in range(program.instructions.shape[0] // COLUMNS):
        row = stretch(program.instructions, op * COLUMNS, COLUMNS)
        layer = row[LAYER]
        size = choices.batch * row[FAN_OUT]
        if row[OPCODE] == OP_LINEAR:
            weights = row[FAN_IN] * row[FAN_OUT]
            count(stretch(work, row[OUTPUT], size), frame, layer, PRE_ACTIVATION)
            count(stretch(buffers.gradients, row[WEIGHT], weights), frame, layer, WEIGHT_GRADIENT)
            count(stretch(buffers.parameters, row[WEIGHT], weights), frame, layer, WEIGHT_VALUES)
        else:
            count(stretch(work, row[OUTPUT], size), frame, layer, ACTIVATION)
            count(stretch(work, row[OUTPUT_GRADIENT], size), frame, layer, ACTIVATION_GRADIENT)
            count(stretch(work, row[SLOPE], size), frame, layer, DELTA)


@inner_kernel
def count_update_histograms(program: Any, buffers: Any, frame: Any) -> None:
    """Write the histograms of the updates into a frame, after the update."""
    for p in range(program.rate_scales.shape[0]):
        row = stretch(program.parameter_table, p * P_FIELDS, P_FIELDS)
        if row[P_IS_WEIGHT]:
            size = row[P_ROWS] * row[P_COLUMNS]
            count(stretch(buffers.updates, row[P_OFFSET], size), frame, row[P_LAYER], UPDATE)
