"""Words around a plot: the headline that says what is to be seen, the legend, and the sentence in its place."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter

from gradsim.views.fonts import figure_font, figure_metrics
from gradsim.views.plot.axes import LABEL_PIXELS, LINE_HEIGHT, TICK_PIXELS, tick_metrics
from gradsim.views.plot.geometry import Geometry
from gradsim.views.plot.marks import Mark
from gradsim.views.plot.numbers import typeset
from gradsim.views.theme import Theme

_SAMPLE = 20.0
_BEHIND = 16.0
"""Between an entry of a legend and the next one, in pixels."""
HEADLINE_MARGINS = 18.0
"""Of the width of a panel a headline leaves free, in pixels."""
_ALIGN = Qt.AlignmentFlag

LegendRow = list[tuple[Mark, float]]
"""Marks with names, and the width of their entries."""


@dataclass(frozen=True, slots=True)
class Words:
    """A piece of a headline; ``role`` is the theme's colour it has."""

    text: str
    role: str = "text"
    bold: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "text", typeset(self.text))


def paint_message(painter: QPainter, message: str, rect: QRectF, theme: Theme) -> None:
    """Write a sentence in place of a plot.

    Parameters
    ----------
    painter : QPainter
        To draw with.
    message : str
        The sentence.
    rect : QRectF
        Room for it.
    theme : Theme
        In which colours.
    """
    painter.setFont(figure_font(13))
    painter.setPen(theme.color("muted"))
    room = rect.adjusted(24, 12, -24, -12)
    painter.drawText(room, _ALIGN.AlignCenter | Qt.TextFlag.TextWordWrap, typeset(message))


def paint_headline(painter: QPainter, headline: Sequence[Words], geometry: Geometry, theme: Theme) -> None:
    """Write the line above a plot.

    Parameters
    ----------
    painter : QPainter
        To draw with.
    headline : sequence of Words
        Its pieces.
    geometry : Geometry
        Of the panel.
    theme : Theme
        In which colours.
    """
    fonts = [figure_font(LABEL_PIXELS, bold=words.bold) for words in headline]
    whole = headline_width(headline)
    y, right = geometry.rect.top() + 6, geometry.rect.right() - 10
    x = max(min(geometry.frame.left(), right - whole), geometry.rect.left() + 8)  # further left if it is long
    for words, font in zip(headline, fonts, strict=True):
        metrics = figure_metrics(LABEL_PIXELS, bold=words.bold)
        text = metrics.elidedText(words.text, Qt.TextElideMode.ElideRight, max(right - x, 0.0))
        painter.setFont(font)
        painter.setPen(theme.color(words.role))
        painter.drawText(QPointF(x, y + metrics.ascent() + 1), text)
        x += metrics.horizontalAdvance(words.text)
        if x > right:
            break


def headline_width(headline: Sequence[Words]) -> float:
    """Return how wide a headline is.

    Parameters
    ----------
    headline : sequence of Words
        Its pieces.

    Returns
    -------
    float
        In pixels.
    """
    return sum(
        figure_metrics(LABEL_PIXELS, bold=words.bold).horizontalAdvance(words.text) for words in headline
    )


def legend_rows(marks: Sequence[Mark], width: float) -> list[LegendRow]:
    """Return marks with names, broken into lines.

    Parameters
    ----------
    marks : sequence of Mark
        All of a panel; what is drawn last, on top, is named first.
    width : float
        Of the panel, in pixels, without its colour bar.

    Returns
    -------
    list of LegendRow
        Lines of the legend.
    """
    metrics = tick_metrics()
    rows: list[LegendRow] = []
    used = math.inf
    for mark in reversed(marks):
        if not mark.name:
            continue
        entry = _SAMPLE + 6 + metrics.horizontalAdvance(typeset(mark.name)) + _BEHIND
        if used + entry > width - 44.0:
            rows.append([])
            used = 0.0
        rows[-1].append((mark, entry))
        used += entry
    return rows


def paint_legend(
    painter: QPainter, rows: Sequence[LegendRow], corner: QPointF, room: QRectF, theme: Theme
) -> None:
    """Draw the lines of a legend.

    Parameters
    ----------
    painter : QPainter
        To draw with.
    rows : sequence of LegendRow
        From ``legend_rows``.
    corner : QPointF
        Where the first one begins, in pixels.
    room : QRectF
        What they keep inside of: where one is longer all begin further left, and one that is longer still is cut.
    theme : Theme
        In which colours.
    """
    font = figure_font(TICK_PIXELS)
    metrics = tick_metrics()
    y = corner.y()
    widest = max((sum(entry for _, entry in row) for row in rows), default=0.0) - _BEHIND
    for row in rows:
        x = max(min(corner.x(), room.right() - widest), room.left())
        for mark, entry in row:
            mark.paint_sample(painter, QRectF(x, y + LINE_HEIGHT / 2 - 5, _SAMPLE, 10))
            painter.setFont(font)
            painter.setPen(theme.color("text"))
            box = QRectF(x + _SAMPLE + 6, y, entry, LINE_HEIGHT)
            left = max(room.right() - box.left(), 0.0)
            words = metrics.elidedText(typeset(mark.name), Qt.TextElideMode.ElideMiddle, left)
            painter.drawText(box, _ALIGN.AlignLeft | _ALIGN.AlignVCenter, words)
            x += entry
        y += LINE_HEIGHT
