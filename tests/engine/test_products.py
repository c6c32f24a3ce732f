from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from gradsim.engine.products import copy_transposed, product, product_of_transposed
from tests.engine.precision import both_dtypes

TINY = [(1, 1, 1), (3, 5, 7), (16, 1, 16), (1, 64, 4)]
CUT = [(64, 64, 256), (6401, 20, 64), (37, 300, 200), (7, 700, 600), (130, 130, 130)]


def numbers(rows: int, columns: int, dtype: Any) -> NDArray[Any]:
    # small integers: every order of summation gives the same bits
    return np.random.default_rng(rows).integers(-9, 10, (rows, columns)).astype(dtype)


def room(size: int, dtype: Any) -> NDArray[Any]:
    return np.full(size, np.nan, dtype)


def assert_both_products_are_exact(rows: int, inner: int, columns: int, dtype: Any) -> None:
    a, b = numbers(rows, inner, dtype), numbers(inner, columns, dtype)
    exact = a.astype(np.int64) @ b.astype(np.int64)
    out, scratch = (room(rows * columns, dtype) for _ in range(2))
    product(a.ravel(), b.ravel(), out, rows, inner, columns)
    np.testing.assert_array_equal(out.reshape(rows, columns), exact)
    out[:] = np.nan
    product_of_transposed(np.ascontiguousarray(a.T).ravel(), b.ravel(), out, scratch, rows, inner, columns)
    np.testing.assert_array_equal(out.reshape(rows, columns), exact)


@pytest.mark.jitless
@both_dtypes
@pytest.mark.parametrize("sizes", TINY, ids=str)
def test_a_product_by_loops_or_in_one_piece_is_exact(sizes: tuple[int, int, int], dtype: Any) -> None:
    assert_both_products_are_exact(*sizes, dtype)


@pytest.mark.jitless
@both_dtypes
@pytest.mark.parametrize("sizes", CUT, ids=str)
def test_a_product_in_pieces_is_that_of_the_whole(sizes: tuple[int, int, int], dtype: Any) -> None:
    rows, inner, columns = sizes
    assert_both_products_are_exact(rows, inner, columns, dtype)
    assert_both_products_are_exact(columns, rows, inner, dtype)


@pytest.mark.jitless
@both_dtypes
def test_some_columns_are_copied_as_rows(dtype: Any) -> None:
    x = numbers(5, 9, dtype)
    out = room(20, dtype)
    copy_transposed(x.ravel(), 9, 3, 4, out)
    np.testing.assert_array_equal(out.reshape(4, 5), x[:, 3:7].T)
