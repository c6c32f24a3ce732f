"""Weight noise: every iteration sees the weight matrices with new normal noise, the update moves the clean ones."""

from __future__ import annotations

from typing import Any

from gradsim.engine.compilation import inner_kernel
from gradsim.engine.instructions import P_COLUMNS, P_FIELDS, P_IS_MEASURED, P_OFFSET, P_ROWS
from gradsim.engine.memory import copy, stretch
from gradsim.engine.random import counter_normal


@inner_kernel
def add_normal(x: Any, deviation: Any, key: Any, first: Any) -> None:
    """Add deviation · ε to every element, ε standard normal, element i from counter ``first`` + i."""
    for i in range(x.shape[0]):
        x[i] += deviation * counter_normal(key, first + i)


@inner_kernel
def add_weight_noise(program: Any, buffers: Any, deviation: Any, iteration: Any) -> None:
    """Keep the clean parameters, add noise to the measured matrices and keep the noisy ones, too."""
    parameters = buffers.parameters
    size = parameters.shape[0]
    copy(parameters, buffers.clean)
    for p in range(program.rate_scales.shape[0]):
        row = stretch(program.parameter_table, p * P_FIELDS, P_FIELDS)
        if row[P_IS_MEASURED] and row[P_ROWS] > 1:
            part = stretch(parameters, row[P_OFFSET], row[P_ROWS] * row[P_COLUMNS])
            add_normal(part, deviation, program.noise_key[0], iteration * size + row[P_OFFSET])
    copy(parameters, buffers.noisy)


@inner_kernel
def remove_weight_noise(program: Any, buffers: Any) -> None:
    """Put the clean weights back; running statistics, which the pass has moved, stay."""
    for p in range(program.rate_scales.shape[0]):
        row = stretch(program.parameter_table, p * P_FIELDS, P_FIELDS)
        size = row[P_ROWS] * row[P_COLUMNS]
        part = stretch(buffers.parameters, row[P_OFFSET], size)
        clean = stretch(buffers.clean, row[P_OFFSET], size)
        for i in range(size):
            part[i] = clean[i]
