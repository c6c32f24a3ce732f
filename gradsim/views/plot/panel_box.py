"""The inside of a plot on the screen: pyqtgraph's view box, which owns the ranges, zooms and pans."""

from __future__ import annotations

import math
from typing import Any

import pyqtgraph as pg
from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QPainterPath

Range = tuple[float, float]
NEARER = 0.8
"""Of the range remains after one notch of the wheel."""
_WHEEL_NOTCH = 120.0
_LEAST_SHARE = 1e-4


class PanelBox(pg.ViewBox):
    """A view box whose automatic range is the one its panel asks for, not that of the items in it.

    A person who zooms or pans switches that range off for the axes concerned, as in any plot of pyqtgraph, until
    they ask for it again. The strips of 0, NaN and ∞ above and below belong to it: it is clicked there too.
    """

    chosen = Signal(float, float)
    """A click, in the units of the axes."""
    pointed = Signal(float, float)
    """The pointer, in the units of the axes."""
    left = Signal()
    """The pointer has gone."""

    def __init__(self) -> None:
        self._asked: tuple[Range, Range] = ((0.0, 1.0), (0.0, 1.0))
        self._strips = (0.0, 0.0)
        self._updatingRange = False
        super().__init__(enableMenu=False, defaultPadding=0.0)
        self.state["wheelScaleFactor"] = math.log(NEARER) / (_WHEEL_NOTCH * math.log(1.02))
        self.setFlag(self.GraphicsItemFlag.ItemIsFocusable, False)  # keys belong to the view

    def ask(self, x: Range, y: Range) -> None:
        """Take other ranges; an axis that a person has zoomed keeps its own.

        Parameters
        ----------
        x, y : tuple of float
            Low and high.
        """
        if (x, y) != self._asked:
            self._asked = (x, y)
            spans = (x[1] - x[0], y[1] - y[0])
            # So far and no further, lest somebody gets lost in empty paper.
            self.setLimits(
                xMin=x[0] - spans[0],
                xMax=x[1] + spans[0],
                yMin=y[0] - spans[1],
                yMax=y[1] + spans[1],
                minXRange=_LEAST_SHARE * spans[0],
                minYRange=_LEAST_SHARE * spans[1],
            )
            for axis in (self.XAxis, self.YAxis):
                # Its owner may have moved on before: the limits of then have kept this one behind.
                self.linkedViewChanged(self.linkedView(axis), axis)
        self.updateAutoRange()

    def forget_zoom(self) -> None:
        """Go back to the ranges asked for."""
        for axis in (self.XAxis, self.YAxis):
            if self.linkedView(axis) is None:
                self.enableAutoRange(axis)

    def held(self, axis: int) -> Range | None:
        """Return the range a person zoomed to, or None.

        Parameters
        ----------
        axis : int
            0 for x, 1 for y.

        Returns
        -------
        tuple of float or None
            None where the panel decides.
        """
        owner = self.linkedView(axis) or self
        if owner.autoRangeEnabled()[axis]:
            return None
        low, high = owner.viewRange()[axis]
        return low, high

    def zoom(self, factor: float) -> None:
        """Show a smaller or larger part about the middle; a linked axis follows its owner.

        Parameters
        ----------
        factor : float
            Of the range: below 1 is nearer.
        """
        x, y = (None if self.linkedView(axis) else factor for axis in (self.XAxis, self.YAxis))
        if x is not None or y is not None:
            self.scaleBy(x=x, y=y)

    def set_strips(self, above: float, below: float) -> None:
        """Reach beyond the plot.

        Parameters
        ----------
        above, below : float
            Pixels.
        """
        if (above, below) != self._strips:
            self.prepareGeometryChange()
            self._strips = (above, below)

    # -- what pyqtgraph asks ---------------------------------------------------------------------------------

    def boundingRect(self) -> QRectF:
        return self.rect().adjusted(0.0, -self._strips[0] - 1.0, 1.0, self._strips[1] + 1.0)

    def shape(self) -> QPainterPath:
        """Return where the pointer counts as inside."""
        path = QPainterPath()
        path.addRect(self.boundingRect())
        return path

    def updateAutoRange(self) -> None:
        self._autoRangeNeedsUpdate = False
        if self._updatingRange:
            return
        self._updatingRange = True
        try:
            names = ("xRange", "yRange")
            on = self.autoRangeEnabled()
            ranges = {name: self._asked[axis] for axis, name in enumerate(names) if on[axis] is not False}
            if ranges:
                self.setRange(**ranges, padding=0.0, disableAutoRange=False)
        finally:
            self._updatingRange = False

    def linkedViewChanged(self, view: pg.ViewBox | None, axis: int) -> None:
        """Take over the very range: pyqtgraph would line up pixels of plots that stand above each other."""
        if self.linksBlocked or view is None:
            return
        view.blockLink(True)
        try:
            (self.setXRange if axis == self.XAxis else self.setYRange)(*view.viewRange()[axis], padding=0.0)
        finally:
            view.blockLink(False)

    def wheelEvent(self, ev: Any, axis: int | None = None) -> None:
        """Zoom about the pointer: along x in the plot, along y over its axis or with Ctrl."""
        if axis is None:
            axis = self.YAxis if ev.modifiers() & Qt.KeyboardModifier.ControlModifier else self.XAxis
        super().wheelEvent(ev, axis)

    def mouseDragEvent(self, ev: Any, axis: int | None = None) -> None:
        if ev.button() == Qt.MouseButton.RightButton:
            ev.ignore()  # it opens the menu of the view
        else:
            super().mouseDragEvent(ev, axis)

    def mouseClickEvent(self, ev: Any) -> None:
        place = self.mapFromScene(ev.scenePos())  # an axis hands its clicks on, too
        if ev.button() == Qt.MouseButton.LeftButton and self.boundingRect().contains(place):
            ev.accept()
            self._tell(self.chosen, place)

    def hoverEvent(self, ev: Any) -> None:
        if ev.isExit():
            self.left.emit()
        elif not ev.buttons():
            self._tell(self.pointed, ev.pos())

    def _tell(self, signal: Any, place: QPointF) -> None:
        at = self.mapToView(place)
        signal.emit(at.x(), at.y())
