"""One panel on the screen: a plot of pyqtgraph, and the two items that paint into it and around it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pyqtgraph as pg
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter

from gradsim.views.plot.geometry import Geometry
from gradsim.views.plot.panel import Panel, paint_marks, paint_words
from gradsim.views.plot.panel_box import PanelBox
from gradsim.views.plot.tick_axis import TickAxis
from gradsim.views.theme import Theme


class PaintedItem(pg.GraphicsObject):
    """All marks of a panel as one item: one per layer would cost ten times as much.

    Parameters
    ----------
    parent : QGraphicsItem
        Which clips it, if it clips.
    paint_all : callable
        Paints in pixels of the scene, as into a figure.
    """

    def __init__(self, parent: Any, paint_all: Callable[[QPainter], None]) -> None:
        super().__init__(parent)
        self._paint_all = paint_all
        self._room = QRectF()
        self.setAcceptedMouseButtons(Qt.MouseButton.NoButton)

    def set_room(self, room: QRectF) -> None:
        """Say where it paints.

        Parameters
        ----------
        room : QRectF
            In pixels of the scene.
        """
        if room != self._room:
            self.prepareGeometryChange()
            self._room = room

    def boundingRect(self) -> QRectF:
        return self._room.translated(self._origin())

    def paint(self, painter: QPainter, *_: Any) -> None:
        """Draw the marks."""
        painter.translate(self._origin())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setRenderHint(QPainter.RenderHint.TextAntialiasing)
        self._paint_all(painter)

    def _origin(self) -> QPointF:
        return self.mapFromScene(QPointF(0.0, 0.0))


class PanelItem(pg.PlotItem):
    """A plot whose parts lie where ``laid_out`` puts them, so that it looks as its figure does."""

    def __init__(self) -> None:
        self.box = PanelBox()
        self.sides = (TickAxis("bottom"), TickAxis("left"))
        super().__init__(
            viewBox=self.box,
            axisItems={"bottom": self.sides[0], "left": self.sides[1]},
            enableMenu=False,
        )
        self.hideButtons()
        for above, side in enumerate(reversed(self.sides)):  # the grid lies below all that is shown
            side.setZValue(self.box.zValue() - 2.0 + above)
        self._shown: tuple[Panel, Geometry, Theme] | None = None
        self._marks = PaintedItem(self.box, lambda p: self._paint(p, lambda q, *of: paint_marks(q, *of[:2])))
        self._words = PaintedItem(self, lambda p: self._paint(p, paint_words))

    @property
    def geometry_shown(self) -> Geometry:
        """Where it was last laid out, in pixels of the canvas."""
        assert self._shown is not None, "nothing has been shown yet"
        return self._shown[1]

    def show_panel(self, panel: Panel, geometry: Geometry, theme: Theme) -> None:
        """Show a panel.

        Parameters
        ----------
        panel : Panel
            Over the ranges of the view box.
        geometry : Geometry
            Where, in pixels of the scene.
        theme : Theme
            In which colours.
        """
        self._shown = (panel, geometry, theme)
        rect, plot, frame = geometry.rect, geometry.plot, geometry.frame
        self.setGeometry(rect)
        self.layout.setContentsMargins(0.0, plot.top() - rect.top(), rect.right() - plot.right(), 0.0)
        x_side, y_side = self.sides
        if x_side.fixedHeight != rect.bottom() - plot.bottom():
            x_side.setHeight(rect.bottom() - plot.bottom())
        if y_side.fixedWidth != plot.left() - rect.left():
            y_side.setWidth(plot.left() - rect.left())
        self.layout.activate()
        self.box.updateMatrix()  # a box made for this painting was not told that it comes
        self.box.set_strips(plot.top() - frame.top(), frame.bottom() - plot.bottom())
        for side in self.sides:
            side.show_axis(geometry, panel.color_bar is None, theme)
        self._marks.set_room(frame.adjusted(0, -1, 1, 1))
        self._words.set_room(rect)

    def _paint(self, painter: QPainter, paint: Callable[..., None]) -> None:
        if self._shown is not None:
            panel, geometry, theme = self._shown
            paint(painter, panel, geometry, theme)
