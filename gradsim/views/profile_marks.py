"""What the gradient profile draws: its series, the profile before, fitted lines, the residual stream."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PySide6.QtGui import QColor

from gradsim.analysis import Fit, Stream
from gradsim.views.plot.lanes import log10_or_nan
from gradsim.views.plot.line import Line
from gradsim.views.plot.marks import Mark
from gradsim.views.plot.points import LanePoints, LinePoints, Shape
from gradsim.views.theme import Theme
from gradsim.views.weight_layers import WeightLayers


@dataclass(frozen=True, slots=True)
class ProfileSeries:
    """One row: a tensor whose rms is drawn."""

    tensor: str
    words: str
    symbol: str
    role: str
    shape: Shape
    default: bool
    fit: str = ""


SERIES = (
    ProfileSeries("weight_gradient", "weight gradient ∂L/∂W", "∂L/∂W", "weight", "triangle", False),
    ProfileSeries("activation_gradient", "activation gradient ∂L/∂a", "∂L/∂a", "update", "diamond", False),
    ProfileSeries("activation", "activation a", "a", "forward", "square", True, "forward_fit"),
    ProfileSeries("delta", "delta δ = ∂L/∂z", "δ", "backward", "circle", True, "backward_fit"),
)


def stream_marks(stream: Stream, size: float, theme: Theme) -> list[Mark]:
    """Return marks between the layers: the stream at the entrance of each block, and what its branch hands back."""
    order = np.argsort(stream.starts, kind="stable")
    x = stream.starts[order]
    color, branch = theme.color("text", 0.75), theme.color("update")
    whole, part = log10_or_nan(stream.gradient_rms[order]), log10_or_nan(stream.branch_rms[order])
    return [
        Line(x, whole, theme.color("text", 0.4), 1.0, (2.0, 3.0)),
        LanePoints(x, stream.gradient_rms[order], color),
        LinePoints(x, whole, color, "square", 0.8 * size, name="stream ∂L/∂x of a block"),
        LanePoints(x, stream.branch_rms[order], branch),
        LinePoints(x, part, branch, "diamond", 0.9 * size, name="of it through the branch"),
    ]


def dodge(place: int, series: int, layers: int, pixels: float) -> float:
    """Return how far aside the markers of a series stand in a lane, in pixels."""
    apart = min(9.0, 0.8 * pixels / (max(layers, 1) * series))
    return (place - (series - 1) / 2.0) * apart


def ghost_marks(
    row: ProfileSeries, ghost: WeightLayers, values: NDArray[np.float64], theme: Theme
) -> list[Mark]:
    """Return a series as it was before the last change, dashed."""
    color: QColor = theme.color("ghost")
    dash = (5.0, 3.0) if row.tensor == "delta" else (1.5, 3.0)
    name = f"{row.symbol} before"
    return [
        Line(ghost.positions, log10_or_nan(values), color, 1.3, dash, name),
        LanePoints(ghost.positions, values, color, 5.0),
    ]


def fitted(fit: Fit, layers: int) -> NDArray[np.float64]:
    """Return the rms on the fitted line in every layer, shape (L,); NaN outside the fit."""
    line = np.full(layers, np.nan)
    if len(fit.used) and np.isfinite(fit.slope):
        inside = np.arange(fit.used[0], fit.used[-1] + 1)
        with np.errstate(over="ignore", under="ignore"):
            line[inside] = 10.0 ** fit.log10_at(inside)
    return line


def fit_marks(fit: Fit, color: QColor) -> list[Mark]:
    """Return a fitted line; none where less than two layers lie on one."""
    if len(fit.used) < 2 or not np.isfinite(fit.slope):
        return []
    ends = np.array([fit.used[0], fit.used[-1]])
    return [Line(ends + 1.0, fit.log10_at(ends), color, 1.0, (6.0, 4.0))]
