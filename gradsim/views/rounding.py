"""What a narrow precision did to the values of a layer: counts in words, and small marks beside a plot of layers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPolygonF

from gradsim.spec import phase_at
from gradsim.trace import IterationTrace, LayerTrace
from gradsim.views.phases import phase_words
from gradsim.views.plot.geometry import Geometry
from gradsim.views.plot.marks import Mark
from gradsim.views.plot.numbers import brief, grouped
from gradsim.views.theme import Theme

NARROW = ("float16", "bfloat16")
"""Precisions that are emulated by rounding."""


@dataclass(frozen=True, slots=True, eq=False)
class EdgeMarks:
    """A small triangle at the lower or the upper edge for each place: it points out of the plot."""

    x: NDArray[Any]
    color: QColor
    is_lower: bool
    name: str = ""

    def paint(self, painter: QPainter, geometry: Geometry) -> None:
        """Draw those in sight."""
        plot = geometry.plot
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self.color)
        for x in geometry.x_px(self.x).tolist():
            if plot.left() <= x <= plot.right():
                _paint_triangle(painter, x, plot.bottom() if self.is_lower else plot.top(), self.is_lower)

    def paint_sample(self, painter: QPainter, rect: QRectF) -> None:
        """Draw one triangle."""
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self.color)
        away = 3.0 if self.is_lower else -3.0
        _paint_triangle(painter, rect.center().x(), rect.center().y() + away, self.is_lower)


def _paint_triangle(painter: QPainter, x: float, edge: float, is_lower: bool) -> None:
    away = -6.5 if is_lower else 6.5
    corners = (QPointF(x, edge), QPointF(x - 4.0, edge + away), QPointF(x + 4.0, edge + away))
    painter.drawPolygon(QPolygonF(corners))


def is_narrow(trace: IterationTrace) -> bool:
    """Return whether the values of a pass were rounded to a narrow format.

    Parameters
    ----------
    trace : IterationTrace
        The pass.

    Returns
    -------
    bool
        False for float32 and float64.
    """
    return trace.experiment.precision in NARROW


def rounding_marks(layers: Sequence[LayerTrace], x: NDArray[Any], theme: Theme) -> list[Mark]:
    """Return marks for the layers that lost values by rounding, in the pass or in the update.

    Parameters
    ----------
    layers : sequence of LayerTrace
        The layers of the axis.
    x : ndarray of float, shape (layers,)
        Where they stand on it.
    theme : Theme
        The colours.

    Returns
    -------
    list of Mark
        At the lower edge where values were flushed to 0, at the upper edge where they overflowed to ∞.
    """
    counts = rounding_counts(layers)
    flushed, overflowed = counts[:, 0::2].sum(axis=1), counts[:, 1::2].sum(axis=1)
    marks: list[Mark] = []
    if flushed.any():
        marks.append(EdgeMarks(x[flushed > 0], theme.color("warn"), True, "flushed to 0 by rounding"))
    if overflowed.any():
        marks.append(EdgeMarks(x[overflowed > 0], theme.color("bad"), False, "overflowed to ∞ by rounding"))
    return marks


def rounding_counts(layers: Sequence[LayerTrace]) -> NDArray[np.int64]:
    """Return the four counts of ``trace.Rounding`` of each layer.

    Parameters
    ----------
    layers : sequence of LayerTrace
        The layers.

    Returns
    -------
    ndarray of int64, shape (layers, 4)
        Flushed and overflowed on the way forward, then on the way back and in the update.
    """
    return np.array([layer.rounding for layer in layers], dtype=np.int64).reshape(-1, 4)


def rounding_columns(
    trace: IterationTrace, layers: Sequence[LayerTrace]
) -> tuple[dict[str, NDArray[Any]], dict[str, str]]:
    """Return the counts as columns of a table with a row per layer.

    Parameters
    ----------
    trace : IterationTrace
        The pass.
    layers : sequence of LayerTrace
        The layers of the table.

    Returns
    -------
    columns : dict of str to ndarray of int64, shape (layers,)
        Empty in float32 and float64, where nothing is rounded away.
    units : dict of str to str
        What each column counts.
    """
    if not is_narrow(trace):
        return {}, {}
    counts = rounding_counts(layers)
    names = ("flushed_forward", "overflowed_forward", "flushed_backward", "overflowed_backward")
    units = [
        f"values that rounding to {trace.experiment.precision} made {what}, {where}"
        for where in ("forward", "backward and in the update")
        for what in ("0", "infinite")
    ]
    return dict(zip(names, counts.T, strict=True)), dict(zip(names, units, strict=True))


def rounding_words(trace: IterationTrace, layer: LayerTrace) -> str:
    """Return what rounding did to the values of a layer.

    Parameters
    ----------
    trace : IterationTrace
        The pass.
    layer : LayerTrace
        A layer of it.

    Returns
    -------
    str
        Such as ``float16: 12 flushed to 0 forward, 3,306 backward and in the update; none overflowed``; empty in
        float32 and float64.
    """
    if not is_narrow(trace):
        return ""
    told = layer.rounding
    parts = [
        _count_words(told.flushed_forward, told.flushed_backward, "flushed to 0"),
        _count_words(told.overflowed_forward, told.overflowed_backward, "overflowed"),
    ]
    return f"{trace.experiment.precision}: {'; '.join(parts)}"


def _count_words(forward: int, backward: int, what: str) -> str:
    if not forward and not backward:
        return f"none {what}"
    counts = ((forward, "forward"), (backward, "backward and in the update"))
    first, *rest = [(count, where) for count, where in counts if count]
    told = f"{grouped(first[0])} {what} {first[1]}"
    return told + "".join(f", {grouped(count)} {where}" for count, where in rest)


def scale_words(trace: IterationTrace) -> str:
    """Return by how much the gradients are stored larger than they are.

    Parameters
    ----------
    trace : IterationTrace
        The pass.

    Returns
    -------
    str
        Such as ``δ as stored, ×1,024 loss scale``; empty where they are as they are.
    """
    if trace.loss_scale == 1.0:
        return ""
    is_whole = trace.loss_scale >= 1.0 and trace.loss_scale.is_integer() and trace.loss_scale < 1e9
    factor = grouped(int(trace.loss_scale)) if is_whole else brief(trace.loss_scale)
    return f"δ as stored, ×{factor} loss scale"


def pass_notes(trace: IterationTrace, layer: LayerTrace) -> str:
    """Return what is not as usual about the numbers of a layer, one sentence a line.

    Parameters
    ----------
    trace : IterationTrace
        The pass.
    layer : LayerTrace
        A layer of it.

    Returns
    -------
    str
        The phase of the training, the loss scale, and what rounding did; mostly empty.
    """
    phase = phase_at(trace.experiment, trace.iteration).layer
    still = f" {layer.name} stands still." if phase not in (None, layer.name) else ""
    words = phase_words(trace.experiment, trace.iteration)
    told = (
        f"{words[:1].upper()}{words[1:]}.{still}" if words else "",
        scale_words(trace),
        rounding_words(trace, layer),
    )
    return "\n".join(line for line in told if line)
