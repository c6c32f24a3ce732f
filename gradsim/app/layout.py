"""Where the docks stand, and how that is remembered."""

from __future__ import annotations

import zlib
from collections.abc import Collection
from typing import Any

from PySide6.QtCore import QByteArray, Qt, QTimer
from PySide6.QtWidgets import QDockWidget, QMainWindow, QTabBar, QTabWidget

from gradsim.app.views_table import VIEWS

LAYOUT_VERSION = 3 + zlib.crc32(" ".join(sorted(row.id for row in VIEWS)).encode()) % 2**30
"""Saved layouts of other versions are forgotten, and those with other docks: new ones would lie over the toolbar."""
SIDES = {"left": (0.225, 340), "right": (0.265, 420)}
"""Share of the width of the window, and the most pixels, of a dock at its side."""
LOW = 800
"""Below this height of the window the diagrams share one place."""
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


def keep_titles_whole(bar: QTabBar) -> None:
    """
    Let a bar of tabs scroll rather than shorten their titles.

    Parameters
    ----------
    bar : QTabBar
        Of docks that share a place; Qt makes one whenever docks are put together.
    """
    bar.setElideMode(Qt.TextElideMode.ElideNone)
    bar.setUsesScrollButtons(True)
    bar.setAccessibleName("Views that share this place")


def place_docks(
    window: QMainWindow,
    docks: dict[str, QDockWidget],
    set_aside: Collection[str] = (),
    in_front: Collection[str] = (),
) -> None:
    """
    Put every dock where it stands in a new window.

    Parameters
    ----------
    window : QMainWindow
        With its size: the docks share it.
    docks : dict from str to QDockWidget
        By the ids of the table of views.
    set_aside : collection of str, default ()
        Those that get their place but are not shown.
    in_front : collection of str, default ()
        Those to be seen where they share their place with others, which otherwise is the first one.
    """
    placed = {row.id: row.place for row in VIEWS if row.id in docks}
    for id_, place in placed.items():
        docks[id_].setFloating(False)
        window.removeDockWidget(docks[id_])
        if place in _AREAS:
            window.addDockWidget(_AREAS[place], docks[id_])
    below = [docks[id_] for id_, place in placed.items() if place == "below"]
    tabs = [docks[id_] for id_, place in placed.items() if place == "tabs"]
    is_low = window.height() < LOW
    if is_low:
        tabs = below + tabs  # one above the other there would be nothing to see in any of them
        below = []
    if below and tabs:
        window.splitDockWidget(below[0], tabs[0], Qt.Orientation.Vertical)
    for tab in tabs[1:]:
        window.tabifyDockWidget(tabs[0], tab)
    for id_, dock in docks.items():
        dock.setVisible(id_ not in set_aside)
    for side in SIDES:
        group = [docks[id_] for id_, place in placed.items() if place == side]
        if side == "right" and not is_low:
            continue  # the inspector and the diagnosis below it are read together
        for dock in group[1:]:
            window.tabifyDockWidget(group[0], dock)
        if group:
            group[0].raise_()
    if tabs:
        tabs[0].raise_()
    for id_ in in_front:
        docks[id_].raise_()
    share_room(window, docks)
    QTimer.singleShot(0, window, lambda: hide_old_tab_bars(window, docks))


def chosen_tabs(window: QMainWindow, docks: dict[str, QDockWidget]) -> list[str]:
    """
    Return which docks stand before those they share a place with, and would not in a new window.

    Parameters
    ----------
    window : QMainWindow
        On screen, with the docks.
    docks : dict from str to QDockWidget
        By the ids of the table of views.

    Returns
    -------
    list of str
        At most one of each group of tabs.
    """
    placed = {row.id: row.place for row in VIEWS if row.id in docks}
    first = {place: id_ for id_, place in reversed(placed.items())}
    return [
        id_
        for id_, place in placed.items()
        if id_ != first[place]
        and any(not other.isHidden() for other in window.tabifiedDockWidgets(docks[id_]))
        and not docks[id_].visibleRegion().isEmpty()
    ]


