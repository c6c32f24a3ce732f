"""Bars that are longer than the plot: an arrow at its edge, and the number it would have shown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPolygonF

from gradsim.views.plot.geometry import Geometry

_HALF = 4.0
_HEIGHT = 6.0
_GAP = 3.0
_LINE = 14.0


@dataclass(frozen=True, slots=True, eq=False)
class Beyond:
    """Arrows at the edges of a plot.

    Attributes
    ----------
    x : ndarray of float64, shape (bars,)
        Middle of each bar.
    is_above : ndarray of bool, shape (bars,)
        Whether it leaves the plot at the top.
    words : sequence of str
        What it is in truth.
    color, plate : QColor
        Of arrow and words, and of the ground behind them.
    name : str
        In the legend.
    """

    x: NDArray[Any]
    is_above: NDArray[np.bool_]
    words: tuple[str, ...]
    color: QColor
    plate: QColor
    name: str = ""

    def paint(self, painter: QPainter, geometry: Geometry) -> None:
        """Draw each arrow, and its words beside it towards the middle where nothing else is written."""
        plot, metrics = geometry.plot, painter.fontMetrics()
        taken: list[QRectF] = []
        places = geometry.x_px(self.x)
        for x, is_above, words in zip(places.tolist(), self.is_above.tolist(), self.words, strict=True):
            if not plot.left() - 1 <= x <= plot.right() + 1:
                continue
            edge, sign = (plot.top() + 1, 1.0) if is_above else (plot.bottom() - 1, -1.0)
            corners = [(x, edge), (x - _HALF, edge + sign * _HEIGHT), (x + _HALF, edge + sign * _HEIGHT)]
            arrow = QPolygonF([QPointF(*corner) for corner in corners])
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(self.plate)
            painter.drawRect(QRectF(x - _HALF - 1, min(edge, edge + sign * (_HEIGHT + 1)), 10, _HEIGHT + 1))
            painter.setBrush(self.color)
            painter.drawPolygon(arrow)
            width = metrics.horizontalAdvance(words) + 4.0
            left = x - _HALF - _GAP - width if x > plot.center().x() else x + _HALF + _GAP
            box = QRectF(left, edge if is_above else edge - _LINE, width, _LINE)
            while any(box.intersects(other) for other in taken) and len(taken) < 40:
                box.translate(0.0, sign * _LINE)
            taken.append(box)
            painter.fillRect(box, self.plate)
            painter.setPen(self.color)
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, words)

    def paint_sample(self, painter: QPainter, rect: QRectF) -> None:
        """Draw an arrow."""
        middle = rect.center()
        corners = [(0.0, -_HEIGHT / 2), (-_HALF, _HEIGHT / 2), (_HALF, _HEIGHT / 2)]
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self.color)
        painter.drawPolygon(QPolygonF([QPointF(middle.x() + x, middle.y() + y) for x, y in corners]))
