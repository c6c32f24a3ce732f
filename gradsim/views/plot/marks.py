"""What is drawn inside a panel: lines, points, lanes for 0, NaN and ∞, rules, bands.

A mark is a value that holds numbers in the units of the axes (log10 on a log axis) and colours already
chosen. It paints itself through a ``Geometry`` and shows a sample of itself in a legend.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Protocol, cast

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QPolygonF
from PySide6.QtWidgets import QWidget
from shiboken6 import VoidPtr

from gradsim.views.plot.geometry import Geometry


class Mark(Protocol):
    """Anything that a panel can draw."""

    @property
    def name(self) -> str:
        """Words in the legend; empty for none."""

    def paint(self, painter: QPainter, geometry: Geometry) -> None:
        """Draw inside the clipped plot."""

    def paint_sample(self, painter: QPainter, rect: QRectF) -> None:
        """Draw the sample beside the words of the legend."""


def pen(color: QColor, width: float = 1.5, dash: tuple[float, ...] = ()) -> QPen:
    """Return a pen whose width grows with the figure.

    Parameters
    ----------
    color : QColor
        Of the line.
    width : float, default 1.5
        In logical pixels.
    dash : tuple of float, default none
        Lengths of dashes and gaps in widths of the pen.

    Returns
    -------
    QPen
        With round joins; flat ends where it is dashed.
    """
    result = QPen(color, width)
    result.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
    result.setCapStyle(Qt.PenCapStyle.FlatCap if dash else Qt.PenCapStyle.RoundCap)
    if dash:
        result.setDashPattern(list(dash))
    return result


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
    result = QPolygonF()
    if len(x):
        result.resize(len(x))
        # Writing into Qt's own memory: 5 µs for 2,000 points instead of 800 for as many QPointF.
        memory: Any = VoidPtr(cast(Any, result.data()), 16 * len(x), True)  # type: ignore[call-arg]
        places = np.frombuffer(memory, dtype=np.float64).reshape(-1, 2)
        places[:, 0], places[:, 1] = x, y
    return result


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """A line through numbers; it breaks where one is missing, and never bridges the gap.

    ``x`` rises. More points than pixels are drawn as the least and the greatest of each pixel: no peak is lost.
    Such a line is thin and never dashed.
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
        if on_screen and not dense and not self.dash:
            _paint_quickly(painter, x, y, stretches, self.color, self.width)
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


def _paint_quickly(
    painter: QPainter,
    x: NDArray[Any],
    y: NDArray[Any],
    stretches: list[tuple[int, int]],
    color: QColor,
    width: float,
) -> None:
    """Draw segment by segment: a polyline wider than 1 pixel that zigzags takes 80 times as long (24 ms)."""
    along = pen(color, width)
    along.setCapStyle(Qt.PenCapStyle.FlatCap)
    painter.setPen(along)
    xs, ys = x.tolist(), y.tolist()
    painter.drawLines(
        [
            QLineF(xs[k], ys[k], xs[k + 1], ys[k + 1])
            for first, end in stretches
            for k in range(first, end - 1)
        ]
    )
    single = [QPointF(xs[first], ys[first]) for first, end in stretches if end - first == 1]
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


@dataclass(frozen=True, slots=True, eq=False)
class VerticalBand:
    """A shaded stretch of the x axis, over the lanes too."""

    low: float
    high: float
    color: QColor
    name: str = ""

    def paint(self, painter: QPainter, geometry: Geometry) -> None:
        """Fill, at least two pixels wide."""
        left, right = geometry.x_px(np.array([self.low, self.high])).tolist()
        wider = max(0.0, 2.0 - (right - left)) / 2.0
        frame = geometry.frame
        rect = QRectF(left - wider, frame.top(), right - left + 2 * wider, frame.height())
        painter.fillRect(rect & frame, self.color)

    def paint_sample(self, painter: QPainter, rect: QRectF) -> None:
        """Fill a small rectangle."""
        painter.fillRect(rect.adjusted(4, 0, -4, 0), self.color)


@dataclass(frozen=True, slots=True, eq=False)
class Rule:
    """A straight line right across, with words at its end where it has some."""

    at: float
    color: QColor
    upright: bool = False
    words: str = ""
    plate: QColor | None = None
    """Ground of the words, so that lines do not cross them."""
    width: float = 1.0
    dash: tuple[float, ...] = ()
    name: str = ""

    def paint(self, painter: QPainter, geometry: Geometry) -> None:
        """Draw the line, and the words above its right end."""
        plot = geometry.frame
        place = float((geometry.x_px if self.upright else geometry.y_px)(np.array([self.at]))[0])
        if not math.isfinite(place):
            return
        place = math.floor(place) + 0.5
        painter.setPen(pen(self.color, self.width, self.dash))
        if self.upright and plot.left() <= place <= plot.right() + 1:
            painter.drawLine(QLineF(place, plot.top(), place, plot.bottom()))
        elif not self.upright and geometry.plot.top() <= place <= geometry.plot.bottom():
            painter.drawLine(QLineF(plot.left(), place, plot.right(), place))
            if self.words:
                above = place - 16.0 > geometry.plot.top()
                metrics = painter.fontMetrics()
                text = metrics.elidedText(self.words, Qt.TextElideMode.ElideRight, int(plot.width() - 16.0))
                width = metrics.horizontalAdvance(text) + 8.0
                box = QRectF(plot.right() - width - 2, place - 17.0 if above else place + 2, width, 15.0)
                if self.plate is not None:
                    painter.fillRect(box, self.plate)
                painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)

    def paint_sample(self, painter: QPainter, rect: QRectF) -> None:
        """Draw a short stretch."""
        painter.setPen(pen(self.color, self.width, self.dash))
        painter.drawLine(QLineF(rect.left(), rect.center().y(), rect.right(), rect.center().y()))


@dataclass(frozen=True, slots=True, eq=False)
class Bars:
    """Bars that stand side by side on the bottom of the plot."""

    edges: NDArray[Any]
    heights: NDArray[Any]
    color: QColor
    name: str = ""

    def paint(self, painter: QPainter, geometry: Geometry) -> None:
        """Fill each, a hair apart where there is room; a count of 1 is never too low to see."""
        x, top = geometry.x_px(self.edges), geometry.y_px(self.heights)
        bottom = geometry.plot.bottom()
        gap = 1.0 if len(x) > 1 and x[1] - x[0] > 5.0 else 0.0
        for left, right, y, height in zip(x[:-1], x[1:], top, self.heights, strict=True):
            if height > 0:
                y = min(float(y), bottom - 1.5)
                painter.fillRect(QRectF(float(left), y, float(right - left) - gap, bottom - y), self.color)

    def paint_sample(self, painter: QPainter, rect: QRectF) -> None:
        """Fill a small rectangle."""
        painter.fillRect(rect.adjusted(5, 1, -5, -1), self.color)
