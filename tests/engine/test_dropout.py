from typing import Any

import numpy as np
import pytest
from numba import config
from numpy.typing import NDArray
from scipy import stats

from gradsim.engine.dropout import dropout_pass
from gradsim.engine.random import philox, stream_key
from tests.engine.precision import both_dtypes

pytestmark = pytest.mark.jitless

SIZE = 800 if config.DISABLE_JIT else 200_000
KEY = stream_key(7, "dropout", "dropout_1")

Array = NDArray[Any]


def dropped_out(z: Array, rate: float, key: np.uint64 = KEY, first: int = 0) -> tuple[Array, Array]:
    a, slope = np.full_like(z, 77), np.full_like(z, 77)
    dropout_pass(z, a, slope, rate, key, first)
    return a, slope


def mask(size: int, rate: float = 0.5, key: np.uint64 = KEY, first: int = 0) -> NDArray[np.bool_]:
    return dropped_out(np.ones(size), rate, key, first)[1] != 0


@both_dtypes
@pytest.mark.parametrize("rate", [0.01, 0.25, 0.5, 0.9])
def test_a_slope_is_zero_or_makes_up_for_what_is_dropped(rate: float, dtype: Any) -> None:
    z = np.random.default_rng(0).normal(size=SIZE).astype(dtype)
    a, slope = dropped_out(z, rate)
    assert set(np.unique(slope)) == {dtype(0), dtype(1 / (1 - rate))}
    np.testing.assert_array_equal(a, z * slope)
    assert stats.binomtest(int(np.count_nonzero(slope == 0)), SIZE, rate).pvalue > 1e-4


@both_dtypes
def test_at_rate_zero_everything_passes_unchanged(dtype: Any) -> None:
    z = np.array([1.5, -2.0, 0.1, np.inf, -np.inf, np.nan, 1e-40], dtype)
    a, slope = dropped_out(z, 0.0)
    np.testing.assert_array_equal(a, z)
    np.testing.assert_array_equal(slope, 1)


@both_dtypes
@pytest.mark.parametrize("odd", [np.nan, np.inf, -np.inf])
def test_dropping_does_not_hide_what_is_not_finite(odd: float, dtype: Any) -> None:
    a, slope = dropped_out(np.full(64, odd, dtype), 0.5)
    assert 0 < np.count_nonzero(slope) < 64
    np.testing.assert_array_equal(a, np.where(slope == 0, dtype(np.nan), dtype(odd)))  # 0 · ∞ is NaN


def test_the_mask_is_the_same_in_both_dtypes_and_for_any_values() -> None:
    z = np.random.default_rng(0).normal(size=300)
    _, double = dropped_out(z, 0.3)
    _, single = dropped_out(z.astype(np.float32), 0.3)
    np.testing.assert_array_equal(single != 0, double != 0)
    np.testing.assert_array_equal(mask(300, 0.3), double != 0)


@pytest.mark.parametrize("first", [0, 1, 2, 3, 7, 2**32 - 2, 2**40 + 1])
def test_the_mask_is_the_same_however_a_tensor_is_cut(first: int) -> None:
    whole = mask(40, first=first)
    for size in range(1, 12):
        parts = [mask(min(size, 40 - start), first=first + start) for start in range(0, 40, size)]
        np.testing.assert_array_equal(np.concatenate(parts), whole)


def test_a_value_is_dropped_where_its_word_of_the_stream_is_below_the_rate() -> None:
    words = [
        int(word)
        for block in range(5)
        for word in philox(
            np.uint64(block),
            np.uint64(0),
            np.uint64(0),
            np.uint64(0),
            np.uint64(int(KEY) & 0xFFFFFFFF),
            np.uint64(int(KEY) >> 32),
        )
    ]
    np.testing.assert_array_equal(mask(20, 0.37), np.array(words) >= round(0.37 * 2**32))


def test_masks_of_other_keys_and_later_places_are_independent() -> None:
    first = mask(SIZE)
    for other in (mask(SIZE, key=stream_key(7, "dropout", "dropout_2")), mask(SIZE, first=SIZE)):
        assert abs(np.corrcoef(first, other)[0, 1]) < 5 / np.sqrt(SIZE)
    for lag in (1, 2, 3, 4):
        assert abs(np.corrcoef(first[:-lag], first[lag:])[0, 1]) < 5 / np.sqrt(SIZE)


def test_a_higher_rate_drops_all_that_a_lower_one_drops() -> None:
    kept = [mask(200, rate) for rate in (0.1, 0.4, 0.8)]
    assert not np.any(kept[1] & ~kept[0])
    assert not np.any(kept[2] & ~kept[1])


def test_an_empty_stretch_is_left_alone() -> None:
    for first in range(4):
        assert dropped_out(np.empty(0), 0.5, first=first)[0].size == 0
