"""Activations at work: where the values of a layer lie on φ and φ′, and which units of all layers are dead."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from PySide6.QtWidgets import QHBoxLayout, QToolButton

from gradsim.trace import IterationTrace, Run
from gradsim.views.activation_curve import curve_hover, curve_panel, half_range
from gradsim.views.asking_view import AskingView
from gradsim.views.plot.numbers import grouped, percent
from gradsim.views.plot.options import Choice, Toggle
from gradsim.views.plot.panel import Panel
from gradsim.views.plot.plot_view import Table, message_panel
from gradsim.views.plot.words import Words
from gradsim.views.theme import Theme
from gradsim.views.unit_map import UnitMap, state_of, survey_words

if TYPE_CHECKING:
    from gradsim.analysis.nonlinearities import Nonlinearity
    from gradsim.analysis.unit_deaths import UnitDeaths
    from gradsim.analysis.units import UnitSurvey

UNITS, DEATHS = "units", "unit_deaths"
"""Questions: the units over all training samples, and when they died."""


class ActivationView(AskingView):
    """φ and φ′ of one layer over its own values of z, beside the units of all layers over the whole data."""

    view_id = "activation"
    title = "Activations"
    options = (
        Choice(
            "units",
            "Colour of the units",
            (("saturation", "Saturation of each unit"), ("death", "When each unit died")),
            "saturation",
            "Saturation is 1 − mean φ′(z) / max φ′ over all training samples; deaths are searched for in the whole run",
        ),
        Toggle("distribution", "Distribution of z", True, "The layer’s own pre-activations in this batch"),
        Toggle("flat", "Flat part shaded", True, "Where |φ′| is below 10 % of its maximum"),
        Toggle("sorted", "Units in order", True, "The most saturated unit of each layer on top"),
    )

    def __init__(self) -> None:
        super().__init__()
        self._half = 0.0
        self._batch: tuple[IterationTrace, UnitSurvey] | None = None
        self._drawn: UnitMap | None = None
        self.deaths_action = self._action(
            "When did they die?",
            "Search the whole run for the moment each dead unit died",
            ["D"],
            self._toggle_search,
        )
        self.addAction(self.deaths_action)
        button = QToolButton()
        button.setDefaultAction(self.deaths_action)
        button.setMinimumWidth(button.sizeHint().width())  # its words change, and nothing beside it moves
        self.deaths_action.setEnabled(False)
        row = self.bar.layout()
        assert isinstance(row, QHBoxLayout)
        row.insertWidget(1, button)

    # -- what it asks ----------------------------------------------------------------------------------------

    def standing_questions(self) -> Mapping[str, Any]:
        """Return the one about the units over the whole data."""
        return {UNITS: None}

    def set_run(self, run: Run | None) -> None:
        """Take a run, and say whether its units have been searched for deaths."""
        super().set_run(run)
        self._show_search()

    def set_answer(self, question: str, answer: object) -> None:
        """Show what was found, and where the search stands."""
        super().set_answer(question, answer)
        self._show_search()

    def set_answer_failed(self, question: str, reason: str) -> None:
        """Say why nothing was found, and where the search stands."""
        super().set_answer_failed(question, reason)
        self._show_search()

    def choose(self, name: str, value: Any) -> None:
        """Choose, and have the deaths searched for where they are to be shown."""
        super().choose(name, value)
        if (
            (name, value) == ("units", "death")
            and self._deaths() is None
            and not self.asked(DEATHS).is_waiting
        ):
            self.ask(DEATHS)
            self._show_search()

    def _toggle_search(self) -> None:
        if self.asked(DEATHS).is_waiting:
            self.cancel(DEATHS)
        else:
            self.ask(DEATHS)
            super().choose("units", "death")
        self._show_search()

    def _show_search(self) -> None:
        searching = self.asked(DEATHS).is_waiting
        self.deaths_action.setEnabled(self.run is not None)
        self.deaths_action.setText("Stop the search" if searching else "When did they die?")

    # -- what is known ---------------------------------------------------------------------------------------

    def differs(self, before: Run, run: Run) -> bool:
        """Also when the activations are others."""
        kinds = [[layer.activation_kind for layer in one.trace.layers] for one in (before, run)]
        return kinds[0] != kinds[1] or super().differs(before, run)

    def fit_ranges(self) -> None:
        """Choose the axis of z anew from the next values."""
        self._half = 0.0

    def fit_after_option(self, name: str) -> None:
        """Keep the axes."""

    def _activation_layers(self) -> Mapping[str, Any]:
        from gradsim.analysis.nonlinearities import activation_layers

        assert self.run is not None
        return activation_layers(self.run.trace.experiment)

    def _parts(self, name: str) -> tuple[Nonlinearity, ...]:
        from gradsim.analysis.nonlinearities import nonlinearities

        assert self.run is not None
        return nonlinearities(self._activation_layers()[name], self.run.trace[name].tensors)

    def _looked_at(self) -> str:
        """Return the layer selected or under the cursor; if it has no activation, the next one that has."""
        assert self.run is not None
        trace, names = self.run.trace, self._activation_layers()
        chosen = self.selected_layer
        if chosen is None and self.cursor_at and self.cursor_at.iteration == trace.iteration and trace.steps:
            chosen = trace.steps[min(self.cursor_at.step, len(trace.steps) - 1)].layer
        if chosen is None or not 0 <= chosen < len(trace.layers):
            chosen = 0
        return next(
            (layer.name for layer in trace.layers[chosen:] if layer.name in names), trace.layers[-1].name
        )

    def _fits(self, survey: UnitSurvey) -> bool:
        """Whether an answer, perhaps of another iteration, is about the present network."""
        assert self.run is not None
        widths = {layer.name: layer.fan_out for layer in self.run.trace.layers}
        found = [(layer.name, len(layer)) for layer in survey.layers]
        return found == [(name, widths[name]) for name in self._activation_layers()]

    def _survey(self) -> tuple[UnitSurvey, bool]:
        """Return what is known of the units, and whether it is of the whole data."""
        from gradsim.analysis.units import batch_units

        assert self.run is not None
        known = self.asked(UNITS).answer
        if known is not None and self._fits(known):
            return known, True
        if self._batch is None or self._batch[0] is not self.run.trace:
            self._batch = (self.run.trace, batch_units(self.run.trace))
        return self._batch[1], False

    def _deaths(self) -> UnitDeaths | None:
        """Return the deaths of this run, perhaps up to another iteration than the present one."""
        asked = self.asked(DEATHS)
        if self.run is None or asked.answered is None:
            return None
        then, now = asked.answered.experiment, self.run.trace.experiment
        return asked.answer if then is now or then == now else None

    # -- what is drawn ---------------------------------------------------------------------------------------

    def panels(self, theme: Theme) -> list[Panel]:
        """Return the curve of the layer looked at, two for a gated cell, and the units of all layers."""
        if self.run is None:
            return [message_panel("No run yet")]
        name = self._looked_at()
        parts = self._parts(name)
        self._half = max(self._half, *(half_range(part) for part in parts))
        shows = (self.option("distribution"), self.option("flat"))
        found = [
            curve_panel(f"curve_{place}", name, part, self._half, theme, shows, self.is_low)
            for place, part in enumerate(parts)
        ]
        return [*found, self._map(name, theme)]

    def _map(self, name: str, theme: Theme) -> Panel:
        assert self.run is not None
        survey, is_whole = self._survey()
        wants_deaths = self.option("units") == "death"
        deaths = self._deaths() if wants_deaths else None
        shown, drawn = (survey if deaths is None else deaths.survey), self._drawn
        if drawn is None or (drawn.survey, drawn.deaths, drawn.is_sorted) != (
            shown,
            deaths,
            self.option("sorted"),
        ):
            self._drawn = drawn = UnitMap(shown, deaths, self.option("sorted"))
        known = {layer.name: layer.number for layer in self.run.trace.layers}
        numbers = tuple(known[layer.name] for layer in survey.layers)
        chosen = [layer.name for layer in survey.layers].index(name)
        return drawn.panel(numbers, chosen, theme, self._headline(drawn, is_whole, wants_deaths))

    def _headline(self, drawn: UnitMap, is_whole: bool, wants_deaths: bool) -> list[Words]:
        assert self.run is not None
        survey = drawn.survey
        deaths, search = self._deaths(), self.asked(DEATHS)
        if wants_deaths and search.is_waiting:
            return [Words(self.waiting_words(DEATHS))]
        if wants_deaths and search.reason and search.answer is None:
            return [Words(search.reason, "bad")]
        if wants_deaths and deaths is not None:
            exact = "iteration of death" if deaths.is_exact else "dead at the latest at this iteration"
            looks = f"   {grouped(len(deaths.looked_at))} looked at"
            if deaths.survey.iteration != self.run.trace.iteration:
                looks += f", up to {grouped(deaths.survey.iteration)}"
            count = Words(f"{grouped(drawn.dead)} dead", bold=True)
            return [count, Words(f"   colour: {exact}; plain: alive"), Words(looks, "muted")]
        if wants_deaths:
            return [Words("When each unit died is searched for on demand (D)", "muted")]
        head = [Words(drawn.words, "bad" if drawn.dead and is_whole else "text", bold=True)]
        if not is_whole:
            reason = self.asked(UNITS).reason
            told = f"   in this batch of {grouped(survey.samples)} samples only"
            head.append(Words(told + (f": {reason}" if reason else ""), "bad" if reason else "muted"))
        else:
            head.append(Words(f"   over {grouped(survey.samples)} samples"))
            if survey.iteration != self.run.trace.iteration:
                head.append(Words(f", at iteration {grouped(survey.iteration)}", "muted"))
        return head

    # -- what is said ----------------------------------------------------------------------------------------

    def text_summary(self) -> str:
        """Return the flat share of the layer looked at, and the dead units of all."""
        if self.run is None:
            return "No run yet."
        from gradsim.analysis.nonlinearities import SHADED_BELOW
        from gradsim.analysis.unit_deaths import deaths_words
        from gradsim.spec import kind_of

        name = self._looked_at()
        told = []
        for part in self._parts(name):
            label = f" ({part.label})" if part.label else ""
            if not part.maximal_slope:
                told.append(f"{name}{label}, {kind_of(part.activation)}: the slope is 0 everywhere")
                continue
            told.append(
                f"{name}{label}, {kind_of(part.activation)}: saturation {percent(part.saturation)}; "
                f"{percent(part.shaded_share)} of z lie where |φ′| is below {100 * SHADED_BELOW:.0f} % of its maximum, "
                f"{percent(part.flat_share)} where it is 0"
            )
        survey, is_whole = self._survey()
        where = f"all {grouped(survey.samples)} training samples" if is_whole else "this batch only"
        told.append(f"Over {where}: {survey_words(survey)}")
        deaths = self._deaths()
        if deaths is not None:
            told.append(deaths_words(deaths))
        elif self.asked(DEATHS).is_waiting:
            told.append(f"When they died: {self.waiting_words(DEATHS)}")
        return ". ".join(told) + "."

    def table(self) -> Table:
        """Return one row per unit: its saturation and its largest values, in words what it is, and when it died."""
        units = {
            "saturation": "1 − mean φ′(z) / max φ′",
            "largest_output": "|a|",
            "largest_slope": "|φ′(z)|",
            "samples": "how many were looked at",
            "alive_at": "last iteration looked at at which it was alive",
            "dead_at": "first iteration looked at from which it is dead",
        }
        if self.run is None:
            return {name: np.array([]) for name in ("layer", "unit", *units)}, units
        deaths = self._deaths()
        survey, _ = self._survey()
        if deaths is not None:
            survey = deaths.survey
        layers = survey.layers
        counts = [len(layer) for layer in layers]
        nothing = np.full(sum(counts), "", dtype=object)
        columns = {
            "layer": np.repeat(np.array([layer.name for layer in layers]), counts),
            "unit": np.concatenate([np.arange(1, count + 1) for count in counts]),
            "state": np.concatenate([state_of(layer) for layer in layers]),
            "saturation": np.concatenate([layer.saturation for layer in layers]),
            "largest_output": np.concatenate([layer.largest_output for layer in layers]),
            "largest_slope": np.concatenate([layer.largest_slope for layer in layers]),
            "samples": np.full(sum(counts), survey.samples),
            "alive_at": nothing if deaths is None else _or_empty(np.concatenate(deaths.alive_at)),
            "dead_at": nothing if deaths is None else _or_empty(np.concatenate(deaths.dead_at)),
        }
        return columns, units

    def act_on_click(self, key: str, x: float, y: float) -> None:
        """Ask for the layer under the pointer, and where deaths are shown for the iteration of this one."""
        drawn, place = self._drawn, int(np.floor(x + 0.5)) - 1
        if self.run is None or key != "units" or drawn is None or not 0 <= place < len(drawn.survey.layers):
            return
        self.layer_selected.emit(self.run.trace[drawn.survey.layers[place].name].index)
        found = drawn.unit_at(x, y)
        if found is not None and drawn.deaths is not None:
            dead_at = int(drawn.deaths.dead_at[place][found[1]])
            if dead_at >= 0:
                self.seek_requested.emit(dead_at)

    def hover_text(self, key: str, x: float, y: float) -> str:
        """Return the numbers at the pointer."""
        if self.run is None:
            return ""
        if key == "units":
            return self._drawn.hover_text(x, y) if self._drawn else ""
        part = self._parts(self._looked_at())[int(key.rsplit("_", 1)[1])]
        return curve_hover(part, x)


def _or_empty(iterations: np.ndarray) -> np.ndarray:
    """Return iterations as a column in which −1 is an empty cell."""
    found = iterations.astype(object)
    found[iterations < 0] = ""
    return found
