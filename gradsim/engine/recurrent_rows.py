"""Row by row arithmetic that the cells of a recurrent layer share."""

from __future__ import annotations

from typing import Any

from gradsim.engine.compilation import kernel
from gradsim.engine.memory import stretch


@kernel
def add_into(out: Any, x: Any) -> None:
    """Add x to out, element by element."""
    for i in range(out.shape[0]):
        out[i] += x[i]


@kernel
def add_with_bias(z: Any, from_hidden: Any, bias: Any, width: Any) -> None:
    """Complete z (batch · width,), which holds x_t W, by h_{t−1} R and a bias (width,) or empty."""
    if bias.shape[0] == 0:
        add_into(z, from_hidden)
        return
    for start in range(0, z.shape[0], width):
        line = stretch(z, start, width)
        felt = stretch(from_hidden, start, width)
        for j in range(width):
            line[j] += felt[j] + bias[j]


@kernel
def add_rows_into(out: Any, x: Any) -> None:
    """Add every row of x (rows · units,) to out (units,); an empty out stays so."""
    units = out.shape[0]
    if units == 0:
        return
    for row in range(x.shape[0] // units):
        add_into(out, stretch(x, row * units, units))


@kernel
def copy_columns(
    x: Any, width: Any, first: Any, out: Any, out_width: Any, out_first: Any, count: Any
) -> None:
    """Copy ``count`` columns of a matrix with ``width`` columns into one with ``out_width``."""
    for row in range(x.shape[0] // width):
        source = stretch(x, row * width + first, count)
        target = stretch(out, row * out_width + out_first, count)
        for j in range(count):
            target[j] = source[j]
