"""Weight search without gradients: a (μ, λ) evolution strategy with recombination of the best.

Every child is the present weights plus normal noise, which is drawn from counters and so can be drawn again when
the best are averaged: nothing of a child is kept but its loss. Rechenberg 1973; Schwefel 1977.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gradsim.engine.compilation import inner_kernel
from gradsim.engine.instructions import P_COLUMNS, P_FIELDS, P_OFFSET, P_ROWS, P_TRAINABLE
from gradsim.engine.memory import clear, copy, stretch
from gradsim.engine.random import counter_normal
from gradsim.engine.weight_noise import add_normal


@inner_kernel
def make_child(program: Any, parameters: Any, child: Any, deviation: Any, number: Any) -> None:
    """Write the present parameters with the noise of a child, by its number in the whole run."""
    size = parameters.shape[0]
    copy(parameters, child)
    for p in range(program.rate_scales.shape[0]):
        row = stretch(program.parameter_table, p * P_FIELDS, P_FIELDS)
        if row[P_TRAINABLE]:
            part = stretch(child, row[P_OFFSET], row[P_ROWS] * row[P_COLUMNS])
            add_normal(part, deviation, program.mutation_key[0], number * size + row[P_OFFSET])


@inner_kernel
def best_first(losses: Any, order: Any) -> None:
    """Write the places of the losses, the smallest first; NaN, which is no loss, comes last."""
    for i in range(losses.shape[0]):
        order[i] = i
    for i in range(1, losses.shape[0]):
        here = order[i]
        j = i
        while j > 0 and comes_before(losses[here], losses[order[j - 1]]):
            order[j] = order[j - 1]
            j -= 1
        order[j] = here


@inner_kernel
def comes_before(a: Any, b: Any) -> Any:
    """Whether loss a is smaller than b; any number is smaller than NaN."""
    return a < b or (a == a and b != b)


@inner_kernel
def recombine(
    program: Any, updates: Any, order: Any, parents: Any, deviation: Any, first_number: Any
) -> None:
    """Write the step to the mean of the best children: σ times the mean of their noise.

    Children whose loss is NaN take part like others where there are no better ones.
    """
    size = updates.shape[0]
    clear(updates)
    for p in range(program.rate_scales.shape[0]):
        row = stretch(program.parameter_table, p * P_FIELDS, P_FIELDS)
        if row[P_TRAINABLE]:
            offset = row[P_OFFSET]
            part = stretch(updates, offset, row[P_ROWS] * row[P_COLUMNS])
            for i in range(part.shape[0]):
                total = 0.0
                for parent in range(parents):
                    number = first_number + order[parent]
                    total += counter_normal(program.mutation_key[0], number * size + offset + i)
                part[i] = deviation * total / parents


def parents_of(population: int, selection: float) -> int:
    """Return μ, the number of children that are averaged: the share of the population, at least one.

    Parameters
    ----------
    population : int
        λ.
    selection : float
        Share, above 0 and at most 1.

    Returns
    -------
    int
        From 1 to λ.
    """
    return max(1, min(population, int(np.floor(population * selection + 0.5))))
