"""A line through numbers: broken where one is missing, the peaks kept where there are more points than pixels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPolygonF
from PySide6.QtWidgets import QWidget

from gradsim.views.plot.geometry import Geometry
from gradsim.views.plot.marks import pen
from gradsim.views.plot.primitives import Outline, draw_lines

_MOST_DASHES = 500
"""What is drawn dash by dash: 0.3 ms for so many, antialiased and wider than a pixel."""


def polygon(x: NDArray[Any], y: NDArray[Any]) -> QPolygonF:
    """Return points for QPainter.

    Parameters
    ----------
    x, y : ndarray of float, shape (points,)
        In pixels.

    Returns
    -------
    QPolygonF
        The same points.
    """
    return Outline(len(x)).over(np.stack([x, y], axis=1)) if len(x) else QPolygonF()


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """A line through numbers; it breaks where one is missing, and never bridges the gap.

    ``x`` rises. More points than pixels are drawn as the least and the greatest of each pixel: no peak is lost.
    Such a line is thin and never dashed; one with very many dashes is thin on the screen.
    """

    x: NDArray[Any]
    y: NDArray[Any]
    color: QColor
    width: float = 1.5
    dash: tuple[float, ...] = ()
    name: str = ""

    def paint(self, painter: QPainter, geometry: Geometry) -> None:
        """Draw every unbroken stretch."""
        x, y = _near(geometry.x_px(self.x), geometry.y_px(self.y), geometry.plot)
        good = np.isfinite(x) & np.isfinite(y)
        if not good.any():
            return
        y = np.clip(y, -1e5, 1e5)
        dense = int(good.sum()) > geometry.plot.width()
        if dense:
            x, y, good = _envelope(x, y, good)
        painter.save()
        painter.setBrush(Qt.BrushStyle.NoBrush)
        edges = np.flatnonzero(np.diff(np.concatenate(([False], good, [False])).astype(np.int8)))
        stretches = list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))
        on_screen = isinstance(painter.device(), QWidget)
        drawn = _dashes(x, y, stretches, np.array(self.dash) * self.width) if self.dash else (x, y, stretches)
        if on_screen and not dense and drawn is not None:
            _paint_quickly(painter, drawn, self.color, self.width)
        else:
            if on_screen:
                painter.setRenderHint(QPainter.RenderHint.Antialiasing, not dense)
            painter.setPen(
                pen(self.color, 1.0 if dense or on_screen else self.width, () if dense else self.dash)
            )
            for first, end in stretches:
                if end - first == 1:
                    painter.drawPoint(QPointF(float(x[first]), float(y[first])))
                else:
                    painter.drawPolyline(polygon(x[first:end], y[first:end]))
        painter.restore()

    def paint_sample(self, painter: QPainter, rect: QRectF) -> None:
        """Draw a short stretch."""
        painter.setPen(pen(self.color, self.width, self.dash))
        painter.drawLine(QLineF(rect.left(), rect.center().y(), rect.right(), rect.center().y()))


def _near(x: NDArray[Any], y: NDArray[Any], plot: QRectF) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return the points inside and one more on each side, brought near if it lies far out."""
    first = max(int(np.searchsorted(x, plot.left())) - 1, 0)
    end = int(np.searchsorted(x, plot.right(), side="right")) + 1
    x, y = x[first:end].copy(), y[first:end].copy()
    for place, beside, edge in ((0, 1, plot.left() - 50.0), (-1, -2, plot.right() + 50.0)):
        if len(x) > 1 and not plot.left() - 50.0 <= x[place] <= plot.right() + 50.0:
            share = (edge - x[beside]) / (x[place] - x[beside])
            x[place], y[place] = edge, y[beside] + share * (y[place] - y[beside])
    return x, y


def _dashes(
    x: NDArray[Any], y: NDArray[Any], stretches: list[tuple[int, int]], pattern: NDArray[Any]
) -> tuple[NDArray[Any], NDArray[Any], list[tuple[int, int]]] | None:
    """Cut stretches into dashes, ``pattern`` px on and off in turn; None where they would be too many to be quick."""
    xs: list[NDArray[Any]] = []
    ys: list[NDArray[Any]] = []
    cut: list[tuple[int, int]] = []
    for first, end in stretches:
        way = np.concatenate(([0.0], np.cumsum(np.hypot(np.diff(x[first:end]), np.diff(y[first:end])))))
        times = int(way[-1] / pattern.sum()) + 1
        if len(cut) + times > _MOST_DASHES:
            return None
        edges = np.minimum(np.concatenate(([0.0], np.cumsum(np.tile(pattern, times)))), way[-1])
        # The corners of the line stay: a dash may go round one.
        places = np.union1d(way, edges)
        offset = sum(len(part) for part in xs)
        xs.append(np.interp(places, way, x[first:end]))
        ys.append(np.interp(places, way, y[first:end]))
        starts, ends = np.searchsorted(places, edges[0:-1:2]), np.searchsorted(places, edges[1::2])
        found = zip(starts.tolist(), ends.tolist(), strict=True)
        cut += [(offset + a, offset + b + 1) for a, b in found if a < b or way[-1] == 0.0]
    return np.concatenate(xs), np.concatenate(ys), cut


def _paint_quickly(
    painter: QPainter,
    line: tuple[NDArray[Any], NDArray[Any], list[tuple[int, int]]],
    color: QColor,
    width: float,
) -> None:
    """Draw segment by segment: a polyline wider than 1 pixel that zigzags takes 80 times as long (24 ms)."""
    x, y, stretches = line
    along = pen(color, width)
    along.setCapStyle(Qt.PenCapStyle.FlatCap)
    painter.setPen(along)
    ends = np.stack([x[:-1], y[:-1], x[1:], y[1:]], axis=1)
    draw_lines(painter, np.concatenate([ends[first : end - 1] for first, end in stretches]))
    single = [QPointF(float(x[first]), float(y[first])) for first, end in stretches if end - first == 1]
    if single:
        painter.setPen(pen(color, width))
        painter.drawPoints(single)


def _envelope(x: NDArray[Any], y: NDArray[Any], good: NDArray[np.bool_]) -> tuple[NDArray[Any], ...]:
    """Least and greatest of the points in each column of pixels, in the order they come; gaps kept."""
    column = np.floor(x).astype(np.int64)
    starts = np.flatnonzero(np.concatenate(([True], np.diff(column) != 0)))
    low = np.minimum.reduceat(np.where(good, y, np.inf), starts)
    high = np.maximum.reduceat(np.where(good, y, -np.inf), starts)
    whole = np.isfinite(low) & np.isfinite(high)
    rising = np.arange(len(starts)) % 2 == 0
    pair = np.where(rising[:, None], np.stack([low, high], 1), np.stack([high, low], 1))
    return np.repeat(x[starts], 2), np.where(whole[:, None], pair, 0.0).ravel(), np.repeat(whole, 2)
