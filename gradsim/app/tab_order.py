"""Where Tab goes: through everything that can be seen, view by view, and in each from line to line as one reads.

Qt goes by the order in which widgets were created, also through docks that stand behind others; and what is made
later, such as the plots of a view, ends its round before it has been everywhere.
"""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QDockWidget, QScrollArea, QWidget

_SAME_LINE = 8
"""Widgets whose middles, or first lines, are no further apart in height than that, in pixels, stand in one line."""

_FIRST_LINE = 12


def tab_stops(window: QWidget, views: Sequence[QWidget]) -> list[QWidget]:
    """
    Return what Tab reaches in a window.

    Parameters
    ----------
    window : QWidget
        On screen; what floats beside it is a window of its own.
    views : sequence of QWidget
        In the order in which they are gone through; what is in none of them comes last.

    Returns
    -------
    list of QWidget
        Each can have the focus and can be seen, or can be scrolled into sight.
    """
    groups: list[list[tuple[QPoint, QWidget]]] = [[] for _ in range(len(views) + 1)]
    for widget in window.findChildren(QWidget):
        can_stop = bool(widget.focusPolicy() & Qt.FocusPolicy.TabFocus) and widget.focusProxy() is None
        if not can_stop or not widget.isVisible() or not widget.isEnabled() or widget.window() is not window:
            continue
        if is_behind(widget):
            continue
        place = next((i for i, view in enumerate(views) if view is widget or view.isAncestorOf(widget)), -1)
        # A tall one comes before what stands in it or beside it, wherever its middle is.
        inside = QPoint(0, min(widget.height() // 2, _FIRST_LINE))
        groups[place].append((widget.mapTo(window, inside), widget))
    return [widget for group in groups for widget in _as_read(group)]


def is_behind(widget: QWidget | None) -> bool:
    """
    Return whether a widget stands in a dock that cannot be seen because others share its place.

    Parameters
    ----------
    widget : QWidget or None
        Any.

    Returns
    -------
    bool
        False outside of docks.
    """
    while widget is not None and not isinstance(widget, QDockWidget):
        widget = widget.parentWidget()
    return widget is not None and widget.visibleRegion().isEmpty()


def reach(widget: QWidget, reason: Qt.FocusReason) -> None:
    """
    Put the focus on a widget and scroll it into sight.

    Parameters
    ----------
    widget : QWidget
        Gets the focus.
    reason : Qt.FocusReason
        Why.
    """
    widget.setFocus(reason)
    above = widget.parentWidget()
    while above is not None:
        if isinstance(above, QScrollArea):
            above.ensureWidgetVisible(widget)
        above = above.parentWidget()


def _as_read(found: list[tuple[QPoint, QWidget]]) -> list[QWidget]:
    lines: list[list[tuple[QPoint, QWidget]]] = []
    for place, widget in sorted(found, key=lambda one: one[0].y()):
        if not lines or place.y() - lines[-1][0][0].y() > _SAME_LINE:
            lines.append([])
        lines[-1].append((place, widget))
    return [widget for line in lines for _, widget in sorted(line, key=lambda one: one[0].x())]
