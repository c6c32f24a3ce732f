"""Loss and accuracy through the training, of the batches and of the validation part, beside the run before.

Two losses must not be taken for each other, here and wherever the window speaks of them: the *batch loss* is that of
the samples of one iteration, as it trains (with dropout, before its update); the *training loss* that of the whole
training part in evaluation mode, which only a measured remedy tells. The validation loss is of its part, too.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRectF

from gradsim.spec import Experiment, kind_of, phase_at, training_phases
from gradsim.trace import History, Run
from gradsim.views.cost_axis import MEASURE_CHOICE, Measure, iteration_at, measured_axis, places
from gradsim.views.phases import phase_marks, phase_words
from gradsim.views.plot.axis import Axis
from gradsim.views.plot.lanes import lanes_needed, log10_or_nan
from gradsim.views.plot.line import Line
from gradsim.views.plot.marks import Mark, Rule
from gradsim.views.plot.numbers import brief, grouped, percent
from gradsim.views.plot.options import Choice, Toggle
from gradsim.views.plot.panel import Panel
from gradsim.views.plot.plot_view import PlotView, Table, message_panel
from gradsim.views.plot.points import LanePoints, Points
from gradsim.views.plot.ranges import GrowingRange, StickyRange, finite_range, round_up
from gradsim.views.theme import Theme

_SIDE_BY_SIDE = 2.2
_FEW = 60


@dataclass(frozen=True, slots=True, eq=False)
class _Curve:
    """Loss and accuracy of a part of the samples, in this run or in that before."""

    part: str
    at: NDArray
    loss: NDArray
    accuracy: NDArray
    of_ghost: bool = False
    apart: str = ""
    """What sets it apart from the others of its part, in the legend."""
    answers: str = ""
    """In brackets behind its loss in the legend: which loss that is, where the others are of something else."""

    def name(self, kind: str) -> str:
        """Return its words in the legend of the losses or of the accuracies."""
        answers = f" ({self.answers})" if self.answers and kind == "loss" else ""
        return f"{self.part} {kind}{self.apart}{answers}"


class LossPlotView(PlotView):
    """Batch and validation loss, log or linear, and the accuracy beside it for a classification."""

    view_id = "loss"
    title = "Loss"
    options = (
        Choice(
            "scale",
            "Scale of the loss: of the batch of every iteration, and of the validation part",
            (("log", "Log loss"), ("linear", "Linear loss")),
            "log",
        ),
        MEASURE_CHOICE,
        Toggle("validation", "Validation", True, "Of the part of the samples held back from training"),
        Toggle("accuracy", "Accuracy", True, "Share classified rightly"),
        Toggle(
            "ghost", "Before the last change", True, "The run before the last edit, or the one kept, dashed"
        ),
    )

    def __init__(self) -> None:
        super().__init__()
        self._iterations = GrowingRange()
        self._log = StickyRange(step=0.5, margin=0.1, least=1.0)
        self._linear: float | None = None

    def differs(self, before: Run, run: Run) -> bool:
        """Also when training has begun anew."""
        shorter = len(before.history) and (
            not len(run.history) or run.history.iterations[-1] < before.history.iterations[-1]
        )
        return bool(shorter) or super().differs(before, run)

    def fit_ranges(self) -> None:
        """Choose the axes anew from the next numbers."""
        self._iterations.fit()
        self._log.fit()
        self._linear = None

    def panels(self, theme: Theme) -> list[Panel]:
        """Return the panel of the loss, and that of the accuracy where there is one."""
        history = self.run.history if self.run else None
        if history is None or not len(history):
            return [
                message_panel(
                    "No run yet"
                    if self.run is None
                    else "No iteration recorded yet: train, and the loss of each is drawn"
                )
            ]
        curves = list(self._curves(history))
        ends = [self._places(curve)[-1] for curve in curves if len(curve.at)]
        across = measured_axis(self.option("over"), *self._iterations.around(0.0, float(max(ends))))
        found = [self._loss_panel(curves, across, theme)]
        if self._has_accuracy(history):
            marks = self._marks(curves, "accuracy", False, theme)
            found.append(Panel("accuracy", across, Axis("accuracy", 0.0, 1.03), marks, linked_x="loss"))
        return found

    def arranged(self, rect: QRectF, panels: Sequence[Panel]) -> list[QRectF]:
        """Return rectangles side by side in a wide view, else one above the other."""
        if rect.width() > _SIDE_BY_SIDE * rect.height() or len(panels) == 1:
            return super().arranged(rect, panels)
        height = rect.height() / len(panels)
        return [
            QRectF(rect.left(), rect.top() + k * height, rect.width(), height) for k in range(len(panels))
        ]

    def text_summary(self) -> str:
        """Return how the loss has gone, and where it first was not a number."""
        history = self.run.history if self.run else None
        if history is None or not len(history):
            return "No iteration recorded yet."
        first, last = brief(float(history.loss[0])), brief(float(history.loss[-1]))
        told = f"Batch loss {last} at iteration {grouped(int(history.iterations[-1]))}, {first} at the start"
        broken = np.flatnonzero(~np.isfinite(history.loss))
        if len(broken):
            what = brief(float(history.loss[broken[0]]))
            told += f"; first {what} at iteration {grouped(int(history.iterations[broken[0]]))}"
        if len(history.validation_loss):
            told += f"; validation loss {brief(float(history.validation_loss[-1]))}"
        told += "."
        if np.isfinite(history.accuracy[-1]):
            told += f" Batch accuracy {percent(float(history.accuracy[-1]))}"
            if len(history.validation_accuracy):
                told += f", validation accuracy {percent(float(history.validation_accuracy[-1]))}"
            told += "."
        phase = phase_words(self.run.experiment, int(history.iterations[-1])) if self.run else ""
        return told + (f" Now {phase}." if phase else "") + self._compared(history)

    def table(self) -> Table:
        """Return one row per iteration at which anything was recorded; cells without a number are empty."""
        history = self.run.history if self.run else None
        if self.run is None or history is None:
            return {"iteration": np.array([], dtype=np.int64)}, {}
        curves = list(self._curves(history))
        if not curves:
            return {"iteration": history.iterations}, {"iteration": "updates made before"}
        rows = np.unique(np.concatenate([curve.at for curve in curves]))
        columns: dict[str, NDArray] = {"iteration": rows}
        units = {"iteration": "updates made before"}
        for of_ghost in dict.fromkeys(curve.of_ghost for curve in curves):
            measures: tuple[tuple[Measure, str], ...] = (
                ("passes", "passes of the batch forward"),
                ("operations", "FLOP"),
            )
            for measure, unit in measures:
                name = f"{measure}_before" if of_ghost else measure
                columns[name] = places(self.run, rows, measure, of_ghost=of_ghost)
                units[name] = f"cost so far, {unit}"
        for curve in curves:
            for kind, values in (("loss", curve.loss), ("accuracy", curve.accuracy)):
                if kind == "accuracy" and not self._has_accuracy(history):
                    continue
                name = f"{curve.part}_{kind}{'_before' if curve.of_ghost else ''}"
                columns[name] = _aligned(rows, curve.at, values)
                trace = self.run.ghost if curve.of_ghost else self.run.trace
                assert trace is not None
                loss: str = trace.experiment.training.loss
                if curve.part == "batch" and _restores(trace.experiment):
                    loss = f"{_RESTORING} while a layer is pretrained, then {loss}"
                units[name] = loss if kind == "loss" else "share classified rightly"
        return columns, units

    def act_on_click(self, key: str, x: float, y: float) -> None:
        """Ask for the iteration under the pointer."""
        if self.run and len(self.run.history):
            self.seek_requested.emit(iteration_at(self.run, self.run.history, x, self.option("over")))

    def hover_text(self, key: str, x: float, y: float) -> str:
        """Return the numbers of the record nearest to the pointer."""
        history = self.run.history if self.run else None
        if self.run is None or history is None or not len(history):
            return ""
        over = places(self.run, history.iterations, self.option("over"))
        record = int(np.abs(over - x).argmin())
        x = float(history.iterations[record])
        lines = [f"Iteration {grouped(int(history.iterations[record]))}{self._cost_words(over[record])}"]
        lines += [phase] if (phase := phase_words(self.run.experiment, int(x))) else []
        is_restoring = phase_at(self.run.experiment, int(x)).layer is not None
        what = f"batch loss, {_RESTORING}," if is_restoring else "batch loss"
        lines.append(f"{what} {brief(float(history.loss[record]), 5)}")
        if np.isfinite(history.accuracy[record]):
            lines.append(f"batch accuracy {percent(float(history.accuracy[record]))}")
        if len(history.validation_iterations) and self.option("validation"):
            nearest = int(np.abs(history.validation_iterations - x).argmin())
            when = grouped(int(history.validation_iterations[nearest]))
            lines.append(
                f"validation loss {brief(float(history.validation_loss[nearest]), 5)} (iteration {when})"
            )
            if np.isfinite(history.validation_accuracy[nearest]):
                share = percent(float(history.validation_accuracy[nearest]))
                lines.append(f"validation accuracy {share} (iteration {when})")
        return "\n".join(lines)

    def _has_accuracy(self, history: History) -> bool:
        return bool(self.option("accuracy") and np.isfinite(history.accuracy).any())

    def _curves(self, history: History) -> Iterator[_Curve]:
        """Yield what is drawn of this run and then of the one before."""
        before = self.run.ghost_history if self.run and self.run.ghost and self.option("ghost") else None
        other = other_method(self.run)
        for of_ghost, one in ((False, history), (True, before)):
            if one is None or not len(one):
                continue
            suffix = "" if not of_ghost else f" by {other}" if other else " before"
            yield _Curve("batch", one.iterations, one.loss, one.accuracy, of_ghost, suffix)
            if self.option("validation") and len(one.validation_iterations):
                at, answers = one.validation_iterations, ""
                if not of_ghost and self.run is not None and _restores(self.run.experiment):
                    answers = _spoken(self.run.experiment)
                losses, shares = one.validation_loss, one.validation_accuracy
                yield _Curve("validation", at, losses, shares, of_ghost, suffix, answers)

    def _places(self, curve: _Curve) -> NDArray:
        assert self.run is not None
        return places(self.run, curve.at, self.option("over"), of_ghost=curve.of_ghost)

    def _cost_words(self, cost: float) -> str:
        units = {"iterations": "", "passes": " forward passes", "operations": " FLOP"}
        unit = units[self.option("over")]
        return f": cost so far {brief(float(cost), 4)}{unit}" if unit else ""

    def _compared(self, history: History) -> str:
        """Return the run before in a sentence: what it reached, and at what cost."""
        before = [curve for curve in self._curves(history) if curve.of_ghost]
        if not before or self.run is None:
            return ""
        runs = (before[0], next(self._curves(history)))
        costs = [float(places(self.run, c.at[-1:], "passes", of_ghost=c.of_ghost)[0]) for c in runs]
        other = other_method(self.run)
        now = f"by {kind_of(self.run.experiment.training.method)}" if other else "now"
        return (
            f" {f'By {other}' if other else 'Before the last change'} the batch loss was "
            f"{brief(float(before[0].loss[-1]))} after {brief(costs[0], 4)} forward passes; {now} it is "
            f"{brief(float(runs[1].loss[-1]))} after {brief(costs[1], 4)}."
        )

    def _loss_panel(self, curves: list[_Curve], across: Axis, theme: Theme) -> Panel:
        is_log = self.option("scale") == "log"
        values = [curve.loss for curve in curves]
        if is_log:
            held = self._log.around(finite_range(*(log10_or_nan(v) for v in values)))
        else:
            held = self._linear_range(finite_range(*values))
        lanes = [lane for lane in lanes_needed(*values) if is_log or lane != "0"]
        axis = Axis(f"loss ({self._loss_words()})", *held, "log10" if is_log else "linear")
        marks = [*self._phase_bands(theme, curves, is_log), *self._marks(curves, "loss", is_log, theme)]
        return Panel("loss", across, axis, marks, lanes=lanes)

    def _loss_words(self) -> str:
        """Return what the curve of the batches is a loss of: while a layer is pretrained, of restoring its input."""
        if self.run is None:
            return ""
        name = _spoken(self.run.experiment)
        if not _restores(self.run.experiment):
            return name
        is_restoring = phase_at(self.run.experiment, int(self.run.history.iterations[-1])).layer is not None
        return _RESTORING if is_restoring else f"{_RESTORING}, then {name}"

    def _phase_bands(self, theme: Theme, curves: list[_Curve], is_log: bool) -> list[Mark]:
        run = self.run
        if run is None or not len(run.history) or len(training_phases(run.experiment)) == 1:
            return []
        courses = [(self._places(c), log10_or_nan(c.loss) if is_log else c.loss) for c in curves]
        end = float(run.history.iterations[-1])
        over = self.option("over")
        return phase_marks(
            run.experiment, end, theme, clear_of=courses, place=lambda at: places(run, at, over)
        )

    def _linear_range(self, found: tuple[float, float] | None) -> tuple[float, float]:
        high = found[1] if found else 1.0
        if self._linear is None or high > self._linear:
            self._linear = round_up(high * 1.05)
        return min(0.0, found[0] if found else 0.0), self._linear

    def _marks(self, curves: list[_Curve], kind: str, is_log: bool, theme: Theme) -> list[Mark]:
        marks: list[Mark] = []
        for curve in reversed(curves):
            is_batch = curve.part == "batch"
            color = theme.color("ghost" if curve.of_ghost else "forward" if is_batch else "clip")
            values = curve.loss if kind == "loss" else curve.accuracy
            y = log10_or_nan(values) if is_log else np.where(np.isfinite(values), values, np.nan)
            x = self._places(curve)
            dash = _DASHES[curve.of_ghost, is_batch]
            marks.append(Line(x, y, color, 1.4, dash, name=curve.name(kind)))
            if len(x) <= _FEW:
                marks.append(Points(x, y, color, "circle" if is_batch else "square", 4.0))
            if kind == "loss":
                dodge = (0.0 if is_batch else 4.0) - (8.0 if curve.of_ghost else 0.0)
                marks.append(LanePoints(x, values, color, dodge=dodge))
        at = cursor_iteration(self)
        if at is not None and self.run is not None:
            place = float(places(self.run, np.array([at]), self.option("over"))[0])
            marks.append(Rule(place, theme.color("cursor", 0.7), upright=True))
        return marks


_DASHES: dict[tuple[bool, bool], tuple[float, ...]] = {
    (False, True): (),
    (False, False): (4.0, 2.0),
    (True, True): (7.0, 3.0),
    (True, False): (2.0, 3.0),
}
"""Whether it is the run before, and of the batches → dashes."""


_RESTORING = "mse of restoring"


def other_method(run: Run | None) -> str:
    """Return how the run beside was trained, where that is what sets it apart.

    Parameters
    ----------
    run : Run or None
        A run, maybe with what was before.

    Returns
    -------
    str
        Such as ``backpropagation``; empty where nothing stands beside it, or it was trained by the same method.
    """
    if run is None or run.ghost is None:
        return ""
    kinds = [kind_of(trace.experiment.training.method) for trace in (run.ghost, run.trace)]
    return kinds[0] if kinds[0] != kinds[1] else ""


def _restores(experiment: Experiment) -> bool:
    """Whether there are phases in which a layer learns to restore its input."""
    return any(phase.layer is not None for phase in training_phases(experiment))


def _spoken(experiment: Experiment) -> str:
    return experiment.training.loss.replace("_", " ")


def cursor_iteration(view: PlotView) -> int | None:
    """Return the iteration looked at.

    Parameters
    ----------
    view : PlotView
        Any view.

    Returns
    -------
    int or None
        That of the cursor, else of the trace shown.
    """
    if view.cursor_at is not None:
        return view.cursor_at.iteration
    return view.run.trace.iteration if view.run else None


def nearest_iteration(history: History, x: float) -> int:
    """Return the whole iteration at a place, among those there have been.

    Parameters
    ----------
    history : History
        With at least one record.
    x : float
        Place on an axis of iterations.

    Returns
    -------
    int
        Between the first and the last record.
    """
    return int(np.clip(round(x), history.iterations[0], history.iterations[-1]))


def _aligned(rows: NDArray, at: NDArray, values: NDArray) -> NDArray:
    """Return values at the rows of a table; empty cells where there is none."""
    if len(rows) == len(at):
        return values
    result = np.full(len(rows), "", dtype=object)
    result[np.searchsorted(rows, at)] = ["NaN" if v != v else v for v in values.tolist()]
    return result
