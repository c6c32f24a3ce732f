"""Paints the paths of a weight's chain rule over the network: the marked one strong, the others faint."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QPolygonF

from gradsim.analysis.magnitude import rms
from gradsim.views.network.scene import LANE, Scene

_DOTS_FROM = 12.0

UnitChain = Sequence[tuple[int, ...]]
"""A path: index of a layer, −1 for the input of the network, and unit; of a recurrent layer its step of time, too."""


def paint_paths(painter: QPainter, scene: Scene, paths: Sequence[UnitChain], tensor: str) -> None:
    """Paint paths, the first of them marked.

    Parameters
    ----------
    painter : QPainter
        Where to.
    scene : Scene
        What they lie over. In a wide layer a path stands at the magnitude of its unit.
    paths : sequence of UnitChain
        Units that the network does not have are left out.
    tensor : str
        Whose magnitudes wide layers show.
    """
    if not paths:
        return
    frame = scene.layout.frame
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setClipRect(QRectF(frame.left, 0, frame.right - frame.left, frame.height))
    faint = scene.theme.color("cursor", 0.4)
    for path in reversed(paths[1:]):
        _paint_line(painter, path_points(scene, path, tensor), faint, 1.25)
    points = path_points(scene, paths[0], tensor)
    _paint_line(painter, points, scene.theme.color("background", 0.85), 5.0)
    _paint_line(painter, points, scene.theme.color("cursor"), 2.25)
    radius = min(max(0.35 * scene.layout.radius, 2.0), 4.0)
    painter.setPen(QPen(scene.theme.color("background"), 1.0))
    painter.setBrush(scene.theme.color("cursor"))
    for point in points if scene.layout.viewport.pitch >= _DOTS_FROM else ():
        painter.drawEllipse(point, radius, radius)
    painter.restore()


def path_points(scene: Scene, path: UnitChain, tensor: str) -> list[QPointF]:
    """Return the places of the units of a path, px.

    Parameters
    ----------
    scene : Scene
        What it lies over.
    path : UnitChain
        The path.
    tensor : str
        Whose magnitudes wide layers show.

    Returns
    -------
    list of QPointF
        From left to right.
    """
    points: list[QPointF] = []
    for layer, unit, *time in path:
        is_known = layer < len(scene.content.trace.layers)
        column = 0 if layer < 0 else _column(scene, layer, *time) if is_known else None
        if column is None or unit >= scene.content.columns[column].units:
            continue
        point = QPointF(scene.layout.centre(column), _height(scene, column, unit, tensor))
        if not points or point != points[-1]:  # a layer that is not unrolled has all its steps in one column
            points.append(point)
    return points


def _column(scene: Scene, layer: int, time: int | None = None) -> int | None:
    """Return where a layer stands, of an unrolled one a step that it has."""
    column = scene.content.column_of(layer, time)
    last = scene.content.column_of(layer)
    return column if column is None or last is None or column <= last else None


def _height(scene: Scene, column: int, unit: int, tensor: str) -> float:
    if scene.content.columns[column].has_circles:
        return float(scene.layout.unit_heights(column)[unit])
    shown = tensor if column else "input"
    size = rms(scene.content.values(column, shown)[..., unit])
    if not np.isfinite(size):
        return scene.layout.frame.top + 0.5 * LANE
    if size == 0:
        return scene.layout.frame.bottom - 0.5 * LANE
    return float(scene.height_of(float(np.log10(size)), scene.scale_of(shown)))


def _paint_line(painter: QPainter, points: list[QPointF], color: QColor, width: float) -> None:
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(
        QPen(color, width, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin)
    )
    painter.drawPolyline(QPolygonF(points))
