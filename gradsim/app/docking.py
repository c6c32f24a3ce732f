"""The docks of the window and the ways to them: menus, going to a view, the arrangement and what steps aside."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMainWindow, QMenu

from gradsim.app.layout import (
    LOW,
    arrangement,
    chosen_tabs,
    make_docks,
    place_docks,
    restore_state,
    saved_state,
)
from gradsim.app.stepping_aside import SteppingAside


class Docking:
    """Puts every view but the one in the middle into a dock, and finds them again.

    Parameters
    ----------
    window : QMainWindow
        Gets the docks; they have no place until ``arrange``.
    views : mapping from str to QWidget
        By id.
    """

    aside: SteppingAside
    """What shows nothing of the present run; there is none before ``arrange``."""

    def __init__(self, window: QMainWindow, views: dict[str, Any]) -> None:
        self._window = window
        self._views: Mapping[str, Any] = views
        self.docks = make_docks(window, views)
        self.go_actions = [self._go_action(id_, dock.windowTitle()) for id_, dock in self.docks.items()]

    def menus(self) -> tuple[QMenu, QMenu]:
        """Return the menus that go to a view, and that show and hide docks."""
        go_menu, docks_menu = QMenu("&Go to", self._window), QMenu("&Docks", self._window)
        for dock, action in zip(self.docks.values(), self.go_actions, strict=True):
            docks_menu.addAction(dock.toggleViewAction())
            go_menu.addAction(action)
        return go_menu, docks_menu

    def toggle_actions(self) -> list[QAction]:
        """Return what shows and hides the docks, named for the command palette."""
        actions = [dock.toggleViewAction() for dock in self.docks.values()]
        for action in actions:
            action.setObjectName(f"dock.{action.text()}")
            action.setData("Show or hide")
        return actions

    def arrange(self, geometry: str, layout: str) -> None:
        """Put the docks where they were when the window was closed, else where they belong."""
        if not restore_state(self._window, geometry, layout):
            place_docks(self._window, self.docks)
        self.aside = SteppingAside(self.docks)

    def saved(self) -> tuple[str, str]:
        """Return geometry and layout for the next start; what has stepped aside comes back first."""
        self.aside.bring_all_back()
        return saved_state(self._window)

    def reset(self) -> None:
        """Put every dock back where it was."""
        place_docks(self._window, self.docks, self.aside.hidden)

    def fit(self) -> None:
        """Let the diagrams share one place in a low window; docks that somebody has moved stay where they are."""
        window = self._window
        wanted = "low" if window.height() < LOW else "tall"
        if arrangement(window, self.docks) not in (None, wanted):
            place_docks(window, self.docks, self.aside.hidden, chosen_tabs(window, self.docks))

    def show(self, id_: str) -> None:
        """Bring a view to the top of its tabs; the lessons themselves stay in sight."""
        dock, lessons = self.docks.get(id_), self.docks["lessons"]
        if dock is not None and dock not in (lessons, *self._window.tabifiedDockWidgets(lessons)):
            dock.show()
            dock.raise_()

    def go_to(self, id_: str) -> None:
        """Bring a view to the top, lessons too, and put the keys into it."""
        self.docks[id_].show()
        self.docks[id_].raise_()
        self._views[id_].setFocus(Qt.FocusReason.ShortcutFocusReason)

    def _go_action(self, id_: str, title: str) -> QAction:
        action = QAction(title, self._window)
        action.setObjectName(f"go.{id_}")
        action.setData("Go to")
        action.triggered.connect(lambda: self.go_to(id_))
        return action
