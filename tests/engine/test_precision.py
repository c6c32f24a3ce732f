from collections.abc import Callable

import numpy as np
import pytest
from numba import config
from numpy.typing import NDArray

from gradsim.engine.precision import (
    BFLOAT16,
    FLOAT16,
    FLOAT32,
    FLUSHED,
    OVERFLOWED,
    round_stored,
    round_to_bfloat16,
    round_to_half,
)

pytestmark = pytest.mark.jitless

Singles = NDArray[np.float32]
Rounding = Callable[[Singles], tuple[int, int]]

STRIDE = 97 if config.DISABLE_JIT else 1  # through the 65,536 patterns of 16 bits
RANDOM = 500 if config.DISABLE_JIT else 2_000_000


def to_half(x: Singles) -> Singles:
    """NumPy's own conversion, there and back."""
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        return x.astype(np.float16).astype(np.float32)


def to_bfloat16(x: Singles) -> Singles:
    """The nearest entry of the table of all magnitudes, the even one of two; infinity stands in it as 2¹²⁸."""
    table = (np.arange(0x7F81, dtype=np.uint32) << 16).view(np.float32).astype(np.float64)
    table[-1] = 2.0**128
    finite = np.isfinite(x)
    size = np.abs(np.where(finite, x, 0).astype(np.float64))
    above = np.clip(np.searchsorted(table, size), 1, len(table) - 1)
    to_above, to_below = table[above] - size, size - table[above - 1]
    place = above - ((to_below < to_above) | ((to_below == to_above) & (above % 2 == 1)))
    nearest = (place.astype(np.uint32) << 16).view(np.float32)
    return np.where(finite, np.copysign(nearest, x), x)


FORMATS: list[tuple[Rounding, Callable[[Singles], Singles], int]] = [
    (round_to_half, to_half, 13),
    (round_to_bfloat16, to_bfloat16, 16),
]
formats = pytest.mark.parametrize(("rounding", "reference", "dropped"), FORMATS, ids=["float16", "bfloat16"])


def values_of(reference: Callable[[Singles], Singles]) -> Singles:
    """All values of a narrow format (of 16 bits each)."""
    patterns = np.arange(0, 65536, STRIDE, dtype=np.uint16)
    if reference is to_half:
        return patterns.view(np.float16).astype(np.float32)
    return (patterns.astype(np.uint32) << 16).view(np.float32)


def assert_same(value: Singles, expected: Singles) -> None:
    """Equal to the bit, the sign of zero included; any NaN is NaN."""
    nan = np.isnan(expected)
    np.testing.assert_array_equal(np.isnan(value), nan)
    np.testing.assert_array_equal(value.view(np.uint32)[~nan], expected.view(np.uint32)[~nan])


def assert_rounded(rounding: Rounding, reference: Callable[[Singles], Singles], x: Singles) -> None:
    expected = reference(x)
    rounded = x.copy()
    flushed, overflowed = rounding(rounded)
    assert_same(rounded, expected)
    assert flushed == np.count_nonzero((x != 0) & (expected == 0))
    assert overflowed == np.count_nonzero(np.isfinite(x) & np.isinf(expected))


@formats
def test_every_value_of_the_format_stays_as_it_is(
    rounding: Rounding, reference: Callable[[Singles], Singles], dropped: int
) -> None:
    x = values_of(reference)
    rounded = x.copy()
    assert tuple(rounding(rounded)) == (0, 0)
    assert_same(rounded, x)


@formats
@pytest.mark.parametrize("distance", [-1, 0, 1])
def test_ties_go_to_even_and_their_neighbours_to_the_nearer_value(
    rounding: Rounding, reference: Callable[[Singles], Singles], dropped: int, distance: int
) -> None:
    """All points halfway between normal values, one place below and one above; and next to the values."""
    values = values_of(reference)
    bits = values[np.isfinite(values)].view(np.uint32)
    for offset in (0, 1 << (dropped - 1)):
        assert_rounded(rounding, reference, (bits + np.uint32((offset + distance) % 2**32)).view(np.float32))


