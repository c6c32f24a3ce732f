"""Many lines, rectangles or corners at once, handed to Qt as the numbers they are: no object of Python's for each."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QLineF, QRectF
from PySide6.QtGui import QPainter, QPolygonF
from shiboken6 import Shiboken, VoidPtr


def draw_lines(painter: QPainter, ends: NDArray[np.float64]) -> None:
    """Draw lines with the pen of the painter.

    Parameters
    ----------
    painter : QPainter
        To draw with.
    ends : ndarray of float64, shape (lines, 4)
        x and y of both ends of each, in pixels.
    """
    if len(ends):
        ends = np.ascontiguousarray(ends, dtype=np.float64)
        painter.drawLines(_first(ends, QLineF), len(ends))


def draw_rects(painter: QPainter, rects: NDArray[np.float64]) -> None:
    """Draw rectangles with the pen and the brush of the painter.

    Parameters
    ----------
    painter : QPainter
        To draw with.
    rects : ndarray of float64, shape (rectangles, 4)
        Left and upper side, width and height of each, in pixels.
    """
    if len(rects):
        rects = np.ascontiguousarray(rects, dtype=np.float64)
        painter.drawRects(_first(rects, QRectF), len(rects))


def _first(rows: NDArray[np.float64], kind: type[Any]) -> Any:
    """Return the first row as an object of Qt's, which has its numbers where they are; the array must outlive it."""
    return Shiboken.wrapInstance(rows.__array_interface__["data"][0], kind)


class Outline:
    """A polygon whose corners are written where Qt keeps them, for one shape after the other.

    Parameters
    ----------
    most : int
        So many corners at most, 1 or more.
    """

    def __init__(self, most: int) -> None:
        self._polygon = QPolygonF()
        self._polygon.resize(most)
        # Writing into Qt's own memory: 5 µs for 2,000 points instead of 800 for as many QPointF. It stays where it
        # is while the polygon becomes shorter and as long again.
        memory: Any = VoidPtr(cast(Any, self._polygon.data()), 16 * most, True)  # type: ignore[call-arg]
        self._corners = np.frombuffer(memory, dtype=np.float64).reshape(-1, 2)

    def over(self, corners: NDArray[Any]) -> QPolygonF:
        """Return the polygon with these corners, until the next are written.

        Parameters
        ----------
        corners : ndarray of float, shape (corners, 2)
            x and y of each, in pixels.

        Returns
        -------
        QPolygonF
            To be drawn at once: always the same one. While a copy of it is kept, Qt would take other memory for
            its corners, and ours would be that of the copy.
        """
        if self._polygon.size() != len(corners):
            self._polygon.resize(len(corners))
        self._corners[: len(corners)] = corners
        return self._polygon
