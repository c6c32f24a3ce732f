"""The surface of a view: a scene of pyqtgraph with one plot per panel.

Importing it imports pyqtgraph (0.45 s): ``plot_view`` does so when there is something to plot, never before the
first frame of the window.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pyqtgraph as pg
from PySide6.QtCore import QRectF, QSize, Signal
from PySide6.QtGui import QFocusEvent, QMouseEvent, QPainter, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QToolTip

from gradsim.views.plot.geometry import Geometry
from gradsim.views.plot.numbers import typeset
from gradsim.views.plot.panel import Panel, laid_out_level
from gradsim.views.plot.panel_item import PanelItem
from gradsim.views.plot.words import paint_message
from gradsim.views.theme import Theme

# The one place where pyqtgraph is set up. No Numba in the window's process; a row of an image is a row.
pg.setConfigOptions(antialias=True, useOpenGL=False, useNumba=False, imageAxisOrder="row-major")


class PlotCanvas(pg.GraphicsView):
    """Shows panels; their plots hold the ranges.

    Panels are asked for when it is painted, so what nobody sees costs nothing.

    Parameters
    ----------
    panels : callable
        Gives the panels in the colours of a theme.
    arranged : callable
        Gives the rectangles of so many panels inside one.
    theme : callable
        Gives the present theme.
    """

    clicked = Signal(str, float, float)
    """A click inside a plot: key of the panel, and the place in the units of its axes."""
    hovered = Signal(str, float, float)
    """The pointer inside a plot; an empty key when it leaves."""
    refit = Signal()
    """A person asked for ranges that fit."""

    def __init__(
        self,
        panels: Callable[[Theme], Sequence[Panel]],
        arranged: Callable[[QRectF, Sequence[Panel]], list[QRectF]],
        theme: Callable[[], Theme],
    ) -> None:
        self._plots: dict[str, PanelItem] = {}
        self._is_stale = True
        self._is_busy = False
        self._message = ""
        self._painted_theme: Theme | None = None
        self._panels, self._arranged, self._theme = panels, arranged, theme
        super().__init__(background=None)
        # The scene reports every single change in it; one repaint per frame shows them all.
        self.setViewportUpdateMode(self.ViewportUpdateMode.NoViewportUpdate)
        self.setCacheMode(self.CacheModeFlag.CacheNone)
        self.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.TextAntialiasing)
        self.scene().setItemIndexMethod(self.scene().ItemIndexMethod.NoIndex)
        self.scene().sigPrepareForPaint.connect(self._bring_up_to_date)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(160, 110)

    def sizeHint(self) -> QSize:
        return QSize(640, 280)

    def refresh(self) -> None:
        """Ask for the panels at the next painting."""
        self._is_stale = True
        self.viewport().update()

    def forget_zoom(self) -> None:
        """Go back to the ranges of the panels."""
        for plot in self._plots.values():
            plot.box.forget_zoom()
        self.refresh()

    def zoom(self, factor: float) -> None:
        """Show a smaller or larger part of every panel, about its middle.

        Parameters
        ----------
        factor : float
            Of the range: below 1 is nearer.
        """
        for plot in self._plots.values():
            if plot.isVisible():
                plot.box.zoom(factor)

    def over_held(self, panel: Panel) -> Panel:
        """Return a panel over the ranges a person zoomed to.

        Parameters
        ----------
        panel : Panel
            Over its own ranges.

        Returns
        -------
        Panel
            As it is on the screen.
        """
        plot = self._plots.get(panel.key)
        return panel if plot is None else panel.over(plot.box.held(0), plot.box.held(1))

    def geometry_of(self, key: str) -> Geometry:
        """Return where a panel was last painted.

        Parameters
        ----------
        key : str
            Of the panel.

        Returns
        -------
        Geometry
            In pixels of the viewport.
        """
        return self._plots[key].geometry_shown

    def plot_of(self, key: str) -> PanelItem:
        """Return the plot of a panel that has been painted.

        Parameters
        ----------
        key : str
            Of the panel.

        Returns
        -------
        PanelItem
            With its view box and axes.
        """
        return self._plots[key]

    def show_tip(self, text: str) -> None:
        """Show words at the pointer; none hides them.

        Parameters
        ----------
        text : str
            Plain text, lines broken.
        """
        if text:
            QToolTip.showText(self.cursor().pos(), typeset(text), self)
        else:
            QToolTip.hideText()

    # -- what Qt asks ----------------------------------------------------------------------------------------

    def resizeEvent(self, ev: QResizeEvent | None) -> None:
        super().resizeEvent(ev)
        self._is_stale = True

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self.refit.emit()

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.viewport().update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.viewport().update()

    def drawForeground(self, painter: QPainter, rect: QRectF | object) -> None:
        whole, theme = QRectF(self.viewport().rect()), self._theme()
        if self._message:
            paint_message(painter, self._message, whole, theme)
        if self.hasFocus():
            painter.setPen(theme.color("accent", 0.6))
            painter.drawRect(whole.adjusted(0.5, 0.5, -0.5, -0.5))

    # -- inside ----------------------------------------------------------------------------------------------

    def _bring_up_to_date(self) -> None:
        """Let the scene show the present panels; called by pyqtgraph before it paints."""
        if not self._is_stale:
            return
        self._is_stale, self._is_busy = False, True
        try:
            theme = self._theme()
            if theme != self._painted_theme:
                self._painted_theme = theme
                self.setBackground(theme.color("background"))
            panels = self._panels(theme)
            self._message = next((panel.message for panel in panels if panel.message), "")
            self._show([] if self._message else panels, theme)
        finally:
            self._is_busy = False

    def _show(self, panels: Sequence[Panel], theme: Theme) -> None:
        plots = [self._plot_for(panel.key) for panel in panels]
        for key, plot in self._plots.items():
            plot.setVisible(any(panel.key == key for panel in panels))
        for panel, plot in zip(panels, plots, strict=True):
            plot.box.ask((panel.x.low, panel.x.high), (panel.y.low, panel.y.high))
            self._link(plot, panel)
        ranges = [plot.box.viewRange() for plot in plots]
        panels = [panel.over(tuple(x), tuple(y)) for panel, (x, y) in zip(panels, ranges, strict=True)]
        if not panels:
            return
        rects = self._arranged(QRectF(self.viewport().rect()), panels)
        for plot, panel, geometry in zip(plots, panels, laid_out_level(panels, rects), strict=True):
            plot.show_panel(panel, geometry, theme)

    def _plot_for(self, key: str) -> PanelItem:
        if key not in self._plots:
            plot = PanelItem()
            self.addItem(plot)
            box = plot.box
            box.sigRangeChanged.connect(self._follow)
            box.chosen.connect(lambda x, y: self.clicked.emit(key, x, y))
            box.pointed.connect(lambda x, y: self.hovered.emit(key, x, y))
            box.left.connect(lambda: self.hovered.emit("", 0.0, 0.0))
            self._plots[key] = plot
        return self._plots[key]

    def _link(self, plot: PanelItem, panel: Panel) -> None:
        box = plot.box
        for axis, key in ((box.XAxis, panel.linked_x), (box.YAxis, panel.linked_y)):
            owner = self._plots[key].box if key else None
            if box.linkedView(axis) is not owner:
                box.linkView(axis, owner)

    def _follow(self) -> None:
        """Lay everything out anew: a person zoomed or moved a plot."""
        if not self._is_busy:
            self.refresh()
