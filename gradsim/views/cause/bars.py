"""Bars that stand on each other, above and below 1 on a log axis: one mark for each kind of factor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QPainter

from gradsim.views.plot.geometry import Geometry
from gradsim.views.plot.marks import pen
from gradsim.views.plot.primitives import draw_lines, draw_rects

Hatch = Literal["", "/", "\\", "x", "-", "|", "+"]
"""Lines across a bar, so that colour is not all that tells the kinds apart."""

_SHARE = 0.8
_SPACING = 5.0
_NARROWEST_HATCHED = 3.5
_SMALLEST_LETTER = 12.0
_MARK = 5.0
"""Room that a mark takes to each side, in pixels."""


@dataclass(frozen=True, slots=True, eq=False)
class StackedBars:
    """The bars of one kind.

    Attributes
    ----------
    x : ndarray of float64, shape (bars,)
        Middle of each; it is 0.8 wide.
    low, high : ndarray of float64, shape (bars,)
        Where it begins and ends.
    color, ink : QColor
        Of the bar, and of the lines and letters on it.
    hatch : str
        One of ``Hatch``.
    letter : str
        Written on bars that are large enough; empty for none.
    marks : ndarray of float64, shape (bars,), or None
        Where a mark stands on or beside each bar that no letter may touch; NaN for none.
    name : str
        In the legend.
    """

    x: NDArray[Any]
    low: NDArray[Any]
    high: NDArray[Any]
    color: QColor
    ink: QColor
    hatch: Hatch = ""
    letter: str = ""
    name: str = ""
    marks: NDArray[Any] | None = None

    def paint(self, painter: QPainter, geometry: Geometry) -> None:
        """Fill each, hatch it where it is wide enough, write the letter where there is room."""
        edges = geometry.plot.adjusted(-2, -2, 2, 2)
        left = np.clip(geometry.x_px(self.x - _SHARE / 2), edges.left(), edges.right())
        right = np.clip(geometry.x_px(self.x + _SHARE / 2), edges.left(), edges.right())
        top = np.clip(geometry.y_px(self.high), edges.top(), edges.bottom())
        bottom = np.clip(geometry.y_px(self.low), edges.top(), edges.bottom())
        seen = (right > left) & (bottom > top)
        boxes = np.stack([left, top, right, bottom], axis=1)[seen]
        if not len(boxes):
            return
        _fill(painter, boxes, self.color)
        if np.median(boxes[:, 2] - boxes[:, 0]) >= _NARROWEST_HATCHED:
            _hatch(painter, boxes, self.hatch, self.ink)
        if self.letter:
            marks = np.full(len(seen), np.nan) if self.marks is None else geometry.y_px(self.marks)
            self._write(painter, boxes, marks[seen])

    def paint_sample(self, painter: QPainter, rect: QRectF) -> None:
        """Fill and hatch a small rectangle."""
        box = rect.adjusted(4, 0, -4, 0)
        boxes = np.array([[box.left(), box.top(), box.right(), box.bottom()]])
        _fill(painter, boxes, self.color)
        _hatch(painter, boxes, self.hatch, self.ink)

    def _write(self, painter: QPainter, boxes: NDArray[np.float64], marks: NDArray[np.float64]) -> None:
        metrics = painter.fontMetrics()
        wide = max(metrics.horizontalAdvance(self.letter) + 6.0, _SMALLEST_LETTER)
        painter.setPen(self.ink)
        for (left, up, right, down), mark in zip(boxes.tolist(), marks.tolist(), strict=True):
            top, bottom = _beside(up, down, mark)
            if right - left >= wide and bottom - top >= _SMALLEST_LETTER + 2.0:
                box = QRectF(left, top, right - left, bottom - top)
                middle = QRectF(0, 0, wide - 2, _SMALLEST_LETTER)
                middle.moveCenter(box.center())
                painter.fillRect(middle, self.color)
                painter.drawText(box, Qt.AlignmentFlag.AlignCenter, self.letter)


def _beside(top: float, bottom: float, mark: float) -> tuple[float, float]:
    """Return the larger part of a bar that a mark leaves, or all of it where the mark is far from its middle."""
    if not abs((top + bottom) / 2 - mark) < _SMALLEST_LETTER / 2 + _MARK:
        return top, bottom
    above, below = (top, mark - _MARK), (mark + _MARK, bottom)
    return max(above, below, key=lambda part: part[1] - part[0])


def _fill(painter: QPainter, boxes: NDArray[np.float64], color: QColor) -> None:
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(color)
    left, top, right, bottom = boxes.T
    # Never so low that a factor near 1 disappears altogether.
    draw_rects(painter, np.stack([left, top, right - left, np.maximum(bottom - top, 0.75)], axis=1))


def _hatch(painter: QPainter, boxes: NDArray[np.float64], hatch: Hatch, ink: QColor) -> None:
    """Draw parallel lines inside boxes (left, top, right, bottom), in step from bar to bar."""
    lines: list[list[NDArray[np.float64]]] = []
    left, top, right, bottom = boxes.T
    if hatch in ("-", "+"):
        y, box = _steps(top, bottom)
        lines.append([left[box], y, right[box], y])
    if hatch in ("|", "+"):
        x, box = _steps(left, right)
        lines.append([x, top[box], x, bottom[box]])
    if hatch in ("/", "x"):
        c, box = _steps(left + top, right + bottom, 1.4)
        x0, x1 = np.maximum(left[box], c - bottom[box]), np.minimum(right[box], c - top[box])
        lines.append([x0, c - x0, x1, c - x1])
    if hatch in ("\\", "x"):
        c, box = _steps(left - bottom, right - top, 1.4)
        x0, x1 = np.maximum(left[box], c + top[box]), np.minimum(right[box], c + bottom[box])
        lines.append([x0, x0 - c, x1, x1 - c])
    painter.setPen(pen(ink, 1.0))
    for ends in lines:
        draw_lines(painter, np.stack(ends, axis=1))


def _steps(
    low: NDArray[np.float64], high: NDArray[np.float64], times: float = 1.0
) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Return the places between the ends of each box that are multiples of the spacing, and which box each is in."""
    step = _SPACING * times
    first = np.ceil(low / step)
    counts = np.maximum(np.floor(high / step) - first + 1, 0).astype(np.intp)
    box = np.repeat(np.arange(len(counts)), counts)
    within = np.arange(len(box)) - np.repeat(np.cumsum(counts) - counts, counts)
    return (first[box] + within) * step, box
