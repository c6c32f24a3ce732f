"""A line of words that never asks for more room than there is."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QFontMetrics
from PySide6.QtWidgets import QLabel, QSizePolicy, QWidget


class ElidedLabel(QLabel):
    """One line that shows what fits and never asks for more room than there is."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._words = ""
        self._shorter: tuple[str, ...] = ()
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)

    @property
    def words(self) -> str:
        """The whole line."""
        return self._words

    def set_words(self, words: str, *shorter: str) -> None:
        """Show a line, or where there is no room for it one that says less; the last one is cut if need be."""
        if (words, shorter) != (self._words, self._shorter):
            self._words, self._shorter = words, shorter
            self._elide()

    def resizeEvent(self, _event: object) -> None:
        self._elide()

    def _elide(self) -> None:
        metrics, versions = QFontMetrics(self.font()), (self._words, *self._shorter)
        words = next((v for v in versions if metrics.horizontalAdvance(v) <= self.width()), versions[-1])
        self.setText(metrics.elidedText(words, Qt.TextElideMode.ElideRight, self.width()))
