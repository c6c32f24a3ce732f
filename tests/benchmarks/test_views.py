"""One frame of each view: new records handed over, laid out and painted, of a network of 100 layers."""

from __future__ import annotations

import statistics
import time
from dataclasses import replace
from typing import Any

import pytest
from PySide6.QtCore import QEvent, QObject
from PySide6.QtWidgets import QApplication, QWidget

from tests.benchmarks.report import Figure, microseconds
from tests.reference import Reference, reference_run

views_table = pytest.importorskip("gradsim.app.views_table", reason="the window has no views yet")
TABLE = "One frame of a view, p50, 100 layers of 64 units, 1000 × 600"
MILLISECONDS = {"network": 10.0}
NOT_PER_FRAME = ("builder", "lessons", "diagnosis")  # they follow no cursor


@pytest.fixture(scope="module")
def runs() -> list[Any]:
    """Two records of one training."""
    first = reference_run(layers=100, units=64, records=200)
    net = Reference(first.experiment)
    net.step(net.record())
    answers = first.decision_map
    assert answers is not None
    return [
        first,
        replace(first, trace=net.record(), decision_map=replace(answers, outputs=0.99 * answers.outputs)),
    ]


class Painted(QObject):
    """Counts how often a widget is painted."""

    def __init__(self, view: QWidget) -> None:
        super().__init__()
        self.times = 0
        for part in (view, *view.findChildren(QWidget)):
            part.installEventFilter(self)

    def eventFilter(self, part: QObject, event: QEvent) -> bool:
        """Count, and let it be painted."""
        self.times += event.type() == QEvent.Type.Paint
        return False


@pytest.mark.parametrize(
    "row", [r for r in views_table.VIEWS if r.id not in NOT_PER_FRAME], ids=lambda r: r.id
)
def test_a_frame(benchmark: Any, figures: list[Figure], qtbot: Any, runs: list[Any], row: Any) -> None:
    from gradsim.trace import Cursor

    view = row.make()
    qtbot.addWidget(view)
    view.resize(1000, 600)
    view.show()
    qtbot.waitExposed(view)
    shown = 0
    cursor_times: list[float] = []
    record = runs[0]

    def moved_cursor() -> None:
        """As playback does it: the same run, the next step. Then another record is made, which is not timed."""
        nonlocal record, shown
        shown += 1
        began = time.perf_counter()
        view.set_cursor(Cursor(record.trace.iteration, shown % steps))
        QApplication.processEvents()
        cursor_times.append(time.perf_counter() - began)
        run = runs[shown % 2]
        # None that anything is known about already.
        record = replace(run, trace=replace(run.trace), history=replace(run.history))

    def new_run() -> None:
        """As live training does it: another record and a longer history, painted once as the screen asks for it."""
        view.set_run(record)
        view.set_cursor(Cursor(record.trace.iteration, shown % steps))
        QApplication.processEvents()

    steps = len(runs[0].trace.steps)
    moved_cursor()
    new_run()
    moved_cursor()
    painted = Painted(view)
    new_run()
    assert painted.times
    del painted
    cursor_times.clear()
    benchmark.pedantic(new_run, setup=moved_cursor, rounds=40, warmup_rounds=3)
    limit = MILLISECONDS.get(row.id, 5.0)
    for column, times in (("new record", benchmark.stats.stats.data), ("moved cursor", cursor_times)):
        median = statistics.median(times)
        figures.append(
            Figure(TABLE, row.id, column, microseconds(median), f"≤ {limit:g} ms", median <= limit / 1e3)
        )
        figures.append(Figure(TABLE, row.id, f"{column}, p95", microseconds(sorted(times)[-3])))
