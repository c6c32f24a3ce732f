"""Where the docks stand, and how that is remembered."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QByteArray, Qt
from PySide6.QtWidgets import QDockWidget, QMainWindow, QTabWidget

from gradsim.app.views_table import VIEWS

LAYOUT_VERSION = 1
"""Saved layouts of other versions are forgotten."""
_AREAS = {
    "left": Qt.DockWidgetArea.LeftDockWidgetArea,
    "right": Qt.DockWidgetArea.RightDockWidgetArea,
    "below": Qt.DockWidgetArea.BottomDockWidgetArea,
}


def make_docks(window: QMainWindow, views: dict[str, Any]) -> dict[str, QDockWidget]:
    """
    Put every view but the central one into a dock.

    Parameters
    ----------
    window : QMainWindow
        Gets the docks; ``place_docks`` arranges them.
    views : dict from str to QWidget
        By the ids of the table of views.

    Returns
    -------
    dict from str to QDockWidget
        By the same ids.
    """
    window.setDockNestingEnabled(True)
    window.setCorner(Qt.Corner.BottomLeftCorner, Qt.DockWidgetArea.LeftDockWidgetArea)
    window.setCorner(Qt.Corner.BottomRightCorner, Qt.DockWidgetArea.RightDockWidgetArea)
    window.setTabPosition(Qt.DockWidgetArea.AllDockWidgetAreas, QTabWidget.TabPosition.North)
    docks = {}
    for row in VIEWS:
        if row.place != "centre":
            dock = QDockWidget(row.title, window)
            dock.setObjectName(f"dock.{row.id}")
            dock.setWidget(views[row.id])
            docks[row.id] = dock
    return docks


def place_docks(window: QMainWindow, docks: dict[str, QDockWidget]) -> None:
    """
    Put every dock where it stands in a new window.

    Parameters
    ----------
    window : QMainWindow
        With its size: the docks share it.
    docks : dict from str to QDockWidget
        By the ids of the table of views.
    """
    placed = {row.id: row.place for row in VIEWS if row.id in docks}
    for id_, place in placed.items():
        docks[id_].setFloating(False)
        window.removeDockWidget(docks[id_])
        if place in _AREAS:
            window.addDockWidget(_AREAS[place], docks[id_])
    below = [docks[id_] for id_, place in placed.items() if place == "below"]
    tabs = [docks[id_] for id_, place in placed.items() if place == "tabs"]
    if below and tabs:
        window.splitDockWidget(below[0], tabs[0], Qt.Orientation.Vertical)
    for tab in tabs[1:]:
        window.tabifyDockWidget(tabs[0], tab)
    for dock in docks.values():
        dock.show()
    if tabs:
        tabs[0].raise_()
    width, height = window.width(), window.height()
    sides = [docks[id_] for id_, place in placed.items() if place in ("left", "right")]
    window.resizeDocks(
        sides, [min(max(round(0.225 * width), 256), 340)] * len(sides), Qt.Orientation.Horizontal
    )
    room = height - 190
    window.resizeDocks([*below, *tabs[:1]], [round(0.36 * room), round(0.30 * room)], Qt.Orientation.Vertical)


def saved_state(window: QMainWindow) -> tuple[str, str]:
    """Return geometry and layout of a window as text."""
    geometry, state = window.saveGeometry(), window.saveState(LAYOUT_VERSION)
    return _text(geometry), _text(state)


def restore_state(window: QMainWindow, geometry: str, layout: str) -> bool:
    """Give a window a saved geometry and layout; False where the layout is none."""
    if geometry:
        window.restoreGeometry(QByteArray.fromBase64(geometry.encode()))
    return bool(layout) and window.restoreState(QByteArray.fromBase64(layout.encode()), LAYOUT_VERSION)


def _text(content: QByteArray) -> str:
    return bytes(content.toBase64().data()).decode("ascii")
