"""A shaded band between two curves, such as what theory leaves to chance, with a line in it or without."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter

from gradsim.views.plot.geometry import Geometry
from gradsim.views.plot.line import Line, polygon
from gradsim.views.plot.marks import pen

_FAR = 1e5


@dataclass(frozen=True, slots=True, eq=False)
class Band:
    """The room between two curves, ``low`` and ``high``; it breaks where one of them is missing.

    Where a single place stands alone, it is a bar as wide as ``bar`` pixels.
    """

    x: NDArray[Any]
    low: NDArray[Any]
    high: NDArray[Any]
    color: QColor
    bar: float = 8.0
    name: str = ""

    def paint(self, painter: QPainter, geometry: Geometry) -> None:
        """Fill every unbroken stretch."""
        x = geometry.x_px(self.x)
        low, high = (np.clip(geometry.y_px(values), -_FAR, _FAR) for values in (self.low, self.high))
        good = np.isfinite(x) & np.isfinite(low) & np.isfinite(high)
        edges = np.flatnonzero(np.diff(np.concatenate(([False], good, [False])).astype(np.int8)))
        painter.save()
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self.color)
        for first, end in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
            if end - first == 1:
                left, top = float(x[first]) - self.bar / 2.0, float(high[first])
                painter.drawRect(QRectF(left, top, self.bar, float(low[first]) - top))
                continue
            around = np.concatenate((x[first:end], x[first:end][::-1]))
            painter.drawPolygon(polygon(around, np.concatenate((high[first:end], low[first:end][::-1]))))
        painter.restore()

    def paint_sample(self, painter: QPainter, rect: QRectF) -> None:
        """Fill a small rectangle."""
        painter.fillRect(rect.adjusted(0, 1, 0, -1), self.color)


@dataclass(frozen=True, slots=True, eq=False)
class Ribbon:
    """A band from ``low`` to ``high`` with its middle line; either breaks where it has no number.

    Where a single place stands alone, it is a bar as wide as ``bar`` pixels with a dash across.
    """

    x: NDArray[Any]
    low: NDArray[Any]
    middle: NDArray[Any]
    high: NDArray[Any]
    color: QColor
    opacity: float = 0.2
    dash: tuple[float, ...] = ()
    width: float = 1.8
    bar: float = 8.0
    name: str = ""

    def paint(self, painter: QPainter, geometry: Geometry) -> None:
        """Fill the band, and draw the line upon it."""
        self._band.paint(painter, geometry)
        self._line.paint(painter, geometry)
        self._paint_single(painter, geometry)

    def paint_sample(self, painter: QPainter, rect: QRectF) -> None:
        """Draw a stretch of the band and its line."""
        self._band.paint_sample(painter, rect)
        self._line.paint_sample(painter, rect)

    def _paint_single(self, painter: QPainter, geometry: Geometry) -> None:
        """Draw a dash where the line is a single place, which no line shows."""
        places = np.flatnonzero(np.isfinite(self.middle))
        if len(places) == 1:
            x, y = geometry.x_px(self.x)[places[0]], geometry.y_px(self.middle)[places[0]]
            painter.setPen(pen(self.color, self.width))
            painter.drawLine(QPointF(float(x) - self.bar, float(y)), QPointF(float(x) + self.bar, float(y)))

    @property
    def _band(self) -> Band:
        fill = QColor(self.color)
        fill.setAlphaF(self.opacity)
        return Band(self.x, self.low, self.high, fill, self.bar)

    @property
    def _line(self) -> Line:
        return Line(self.x, self.middle, self.color, self.width, self.dash)
