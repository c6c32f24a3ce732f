"""Histograms of all measured tensors of an iteration."""

from __future__ import annotations

from typing import Any

from gradsim.engine.compilation import inner_kernel
from gradsim.engine.instructions import (
    M_FIELDS,
    M_LAYER,
    M_OFFSET,
    M_SIZE,
    M_TENSOR,
    P_COLUMNS,
    P_FIELDS,
    P_IS_MEASURED,
    P_LAYER,
    P_OFFSET,
    P_ROWS,
)
from gradsim.engine.memory import stretch
from gradsim.engine.program import TENSOR_COUNT, UPDATE, WEIGHT_GRADIENT, WEIGHT_VALUES
from gradsim.engine.statistics import histogram
from gradsim.trace import HISTOGRAM_BINS

BINS = HISTOGRAM_BINS


@inner_kernel
def count(x: Any, frame: Any, layer: Any, tensor: Any) -> None:
    """Write the histogram of one tensor to its place in a flat frame (layers · tensors · bins,)."""
    histogram(x, stretch(frame, (layer * TENSOR_COUNT + tensor) * BINS, BINS))


@inner_kernel
def count_work(program: Any, work: Any, frame: Any) -> None:
    """Write the histograms of what lies in the work buffer into a frame."""
    for m in range(program.measured.shape[0] // M_FIELDS):
        row = stretch(program.measured, m * M_FIELDS, M_FIELDS)
        count(stretch(work, row[M_OFFSET], row[M_SIZE]), frame, row[M_LAYER], row[M_TENSOR])


@inner_kernel
def count_parameters(program: Any, flat: Any, frame: Any, tensor: Any) -> None:
    """Write the histograms of measured parameters, or of their gradients or updates, into a frame."""
    for p in range(program.rate_scales.shape[0]):
        row = stretch(program.parameter_table, p * P_FIELDS, P_FIELDS)
        if row[P_IS_MEASURED]:
            size = row[P_ROWS] * row[P_COLUMNS]
            count(stretch(flat, row[P_OFFSET], size), frame, row[P_LAYER], tensor)


@inner_kernel
def count_before_update(program: Any, buffers: Any, frame: Any) -> None:
    """Write all histograms but those of the updates, while the weights are those of this iteration."""
    count_work(program, buffers.work, frame)
    count_parameters(program, buffers.gradients, frame, WEIGHT_GRADIENT)
    count_parameters(program, buffers.parameters, frame, WEIGHT_VALUES)


@inner_kernel
def count_after_update(program: Any, buffers: Any, frame: Any) -> None:
    """Write the histograms of the updates."""
    count_parameters(program, buffers.updates, frame, UPDATE)
