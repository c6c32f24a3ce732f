"""What is drawn inside a panel: lines, points, lanes for 0, NaN and ∞, rules, bands.

A mark is a value that holds numbers in the units of the axes (log10 on a log axis) and colours already
chosen. It paints itself through a ``Geometry`` and shows a sample of itself in a legend.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QBrush, QColor, QPainter, QPainterPath, QPen, QPolygonF
from PySide6.QtWidgets import QWidget
from shiboken6 import VoidPtr

from gradsim.views.plot.geometry import Geometry

Shape = Literal[
    "circle", "square", "diamond", "triangle", "cross", "plus", "ring", "down", "pentagon", "star"
]

LANES = ("0", "NaN", "∞")
"""Strips for what has no place on a log axis: 0 at the bottom, NaN and ∞ at the top."""

LANE_SHAPES: dict[str, Shape] = {"0": "ring", "NaN": "cross", "∞": "triangle"}
"""Told apart by shape, not only by colour."""


class Mark(Protocol):
    """Anything that a panel can draw."""

    name: str
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


def lane_of(values: NDArray[Any]) -> NDArray[np.str_]:
    """Return the lane of each number.

    Parameters
    ----------
    values : ndarray of float
        Not logarithms.

    Returns
    -------
    ndarray of str, the same shape
        One of ``LANES``, or empty for an ordinary number.
    """
    return np.select([values == 0, np.isnan(values), np.isinf(values)], list(LANES), "")


def log10_or_nan(values: NDArray[Any]) -> NDArray[np.float64]:
    """Return log10 of the positive finite numbers, NaN for all others.

    Parameters
    ----------
    values : ndarray of float
        Any.

    Returns
    -------
    ndarray of float64, the same shape
        What a log axis can place; the rest belongs in lanes.
    """
    values = np.asarray(values, dtype=np.float64)
    result = np.full(values.shape, np.nan)
    np.log10(values, out=result, where=(values > 0) & np.isfinite(values))
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
        memory = VoidPtr(result.data(), 16 * len(x), True)
        places = np.frombuffer(memory, dtype=np.float64).reshape(-1, 2)
        places[:, 0], places[:, 1] = x, y
    return result


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """A line through numbers; it breaks where one is missing, and never bridges the gap.

    More points than pixels are drawn as the least and the greatest of each pixel: no peak is lost. Such a line
    is thin and never dashed.
    """

    x: NDArray[Any]
    y: NDArray[Any]
    color: QColor
    width: float = 1.5
    dash: tuple[float, ...] = ()
    name: str = ""

    def paint(self, painter: QPainter, geometry: Geometry) -> None:
        """Draw every unbroken stretch."""
        x, y = geometry.x_px(self.x), geometry.y_px(self.y)
        seen = (x >= geometry.plot.left() - 4000.0) & (x <= geometry.plot.right() + 4000.0)
        good = np.isfinite(x) & np.isfinite(y) & seen
        if not good.any():
            return
        y = np.clip(y, -1e5, 1e5)
        dense = good.sum() > geometry.plot.width()
        if dense:
            x, y, good = _envelope(x, y, good)
        painter.save()
        painter.setPen(pen(self.color, 1.0) if dense else pen(self.color, self.width, self.dash))
        if dense and isinstance(painter.device(), QWidget):
            # Smoothing, joining or dashing a noisy curve costs 3 to 80 ms a frame on the screen.
            painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
            painter.setPen(QPen(self.color, 0))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        edges = np.flatnonzero(np.diff(np.concatenate(([False], good, [False])).astype(np.int8)))
        for first, end in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
            if end - first == 1:
                painter.drawPoint(QPointF(float(x[first]), float(y[first])))
            else:
                painter.drawPolyline(polygon(x[first:end], y[first:end]))
        painter.restore()

    def paint_sample(self, painter: QPainter, rect: QRectF) -> None:
        """Draw a short stretch."""
        painter.setPen(pen(self.color, self.width, self.dash))
        painter.drawLine(QLineF(rect.left(), rect.center().y(), rect.right(), rect.center().y()))


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
class Points:
    """One marker per number."""

    x: NDArray[Any]
    y: NDArray[Any]
    color: QColor
    shape: Shape = "circle"
    size: float = 6.0
    edge: QColor | None = None
    name: str = ""

    def paint(self, painter: QPainter, geometry: Geometry) -> None:
        """Draw the markers inside the plot."""
        x, y = geometry.x_px(self.x), geometry.y_px(self.y)
        around = geometry.plot.adjusted(-self.size, -self.size, self.size, self.size)
        seen = (x >= around.left()) & (x <= around.right()) & (y >= around.top()) & (y <= around.bottom())
        paint_markers(painter, x[seen], y[seen], self.shape, self.size, self.color, self.edge)

    def paint_sample(self, painter: QPainter, rect: QRectF) -> None:
        """Draw one marker."""
        middle = rect.center()
        at = np.array([middle.x()]), np.array([middle.y()])
        paint_markers(painter, *at, self.shape, max(self.size, 5.0), self.color, self.edge)


class LinePoints(Points):
    """Points that stand for a line drawn besides: the sample in the legend shows both."""

    __slots__ = ()

    def paint_sample(self, painter: QPainter, rect: QRectF) -> None:
        """Draw one marker on a line."""
        Line(self.x, self.y, self.color).paint_sample(painter, rect)
        Points(self.x, self.y, self.color, self.shape, 6.0).paint_sample(painter, rect)


@dataclass(frozen=True, slots=True, eq=False)
class LanePoints:
    """Markers for the numbers of a series that are 0, NaN or ∞."""

    x: NDArray[Any]
    values: NDArray[Any]
    color: QColor
    size: float = 7.0
    dodge: float = 0.0
    """Pixels to the right, so that series do not hide each other."""
    name: str = ""

    def paint(self, painter: QPainter, geometry: Geometry) -> None:
        """Draw each in the strip of its kind."""
        lanes = lane_of(self.values)
        for lane, centre in geometry.lanes.items():
            x = geometry.x_px(self.x[lanes == lane]) + self.dodge
            if len(x) * (self.size + 1.0) > geometry.plot.width():
                x = np.unique(np.round(x / (self.size + 3.0))) * (self.size + 3.0)
            size = min(self.size, 6.0) if lane == "0" else self.size
            paint_markers(painter, x, np.full(len(x), centre), LANE_SHAPES[lane], size, self.color, None)

    def paint_sample(self, painter: QPainter, rect: QRectF) -> None:
        """Draw nothing: lanes are labelled themselves."""


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


_UNIT: dict[str, list[tuple[float, float]]] = {
    "square": [(-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)],
    "diamond": [(0, -1.2), (1.2, 0), (0, 1.2), (-1.2, 0)],
    "triangle": [(0, -1.1), (1.1, 0.9), (-1.1, 0.9)],
    "down": [(0, 1.1), (1.1, -0.9), (-1.1, -0.9)],
    "pentagon": [(1.1 * math.sin(0.4 * math.pi * k), -1.1 * math.cos(0.4 * math.pi * k)) for k in range(5)],
    "star": [
        (
            (1.35, 0.55)[k % 2] * math.sin(0.2 * math.pi * k),
            -(1.35, 0.55)[k % 2] * math.cos(0.2 * math.pi * k),
        )
        for k in range(10)
    ],
}
_STROKES = {
    "cross": [((-0.85, -0.85), (0.85, 0.85)), ((-0.85, 0.85), (0.85, -0.85))],
    "plus": [((0, -1.1), (0, 1.1)), ((-1.1, 0), (1.1, 0))],
}


def paint_markers(
    painter: QPainter,
    x: NDArray[Any],
    y: NDArray[Any],
    shape: Shape,
    size: float,
    color: QColor,
    edge: QColor | None,
) -> None:
    """Draw one marker at each point, all of them as one path.

    Parameters
    ----------
    painter : QPainter
        To draw with.
    x, y : ndarray of float, shape (points,)
        Middles in pixels.
    shape : str
        One of ``Shape``.
    size : float
        Diameter in pixels.
    color : QColor
        Of the marker.
    edge : QColor or None
        Of a thin line around it that sets it off; None for none.
    """
    if not len(x):
        return
    r = size / 2.0
    if shape in _STROKES:
        painter.setPen(pen(color, max(1.25, size / 4.5)))
        painter.drawLines(
            [
                QLineF(cx + a * r, cy + b * r, cx + c * r, cy + d * r)
                for cx, cy in zip(x.tolist(), y.tolist(), strict=True)
                for (a, b), (c, d) in _STROKES[shape]
            ]
        )
        return
    hollow = shape == "ring"
    painter.setPen(pen(color, 1.5) if hollow else pen(edge, 1.0) if edge else Qt.PenStyle.NoPen)
    painter.setBrush(Qt.BrushStyle.NoBrush if hollow else QBrush(color))
    outline = _UNIT.get(shape)
    for cx, cy in zip(x.tolist(), y.tolist(), strict=True):
        if outline is None:
            painter.drawEllipse(QPointF(cx, cy), r, r)
        else:
            painter.drawPolygon(QPolygonF([QPointF(cx + a * r, cy + b * r) for a, b in outline]))


def rounded(rect: QRectF, radius: float) -> QPainterPath:
    """Return a rectangle with round corners.

    Parameters
    ----------
    rect : QRectF
        In pixels.
    radius : float
        Of the corners.

    Returns
    -------
    QPainterPath
        Closed.
    """
    path = QPainterPath()
    path.addRoundedRect(rect, radius, radius)
    return path
