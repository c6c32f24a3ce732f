"""What of the picture of a network is kept painted: the empty network, the computed one of a phase, the axes.

The columns of a computed one are painted as they are reached; a frame copies strips of it over the empty one.
"""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize
from PySide6.QtGui import QPainter, QPixmap

from gradsim.views.network.columns import paint_columns
from gradsim.views.network.painting import paint_axis, paint_ground
from gradsim.views.network.pulse import Pulse
from gradsim.views.network.scene import Scene

_MOST_AXES = 12


class KeptPictures:
    """Pixels of one scene; whoever changes the scene says ``forget``."""

    def __init__(self) -> None:
        self._kept: dict[str, QPixmap] = {}
        self._painted: dict[str, set[int]] = {}
        self._axes: dict[tuple[object, ...], QPixmap] = {}

    @property
    def keys(self) -> dict[str, int]:
        """Names and keys of the pictures that need not be painted again."""
        return {name: picture.cacheKey() for name, picture in self._kept.items()}

    def forget(self, keep_ground: bool = False) -> None:
        """Paint everything anew next time, the empty network excepted if that is wanted; axes know what they show."""
        self._kept = {name: p for name, p in self._kept.items() if keep_ground and name == "ground"}

    def paint(self, painter: QPainter, scene: Scene, pulse: Pulse, ratio: float) -> None:
        """Paint the network as far as it is computed.

        Parameters
        ----------
        painter : QPainter
            On the widget.
        scene : Scene
            What is on screen.
        pulse : Pulse
            State of the step.
        ratio : float
            Pixels of the device in one logical pixel.
        """
        painter.drawPixmap(0, 0, self._picture("ground", scene, ratio))
        computed, height = self._picture(pulse.tensor, scene, ratio), scene.layout.frame.height
        self._paint_reached(computed, scene, pulse)
        for left, right in [(0.0, scene.layout.frame.left), *_computed_strips(scene, pulse)]:
            # Whole pixels of the device, or the copy would be filtered.
            x, width = round(left * ratio), round(right * ratio) - round(left * ratio)
            source = QRectF(x, 0, width, height * ratio)
            painter.drawPixmap(QRectF(x / ratio, 0, width / ratio, height), computed, source)

    def _picture(self, name: str, scene: Scene, ratio: float) -> QPixmap:
        """Return the empty network (``ground``), or the one with a tensor in the columns reached so far."""
        found = self._kept.get(name)
        if found is not None and found.devicePixelRatio() == ratio:
            return found
        if name == "ground":
            picture = _blank(scene, scene.layout.frame.width, ratio)
            painter = QPainter(picture)
            paint_ground(painter, scene)
        else:
            picture = self._picture("ground", scene, ratio).copy()
            painter = QPainter(picture)
            painter.drawPixmap(0, 0, self._axis(name, scene, ratio))
        painter.end()
        self._painted[name] = set()
        self._kept[name] = picture
        return picture

    def _paint_reached(self, picture: QPixmap, scene: Scene, pulse: Pulse) -> None:
        """Paint the columns that are computed by now and have not been painted into a kept picture."""
        painted, columns = self._painted[pulse.tensor], scene.content.columns
        new = [c for c in scene.layout.visible if c not in painted and pulse.has(columns[c])]
        if new:
            painter = QPainter(picture)
            paint_computed(painter, scene, pulse.tensor, new)
            painter.end()
            painted.update(new)

    def _axis(self, tensor: str, scene: Scene, ratio: float) -> QPixmap:
        """Return the axis, which stays from trace to trace while its scale does."""
        frame = scene.layout.frame
        key = (tensor, scene.scale_of(tensor), scene.theme.name, frame.height, ratio)
        if key not in self._axes:
            if len(self._axes) >= _MOST_AXES:
                self._axes.clear()
            picture = _blank(scene, frame.left, ratio)
            painter = QPainter(picture)
            paint_axis(painter, scene, tensor)
            painter.end()
            self._axes[key] = picture
        return self._axes[key]


def paint_computed(painter: QPainter, scene: Scene, tensor: str, columns: list[int]) -> None:
    """Paint the numbers of columns, never beside the room of the network.

    Parameters
    ----------
    painter : QPainter
        Where to.
    scene : Scene
        What.
    tensor : str
        One of ``scales.SCALES``.
    columns : list of int
        Indices into ``content.columns``.
    """
    frame = scene.layout.frame
    painter.save()
    painter.setClipRect(QRectF(frame.left, 0, frame.right - frame.left, frame.height))
    paint_columns(painter, scene, columns, tensor)
    painter.restore()


def _blank(scene: Scene, width: float, ratio: float) -> QPixmap:
    picture = QPixmap(QSize(int(width), int(scene.layout.frame.height)) * ratio)
    picture.setDevicePixelRatio(ratio)
    picture.fill(scene.theme.color("background"))
    return picture


def _computed_strips(scene: Scene, pulse: Pulse) -> list[tuple[float, float]]:
    """Return the strips of the computed columns, px; neighbours joined."""
    strips: list[tuple[float, float]] = []
    for column in scene.layout.visible:
        if pulse.has(scene.content.columns[column]):
            left, right = scene.layout.span(column)
            if strips and abs(strips[-1][1] - left) < 1e-6:
                strips[-1] = (strips[-1][0], right)
            else:
                strips.append((left, right))
    return strips
