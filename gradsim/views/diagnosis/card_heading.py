"""The heading of a finding: an arrow and a title that takes as many lines as it needs; all of it is a button."""

from __future__ import annotations

from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QStyle, QStyleOption

from gradsim.views.entry_button import FlatButton

_ARROW = 10
"""Side of the arrow in pixels."""
_LEFT = 4


class CardHeading(FlatButton):
    """A title that opens and closes what stands below it; no word of it is cut off in a narrow panel."""

    def __init__(self, title: str) -> None:
        super().__init__()
        self._is_open = False
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self.label = QLabel(title, self)
        self.label.setTextFormat(Qt.TextFormat.PlainText)
        self.label.setWordWrap(True)
        self.label.setMinimumWidth(1)
        self.label.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        font = self.label.font()
        font.setBold(True)
        self.label.setFont(font)
        row = QHBoxLayout(self)
        row.setContentsMargins(2 * _LEFT + _ARROW, 3, _LEFT, 3)
        row.addWidget(self.label)

    def set_open(self, is_open: bool) -> None:
        """Turn the arrow down, or to the title."""
        if is_open != self._is_open:
            self._is_open = is_open
            self.update()

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        layout = self.layout()
        assert layout is not None
        return layout.totalHeightForWidth(width)

    def sizeHint(self) -> QSize:
        width = max(self.width(), 120)
        return QSize(width, self.heightForWidth(width))

    def minimumSizeHint(self) -> QSize:
        return QSize(40, self.heightForWidth(max(self.width(), 120)))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if event.size().width() != event.oldSize().width():
            self.updateGeometry()

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        option = QStyleOption()
        option.initFrom(self)
        top = self.label.y() + (self.label.fontMetrics().height() - _ARROW) // 2
        option.rect = QRect(_LEFT, top, _ARROW, _ARROW)  # beside the first line
        primitive = QStyle.PrimitiveElement
        arrow = primitive.PE_IndicatorArrowDown if self._is_open else primitive.PE_IndicatorArrowRight
        painter = QPainter(self)
        self.style().drawPrimitive(arrow, option, painter, self)
