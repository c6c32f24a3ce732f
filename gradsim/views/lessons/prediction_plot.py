"""A profile that a person draws by dragging its points, and the measured one over it."""

from __future__ import annotations

import math

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFontMetricsF,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPolygonF,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from gradsim.views.inspection.number_text import power_of_ten
from gradsim.views.lessons.state import Drawing
from gradsim.views.theme import LIGHT, Theme, tensor_color

_TOP, _RIGHT, _BOTTOM = 10.0, 12.0, 34.0
FINE, COARSE = 0.1, 1.0
"""Powers of ten that an arrow key moves a point, plain and with Shift."""


class PredictionPlot(QWidget):
    """log10 over layers: hollow points are the person's, filled ones are measured.

    Parameters
    ----------
    parent : QWidget or None
        Owner in the sense of Qt.
    """

    prediction_changed = Signal(object)
    """One number per layer in powers of ten (tuple of float)."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = LIGHT
        self._drawing: Drawing | None = None
        self._points: list[float] = []
        self._chosen = 0
        self._dragged = False
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("Your profile")
        self.setMouseTracking(True)

    def sizeHint(self) -> QSize:
        return QSize(320, 230)

    def minimumSizeHint(self) -> QSize:
        return QSize(160, 230)

    def set_theme(self, theme: Theme) -> None:
        """Take the colours."""
        self._theme = theme
        self.update()

    def set_drawing(self, drawing: Drawing) -> None:
        """Show a drawing; what is being dragged stays under the mouse."""
        if drawing is self._drawing:
            return
        if self._drawing is None or drawing.names != self._drawing.names:
            self._chosen = next(i for i in range(len(drawing.names)) if i != drawing.reference)
        self._drawing = drawing
        if not self._dragged:
            self._points = list(drawing.predicted)
        self.setCursor(Qt.CursorShape.ArrowCursor if self._is_revealed else Qt.CursorShape.PointingHandCursor)
        self._describe()
        self.update()

    @property
    def points(self) -> tuple[float, ...]:
        """What is drawn by hand."""
        return tuple(self._points)

    @property
    def _is_revealed(self) -> bool:
        return self._drawing is None or self._drawing.measured is not None

    def text_summary(self) -> str:
        """Return every point in words."""
        drawing = self._drawing
        if drawing is None:
            return ""
        told = []
        for place, name in enumerate(drawing.names):
            words = f"{name} 10^{self._points[place]:.1f}"
            if drawing.measured is not None:
                real = drawing.measured[place]
                words += f", measured {_exponent_words(real)}"
            told.append(words)
        return f"{drawing.what} relative to {drawing.names[drawing.reference]}: " + "; ".join(told)

    def _describe(self) -> None:
        self.setAccessibleDescription(self.text_summary())

    # -- where things are -------------------------------------------------------------------------------

    def _area(self) -> QRectF:
        left = QFontMetricsF(self.font()).horizontalAdvance("10⁻⁰⁰ ") + 6
        return QRectF(
            left, _TOP, max(self.width() - left - _RIGHT, 10), max(self.height() - _TOP - _BOTTOM, 10)
        )

    def _x(self, place: int) -> float:
        area, count = self._area(), len(self._points)
        return area.left() + area.width() * (place + 0.5) / count

    def _y(self, decades: float) -> float:
        assert self._drawing is not None
        area, low, high = self._area(), self._drawing.lowest, self._drawing.highest
        share = (min(max(decades, low), high) - low) / (high - low)
        return area.bottom() - share * area.height()

    # -- mouse and keys ---------------------------------------------------------------------------------

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton and not self._is_revealed:
            self._dragged = True
            self._drag(event.position())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._dragged:
            self._drag(event.position())

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self._dragged:
            self._dragged = False
            self.prediction_changed.emit(self.points)

    def _drag(self, at: QPointF) -> None:
        """Every point that the mouse sweeps over follows it, so that a whole line is drawn in one stroke."""
        drawing, area = self._drawing, self._area()
        assert drawing is not None
        place = int((at.x() - area.left()) / area.width() * len(self._points))
        place = min(max(place, 0), len(self._points) - 1)
        if place == drawing.reference:
            return
        share = (area.bottom() - at.y()) / area.height()
        self._move_to(place, drawing.lowest + share * (drawing.highest - drawing.lowest))

    def _move_to(self, place: int, decades: float) -> None:
        assert self._drawing is not None
        self._chosen = place
        self._points[place] = min(max(decades, self._drawing.lowest), self._drawing.highest)
        self._describe()
        self.update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key, drawing = event.key(), self._drawing
        if drawing is None or self._is_revealed or key not in _KEYS:
            super().keyPressEvent(event)
            return
        if key in (Qt.Key.Key_Left, Qt.Key.Key_Right):
            by = -1 if key == Qt.Key.Key_Left else 1
            others = [i for i in range(len(self._points)) if i != drawing.reference]
            here = others.index(self._chosen)
            self._chosen = others[min(max(here + by, 0), len(others) - 1)]
            self.update()
            return
        size = COARSE if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else FINE
        self._move_to(self._chosen, self._points[self._chosen] + (size if key == Qt.Key.Key_Up else -size))
        self.prediction_changed.emit(self.points)

    # -- painting ---------------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        drawing = self._drawing
        if drawing is None:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area, theme = self._area(), self._theme
        painter.fillRect(area, theme.color("background"))
        self._paint_axes(painter, area, drawing)
        own = theme.color("muted")
        radius = min(max(0.4 * area.width() / len(self._points), 1.5), 5.0)
        self._paint_line(painter, self._points, QPen(own, 1.5, Qt.PenStyle.DashLine))
        for place, decades in enumerate(self._points):
            is_chosen = self.hasFocus() and place == self._chosen and not self._is_revealed
            painter.setPen(QPen(theme.color("accent") if is_chosen else own, 2.5 if is_chosen else 1.6))
            painter.setBrush(theme.color("background") if place != drawing.reference else own)
            painter.drawEllipse(QPointF(self._x(place), self._y(decades)), radius, radius)
        if drawing.measured is not None:
            self._paint_measured(painter, area, drawing, drawing.measured)
        painter.end()

    def _paint_axes(self, painter: QPainter, area: QRectF, drawing: Drawing) -> None:
        theme, metrics = self._theme, QFontMetricsF(self.font())
        span = drawing.highest - drawing.lowest
        step = next((s for s in (1, 2, 5, 10, 20) if span / s <= 8), 50)
        for power in range(math.ceil(drawing.lowest / step) * step, math.floor(drawing.highest) + 1, step):
            y = self._y(power)
            painter.setPen(QPen(theme.color("outline" if power == 0 else "grid"), 1))
            painter.drawLine(QPointF(area.left(), y), QPointF(area.right(), y))
            painter.setPen(theme.color("muted"))
            box = QRectF(0, y - 9, area.left() - 6, 18)
            painter.drawText(
                box, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, power_of_ten(power)
            )
        painter.setPen(QPen(theme.color("outline"), 1))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(area)
        count = len(drawing.names)
        room = area.width() / count
        every = max(1, math.ceil(metrics.horizontalAdvance("00 ") / room))
        painter.setPen(theme.color("muted"))
        for place in range(count):
            is_last = place == count - 1
            if is_last or (place % every == 0 and place + every <= count - 1):
                text = str(place + 1)
                box = QRectF(self._x(place) - 20, area.bottom() + 1, 40, 16)
                painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)
        source = "the head" if drawing.reference == count - 1 else f"layer {drawing.reference + 1}"
        caption = f"layer · {drawing.what}, relative to {source}"
        caption = metrics.elidedText(caption, Qt.TextElideMode.ElideRight, self.width() - 4)
        painter.drawText(
            QRectF(0, area.bottom() + 15, self.width(), 18), Qt.AlignmentFlag.AlignCenter, caption
        )

    def _paint_line(self, painter: QPainter, decades: list[float] | tuple[float, ...], pen: QPen) -> None:
        painter.setPen(pen)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        piece: list[QPointF] = []
        for place, value in enumerate((*decades, math.nan)):
            if math.isfinite(value):
                piece.append(QPointF(self._x(place), self._y(value)))
                continue
            if len(piece) > 1:
                painter.drawPolyline(QPolygonF(piece))
            piece = []

    def _paint_measured(
        self, painter: QPainter, area: QRectF, drawing: Drawing, measured: tuple[float, ...]
    ) -> None:
        color = tensor_color(self._theme, drawing.tensor)
        radius = min(max(0.4 * area.width() / len(measured), 2.0), 5.0)
        self._paint_line(painter, measured, QPen(color, 2))
        for place, value in enumerate(measured):
            x = self._x(place)
            if math.isfinite(value) and drawing.lowest <= value <= drawing.highest:
                painter.setPen(Qt.PenStyle.NoPen)
                painter.setBrush(color)
                painter.drawEllipse(QPointF(x, self._y(value)), 0.7 * radius, 0.7 * radius)
            elif math.isfinite(value) or value == -math.inf:
                word = "0" if value == -math.inf else None
                self._paint_beyond(painter, x, value < 0, word, color)
            else:
                self._paint_word(painter, x, "∞" if value == math.inf else "NaN")

    def _paint_beyond(
        self, painter: QPainter, x: float, is_below: bool, word: str | None, color: QColor
    ) -> None:
        """Mark a value outside the picture by a triangle at its edge, an exact 0 by the digit."""
        area = self._area()
        y, up = (area.bottom() - 3, -8) if is_below else (area.top() + 3, 8)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(color)
        painter.drawPolygon(QPolygonF([QPointF(x, y), QPointF(x - 5, y + up), QPointF(x + 5, y + up)]))
        if word:
            painter.setPen(color)
            painter.drawText(QRectF(x - 15, y - 26, 30, 16), Qt.AlignmentFlag.AlignCenter, word)

    def _paint_word(self, painter: QPainter, x: float, word: str) -> None:
        painter.setPen(self._theme.color("bad"))
        painter.drawText(QRectF(x - 20, self._area().top() + 2, 40, 16), Qt.AlignmentFlag.AlignCenter, word)


_KEYS = (Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Up, Qt.Key.Key_Down)


def _exponent_words(decades: float) -> str:
    if math.isnan(decades):
        return "not a number"
    if math.isinf(decades):
        return "infinite" if decades > 0 else "0"
    return f"10^{decades:.1f}"
