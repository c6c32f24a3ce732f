"""The table of the inspector shows its rows whole, however high its heading is."""

from __future__ import annotations

import gc

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QColor, QHelpEvent
from PySide6.QtWidgets import QApplication, QToolTip
from pytestqt.qtbot import QtBot

from gradsim.views.inspection.statistics_view import StatisticsView
from gradsim.views.inspection.tables import ROWS, StatisticsTable, statistics_table
from tests.kind_runs import kind_run


def test_the_first_row_begins_below_a_heading_of_two_lines(qtbot: QtBot) -> None:
    view = StatisticsView()
    qtbot.addWidget(view)
    view.resize(400, 260)
    view.show()
    view.statistics.set_table(statistics_table(kind_run("dropout").trace, 0))
    heading = view.horizontalHeader()
    for width, lines in ((1600, 1), (260, 2), (1600, 1)):
        view.resize(width, 260)
        qtbot.waitUntil(lambda lines=lines: (heading.height() > 30) == (lines == 2))
        QApplication.processEvents()
        assert view.viewport().y() == heading.height()


def shown(view: StatisticsView, role: Qt.ItemDataRole = Qt.ItemDataRole.DisplayRole) -> list[list[object]]:
    model = view.statistics
    return [
        [model.index(row, column).data(role) for column in range(model.columnCount())]
        for row in range(model.rowCount())
    ]


def told(table: StatisticsTable) -> list[list[str]]:
    return [[table.short_text(row, c) for c in range(len(table.tensors))] for row in range(len(ROWS))]


def test_another_table_replaces_every_number_whether_its_columns_are_the_same_or_not(qtbot: QtBot) -> None:
    view = StatisticsView()
    qtbot.addWidget(view)
    layers = kind_run("dropout").trace, kind_run("lstm").trace
    for trace, index in ((layers[0], 0), (layers[0], 2), (layers[1], 0), (layers[0], 1)):
        table = statistics_table(trace, index)
        view.statistics.set_table(table)
        gc.collect()  # items that Qt has deleted are not touched again
        assert shown(view) == told(table)
    view.statistics.set_table(None)
    assert (view.statistics.rowCount(), view.statistics.columnCount()) == (0, 0)


def test_new_numbers_are_told_of_once_and_the_mark_stays(qtbot: QtBot) -> None:
    view = StatisticsView()
    qtbot.addWidget(view)
    before, after = (statistics_table(kind_run("dropout").trace, index) for index in (0, 2))
    assert before.tensors == after.tensors
    view.statistics.set_table(before)
    view.mark("delta", QColor("red"))
    heard: list[object] = []
    view.statistics.dataChanged.connect(lambda *where: heard.append(where))
    view.statistics.set_table(after)
    assert len(heard) == 1
    column = after.tensors.index("delta")
    marked = [[brush is not None for brush in row] for row in shown(view, Qt.ItemDataRole.BackgroundRole)]
    assert marked == [[c == column for c in range(len(after.tensors))]] * len(ROWS)
    view.mark("update", QColor("red"))
    others = {
        index for row in shown(view, Qt.ItemDataRole.BackgroundRole) for index, b in enumerate(row) if b
    }
    assert others == {after.tensors.index("update")}


def test_numbers_cannot_be_edited_or_dragged(qtbot: QtBot) -> None:
    view = StatisticsView()
    qtbot.addWidget(view)
    view.statistics.set_table(statistics_table(kind_run("dropout").trace, 0))
    flags = view.statistics.index(0, 0).flags()
    assert not flags & (Qt.ItemFlag.ItemIsEditable | Qt.ItemFlag.ItemIsDragEnabled)


def test_the_pointer_over_a_number_tells_it_in_all_its_digits(qtbot: QtBot) -> None:
    view = StatisticsView()
    qtbot.addWidget(view)
    view.resize(900, 300)
    view.show()
    for layer in (0, 2):
        table = statistics_table(kind_run("dropout").trace, layer)
        view.statistics.set_table(table)
        place = view.visualRect(view.statistics.index(ROWS.index("rms"), 1)).center()
        QApplication.sendEvent(
            view.viewport(), QHelpEvent(QEvent.Type.ToolTip, place, view.viewport().mapToGlobal(place))
        )
        assert QToolTip.text().endswith(f": {table.columns[1].rms!r}")
    QToolTip.hideText()
