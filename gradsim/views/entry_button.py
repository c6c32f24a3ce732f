"""Entries of a list that can be chosen: a line, or a title and words below it, as one button."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPalette, QPen
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QSizePolicy, QVBoxLayout

from gradsim.views.elided_label import ElidedLabel


class FlatButton(QPushButton):
    """A button without a frame that shows where the pointer and the keys are.

    A flat button of the style shows neither, where all it holds are labels.
    """

    def __init__(self) -> None:
        super().__init__()
        self.setFlat(True)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self._is_marked = False

    @property
    def is_marked(self) -> bool:
        """Whether it is shown as what Enter chooses, while the keys are elsewhere."""
        return self._is_marked

    def set_marked(self, is_marked: bool) -> None:
        """Show it as what Enter chooses, or no longer."""
        if is_marked != self._is_marked:
            self._is_marked = is_marked
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        frame, palette = QRectF(self.rect()).adjusted(1.0, 1.0, -1.0, -1.0), self.palette()
        accent = palette.color(QPalette.ColorRole.Highlight)
        if self.underMouse() or self.isDown() or self._is_marked:
            tint = palette.color(QPalette.ColorRole.Highlight)
            tint.setAlphaF(0.2 if self.isDown() else 0.1)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(tint)
            painter.drawRoundedRect(frame, 3.0, 3.0)
        if self.hasFocus():
            painter.setPen(QPen(accent, 1.5))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(frame, 3.0, 3.0)


class LineButton(FlatButton):
    """One line; what does not fit is in its tooltip.

    Parameters
    ----------
    words : str
        The line.
    name, description : str
        What a screen reader says; the description also stands in the tooltip.
    """

    def __init__(self, words: str, name: str, description: str) -> None:
        super().__init__()
        label = ElidedLabel()
        label.set_words(words)
        label.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        row = QHBoxLayout(self)
        row.setContentsMargins(8, 4, 8, 4)
        row.addWidget(label)
        self.setMinimumHeight(label.sizeHint().height() + 10)
        self.setAccessibleName(name)
        self.setAccessibleDescription(description)
        self.setToolTip(f"{words}\n{description}")


class EntryButton(FlatButton):
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
