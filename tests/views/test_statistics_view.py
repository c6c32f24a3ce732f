"""The table of the inspector shows its rows whole, however high its heading is."""

from __future__ import annotations

from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from gradsim.views.inspection.statistics_view import StatisticsView
from gradsim.views.inspection.tables import statistics_table
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
