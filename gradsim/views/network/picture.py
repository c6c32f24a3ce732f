"""The picture of a network at a step: what it is made of, and which part is seen.

Everything that stays while a phase lasts is kept as pixels; a frame copies them and paints only the pulse anew.
Mouse and keys are the canvas's.
"""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QPainter

from gradsim.trace import Cursor, Run
from gradsim.views.fonts import figure_font
from gradsim.views.network.content import NetworkContent
from gradsim.views.network.kept_pictures import KeptPictures, paint_computed
from gradsim.views.network.layout import (
    MOST_ARCS,
    Frame,
    NetworkLayout,
    Viewport,
    fitted,
    kept_inside,
    revealing,
)
from gradsim.views.network.overlay import paint_overlay
from gradsim.views.network.painting import paint_axis, paint_ground
from gradsim.views.network.paths import UnitChain, paint_paths
from gradsim.views.network.pulse import Pulse, pulse_at
from gradsim.views.network.scales import KeptScales
from gradsim.views.network.scene import LinkColours, Scene, UnitColours
from gradsim.views.theme import LIGHT, Theme


class NetworkPicture:
    """One run at one cursor, painted at the size of its widget or into any other rectangle.

    Setters return whether anything has changed.
    """

    def __init__(self) -> None:
        self.content: NetworkContent | None = None
        self.pulse: Pulse | None = None
        self.selected: int | None = None
        self.unit: int | None = None
        self.paths: tuple[UnitChain, ...] = ()
        self._scales: KeptScales | None = None
        self._cursor = Cursor()
        self._theme = LIGHT
        self._unit_colours: UnitColours = "magnitude"
        self._link_colours: LinkColours = "weight"
        self._size = QSize(1, 1)
        self._unrolled: frozenset[int] = frozenset()
        self._zoom = 1.0
        self._middle = 0.0  # column in the middle of the picture, when zoomed in
        self._scene: Scene | None = None
        self._kept = KeptPictures()

    # What is shown

    def set_run(self, run: Run | None) -> bool:
        """Show a run; zoom and scales are kept while the network stays the same."""
        before = self.content
        if run is None:
            self.content, self._scales, self.pulse = None, None, None
            self.forget()
            return before is not None
        if before is not None and run.trace is before.trace:
            return False
        self._unrolled &= {layer.index for layer in run.trace.layers if layer.kind == "recurrent"}
        self.content = NetworkContent(run.trace, self._unrolled)
        same = before is not None and before.same_picture == self.content.same_picture
        self._scales = KeptScales(self.content, self._scales if same else None)
        if not same:
            self._zoom, self.unit = 1.0, None
        self.pulse = pulse_at(run.trace, self._cursor.step)
        # Without links the empty network looks the same for every trace.
        self.forget(keep_ground=same and self._scene is not None and not self._scene.link_columns)
        return True

    def set_cursor(self, cursor: Cursor, follow: bool) -> bool:
        """Show another step, moving a zoomed view so that the layer in work is seen if that is wanted."""
        if cursor == self._cursor:
            return False
        self._cursor = cursor
        if self.content is not None:
            self.pulse = pulse_at(self.content.trace, cursor.step)
            if follow and self._zoom > 1.0 and self.pulse.active is not None:
                self.reveal(self.pulse.active, self.pulse.time)
        return True

    @property
    def unrolled(self) -> frozenset[int]:
        """Recurrent layers of which every time step is a column."""
        return self._unrolled

    def set_unrolled(self, layers: frozenset[int]) -> bool:
        """Draw every time step of some recurrent layers as a column, each of the others as one."""
        if layers == self._unrolled:
            return False
        self._unrolled = layers
        if self.content is not None:
            self.content = NetworkContent(self.content.trace, layers)
            self._scales = KeptScales(self.content)
            self._zoom = 1.0
        self.forget()
        return True

    def set_selection(self, layer: int | None, unit: int | None) -> bool:
        """Mark a layer, and a unit of it."""
        changed = (layer, unit) != (self.selected, self.unit)
        self.selected, self.unit = layer, unit
        return changed

    def set_paths(self, paths: tuple[UnitChain, ...]) -> bool:
        """Draw the paths of a weight's chain rule, the first of them marked."""
        changed = paths != self.paths
        self.paths = paths
        return changed

    def set_theme(self, theme: Theme) -> bool:
        """Change the colours."""
        if theme == self._theme:
            return False
        self._theme = theme
        self.forget()
        return True

    def set_colours(self, units: UnitColours | None = None, links: LinkColours | None = None) -> bool:
        """Change what circles or links are coloured by; None leaves it."""
        wanted = (units or self._unit_colours, links or self._link_colours)
        if wanted == (self._unit_colours, self._link_colours):
            return False
        self._unit_colours, self._link_colours = wanted
        self.forget()
        return True

    def resize(self, size: QSize) -> None:
        """Take the size of the widget."""
        self._size = size
        self.forget()

    # Which part is seen

    @property
    def count(self) -> int:
        """Number of columns."""
        return 1 if self.content is None else len(self.content.columns)

    @property
    def frame(self) -> Frame:
        """The parts of the widget."""
        return Frame(self._size.width(), self._size.height(), self._arcs)

    @property
    def _arcs(self) -> int:
        levels = () if self.content is None else self.content.arc_levels.values()
        return min(max(levels, default=0), MOST_ARCS)

    def viewport(self, frame: Frame | None = None) -> Viewport:
        """Return the part of the network that is seen, in the widget or in another frame."""
        frame = self.frame if frame is None else frame
        fit = fitted(frame, self.count)
        if self._zoom <= 1.0:
            return fit
        pitch = fit.pitch * self._zoom
        return kept_inside(
            Viewport(pitch, 0.5 * (frame.left + frame.right) - self._middle * pitch), frame, self.count
        )

    def look(self, viewport: Viewport) -> None:
        """See another part."""
        if viewport != self.viewport():
            frame = self.frame
            self._zoom = viewport.pitch / fitted(frame, self.count).pitch
            self._middle = (0.5 * (frame.left + frame.right) - viewport.first) / viewport.pitch
            self.forget()

    def reveal(self, layer: int, time: int | None = None) -> None:
        """Bring a layer into sight, or one of its time steps."""
        column = 0 if self.content is None else int(self.content.place_of(layer, time))
        self.look(revealing(self.viewport(), self.frame, self.count, column))

    def fit(self) -> None:
        """See the whole network, on scales measured anew."""
        self._zoom = 1.0
        if self.content is not None:
            self._scales = KeptScales(self.content)
        self.forget()

    # How it is painted

    @property
    def scene(self) -> Scene | None:
        """What is on screen; None without a network."""
        if self._scene is None:
            self._scene = self._scene_in(self.frame, self._theme)
        return self._scene

    @property
    def kept(self) -> dict[str, int]:
        """Names and keys of the pictures that need not be painted again."""
        return self._kept.keys

    def forget(self, keep_ground: bool = False) -> None:
        """Paint everything anew next time, the empty network excepted if that is wanted."""
        self._scene = None
        self._kept.forget(keep_ground)

    def paint(self, painter: QPainter, ratio: float) -> None:
        """Paint the widget.

        Parameters
        ----------
        painter : QPainter
            On the widget.
        ratio : float
            Pixels of the device in one logical pixel.
        """
        scene, pulse = self.scene, self.pulse
        if scene is None or pulse is None:
            painter.fillRect(QRectF(0, 0, self._size.width(), self._size.height()), self._theme.background)
            _paint_nothing(painter, self.frame, self._theme)
            return
        self._kept.paint(painter, scene, pulse, ratio)
        paint_paths(painter, scene, self.paths, pulse.tensor)
        paint_overlay(painter, scene, pulse, self.selected, self.unit)

    def paint_figure(self, painter: QPainter, rect: QRectF, theme: Theme) -> None:
        """Paint into any rectangle, without kept pictures; as ``views.export`` wants it.

        Parameters
        ----------
        painter : QPainter
            On any device.
        rect : QRectF
            Where to.
        theme : Theme
            In which colours.
        """
        painter.save()
        painter.translate(rect.topLeft())
        frame = Frame(rect.width(), rect.height(), self._arcs)
        scene, pulse = self._scene_in(frame, theme), self.pulse
        if scene is None or pulse is None:
            _paint_nothing(painter, frame, theme)
        else:
            paint_ground(painter, scene)
            paint_computed(
                painter,
                scene,
                pulse.tensor,
                [c for c in scene.layout.visible if pulse.has(scene.content.columns[c])],
            )
            paint_axis(painter, scene, pulse.tensor)
            paint_paths(painter, scene, self.paths, pulse.tensor)
            paint_overlay(painter, scene, pulse, self.selected, self.unit)
        painter.restore()

    def _scene_in(self, frame: Frame, theme: Theme) -> Scene | None:
        if self.content is None or self._scales is None:
            return None
        return Scene(
            content=self.content,
            layout=NetworkLayout(frame, self.viewport(frame), self.content.columns),
            theme=theme,
            scales=self._scales,
            unit_colours=self._unit_colours,
            link_colours=self._link_colours,
        )


def _paint_nothing(painter: QPainter, frame: Frame, theme: Theme) -> None:
    painter.setFont(figure_font(12))
    painter.setPen(theme.color("muted"))
    painter.drawText(QRectF(0, 0, frame.width, frame.height), Qt.AlignmentFlag.AlignCenter, "No network yet")
