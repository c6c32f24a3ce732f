"""Which saved layouts are taken."""

import zlib

from PySide6.QtWidgets import QMainWindow

from gradsim.app import layout
from gradsim.app.views_table import VIEWS


def test_a_layout_is_taken_only_where_the_docks_are_those_of_then(qtbot, monkeypatch):
    window = QMainWindow()
    qtbot.addWidget(window)
    geometry, state = layout.saved_state(window)
    assert layout.restore_state(window, geometry, state)
    fewer = " ".join(sorted(row.id for row in VIEWS[:-1]))
    monkeypatch.setattr(layout, "LAYOUT_VERSION", 3 + zlib.crc32(fewer.encode()) % 2**30)
    assert not layout.restore_state(window, geometry, state)
