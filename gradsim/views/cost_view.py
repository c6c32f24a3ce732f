"""What an iteration costs, and how long each layer takes to move: an exponential that faster machines only shift."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from PySide6.QtWidgets import QHBoxLayout, QPushButton

from gradsim.analysis import (
    CONVENTION,
    Cost,
    Operations,
    Speed,
    cost,
    cost_sentences,
    duration_words,
    operations,
)
from gradsim.spec import TrainingPhase, phase_at
from gradsim.trace import IterationTrace, Run
from gradsim.views.asking_view import AskingView
from gradsim.views.cost.numbers import cost_table, hover_motion, hover_operations
from gradsim.views.cost.panels import Look, operations_panel, time_panel
from gradsim.views.plot.options import Toggle
from gradsim.views.plot.panel import Panel
from gradsim.views.plot.plot_view import Table, message_panel
from gradsim.views.plot.ranges import StickyRange
from gradsim.views.theme import Theme
from gradsim.views.weight_layers import WeightLayers

SPEED = "speed"
"""The question; its option is for how many seconds to train."""
_SECONDS = 0.5


class CostView(AskingView):
    """Per layer the time until it has moved by 1 %, here and on faster machines; and the operations it takes."""

    view_id = "cost"
    title = "Cost"
    options = (
        Toggle("walk", "Random walk", True, "The time if the updates do not all point the same way"),
        Toggle("machines", "Faster machines", True, "The same on machines 10×, 1,000× and 10⁶× as fast"),
        Toggle("operations", "Operations", True, "Floating-point operations per layer and iteration"),
    )

    def __init__(self) -> None:
        super().__init__()
        self._range = StickyRange(step=1.0, margin=0.3, least=4.0)
        self._counts = StickyRange(step=1.0, margin=0.2, least=3.0)
        self._rate: float | None = None
        self._speed: Speed | None = None
        self._found: tuple[Run, float | None, Cost] | None = None
        self._counted: tuple[IterationTrace, TrainingPhase, Operations] | None = None
        self.measure_button = QPushButton("Measure the speed")
        self.measure_button.setToolTip(
            f"Train a copy of this network for {_SECONDS:g} s and count its iterations; a training run in the "
            "window measures it too"
        )
        self.measure_button.clicked.connect(lambda: self.ask(SPEED, _SECONDS))
        self.measure_button.setEnabled(False)
        row = self.bar.layout()
        assert isinstance(row, QHBoxLayout)
        row.insertWidget(0, self.measure_button)
        self.bar.setToolTip(CONVENTION)

    # -- what comes down -------------------------------------------------------------------------------------

    def set_run(self, run: Run | None) -> None:
        """Show a run; a speed that was measured for another experiment is forgotten."""
        before = self.run
        if before is not None and run is not None and _costs(before) != _costs(run):
            self._rate = self._speed = None
        super().set_run(run)
        self.measure_button.setEnabled(run is not None)

    def set_training_rate(self, rate: float) -> None:
        """Take the speed of a training run.

        Parameters
        ----------
        rate : float
            Iterations per second; 0 for none yet.
        """
        if rate > 0 and math.isfinite(rate) and rate != self._rate:
            self._rate, self._speed = rate, None
            self.refresh()

    def set_answer(self, question: str, answer: object) -> None:
        """Take a measured speed."""
        super().set_answer(question, answer)
        if isinstance(answer, Speed) and answer.iterations:
            self._speed, self._rate = answer, answer.rate
            self.refresh()

    # -- what it shows ---------------------------------------------------------------------------------------

    def differs(self, before: Run, run: Run) -> bool:
        """Also when training has begun anew."""
        return len(run.history) < len(before.history) or super().differs(before, run)

    def fit_ranges(self) -> None:
        """Choose the axes anew from the next numbers."""
        self._range.fit()
        self._counts.fit()

    def cost(self) -> Cost | None:
        """Return what the run costs, computed once for each run and speed.

        Returns
        -------
        Cost or None
            None without a run.
        """
        if self.run is None:
            return None
        if self._found is None or self._found[0] is not self.run or self._found[1] != self._rate:
            trace = self.run.trace
            made = cost(trace, self.run.history, self._rate, self._operations(trace))
            self._found = (self.run, self._rate, made)
        return self._found[2]

    def panels(self, theme: Theme) -> list[Panel]:
        """Return the panel of times, and that of operations."""
        found = self.cost()
        if self.run is None or found is None:
            return [message_panel("No run yet")]
        look = Look(
            theme,
            self.selected_layer,
            self.figure_size().width(),
            self.is_low,
            self.option("walk"),
            self.option("machines"),
        )
        made = [time_panel(self.run.trace, found, self._first_words(found), self._range, look)]
        if self.option("operations"):
            made.append(operations_panel(self.run.trace, found, self._counts, look))
        return made

    def text_summary(self) -> str:
        """Return the cost in sentences."""
        found = self.cost()
        if found is None:
            return "No run yet."
        told = " ".join(cost_sentences(found, self._speed))
        reason = self.asked(SPEED).reason
        return f"{told} The speed could not be measured: {reason}" if reason else told

    def table(self) -> Table:
        """Return one row per layer."""
        found = self.cost()
        if found is None:
            return {"layer": np.array([], dtype=str)}, {}
        return cost_table(found)

    def act_on_click(self, key: str, x: float, y: float) -> None:
        """Ask for the layer under the pointer."""
        if self.run is None:
            return
        if key == "operations":
            place = round(x) - 1
            if 0 <= place < len(self.run.trace.layers):
                self.layer_selected.emit(place)
            return
        layer = WeightLayers(self.run.trace).nearest(x)
        if layer is not None:
            self.layer_selected.emit(layer.index)

    def hover_text(self, key: str, x: float, y: float) -> str:
        """Return the numbers of the layer at the pointer."""
        found, place = self.cost(), round(x) - 1
        if found is None:
            return ""
        return hover_operations(found, place) if key == "operations" else hover_motion(found, place)

    # -- inside ----------------------------------------------------------------------------------------------

    def _operations(self, trace: IterationTrace) -> Operations:
        """Return what an iteration takes, counted once for an experiment and a phase of its training."""
        phase, kept = phase_at(trace.experiment, trace.iteration), self._counted
        is_same = kept is not None and kept[0].experiment is trace.experiment and kept[1] == phase
        if kept is None or not is_same or len(kept[0].sample_indices) != len(trace.sample_indices):
            self._counted = kept = (trace, phase, operations(trace))
        return kept[2]

    def _open_questions(self) -> Mapping[str, Any]:
        """Ask for the speed once, when nothing has measured it for this experiment."""
        asked = self.asked(SPEED)
        if self.run is None or self._rate is not None or asked.is_waiting:
            return {}
        if asked.reason and asked.about is not None and _of(asked.about) == _costs(self.run):
            return {}
        return {SPEED: _SECONDS}

    def _first_words(self, found: Cost) -> str:
        here = found.machines[0]
        waiting = self.waiting_words(SPEED)
        if not math.isfinite(found.rate):
            reason = self.asked(SPEED).reason
            return f"measuring the speed… {waiting}" if waiting else reason or "speed not measured yet"
        told = duration_words(here.straight)
        if here.walk != here.straight and math.isfinite(here.straight):
            told += f" to {duration_words(here.walk)}"
        ten = found.machines[1]
        if math.isfinite(ten.layers_bought) and math.isfinite(here.straight):
            told += f"; 10× the speed buys {ten.layers_bought:.2g} layers"
        return told


def _costs(run: Run) -> tuple[object, ...]:
    return _of(run.trace)


def _of(trace: IterationTrace) -> tuple[object, ...]:
    """Return what decides how long an iteration takes."""
    one = trace.experiment
    return one.network, one.precision, one.training.batch_size, one.training.method, one.data
