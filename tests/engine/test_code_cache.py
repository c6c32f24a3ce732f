"""Code that is loaded runs as it is; what others compile around it is read when one of them asks."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from gradsim.engine.compilation import IS_COMPILED, kernel

pytestmark = pytest.mark.skipif(not IS_COMPILED, reason="nothing is compiled with NUMBA_DISABLE_JIT")


def sum_of_squares(values: NDArray[np.float64]) -> float:
    total = 0.0
    for place in range(values.size):
        total += values[place] ** 2
    return total


def loaded() -> Any:
    """Return the same function as a process returns it that finds it in the cache."""
    kernel(sum_of_squares)(np.ones(2))
    again: Any = kernel(sum_of_squares)
    assert again(np.arange(4.0)) == 14.0
    assert sum(again.stats.cache_hits.values()) == 1
    return again


norm_of: Any = None


def norm(values: NDArray[np.float64]) -> float:
    return float(np.sqrt(norm_of(values)))


def test_another_function_is_compiled_around_one_that_was_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    square = loaded()
    (result,) = square.overloads.values()
    assert "_get_module_for_linking" in vars(result.library)  # nothing but the machine code has been read
    monkeypatch.setitem(globals(), "norm_of", square)
    around: Any = kernel(norm)
    around._cache.disable()
    assert around(np.array([3.0, 4.0])) == 5.0
    assert "_get_module_for_linking" not in vars(result.library)
    assert square(np.arange(4.0)) == 14.0
