"""Which saved layouts are taken."""

import zlib

import msgspec
from PySide6.QtWidgets import QApplication, QMainWindow

from gradsim.app import layout
from gradsim.app.presets import preset
from gradsim.app.views_table import VIEWS
from gradsim.app.window import MainWindow
from gradsim.spec import Network
from tests.app.conftest import discard_changes


def test_a_layout_is_taken_only_where_the_docks_are_those_of_then(qtbot, monkeypatch):
    window = QMainWindow()
    qtbot.addWidget(window)
    geometry, state = layout.saved_state(window)
    assert layout.restore_state(window, geometry, state)
    fewer = " ".join(sorted(row.id for row in VIEWS[:-1]))
    monkeypatch.setattr(layout, "LAYOUT_VERSION", 3 + zlib.crc32(fewer.encode()) % 2**30)
    assert not layout.restore_state(window, geometry, state)


def test_no_field_of_the_builder_lies_under_its_scroll_bar(qtbot):
    window = MainWindow()
    qtbot.addWidget(window, before_close_func=discard_changes)
    window.show()
    window.resize(1100, 700)
    QApplication.processEvents()
    window.reset_layout()
    window.session.open(msgspec.structs.replace(preset("moons"), network=Network()))
    window.start()
    qtbot.waitUntil(lambda: window.session.run is not None, timeout=60_000)
    builder = window.builder
    qtbot.waitUntil(builder.verticalScrollBar().isVisible)
    qtbot.waitUntil(lambda: builder.viewport().width() >= builder.widget().minimumSizeHint().width())
