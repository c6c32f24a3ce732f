"""The surface of a view: shows its panels, zooms and pans them, and reports clicks and hovering."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QMouseEvent, QPainter, QPaintEvent, QWheelEvent
from PySide6.QtWidgets import QApplication, QSizePolicy, QToolTip, QWidget

from gradsim.views.plot.axis import Axis
from gradsim.views.plot.geometry import Geometry
from gradsim.views.plot.panel import Panel, laid_out, paint_panel
from gradsim.views.theme import Theme

Range = tuple[float, float]
_WHEEL_NOTCH = 120.0
_LEAST_SHARE = 1e-4


class PlotCanvas(QWidget):
    """Paints panels; holds nothing but the ranges a person zoomed to.

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
        super().__init__()
        self._panels, self._arranged, self._theme = panels, arranged, theme
        self._ranges: dict[str, tuple[Range | None, Range | None]] = {}
        self._laid: list[tuple[Panel, Geometry]] = []
        self._pressed: tuple[QPointF, Panel, Geometry] | None = None
        self._panning = False
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(160, 110)

    def sizeHint(self) -> QSize:
        return QSize(640, 280)

    def paint(self, painter: QPainter, rect: QRectF, theme: Theme) -> list[tuple[Panel, Geometry]]:
        """Draw all panels.

        Parameters
        ----------
        painter : QPainter
            To draw with.
        rect : QRectF
            Room for all of them.
        theme : Theme
            In which colours.

        Returns
        -------
        list of (Panel, Geometry)
            What was drawn where.
        """
        panels = [panel.over(*self._ranges.get(panel.key, (None, None))) for panel in self._panels(theme)]
        places = self._arranged(rect, panels)
        laid = [(panel, laid_out(panel, place)) for panel, place in zip(panels, places, strict=True)]
        top = max(geometry.frame.top() for _, geometry in laid)
        if all(place.top() == rect.top() for place in places):
            laid = [(p, g if g.frame.top() == top else laid_out(p, g.rect, top)) for p, g in laid]
        for panel, geometry in laid:
            paint_panel(painter, panel, geometry, theme)
        return laid

    def forget_zoom(self) -> None:
        """Go back to the ranges of the panels."""
        if self._ranges:
            self._ranges.clear()
            self.update()

    def zoom(self, factor: float, at: QPointF | None = None, axes: str | None = None) -> None:
        """Show a smaller or larger part.

        Parameters
        ----------
        factor : float
            Of the range: below 1 is nearer.
        at : QPointF or None
            The point that stays in its place; None for the middle of every panel.
        axes : str or None
            ``"x"``, ``"y"``, ``"xy"``; None for those the panel zooms.
        """
        for panel, geometry in self._laid:
            if panel.message or (at is not None and not geometry.rect.contains(at)):
                continue
            point = geometry.plot.center() if at is None else at
            which = axes or panel.zooms
            x, y = self._ranges.get(panel.key, (None, None))
            if "x" in which and "x" in panel.zooms:
                x = _zoomed(geometry.x, geometry.x_at(point.x()), factor)
            if "y" in which and "y" in panel.zooms:
                y = _zoomed(geometry.y, geometry.y_at(point.y()), factor)
            self._ranges[panel.key] = (x, y)
        self.update()

    def geometry_of(self, key: str) -> Geometry:
        """Return where a panel was last painted.

        Parameters
        ----------
        key : str
            Of the panel.

        Returns
        -------
        Geometry
            In pixels of this widget.
        """
        return next(geometry for panel, geometry in self._laid if panel.key == key)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        theme = self._theme()
        try:  # a painter left open by an exception would bring down the whole window
            painter.fillRect(self.rect(), theme.color("background"))
            self._laid = self.paint(painter, QRectF(self.rect()), theme)
            if self.hasFocus():
                painter.setPen(theme.color("accent", 0.6))
                painter.drawRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5))
        finally:
            painter.end()

    def wheelEvent(self, event: QWheelEvent) -> None:
        notches = event.angleDelta().y() / _WHEEL_NOTCH
        at = event.position()
        found = self._panel_at(at)
        if not notches or found is None:
            event.ignore()
            return
        beside = at.x() < found[1].frame.left() or event.modifiers() & Qt.KeyboardModifier.ControlModifier
        self.zoom(0.8**notches, at, "y" if beside else "x" if "x" in found[0].zooms else "y")
        event.accept()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        found = self._panel_at(event.position())
        if event.button() == Qt.MouseButton.LeftButton and found:
            self._pressed, self._panning = (event.position(), *found), False
        else:
            super().mousePressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        at = event.position()
        if self._pressed is None:
            found = self._panel_at(at)
            if found and found[1].frame.contains(at):
                self.hovered.emit(found[0].key, found[1].x_at(at.x()), found[1].y_at(at.y()))
            else:
                self.hovered.emit("", 0.0, 0.0)
            return
        start, panel, geometry = self._pressed
        if (at - start).manhattanLength() >= QApplication.startDragDistance():
            self._panning = True
        if self._panning:
            self._ranges[panel.key] = _moved(panel, geometry, at - start)
            self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self._pressed and not self._panning:
            _, panel, geometry = self._pressed
            at = event.position()
            if geometry.frame.contains(at):
                self.clicked.emit(panel.key, geometry.x_at(at.x()), geometry.y_at(at.y()))
        self._pressed = None

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self.refit.emit()

    def leaveEvent(self, event: QEvent) -> None:
        self.hovered.emit("", 0.0, 0.0)

    def show_tip(self, text: str) -> None:
        """Show words at the pointer; none hides them.

        Parameters
        ----------
        text : str
            Plain text, lines broken.
        """
        if text:
            QToolTip.showText(self.cursor().pos(), text, self)
        else:
            QToolTip.hideText()

    def _panel_at(self, at: QPointF) -> tuple[Panel, Geometry] | None:
        return next(((p, g) for p, g in self._laid if g.rect.contains(at) and not p.message), None)


def _zoomed(axis: Axis, at: float, factor: float) -> Range:
    least = _LEAST_SHARE * max(1.0, abs(at))
    span = max((axis.high - axis.low) * factor, least)
    share = (at - axis.low) / (axis.high - axis.low)
    low = at - share * span
    return low, low + span


def _moved(panel: Panel, geometry: Geometry, by: QPointF) -> tuple[Range | None, Range | None]:
    dx = by.x() / geometry.plot.width() * (geometry.x.high - geometry.x.low) if "x" in panel.zooms else 0.0
    dy = by.y() / geometry.plot.height() * (geometry.y.high - geometry.y.low) if "y" in panel.zooms else 0.0
    return (geometry.x.low - dx, geometry.x.high - dx), (geometry.y.low + dy, geometry.y.high + dy)
