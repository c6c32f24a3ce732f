"""One diagram: axes, grid, lanes, marks, headline and legend, laid out in a rectangle and painted."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QPainter

from gradsim.views.fonts import figure_font
from gradsim.views.plot.axes import (
    LANE_HEIGHT,
    LINE_HEIGHT,
    TICK_PIXELS,
    paint_axes,
    paint_side,
    tick_metrics,
    ticks_along,
)
from gradsim.views.plot.axis import Axis
from gradsim.views.plot.color_bar import COLOR_BAR_WIDTH, ColorBar, paint_color_bar
from gradsim.views.plot.geometry import Geometry
from gradsim.views.plot.lanes import LANES
from gradsim.views.plot.marks import Mark
from gradsim.views.plot.notes import MOST_LINES, NOTE_LINE, note_lines, paint_note
from gradsim.views.plot.words import (
    HEADLINE_MARGINS,
    LegendRow,
    Words,
    headline_width,
    legend_rows,
    paint_headline,
    paint_legend,
    paint_message,
)
from gradsim.views.theme import Theme

LEAST_PLOT = 76.0
"""Height of a plot, in pixels, in which its marks can still be told apart: words make room for it."""
GIVEN_UP = ("what the x axis shows", "notes beyond one line", "notes", "legend beyond one line")
"""Words that make room, in this order; what remains is the headline, a line of legend, and the ticks."""
_X_LABEL, _SHORT_NOTE, _NO_NOTE, _SHORT_LEGEND = range(1, len(GIVEN_UP) + 1)
_NOTE_MARGIN = 14.0
_MOST_LEFT = 72.0
_WIDE = 600.0


@dataclass(frozen=True, slots=True, eq=False)
class Panel:
    """What one diagram shows.

    Attributes
    ----------
    key : str
        Name among the panels of its view.
    x, y : Axis
        Its axes.
    marks : sequence of Mark
        Drawn in this order; those with a name make the legend.
    headline : sequence of Words
        What is to be seen, in a line above the plot.
    shorter : tuple of sequences of Words
        Headlines that say less, the longest first: the first for which there is room is shown.
    notes : tuple of str
        Sentences below the headline that say the same, the longest first: the first for which there is room is shown.
    lanes : sequence of str
        Which of ``LANES`` are needed.
    color_bar : ColorBar or None
        For pictures: what the colours mean.
    message : str
        A sentence in place of the plot when there is nothing to draw.
    weight : float
        Share of the view's room relative to its other panels.
    linked_x, linked_y : str
        Key of another panel of the view whose range this one shares along that axis; empty for none.
    """

    key: str
    x: Axis
    y: Axis
    marks: Sequence[Mark] = ()
    headline: Sequence[Words] = ()
    shorter: tuple[Sequence[Words], ...] = ()
    notes: tuple[str, ...] = ()
    lanes: Sequence[str] = ()
    color_bar: ColorBar | None = None
    message: str = ""
    weight: float = 1.0
    linked_x: str = ""
    linked_y: str = ""

    def over(self, x: tuple[float, float] | None, y: tuple[float, float] | None) -> Panel:
        """Return the same panel over other ranges.

        Parameters
        ----------
        x, y : tuple of float or None
            Ranges; None keeps that axis.

        Returns
        -------
        Panel
            A copy, or itself.
        """
        if x is None and y is None:
            return self
        return replace(self, x=self.x.over(*x) if x else self.x, y=self.y.over(*y) if y else self.y)


def laid_out(panel: Panel, rect: QRectF, top: float = 0.0, thinned: int = 0) -> Geometry:
    """Return where the parts of a panel lie.

    Parameters
    ----------
    panel : Panel
        What is to be drawn.
    rect : QRectF
        Room for all of it, in pixels.
    top : float, default 0
        The frame begins no higher, to stand level with a neighbour.
    thinned : int, default 0
        At least so many of ``GIVEN_UP`` make room, as with a neighbour; more do where the plot would be too low.

    Returns
    -------
    Geometry
        With whole pixels at the sides of the plot, so that thin lines are crisp.
    """
    metrics = tick_metrics()
    inner = rect.adjusted(8, 6, -14, -4)
    ends = _ends(panel, rect, thinned)
    while ends[1] - ends[0] < LEAST_PLOT and thinned < len(GIVEN_UP):
        thinned += 1
        ends = _ends(panel, rect, thinned)
    top, bottom = max(top, ends[0]), ends[1]
    x = replace(panel.x, label="") if thinned >= _X_LABEL else panel.x
    lanes = [lane for lane in LANES if lane in panel.lanes]
    height = max(bottom - top, 20.0)
    ticks = ticks_along(panel.y, height - LANE_HEIGHT * len(lanes), True, metrics)
    texts = [tick.text for tick in ticks]
    widest = max((metrics.horizontalAdvance(text) for text in [*texts, *lanes, "0.00"]), default=0.0)
    left = inner.left() + (LINE_HEIGHT if panel.y.label else 0) + math.ceil(widest / 8.0) * 8.0 + 6
    right = inner.right() - (COLOR_BAR_WIDTH if panel.color_bar else 0.0)
    # Half of the last tick's word stands beyond the plot.
    left, top, bottom = round(left), round(top), round(max(bottom, top + 20.0))
    frame = QRectF(left, top, max(round(right) - left, 20), bottom - top)
    above = LANE_HEIGHT * sum(lane != "0" for lane in lanes)
    below = LANE_HEIGHT * ("0" in lanes)
    if frame.height() < above + below + 20.0:
        above = below = 0.0
    centres: dict[str, float] = {}
    if "0" in lanes and below:
        centres["0"] = frame.bottom() - LANE_HEIGHT / 2
    if above:
        for row, lane in enumerate(lane for lane in reversed(lanes) if lane != "0"):
            centres[lane] = frame.top() + LANE_HEIGHT * (row + 0.5)
    return Geometry(rect, frame, frame.adjusted(0, above, 0, -below), x, panel.y, centres, thinned)


def _ends(panel: Panel, rect: QRectF, thinned: int) -> tuple[float, float]:
    """Return the top and the bottom of what the words around it leave for the plot, in pixels."""
    legend = LINE_HEIGHT * len(_legend(panel, rect, thinned))
    top = rect.top() + 10 + _words_height(panel, rect, thinned) + legend
    label = LINE_HEIGHT if panel.x.label and thinned < _X_LABEL else 0.0
    return top, rect.bottom() - 4 - tick_metrics().height() - 5 - label


def _legend(panel: Panel, rect: QRectF, thinned: int) -> list[LegendRow]:
    width = rect.width() - 22 - (COLOR_BAR_WIDTH if panel.color_bar else 0.0)
    rows = legend_rows(panel.marks, width)
    return rows[:1] if thinned >= _SHORT_LEGEND else rows


def laid_out_level(panels: Sequence[Panel], rects: Sequence[QRectF]) -> list[Geometry]:
    """Return where the parts of several panels lie; side by side their plots begin at the same height.

    Parameters
    ----------
    panels : sequence of Panel
        What is to be drawn.
    rects : sequence of QRectF
        Room for each of them, in pixels.

    Returns
    -------
    list of Geometry
        One for each panel.
    """
    laid = [laid_out(panel, rect) for panel, rect in zip(panels, rects, strict=True)]
    if len({rect.top() for rect in rects}) > 1:
        return laid
    thinned = max(geometry.thinned for geometry in laid)
    if any(geometry.thinned < thinned for geometry in laid):
        laid = [laid_out(panel, rect, thinned=thinned) for panel, rect in zip(panels, rects, strict=True)]
    top = max(geometry.frame.top() for geometry in laid)
    return [
        geometry if geometry.frame.top() == top else laid_out(panel, geometry.rect, top, thinned)
        for panel, geometry in zip(panels, laid, strict=True)
    ]


def paint_panel(painter: QPainter, panel: Panel, geometry: Geometry, theme: Theme) -> None:
    """Draw a panel as a figure.

    Parameters
    ----------
    painter : QPainter
        To draw with; its state is kept.
    panel : Panel
        What to draw.
    geometry : Geometry
        Where, from ``laid_out``.
    theme : Theme
        In which colours.
    """
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setRenderHint(QPainter.RenderHint.TextAntialiasing)
    if panel.message:
        paint_message(painter, panel.message, geometry.rect, theme)
    else:
        paint_words(painter, panel, geometry, theme)
        drawings = paint_axes(painter, geometry, panel.color_bar is None, theme)
        painter.save()
        painter.setClipRect(geometry.frame.adjusted(0, -1, 1, 1))
        paint_marks(painter, panel, geometry)
        painter.restore()
        for drawing in drawings:
            paint_side(painter, drawing, theme)
    painter.restore()


def paint_marks(painter: QPainter, panel: Panel, geometry: Geometry) -> None:
    """Draw what a panel shows, not clipped.

    Parameters
    ----------
    painter : QPainter
        To draw with.
    panel : Panel
        What to draw.
    geometry : Geometry
        Where.
    """
    painter.setFont(figure_font(TICK_PIXELS))
    for mark in panel.marks:
        mark.paint(painter, geometry)


def paint_words(painter: QPainter, panel: Panel, geometry: Geometry, theme: Theme) -> None:
    """Draw what stands around a plot: headline, legend and colour bar.

    Parameters
    ----------
    painter : QPainter
        To draw with.
    panel : Panel
        What to draw.
    geometry : Geometry
        Where.
    theme : Theme
        In which colours.
    """
    paint_headline(painter, _headline(panel, geometry.rect), geometry, theme)
    top = geometry.rect.top() + 6 + _words_height(panel, geometry.rect, geometry.thinned)
    if lines := _note_lines(panel, geometry.rect, geometry.thinned):
        left = min(geometry.frame.left(), geometry.rect.left() + _note_left(geometry.rect))
        corner = QPointF(left, top - NOTE_LINE * len(lines))
        paint_note(painter, lines, corner, theme)
    rows = _legend(panel, geometry.rect, geometry.thinned)
    room = QRectF(geometry.rect.left() + 8.0, top, geometry.rect.width() - 12.0, LINE_HEIGHT * len(rows))
    paint_legend(painter, rows, QPointF(geometry.frame.left(), top), room, theme)
    if panel.color_bar:
        paint_color_bar(painter, panel.color_bar, geometry.frame, theme)


def _headline(panel: Panel, rect: QRectF) -> Sequence[Words]:
    """Return the longest headline for which there is room, else the shortest."""
    versions = (panel.headline, *panel.shorter)
    room = rect.width() - HEADLINE_MARGINS
    return next((line for line in versions if headline_width(line) <= room), versions[-1])


def _words_height(panel: Panel, rect: QRectF, thinned: int) -> float:
    """Height of the headline and the note below it, in pixels."""
    note = NOTE_LINE * len(_note_lines(panel, rect, thinned))
    return (LINE_HEIGHT + 2 if panel.headline else 0.0) + note


def _note_left(rect: QRectF) -> float:
    """Where a note begins at the latest: level with the plot, but where room is scarce it needs all of it."""
    return _MOST_LEFT if rect.width() >= _WIDE else _NOTE_MARGIN


def _note_lines(panel: Panel, rect: QRectF, thinned: int) -> tuple[str, ...]:
    if not panel.notes or thinned >= _NO_NOTE:
        return ()
    width = rect.width() - _note_left(rect) - _NOTE_MARGIN
    most = 1 if thinned >= _SHORT_NOTE else MOST_LINES
    return note_lines(panel.notes, width, rect.height(), most)