@pytest.mark.parametrize("distance", [-1, 0, 1])
def test_ties_between_subnormal_halves_go_to_even(distance: int) -> None:
    spacing = np.float32(2.0**-24)
    ties = (np.arange(0, 1025, max(STRIDE // 10, 1), dtype=np.float32) + np.float32(0.5)) * spacing
    x = (ties.view(np.uint32) + np.uint32(distance % 2**32)).view(np.float32)
    assert_rounded(round_to_half, to_half, np.concatenate([x, -x]))


@formats
def test_numbers_of_every_size_are_rounded_to_nearest(
    rounding: Rounding, reference: Callable[[Singles], Singles], dropped: int
) -> None:
    patterns = np.random.default_rng(0).integers(0, 2**32, RANDOM, dtype=np.uint32)
    assert_rounded(rounding, reference, patterns.view(np.float32))


def test_bfloat16_agrees_with_pytorch() -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is the oracle of this test")
    x = np.random.default_rng(1).integers(0, 2**32, RANDOM, dtype=np.uint32).view(np.float32)
    expected = torch.from_numpy(x.copy()).to(torch.bfloat16).to(torch.float32).numpy()
    round_to_bfloat16(x)
    assert_same(x, expected)


@formats
def test_signs_subnormals_and_what_is_not_finite_survive(
    rounding: Rounding, reference: Callable[[Singles], Singles], dropped: int
) -> None:
    quiet_but_short = np.array([0x7F800001, 0xFF800001, 0x7FC00000, 0x7FFFFFFF], np.uint32).view(np.float32)
    x = np.concatenate([np.array([0.0, -0.0, np.inf, -np.inf], np.float32), quiet_but_short])
    rounded = x.copy()
    assert tuple(rounding(rounded)) == (0, 0)
    assert_same(rounded, x)


def test_what_is_lost_at_either_end_is_counted() -> None:
    # 65,519.99 is the last that is not ±Inf; 2⁻²⁵ is a tie and goes to 0, anything above it to 2⁻²⁴
    half = np.array([65519.99, 65520, -1e6, np.inf, np.nan, 0, 2.0**-25, -3e-8, 1e-40, 2.1**-23], np.float32)
    assert tuple(round_to_half(half)) == (2, 2)
    np.testing.assert_array_equal(half[:4], [65504, np.inf, -np.inf, np.inf])
    np.testing.assert_array_equal(half[5:9], [0, 0, -(2.0**-24), 0])
    brain = np.array([3.3e38, 3.4e38, -3.4e38, np.inf, np.nan, 0, 1e-40, 4e-41, 1e-45, -4e-41], np.float32)
    assert tuple(round_to_bfloat16(brain)) == (3, 2)
    assert np.isfinite(brain[0])
    assert brain[6] > 0  # subnormals are kept


def test_the_code_decides_and_counts_add_up() -> None:
    x = np.array([1 + 2.0**-9, 1e6, 1e-9], np.float32)
    counts = np.array([10, 20], np.int64)
    untouched = x.copy()
    round_stored(FLOAT32, untouched, counts)
    np.testing.assert_array_equal(untouched, x)
    np.testing.assert_array_equal(counts, [10, 20])
    half, brain = x.copy(), x.copy()
    round_stored(FLOAT16, half, counts)
    np.testing.assert_array_equal(half, to_half(x))
    assert (counts[FLUSHED], counts[OVERFLOWED]) == (11, 21)
    round_stored(BFLOAT16, brain, counts)
    np.testing.assert_array_equal(brain, to_bfloat16(x))
    assert (counts[FLUSHED], counts[OVERFLOWED]) == (11, 21)


@pytest.mark.parametrize("code", [FLOAT32, FLOAT16, BFLOAT16])
def test_float64_is_left_as_it_is(code: int) -> None:
    x, counts = np.array([1 / 3, 1e300]), np.zeros(2, np.int64)
    round_stored(code, x, counts)
    np.testing.assert_array_equal(x, [1 / 3, 1e300])
    assert not counts.any()


@formats
def test_ten_per_layer_overflows_where_the_format_ends(
    rounding: Rounding, reference: Callable[[Singles], Singles], dropped: int
) -> None:
    x, layers = np.ones(1, np.float32), 0
    while np.isfinite(x[0]):
        with np.errstate(over="ignore"):
            x *= np.float32(10)
        rounding(x)
        layers += 1
    assert layers == (5 if rounding is round_to_half else 39)
