"""What the colours of a picture mean: a bar with ticks, and swatches for 0, NaN and ∞."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QLineF, QRectF, Qt
from PySide6.QtGui import QFontMetricsF, QPainter

from gradsim.views.colormaps import Table, extended, image
from gradsim.views.fonts import figure_font
from gradsim.views.plot.axis import Axis
from gradsim.views.plot.heat import hatched
from gradsim.views.plot.marks import pen
from gradsim.views.theme import Theme

COLOR_BAR_WIDTH = 84.0
_SWATCH = 15.0
_LEAST_HEIGHT = 40.0
_AXIS_WORDS = 14.0


@dataclass(frozen=True, slots=True, eq=False)
class ColorBar:
    """Colours and what they stand for.

    Attributes
    ----------
    axis : Axis
        Range of the first to the last colour, and what is shown.
    table : ndarray of uint8, shape (256, 3)
        The colours.
    special : tuple of (str, int)
        Words and the row of the extended table, for what lies outside.
    """

    axis: Axis
    table: Table
    special: tuple[tuple[str, int], ...] = ()


def paint_color_bar(painter: QPainter, bar: ColorBar, frame: QRectF, theme: Theme) -> None:
    """Draw a colour bar to the right of a plot.

    Parameters
    ----------
    painter : QPainter
        To draw with.
    bar : ColorBar
        What to draw.
    frame : QRectF
        The plot.
    theme : Theme
        In which colours.
    """
    colors = extended(bar.table, theme)
    font = figure_font(11)
    metrics = QFontMetricsF(font)
    left = frame.right() + 14.0
    places, height = _special_places(bar, frame, metrics)
    column = QRectF(left, frame.top(), 12.0, height)
    painter.drawImage(column, image(np.arange(255, -1, -1)[:, None], colors))
    painter.setFont(font)
    painter.setPen(theme.color("muted"))
    align = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
    for tick in bar.axis.ticks(column.height(), lambda text: metrics.height()):
        if not tick.text:
            continue
        share = (tick.at - bar.axis.low) / (bar.axis.high - bar.axis.low)
        y = column.bottom() - share * column.height()
        painter.drawLine(QLineF(column.right(), y, column.right() + 3, y))
        painter.drawText(QRectF(column.right() + 6, y - 10, 60, 20), align, tick.text)
    for (words, index), (x, y) in zip(bar.special, places, strict=True):
        box = QRectF(left + x, column.bottom() + y, 12.0, _SWATCH - 2.0)
        painter.drawImage(box, hatched(np.full((26, 24), index), colors, theme, 2))
        painter.setPen(pen(theme.color("outline"), 1.0))
        painter.setBrush(Qt.BrushStyle.NoBrush)  # the legend before may have left its own
        painter.drawRect(box)
        painter.setPen(theme.color("text"))
        painter.drawText(box.adjusted(18.0, -3.0, 60.0, 3.0), align, words)


def _special_places(
    bar: ColorBar, frame: QRectF, metrics: QFontMetricsF
) -> tuple[list[tuple[float, float]], float]:
    """Return where the swatches stand below the bar, and how high the bar is.

    Where the bar would be too low for two numbers they share their lines, and reach as far down as the words of
    the axis beside them.
    """
    whole = frame.height() - (_SWATCH + 3.0) * len(bar.special) - 10.0
    if whole >= _LEAST_HEIGHT:
        return [(0.0, 12.0 + row * (_SWATCH + 3.0)) for row in range(len(bar.special))], whole
    places: list[tuple[float, float]] = []
    x = y = 0.0
    for words, _ in bar.special:
        width = 18.0 + metrics.horizontalAdvance(words)
        if x and x + width > COLOR_BAR_WIDTH - 4.0:
            x, y = 0.0, y + _SWATCH
        places.append((x, y + 7.0))
        x += width + 4.0
    foot = y + _SWATCH + 7.0 if bar.special else 0.0
    return places, max(frame.height() - foot + _AXIS_WORDS, 10.0)
