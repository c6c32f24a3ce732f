from typing import Any

import numpy as np
import pytest
from numba import config
from numba.core.errors import NumbaError

from gradsim.engine.compilation import (
    allocates,
    by_dtype,
    elementary,
    exact_kernel,
    kernel,
)


@exact_kernel
def lost_part(a: Any, b: Any) -> Any:
    total = a + b
    return b - (total - a)


@elementary
def lost_part_inlined(a: Any, b: Any) -> Any:
    total = a + b
    return b - (total - a)


@kernel
def lost_parts(a: Any, b: Any, out: Any) -> None:
    for i in range(a.size):
        out[0, i] = lost_part(a[i], b[i])
        out[1, i] = lost_part_inlined(a[i], b[i])


@pytest.mark.jitless
def test_compensation_survives_in_a_kernel_that_reorders_its_own_sums() -> None:
    a, b = np.full(40, 1e16), np.full(40, 0.5)
    out = np.empty((2, 40))
    lost_parts(a, b, out)
    np.testing.assert_array_equal(out, 0.5)


@elementary
def _size32(_x: Any) -> Any:
    return 32


@elementary
def _size64(_x: Any) -> Any:
    return 64


size_of = by_dtype(_size32, _size64)


@kernel
def size_in_a_kernel(x: Any) -> Any:
    return size_of(x), size_of(x[0])


@pytest.mark.jitless
@pytest.mark.parametrize(("dtype", "size"), [(np.float32, 32), (np.float64, 64)])
def test_the_dtype_chooses_the_function_for_arrays_and_for_numbers(dtype: Any, size: int) -> None:
    x = np.zeros(2, dtype)
    assert size_in_a_kernel(x) == (size, size)
    assert (size_of(x), size_of(x[0])) == (size, size)


@kernel
def makes_an_array(x: Any) -> Any:
    return np.empty(x.size)[0] * 0


@kernel
@allocates
def may_make_an_array(x: Any) -> Any:
    return np.zeros(x.size)[0]


@pytest.mark.skipif(bool(config.DISABLE_JIT), reason="nothing is compiled with NUMBA_DISABLE_JIT=1")
def test_only_a_kernel_marked_for_it_makes_arrays() -> None:
    assert may_make_an_array(np.ones(3)) == 0
    with pytest.raises(NumbaError, match=r"NRT required|Only accept returning of array passed"):
        makes_an_array(np.ones(3))


@pytest.mark.skipif(bool(config.DISABLE_JIT), reason="nothing is compiled with NUMBA_DISABLE_JIT=1")
def test_every_kind_of_function_releases_the_lock_and_divides_as_ieee_says() -> None:
    for function in (lost_part, lost_part_inlined, lost_parts):
        options: Any = function.targetoptions  # type: ignore[attr-defined]
        assert options["nogil"]
        assert options["error_model"] == "numpy"
