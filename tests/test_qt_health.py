"""The installed Qt binding can be trusted with a long session."""

import sys

from PySide6.QtCore import QObject


def test_void_qt_calls_neither_lose_nor_hoard_references_to_none(qapp):
    # PySide6 6.12 under Python 3.11 loses one per call; in the end the process aborts in none_dealloc.
    thing = QObject()
    thing.blockSignals(False)
    before = sys.getrefcount(None)
    for _ in range(10_000):
        thing.setObjectName("x")
    assert abs(sys.getrefcount(None) - before) < 100
