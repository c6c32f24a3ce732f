"""How the values of a tensor are distributed: log10 |x| of all layers as one picture, x of one layer as bars."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRectF

from gradsim.trace import (
    HISTOGRAM_BINS,
    HISTOGRAM_HIGHEST,
    HISTOGRAM_LOWEST,
    IterationTrace,
    LayerTrace,
    histogram_edges_log10,
)
from gradsim.views.colormaps import CIVIDIS, EMPTY, extended, scaled
from gradsim.views.history_map import TENSOR_CHOICE, TENSOR_WORDS
from gradsim.views.lane_marks import LaneCounts, LaneHeat
from gradsim.views.plot.axis import Axis, layer_axis
from gradsim.views.plot.color_bar import ColorBar
from gradsim.views.plot.heat import Heat
from gradsim.views.plot.lanes import LANES
from gradsim.views.plot.marks import Bars, Mark, Rule, VerticalBand
from gradsim.views.plot.numbers import brief, grouped, percent
from gradsim.views.plot.panel import Panel
from gradsim.views.plot.plot_view import PlotView, Table, message_panel
from gradsim.views.plot.ranges import StickyRange, finite_range, round_up
from gradsim.views.plot.words import Words
from gradsim.views.rounding import rounding_marks, rounding_words, scale_words
from gradsim.views.running_values import RUNNING, RunningValues
from gradsim.views.theme import Theme, tensor_color
from gradsim.views.value_counts import value_counts
from gradsim.views.weight_layers import WeightLayers

_LANE_BINS = {"0": 0, "NaN": HISTOGRAM_BINS - 2, "∞": HISTOGRAM_BINS - 1}
_ORDINARY = slice(1, HISTOGRAM_BINS - 2)
_LEAST_SHARE = -5.0
_MOST_BARS = 80
_LEAST_HALF = 1e-290
"""Half of the narrowest axis: below about 1e-304 the way from its numbers to pixels overflows, and Qt crashes."""
_ALL_LAYERS_WEIGHT = 1.7
_HEADLINE_EDGES = 24.0


def exponent_histograms(tensors: Sequence[NDArray[Any]]) -> NDArray[np.int64]:
    """Return how many values fall into each bin of ``trace.HISTOGRAM_BINS``, read off their exponent bits.

    Parameters
    ----------
    tensors : sequence of ndarray of float32 or float64
        Any shapes, all of one precision.

    Returns
    -------
    ndarray of int64, shape (tensors, HISTOGRAM_BINS)
        0; below 2^−126; one octave each; from 2^34; NaN; ±∞. Exact.
    """
    result = np.zeros((len(tensors), HISTOGRAM_BINS), dtype=np.int64)
    if not len(tensors):
        return result
    single = tensors[0].dtype == np.float32
    unsigned: Any = np.uint32 if single else np.uint64
    mantissa, bias = (23, 127) if single else (52, 1023)
    size = 2 * bias + 2
    signed = np.empty((len(tensors), 2 * size), dtype=np.int64)  # by sign and exponent
    for row, values in zip(signed, tensors, strict=True):
        bits = np.ascontiguousarray(values).reshape(-1).view(unsigned) >> unsigned(mantissa)
        row[:] = np.bincount(bits.astype(np.intp), minlength=2 * size)
    counts = signed[:, :size] + signed[:, size:]
    for place in np.flatnonzero(counts[:, 0]).tolist():  # 0 and subnormals share an exponent
        result[place, 0] = np.count_nonzero(tensors[place] == 0)
    for place in np.flatnonzero(counts[:, -1]).tolist():  # so do NaN and ∞
        result[place, -2] = np.count_nonzero(np.isnan(tensors[place]))
    first, last = bias + HISTOGRAM_LOWEST, bias + HISTOGRAM_HIGHEST
    result[:, 1] = counts[:, :first].sum(axis=1) - result[:, 0]
    result[:, 2:-3] = counts[:, first:last]
    result[:, -3] = counts[:, last:-1].sum(axis=1)
    result[:, -1] = counts[:, -1] - result[:, -2]
    return result


class DistributionsView(PlotView):
    """Every layer as a column of shares per octave of |x|; beside it the values of one layer, sign and all."""

    view_id = "distributions"
    title = "Distributions"
    options = (replace(TENSOR_CHOICE, values=(*TENSOR_CHOICE.values, *RUNNING)),)

    def __init__(self) -> None:
        super().__init__()
        self._range = StickyRange(step=1.0, margin=0.0, least=4.0)
        self._heat: Heat | None = None
        self._kept: tuple[IterationTrace, RunningValues] | None = None
        self._counted: tuple[IterationTrace, str, NDArray[np.int64]] | None = None

    def fit_ranges(self) -> None:
        """Choose the axes anew from the next numbers."""
        self._range.fit()

    def panels(self, theme: Theme) -> list[Panel]:
        """Return the picture of all layers and the bars of one."""
        if self.run is None:
            return [message_panel("No run yet")]
        if (running := self._running()) is not None:
            return running.panels(self.selected_layer, theme)
        layers = WeightLayers(self.run.trace)
        if not len(layers):
            return [message_panel("The network has no layer with weights")]
        return [self._all_layers(layers, theme), self._one_layer(self._looked_at(layers), theme)]

    def text_summary(self) -> str:
        """Return the span of the values, and how many are 0, NaN or ∞."""
        if self.run is None:
            return "No run yet."
        if (running := self._running()) is not None:
            return running.text()
        counts = self._counts(WeightLayers(self.run.trace))
        told = f"{TENSOR_WORDS[self.option('tensor')]} of {len(counts)} layers"
        filled = np.flatnonzero(counts[:, _ORDINARY].sum(axis=0))
        if len(filled):
            edges = _edges_log10()
            low, high = edges[filled[0]], edges[filled[-1] + 1]
            told += f": |x| from 10^{low:.1f} to 10^{high:.1f}"
        total = max(int(counts.sum()), 1)
        broken = [
            f"{percent(int(counts[:, place].sum()) / total)} {lane}"
            for lane, place in _LANE_BINS.items()
            if counts[:, place].any()
        ]
        return told + (f"; {', '.join(broken)}" if broken else "") + "."

    def table(self) -> Table:
        """Return one row per bin, one column of counts per layer."""
        if self.run is None:
            return {"bin": np.array([], dtype=str)}, {}
        if (running := self._running()) is not None:
            return running.table()
        layers = WeightLayers(self.run.trace)
        edges = _edges_log10()
        low = np.concatenate([[np.nan], edges[:-1], [np.nan, np.nan]])
        high = np.concatenate([[np.nan], edges[1:], [np.nan, np.nan]])
        low[1], high[-3] = -np.inf, np.inf
        names = np.array(["0", *["octave"] * (HISTOGRAM_BINS - 3), "NaN", "∞"])
        columns: dict[str, NDArray[Any]] = {"bin": names, "log10_low": low, "log10_high": high}
        columns |= dict(zip(layers.names, self._counts(layers), strict=True))
        units = {"log10_low": "log10 of |x|", "log10_high": "log10 of |x|"}
        return columns, units | dict.fromkeys(
            layers.names, f"values of {TENSOR_WORDS[self.option('tensor')]}"
        )

    def act_on_click(self, key: str, x: float, y: float) -> None:
        """Ask for the layer under the pointer."""
        if key == "running" and (running := self._running()) is not None:
            place = round(x) - 1
            if 0 <= place < len(running.indices):
                self.layer_selected.emit(running.indices[place])
            return
        layer = WeightLayers(self.run.trace).nearest(x) if self.run and key == "layers" else None
        if layer is not None:
            self.layer_selected.emit(layer.index)

    def hover_text(self, key: str, x: float, y: float) -> str:
        """Return the counts at the pointer."""
        if key == "running" and (running := self._running()) is not None:
            return running.hover_text(x)
        if self.run is None or key != "layers":
            return ""
        layers = WeightLayers(self.run.trace)
        layer = layers.nearest(x)
        if layer is None:
            return ""
        counts = self._counts(layers)[layers.layers.index(layer)]
        edges = _edges_log10()
        lines = [f"Layer {layer.number}: {layer.name}, {grouped(int(counts.sum()))} values", ""]
        place = int(np.searchsorted(edges, y, side="right")) - 1
        if 0 <= place < len(edges) - 1:
            count = int(counts[_ORDINARY][place])
            lines[1] = (
                f"{grouped(count)} with |x| from {brief(10 ** edges[place])} to {brief(10 ** edges[place + 1])}"
            )
        lines += [f"{grouped(int(counts[k]))} {lane}" for lane, k in _LANE_BINS.items() if counts[k]]
        lines += [rounding_words(self.run.trace, layer), self._scale_words()]
        return "\n".join(line for line in lines if line)

    def arranged(self, rect: QRectF, panels: Sequence[Panel]) -> list[QRectF]:
        """Return rectangles side by side; one above the other where the view is narrow and high."""
        if len(panels) == 2 and rect.height() > 1.2 * rect.width():
            upper = QRectF(rect.left(), rect.top(), rect.width(), rect.height() * 0.6)
            return [upper, rect.adjusted(0, upper.height(), 0, 0)]
        return super().arranged(rect, panels)

    def _running(self) -> RunningValues | None:
        """Return the running values if they are chosen, made once per trace."""
        tensor = self.option("tensor")
        if self.run is None or tensor not in dict(RUNNING):
            return None
        if self._kept is None or (self._kept[0], self._kept[1].tensor) != (self.run.trace, tensor):
            self._kept = (self.run.trace, RunningValues.of(self.run.trace, tensor))
        return self._kept[1]

    def _scale_words(self) -> str:
        """Return by how much the tensor is stored larger than it is; nothing for one that is as it is."""
        is_scaled = self.option("tensor") in ("delta", "activation_gradient")
        return scale_words(self.run.trace) if self.run and is_scaled else ""

    def _looked_at(self, layers: WeightLayers) -> LayerTrace:
        step = layers.step(self.cursor_at)
        for index in (self.selected_layer, step.layer if step else None):
            place = layers.position(index)
            if place is not None:
                return layers.layers[place - 1]
        return layers.layers[-1]

    def _counts(self, layers: WeightLayers) -> NDArray[np.int64]:
        """Return the counts of every layer, shape (layers, bins), made once per trace."""
        tensor = self.option("tensor")
        if self._counted is None or self._counted[:2] != (layers.trace, tensor):
            counts = exponent_histograms([layer[tensor] for layer in layers.layers])
            self._counted = (layers.trace, tensor, counts)
        return self._counted[2]

    def _all_layers(self, layers: WeightLayers, theme: Theme) -> Panel:
        counts = self._counts(layers)
        share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
        with np.errstate(divide="ignore"):
            rows = scaled(np.log10(share), _LEAST_SHARE, 0.0)
        rows[counts == 0] = EMPTY
        edges = _edges_log10()
        filled = np.flatnonzero(counts[:, _ORDINARY].sum(axis=0))
        found = (edges[filled[0]], edges[filled[-1] + 1]) if len(filled) else None
        low, high = self._range.around(found)
        colors, sides = extended(CIVIDIS, theme), np.arange(len(layers) + 1.0) + 0.5
        heat = Heat(rows[:, _ORDINARY].T, sides, edges, colors, theme, made_from=(counts, theme))
        if self._heat is not None:
            heat.take_picture(self._heat)
        self._heat = heat
        marks: list[Mark] = [heat]
        marks += rounding_marks(layers.layers, layers.positions, theme)
        lanes = [lane for lane in LANES if counts[:, _LANE_BINS[lane]].any()]
        marks += [LaneHeat(rows[:, _LANE_BINS[lane]], sides, colors, theme, lane) for lane in lanes]
        ink, plate = theme.color("text"), theme.color("background", 0.8)
        marks += [LaneCounts(counts[:, _LANE_BINS[lane]], ink, plate, lane) for lane in lanes]
        marks += _outline(layers, layers.position(self._looked_at(layers).index), theme)
        return Panel(
            "layers",
            layer_axis(layers.names),
            Axis("|x|", low, high, "log10"),
            marks,
            headline=[
                Words(f"{_symbol(self.option('tensor'))}: share of values per octave"),
                *([Words(f"      {scale}", "muted")] if (scale := self._scale_words()) else []),
            ],
            shorter=([Words(f"{_symbol(self.option('tensor'))}: share per octave")],),
            lanes=lanes,
            color_bar=ColorBar(Axis("", _LEAST_SHARE, 0.0, "log10"), CIVIDIS, (("none", EMPTY),)),
            weight=_ALL_LAYERS_WEIGHT,
        )

    def _one_layer(self, layer: LayerTrace, theme: Theme) -> Panel:
        tensor = self.option("tensor")
        values, known = layer[tensor], layer.statistics[tensor]
        finite = values[np.isfinite(values)].astype(np.float64)
        limit = finite_range(np.abs(finite))
        half = max(round_up(limit[1]), _LEAST_HALF) if limit and limit[1] > 0 else 1.0
        bins = 2 * int(np.clip(np.sqrt(finite.size), 8, _MOST_BARS // 2))
        counts, edges = np.histogram(finite, bins=bins, range=(-half, half))
        room = self.figure_size().width() / (1.0 + _ALL_LAYERS_WEIGHT) - _HEADLINE_EDGES
        words = value_counts(layer.name, known, room)
        top = round_up(max(int(counts.max()), 1) * 1.04)
        bars = Bars(edges, counts.astype(np.float64), tensor_color(theme, tensor))
        marks: list[Mark] = [bars, Rule(0.0, theme.color("outline"), upright=True)]
        return Panel(
            "values", Axis(_symbol(tensor), -half, half), Axis("count", 0.0, top), marks, headline=words
        )


def _symbol(tensor: str) -> str:
    return {"delta": "δ"}.get(tensor, TENSOR_WORDS[tensor].split(" ")[-1])


def _edges_log10() -> NDArray[np.float64]:
    """Edges of the ordinary bins; the outermost two stand one octave further out."""
    edges = histogram_edges_log10()
    octave = np.log10(2.0)
    return np.concatenate([[edges[0] - octave], edges, [edges[-1] + octave]])


def _outline(layers: WeightLayers, place: int | None, theme: Theme) -> list[Mark]:
    if place is None:
        return []
    wide = theme.color("accent", 0.9)
    if len(layers) > 60:
        return [VerticalBand(place - 0.5, place + 0.5, theme.color("accent", 0.5))]
    return [Rule(place + side, wide, upright=True, width=1.5) for side in (-0.5, 0.5)]
