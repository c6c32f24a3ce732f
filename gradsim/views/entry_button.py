"""A line of a list that can be chosen: a title and words below it, as one button."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QLabel, QPushButton, QSizePolicy, QVBoxLayout


class EntryButton(QPushButton):
    """A title and words below it; all of it is clicked, and it grows with its words.

    Parameters
    ----------
    title : str
        In bold; may hold HTML.
    lines : sequence of (str, str)
        Words below it and their colour.
    """

    def __init__(self, title: str, lines: Sequence[tuple[str, str]] = ()) -> None:
        super().__init__()
        self.setFlat(True)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 6, 8, 6)
        column.setSpacing(1)
        self.lines = [QLabel(words, wordWrap=True) for words, _ in lines]
        for label, (_, color) in zip(self.lines, lines, strict=True):
            label.setStyleSheet(f"color: {color}")
        for label in (QLabel(f"<b>{title}</b>", wordWrap=True), *self.lines):
            label.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
            column.addWidget(label)

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        layout = self.layout()
        assert layout is not None
        return layout.totalHeightForWidth(width)

    def sizeHint(self) -> QSize:
        width = max(self.width(), 200)
        return QSize(200, self.heightForWidth(width))

    def minimumSizeHint(self) -> QSize:
        return QSize(120, super().minimumSizeHint().height())

    def resizeEvent(self, event: object) -> None:
        height = self.heightForWidth(self.width())
        if self.minimumHeight() != height:
            self.setMinimumHeight(height)
