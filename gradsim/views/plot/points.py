"""Marks that show single numbers: markers of many shapes, and those in the lanes of 0, NaN and ∞."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QBrush, QColor, QPainter

from gradsim.views.plot.geometry import Geometry
from gradsim.views.plot.lanes import in_lane
from gradsim.views.plot.line import Line
from gradsim.views.plot.marks import pen
from gradsim.views.plot.primitives import Outline, draw_lines

Shape = Literal[
    "circle", "square", "diamond", "triangle", "cross", "plus", "ring", "down", "pentagon", "star"
]

LANE_SHAPES: dict[str, Shape] = {"0": "ring", "NaN": "cross", "∞": "triangle"}
"""Told apart by shape, not only by colour."""


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
        for lane, centre in geometry.lanes.items():
            x = geometry.x_px(self.x[in_lane(self.values, lane)]) + self.dodge
            if len(x) * (self.size + 1.0) > geometry.plot.width():
                x = np.unique(np.round(x / (self.size + 3.0))) * (self.size + 3.0)
            size = min(self.size, 6.0) if lane == "0" else self.size
            paint_markers(painter, x, np.full(len(x), centre), LANE_SHAPES[lane], size, self.color, None)

    def paint_sample(self, painter: QPainter, rect: QRectF) -> None:
        """Draw nothing: lanes are labelled themselves."""


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
        strokes = np.array(_STROKES[shape]).reshape(1, -1, 4) * r + np.stack([x, y, x, y], axis=1)[:, None]
        draw_lines(painter, strokes.reshape(-1, 4))
        return
    hollow = shape == "ring"
    painter.setPen(pen(color, 1.5) if hollow else pen(edge, 1.0) if edge else Qt.PenStyle.NoPen)
    painter.setBrush(Qt.BrushStyle.NoBrush if hollow else QBrush(color))
    if shape not in _UNIT:
        for cx, cy in zip(x.tolist(), y.tolist(), strict=True):
            painter.drawEllipse(QPointF(cx, cy), r, r)
        return
    unit = np.array(_UNIT[shape])
    outline = Outline(len(unit))
    for corners in np.stack([x, y], axis=1)[:, None] + unit * r:
        painter.drawPolygon(outline.over(corners))
