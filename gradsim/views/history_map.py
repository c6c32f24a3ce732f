"""Layer × iteration as a picture: how a statistic of every layer went through the training."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gradsim.trace import TENSORS, Run
from gradsim.views.colormaps import CIVIDIS, INFINITE, NAN, ZERO, extended
from gradsim.views.cost_axis import iteration_at
from gradsim.views.history_grid import LOGARITHMIC, STATISTICS, HistoryGrid, history_values
from gradsim.views.phases import phase_marks, phase_title
from gradsim.views.plot.axis import Axis, layer_axis
from gradsim.views.plot.color_bar import ColorBar
from gradsim.views.plot.heat import Heat
from gradsim.views.plot.marks import Mark, Rule
from gradsim.views.plot.numbers import brief, grouped, percent
from gradsim.views.plot.options import Choice, Toggle
from gradsim.views.plot.panel import Panel
from gradsim.views.plot.plot_view import PlotView, Table, message_panel
from gradsim.views.plot.ranges import GrowingRange, StickyRange
from gradsim.views.plot.words import Words
from gradsim.views.theme import Theme

TENSOR_WORDS = {
    "pre_activation": "pre-activation z",
    "activation": "activation a",
    "activation_gradient": "activation gradient ∂L/∂a",
    "delta": "delta δ = ∂L/∂z",
    "weight_gradient": "weight gradient ∂L/∂W",
    "update": "update ΔW",
    "weight": "weight W",
}
"""What people call the tensors of a layer."""

TENSOR_CHOICE = Choice(
    "tensor", "Tensor", tuple((name, TENSOR_WORDS[name]) for name in TENSORS), "delta", "What is measured"
)

_SPECIAL = {
    "rms": (("0", ZERO), ("NaN", NAN), ("∞", INFINITE)),
    "zeros": (),
    "broken": (("none", ZERO),),
    "saturation": (("NaN", NAN),),
}


class HistoryMapView(PlotView):
    """Heat map of a statistic; its colours keep their meaning until other ones are asked for.

    Where several records share a column of pixels, the one in its middle is shown, and NaN or ∞ in any of them.
    """

    view_id = "history_map"
    title = "History"
    options = (
        TENSOR_CHOICE,
        Choice("statistic", "Statistic", tuple(STATISTICS.items()), "rms", "What is shown as a colour"),
        Toggle(
            "every_layer",
            "Every layer",
            False,
            "Also layers without a number: normalization, activation, dropout, residual",
        ),
    )

    def __init__(self) -> None:
        super().__init__()
        self._iterations = GrowingRange(least=20)
        self._levels = StickyRange(step=1.0, margin=0.0, least=2.0)
        self._grid = HistoryGrid("delta", "rms")
        self._heat: Heat | None = None

    def differs(self, before: Run, run: Run) -> bool:
        """Also when training has begun anew."""
        shorter = len(run.history) < len(before.history) and run.history.stride <= before.history.stride
        return shorter or super().differs(before, run)

    def fit_ranges(self) -> None:
        """Choose the axes anew from the next numbers."""
        self._iterations.fit()
        self._levels.fit()

    def fit_after_option(self, name: str) -> None:
        """Take up the other statistic."""
        if name == "every_layer":
            return
        self._grid = HistoryGrid(self.option("tensor"), self.option("statistic"))
        self._levels.fit()

    def panels(self, theme: Theme) -> list[Panel]:
        """Return the one panel."""
        history = self.run.history if self.run else None
        if self.run is None or history is None or not len(history):
            return [
                message_panel(
                    "No run yet"
                    if self.run is None
                    else "No iteration recorded yet: train, and each is a column"
                )
            ]
        self._grid.read(history)
        low, high = self._color_range()
        shown = self._rows(self.run)
        half = history.stride / 2.0
        x_edges = np.append(history.iterations - half, history.iterations[-1] + half)
        across = self._iterations.around(-half, float(x_edges[-1]))
        edges = np.arange(len(shown) + 1.0) + 0.5
        rows = self._grid.rows(low, high)
        if len(shown) < len(rows):
            rows = rows[shown]
        made_from = (history, low, high, theme, len(shown))
        heat = Heat(rows, x_edges, edges, extended(CIVIDIS, theme), theme, merge=True, made_from=made_from)
        if self._heat is not None:
            heat.take_picture(self._heat)
        self._heat = heat
        return [
            Panel(
                "history",
                Axis("iteration", *across, "iteration"),
                layer_axis(
                    tuple(history.layer_names[row] for row in shown),
                    "row, in the order of the pass" if self.option("every_layer") else "layer",
                ),
                [
                    heat,
                    *phase_marks(
                        self.run.experiment, float(history.iterations[-1]), theme, over_picture=True
                    ),
                    *self._cursor_marks(shown, theme),
                ],
                headline=self._headline(),
                color_bar=ColorBar(self._color_axis(low, high), CIVIDIS, _SPECIAL[self.option("statistic")]),
            )
        ]

    def text_summary(self) -> str:
        """Return where and when the statistic is least and greatest, and where it first broke."""
        history = self.run.history if self.run else None
        if history is None or not len(history):
            return "No iteration recorded yet."
        assert self.run is not None
        shown = self._rows(self.run)
        values = history_values(history, self.option("tensor"), self.option("statistic"))[:, shown]
        told = f"{self._words()} of {len(shown)} layers at {grouped(len(history))} iterations"
        finite = np.where(np.isfinite(values), values, np.nan)
        if np.isfinite(finite).any():
            ends = []
            for words, place in (("least", np.nanargmin(finite)), ("greatest", np.nanargmax(finite))):
                record, layer = np.unravel_index(int(place), finite.shape)
                when = grouped(int(history.iterations[record]))
                where = self._layer_words(shown[layer])
                ends.append(f"{words} {brief(finite[record, layer])} in {where}, iteration {when}")
            told += f": {'; '.join(ends)}"
        broken = np.argwhere(~np.isfinite(values))
        if len(broken):
            record, layer = broken[0]
            what, when = brief(float(values[record, layer])), grouped(int(history.iterations[record]))
            told += f". First {what} in {self._layer_words(shown[layer])}, iteration {when}"
        return told + "."

    def table(self) -> Table:
        """Return one row per record, one column per layer."""
        history = self.run.history if self.run else None
        if history is None or self.run is None:
            return {"iteration": np.array([], dtype=np.int64)}, {}
        shown = self._rows(self.run)
        names = [history.layer_names[row] for row in shown]
        values = history_values(history, self.option("tensor"), self.option("statistic"))
        columns: dict[str, NDArray] = {"iteration": history.iterations}
        columns |= {name: values[:, row] for name, row in zip(names, shown, strict=True)}
        return columns, {"iteration": "updates made before"} | dict.fromkeys(names, self._words())

    def act_on_click(self, key: str, x: float, y: float) -> None:
        """Ask for the layer and the iteration under the pointer."""
        if self.run is None or not len(self.run.history):
            return
        shown, place = self._rows(self.run), int(np.floor(y + 0.5)) - 1
        if 0 <= place < len(shown):
            self.layer_selected.emit(shown[place])
        self.seek_requested.emit(iteration_at(self.run, x))

    def hover_text(self, key: str, x: float, y: float) -> str:
        """Return the number of the cell at the pointer."""
        history = self.run.history if self.run else None
        place = int(np.floor(y + 0.5)) - 1
        shown = self._rows(self.run) if self.run else []
        if history is None or not 0 <= place < len(shown):
            return ""
        record = int(np.abs(history.iterations - x).argmin())
        if abs(history.iterations[record] - x) > history.stride:
            return ""
        values = history_values(
            history, self.option("tensor"), self.option("statistic"), slice(record, record + 1)
        )
        value = float(values[0, shown[place]])
        told = percent(value) if self.option("statistic") in ("zeros", "saturation") else brief(value)
        when = grouped(int(history.iterations[record]))
        words, name = self._layer_words(shown[place]), history.layer_names[shown[place]]
        heading = words if words == name else f"{words[:1].upper()}{words[1:]}: {name}"
        assert self.run is not None
        title = phase_title(self.run.experiment, int(history.iterations[record]))
        return f"{heading}, iteration {when}{f', {title}' if title else ''}\n{self._words()} = {told}"

    def _rows(self, run: Run) -> list[int]:
        """Return which layers are rows: those with a number, or every one that has the tensor."""
        tensor = self.option("tensor")
        return [
            layer.index
            for layer in run.trace.layers
            if layer.number is not None or (self.option("every_layer") and tensor in layer.statistics)
        ]

    def _layer_words(self, row: int) -> str:
        assert self.run is not None
        layer = self.run.trace.layers[row]
        return layer.name if layer.number is None else f"layer {layer.number}"

    def _words(self) -> str:
        statistic = STATISTICS[self.option("statistic")]
        if self.option("statistic") == "saturation":
            return "saturation 1 − mean φ′(z) / max φ′"
        return f"{statistic} of {TENSOR_WORDS[self.option('tensor')]}"

    def _headline(self) -> list[Words]:
        return [Words(self._words())]

    def _color_range(self) -> tuple[float, float]:
        if self.option("statistic") not in LOGARITHMIC:
            return 0.0, 1.0
        return self._levels.around(self._grid.finite)

    def _color_axis(self, low: float, high: float) -> Axis:
        return Axis("", low, high, "log10" if self.option("statistic") in LOGARITHMIC else "linear")

    def _cursor_marks(self, shown: list[int], theme: Theme) -> list[Mark]:
        marks: list[Mark] = []
        chosen = shown.index(self.selected_layer) + 1 if self.selected_layer in shown else None
        if chosen is not None:
            marks += [Rule(chosen + side, theme.color("background"), width=1.5) for side in (-0.5, 0.5)]
            marks += [Rule(chosen + side, theme.color("accent"), width=1.0) for side in (-0.5, 0.5)]
        place = self.iteration
        if place is not None:
            marks.append(Rule(place, theme.color("background"), upright=True, width=3.0))
            marks.append(Rule(place, theme.color("cursor"), upright=True, width=1.0))
        return marks
