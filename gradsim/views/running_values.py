"""Running means and variances of batch normalization beside those of the batch: what evaluation will divide by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtGui import QColor

from gradsim.trace import IterationTrace
from gradsim.views.inspection.tables import batch_moments
from gradsim.views.plot.axis import Axis, layer_axis
from gradsim.views.plot.lanes import lanes_needed, log10_or_nan
from gradsim.views.plot.marks import Bars, Mark, Rule, VerticalBand
from gradsim.views.plot.numbers import brief, grouped
from gradsim.views.plot.panel import Panel
from gradsim.views.plot.plot_view import Table, message_panel
from gradsim.views.plot.points import LanePoints, Points
from gradsim.views.plot.ranges import finite_range, round_up
from gradsim.views.plot.words import Words
from gradsim.views.theme import Theme

RUNNING = (("running_mean", "running mean μ"), ("running_variance", "running variance σ²"))
"""What is shown here, and what people call it."""

_BATCH = {"running_mean": "batch_mean", "running_variance": "batch_variance"}
_SYMBOLS = {"running_mean": "μ", "running_variance": "σ²"}
_NONE = "No batch normalization here: nothing keeps running means and variances"
_ASIDE = 0.14
_BINS = 24


@dataclass(frozen=True, slots=True, eq=False)
class RunningValues:
    """The values of every unit of every layer with batch normalization.

    Attributes
    ----------
    tensor : str
        ``running_mean`` or ``running_variance``.
    names, indices : tuple
        Names of the layers, and their indices in ``IterationTrace.layers``.
    batch, running : tuple of ndarray of float64, shape (units,) for each layer
        Of the batch of this pass, and those kept from before it.
    """

    tensor: str
    names: tuple[str, ...]
    indices: tuple[int, ...]
    batch: tuple[NDArray[np.float64], ...]
    running: tuple[NDArray[np.float64], ...]

    @staticmethod
    def of(trace: IterationTrace, tensor: str) -> RunningValues:
        """Return those of a pass."""
        layers = [layer for layer in trace.layers if tensor in layer.tensors]
        return RunningValues(
            tensor,
            tuple(layer.name for layer in layers),
            tuple(layer.index for layer in layers),
            tuple(batch_moments(layer)[_BATCH[tensor]] for layer in layers),
            tuple(layer[tensor].astype(np.float64) for layer in layers),
        )

    def place(self, index: int | None) -> int:
        """Return the place of a layer, of any other the last."""
        return self.indices.index(index) if index in self.indices else len(self.indices) - 1

    def panels(self, selected: int | None, theme: Theme) -> list[Panel]:
        """Return the values of all layers, and those of one as bars."""
        if not self.names:
            return [message_panel(_NONE)]
        place = self.place(selected)
        return [self._all_layers(place, theme), self._one_layer(place, theme)]

    def text(self) -> str:
        """Return how far the running values are from those of the batch."""
        if not self.names:
            return f"{_NONE}."
        told = [f"{name} {self._apart(place)}" for place, name in enumerate(self.names)]
        return f"{dict(RUNNING)[self.tensor]} and that of the batch, rms over the units: {'; '.join(told)}."

    def table(self) -> Table:
        """Return one row per unit."""
        sizes = [len(values) for values in self.batch]
        none = [np.zeros(0)]
        columns: dict[str, NDArray[Any]] = {
            "layer": np.repeat(np.array(self.names, dtype=str), sizes),
            "unit": np.concatenate([np.zeros(0, np.int64), *(np.arange(1, size + 1) for size in sizes)]),
            "batch": np.concatenate([*none, *self.batch]),
            "running": np.concatenate([*none, *self.running]),
        }
        kind = "mean" if self.tensor == "running_mean" else "variance"
        return columns, {"batch": f"{kind} in this batch", "running": f"{kind} kept from before this pass"}

    def hover_text(self, x: float) -> str:
        """Return the numbers of the layer at a place of the picture."""
        place = round(x) - 1
        return f"{self.names[place]}: {self._apart(place)}" if 0 <= place < len(self.names) else ""

    def _apart(self, place: int) -> str:
        with np.errstate(all="ignore"):
            running, batch = (np.sqrt(np.mean(v[place] ** 2)) for v in (self.running, self.batch))
        return f"running {brief(float(running))}, batch {brief(float(batch))}"

    def _all_layers(self, place: int, theme: Theme) -> Panel:
        is_log = self.tensor == "running_variance"
        marks: list[Mark] = [VerticalBand(place + 0.5, place + 1.5, theme.color("accent", 0.14))]
        if not is_log:
            marks.append(Rule(0.0, theme.color("outline")))
        lanes: list[NDArray[np.float64]] = []
        drawn: list[NDArray[np.float64]] = []
        for name, known, color, side, shape in self._series(theme):
            x = np.arange(1.0, len(known) + 1.0) + side
            with np.errstate(all="ignore"):
                middle = np.array([np.median(values) for values in known])
                ends = np.array([(values.min(), values.max()) for values in known])
            scaled = log10_or_nan if is_log else _finite_or_nan
            marks.append(Points(np.repeat(x, 2), scaled(ends.ravel()), color, shape, 3.0))
            marks.append(
                Points(x, scaled(middle), color, shape, 6.0, name=f"{name}: median, least, greatest")
            )
            in_lanes = middle if is_log else np.where(np.isfinite(middle), 1.0, middle)
            marks.append(LanePoints(x, in_lanes, color))
            lanes.append(in_lanes)
            drawn += [scaled(ends.ravel()), scaled(middle)]
        low, high = finite_range(*drawn) or (-1.0, 1.0)
        room = max(0.08 * (high - low), 0.05)
        axis = Axis(
            f"{_SYMBOLS[self.tensor]} of all units", low - room, high + room, "log10" if is_log else "linear"
        )
        words = [Words(f"{_SYMBOLS[self.tensor]} of batch normalization: batch and running")]
        across = layer_axis(self.names, "layer with batch normalization")
        return Panel("running", across, axis, marks, words, lanes=lanes_needed(*lanes), weight=1.7)

    def _one_layer(self, place: int, theme: Theme) -> Panel:
        known = [values[place][np.isfinite(values[place])] for values in (self.batch, self.running)]
        low, high = finite_range(*known) or (-1.0, 1.0)
        room = max(0.02 * (high - low), 1e-3 * max(abs(low), abs(high), 1e-30))
        edges = np.linspace(low - room, high + room, _BINS + 1)
        marks: list[Mark] = []
        top = 1
        for (name, _, color, _, _), values in zip(self._series(theme), known, strict=True):
            counts = np.histogram(values, edges)[0].astype(np.float64)
            top = max(top, int(counts.max()))
            pale = QColor(color)
            pale.setAlphaF(0.55)
            marks.append(Bars(edges, counts, pale, name))
        words = [
            Words(f"{self.names[place]}  ", bold=True),
            Words(f"{grouped(len(self.batch[place]))} units"),
        ]
        broken = sum(int(np.count_nonzero(~np.isfinite(v[place]))) for v in (self.batch, self.running))
        if broken:
            words.append(Words(f", {grouped(broken)} NaN or ∞", "bad"))
        symbol = _SYMBOLS[self.tensor]
        across, upright = (
            Axis(symbol, float(edges[0]), float(edges[-1])),
            Axis("count", 0.0, round_up(top * 1.04)),
        )
        return Panel("values", across, upright, marks, words)

    def _series(self, theme: Theme) -> Sequence[tuple[str, Any, QColor, float, Any]]:
        return (
            ("batch", self.batch, theme.color("forward"), -_ASIDE, "circle"),
            ("running", self.running, theme.color("backward"), _ASIDE, "square"),
        )


def _finite_or_nan(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(np.isfinite(values), values, np.nan)
