"""What is drawn inside a panel: what every mark is, rules, bands, bars; lines and points stand in files of their own.

A mark is a value that holds numbers in the units of the axes (log10 on a log axis) and colours already
chosen. It paints itself through a ``Geometry`` and shows a sample of itself in a legend.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QLineF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

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


Courses = Sequence[tuple[NDArray[Any], NDArray[Any]]]
"""Curves by the numbers along x, which rise, and those along y, in the units of the axes."""
_TAG = 15.0
_LOOKS = 9
_MANY = 64


def boxes_at(place: float, width: float, geometry: Geometry) -> list[QRectF]:
    """Return where the words of a level line may stand: above or below it, at its right end or its left.

    Parameters
    ----------
    place : float
        Height of the line, in pixels.
    width : float
        Of the words.
    geometry : Geometry
        Of the panel.

    Returns
    -------
    list of QRectF
        Inside the plot, the best first; never empty.
    """
    frame, plot = geometry.frame, geometry.plot
    lefts = (frame.right() - width - 2.0, frame.left() + 4.0)
    tops = (place - _TAG - 2.0, place + 2.0)
    found = [QRectF(left, top, width, _TAG) for left in lefts for top in tops]
    inside = [box for box in found if plot.top() <= box.top() and box.bottom() <= plot.bottom()]
    return inside or found[1:2]


def crossings(box: QRectF, courses: Courses, geometry: Geometry) -> int:
    """Return at how many of a few places along a box curves run through it.

    Parameters
    ----------
    box : QRectF
        In pixels.
    courses : Courses
        The curves.
    geometry : Geometry
        Of the panel.

    Returns
    -------
    int
        0 where all of them keep clear of it.
    """
    looks = np.linspace(geometry.x_at(box.left() - 4.0), geometry.x_at(box.right() + 4.0), _LOOKS)
    count = 0
    for x, y in courses:
        if len(x) > _MANY:  # the nearest point says enough, and costs nothing in a long training
            seen = looks[(looks >= x[0]) & (looks <= x[-1])]
            heights = geometry.y_px(y[np.searchsorted(x, seen)])
        else:
            known = np.isfinite(y)
            if not known.any():
                continue
            heights = geometry.y_px(np.interp(looks, x[known], y[known], left=np.nan, right=np.nan))
        count += int(((heights > box.top() - 3.0) & (heights < box.bottom() + 3.0)).sum())
    return count


def paint_tag(painter: QPainter, text: str, box: QRectF, plate: QColor | None) -> None:
    """Write words on a ground of their own.

    Parameters
    ----------
    painter : QPainter
        To draw with, its pen that of the words.
    text : str
        The words.
    box : QRectF
        Where, in pixels.
    plate : QColor or None
        The ground.
    """
    if plate is not None:
        painter.fillRect(box, plate)
    painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)


@dataclass(frozen=True, slots=True, eq=False)
class Rule:
    """A straight line right across, with words at an end of it where it has some."""

    at: float
    color: QColor
    upright: bool = False
    words: str = ""
    plate: QColor | None = None
    """Ground of the words, so that lines do not cross them."""
    width: float = 1.0
    dash: tuple[float, ...] = ()
    name: str = ""
    clear_of: Courses = ()
    """Curves that the words keep clear of where they can."""

    def paint(self, painter: QPainter, geometry: Geometry) -> None:
        """Draw the line, and the words above its right end or where less is in their way."""
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
                metrics = painter.fontMetrics()
                room = int(plot.width() - 16.0)
                words = self.words
                if metrics.horizontalAdvance(words) > room:  # what explains the line goes first
                    words = words.partition(":")[0]
                text = metrics.elidedText(words, Qt.TextElideMode.ElideRight, room)
                boxes = boxes_at(place, metrics.horizontalAdvance(text) + 8.0, geometry)
                box = min(boxes, key=lambda box: crossings(box, self.clear_of, geometry))
                paint_tag(painter, text, box, self.plate)

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
