"""Words below a plot in as many lines as the plot leaves; what does not fit is scrolled to."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QFontMetrics
from PySide6.QtWidgets import QFrame, QLabel, QScrollArea, QWidget

_LEAST_LINES = 2
_SIDE, _ABOVE, _BELOW = 8, 2, 3


class FewLines(QScrollArea):
    """A wrapped label that is no higher than it is told to be, but never lower than two lines.

    Parameters
    ----------
    label : QLabel
        Wrapped; it may be selected and read by keys as before.
    parent : QWidget or None
        In which it stands.
    """

    def __init__(self, label: QLabel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._label = label
        label.setContentsMargins(_SIDE, _ABOVE, _SIDE, _BELOW)
        label.setAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setWidget(label)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # the label has it

    def set_room(self, height: float, width: int) -> None:
        """Take another height.

        Parameters
        ----------
        height : float
            Room there is, in pixels; what the words do not need is left.
        width : int
            In which they are wrapped.
        """
        line, edges = QFontMetrics(self._label.font()).lineSpacing(), _ABOVE + _BELOW
        least = min(max(height, _LEAST_LINES * line + edges), self._asked(width))
        if least < self._asked(width):  # it scrolls: whole lines, and beside the bar fewer words fit in one
            least = max(int((least - edges) // line), _LEAST_LINES) * line + _ABOVE
        if (rounded := round(least)) != self.minimumHeight():
            self.setFixedHeight(rounded)

    def _asked(self, width: int) -> int:
        return self._label.heightForWidth(width) if self._label.text() else 0