def hide_old_tab_bars(window: QMainWindow, docks: dict[str, QDockWidget]) -> None:
    """
    Hide the bars of tabs that docks have left.

    Qt forgets the bar of a group that is put together anew, and leaves it where it stood, on top of what is there
    now; the one in use is the one that was made last.

    Parameters
    ----------
    window : QMainWindow
        With the docks.
    docks : dict from str to QDockWidget
        By the ids of the table of views.
    """
    by_title = {dock.windowTitle(): dock for dock in docks.values()}
    seen: list[set[str]] = []
    bars = window.findChildren(QTabBar, options=Qt.FindChildOption.FindDirectChildrenOnly)
    for bar in reversed(bars):
        titles = {bar.tabText(place).replace("&", "") for place in range(bar.count())}
        known = [by_title[title] for title in titles if title in by_title]
        together = len(known) > 1 and set(known[1:]) <= set(window.tabifiedDockWidgets(known[0]))
        is_old = any(titles <= newer for newer in seen) or (len(known) == len(titles) and not together)
        if is_old and bar.isVisibleTo(window):
            bar.hide()
        seen.append(titles)


def share_room(window: QMainWindow, docks: dict[str, QDockWidget]) -> None:
    """
    Give every dock of an arrangement by ``place_docks`` its share of the window.

    Parameters
    ----------
    window : QMainWindow
        With its size.
    docks : dict from str to QDockWidget
        By the ids of the table of views.
    """
    placed = {row.id: row.place for row in VIEWS if row.id in docks}
    is_low = window.height() < LOW
    width, height = window.width(), window.height()
    widths = {side: round(min(max(share * width, 256), most)) for side, (share, most) in SIDES.items()}
    # One of each side: those of the same side would be given their widths one after another.
    edges = {place: docks[id_] for id_, place in placed.items() if place in SIDES}
    window.resizeDocks(list(edges.values()), [widths[side] for side in edges], Qt.Orientation.Horizontal)
    room = height - 190
    below = [docks[id_] for id_, place in placed.items() if place == "below"]
    tabs = [docks[id_] for id_, place in placed.items() if place == "tabs"]
    if is_low:
        window.resizeDocks(below, [round(0.56 * room)], Qt.Orientation.Vertical)
        return
    window.resizeDocks(
        [*below, *tabs[:1]], [round(0.345 * room), round(0.345 * room)], Qt.Orientation.Vertical
    )
    right = [docks[id_] for id_, place in placed.items() if place == "right"]
    # The first one is the inspector: a formula and a table need more height than findings that scroll.
    heights = [round(0.58 * room), *[round(0.42 * room / max(len(right) - 1, 1))] * (len(right) - 1)]
    window.resizeDocks(right, heights, Qt.Orientation.Vertical)


def arrangement(window: QMainWindow, docks: dict[str, QDockWidget]) -> str | None:
    """
    Return which arrangement of ``place_docks`` the docks still stand in.

    Parameters
    ----------
    window : QMainWindow
        With the docks.
    docks : dict from str to QDockWidget
        By the ids of the table of views; hidden ones do not count.

    Returns
    -------
    str or None
        ``"low"`` or ``"tall"``; None where somebody has moved, closed or joined docks otherwise.
    """
    shown = {row.id: row.place for row in VIEWS if row.id in docks and not docks[row.id].isHidden()}
    areas = {"left": _AREAS["left"], "right": _AREAS["right"]}
    if not {"below", "right"} <= set(shown.values()):
        return None
    for id_, place in shown.items():
        area = areas.get(place, _AREAS["below"])
        if docks[id_].isFloating() or window.dockWidgetArea(docks[id_]) is not area:
            return None
    ids = {docks[id_]: id_ for id_ in shown}
    joined = {id_: {ids[d] for d in window.tabifiedDockWidgets(docks[id_]) if d in ids} for id_ in shown}
    for name, groups in _GROUPS.items():
        found = {id_: next((group for group in groups if place in group), ()) for id_, place in shown.items()}
        if all(joined[i] == {j for j in shown if j != i and shown[j] in found[i]} for i in shown):
            return name
    return None


_GROUPS = {"tall": (("left",), ("tabs",)), "low": (("left",), ("below", "tabs"), ("right",))}
"""Which places of the table of views share their tabs, in either arrangement."""


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
