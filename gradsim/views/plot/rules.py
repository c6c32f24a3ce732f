"""Several level lines with words, such as durations people know: words that would touch others are left out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QLineF, QRectF
from PySide6.QtGui import QColor, QPainter

from gradsim.views.plot.geometry import Geometry
from gradsim.views.plot.marks import Courses, boxes_at, crossings, paint_tag, pen

LEAST_APART = 20.0
"""Between two of the lines, in pixels: of nearer ones only the lowest is drawn."""


@dataclass(frozen=True, slots=True, eq=False)
class Rules:
    """Level lines right across, each with its words where there is room for them."""

    rows: Sequence[tuple[float, str]]
    """Places along y, the lowest first, and words."""
    color: QColor
    plate: QColor
    """Ground of the words."""
    dash: tuple[float, ...] = ()
    clear_of: Courses = ()
    """Curves that the words keep clear of where they can."""
    name: str = ""

    def shown(self, geometry: Geometry) -> list[tuple[float, str]]:
        """Return the lines that are drawn.

        Parameters
        ----------
        geometry : Geometry
            Of the panel.

        Returns
        -------
        list of (float, str)
            Their heights in pixels and their words, the lowest first.
        """
        found: list[tuple[float, str]] = []
        for at, words in self.rows:
            place = math.floor(geometry.y_place(at)) + 0.5
            is_inside = geometry.plot.top() <= place <= geometry.plot.bottom()
            if is_inside and (not found or found[-1][0] - place >= LEAST_APART):
                found.append((place, words))
        return found

    def paint(self, painter: QPainter, geometry: Geometry) -> None:
        """Draw the lines, then the words upon them."""
        painter.setPen(pen(self.color, 1.0, self.dash))
        shown = self.shown(geometry)
        for place, _ in shown:
            painter.drawLine(QLineF(geometry.frame.left(), place, geometry.frame.right(), place))
        taken: list[QRectF] = []
        for place, words in shown:
            width = painter.fontMetrics().horizontalAdvance(words) + 8.0
            others = [at for at, _ in shown if at != place]
            free = [
                box
                for box in boxes_at(place, width, geometry)
                if not any(box.intersects(before) for before in taken)
                and not any(box.top() <= at <= box.bottom() for at in others)
            ]
            if free and width < geometry.frame.width() - 8.0:
                box = min(free, key=lambda box: crossings(box, self.clear_of, geometry))
                paint_tag(painter, words, box, self.plate)
                taken.append(box)

    def paint_sample(self, painter: QPainter, rect: QRectF) -> None:
        """Draw a short stretch."""
        painter.setPen(pen(self.color, 1.0, self.dash))
        painter.drawLine(QLineF(rect.left(), rect.center().y(), rect.right(), rect.center().y()))
