"""What all plot views share: setters that never emit, options, panels made when needed, words and numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRectF, QSizeF, Qt, Signal
from PySide6.QtGui import QAction, QKeySequence, QPainter, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from gradsim.trace import Cursor, Run
from gradsim.views.plot.axis import Axis
from gradsim.views.plot.options import Option, OptionBar, Toggle, checked
from gradsim.views.plot.panel import Panel, laid_out_level, paint_panel
from gradsim.views.plot.screen import Screen
from gradsim.views.theme import LIGHT, Theme

Table = tuple[Mapping[str, NDArray[Any]], Mapping[str, str]]
"""Columns by name, equally long, and their units by name."""


_HIGH = 1.1
"""From this many times its width on a view is so high that its panels stand one above the other."""


class PlotView(QWidget):
    """A view made of panels. A subclass says which in ``panels``, ``text_summary`` and ``table``.

    Nothing is computed by a setter: the panels are made when they are painted, so runs that come faster than
    the screen cost nothing, and neither does a view nobody sees.

    Parameters
    ----------
    parent : QWidget or None
        In which it stands.
    """

    view_id = ""
    title = ""
    options: tuple[Option, ...] = ()

    seek_requested = Signal(int)
    """A wish: show this iteration."""
    layer_selected = Signal(int)
    """A wish: select this layer, an index into ``IterationTrace.layers``."""
    option_changed = Signal(str, object)
    """A person chose something in the controls."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.run: Run | None = None
        self.cursor_at: Cursor | None = None
        self.selected_layer: int | None = None
        self.theme: Theme = LIGHT
        self._chosen: dict[str, Any] = {row.name: row.default for row in self.options}
        self._made: tuple[Theme, Sequence[Panel]] | None = None
        self._screen = Screen(self._paint_screen)
        self.fit_action = self._action("Fit", "Fit the axes to the data (double-click)", ["A"], self.fit)
        zoom_in = self._action("Zoom in", "Show less, larger", ["+", "="], lambda: self._screen.zoom(0.8))
        zoom_out = self._action("Zoom out", "Show more, smaller", ["-"], lambda: self._screen.zoom(1.25))
        self.bar = OptionBar(self.options, lambda name, value: self.choose(name, value), [self.fit_action])
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.bar)
        column.addWidget(self._screen, 1)
        self.addActions([self.fit_action, zoom_in, zoom_out, *self.bar.toggles.values()])
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.ActionsContextMenu)
        self.setFocusProxy(self._screen)
        self.setAutoFillBackground(True)
        self._screen.setAccessibleName(self.title)

    @property
    def canvas(self) -> QWidget:
        """What the panels are shown on: plots of pyqtgraph as soon as there is a run, an empty frame before.

        A view that is never shown needs no plots to be exported, and pyqtgraph is not even loaded for it.
        """
        if self.run is not None:
            self._make_plots()
        return self._screen if self._screen.plots is None else self._screen.plots

    @property
    def iteration(self) -> int | None:
        """The iteration looked at: that of the cursor, else of the trace shown."""
        if self.cursor_at is not None:
            return self.cursor_at.iteration
        return self.run.trace.iteration if self.run else None

    # -- what comes down -------------------------------------------------------------------------------------

    def set_run(self, run: Run | None) -> None:
        """Show a run, or nothing.

        Parameters
        ----------
        run : Run or None
            As far as it has come.
        """
        if run is self.run:
            return
        before, self.run = self.run, run
        if run is not None and (before is None or self.differs(before, run)):
            self.fit_ranges()
            self._screen.forget_zoom()
        if run is not None and self.isVisible():
            self._make_plots()
        self.refresh()

    def set_cursor(self, cursor: Cursor | None) -> None:
        """Show a place in the run.

        Parameters
        ----------
        cursor : Cursor or None
            The place looked at; None for the end of the iteration.
        """
        if cursor != self.cursor_at:
            self.cursor_at = cursor
            self.refresh()

    def set_selected_layer(self, layer: int | None) -> None:
        """Mark a layer.

        Parameters
        ----------
        layer : int or None
            Index into ``IterationTrace.layers``; None for none.
        """
        if layer != self.selected_layer:
            self.selected_layer = layer
            self.refresh()

    def set_theme(self, theme: Theme) -> None:
        """Draw in other colours.

        Parameters
        ----------
        theme : Theme
            Of the whole view; the palette of its controls is the application's.
        """
        if theme != self.theme:
            self.theme = theme
            self.refresh()

    def set_option(self, name: str, value: Any) -> None:
        """Choose what is drawn.

        Parameters
        ----------
        name : str
            Of a row of ``options``.
        value : str or bool
            One it can have.

        Raises
        ------
        ValueError
            If there is no such option, or it cannot have that value.
        """
        value = checked(self.options, name, value)
        if value != self._chosen[name]:
            self._chosen[name] = value
            self.bar.show_value(name, value)
            self.fit_after_option(name)
            self.refresh()

    def option(self, name: str) -> Any:
        """Return what is chosen.

        Parameters
        ----------
        name : str
            Of a row of ``options``.

        Returns
        -------
        str or bool
            Its value.
        """
        return self._chosen[name]

    # -- what a subclass says --------------------------------------------------------------------------------

    def panels(self, theme: Theme) -> Sequence[Panel]:
        """Return the panels of the present run; asked again only after something has changed."""
        raise NotImplementedError

    def text_summary(self) -> str:
        """Return one or two sentences of what is to be seen."""
        raise NotImplementedError

    def table(self) -> Table:
        """Return the numbers that are drawn, and their units."""
        raise NotImplementedError

    def differs(self, before: Run, run: Run) -> bool:
        """Whether the axes must be chosen anew: another depth or other data, not a mere edit."""
        return len(before.trace.layers) != len(run.trace.layers) or before.samples.title != run.samples.title

    def fit_ranges(self) -> None:
        """Forget the ranges held."""

    def fit_after_option(self, name: str) -> None:
        """Forget the ranges held if another option needs others; toggles do not."""
        if not isinstance(next(row for row in self.options if row.name == name), Toggle):
            self.fit_ranges()
            self._screen.forget_zoom()

    def act_on_click(self, key: str, x: float, y: float) -> None:
        """Answer a click with a wish."""

    def hover_text(self, key: str, x: float, y: float) -> str:
        """Return the numbers at the pointer."""
        return ""

    def arranged(self, rect: QRectF, panels: Sequence[Panel]) -> list[QRectF]:
        """Return the rectangles of the panels, side by side; one above the other in a narrow and high view."""
        if len(panels) > 1 and rect.height() > _HIGH * rect.width():
            height = rect.height() / len(panels)
            tops = [rect.top() + row * height for row in range(len(panels))]
            return [QRectF(rect.left(), top, rect.width(), height) for top in tops]
        total = sum(panel.weight for panel in panels)
        rects, left = [], rect.left()
        for panel in panels:
            width = rect.width() * panel.weight / total
            rects.append(QRectF(left, rect.top(), width, rect.height()))
            left += width
        return rects

    # -- the protocol of export ------------------------------------------------------------------------------

    def paint_figure(self, painter: QPainter, rect: QRectF, theme: Theme) -> None:
        """Draw the figure.

        Parameters
        ----------
        painter : QPainter
            Of any device, its unit one logical pixel.
        rect : QRectF
            Room for all of it.
        theme : Theme
            In which colours.
        """
        panels = [self._screen.over_held(panel) for panel in self._panels_now(theme)]
        laid = laid_out_level(panels, self.arranged(rect, panels))
        for panel, geometry in zip(panels, laid, strict=True):
            paint_panel(painter, panel, geometry, theme)

    def figure_size(self) -> QSizeF:
        """Return the size of the figure on the screen, in logical pixels."""
        return QSizeF(self._screen.size())

    # -- inside ----------------------------------------------------------------------------------------------

    def fit(self) -> None:
        """Choose the axes anew from what is to be seen."""
        self.fit_ranges()
        self._screen.forget_zoom()
        self.refresh()

    def refresh(self) -> None:
        """Make the panels anew at the next painting."""
        self._made = None
        self._screen.refresh()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.refresh()  # the headline has as many words as there is room for

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if self.run is not None:
            self._make_plots()

    def _make_plots(self) -> None:
        if self._screen.plots is not None:
            return
        from gradsim.views.plot.canvas import (
            PlotCanvas,
        )  # imports pyqtgraph, which the first frame cannot await

        plots = PlotCanvas(self._panels_now, self.arranged, lambda: self.theme)
        plots.clicked.connect(self.act_on_click)
        plots.hovered.connect(lambda *at: plots.show_tip(self.hover_text(*at) if at[0] else ""))
        plots.refit.connect(self.fit)
        self._screen.hold(plots)

    def _paint_screen(self, painter: QPainter, rect: QRectF) -> None:
        painter.fillRect(rect, self.theme.color("background"))
        self.paint_figure(painter, rect, self.theme)

    def _panels_now(self, theme: Theme) -> Sequence[Panel]:
        if self._made is None or self._made[0] != theme:
            with np.errstate(all="ignore"):
                panels = self.panels(theme)
            if theme != self.theme:
                return panels
            self._made = (theme, panels)
        return self._made[1]

    def choose(self, name: str, value: Any) -> None:
        """Do what happens when a person chooses what is drawn: that is told, and what it needs is asked for.

        Parameters
        ----------
        name : str
            Of a row of ``options``.
        value : str or bool
            One it can have.
        """
        self.set_option(name, value)
        self.option_changed.emit(name, value)

    def _action(self, text: str, tip: str, keys: list[str], do: Callable[[], None]) -> QAction:
        action = QAction(text, self)
        action.setShortcuts([QKeySequence(key) for key in keys])
        action.setShortcutContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        action.setToolTip(f"{tip} ({keys[0]})")
        action.triggered.connect(lambda: do())
        return action


def message_panel(message: str) -> Panel:
    """Return a panel that says why there is nothing to see.

    Parameters
    ----------
    message : str
        One sentence.

    Returns
    -------
    Panel
        With nothing else in it.
    """
    return Panel("message", Axis("", 0, 1), Axis("", 0, 1), message=message)
