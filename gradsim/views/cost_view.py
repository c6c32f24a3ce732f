"""What an iteration costs, and how long each layer takes to move: an exponential that faster machines only shift."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtWidgets import QHBoxLayout, QPushButton

from gradsim.analysis import (
    CONVENTION,
    Cost,
    Operations,
    Speed,
    amount_words,
    cost,
    cost_sentences,
    duration_words,
    factor_words,
    operations,
)
from gradsim.analysis.cost_wording import AGE_OF_UNIVERSE, span_words
from gradsim.spec import TrainingPhase, phase_at
from gradsim.trace import IterationTrace, Run
from gradsim.views.asking_view import AskingView
from gradsim.views.gradient_profile import marker_size
from gradsim.views.plot.axis import Axis, layer_axis
from gradsim.views.plot.lanes import lanes_needed, log10_or_nan
from gradsim.views.plot.line import Line
from gradsim.views.plot.marks import Mark, VerticalBand
from gradsim.views.plot.numbers import brief
from gradsim.views.plot.options import Toggle
from gradsim.views.plot.panel import Panel
from gradsim.views.plot.plot_view import Table, message_panel
from gradsim.views.plot.points import LanePoints, Points
from gradsim.views.plot.ranges import StickyRange, finite_range
from gradsim.views.plot.rules import Rules
from gradsim.views.plot.short_legend import shortened
from gradsim.views.plot.words import Words
from gradsim.views.theme import Theme
from gradsim.views.weight_layers import WeightLayers

SPEED = "speed"
"""The question; its option is for how many seconds to train."""
_SECONDS = 0.5
_YEAR = 31_557_600.0
_TIMES = (
    (1e-3, "1 ms"),
    (1.0, "1 s"),
    (60.0, "1 min"),
    (3600.0, "1 h"),
    (86_400.0, "1 day"),
    (_YEAR, "1 year"),
    (1e3 * _YEAR, "1,000 years"),
    (AGE_OF_UNIVERSE, "age of the universe"),
)
_DASHES: tuple[tuple[float, ...], ...] = ((2.0, 3.0), (7.0, 2.0, 2.0, 2.0), (4.0, 2.0))


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
        made = [self._time_panel(self.run.trace, found, theme)]
        if self.option("operations"):
            made.append(self._operations_panel(self.run.trace, found, theme))
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
        motions = {motion.name: motion for motion in found.motions}
        rows = found.operations.layers
        known = [motions.get(row.name) for row in rows]
        columns: dict[str, NDArray[Any]] = {"layer": np.array([row.name for row in rows])}
        for name in ("forward", "backward", "update"):
            columns[name] = np.array([getattr(row, name) for row in rows], dtype=np.float64)
        for name, field in (("update_ratio", "ratio"), ("straight", "straight"), ("walk", "walk")):
            values = [math.nan if one is None else getattr(one, field) for one in known]
            columns[name] = np.array(values, dtype=np.float64)
        units = dict.fromkeys(("forward", "backward", "update"), "FLOP per iteration")
        units |= {"update_ratio": "rms of what an update changes / rms W"}
        units |= dict.fromkeys(("straight", "walk"), "iterations until the layer has moved by 1 %")
        for name in ("straight", "walk"):
            columns[f"{name}_seconds"] = columns[name] / found.rate
            units[f"{name}_seconds"] = "s on this machine"
        return columns, units

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
        if key == "operations":
            rows = found.operations.layers
            if not 0 <= place < len(rows):
                return ""
            row = rows[place]
            return (
                f"{row.name}\nforward {amount_words(row.forward, 'FLOP')}\nbackward "
                f"{amount_words(row.backward, 'FLOP')}\nupdate {amount_words(row.update, 'FLOP')}"
            )
        if not 0 <= place < len(found.motions):
            return ""
        motion = found.motions[place]
        lines = [f"Layer {motion.number}: {motion.name}", f"one update: {brief(motion.ratio)} of the weights"]
        lines.append(
            f"1 % in {brief(motion.straight)} iterations (straight), {brief(motion.walk)} (random walk)"
        )
        if math.isfinite(found.rate):
            with np.errstate(all="ignore"):
                lines.append(f"here {span_words(motion.straight / found.rate, motion.walk / found.rate)}")
        if motion.standing_still:
            lines.append(f"{100 * motion.standing_still:.3g} % of its weights stay the same to the last bit")
        return "\n".join(lines)

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

    def _time_panel(self, trace: IterationTrace, found: Cost, theme: Theme) -> Panel:
        layers = WeightLayers(trace)
        known = math.isfinite(found.rate)
        unit = found.rate if known else 1.0
        with np.errstate(all="ignore"):
            straight = np.array([m.straight for m in found.motions]) / unit
            walk = np.array([m.walk for m in found.motions]) / unit
        drawn = [straight, *([walk] if self.option("walk") else [])]
        machines = [m for m in found.machines if m.factor > 1 and known and self.option("machines")]
        everything = [*drawn, *(straight / m.factor for m in machines)]
        held = self._range.around(finite_range(*(log10_or_nan(v) for v in everything)))
        marks: list[Mark] = []
        place = layers.position(self.selected_layer)
        if place is not None:
            marks.append(VerticalBand(place - 0.5, place + 0.5, theme.color("accent", 0.14)))
        at, size = layers.positions, marker_size(len(layers), self.figure_size().width() / 2.0)
        if known:
            rows = [(math.log10(seconds), words) for seconds, words in _TIMES]
            courses = [(at, log10_or_nan(values)) for values in everything]
            plate = theme.color("background", 0.8)
            marks.append(Rules(rows, theme.color("muted"), plate, (2.0, 4.0), courses))
        for number, machine in enumerate(reversed(machines)):
            name, y = f"{factor_words(machine.factor)} as fast", log10_or_nan(straight / machine.factor)
            marks.append(Line(at, y, theme.color("ghost"), 1.4, _DASHES[number % len(_DASHES)], name))
        color = theme.color("update")
        if self.option("walk"):
            marks.append(Line(at, log10_or_nan(walk), color, 1.2, (6.0, 3.0), "random walk"))
            marks.append(LanePoints(at, walk, color, dodge=4.0))
        marks.append(
            Line(at, log10_or_nan(straight), color, 1.8, name="straight" if known else "fewest possible")
        )
        marks.append(LanePoints(at, straight, color))
        marks.append(Points(at, log10_or_nan(straight), color, "circle", size))
        if self.is_low:
            marks = shortened(marks, lambda name: name in ("straight", "random walk", "10× as fast"))
        label = f"{'seconds' if known else 'iterations'} (until moved by 1 %)"
        upright = Axis(label, *held, "log10")
        title = Words("First layer by 1 %: ", bold=True)
        told = self._first_words(found)
        lines = [[title, Words(words)] for words in dict.fromkeys((told, told.partition(";")[0]))]
        return Panel(
            "time",
            layer_axis(layers.names),
            upright,
            marks,
            lines[0],
            (*lines[1:], lines[-1][1:]),
            lanes=lanes_needed(*drawn),
            weight=1.4,
        )

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

    def _operations_panel(self, trace: IterationTrace, found: Cost, theme: Theme) -> Panel:
        rows = found.operations.layers
        at = np.arange(1.0, len(rows) + 1.0)
        names = {"forward": "forward", "backward": "backward", "update": "update"}
        series = {name: np.array([getattr(row, name) for row in rows], dtype=np.float64) for name in names}
        held = self._counts.around(finite_range(*(log10_or_nan(v) for v in series.values())))
        marks: list[Mark] = []
        if self.selected_layer is not None:
            here = self.selected_layer + 1.0
            marks.append(VerticalBand(here - 0.5, here + 0.5, theme.color("accent", 0.14)))
        size = marker_size(len(rows), self.figure_size().width() / 2.0)
        for name, role in reversed(names.items()):
            color = theme.color(role)
            marks.append(Line(at, log10_or_nan(series[name]), color, 1.4, name=name))
            marks.append(Points(at, log10_or_nan(series[name]), color, "circle", size))
            marks.append(LanePoints(at, series[name], color, 5.0))
        counted = found.operations
        total = amount_words(counted.total, "FLOP")
        told = [f"{total} = {counted.forward_passes:.3g} forward passes", total]
        if math.isfinite(found.rate):
            told.insert(0, f"{told[0]}; {amount_words(found.flops, 'FLOP/s')}")
        title = Words("One iteration: ", bold=True)
        lines = [[title, Words(words)] for words in told]
        axis = layer_axis(
            tuple(layer.name for layer in trace.layers), "layer, those without weights counted too"
        )
        return Panel(
            "operations",
            axis,
            Axis("FLOP per iteration", *held, "log10"),
            marks,
            lines[0],
            (*lines[1:], lines[-1][1:]),
            lanes=lanes_needed(*series.values()),
        )


def _costs(run: Run) -> tuple[object, ...]:
    return _of(run.trace)


def _of(trace: IterationTrace) -> tuple[object, ...]:
    """Return what decides how long an iteration takes."""
    one = trace.experiment
    return one.network, one.precision, one.training.batch_size, one.training.method, one.data
