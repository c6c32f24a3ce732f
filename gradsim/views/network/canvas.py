"""The widget that the network is painted on: what mouse and keys do."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable

from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFocusEvent,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPalette,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from gradsim.trace import Cursor, Run
from gradsim.views.network.between_painting import layer_at
from gradsim.views.network.layout import panned, zoomed
from gradsim.views.network.paths import UnitChain
from gradsim.views.network.picture import NetworkPicture
from gradsim.views.network.scene import LinkColours, UnitColours
from gradsim.views.network.telling import column_tooltip, layer_tooltip
from gradsim.views.theme import Theme

_DRAG_FROM = 4
_KEY_ZOOM = 1.25

_KEYS = (
    Qt.FocusReason.TabFocusReason,
    Qt.FocusReason.BacktabFocusReason,
    Qt.FocusReason.ShortcutFocusReason,
)
"""Who puts the focus here by keys is shown where it is; at the start of the window and after a click nobody asks."""


class NetworkCanvas(QWidget):
    """Shows a ``NetworkPicture`` and listens.

    Wishes: ``layer_selected(layer)``, ``unit_selected(layer, unit)`` and ``time_selected(layer, time)``, and
    ``unroll_requested(layer)``: show the time steps of a layer as columns, or no longer.
    """

    layer_selected = Signal(int)
    unit_selected = Signal(int, int)
    time_selected = Signal(int, int)
    unroll_requested = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.picture = NetworkPicture()
        self._pressed: QPointF | None = None
        self._dragging = False
        self.setMouseTracking(True)
        self._has_come_by_keys = False
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(280, 140)
        self.setAccessibleName("Network")

    def sizeHint(self) -> QSize:
        return QSize(900, 320)

    def set_run(self, run: Run | None) -> None:
        """Show a run; zoom and scales are kept while the network stays the same."""
        if self.picture.set_run(run):
            self.update()

    def set_cursor(self, cursor: Cursor) -> None:
        """Show another step."""
        if self.picture.set_cursor(cursor, follow=not self._dragging):
            self.update()

    def set_unrolled(self, layers: frozenset[int]) -> None:
        """Draw every time step of some recurrent layers as a column."""
        if self.picture.set_unrolled(layers):
            self.update()

    def set_selection(self, layer: int | None, unit: int | None = None) -> None:
        """Mark a layer, and a unit of it."""
        if self.picture.set_selection(layer, unit):
            self.update()

    def set_paths(self, paths: tuple[UnitChain, ...]) -> None:
        """Draw paths of a weight's chain rule, the first of them marked; none for an empty tuple."""
        if self.picture.set_paths(paths):
            self.update()

    def set_theme(self, theme: Theme) -> None:
        """Change the colours."""
        if self.picture.set_theme(theme):
            self.update()

    def set_unit_colours(self, by: UnitColours) -> None:
        """Colour circles by magnitude or by value."""
        if self.picture.set_colours(units=by):
            self.update()

    def set_link_colours(self, by: LinkColours) -> None:
        """Colour links by weight, by gradient, or draw none."""
        if self.picture.set_colours(links=by):
            self.update()

    def fit(self) -> None:
        """Show the whole network, on scales measured anew."""
        self.picture.fit()
        self.update()

    def zoom(self, factor: float, about: float | None = None) -> None:
        """Zoom about a place (px), else about the middle."""
        picture, frame = self.picture, self.picture.frame
        place = 0.5 * (frame.left + frame.right) if about is None else about
        picture.look(zoomed(picture.viewport(), frame, picture.count, factor, place))
        self.update()

    def pan(self, distance: float) -> None:
        """Move the network to the right by some pixels, as far as there is something to see."""
        picture = self.picture
        picture.look(panned(picture.viewport(), picture.frame, picture.count, distance))
        self.update()

    def paintEvent(self, _event: object) -> None:
        painter = QPainter(self)
        try:
            self.picture.paint(painter, self.devicePixelRatioF())
            if self.hasFocus() and self._has_come_by_keys:  # as the plots show it
                accent = QColor(self.palette().color(QPalette.ColorRole.Highlight))
                accent.setAlphaF(0.6)
                painter.setPen(accent)
                painter.drawRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5))
        except Exception:
            # Told as any other fault. Let out of here, through ``event`` above, it would end the process: Qt for
            # Python keeps what is raised inside two of its own calls, and reads it wrongly.
            sys.excepthook(*sys.exc_info())
        finally:
            painter.end()

    def focusInEvent(self, event: QFocusEvent) -> None:
        if event.reason() != Qt.FocusReason.ActiveWindowFocusReason:  # which only gives back what was there
            self._has_come_by_keys = event.reason() in _KEYS
        super().focusInEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        self.picture.resize(event.size())

    def event(self, event: QEvent) -> bool:
        """Answer the wish for a tool tip."""
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            self._tell(event.pos(), event.globalPos())
            return True
        if (
            event.type() == QEvent.Type.ShortcutOverride
            and isinstance(event, QKeyEvent)
            and event.key() in self._keys()
            and event.modifiers() == Qt.KeyboardModifier.NoModifier
        ):
            # With the focus here these keys are its own, not shortcuts of the whole window.
            event.accept()
            return True
        return super().event(event)

    def _tell(self, place: QPoint, screen: QPoint) -> None:
        scene = self.picture.scene
        between = None if scene is None else layer_at(scene, place.x(), place.y())
        if scene is not None and between is not None:
            QToolTip.showText(screen, layer_tooltip(scene.content, between), self)
            return
        column = None if scene is None else scene.layout.column_at(place.x())
        if scene is None or column is None:
            QToolTip.hideText()
            return
        unit = scene.layout.unit_at(column, place.y())
        left, right = scene.layout.span(column)
        strip = QRectF(left, 0, right - left, self.height()).toAlignedRect()
        QToolTip.showText(screen, column_tooltip(scene.content, column, unit), self, strip)

    def wheelEvent(self, event: QWheelEvent) -> None:
        angle = event.angleDelta()
        if abs(angle.x()) > abs(angle.y()):
            self.pan(0.5 * angle.x())
        else:
            self.zoom(2.0 ** (angle.y() / 480.0), event.position().x())
        event.accept()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._pressed, self._dragging = event.position(), False

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._pressed is None:
            return
        distance = event.position().x() - self._pressed.x()
        if self._dragging or abs(distance) >= _DRAG_FROM:
            self._dragging = True
            self._pressed = event.position()
            self.setCursor(Qt.CursorShape.ClosedHandCursor)
            self.pan(distance)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if event.button() != Qt.MouseButton.LeftButton or self._pressed is None:
            return
        clicked, self._pressed = not self._dragging, None
        self._dragging = False
        self.unsetCursor()
        scene = self.picture.scene
        column = None if scene is None else scene.layout.column_at(event.position().x())
        between = None if scene is None else layer_at(scene, event.position().x(), event.position().y())
        if clicked and between is not None:
            self.layer_selected.emit(between)
        elif clicked and scene is not None and column:
            layer = scene.content.layer_of(column).index
            self.layer_selected.emit(layer)
            time = scene.content.columns[column].time
            if time is not None:
                self.time_selected.emit(layer, time)
            unit = scene.layout.unit_at(column, event.position().y())
            if unit is not None:
                self.unit_selected.emit(layer, unit)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        scene = self.picture.scene
        column = None if scene is None else scene.layout.column_at(event.position().x())
        if event.button() == Qt.MouseButton.LeftButton and scene is not None and column:
            self.unroll_requested.emit(scene.content.layer_of(column).index)

    def _keys(self) -> dict[int, Callable[[], None]]:
        key = Qt.Key
        return {
            key.Key_PageUp: lambda: self._select_beside(-1),
            key.Key_PageDown: lambda: self._select_beside(1),
            key.Key_Up: lambda: self._select_unit_beside(-1),
            key.Key_Down: lambda: self._select_unit_beside(1),
            key.Key_F: self.fit,
            key.Key_U: lambda: self.unroll_requested.emit(None),
            key.Key_Plus: lambda: self.zoom(_KEY_ZOOM),
            key.Key_Minus: lambda: self.zoom(1 / _KEY_ZOOM),
        }

    def keyPressEvent(self, event: QKeyEvent) -> None:
        action = self._keys().get(event.key())
        # Plus is Shift and another key on some keyboards.
        plain = Qt.KeyboardModifier.KeypadModifier | Qt.KeyboardModifier.ShiftModifier
        if action is None or event.modifiers() & ~plain:
            super().keyPressEvent(event)
        else:
            action()

    def _select_beside(self, delta: int) -> None:
        if self.picture.content is None:
            return
        content, selected = self.picture.content, self.picture.selected
        columns = len(content.columns)
        if selected is None:
            here = 0.0 if delta > 0 else float(columns)
        else:
            here = content.place_of(selected)
            first = content.first_column(selected)
            if delta < 0 and first is not None:
                here = float(first)
        # From a place between two columns to the next one on that side.
        beside = math.floor(here) + 1 if delta > 0 else math.ceil(here) - 1
        target = content.layer_of(min(max(beside, 1), columns - 1)).index
        if target != selected:
            self.picture.reveal(target)
            self.update()
            self.layer_selected.emit(target)

    def _select_unit_beside(self, delta: int) -> None:
        content, selected = self.picture.content, self.picture.selected
        if content is None or selected is None:
            return
        index = content.column_of(selected)
        column = None if index is None else content.columns[index]
        if column is not None and column.has_circles:
            here = (-1 if delta > 0 else column.units) if self.picture.unit is None else self.picture.unit
            self.unit_selected.emit(selected, min(max(here + delta, 0), column.units - 1))
