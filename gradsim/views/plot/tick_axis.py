"""One side of a plot on the screen: pyqtgraph's axis with the ticks, words and look of our figures."""

from __future__ import annotations

from typing import Any

import pyqtgraph as pg
from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QFontMetricsF, QPainter

from gradsim.views.plot.axes import (
    AxisDrawing,
    paint_axis,
    paint_lanes,
    paint_side,
    paint_x_label,
    paint_y_label,
    tick_metrics,
    ticks_along,
    x_drawing,
    y_drawing,
)
from gradsim.views.plot.axis import Axis, Tick
from gradsim.views.plot.geometry import Geometry
from gradsim.views.theme import Theme


class TickAxis(pg.AxisItem):
    """An axis whose values may be logarithms already: pyqtgraph's own log mode would drop 0, NaN and ∞.

    It follows the range of its ``ViewBox``; the picture of it is kept until something about it changes.

    Parameters
    ----------
    orientation : {"left", "bottom"}
        Which side.
    """

    def __init__(self, orientation: str) -> None:
        super().__init__(orientation)
        self.enableAutoSIPrefix(False)
        self._shown: tuple[Any, ...] = ()
        self._geometry: Geometry | None = None
        self._has_grid = False
        self._theme: Theme | None = None
        self._metrics: QFontMetricsF = tick_metrics()
        self._words: dict[float, str] = {}

    @property
    def is_upright(self) -> bool:
        """Whether it is the one to the left."""
        return self.orientation == "left"

    def show_axis(self, geometry: Geometry, has_grid: bool, theme: Theme) -> None:
        """Show an axis; its range stays that of the view box.

        Parameters
        ----------
        geometry : Geometry
            The axis and where it lies, in pixels of the scene.
        has_grid : bool
            Whether lines go across the plot.
        theme : Theme
            In which colours.
        """
        lanes = tuple(geometry.lanes.items())
        shown = (
            self._axis_of(geometry),
            geometry.rect,
            geometry.frame,
            geometry.plot,
            lanes,
            has_grid,
            theme,
        )
        if shown == self._shown:
            return
        self.prepareGeometryChange()
        self._shown, self._geometry, self._has_grid, self._theme = shown, geometry, has_grid, theme
        self.picture = None

    def boundingRect(self) -> QRectF:
        """Return the whole panel: grid lines and lanes reach into the plot."""
        if self._geometry is None:
            return super().boundingRect()
        return self._geometry.rect.translated(self._origin())

    def tickValues(self, minVal: float, maxVal: float, size: float) -> list[tuple[float, list[float]]]:
        """Return major and minor ticks; those without words are minor."""
        if self._geometry is None:
            return []
        axis = self._axis_of(self._geometry).over(minVal, maxVal)
        found = ticks_along(axis, size, self.is_upright, self._metrics)
        self._words = {tick.at: tick.text for tick in found}
        major, minor = ([t.at for t in found if bool(t.text) is wanted] for wanted in (True, False))
        return [(0.0, major), (0.0, minor)]

    def tickStrings(self, values: list[float], scale: float, spacing: float) -> list[str]:
        """Return the words of ticks: powers of ten, numbers of layers, iterations."""
        return [self._words.get(value, "") for value in values]

    def generateDrawSpecs(self, p: QPainter) -> tuple[AxisDrawing] | None:
        """Return what has to be drawn, as a figure draws it."""
        if self._geometry is None:
            return None
        length = self._geometry.plot.height() if self.is_upright else self._geometry.plot.width()
        low, high = self.range
        ticks = [
            Tick(at, words)
            for spacing, values in self.tickValues(low, high, length)
            for at, words in zip(values, self.tickStrings(values, 1.0, spacing), strict=True)
        ]
        drawn = y_drawing if self.is_upright else x_drawing
        return (drawn(self._geometry, ticks, self._has_grid, self._metrics),)

    def drawPicture(self, p: QPainter, drawing: AxisDrawing) -> None:
        """Draw the axis into the picture that is kept."""
        geometry, theme = self._geometry, self._theme
        assert geometry is not None
        assert theme is not None
        p.setRenderHint(QPainter.RenderHint.Antialiasing)
        p.setRenderHint(QPainter.RenderHint.TextAntialiasing)
        p.translate(self._origin())
        paint_axis(p, drawing, theme)
        if self.is_upright:
            paint_lanes(p, geometry, theme)
            paint_y_label(p, geometry, theme)
        else:
            paint_x_label(p, geometry, theme)
        paint_side(p, drawing, theme)

    def _axis_of(self, geometry: Geometry) -> Axis:
        return geometry.y if self.is_upright else geometry.x

    def _origin(self) -> QPointF:
        return self.mapFromScene(QPointF(0.0, 0.0))
