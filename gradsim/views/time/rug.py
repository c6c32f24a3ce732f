"""A mark that shows where on the axis something was recorded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QLineF, QRectF
from PySide6.QtGui import QColor, QPainter

from gradsim.views.plot.geometry import Geometry
from gradsim.views.plot.marks import pen


@dataclass(frozen=True, slots=True, eq=False)
class Rug:
    """Short strokes at the foot of the plot, one for each place; as many as there are pixels."""

    x: NDArray[Any]
    color: QColor
    ground: QColor
    name: str = ""
    _height: float = 5.0

    def paint(self, painter: QPainter, geometry: Geometry) -> None:
        """Draw the strokes on a strip of the ground."""
        frame = geometry.frame
        painter.fillRect(
            QRectF(frame.left(), frame.bottom() - self._height, frame.width(), self._height), self.ground
        )
        places = np.unique(np.floor(geometry.x_px(self.x))) + 0.5
        painter.setPen(pen(self.color, 1.0))
        painter.drawLines(
            [
                QLineF(x, frame.bottom() - self._height, x, frame.bottom())
                for x in places.tolist()
                if frame.left() <= x <= frame.right()
            ]
        )

    def paint_sample(self, painter: QPainter, rect: QRectF) -> None:
        """Draw a few strokes."""
        painter.setPen(pen(self.color, 1.0))
        for share in (0.25, 0.5, 0.75):
            x = rect.left() + share * rect.width()
            painter.drawLine(QLineF(x, rect.center().y() - 3, x, rect.center().y() + 3))
