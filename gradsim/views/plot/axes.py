"""The two axes of a panel on paper: ticks, grid, lanes and labels. What their ticks are is said in ``axis``."""

from __future__ import annotations

import math
from collections.abc import Callable

from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QFontMetricsF, QPainter

from gradsim.views.fonts import figure_font
from gradsim.views.plot.geometry import Geometry
from gradsim.views.plot.marks import pen
from gradsim.views.theme import Theme

LANE_HEIGHT = 17.0
LINE_HEIGHT = 18.0
TICK_PIXELS = 11
LABEL_PIXELS = 12
_ALIGN = Qt.AlignmentFlag


def line_height(metrics: QFontMetricsF) -> Callable[[str], float]:
    """Return the room that words take along a vertical axis: their height.

    Parameters
    ----------
    metrics : QFontMetricsF
        Of their font.

    Returns
    -------
    callable
        For ``Axis.ticks``.
    """
    return lambda text: metrics.height()


def paint_axes(painter: QPainter, geometry: Geometry, has_grid: bool, theme: Theme) -> None:
    """Draw ticks, grid, lanes and labels.

    Parameters
    ----------
    painter : QPainter
        To draw with.
    geometry : Geometry
        Where.
    has_grid : bool
        Whether lines go across; over a picture they would hide it.
    theme : Theme
        In which colours.
    """
    font = figure_font(TICK_PIXELS)
    metrics = QFontMetricsF(font)
    painter.setFont(font)
    _paint_x_ticks(painter, geometry, metrics, has_grid, theme)
    _paint_y_ticks(painter, geometry, metrics, has_grid, theme)
    _paint_lanes(painter, geometry, theme)
    _paint_labels(painter, geometry, theme)


def _paint_x_ticks(
    painter: QPainter, geometry: Geometry, metrics: QFontMetricsF, has_grid: bool, theme: Theme
) -> None:
    frame, right = geometry.frame, geometry.rect.right()
    ticks = geometry.x.ticks(geometry.plot.width(), metrics.horizontalAdvance)
    places = [math.floor(geometry.x_place(tick.at)) + 0.5 for tick in ticks]
    if geometry.x.scale != "layer" and has_grid:
        lines = [
            QLineF(x, frame.top(), x, frame.bottom()) for x, t in zip(places, ticks, strict=True) if t.text
        ]
        painter.setPen(pen(theme.color("grid"), 1.0))
        painter.drawLines(lines)
    painter.setPen(pen(theme.color("outline"), 1.0))
    painter.drawLines(
        [
            QLineF(x, frame.bottom(), x, frame.bottom() + (4 if t.text else 2))
            for x, t in zip(places, ticks, strict=True)
        ]
    )
    painter.setPen(theme.color("muted"))
    for x, tick in zip(places, ticks, strict=True):
        if tick.text:
            half = metrics.horizontalAdvance(tick.text) / 2 + 1
            middle = min(x, right - half - 1)  # never cut at the side
            painter.drawText(QPointF(middle - half + 1, frame.bottom() + 5 + metrics.ascent()), tick.text)


def _paint_y_ticks(
    painter: QPainter, geometry: Geometry, metrics: QFontMetricsF, has_grid: bool, theme: Theme
) -> None:
    frame = geometry.frame
    ticks = geometry.y.ticks(geometry.plot.height(), line_height(metrics))
    places = [math.floor(geometry.y_place(tick.at)) + 0.5 for tick in ticks]
    if has_grid:
        lines = [
            QLineF(frame.left(), y, frame.right(), y) for y, t in zip(places, ticks, strict=True) if t.text
        ]
        painter.setPen(pen(theme.color("grid"), 1.0))
        painter.drawLines(lines)
    painter.setPen(pen(theme.color("outline"), 1.0))
    painter.drawLines(
        [
            QLineF(frame.left() - (4 if t.text else 2), y, frame.left(), y)
            for y, t in zip(places, ticks, strict=True)
        ]
    )
    painter.setPen(theme.color("muted"))
    for y, tick in zip(places, ticks, strict=True):
        if tick.text and not _beside_a_lane(y, geometry):
            x = frame.left() - 7 - metrics.horizontalAdvance(tick.text)
            painter.drawText(QPointF(x, y + metrics.capHeight() / 2), tick.text)


def _beside_a_lane(y: float, geometry: Geometry) -> bool:
    """Whether a tick's words would touch the name of a lane."""
    return any(abs(y - centre) < 14.0 for centre in geometry.lanes.values())


def _paint_lanes(painter: QPainter, geometry: Geometry, theme: Theme) -> None:
    painter.setFont(figure_font(TICK_PIXELS, bold=True))
    frame = geometry.frame
    for lane, centre in geometry.lanes.items():
        strip = QRectF(frame.left(), centre - LANE_HEIGHT / 2, frame.width(), LANE_HEIGHT)
        painter.fillRect(strip, theme.color("outline", 0.22))
        painter.setPen(theme.color("text"))
        box = QRectF(geometry.rect.left(), centre - 10, frame.left() - 6 - geometry.rect.left(), 20)
        painter.drawText(box, _ALIGN.AlignRight | _ALIGN.AlignVCenter, lane)


def _paint_labels(painter: QPainter, geometry: Geometry, theme: Theme) -> None:
    font = figure_font(LABEL_PIXELS)
    metrics = QFontMetricsF(font)
    painter.setFont(font)
    painter.setPen(theme.color("muted"))
    frame, rect = geometry.frame, geometry.rect
    if geometry.x.label:
        text = metrics.elidedText(geometry.x.label, Qt.TextElideMode.ElideRight, frame.width() + 40)
        box = QRectF(frame.left() - 60, rect.bottom() - 4 - LINE_HEIGHT, frame.width() + 120, LINE_HEIGHT)
        painter.drawText(box, _ALIGN.AlignHCenter | _ALIGN.AlignVCenter, text)
    if geometry.y.label:
        text = metrics.elidedText(geometry.y.label, Qt.TextElideMode.ElideRight, frame.height() + 16)
        painter.save()
        painter.translate(rect.left() + 6 + LINE_HEIGHT / 2, frame.center().y())
        painter.rotate(-90)
        box = QRectF(-frame.height(), -LINE_HEIGHT / 2, 2 * frame.height(), LINE_HEIGHT)
        painter.drawText(box, _ALIGN.AlignCenter, text)
        painter.restore()


def paint_frame(painter: QPainter, geometry: Geometry, theme: Theme) -> None:
    """Draw the left and the lower side only: less ink, and the lanes stay part of the plot.

    Parameters
    ----------
    painter : QPainter
        To draw with.
    geometry : Geometry
        Where.
    theme : Theme
        In which colours.
    """
    frame = geometry.frame
    painter.setPen(pen(theme.color("outline"), 1.0))
    left, bottom = frame.left() - 0.5, frame.bottom() + 0.5
    painter.drawLine(QLineF(left, frame.top(), left, bottom))
    painter.drawLine(QLineF(left, bottom, frame.right(), bottom))
