"""Matrix products over flat stretches, in pieces of the size that is fastest.

A call of BLAS costs more than a tiny product; and OpenBLAS multiplies without first repacking its arguments where
rows · inner · columns is at most a million, which takes a third less time than the same work at once.
"""

from __future__ import annotations

from typing import Any

from gradsim.engine.compilation import kernel
from gradsim.engine.linear import TINY_PRODUCT, matrix_product
from gradsim.engine.memory import matrix, stretch

SMALL_PRODUCT = 1_000_000
"""Multiplications up to which OpenBLAS uses its kernels for small matrices, where it has them."""

LEAST_ROWS = 16
"""Rows of a piece below which the second factor is read too often for too little work."""

LEAST_SUMMED_ROWS = 48
"""The same where each piece must be added to the sum of the others."""


@kernel
def _rows_at_once(rows: Any, work_per_row: Any, least: Any) -> Any:
    """Return into how many rows to cut a product: equal pieces of a multiple of 8, or all at once."""
    most = SMALL_PRODUCT // work_per_row // 8 * 8
    if rows * work_per_row <= SMALL_PRODUCT or most < least:
        return rows
    pieces = (rows + most - 1) // most
    return ((rows + pieces - 1) // pieces + 7) // 8 * 8


@kernel
def product(a: Any, b: Any, out: Any, rows: Any, inner: Any, columns: Any) -> None:
    """Out (rows · columns,) = a @ b, with a (rows · inner,) and b (inner · columns,)."""
    if rows * inner * columns <= TINY_PRODUCT:
        for i in range(rows):
            for j in range(columns):
                total = a[i * inner] * b[j]
                for k in range(1, inner):
                    total += a[i * inner + k] * b[k * columns + j]
                out[i * columns + j] = total
        return
    factor = matrix(b, 0, inner, columns)
    step = _rows_at_once(rows, inner * columns, LEAST_ROWS)
    for first in range(0, rows, step):
        count = min(step, rows - first)
        matrix_product(
            matrix(a, first * inner, count, inner), factor, matrix(out, first * columns, count, columns)
        )


@kernel
def product_of_transposed(
    a: Any, b: Any, out: Any, scratch: Any, rows: Any, inner: Any, columns: Any
) -> None:
    """Out (rows · columns,) = aᵀ @ b, with a (inner · rows,), b (inner · columns,), scratch as out."""
    if rows * inner * columns <= TINY_PRODUCT:
        for i in range(rows):
            for j in range(columns):
                total = a[i] * b[j]
                for k in range(1, inner):
                    total += a[k * rows + i] * b[k * columns + j]
                out[i * columns + j] = total
        return
    step = _rows_at_once(inner, rows * columns, LEAST_SUMMED_ROWS)
    for first in range(0, inner, step):
        count = min(step, inner - first)
        matrix_product(
            matrix(a, first * rows, count, rows).T,
            matrix(b, first * columns, count, columns),
            matrix(out if first == 0 else scratch, 0, rows, columns),
        )
        if first > 0:
            _add_into(stretch(out, 0, rows * columns), scratch)


@kernel
def _add_into(out: Any, x: Any) -> None:
    for i in range(out.shape[0]):
        out[i] += x[i]


@kernel
def copy_transposed(x: Any, width: Any, first: Any, count: Any, out: Any) -> None:
    """Write ``count`` columns of x (rows · width,), from ``first`` on, as the rows of out (count · rows,)."""
    rows = x.shape[0] // width
    for row in range(rows):
        line = stretch(x, row * width + first, count)
        for j in range(count):
            out[j * rows + row] = line[j]
