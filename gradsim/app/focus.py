"""The focus of the keys: which view has it, to which it goes next, and which keys a widget keeps for itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QApplication, QWidget

from gradsim.app.commands import keeps_key
from gradsim.app.tab_order import is_behind, reach, tab_stops

FIRST_FIGURE = "gradient_profile"
"""Exported before any view has had the focus."""


class Focus(QObject):
    """Follows the focus through the views of a window, from ``follow`` on until ``leave``.

    Parameters
    ----------
    views : mapping from str to QWidget
        By id, in the order in which the keys go round.
    parent : QObject or None, default None
        Owner in the sense of Qt.
    """

    def __init__(self, views: Mapping[str, Any], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._views = views
        self.figure = FIRST_FIGURE
        """Id of the view with a picture that had the focus last."""

    def follow(self) -> None:
        """Begin."""
        _application().focusChanged.connect(self._note)

    def leave(self) -> None:
        """End: the window closes."""
        _application().focusChanged.disconnect(self._note)

    def go(self, by: int) -> None:
        """Put the keys into the next view that can be seen."""
        shown = [id_ for id_, view in self._views.items() if not view.visibleRegion().isEmpty()]
        here = self._view_of(QApplication.focusWidget())
        place = shown.index(here) if here in shown else -1 if by > 0 else 0
        view = self._views[shown[(place + by) % len(shown)]]
        view.setFocus(Qt.FocusReason.TabFocusReason)

    def pass_on(self, window: QWidget, onward: bool) -> bool:
        """Move the focus by a Tab through what can be seen, view by view and in each as one reads.

        Parameters
        ----------
        window : QWidget
            With the views.
        onward : bool
            Whether to move on rather than back.

        Returns
        -------
        bool
            Whether there is anything that can have it.
        """
        stops = tab_stops(window, tuple(self._views.values()))
        if not stops:
            return False
        here = QApplication.focusWidget()
        place = stops.index(here) if here in stops else -1 if onward else 0
        reason = Qt.FocusReason.TabFocusReason if onward else Qt.FocusReason.BacktabFocusReason
        reach(stops[(place + (1 if onward else -1)) % len(stops)], reason)
        return True

    def _note(self, before: QWidget | None, now: QWidget | None) -> None:
        if before is not None:
            before.removeEventFilter(self)
        if now is not None:
            now.installEventFilter(self)  # not on the application: every paint and timer would come by
        id_ = None if is_behind(now) else self._view_of(now)
        if id_ is not None and hasattr(self._views[id_], "paint_figure"):
            self.figure = id_

    def _view_of(self, widget: QWidget | None) -> str | None:
        return next(
            (i for i, v in self._views.items() if widget and (v is widget or v.isAncestorOf(widget))), None
        )

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Leave a key to the widget that has the focus where it is its own: the space bar on a button."""
        is_key = event.type() == QEvent.Type.ShortcutOverride
        if is_key and isinstance(event, QKeyEvent) and isinstance(watched, QWidget):
            if not keeps_key(watched, event.key(), event.modifiers()):
                return False
            event.accept()
            return True
        return super().eventFilter(watched, event)


def _application() -> QApplication:
    app = QApplication.instance()
    assert isinstance(app, QApplication)
    return app
