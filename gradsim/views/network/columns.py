"""Paints single columns: empty, as circles or cells, or with their distribution."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QPolygonF
from shiboken6 import VoidPtr

from gradsim.views.network.marks import (
    SpecialKind,
    paint_cell,
    paint_special_cell,
    paint_special_mark,
    special_kind,
)
from gradsim.views.network.scene import LANE, Scene

_STEPS_OF_A_VIOLIN = 56


def paint_column(painter: QPainter, scene: Scene, column: int, tensor: str) -> None:
    """Paint one column with the numbers of a tensor.

    Parameters
    ----------
    painter : QPainter
        Where to.
    scene : Scene
        What.
    column : int
        Index into ``content.columns``.
    tensor : str
        One of ``content.SCALES``.
    """
    if scene.content.columns[column].has_circles:
        _paint_circles(painter, scene, column, tensor)
    else:
        _paint_violin(painter, scene, column, tensor)


def paint_empty_column(painter: QPainter, scene: Scene, column: int) -> None:
    """Paint the place of a column whose numbers do not exist yet.

    Parameters
    ----------
    painter : QPainter
        Where to.
    scene : Scene
        What.
    column : int
        Index into ``content.columns``.
    """
    layout, theme = scene.layout, scene.theme
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    x = layout.centre(column)
    if scene.content.columns[column].has_circles:
        painter.setPen(QPen(theme.color("outline"), 1.0))
        painter.setBrush(theme.color("surface"))
        for y in layout.unit_heights(column).tolist():
            if layout.has_cells:
                paint_cell(painter, theme.color("grid"), x, y, layout.radius, layout.half_unit)
            else:
                painter.drawEllipse(QPointF(x, y), layout.radius, layout.radius)
        return
    painter.setPen(QPen(theme.color("grid"), 1.0) if layout.half_column > 3 else Qt.PenStyle.NoPen)
    painter.setBrush(theme.color("surface" if layout.half_column > 3 else "grid"))
    painter.drawRoundedRect(_track(scene, column), *(2 * (min(6.0, layout.half_column),)))


def _paint_circles(painter: QPainter, scene: Scene, column: int, tensor: str) -> None:
    layout, theme, scale = scene.layout, scene.theme, scene.scale_of(tensor)
    told = scene.content.unit_numbers(column, tensor)
    by_value = scene.unit_colours == "value"
    largest = scene.content.largest_mean(tensor) if by_value else 1.0
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    x, radius = layout.centre(column), layout.radius
    outline = QPen(theme.color("muted"), 1.0)
    with np.errstate(divide="ignore"):
        shares = np.nan_to_num(scale.position(np.log10(told.rms)))
    for y, size, mean, share in zip(
        layout.unit_heights(column).tolist(),
        told.rms.tolist(),
        told.mean.tolist(),
        shares.tolist(),
        strict=True,
    ):
        kind = special_kind(size)
        color = scene.share_color(share)
        if by_value and kind is None:
            color = scene.value_color(mean, largest)
        if layout.has_cells:
            if kind is None:
                paint_cell(painter, color, x, y, radius, layout.half_unit)
            else:
                paint_special_cell(painter, theme, kind, QPointF(x, y), radius, layout.half_unit)
        elif kind is not None:
            paint_special_mark(painter, theme, kind, QPointF(x, y), radius)
        else:
            painter.setPen(outline)
            painter.setBrush(color)
            painter.drawEllipse(QPointF(x, y), radius, radius)


def _paint_violin(painter: QPainter, scene: Scene, column: int, tensor: str) -> None:
    layout, theme, scale = scene.layout, scene.theme, scene.scale_of(tensor)
    told, x, half = scene.content.distribution(column, tensor), layout.centre(column), layout.half_column
    size = scene.content.column_rms(column, tensor)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    color = (
        scene.magnitude_color(size, scale) if np.isfinite(size) and size > 0 else QColor(theme.color("ghost"))
    )
    shares = told.density(scale.low, scale.high, _STEPS_OF_A_VIOLIN)
    used = np.flatnonzero(shares)
    if used.size:
        paint_shape(painter, scene, column, shares, used, color)
    if np.isfinite(size) and size > 0:
        _paint_rms_line(painter, scene, column, float(scene.height_of(np.log10(size), scale)), color)
    top, bottom = layout.frame.top + 0.5 * LANE, layout.frame.bottom - 0.5 * LANE
    mark = min(half, 5.0)
    if told.zeros:
        # The bar is as wide as the share of values that are exactly 0; never too narrow to be seen.
        width = max(2 * (half - 2) * told.zeros / told.count, 3.0)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.color("muted"))
        painter.drawRoundedRect(QRectF(x - width / 2, bottom - 2, width, 4), 2, 2)
        if told.zeros == told.count and half > 3:
            paint_special_mark(painter, theme, "zero", QPointF(x, bottom), mark)
    counted: tuple[tuple[SpecialKind, int], ...] = (("nan", told.nans), ("inf", told.infs))
    present = [kind for kind, count in counted if count]
    for place, kind in enumerate(present):
        offset = 0.0 if len(present) == 1 or half < 8 else (place - 0.5) * (2 * mark + 2)
        paint_special_mark(painter, theme, kind, QPointF(x + offset, top), mark)


def paint_shape(
    painter: QPainter,
    scene: Scene,
    column: int,
    shares: NDArray[np.float64],
    used: NDArray[np.intp],
    color: QColor,
) -> None:
    """Paint the distribution of a column: as wide as values are many, at the height of their magnitude.

    Parameters
    ----------
    painter : QPainter
        Where to.
    scene : Scene
        What.
    column : int
        Index into ``content.columns``.
    shares : ndarray of float64, shape (steps,)
        Share of all values in equal steps of the axis, from its low end.
    used : ndarray of int
        The steps with any value.
    color : QColor
        Of the shape.
    """
    layout = scene.layout
    x, room = layout.centre(column), max(min(layout.half_column - 2.0, 0.85 * layout.half_column), 0.75)
    first, last = int(used[0]), int(used[-1])
    widths = np.concatenate([[0.0], shares[first : last + 1], [0.0]])
    widths = np.maximum(room * widths / widths.max(), np.where(widths > 0, 0.75, 0.35))
    low, high = layout.frame.bottom - LANE, layout.frame.top + LANE
    at = low + (high - low) * np.clip((np.arange(first - 0.5, last + 2.0) + 0.0) / len(shares), 0, 1)
    painter.setPen(QPen(scene.theme.color("muted"), 0.75) if layout.half_column > 8 else Qt.PenStyle.NoPen)
    painter.setBrush(color)
    painter.drawPolygon(
        polygon(np.concatenate([x - widths, x + widths[::-1]]), np.concatenate([at, at[::-1]]))
    )


def _paint_rms_line(painter: QPainter, scene: Scene, column: int, y: float, color: QColor) -> None:
    layout, x = scene.layout, scene.layout.centre(column)
    half = layout.half_column
    painter.setPen(QPen(scene.theme.color("text"), 1.5 if half > 4 else 1.0))
    painter.drawLine(QLineF(x - half, y, x + half, y))


def _track(scene: Scene, column: int) -> QRectF:
    layout = scene.layout
    half = layout.half_column
    return QRectF(
        layout.centre(column) - half, layout.frame.top, 2 * half, layout.frame.bottom - layout.frame.top
    )


def polygon(x: NDArray[np.float64], y: NDArray[np.float64]) -> QPolygonF:
    """Return a polygon of the points (x, y), px."""
    points = QPolygonF()
    points.resize(len(x))
    # Written where Qt keeps them: a QPointF made in Python for each would take ten times as long.
    memory = VoidPtr(points.data(), 16 * len(x), True)  # type: ignore[call-arg, arg-type]
    places = np.frombuffer(memory, dtype=np.float64).reshape(-1, 2)  # type: ignore[call-overload]
    places[:, 0], places[:, 1] = x, y
    return points
