"""Paints single columns: empty, as circles or cells, or with their distribution."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QPainter, QPen

from gradsim.views.network.distribution import Distribution, densities
from gradsim.views.network.marks import (
    SpecialKind,
    paint_cell,
    paint_special_cell,
    paint_special_mark,
    special_kind,
)
from gradsim.views.network.scene import LANE, Scene
from gradsim.views.plot.primitives import Outline

_STEPS_OF_A_VIOLIN = 56


def paint_columns(
    painter: QPainter, scene: Scene, columns: Sequence[int], tensor: str, time: int | None = None
) -> None:
    """Paint columns with the numbers of a tensor.

    Parameters
    ----------
    painter : QPainter
        Where to.
    scene : Scene
        What.
    columns : sequence of int
        Indices into ``content.columns``; the input (0) shows its own values.
    tensor : str
        One of ``scales.SCALES``.
    time : int or None, default None
        A single time step of recurrent layers that are not unrolled; None for all together.
    """
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    wide = []
    for column in columns:
        if scene.content.columns[column].has_circles:
            _paint_circles(painter, scene, column, tensor if column else "input", time)
        else:
            wide.append(column)
    if wide:
        _paint_violins(painter, scene, wide, tensor, time)


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
        ground = theme.color("grid")
        for y in layout.unit_heights(column).tolist():
            if layout.has_cells:
                paint_cell(painter, ground, x, y, layout.radius, layout.half_unit)
            else:
                painter.drawEllipse(QPointF(x, y), layout.radius, layout.radius)
        return
    painter.setPen(QPen(theme.color("grid"), 1.0) if layout.half_column > 3 else Qt.PenStyle.NoPen)
    painter.setBrush(theme.color("surface" if layout.half_column > 3 else "grid"))
    painter.drawRoundedRect(_track(scene, column), *(2 * (min(6.0, layout.half_column),)))


def _paint_circles(painter: QPainter, scene: Scene, column: int, tensor: str, time: int | None) -> None:
    layout, theme, scale = scene.layout, scene.theme, scene.scale_of(tensor)
    told = scene.content.unit_numbers(column, tensor, time)
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


def _paint_violins(
    painter: QPainter, scene: Scene, columns: Sequence[int], tensor: str, time: int | None
) -> None:
    """Paint distributions: as wide as values are many, at the height of their magnitude, and the rms."""
    layout, theme, scale, content = scene.layout, scene.theme, scene.scale_of(tensor), scene.content
    named = [tensor if column else "input" for column in columns]
    told = content.distributions(zip(columns, named, strict=True), time)
    sizes = np.array([content.column_rms(*one, time) for one in zip(columns, named, strict=True)])
    half = layout.half_column
    room = max(min(half - 2.0, 0.85 * half), 0.75)
    shares = densities(told, scale.low, scale.high, _STEPS_OF_A_VIOLIN)
    most = shares.max(axis=1, keepdims=True)
    # The faintest tail can still be seen: no value is hidden.
    widths = np.where(shares > 0, np.maximum(room * shares / np.where(most > 0, most, 1), 0.75), 0.35)
    low, high = layout.frame.bottom - LANE, layout.frame.top + LANE
    heights = low + (high - low) * (np.arange(_STEPS_OF_A_VIOLIN) + 0.5) / _STEPS_OF_A_VIOLIN
    outline = QPen(theme.color("muted"), 0.75) if half > 8 else QPen(Qt.PenStyle.NoPen)
    usable = np.isfinite(sizes) & (sizes > 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.log10(sizes)
    rms_heights, places = scene.height_of(logs, scale).tolist(), scale.position(logs).tolist()
    used = shares != 0
    begins = np.where(used.any(axis=1), used.argmax(axis=1), _STEPS_OF_A_VIOLIN).tolist()
    ends = (_STEPS_OF_A_VIOLIN - used[:, ::-1].argmax(axis=1)).tolist()
    lines, shape = [], Outline(2 * _STEPS_OF_A_VIOLIN + 2)
    for row, (column, is_usable) in enumerate(zip(columns, usable.tolist(), strict=True)):
        x = layout.centre(column)
        if begins[row] < ends[row]:
            part = slice(begins[row], ends[row])
            painter.setPen(outline)
            painter.setBrush(scene.share_color(places[row]) if is_usable else theme.color("ghost"))
            painter.drawPolygon(shape.over(_spindle(x, widths[row, part], heights[part])))
        if is_usable:
            lines.append(QLineF(x - half, rms_heights[row], x + half, rms_heights[row]))
        if told[row].usable < told[row].count:
            _paint_outsiders(painter, scene, column, told[row])
    painter.setPen(QPen(theme.color("text"), 1.5 if half > 4 else 1.0))
    painter.drawLines(lines)


def _paint_outsiders(painter: QPainter, scene: Scene, column: int, told: Distribution) -> None:
    """Paint what has no place on the axis: zeros below it, NaN and ∞ above."""
    layout, theme = scene.layout, scene.theme
    x, half = layout.centre(column), layout.half_column
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


def _spindle(x: float, widths: NDArray[np.float64], heights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the corners of a shape symmetric about an upright line: down one side and up the other.

    Half widths and where they are in pixels; the ends are closed to points half a step beyond.
    """
    count = len(widths)
    places = np.empty((2 * count + 2, 2))
    step = 0.5 * (heights[1] - heights[0]) if count > 1 else -1.0
    places[0] = x, heights[0] - step
    places[1 : count + 1, 0], places[1 : count + 1, 1] = x - widths, heights
    places[count + 1] = x, heights[-1] + step
    places[count + 2 :, 0], places[count + 2 :, 1] = x + widths[::-1], heights[::-1]
    return places


def _track(scene: Scene, column: int) -> QRectF:
    layout = scene.layout
    half = layout.half_column
    return QRectF(
        layout.centre(column) - half, layout.frame.top, 2 * half, layout.frame.bottom - layout.frame.top
    )
