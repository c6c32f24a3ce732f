"""One diagram: axes, grid, lanes, marks, headline and legend, laid out in a rectangle and painted."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QFontMetricsF, QPainter

from gradsim.views.fonts import figure_font
from gradsim.views.plot.axes import (
    LABEL_PIXELS,
    LANE_HEIGHT,
    LINE_HEIGHT,
    TICK_PIXELS,
    line_height,
    paint_axes,
    paint_frame,
)
from gradsim.views.plot.axis import Axis
from gradsim.views.plot.color_bar import COLOR_BAR_WIDTH, ColorBar, paint_color_bar
from gradsim.views.plot.geometry import Geometry
from gradsim.views.plot.lanes import LANES
from gradsim.views.plot.marks import Mark
from gradsim.views.theme import Theme

_SAMPLE = 20.0
_ALIGN = Qt.AlignmentFlag


@dataclass(frozen=True, slots=True)
class Words:
    """A piece of a headline; ``role`` is the theme's colour it has."""

    text: str
    role: str = "text"
    bold: bool = False


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
    lanes : sequence of str
        Which of ``LANES`` are needed.
    color_bar : ColorBar or None
        For pictures: what the colours mean.
    message : str
        A sentence in place of the plot when there is nothing to draw.
    weight : float
        Share of the view's room relative to its other panels.
    zooms : str
        Which axes the wheel zooms and the mouse drags: ``"x"``, ``"y"``, ``"xy"`` or none.
    """

    key: str
    x: Axis
    y: Axis
    marks: Sequence[Mark] = ()
    headline: Sequence[Words] = ()
    lanes: Sequence[str] = ()
    color_bar: ColorBar | None = None
    message: str = ""
    weight: float = 1.0
    zooms: str = "xy"

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


def laid_out(panel: Panel, rect: QRectF, top: float = 0.0) -> Geometry:
    """Return where the parts of a panel lie.

    Parameters
    ----------
    panel : Panel
        What is to be drawn.
    rect : QRectF
        Room for all of it, in pixels.
    top : float, default 0
        The frame begins no higher, to stand level with a neighbour.

    Returns
    -------
    Geometry
        With whole pixels at the sides of the plot, so that thin lines are crisp.
    """
    metrics = QFontMetricsF(figure_font(TICK_PIXELS))
    inner = rect.adjusted(8, 6, -14, -4)
    words = LINE_HEIGHT + 2 if panel.headline else 0.0
    legend = LINE_HEIGHT * len(_legend_rows(panel, inner.width()))
    top = max(top, inner.top() + words + legend + 4)
    x_height = metrics.height() + 5 + (LINE_HEIGHT if panel.x.label else 0)
    bottom = inner.bottom() - x_height
    lanes = [lane for lane in LANES if lane in panel.lanes]
    height = max(bottom - top, 20.0)
    texts = [tick.text for tick in panel.y.ticks(height - LANE_HEIGHT * len(lanes), line_height(metrics))]
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
    return Geometry(rect, frame, frame.adjusted(0, above, 0, -below), panel.x, panel.y, centres)


def paint_panel(painter: QPainter, panel: Panel, geometry: Geometry, theme: Theme) -> None:
    """Draw a panel.

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
        _paint_message(painter, panel.message, geometry.rect, theme)
    else:
        _paint_headline(painter, panel, geometry, theme)
        _paint_legend(painter, panel, geometry, theme)
        paint_axes(painter, geometry, panel.color_bar is None, theme)
        painter.save()
        painter.setFont(figure_font(TICK_PIXELS))
        painter.setClipRect(geometry.frame.adjusted(0, -1, 1, 1))
        for mark in panel.marks:
            mark.paint(painter, geometry)
        painter.restore()
        paint_frame(painter, geometry, theme)
        if panel.color_bar:
            paint_color_bar(painter, panel.color_bar, geometry.frame, theme)
    painter.restore()


def _paint_message(painter: QPainter, message: str, rect: QRectF, theme: Theme) -> None:
    painter.setFont(figure_font(13))
    painter.setPen(theme.color("muted"))
    room = rect.adjusted(24, 12, -24, -12)
    painter.drawText(room, _ALIGN.AlignCenter | Qt.TextFlag.TextWordWrap, message)


def _paint_headline(painter: QPainter, panel: Panel, geometry: Geometry, theme: Theme) -> None:
    fonts = [figure_font(LABEL_PIXELS, bold=words.bold) for words in panel.headline]
    whole = sum(
        QFontMetricsF(font).horizontalAdvance(words.text)
        for font, words in zip(fonts, panel.headline, strict=True)
    )
    y, right = geometry.rect.top() + 6, geometry.rect.right() - 10
    x = max(min(geometry.frame.left(), right - whole), geometry.rect.left() + 8)  # further left if it is long
    for words, font in zip(panel.headline, fonts, strict=True):
        metrics = QFontMetricsF(font)
        text = metrics.elidedText(words.text, Qt.TextElideMode.ElideRight, max(right - x, 0.0))
        painter.setFont(font)
        painter.setPen(theme.color(words.role))
        painter.drawText(QPointF(x, y + metrics.ascent() + 1), text)
        x += metrics.horizontalAdvance(words.text)
        if x > right:
            break


def _legend_rows(panel: Panel, width: float) -> list[list[tuple[Mark, float]]]:
    """Return marks with names and the width of their entry, broken into lines."""
    metrics = QFontMetricsF(figure_font(TICK_PIXELS))
    rows: list[list[tuple[Mark, float]]] = []
    used = math.inf
    room = width - 60.0 - (COLOR_BAR_WIDTH if panel.color_bar else 0.0)
    # What is drawn last, on top, is named first.
    for mark in reversed(panel.marks):
        if not mark.name:
            continue
        entry = _SAMPLE + 6 + metrics.horizontalAdvance(mark.name) + 16
        if used + entry > room + 16:
            rows.append([])
            used = 0.0
        rows[-1].append((mark, entry))
        used += entry
    return rows


def _paint_legend(painter: QPainter, panel: Panel, geometry: Geometry, theme: Theme) -> None:
    font = figure_font(TICK_PIXELS)
    y = geometry.rect.top() + 6 + (LINE_HEIGHT + 2 if panel.headline else 0)
    for row in _legend_rows(panel, geometry.rect.width() - 22):
        x = geometry.frame.left()
        for mark, entry in row:
            mark.paint_sample(painter, QRectF(x, y + LINE_HEIGHT / 2 - 5, _SAMPLE, 10))
            painter.setFont(font)
            painter.setPen(theme.color("text"))
            box = QRectF(x + _SAMPLE + 6, y, entry, LINE_HEIGHT)
            painter.drawText(box, _ALIGN.AlignLeft | _ALIGN.AlignVCenter, mark.name)
            x += entry
        y += LINE_HEIGHT
