"""Two lines of words under a plot: the longest of several sentences for which there is room."""

from __future__ import annotations

from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QFontMetrics, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from gradsim.views.plot.numbers import typeset

_LINES = 2
_MARGIN = 10
_WRAP = int(Qt.TextFlag.TextWordWrap)


class Caption(QWidget):
    """Shows a sentence in two lines; where it is too long a shorter one, and at last what fits of that.

    Parameters
    ----------
    parent : QWidget or None
        In which it stands.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._sentences: tuple[str, ...] = ("",)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)

    @property
    def sentence(self) -> str:
        """The longest one."""
        return self._sentences[0]

    def set_sentences(self, *sentences: str) -> None:
        """Show one of several sentences.

        Parameters
        ----------
        *sentences : str
            The longest first; they say the same.
        """
        sentences = tuple(typeset(sentence) for sentence in sentences)
        if sentences != self._sentences:
            self._sentences = sentences
            self.setAccessibleName(sentences[0])
            self.setToolTip(sentences[0])
            self.update()

    def shown(self) -> str:
        """Return the words for which there is room."""
        metrics, room = QFontMetrics(self.font()), self._room()
        for sentence in self._sentences:
            if metrics.boundingRect(room, _WRAP, sentence).height() <= _LINES * metrics.lineSpacing():
                return sentence
        # A line ends before the edge where a word would not fit, so two lines hold less than two widths.
        words = self._sentences[-1]
        share = 2.0 * room.width()
        while share > room.width():
            told = metrics.elidedText(words, Qt.TextElideMode.ElideRight, int(share))
            if metrics.boundingRect(room, _WRAP, told).height() <= _LINES * metrics.lineSpacing():
                return told
            share -= 20.0
        return metrics.elidedText(words, Qt.TextElideMode.ElideRight, room.width())

    def sizeHint(self) -> QSize:
        return QSize(200, _LINES * QFontMetrics(self.font()).lineSpacing() + 6)

    def minimumSizeHint(self) -> QSize:
        return QSize(0, self.sizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setPen(self.palette().windowText().color())
        painter.drawText(self._room(), _WRAP, self.shown())
        painter.end()

    def _room(self) -> QRect:
        height = _LINES * QFontMetrics(self.font()).lineSpacing()
        return QRect(_MARGIN, 1, max(self.width() - 2 * _MARGIN, 10), height)
