"""The place of the plots in a view: a calm empty frame first, plots of pyqtgraph as soon as there is a run."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QVBoxLayout, QWidget

from gradsim.views.plot.panel import Panel

if TYPE_CHECKING:
    from gradsim.views.plot.canvas import PlotCanvas


class Screen(QWidget):
    """Paints a figure by itself until it is given plots; then it only holds them.

    Parameters
    ----------
    paint : callable
        Paints the figure, ground and all, into a rectangle.
    """

    def __init__(self, paint: Callable[[QPainter, QRectF], None]) -> None:
        super().__init__()
        self._paint = paint
        self.plots: PlotCanvas | None = None
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(160, 110)

    def sizeHint(self) -> QSize:
        return QSize(640, 280)

    def hold(self, plots: PlotCanvas) -> None:
        """Show plots from now on.

        Parameters
        ----------
        plots : PlotCanvas
            Which take over the focus, too.
        """
        had_focus = self.hasFocus()
        self.plots = plots
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(plots)
        plots.setAccessibleName(self.accessibleName())
        plots.setGeometry(self.rect())
        plots.show()  # at once: a layout would show it only at the next round of the event loop
        self.setFocusProxy(plots)
        if had_focus:
            plots.setFocus()

    def refresh(self) -> None:
        """Ask for the panels at the next painting."""
        if self.plots is not None:
            self.plots.refresh()
        else:
            self.update()

    def zoom(self, factor: float) -> None:
        """Show a smaller or larger part of every plot.

        Parameters
        ----------
        factor : float
            Of the range: below 1 is nearer.
        """
        if self.plots is not None:
            self.plots.zoom(factor)

    def forget_zoom(self) -> None:
        """Go back to the ranges of the panels."""
        if self.plots is not None:
            self.plots.forget_zoom()

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
        return panel if self.plots is None else self.plots.over_held(panel)

    def paintEvent(self, event: QPaintEvent) -> None:
        if self.plots is not None:
            return
        painter = QPainter(self)
        try:  # a painter left open by an exception would bring down the whole window
            self._paint(painter, QRectF(self.rect()))
        finally:
            painter.end()
