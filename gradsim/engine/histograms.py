"""Histograms: of one tensor in octaves, and of all measured tensors of an iteration."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradsim.engine.compilation import allocates, inner_kernel, kernel
from gradsim.engine.float_bits import PLACES, large_counts, octave, small_counts
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
from gradsim.trace import HISTOGRAM_BINS

BINS = HISTOGRAM_BINS


@kernel
@allocates
def histogram(x: Any, bins: Any) -> None:
    """Count |x| in octaves.

    Parameters
    ----------
    x : ndarray of float32 or float64, shape (n,)
        Contiguous.
    bins : ndarray of int32, shape (BINS,)
        Overwritten: zeros; not zero but below 2^HISTOGRAM_LOWEST; [2^e, 2^(e+1)) for each e; from
        2^HISTOGRAM_HIGHEST; NaN; ±Inf.
    """
    # Neighbours tend to lie in the same octave: four histograms, so that no increment waits for the last.
    parts = np.zeros((4, PLACES), np.int32)
    whole = x.size - x.size % 4
    for i in range(0, whole, 4):
        parts[0, octave(x[i])] += np.int32(1)
        parts[1, octave(x[i + 1])] += np.int32(1)
        parts[2, octave(x[i + 2])] += np.int32(1)
        parts[3, octave(x[i + 3])] += np.int32(1)
    for i in range(whole, x.size):
        parts[0, octave(x[i])] += np.int32(1)
    bins[0] = 0
    for place in range(PLACES):
        bins[1 + place] = parts[0, place] + parts[1, place] + parts[2, place] + parts[3, place]
    bins[BINS - 2] = 0
    bins[BINS - 1] = 0
    if bins[1] > 0 or bins[PLACES] > 0:
        zeros, _ = small_counts(x)
        nans, infs = large_counts(x)
        bins[0] = zeros
        bins[1] -= zeros
        bins[PLACES] -= nans + infs
        bins[BINS - 2] = nans
        bins[BINS - 1] = infs


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
