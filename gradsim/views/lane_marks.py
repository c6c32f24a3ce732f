"""Marks in the lanes of 0, NaN and ∞ beside a picture of layers: colours, and counts in figures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QPainter

from gradsim.views.plot.axes import LANE_HEIGHT
from gradsim.views.plot.axis import Axis
from gradsim.views.plot.geometry import Geometry
from gradsim.views.plot.heat import Heat
from gradsim.views.theme import Theme


@dataclass(frozen=True, slots=True, eq=False)
class LaneHeat:
    """The same colours for the lanes of 0, NaN and ∞: one cell per layer."""

    rows: NDArray[Any]
    edges: NDArray[Any]
    colors: NDArray[np.uint32]
    theme: Theme
    lane: str
    name: str = ""

    def paint(self, painter: QPainter, geometry: Geometry) -> None:
        """Draw the strip."""
        if self.lane not in geometry.lanes:
            return
        strip = geometry.plot.adjusted(0, 0, 0, 0)
        strip.moveTop(geometry.lanes[self.lane] - LANE_HEIGHT / 2)
        strip.setHeight(LANE_HEIGHT - 1)
        flat = Axis("", 0.0, 1.0)
        inside = Geometry(strip, strip, strip, geometry.x, flat, {})
        Heat(self.rows[None, :], self.edges, np.array([0.0, 1.0]), self.colors, self.theme).paint(
            painter, inside
        )

    def paint_sample(self, painter: QPainter, rect: QRectF) -> None:
        """Draw nothing: a colour bar explains it."""


@dataclass(frozen=True, slots=True, eq=False)
class LaneCounts:
    """How many values are 0, NaN or ∞, in figures above each layer; nothing where there is no room."""

    counts: NDArray[np.int64]
    color: QColor
    plate: QColor
    lane: str
    name: str = ""

    def paint(self, painter: QPainter, geometry: Geometry) -> None:
        """Write the numbers that are not 0 into the strip."""
        if self.lane not in geometry.lanes:
            return
        metrics, centre = painter.fontMetrics(), geometry.lanes[self.lane]
        ends = geometry.x_px(np.arange(len(self.counts) + 1.0) + 0.5)
        painter.setPen(self.color)
        for count, left, right in zip(self.counts.tolist(), ends[:-1], ends[1:], strict=True):
            text = compact(count)
            width = metrics.horizontalAdvance(text) + 4.0
            if count and width <= right - left:
                box = QRectF(
                    float(left + right - width) / 2, centre - LANE_HEIGHT / 2 + 1, width, LANE_HEIGHT - 3
                )
                painter.fillRect(box, self.plate)
                painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)

    def paint_sample(self, painter: QPainter, rect: QRectF) -> None:
        """Draw nothing: the figures speak for themselves."""


def compact(count: int) -> str:
    """Return a count in a few characters.

    Parameters
    ----------
    count : int
        From 0 on.

    Returns
    -------
    str
        ``999``, ``1.2k``, ``34k``, ``5.6M``.
    """
    for size, letter in ((10**9, "G"), (10**6, "M"), (1000, "k")):
        if count >= size:
            share = count / size
            return f"{share:.1f}{letter}" if share < 9.95 else f"{share:.0f}{letter}"
    return str(count)
