"""Sentences around a plot that take several lines: the longest of those that say the same for which there is room."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QFontMetricsF, QPainter

from gradsim.views.fonts import figure_font, figure_metrics
from gradsim.views.plot.axes import TICK_PIXELS
from gradsim.views.plot.numbers import typeset
from gradsim.views.theme import Theme

NOTE_LINE = 15.0
"""Height of a line of a note, in pixels."""
_SHARE = 0.2
MOST_LINES = 8


@lru_cache(64)
def note_lines(
    notes: tuple[str, ...], width: float, height: float, at_most: int = MOST_LINES
) -> tuple[str, ...]:
    """Return the lines of the first of several notes for which there is room.

    Parameters
    ----------
    notes : tuple of str
        They say the same, the longest first.
    width : float
        Room for a line, in pixels.
    height : float
        Of the whole panel, in pixels: the plot needs four fifths of it.
    at_most : int, default 8
        No more lines than these; with 0 there is no note.

    Returns
    -------
    tuple of str
        Lines no wider than that; the shortest note is cut at the end where even that is too long.
    """
    most = min(max(int(_SHARE * height / NOTE_LINE), 1), MOST_LINES, at_most)
    if not most:
        return ()
    metrics = figure_metrics(TICK_PIXELS)
    lines: tuple[str, ...] = ()
    for note in notes:
        lines = _wrapped(typeset(note), width, metrics)
        if len(lines) <= most:
            return lines
    if len(lines) > most:
        rest = " ".join(lines[most - 1 :])
        lines = (*lines[: most - 1], metrics.elidedText(rest, Qt.TextElideMode.ElideRight, width))
    return lines


def paint_note(painter: QPainter, lines: Sequence[str], corner: QPointF, theme: Theme) -> None:
    """Write the lines of a note.

    Parameters
    ----------
    painter : QPainter
        To draw with.
    lines : sequence of str
        From ``note_lines``.
    corner : QPointF
        Where the first one begins, in pixels.
    theme : Theme
        In which colours.
    """
    font = figure_font(TICK_PIXELS)
    painter.setFont(font)
    painter.setPen(theme.color("text"))
    y = corner.y() + QFontMetricsF(font).ascent()
    for line in lines:
        painter.drawText(QPointF(corner.x(), y), line)
        y += NOTE_LINE


def _wrapped(text: str, width: float, metrics: QFontMetricsF) -> tuple[str, ...]:
    lines: list[str] = []
    for word in text.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and metrics.horizontalAdvance(longer) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return tuple(lines)
