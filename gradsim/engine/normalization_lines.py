"""What the normalizations share: scratch lines of float64 and sums over the rows of a tensor.

The loops touch few arrays each: where more than about eight pairs of arrays might overlap, LLVM does not check
them and makes no vector code. And they are long: the rows of a narrow tensor are taken several at a time, as one
line of ``line_width(rows, units)`` columns, and the columns of the same unit are added up at the end.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from gradsim.engine.compilation import kernel
from gradsim.engine.memory import stretch

_NARROW = 128
_WORK_LINES = 4


def work_size(units: int) -> int:
    """Return how many numbers of scratch memory a normalization needs.

    Parameters
    ----------
    units : int
        Features of its input.

    Returns
    -------
    int
        Length of the float64 array ``work``. What it holds after a call is of no use to anybody.
    """
    return _WORK_LINES * max(units, _NARROW)


@kernel
def line_width(rows: Any, units: Any) -> Any:
    """Return how many columns are taken at a time: a multiple of ``units``, several where that is faster."""
    # each line costs its start, each column more has to be added up in the end: measured, best about here
    balanced = int(math.sqrt(2.0 * rows / units))
    return max(1, min(_NARROW // units, balanced)) * units


@kernel
def fill(line: Any, values: Any, otherwise: Any) -> None:
    """Write values (units,), or a number where there are none, over a line of a multiple of units."""
    units = values.shape[0]
    if units == 0:
        for j in range(line.shape[0]):
            line[j] = otherwise
    else:
        for j in range(units):
            line[j] = values[j]
        tile(line, units)


@kernel
def tile(line: Any, units: Any) -> None:
    """Repeat the first ``units`` places over the line."""
    for start in range(units, line.shape[0], units):
        for j in range(units):
            line[start + j] = line[j]


@kernel
def fold(line: Any, units: Any) -> None:
    """Add the columns of the same unit, into the first ``units`` places."""
    for start in range(units, line.shape[0], units):
        for j in range(units):
            line[j] += line[start + j]


@kernel
def gradient_sums(output_gradient: Any, normalized: Any, units: Any, plain: Any, weighted: Any) -> None:
    """Write Σ ∂L/∂y and Σ x̂ ∂L/∂y of every column into the first ``units`` places of two lines (width,)."""
    width = plain.shape[0]
    for j in range(width):
        plain[j] = 0.0
    for j in range(width):
        weighted[j] = 0.0
    for start in range(0, normalized.shape[0], width):
        count = min(width, normalized.shape[0] - start)
        gradient = stretch(output_gradient, start, count)
        line = stretch(normalized, start, count)
        for j in range(count):
            plain[j] += np.float64(gradient[j])
            weighted[j] += np.float64(gradient[j]) * np.float64(line[j])
    fold(plain, units)
    fold(weighted, units)
