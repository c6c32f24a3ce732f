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
    foot = (_SWATCH + 3.0) * len(bar.special)
    left = frame.right() + 14.0
    column = QRectF(left, frame.top(), 12.0, max(frame.height() - foot - 10.0, 10.0))
    painter.drawImage(column, image(np.arange(255, -1, -1)[:, None], colors))
    font = figure_font(11)
    metrics = QFontMetricsF(font)
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
    for row, (words, index) in enumerate(bar.special):
        y = column.bottom() + 12.0 + row * (_SWATCH + 3.0)
        box = QRectF(left, y, 12.0, _SWATCH - 2.0)
        painter.drawImage(box, hatched(np.full((26, 24), index), colors, theme, 2))
        painter.setPen(pen(theme.color("outline"), 1.0))
        painter.drawRect(box)
        painter.setPen(theme.color("text"))
        painter.drawText(QRectF(left + 18, y - 3, 60, _SWATCH + 4), align, words)
