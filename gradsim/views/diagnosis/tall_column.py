"""A column of widgets inside a scrolling area that is as high as its wrapped words need."""

from __future__ import annotations

from PySide6.QtCore import QEvent
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget


class TallColumn(QWidget):
    """A scrolling area asks only for the least height, in which wrapped words have one line; this asks for all."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.rows = QVBoxLayout(self)

    def event(self, event: QEvent) -> bool:
        """Follow what opens and closes."""
        if event.type() == QEvent.Type.LayoutRequest:
            self._fit()
        return super().event(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        # −1 where nothing in the column is wrapped; the width is that of the scrolling area, never more.
        self.setMinimumSize(1, max(self.rows.totalHeightForWidth(self.width()), 0))
