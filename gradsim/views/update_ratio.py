"""How far one iteration moves the weights: rms of the update over rms of the weight, per layer and in time."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gradsim.trace import History, Run
from gradsim.views.cost_axis import iteration_at
from gradsim.views.gradient_profile import marker_size
from gradsim.views.history_grid import GrowingSeries, history_values
from gradsim.views.phases import phase_marks, phase_title
from gradsim.views.plot.axis import Axis, layer_axis
from gradsim.views.plot.lanes import lanes_needed, log10_or_nan
from gradsim.views.plot.line import Line
from gradsim.views.plot.marks import Courses, Mark, Rule, VerticalBand
from gradsim.views.plot.numbers import brief, grouped
from gradsim.views.plot.options import Toggle
from gradsim.views.plot.panel import Panel
from gradsim.views.plot.plot_view import PlotView, Table, message_panel
from gradsim.views.plot.points import LanePoints, LinePoints, Points, Shape
from gradsim.views.plot.ranges import GrowingRange, StickyRange, finite_range
from gradsim.views.theme import Theme
from gradsim.views.weight_layers import WeightLayers

RULE_OF_THUMB = 1e-3
"""Karpathy's rule of thumb for a well-chosen learning rate: updates about a thousandth of the weights."""

_MARKERS = 9
_SHAPES: tuple[Shape, ...] = ("circle", "square", "triangle", "diamond")


def update_ratios(history: History, records: slice = slice(None)) -> NDArray[np.float64]:
    """Return rms of the update / rms of the weight before it.

    Parameters
    ----------
    history : History
        Statistics of a run.
    records : slice, default all
        Which records.

    Returns
    -------
    ndarray of float64, shape (records, layers)
        ∞ where the weights are all 0, NaN where the updates are 0 too.
    """
    with np.errstate(divide="ignore", invalid="ignore", over="ignore", under="ignore"):
        return history_values(history, "update", "rms", records) / history_values(
            history, "weight", "rms", records
        )


