"""The widget that the network is painted on: what is kept as a picture, and what mouse and keys do."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QHelpEvent, QKeyEvent, QMouseEvent, QPainter, QPixmap, QWheelEvent
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from gradsim.trace import Cursor, Run
from gradsim.views.fonts import figure_font
from gradsim.views.network.content import KeptScales, NetworkContent
from gradsim.views.network.layout import (
    Frame,
    NetworkLayout,
    Viewport,
    fitted,
    kept_inside,
    panned,
    revealing,
    zoomed,
)
from gradsim.views.network.overlay import paint_overlay
from gradsim.views.network.painting import paint_axis, paint_column, paint_ground
from gradsim.views.network.pulse import Pulse, pulse_at
from gradsim.views.network.scene import LinkColours, Scene, UnitColours
from gradsim.views.network.telling import column_tooltip
from gradsim.views.theme import LIGHT, Theme

_DRAG_FROM = 4
_KEY_ZOOM = 1.25


class NetworkCanvas(QWidget):
    """Paints one run at one cursor.

    Everything that stays while a phase lasts is kept as two pictures, the empty network and the computed
    one; a frame copies strips of them and paints only the pulse anew.
    """

    layer_selected = Signal(int)
    unit_selected = Signal(int, int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._content: NetworkContent | None = None
        self._scales: KeptScales | None = None
        self._cursor = Cursor()
        self._pulse: Pulse | None = None
        self._selected: int | None = None
        self._unit: int | None = None
        self._theme = LIGHT
        self._unit_colours: UnitColours = "magnitude"
        self._link_colours: LinkColours = "weight"
        self._zoom = 1.0
        self._middle = 0.0  # column in the middle of the picture, when zoomed in
        self._scene_kept: Scene | None = None
        self._pictures: dict[str, QPixmap] = {}
        self._pressed: QPointF | None = None
        self._dragging = False
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(280, 190)
        self.setAccessibleName("Network")

    def sizeHint(self) -> QSize:
        return QSize(900, 320)

    @property
    def content(self) -> NetworkContent | None:
        """The numbers on screen."""
        return self._content

    @property
    def pulse(self) -> Pulse | None:
        """The state of the step on screen."""
        return self._pulse

    @property
    def selection(self) -> tuple[int | None, int | None]:
        """Selected layer, and unit of it."""
        return self._selected, self._unit

    def set_run(self, run: Run | None) -> None:
        """Show a run; scales are kept while the network stays the same."""
        if run is None:
            self._content, self._scales, self._pulse = None, None, None
        elif self._content is None or run.trace is not self._content.trace:
            before = self._content
            self._content = NetworkContent(run.trace)
            same = before is not None and before.columns == self._content.columns
            self._scales = KeptScales(self._content, self._scales if same else None)
            if not same:
                self._zoom, self._unit = 1.0, None
            self._pulse = pulse_at(run.trace, self._cursor.step)
            # Without links the empty network looks the same for every trace.
            bare = self._scene_kept is not None and not self._scene_kept.link_columns
            self._forget(keep_ground=same and bare)
            return
        else:
            return
        self._forget()

    def set_cursor(self, cursor: Cursor) -> None:
        """Show another step."""
        if cursor == self._cursor:
            return
        self._cursor = cursor
        if self._content is not None:
            self._pulse = pulse_at(self._content.trace, cursor.step)
            if self._zoom > 1.0 and self._pulse.active is not None and not self._dragging:
                self._look(revealing(self._viewport(), self._frame(), self._count, self._pulse.active + 1))
        self.update()

    def set_selection(self, layer: int | None, unit: int | None = None) -> None:
        """Mark a layer, and a unit of it."""
        if (layer, unit) != (self._selected, self._unit):
            self._selected, self._unit = layer, unit
            self.update()

    def set_theme(self, theme: Theme) -> None:
        """Change the colours."""
        if theme != self._theme:
            self._theme = theme
            self._forget()

    def set_unit_colours(self, by: UnitColours) -> None:
        """Colour circles by magnitude or by value."""
        if by != self._unit_colours:
            self._unit_colours = by
            self._forget()

    def set_link_colours(self, by: LinkColours) -> None:
        """Colour links by weight, by gradient, or draw none."""
        if by != self._link_colours:
            self._link_colours = by
            self._forget()

    def fit(self) -> None:
        """Show the whole network, on scales measured anew."""
        self._zoom = 1.0
        if self._content is not None:
            self._scales = KeptScales(self._content)
        self._forget()

    def zoom(self, factor: float, about: float | None = None) -> None:
        """Zoom about a place (px), else about the middle."""
        if self._content is not None:
            frame = self._frame()
            place = 0.5 * (frame.left + frame.right) if about is None else about
            self._look(zoomed(self._viewport(), frame, self._count, factor, place))

    def layout_shown(self) -> NetworkLayout | None:
        """Where everything stands on screen; None without a network."""
        scene = self._scene()
        return None if scene is None else scene.layout

    def paint_network(self, painter: QPainter, rect: QRectF, theme: Theme) -> None:
        """Paint the picture into any rectangle, without kept pictures; as ``views.export`` wants it."""
        painter.save()
        painter.translate(rect.topLeft())
        frame = Frame(rect.width(), rect.height())
        if self._content is None or self._pulse is None or self._scales is None:
            self._paint_nothing(painter, frame, theme)
        else:
            scene = self._new_scene(self._content, self._scales, frame, theme)
            paint_ground(painter, scene)
            painter.save()
            painter.setClipRect(QRectF(frame.left, 0, frame.right - frame.left, frame.height))
            for column in scene.layout.visible:
                if self._is_computed(self._pulse, column):
                    paint_column(painter, scene, column, self._tensor(self._pulse, column))
            painter.restore()
            paint_axis(painter, scene, self._pulse.tensor)
            paint_overlay(painter, scene, self._pulse, self._selected, self._unit)
        painter.restore()

    # What is painted

    @property
    def _count(self) -> int:
        return 1 if self._content is None else len(self._content.columns)

    def _frame(self) -> Frame:
        return Frame(self.width(), self.height())

    def _viewport(self, frame: Frame | None = None) -> Viewport:
        frame = self._frame() if frame is None else frame
        fit = fitted(frame, self._count)
        if self._zoom <= 1.0:
            return fit
        pitch = fit.pitch * self._zoom
        first = 0.5 * (frame.left + frame.right) - self._middle * pitch
        return kept_inside(Viewport(pitch, first), frame, self._count)

    def _look(self, viewport: Viewport) -> None:
        frame = self._frame()
        if viewport == self._viewport():
            return
        self._zoom = viewport.pitch / fitted(frame, self._count).pitch
        self._middle = (0.5 * (frame.left + frame.right) - viewport.first) / viewport.pitch
        self._forget()

    def _forget(self, keep_ground: bool = False) -> None:
        self._scene_kept = None
        self._pictures = {k: p for k, p in self._pictures.items() if keep_ground and k == "ground"}
        self.update()

    def _new_scene(self, content: NetworkContent, scales: KeptScales, frame: Frame, theme: Theme) -> Scene:
        layout = NetworkLayout(frame, self._viewport(frame), content.columns)
        return Scene(content, layout, theme, scales, self._unit_colours, self._link_colours)

    def _scene(self) -> Scene | None:
        if self._scene_kept is None and self._content is not None and self._scales is not None:
            self._scene_kept = self._new_scene(self._content, self._scales, self._frame(), self._theme)
        return self._scene_kept

    @staticmethod
    def _is_computed(pulse: Pulse, column: int) -> bool:
        if column == 0:
            return pulse.phase in ("forward", "loss")
        return pulse.computed[column - 1]

    @staticmethod
    def _tensor(pulse: Pulse, column: int) -> str:
        return "input" if column == 0 else pulse.tensor

    def _picture(self, name: str, scene: Scene) -> QPixmap:
        """Return the empty network (``ground``) or the one computed as far as can be, painted once."""
        if name not in self._pictures:
            if name == "ground":
                ratio = self.devicePixelRatioF()
                picture = QPixmap(self.size() * ratio)
                picture.setDevicePixelRatio(ratio)
                picture.fill(self._theme.color("background"))
                painter = QPainter(picture)
                paint_ground(painter, scene)
            else:
                picture = self._picture("ground", scene).copy()
                painter = QPainter(picture)
                paint_axis(painter, scene, name)
                frame = scene.layout.frame
                painter.setClipRect(QRectF(frame.left, 0, frame.right - frame.left, frame.height))
                for column in scene.layout.visible:
                    if column or name == "activation":
                        paint_column(painter, scene, column, name if column else "input")
            painter.end()
            self._pictures[name] = picture
        return self._pictures[name]

    def paintEvent(self, _event: object) -> None:
        painter = QPainter(self)
        scene, pulse = self._scene(), self._pulse
        if scene is None or pulse is None:
            painter.fillRect(self.rect(), self._theme.color("background"))
            self._paint_nothing(painter, self._frame(), self._theme)
            return
        painter.drawPixmap(0, 0, self._picture("ground", scene))
        for left, right in [(0.0, scene.layout.frame.left), *self._computed_strips(scene, pulse)]:
            # Whole pixels of the device, or the copy would be filtered.
            ratio = self.devicePixelRatioF()
            x, width = round(left * ratio), round(right * ratio) - round(left * ratio)
            source = QRectF(x, 0, width, self.height() * ratio)
            target = QRectF(x / ratio, 0, width / ratio, self.height())
            painter.drawPixmap(target, self._picture(pulse.tensor, scene), source)
        paint_overlay(painter, scene, pulse, self._selected, self._unit)
        painter.end()

    def _computed_strips(self, scene: Scene, pulse: Pulse) -> list[tuple[float, float]]:
        strips: list[tuple[float, float]] = []
        for column in scene.layout.visible:
            if self._is_computed(pulse, column):
                left, right = scene.layout.span(column)
                if strips and abs(strips[-1][1] - left) < 1e-6:
                    strips[-1] = (strips[-1][0], right)
                else:
                    strips.append((left, right))
        return strips

    @staticmethod
    def _paint_nothing(painter: QPainter, frame: Frame, theme: Theme) -> None:
        painter.setFont(figure_font(12))
        painter.setPen(theme.color("muted"))
        painter.drawText(
            QRectF(0, 0, frame.width, frame.height), Qt.AlignmentFlag.AlignCenter, "No network yet"
        )

    def resizeEvent(self, _event: object) -> None:
        self._forget()

    # What mouse and keys do

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            self._tell(event.pos(), event.globalPos())
            return True
        if (
            event.type() == QEvent.Type.ShortcutOverride
            and isinstance(event, QKeyEvent)
            and event.key() in self._keys()
            and event.modifiers() == Qt.KeyboardModifier.NoModifier
        ):
            # With the focus here these keys move the selection, not the step of the whole window.
            event.accept()
            return True
        return super().event(event)

    def _tell(self, place: QPoint, screen: QPoint) -> None:
        scene = self._scene()
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
        if abs(angle.x()) > abs(angle.y()) and self._content is not None:
            self._look(panned(self._viewport(), self._frame(), self._count, 0.5 * angle.x()))
        else:
            self.zoom(2.0 ** (angle.y() / 480.0), event.position().x())
        event.accept()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._pressed, self._dragging = event.position(), False

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._pressed is None or self._content is None:
            return
        distance = event.position().x() - self._pressed.x()
        if self._dragging or abs(distance) >= _DRAG_FROM:
            self._dragging = True
            self._pressed = event.position()
            self.setCursor(Qt.CursorShape.ClosedHandCursor)
            self._look(panned(self._viewport(), self._frame(), self._count, distance))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if event.button() != Qt.MouseButton.LeftButton or self._pressed is None:
            return
        clicked, self._pressed = not self._dragging, None
        self._dragging = False
        self.unsetCursor()
        scene = self._scene()
        column = None if scene is None else scene.layout.column_at(event.position().x())
        if clicked and scene is not None and column:
            self.layer_selected.emit(column - 1)
            unit = scene.layout.unit_at(column, event.position().y())
            if unit is not None:
                self.unit_selected.emit(column - 1, unit)

    def _keys(self) -> dict[int, object]:
        key = Qt.Key
        return {
            key.Key_Left: lambda: self._select_beside(-1),
            key.Key_Right: lambda: self._select_beside(1),
            key.Key_Up: lambda: self._select_unit_beside(-1),
            key.Key_Down: lambda: self._select_unit_beside(1),
            key.Key_F: self.fit,
            key.Key_Home: self.fit,
            key.Key_Plus: lambda: self.zoom(_KEY_ZOOM),
            key.Key_Minus: lambda: self.zoom(1 / _KEY_ZOOM),
        }

    def keyPressEvent(self, event: QKeyEvent) -> None:
        action = self._keys().get(event.key())
        if action is None or event.modifiers() & ~(
            Qt.KeyboardModifier.KeypadModifier | Qt.KeyboardModifier.ShiftModifier
        ):
            super().keyPressEvent(event)
        else:
            action()  # type: ignore[operator]

    def _select_beside(self, delta: int) -> None:
        if self._content is None:
            return
        layers = self._count - 1
        begin = -1 if delta > 0 else layers
        here = begin if self._selected is None else self._selected
        target = min(max(here + delta, 0), layers - 1)
        if target != self._selected:
            self._look(revealing(self._viewport(), self._frame(), self._count, target + 1))
            self.layer_selected.emit(target)

    def _select_unit_beside(self, delta: int) -> None:
        if self._content is None or self._selected is None:
            return
        column = self._content.columns[self._selected + 1]
        if column.has_circles:
            here = (-1 if delta > 0 else column.units) if self._unit is None else self._unit
            self.unit_selected.emit(self._selected, min(max(here + delta, 0), column.units - 1))
