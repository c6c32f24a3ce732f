"""One frame of each view: new records handed over, laid out and painted, of a network of 100 layers."""

from __future__ import annotations

import statistics
import time
from typing import Any

import pytest

from tests.benchmarks.report import Figure, microseconds
from tests.reference import reference_run

views_table = pytest.importorskip("gradsim.app.views_table", reason="the window has no views yet")
TABLE = "One frame of a view, p50, 100 layers of 64 units, 1000 × 600"
MILLISECONDS = {"network": 10.0}
NOT_PER_FRAME = ("builder", "lessons", "diagnosis")  # they follow no cursor


@pytest.fixture(scope="module")
def runs() -> list[Any]:
    return [reference_run(layers=100, units=64, seed=seed, records=200) for seed in (0, 1)]


@pytest.mark.parametrize(
    "row", [r for r in views_table.VIEWS if r.id not in NOT_PER_FRAME], ids=lambda r: r.id
)
def test_a_frame(benchmark: Any, figures: list[Figure], qtbot: Any, runs: list[Any], row: Any) -> None:
    from PySide6.QtWidgets import QApplication

    from gradsim.trace import Cursor

    view = row.make()
    qtbot.addWidget(view)
    view.resize(1000, 600)
    view.show()
    qtbot.waitExposed(view)
    shown = 0
    cursor_times: list[float] = []

    def painted() -> None:
        view.grab()
        QApplication.processEvents()

    def moved_cursor() -> None:
        """As playback does it: the same run, the next step."""
        began = time.perf_counter()
        view.set_cursor(Cursor(0, shown % steps))
        painted()
        cursor_times.append(time.perf_counter() - began)

    def new_run() -> None:
        """As live training does it: another record and a longer history."""
        nonlocal shown
        shown += 1
        view.set_run(runs[shown % 2])
        view.set_cursor(Cursor(0, shown % steps))
        painted()

    steps = len(runs[0].trace.steps)
    benchmark.pedantic(new_run, setup=moved_cursor, rounds=40, warmup_rounds=3)
    limit = MILLISECONDS.get(row.id, 5.0)
    for column, times in (("new record", benchmark.stats.stats.data), ("moved cursor", cursor_times)):
        median = statistics.median(times)
        figures.append(
            Figure(TABLE, row.id, column, microseconds(median), f"≤ {limit:g} ms", median <= limit / 1e3)
        )
        figures.append(Figure(TABLE, row.id, f"{column}, p95", microseconds(sorted(times)[-3])))
