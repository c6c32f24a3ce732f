"""Many lines or rectangles at once, handed to Qt as the numbers they are: no object in Python for each of them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QLineF, QRectF
from PySide6.QtGui import QPainter
from shiboken6 import Shiboken


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
