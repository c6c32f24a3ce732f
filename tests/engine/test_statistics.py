import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from gradsim.engine.histograms import histogram
from gradsim.engine.statistics import (
    ACCUMULATOR_SIZE,
    INFS,
    MAX,
    MEAN,
    MIN,
    NANS,
    RMS,
    SD,
    SUBNORMALS,
    ZEROS,
    accumulate_statistics,
    begin_statistics,
    finish_statistics,
    tensor_statistics,
)
from gradsim.trace import HISTOGRAM_BINS, HISTOGRAM_HIGHEST, HISTOGRAM_LOWEST
from tests.engine.precision import POINTS, both_dtypes

pytestmark = pytest.mark.jitless


def statistics(x: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    values, counts = np.full(5, 77.0), np.full(4, 77, np.int64)
    tensor_statistics(x, values, counts)
    return values, counts


def in_chunks(x: NDArray[Any], sizes: list[int]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    values, counts = np.full(5, 77.0), np.full(4, 77, np.int64)
    accumulator = np.full(ACCUMULATOR_SIZE, 77.0)
    begin_statistics(accumulator)
    start = 0
    for size in [*sizes, x.size - sum(sizes)]:
        accumulate_statistics(x[start : start + size], accumulator)
        start += size
    finish_statistics(accumulator, x.size, values, counts)
    return values, counts


def exact(x: NDArray[Any]) -> NDArray[np.float64]:
    """Mean, sd, rms, min, max by two passes in extended precision, whose exponent reaches 10^±4932."""
    wide = x.astype(np.longdouble)
    mean = wide.sum() / x.size
    sd = np.sqrt(((wide - mean) ** 2).sum() / x.size)
    rms = np.sqrt((wide**2).sum() / x.size)
    return np.array([mean, sd, rms, wide.min(), wide.max()], np.float64)


def noise(dtype: Any, size: int = POINTS, seed: int = 0) -> NDArray[Any]:
    return np.random.default_rng(seed).normal(size=size).astype(dtype)


@both_dtypes
@pytest.mark.parametrize("size", [1, 2, 3, 17, 2048, 2049])
def test_statistics_of_ordinary_values_are_exact_to_rounding(size: int, dtype: Any) -> None:
    x = noise(dtype, size) + dtype(0.5)
    values, counts = statistics(x)
    np.testing.assert_allclose(values, exact(x), rtol=1e-14, atol=1e-16)
    np.testing.assert_array_equal(counts, 0)


SCALES = {
    np.float32: [1e-44, 1e-38, 1e-20, 1e20, 1e37],
    np.float64: [1e-320, 1e-300, 1e-160, 1e160, 1e300, 1e307],
}


@pytest.mark.parametrize(
    ("dtype", "scale"), [(dtype, scale) for dtype, scales in SCALES.items() for scale in scales]
)
def test_statistics_survive_the_whole_range_of_the_dtype(dtype: Any, scale: float) -> None:
    x = (noise(np.float64) * scale).astype(dtype)
    values, _ = statistics(x)
    smallest = np.finfo(np.float64).smallest_subnormal
    np.testing.assert_allclose(
        values[[SD, RMS, MIN, MAX]], exact(x)[[SD, RMS, MIN, MAX]], rtol=1e-13, atol=smallest
    )
    np.testing.assert_allclose(values[MEAN], exact(x)[MEAN], rtol=0, atol=1e-14 * values[RMS] + smallest)


@both_dtypes
@pytest.mark.parametrize("offset", [1.0, -1000.0, 1e6])
def test_the_deviation_does_not_cancel_beside_a_large_mean(offset: float, dtype: Any) -> None:
    x = (offset + 1e-3 * abs(offset) * noise(np.float64)).astype(dtype)
    narrow = (offset + 1e-6 * abs(offset) * noise(np.float64)).astype(dtype)
    for sample in (x, narrow):
        np.testing.assert_allclose(statistics(sample)[0], exact(sample), rtol=1e-12)


@both_dtypes
@pytest.mark.parametrize("constant", [0.1, -3.7e-5, 1.0, 0.0, 1e30])
def test_a_constant_has_no_deviation_and_is_its_own_mean(constant: float, dtype: Any) -> None:
    x = np.full(5000, constant, dtype)
    values, _ = statistics(x)
    number = float(x[0])
    np.testing.assert_array_equal(values, [number, 0, abs(number), number, number])


@both_dtypes
def test_zeros_of_either_sign_subnormals_nan_and_infinity_are_counted(dtype: Any) -> None:
    info = np.finfo(dtype)
    x = noise(dtype, 3000)
    x[[3, 2047, 2048]] = 0.0
    x[5] = -0.0
    x[[70, 2999]] = info.smallest_subnormal
    x[[71, 72, 73]] = -np.nextafter(info.tiny, dtype(0))
    x[74] = info.tiny
    assert list(statistics(x)[1]) == [4, 5, 0, 0]
    x[[100, 101, 2500]] = np.inf, -np.inf, np.inf
    assert list(statistics(x)[1]) == [4, 5, 0, 3]
    x[[200, 2600]] = np.nan, -np.nan
    _, counts = statistics(x)
    assert counts[ZEROS] == 4
    assert counts[SUBNORMALS] == 5
    assert counts[NANS] == 2
    assert counts[INFS] == 3


@both_dtypes
@pytest.mark.parametrize(
    ("special", "expected"),
    [
        ([np.nan], [np.nan, np.nan, np.nan, np.nan, np.nan]),
        ([-np.nan], [np.nan, np.nan, np.nan, np.nan, np.nan]),
        ([np.nan, np.inf], [np.nan, np.nan, np.nan, np.nan, np.nan]),
        ([np.inf], [np.inf, np.nan, np.inf, -1, np.inf]),
        ([-np.inf], [-np.inf, np.nan, np.inf, -np.inf, 1]),
        ([np.inf, -np.inf], [np.nan, np.nan, np.inf, -np.inf, np.inf]),
    ],
)
@pytest.mark.parametrize("size", [5, 5000])
def test_nan_shows_in_every_statistic_and_infinity_as_ieee_says(
    special: list[float], expected: list[float], size: int, dtype: Any
) -> None:
    for first in (0, size - len(special)):  # in the first chunk or in the last
        x = np.tile(np.array([-1, 1], dtype), size)[:size]
        x[first : first + len(special)] = special
        np.testing.assert_array_equal(statistics(x)[0], expected)


@both_dtypes
def test_all_values_infinite_is_not_a_constant(dtype: Any) -> None:
    values, counts = statistics(np.full(3000, np.inf, dtype))
    np.testing.assert_array_equal(values, [np.inf, np.nan, np.inf, np.inf, np.inf])
    assert counts[INFS] == 3000


def test_a_mean_beside_overflow_does_not_overflow() -> None:
    values, _ = statistics(np.full(3000, 1.7e308) * np.where(np.arange(3000) % 3 == 0, 0.9, 1.0))
    assert values[MEAN] == pytest.approx(1.7e308 * (1 - 0.1 / 3), rel=1e-13)
    values, _ = statistics(np.array([1.5e308, 1.5e308, -np.inf]))
    assert values[MEAN] == -np.inf


@pytest.mark.parametrize(
    "scales",
    [
        (1e-300, 1.0),
        (1.0, 1e-300),
        (1e300, 1e-300),
        (1e-300, 0.0, 1e-301),
        (1e155, 1e140, 1e200),
        (1e-140, 1e-130),
    ],
)
def test_chunks_of_very_different_size_join_without_loss(scales: tuple[float, ...]) -> None:
    x = np.concatenate([noise(np.float64, 100, seed) * scale for seed, scale in enumerate(scales)])
    values, _ = in_chunks(x, [100] * (len(scales) - 1))
    np.testing.assert_allclose(values, exact(x), rtol=1e-13)


@both_dtypes
@given(st.lists(st.integers(1, 60), max_size=8), st.sampled_from([0.0, 1.0, 100.0]))
def test_the_cut_into_chunks_matters_only_to_rounding(dtype: Any, sizes: list[int], offset: float) -> None:
    x = (noise(np.float64, 600) + offset).astype(dtype)
    x[::50] = 0
    whole, whole_counts = in_chunks(x, [])
    values, counts = in_chunks(x, sizes)
    again, _ = in_chunks(x, sizes)
    np.testing.assert_allclose(values, whole, rtol=1e-12)
    np.testing.assert_array_equal(counts, whole_counts)
    np.testing.assert_array_equal(values, again)


@given(st.lists(st.floats(width=32), min_size=1, max_size=40))
def test_any_float32_tensor_has_the_extremes_and_norm_that_numpy_finds(numbers: list[float]) -> None:
    x = np.array(numbers, np.float32)
    values, counts = statistics(x)
    with np.errstate(all="ignore"):
        wide = x.astype(np.float64)
        expected = [wide.min(), wide.max(), np.sqrt(np.mean(wide**2))]
    np.testing.assert_allclose(values[[MIN, MAX, RMS]], expected, rtol=1e-13)
    assert counts[ZEROS] == np.count_nonzero(x == 0)
    assert counts[NANS] == np.count_nonzero(np.isnan(x))
    assert counts[INFS] == np.count_nonzero(np.isinf(x))
    assert counts[SUBNORMALS] == np.count_nonzero((np.abs(x) < np.finfo(np.float32).tiny) & (x != 0))


def bin_of(number: float) -> int:
    """The bin as its definition says, by frexp instead of bits."""
    if math.isnan(number):
        return HISTOGRAM_BINS - 2
    if math.isinf(number):
        return HISTOGRAM_BINS - 1
    if number == 0:
        return 0
    octave = math.frexp(number)[1] - 1
    if octave < HISTOGRAM_LOWEST:
        return 1
    return min(2 + octave - HISTOGRAM_LOWEST, HISTOGRAM_BINS - 3)


@both_dtypes
@given(st.lists(st.floats(width=32), max_size=30))
def test_a_histogram_counts_every_number_in_its_octave(dtype: Any, numbers: list[float]) -> None:
    bins = np.full(HISTOGRAM_BINS, 77, np.int32)
    histogram(np.array(numbers, dtype), bins)
    np.testing.assert_array_equal(bins, np.bincount([bin_of(x) for x in numbers], minlength=HISTOGRAM_BINS))


@both_dtypes
def test_the_edges_of_the_octaves_belong_to_the_octave_above(dtype: Any) -> None:
    for exponent in (HISTOGRAM_LOWEST, -1, 0, HISTOGRAM_HIGHEST):
        edge = dtype(2.0**exponent)
        below = np.nextafter(edge, dtype(0))
        bins = np.zeros(HISTOGRAM_BINS, np.int32)
        histogram(np.array([edge, -below, -below], dtype), bins)
        place = 2 + exponent - HISTOGRAM_LOWEST
        assert bins[place] == 1
        assert bins[place - 1] == 2


def test_a_histogram_of_float64_puts_what_float32_cannot_hold_at_the_ends() -> None:
    bins = np.zeros(HISTOGRAM_BINS, np.int32)
    histogram(np.array([1e-300, -5e-324, 1e300, np.inf, -np.nan, -0.0]), bins)
    assert [bins[0], bins[1], bins[-3], bins[-2], bins[-1]] == [1, 2, 1, 1, 1]
    assert bins.sum() == 6
