"""The menu of the files opened last."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QMenu, QWidget


class RecentMenu(QMenu):
    """Filled anew each time it opens.

    Parameters
    ----------
    names : callable
        Returns the paths, latest first.
    parent : QWidget or None, default None
        Owner in the sense of Qt.
    """

    chosen = Signal(object)
    """The path that somebody has chosen."""

    def __init__(self, names: Callable[[], Sequence[str]], parent: QWidget | None = None) -> None:
        super().__init__("Open &recent", parent)
        self._names = names
        self.aboutToShow.connect(self._fill)

    def _fill(self) -> None:
        self.clear()
        for name in self._names():
            action = self.addAction(Path(name).name)
            action.setToolTip(name)
            action.setStatusTip(name)
            action.triggered.connect(lambda *_, name=name: self.chosen.emit(Path(name)))
        if self.isEmpty():
            self.addAction("No files yet").setEnabled(False)
