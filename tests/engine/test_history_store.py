"""The statistics of a run as they are kept: thinned by a stated rule, never changed once handed out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gradsim.engine.history_store import FIRST_HISTOGRAM_STRIDE, HISTOGRAM_FRAMES, MEMORY_LIMIT, HistoryStore
from gradsim.engine.program import CLIPPED_NORM, GRADIENT_NORM, LOSS, ROUNDED, SCALARS, Statistics
from gradsim.trace import COUNTS, HISTOGRAM_BINS, TENSORS, VALUES, History

pytestmark = pytest.mark.jitless

FIELDS = [field for field in History.__dataclass_fields__ if field not in ("layer_names", "stride")]


def told(first: int, count: int, layers: int, stride: int) -> tuple[Statistics, int, int]:
    """Statistics in which every number is that of its iteration."""
    iterations = np.arange(first, first + count)
    framed = iterations[iterations % stride == 0]
    validated = iterations[iterations % 10 == 0]

    def filled(rows: Any, *shape: int, dtype: Any = np.float64) -> Any:
        return np.broadcast_to(rows.reshape(-1, *(1 for _ in shape)), (len(rows), *shape)).astype(dtype)

    statistics = Statistics(
        values=filled(iterations, layers, len(TENSORS), len(VALUES)),
        counts=filled(iterations, layers, len(TENSORS), len(COUNTS), dtype=np.int32),
        saturation=filled(iterations, layers, dtype=np.float32),
        rounded=filled(iterations, layers, ROUNDED, dtype=np.int64),
        scalars=filled(iterations, SCALARS),
        histograms=filled(framed, layers, len(TENSORS), HISTOGRAM_BINS, dtype=np.int32),
        histogram_iterations=framed.astype(np.int64),
        validations=filled(validated, 2),
        validation_iterations=validated.astype(np.int64),
    )
    return statistics, len(framed), len(validated)


def store_of(layers: int = 2, memory_limit: int = MEMORY_LIMIT) -> HistoryStore:
    names = tuple(f"dense_{i + 1}" for i in range(layers))
    return HistoryStore(names, np.ones((layers, len(TENSORS)), np.int64), memory_limit)


def append(store: HistoryStore, first: int, count: int, layers: int = 2) -> None:
    statistics, frames, validations = told(first, count, layers, store.histogram_stride)
    store.append(first, count, statistics, frames, validations)


def bytes_of(history: History) -> int:
    return sum(getattr(history, field).nbytes for field in FIELDS if "histogram" not in field)


def test_every_iteration_is_kept_while_there_is_room() -> None:
    store = store_of()
    for first in range(0, 100, 7):
        append(store, first, 7)
    history = store.snapshot()
    assert len(history) == 105
    assert history.stride == 1
    np.testing.assert_array_equal(history.iterations, np.arange(105))
    np.testing.assert_array_equal(history.loss, np.arange(105))
    np.testing.assert_array_equal(history.series("delta", "rms", 1), np.arange(105))
    np.testing.assert_array_equal(history.validation_iterations, np.arange(0, 105, 10))
    np.testing.assert_array_equal(history.validation_loss, history.validation_iterations)


@pytest.mark.parametrize("pieces", [1, 7, 64, 1000])
def test_a_long_run_keeps_every_second_then_every_fourth_iteration(pieces: int) -> None:
    store = store_of(memory_limit=200_000)
    most = 0
    for first in range(0, 5000, pieces):
        append(store, first, min(pieces, 5000 - first))
        most = max(most, bytes_of(store.snapshot()))
    history = store.snapshot()
    assert history.stride in (16, 32)
    np.testing.assert_array_equal(history.iterations, np.arange(0, 5000, history.stride))
    np.testing.assert_array_equal(history.values[:, 0, 0, 0], history.iterations)
    np.testing.assert_array_equal(history.counts[:, 1, 6, 3], history.iterations)
    np.testing.assert_array_equal(history.saturation[:, 1], history.iterations)
    assert most <= 220_000


@pytest.mark.parametrize("pieces", [3, 50, 500])
def test_histograms_are_evenly_spaced_and_never_too_many(pieces: int) -> None:
    store = store_of()
    for first in range(0, 6000, pieces):
        append(store, first, pieces)
        frames = store.snapshot().histogram_iterations
        assert len(frames) <= HISTOGRAM_FRAMES
        assert (np.diff(frames) == store.histogram_stride).all()
    history = store.snapshot()
    assert store.histogram_stride in (160, 80 * 2)
    np.testing.assert_array_equal(history.histograms[:, 0, 0, 0], history.histogram_iterations)
    assert history.histogram_iterations[0] == 0
    assert FIRST_HISTOGRAM_STRIDE == 10


def test_a_snapshot_never_changes() -> None:
    store = store_of(memory_limit=100_000)
    snapshots = []
    for first in range(0, 1500, 5):
        append(store, first, 5)
        if first % 50 == 0:
            history = store.snapshot()
            snapshots.append((history, {field: getattr(history, field).copy() for field in FIELDS}))
    store.cut(10)
    append(store, 10 * store.stride, 50)
    for history, before in snapshots:
        for field in FIELDS:
            np.testing.assert_array_equal(getattr(history, field), before[field], err_msg=field)


def test_a_snapshot_cannot_be_written_to() -> None:
    store = store_of()
    append(store, 0, 20)
    history = store.snapshot()
    for field in FIELDS:
        with pytest.raises(ValueError, match="read-only"):
            getattr(history, field)[...] = 0


def test_what_comes_after_a_cut_is_forgotten() -> None:
    store = store_of()
    append(store, 0, 100)
    before = store.snapshot()
    store.cut(37)
    history = store.snapshot()
    np.testing.assert_array_equal(history.iterations, np.arange(37))
    np.testing.assert_array_equal(history.validation_iterations, [0, 10, 20, 30])
    np.testing.assert_array_equal(history.histogram_iterations, [0, 10, 20, 30])
    append(store, 37, 10)
    np.testing.assert_array_equal(store.snapshot().iterations, np.arange(47))
    assert len(before) == 100
    store.cut(0)
    assert len(store.snapshot()) == 0


def test_the_share_left_by_clipping_is_one_where_nothing_was_clipped() -> None:
    store = store_of()
    statistics, frames, validations = told(0, 4, 2, 10)
    statistics.scalars[:, GRADIENT_NORM] = [2.0, 0.0, np.inf, np.nan]
    statistics.scalars[:, CLIPPED_NORM] = [1.0, 0.0, 1.0, np.nan]
    store.append(0, 4, statistics, frames, validations)
    np.testing.assert_array_equal(store.snapshot().clipped, [0.5, 1.0, 0.0, np.nan])
    assert statistics.scalars[0, LOSS] == 0


def test_ten_thousand_iterations_of_a_hundred_layers_fit_unthinned_into_400_mib() -> None:
    store = store_of(layers=100)
    append(store, 0, 40, layers=100)
    history = store.snapshot()
    per_iteration = bytes_of(history) / len(history)
    assert per_iteration * 10_000 <= MEMORY_LIMIT
    histograms = HISTOGRAM_FRAMES * history.histograms[0].nbytes
    assert MEMORY_LIMIT + histograms <= 420 * 2**20
    assert per_iteration / 100 <= 1024
    assert store._most >= 10_000


@pytest.mark.slow
def test_ten_thousand_iterations_of_a_hundred_layers_take_at_most_400_mib() -> None:
    store = store_of(layers=100)
    statistics, _, _ = told(0, 500, 100, 10)
    for first in range(0, 10_000, 500):
        frames, validations = told(first, 500, 1, store.histogram_stride)[1:]
        store.append(first, 500, statistics, min(frames, 50), validations)
    history = store.snapshot()
    assert (len(history), history.stride) == (10_000, 1)
    assert bytes_of(history) <= 400 * 2**20
    held = sum(column._rows.nbytes for column in store._columns.values())
    assert held <= 400 * 2**20
