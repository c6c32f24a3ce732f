from typing import Any

import numpy as np
import pytest
from numba import config
from numpy.typing import NDArray
from scipy import stats

from gradsim.engine.compilation import exact_kernel
from gradsim.engine.random import (
    counter_bits,
    counter_normal,
    counter_uniform,
    permutation,
    philox,
    stream_key,
)

pytestmark = pytest.mark.jitless

SAMPLES = 1000 if config.DISABLE_JIT else 100_000
KEY = stream_key(7, "test", "")
STORED_KEY = 6331858982035149903


@exact_kernel
def uniform_each(key: Any, first: int, out: Any) -> None:
    for i in range(out.size):
        out[i] = counter_uniform(key, first + i)


@exact_kernel
def normal_each(key: Any, first: int, out: Any) -> None:
    for i in range(out.size):
        out[i] = counter_normal(key, first + i)


def uniforms(key: np.uint64, first: int = 0, count: int = SAMPLES) -> NDArray[np.float64]:
    out = np.empty(count)
    uniform_each(key, first, out)
    return out


@pytest.mark.parametrize(
    ("counter", "key", "answer"),
    [
        ("00000000 00000000 00000000 00000000", "00000000 00000000", "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
        ("ffffffff ffffffff ffffffff ffffffff", "ffffffff ffffffff", "408f276d 41c83b0e a20bc7c6 6d5451fd"),
        ("243f6a88 85a308d3 13198a2e 03707344", "a4093822 299f31d0", "d16cfe09 94fdcceb 5001e420 24126ea1"),
    ],
)
def test_philox_gives_the_known_answers_of_its_authors(counter: str, key: str, answer: str) -> None:
    words = [np.uint64(int(word, 16)) for word in f"{counter} {key}".split()]
    assert [f"{int(word):08x}" for word in philox(*words)] == answer.split()


def test_a_key_of_either_half_and_a_long_counter_reach_the_generator() -> None:
    key, counter = np.uint64(0x299F31D0A4093822), np.uint64(0x85A308D3243F6A88)
    words = [np.uint64(word) for word in (0x243F6A88, 0x85A308D3, 0, 0, 0xA4093822, 0x299F31D0)]
    first, second, *_ = philox(*words)
    assert int(counter_bits(key, counter)) == int(first) | int(second) << 32
    assert counter_uniform(key, counter) == (int(counter_bits(key, counter)) >> 11) / 2**53


def test_uniform_numbers_are_uniform_and_not_correlated() -> None:
    x = uniforms(KEY)
    assert x.min() >= 0
    assert x.max() < 1
    assert stats.kstest(x, "uniform").pvalue > 1e-3
    assert stats.chisquare(np.bincount((x * 256).astype(int), minlength=256)).pvalue > 1e-3
    for lag in (1, 2, 16):
        assert abs(np.corrcoef(x[:-lag], x[lag:])[0, 1]) < 4 / np.sqrt(SAMPLES)


def test_every_bit_is_one_half_of_the_time() -> None:
    bits = np.array([int(counter_bits(KEY, counter)) for counter in range(2000)], np.uint64)
    ones = [np.count_nonzero(bits >> np.uint64(place) & np.uint64(1)) for place in range(64)]
    assert np.all(np.abs(np.array(ones) - 1000) < 5 * np.sqrt(500))


def test_normal_numbers_are_normal() -> None:
    x = np.empty(SAMPLES)
    normal_each(KEY, 0, x)
    assert stats.kstest(x, "norm").pvalue > 1e-3
    assert abs(np.mean(x**2) - 1) < 5 * np.sqrt(2 / SAMPLES)
    assert abs(np.mean(x**4) - 3) < 5 * np.sqrt(96 / SAMPLES)


def test_streams_of_neighbouring_seeds_purposes_and_names_are_independent() -> None:
    keys = [
        stream_key(seed, purpose, name) for seed in (0, 1) for purpose in ("a", "b") for name in ("", "x")
    ]
    streams = np.array([uniforms(key) for key in keys])
    correlation = np.corrcoef(streams) - np.eye(len(keys))
    assert np.abs(correlation).max() < 5 / np.sqrt(SAMPLES)


def test_any_number_of_a_stream_can_be_had_without_those_before_it() -> None:
    np.testing.assert_array_equal(uniforms(KEY, 500, 100), uniforms(KEY, 0, 600)[500:])


def test_keys_never_change_because_saved_experiments_rely_on_them() -> None:
    assert stream_key(7, "dropout", "dense_1") == STORED_KEY
    assert stream_key(7, "shuffle", "").dtype == np.uint64


def test_the_border_between_purpose_and_name_is_part_of_the_key() -> None:
    keys = [
        stream_key(1, "ab", "c"),
        stream_key(1, "a", "bc"),
        stream_key(1, "abc", ""),
        stream_key(11, "", "abc"),
    ]
    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize("dtype", [np.int32, np.int64])
def test_a_permutation_holds_every_number_once_and_differs_between_epochs(dtype: Any) -> None:
    orders = np.empty((3, 200), dtype)
    for epoch, order in enumerate(orders):
        permutation(KEY, epoch, order)
        np.testing.assert_array_equal(np.sort(order), np.arange(200))
    assert not np.array_equal(orders[0], orders[1])
    again = np.empty(200, dtype)
    permutation(KEY, 1, again)
    np.testing.assert_array_equal(again, orders[1])


def test_all_orders_are_equally_probable() -> None:
    rounds = 600 if config.DISABLE_JIT else 24_000
    order = np.empty(4, np.int64)
    seen: dict[tuple[int, ...], int] = {}
    for epoch in range(rounds):
        permutation(KEY, epoch, order)
        seen[tuple(order.tolist())] = seen.get(tuple(order.tolist()), 0) + 1
    assert len(seen) == 24
    assert stats.chisquare(list(seen.values())).pvalue > 1e-3


@pytest.mark.parametrize("size", [0, 1, 2])
def test_the_shortest_permutations_work(size: int) -> None:
    order = np.full(size, 77, np.int64)
    permutation(KEY, 0, order)
    np.testing.assert_array_equal(np.sort(order), np.arange(size))