class UpdateRatioView(PlotView):
    """The ratio of every layer at the iteration shown, and of a few layers through the training."""

    view_id = "update_ratio"
    title = "Updates"
    options = (
        Toggle("rule", "Rule of thumb 10⁻³", True, "Karpathy: updates about a thousandth of the weights"),
        Toggle("ghost", "Before the last change", True, "The ratio before the last edit, dashed"),
    )

    def __init__(self) -> None:
        super().__init__()
        self._range = StickyRange(step=1.0, margin=0.25, least=3.0)
        self._iterations = GrowingRange()
        self._ratios = GrowingSeries(update_ratios)

    def differs(self, before: Run, run: Run) -> bool:
        """Also when training has begun anew."""
        return len(run.history) < len(before.history) or super().differs(before, run)

    def fit_ranges(self) -> None:
        """Choose the axes anew from the next numbers."""
        self._range.fit()
        self._iterations.fit()

    def panels(self, theme: Theme) -> list[Panel]:
        """Return the panel over layers, and the one over iterations where some were recorded."""
        if self.run is None:
            return [message_panel("No run yet")]
        layers, history = WeightLayers(self.run.trace), self.run.history
        now = _ratios(layers)
        ghost = WeightLayers(self.run.ghost) if self.run.ghost and self.option("ghost") else None
        followed = self._followed(layers) if len(history) else []
        self._ratios.extend(history)
        series = {place: self._ratios.values[layers.rows[place - 1]] for place in followed}
        everything = [now, *series.values(), *([_ratios(ghost)] if ghost else [])]
        rule = np.array([np.log10(RULE_OF_THUMB)]) if self.option("rule") else np.array([])
        held = self._range.around(finite_range(rule, *(log10_or_nan(v) for v in everything)))
        lanes = lanes_needed(*everything)
        upright = Axis("rms ΔW / rms W", *held, "log10")
        courses = [(layers.positions, log10_or_nan(now))]
        marks = [*self._layer_marks(layers, ghost, now, theme), *self._rule(theme, courses)]
        found = [Panel("layers", layer_axis(layers.names), upright, marks, lanes=lanes)]
        if followed:
            across = Axis(
                "iteration", *self._iterations.around(0.0, float(history.iterations[-1])), "iteration"
            )
            bands = phase_marks(self.run.experiment, float(history.iterations[-1]), theme)
            when = history.iterations.astype(np.float64)
            courses = [(when, log10_or_nan(values)) for values in series.values()]
            drawn = self._series_marks(layers, history, series, theme)
            marks = [*bands, *drawn, *self._rule(theme, courses)]
            upright = Axis("", *held, "log10")
            found.append(Panel("iterations", across, upright, marks, lanes=lanes, linked_y="layers"))
        return found

    def text_summary(self) -> str:
        """Return the least and the greatest ratio beside the rule of thumb."""
        if self.run is None:
            return "No run yet."
        layers = WeightLayers(self.run.trace)
        now = _ratios(layers)
        good = np.flatnonzero(np.isfinite(now))
        if not len(good):
            return f"Update ratio of {len(now)} layers at iteration {self.run.trace.iteration}: none is a number."
        least, most = good[now[good].argmin()], good[now[good].argmax()]
        told = (
            f"Update ratio (rms ΔW / rms W) at iteration {grouped(self.run.trace.iteration)}: from "
            f"{brief(now[least])} in layer {least + 1} to {brief(now[most])} in layer {most + 1}; "
            "the rule of thumb is 0.001"
        )
        if len(good) < len(now):
            told += f"; {len(now) - len(good)} of {len(now)} layers have no finite ratio"
        return told + "."

    def table(self) -> Table:
        """Return one row per record, one column per layer; without records one row for the trace."""
        if self.run is None:
            return {"iteration": np.array([], dtype=np.int64)}, {}
        layers, history = WeightLayers(self.run.trace), self.run.history
        at, values = np.array([self.run.trace.iteration]), _ratios(layers)[None, :]
        if len(history):
            recorded = history.iterations != self.run.trace.iteration
            at = np.concatenate([history.iterations[recorded], at])
            values = np.concatenate([update_ratios(history)[recorded][:, layers.rows], values])
        order = np.argsort(at, kind="stable")
        columns = {"iteration": at[order]}
        columns |= {name: values[order, place] for place, name in enumerate(layers.names)}
        return columns, {"iteration": "updates made before"} | dict.fromkeys(layers.names, "rms ΔW / rms W")

    def act_on_click(self, key: str, x: float, y: float) -> None:
        """Ask for the layer or the iteration under the pointer."""
        if self.run is None:
            return
        if key == "iterations":
            self.seek_requested.emit(iteration_at(self.run, x))
            return
        layer = WeightLayers(self.run.trace).nearest(x)
        if layer is not None:
            self.layer_selected.emit(layer.index)

    def hover_text(self, key: str, x: float, y: float) -> str:
        """Return the numbers at the pointer."""
        if self.run is None:
            return ""
        layers, history = WeightLayers(self.run.trace), self.run.history
        if key == "iterations":
            record = int(np.abs(history.iterations - x).argmin())
            when = int(history.iterations[record])
            title = phase_title(self.run.experiment, when)
            lines = [f"Iteration {grouped(when)}{f', {title}' if title else ''}"]
            for place in self._followed(layers):
                ratio = brief(
                    float(update_ratios(history, slice(record, record + 1))[0, layers.rows[place - 1]])
                )
                lines.append(f"{layers.names[place - 1]}: {ratio}")
            return "\n".join(lines)
        layer = layers.nearest(x)
        if layer is None:
            return ""
        update, weight = layer.statistics["update"].rms, layer.statistics["weight"].rms
        ratio = brief(float(_ratios(layers)[layers.layers.index(layer)]))
        return (
            f"Layer {layer.number}: {layer.name}\nrms ΔW / rms W = {ratio}\n"
            f"rms ΔW = {brief(update)}\nrms W = {brief(weight)}"
        )

    def _followed(self, layers: WeightLayers) -> list[int]:
        """Positions of the layers drawn through time: the one selected, the first, a middle one, the last."""
        count = len(layers)
        wanted = (layers.position(self.selected_layer), 1, (count + 1) // 2, count)
        return list(dict.fromkeys(place for place in wanted if place))[:4]

    def _rule(self, theme: Theme, courses: Courses) -> list[Mark]:
        if not self.option("rule"):
            return []
        words, plate = "10⁻³: Karpathy’s rule of thumb", theme.color("background", 0.8)
        color = theme.color("muted")
        at, dash = np.log10(RULE_OF_THUMB), (4.0, 3.0)
        return [Rule(at, color, words=words, plate=plate, dash=dash, clear_of=courses)]

    def _layer_marks(
        self, layers: WeightLayers, ghost: WeightLayers | None, now: NDArray[np.float64], theme: Theme
    ) -> list[Mark]:
        marks: list[Mark] = []
        place = layers.position(self.selected_layer)
        if place is not None:
            marks.append(VerticalBand(place - 0.5, place + 0.5, theme.color("accent", 0.14)))
        if ghost:
            before, dim = _ratios(ghost), theme.color("ghost")
            marks.append(Line(ghost.positions, log10_or_nan(before), dim, 1.3, (5.0, 3.0), "before"))
            marks.append(LanePoints(ghost.positions, before, dim, 5.0, dodge=-4.0))
        color, y = theme.color("update"), log10_or_nan(now)
        size = marker_size(len(layers), self.figure_size().width() / 2.0)
        iteration = f"iteration {grouped(layers.trace.iteration)}"
        return [
            *marks,
            Line(layers.positions, y, color, 1.6, name=iteration),
            LanePoints(layers.positions, now, color),
            Points(layers.positions, y, color, "circle", size),
        ]

    def _series_marks(
        self, layers: WeightLayers, history: History, series: dict[int, NDArray[np.float64]], theme: Theme
    ) -> list[Mark]:
        marks: list[Mark] = []
        x = history.iterations.astype(np.float64)
        for number, (place, values) in enumerate(reversed(series.items())):
            color = theme.color_of_series(number)
            y = log10_or_nan(values)
            some = np.linspace(0, len(x) - 1, min(len(x), _MARKERS)).astype(np.intp)
            name = layers.names[place - 1]
            marks.append(Line(x, y, color, 1.4))
            marks.append(LanePoints(x, values, color, 5.0))
            # Shapes tell the lines apart where they are too dense to be dashed.
            marks.append(LinePoints(x[some], y[some], color, _SHAPES[number % 4], 6.0, name=name))
        at = self.iteration
        if at is not None:
            marks.append(Rule(at, theme.color("cursor", 0.7), upright=True))
        return marks


def _ratios(layers: WeightLayers) -> NDArray[np.float64]:
    with np.errstate(divide="ignore", invalid="ignore", over="ignore", under="ignore"):
        return layers.rms("update") / layers.rms("weight")
