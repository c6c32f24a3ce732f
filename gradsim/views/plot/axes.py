"""The two axes of a panel on paper: ticks, grid, lanes and labels. What their ticks are is said in ``axis``.

Screen and figure share all of it: ``items`` asks for the same lines and words that ``paint_axes`` draws.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QFontMetricsF, QPainter

from gradsim.views.fonts import figure_font, figure_metrics
from gradsim.views.plot.axis import Axis, Tick
from gradsim.views.plot.geometry import Geometry
from gradsim.views.plot.marks import pen
from gradsim.views.theme import Theme

LANE_HEIGHT = 17.0
LINE_HEIGHT = 18.0
TICK_PIXELS = 11
LABEL_PIXELS = 12
_ALIGN = Qt.AlignmentFlag


@dataclass(frozen=True, slots=True)
class AxisDrawing:
    """One axis in pixels.

    Attributes
    ----------
    side : QLineF
        The side of the frame it belongs to.
    grid, ticks : list of QLineF
        Lines across the plot, and short ones outside of it.
    words : list of (QPointF, str)
        Of the major ticks, each with the place where its base line begins.
    """

    side: QLineF
    grid: list[QLineF]
    ticks: list[QLineF]
    words: list[tuple[QPointF, str]]


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


def tick_metrics() -> QFontMetricsF:
    """Return the measures of the font in which ticks are written."""
    return figure_metrics(TICK_PIXELS)


def ticks_along(axis: Axis, length: float, is_upright: bool, metrics: QFontMetricsF) -> tuple[Tick, ...]:
    """Return the ticks of an axis as long as that.

    Parameters
    ----------
    axis : Axis
        Over the range to be shown.
    length : float
        In pixels.
    is_upright : bool
        Whether it is a vertical one, where words need their height and not their width.
    metrics : QFontMetricsF
        Of the font of the words.

    Returns
    -------
    tuple of Tick
        Major and minor ones.
    """
    return axis.ticks(length, line_height(metrics) if is_upright else metrics.horizontalAdvance)


def x_drawing(
    geometry: Geometry, ticks: Iterable[Tick], has_grid: bool, metrics: QFontMetricsF
) -> AxisDrawing:
    """Return lines and words of the axis below a plot.

    Parameters
    ----------
    geometry : Geometry
        Where.
    ticks : iterable of Tick
        From ``ticks_along``.
    has_grid : bool
        Whether lines go across; over a picture they would hide it. Layers have none.
    metrics : QFontMetricsF
        Of the font of the words.

    Returns
    -------
    AxisDrawing
        In the pixels of the geometry.
    """
    frame, right = geometry.frame, geometry.rect.right()
    has_grid = has_grid and geometry.x.scale != "layer"
    side = QLineF(frame.left() - 0.5, frame.bottom() + 0.5, frame.right(), frame.bottom() + 0.5)
    drawing = AxisDrawing(side, [], [], [])
    for tick in ticks:
        x = math.floor(geometry.x_place(tick.at)) + 0.5
        drawing.ticks.append(QLineF(x, frame.bottom(), x, frame.bottom() + (4 if tick.text else 2)))
        if not tick.text:
            continue
        if has_grid:
            drawing.grid.append(QLineF(x, frame.top(), x, frame.bottom()))
        half = metrics.horizontalAdvance(tick.text) / 2 + 1
        middle = min(x, right - half - 1)  # never cut at the side
        place = QPointF(middle - half + 1, frame.bottom() + 5 + metrics.ascent())
        drawing.words.append((place, tick.text))
    return drawing


def y_drawing(
    geometry: Geometry, ticks: Iterable[Tick], has_grid: bool, metrics: QFontMetricsF
) -> AxisDrawing:
    """Return lines and words of the axis to the left of a plot; a tick beside the name of a lane has no words.

    Parameters
    ----------
    geometry : Geometry
        Where.
    ticks : iterable of Tick
        From ``ticks_along``.
    has_grid : bool
        Whether lines go across.
    metrics : QFontMetricsF
        Of the font of the words.

    Returns
    -------
    AxisDrawing
        In the pixels of the geometry.
    """
    frame = geometry.frame
    side = QLineF(frame.left() - 0.5, frame.top(), frame.left() - 0.5, frame.bottom() + 0.5)
    drawing = AxisDrawing(side, [], [], [])
    for tick in ticks:
        y = math.floor(geometry.y_place(tick.at)) + 0.5
        drawing.ticks.append(QLineF(frame.left() - (4 if tick.text else 2), y, frame.left(), y))
        if not tick.text:
            continue
        if has_grid:
            drawing.grid.append(QLineF(frame.left(), y, frame.right(), y))
        if not any(abs(y - centre) < 14.0 for centre in geometry.lanes.values()):
            x = frame.left() - 7 - metrics.horizontalAdvance(tick.text)
            drawing.words.append((QPointF(x, y + metrics.capHeight() / 2), tick.text))
    return drawing


def paint_axis(painter: QPainter, drawing: AxisDrawing, theme: Theme) -> None:
    """Draw grid, ticks and words of one axis, not yet its side.

    Parameters
    ----------
    painter : QPainter
        To draw with.
    drawing : AxisDrawing
        What to draw.
    theme : Theme
        In which colours.
    """
    painter.setPen(pen(theme.color("grid"), 1.0))
    painter.drawLines(drawing.grid)
    painter.setPen(pen(theme.color("outline"), 1.0))
    painter.drawLines(drawing.ticks)
    painter.setFont(figure_font(TICK_PIXELS))
    painter.setPen(theme.color("muted"))
    for place, words in drawing.words:
        painter.drawText(place, words)


def paint_side(painter: QPainter, drawing: AxisDrawing, theme: Theme) -> None:
    """Draw the side of the frame: two sides only, which is less ink, and the lanes stay part of the plot.

    Parameters
    ----------
    painter : QPainter
        To draw with.
    drawing : AxisDrawing
        Of the axis.
    theme : Theme
        In which colours.
    """
    painter.setPen(pen(theme.color("outline"), 1.0))
    painter.drawLine(drawing.side)


def paint_lanes(painter: QPainter, geometry: Geometry, theme: Theme) -> None:
    """Draw the strips of 0, NaN and ∞, and their names.

    Parameters
    ----------
    painter : QPainter
        To draw with.
    geometry : Geometry
        Where.
    theme : Theme
        In which colours.
    """
    painter.setFont(figure_font(TICK_PIXELS, bold=True))
    frame = geometry.frame
    for lane, centre in geometry.lanes.items():
        strip = QRectF(frame.left(), centre - LANE_HEIGHT / 2, frame.width(), LANE_HEIGHT)
        painter.fillRect(strip, theme.color("outline", 0.22))
        painter.setPen(theme.color("text"))
        box = QRectF(geometry.rect.left(), centre - 10, frame.left() - 6 - geometry.rect.left(), 20)
        painter.drawText(box, _ALIGN.AlignRight | _ALIGN.AlignVCenter, lane)


def paint_x_label(painter: QPainter, geometry: Geometry, theme: Theme) -> None:
    """Write below a plot what is shown along it.

    Parameters
    ----------
    painter : QPainter
        To draw with.
    geometry : Geometry
        Where.
    theme : Theme
        In which colours.
    """
    if not geometry.x.label:
        return
    font = figure_font(LABEL_PIXELS)
    painter.setFont(font)
    painter.setPen(theme.color("muted"))
    frame = geometry.frame
    room = frame.width() + 40
    text = _fitting(geometry.x, figure_metrics(LABEL_PIXELS), room)
    top = geometry.rect.bottom() - 4 - LINE_HEIGHT
    box = QRectF(frame.left() - 60, top, frame.width() + 120, LINE_HEIGHT)
    painter.drawText(box, _ALIGN.AlignHCenter | _ALIGN.AlignVCenter, text)


def paint_y_label(painter: QPainter, geometry: Geometry, theme: Theme) -> None:
    """Write beside a plot, upwards, what is shown along that side.

    Parameters
    ----------
    painter : QPainter
        To draw with.
    geometry : Geometry
        Where.
    theme : Theme
        In which colours.
    """
    if not geometry.y.label:
        return
    font = figure_font(LABEL_PIXELS)
    painter.setFont(font)
    painter.setPen(theme.color("muted"))
    frame = geometry.frame
    room = frame.height() + 16
    text = _fitting(geometry.y, figure_metrics(LABEL_PIXELS), room)
    painter.save()
    painter.translate(geometry.rect.left() + 6 + LINE_HEIGHT / 2, frame.center().y())
    painter.rotate(-90)
    box = QRectF(-frame.height(), -LINE_HEIGHT / 2, 2 * frame.height(), LINE_HEIGHT)
    painter.drawText(box, _ALIGN.AlignCenter, text)
    painter.restore()


def _fitting(axis: Axis, metrics: QFontMetricsF, room: float) -> str:
    """Return the longest label of an axis that fits, or as much of the shortest as does."""
    labels = axis.labels()
    shown = next((label for label in labels if metrics.horizontalAdvance(label) <= room), labels[-1])
    return metrics.elidedText(shown, Qt.TextElideMode.ElideRight, room)


def paint_axes(painter: QPainter, geometry: Geometry, has_grid: bool, theme: Theme) -> list[AxisDrawing]:
    """Draw both axes of a figure: grid, ticks, lanes and labels.

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

    Returns
    -------
    list of AxisDrawing
        Of x and y; their sides are drawn when the marks are.
    """
    metrics = tick_metrics()
    x_ticks = ticks_along(geometry.x, geometry.plot.width(), False, metrics)
    y_ticks = ticks_along(geometry.y, geometry.plot.height(), True, metrics)
    drawings = [
        x_drawing(geometry, x_ticks, has_grid, metrics),
        y_drawing(geometry, y_ticks, has_grid, metrics),
    ]
    for drawing in drawings:
        paint_axis(painter, drawing, theme)
    paint_lanes(painter, geometry, theme)
    paint_x_label(painter, geometry, theme)
    paint_y_label(painter, geometry, theme)
    return drawings
