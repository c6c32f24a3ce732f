"""Why the gradient shrinks or grows: each layer's ratio as a stack of factors, on a log axis."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QSize
from PySide6.QtGui import QResizeEvent

from gradsim.analysis import (
    CAUSE_UNITS,
    DETAIL_WORDS,
    CauseBudget,
    Causes,
    LayerCause,
    budget_sentence,
    cause_budget,
    cause_sentence,
    cause_table,
    causes,
    layer_cause,
    layer_sentence,
    main_cause_sentence,
)
from gradsim.analysis.cause import counted_layers, main_cause_words, times
from gradsim.analysis.fit import Direction
from gradsim.trace import Cursor, Run
from gradsim.views.cause.beyond import Beyond
from gradsim.views.cause.caption import Caption
from gradsim.views.cause.stacks import stack_ends, stacked_bars
from gradsim.views.fonts import figure_metrics
from gradsim.views.gradient_profile import marker_size
from gradsim.views.plot.axes import LABEL_PIXELS
from gradsim.views.plot.axis import Axis, layer_axis
from gradsim.views.plot.lanes import lanes_needed, log10_or_nan
from gradsim.views.plot.marks import Mark, Rule, VerticalBand
from gradsim.views.plot.numbers import brief, typeset
from gradsim.views.plot.options import Choice, Toggle
from gradsim.views.plot.panel import Panel
from gradsim.views.plot.plot_view import PlotView, Table, message_panel
from gradsim.views.plot.points import LanePoints, Points
from gradsim.views.plot.ranges import StickyRange, finite_range, range_of_most
from gradsim.views.plot.short_legend import shortened
from gradsim.views.plot.words import Words
from gradsim.views.theme import Theme
from gradsim.views.weight_layers import WeightLayers

_LOWEST_WITH_SENTENCE = 250
_HEADLINE_EDGES = 70.0
_HAIR = 1e-6


class CauseView(PlotView):
    """log10 of every layer's factors, shrinking ones below 1 and growing ones above, and the ratio measured."""

    view_id = "cause"
    title = "Cause"
    options = (
        Choice(
            "direction",
            "Direction",
            (("backward", "Backward: δ"), ("forward", "Forward: a")),
            "backward",
            "Which signal: the error signal on its way back, or the activation on its way forward",
        ),
        Toggle("ratio", "Measured ratio", True, "rms of the signal here / rms in the layer it comes from"),
        Toggle(
            "most",
            "Scale for most layers",
            True,
            "A few bars that are much longer end at the edge, with their number",
        ),
        Toggle("letters", "Letters on the bars", True, "φ activation, W weights, N normalization, + skip …"),
    )

    def __init__(self) -> None:
        super().__init__()
        self._range = StickyRange(step=0.02, margin=0.02, least=0.16)
        self._found: tuple[Run, Direction, Causes, CauseBudget] | None = None
        self.caption = Caption()
        layout = self.layout()
        assert layout is not None
        layout.addWidget(self.caption)

    def minimumSizeHint(self) -> QSize:
        """Return that of the plot alone: where there is no room for the sentence below, it goes."""
        return super().minimumSizeHint() - QSize(
            0, 0 if self.caption.isHidden() else self.caption.sizeHint().height()
        )

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.caption.setVisible(not self._is_low)

    def fit_ranges(self) -> None:
        """Choose the axis anew from the next numbers."""
        self._range.fit()

    def fit_after_option(self, name: str) -> None:
        """Choose the axis anew where the option is about it."""
        super().fit_after_option(name)
        if name == "most":
            self.fit_ranges()

    def set_cursor(self, cursor: Cursor | None) -> None:
        """Know the place in the run; the causes are those of the whole pass.

        Parameters
        ----------
        cursor : Cursor or None
            The place looked at.
        """
        self.cursor_at = cursor

    def panels(self, theme: Theme) -> list[Panel]:
        """Return the one panel."""
        if self.run is None:
            self.caption.set_sentences("")
            return [message_panel("No run yet")]
        layers, found = WeightLayers(self.run.trace), self._causes()
        self.caption.set_sentences(*self._sentences())
        if len(layers) < 2:
            return [
                message_panel(
                    "A single layer carries weights: there is no ratio between neighbours to explain"
                )
            ]
        rows = found.of(self._direction)
        ratios = np.array([cause.ratio for cause in rows])
        measured = log10_or_nan(ratios)
        marked = measured if self.option("ratio") else None
        bars = stacked_bars(rows, self._direction, theme, letters=self.option("letters"), measured=marked)
        low, high = stack_ends(rows, measured)
        found_range = range_of_most(low, high) if self.option("most") else finite_range(low, high)
        held = self._range.around(found_range)
        idle = np.array([cause.state == "nothing arrives" for cause in rows])
        in_lanes = np.where(idle, 1.0, ratios)
        marks: list[Mark] = [*self._bands(layers, rows, theme), *bars]
        marks.append(Rule(0.0, theme.color("muted")))
        x = np.array([float(cause.number) for cause in rows])
        if self.option("ratio"):
            size = max(marker_size(len(layers), self.figure_size().width()), 3.0)
            ink, ground = theme.color("text"), theme.color("background")
            edge = ground if size > 4.0 else None
            marks.append(LanePoints(x, in_lanes, ink))
            marks.append(Points(x, measured, ink, "diamond", size, edge, name="measured ratio"))
        marks += self._beyond(x, low, high, ratios, held, theme)
        if (
            self._is_low
        ):  # what a diamond and an arrow mean is told by the pointer and by the number at the arrow
            kinds = {bar.name for bar in bars}
            marks = shortened(marks, lambda name: name in kinds or name.startswith("nothing"))
        back = self._direction == "backward"
        label = "ratio" if self._is_low else f"ratio of rms {'δ' if back else 'a'}"
        return [
            Panel(
                "layers",
                layer_axis(layers.names, "" if self._is_low else "layer, from the input to the head"),
                Axis(label, *held, "log10"),
                marks,
                headline=self._headline(),
                lanes=lanes_needed(in_lanes) if self.option("ratio") else (),
            )
        ]

    def text_summary(self) -> str:
        """Return what the whole net owes to which kind of factor, and the cause of the selected layer."""
        if self.run is None:
            return "No run yet."
        told = budget_sentence(self._budget())
        chosen = self._selected_cause()
        return told if chosen is None else f"{told} {layer_sentence(chosen)}"

    def table(self) -> Table:
        """Return one row per layer that has a ratio, one column per kind of factor."""
        if self.run is None:
            return {"layer": np.array([], dtype=np.int64)}, {}
        columns = cause_table(self._causes(), self._direction)
        return {name: _column(values) for name, values in columns.items()}, {
            name: CAUSE_UNITS[name] for name in columns if CAUSE_UNITS[name]
        }

    def act_on_click(self, key: str, x: float, y: float) -> None:
        """Ask for the layer under the pointer."""
        layer = WeightLayers(self.run.trace).nearest(x) if self.run else None
        if layer is not None:
            self.layer_selected.emit(layer.index)

    def hover_text(self, key: str, x: float, y: float) -> str:
        """Return the factors of the layer at the pointer, and what they are made of."""
        layer = WeightLayers(self.run.trace).nearest(x) if self.run else None
        if layer is None or self.run is None or layer.number is None:
            return ""
        cause = layer_cause(self.run.trace, self._direction, layer.number)
        symbol = "δ" if self._direction == "backward" else "a"
        head = f"Layer {layer.number}: {layer.name}"
        if cause is None:
            return f"{head}\nThe signal begins here: there is no ratio"
        lines = [head, f"rms {symbol} = {brief(cause.after)}; in layer {cause.other} {brief(cause.before)}"]
        lines.append(f"ratio = {_value(cause.ratio, cause.state)}, product of the factors:")
        for factor in cause.factors:
            lines.append(f"× {_value(factor.value, factor.state)}   {factor.label} ({factor.layer})")
            lines += [
                f"        {DETAIL_WORDS[name]} = {brief(value)}" for name, value in factor.details.items()
            ]
        return "\n".join(lines)

    # -- inside ----------------------------------------------------------------------------------------------

    @property
    def _is_low(self) -> bool:
        """Whether every line of words takes room from the bars."""
        return self.height() < _LOWEST_WITH_SENTENCE

    @property
    def _direction(self) -> Direction:
        return "forward" if self.option("direction") == "forward" else "backward"

    def _causes(self) -> Causes:
        """Return the causes of the run shown, worked out once."""
        assert self.run is not None
        if self._found is None or self._found[0] is not self.run or self._found[1] != self._direction:
            found = causes(self.run.trace, (self._direction,), details=False)
            self._found = (self.run, self._direction, found, cause_budget(found, self._direction))
        return self._found[2]

    def _budget(self) -> CauseBudget:
        self._causes()
        assert self._found is not None
        return self._found[3]

    def _selected_cause(self) -> LayerCause | None:
        if self.run is None or self.selected_layer is None:
            return None
        layers = self.run.trace.layers
        if self.selected_layer >= len(layers):
            return None
        layer = layers[self.selected_layer]
        for cause in self._causes().of(self._direction):
            # A layer without a number is told with the numbered one whose ratio it is a part of.
            its_own = layer.number is None and any(factor.layer == layer.name for factor in cause.factors)
            if cause.number == layer.number or its_own:
                return layer_cause(self.run.trace, self._direction, cause.number)
        return None

    def _sentences(self) -> tuple[str, ...]:
        chosen = self._selected_cause()
        if chosen is not None:
            return layer_sentence(chosen), layer_sentence(chosen, details=False)
        budget = self._budget()
        return budget_sentence(budget), main_cause_sentence(budget) or budget_sentence(budget)

    def _bands(self, layers: WeightLayers, rows: tuple[LayerCause, ...], theme: Theme) -> list[Mark]:
        bands: list[Mark] = []
        idle = [cause.number for cause in rows if cause.state == "nothing arrives"]
        for place, number in enumerate(idle):
            name = "" if place else "nothing arrives (0 / 0)"
            bands.append(VerticalBand(number - 0.5, number + 0.5, theme.color("muted", 0.18), name))
        chosen = layers.position(self.selected_layer)
        if chosen is not None:
            bands.append(VerticalBand(chosen - 0.5, chosen + 0.5, theme.color("accent", 0.14)))
        return bands

    def _beyond(
        self,
        x: NDArray[Any],
        low: NDArray[Any],
        high: NDArray[Any],
        ratios: NDArray[Any],
        held: tuple[float, float],
        theme: Theme,
    ) -> list[Mark]:
        """Return the mark of the bars that are longer than the plot, with the ratio they stand for."""
        with np.errstate(invalid="ignore"):
            above, below = high > held[1] + _HAIR, low < held[0] - _HAIR
        where = np.flatnonzero(above | below)
        if not len(where):
            return []
        words = tuple(_ratio_words(float(ratios[i])) for i in where)
        ink, plate = theme.color("text"), theme.color("background")
        return [Beyond(x[where], above[where], words, ink, plate, name="beyond the scale")]

    def _headline(self) -> list[Words]:
        chosen = self._selected_cause() if self._is_low else None
        if chosen is not None:  # there is no room for the sentence below
            words = f"{times(chosen.log10)}: " if chosen.state == "finite" else ""
            return [Words(f"layer {chosen.number} ", bold=True), Words(words + cause_sentence(chosen))]
        budget = self._budget()
        back = self._direction == "backward"
        symbol, role = ("δ ← ", "backward") if back else ("a → ", "forward")
        if not budget.counted:
            return [Words(symbol, role, bold=True), Words(budget_sentence(budget))]
        told = (main_cause_sentence(budget), main_cause_words(budget), "")
        # Where layers are left out the whole changes by 0, ∞ or nothing known: this is not "in all".
        over = "in all" if budget.counted == budget.steps else f"over {counted_layers(budget)}"
        lines = [f"{times(budget.log10)} {over}.  {words}" for words in told]
        room = self.figure_size().width() - _HEADLINE_EDGES
        metrics = figure_metrics(LABEL_PIXELS)
        fitting = (line for line in lines if metrics.horizontalAdvance(line) <= room)
        return [Words(symbol, role, bold=True), Words(next(fitting, lines[-1]))]


def _value(value: float, state: str) -> str:
    return "0 / 0, nothing arrives" if state == "nothing arrives" else brief(value)


def _column(values: list[Any]) -> NDArray[Any]:
    """Return a column of a table; where some cells are empty, one of objects."""
    if any(value is None for value in values):
        told = ["" if value is None else "NaN" if value != value else value for value in values]
        return np.array(told, dtype=object)
    return np.array(values)


def _ratio_words(ratio: float) -> str:
    """Return a ratio in two digits; 0 and ∞ have no logarithm, and are no NaN."""
    is_size = ratio > 0 and math.isfinite(ratio)
    return typeset(times(math.log10(ratio))) if is_size else f"×{brief(ratio)}"
