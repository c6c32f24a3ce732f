"""Loss and accuracy through the training, of the batches and of the validation part, beside the run before.

Two losses must not be taken for each other, here and wherever the window speaks of them: the *batch loss* is that of
the samples of one iteration, as it trains (with dropout, before its update); the *training loss* that of the whole
training part in evaluation mode, which only a measured remedy tells. The validation loss is of its part, too.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QRectF

from gradsim.spec import training_phases
from gradsim.trace import Run
from gradsim.views.cost_axis import MEASURE_CHOICE, iteration_at, measured_axis, places
from gradsim.views.loss.curves import Curve, batch_loss_words, curves_of, has_accuracy
from gradsim.views.loss.numbers import course_summary, course_table, hover_record
from gradsim.views.phases import phase_marks
from gradsim.views.plot.axis import Axis
from gradsim.views.plot.lanes import lanes_needed, log10_or_nan
from gradsim.views.plot.line import Line
from gradsim.views.plot.marks import Mark, Rule
from gradsim.views.plot.options import Choice, Toggle
from gradsim.views.plot.panel import Panel
from gradsim.views.plot.plot_view import PlotView, Table, message_panel
from gradsim.views.plot.points import LanePoints, Points
from gradsim.views.plot.ranges import GrowingRange, StickyRange, finite_range, round_up
from gradsim.views.theme import Theme

_SIDE_BY_SIDE = 2.2
_FEW = 60


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
        run = self._recorded
        if run is None:
            waits = "No iteration recorded yet: train, and the loss of each is drawn"
            return [message_panel("No run yet" if self.run is None else waits)]
        curves = self._curves(run)
        ends = [curve.places(run, self.option("over"))[-1] for curve in curves if len(curve.at)]
        across = measured_axis(self.option("over"), *self._iterations.around(0.0, float(max(ends))))
        found = [self._loss_panel(run, curves, across, theme)]
        if self._has_accuracy(run):
            marks = self._marks(run, curves, "accuracy", False, theme)
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
        run = self._recorded
        return "No iteration recorded yet." if run is None else course_summary(run, self._curves(run))

    def table(self) -> Table:
        """Return one row per iteration at which anything was recorded; cells without a number are empty."""
        if self.run is None:
            return {"iteration": np.array([], dtype=np.int64)}, {}
        return course_table(self.run, self._curves(self.run), with_accuracy=self._has_accuracy(self.run))

    def act_on_click(self, key: str, x: float, y: float) -> None:
        """Ask for the iteration under the pointer."""
        if self._recorded is not None:
            self.seek_requested.emit(iteration_at(self._recorded, x, self.option("over")))

    def hover_text(self, key: str, x: float, y: float) -> str:
        """Return the numbers of the record nearest to the pointer."""
        run, over = self._recorded, self.option("over")
        return "" if run is None else hover_record(run, x, over, with_validation=self.option("validation"))

    @property
    def _recorded(self) -> Run | None:
        """The run, if anything of it has been recorded."""
        return self.run if self.run is not None and len(self.run.history) else None

    def _has_accuracy(self, run: Run) -> bool:
        return bool(self.option("accuracy")) and has_accuracy(run)

    def _curves(self, run: Run) -> list[Curve]:
        wanted = self.option("validation"), self.option("ghost")
        return list(curves_of(run, has_validation=wanted[0], has_ghost=wanted[1]))

    def _loss_panel(self, run: Run, curves: list[Curve], across: Axis, theme: Theme) -> Panel:
        is_log = self.option("scale") == "log"
        values = [curve.loss for curve in curves]
        if is_log:
            held = self._log.around(finite_range(*(log10_or_nan(v) for v in values)))
        else:
            held = self._linear_range(finite_range(*values))
        lanes = [lane for lane in lanes_needed(*values) if is_log or lane != "0"]
        axis = Axis(f"loss ({batch_loss_words(run)})", *held, "log10" if is_log else "linear")
        bands = self._phase_bands(run, curves, is_log, theme)
        marks = [*bands, *self._marks(run, curves, "loss", is_log, theme)]
        return Panel("loss", across, axis, marks, lanes=lanes)

    def _phase_bands(self, run: Run, curves: list[Curve], is_log: bool, theme: Theme) -> list[Mark]:
        if len(training_phases(run.experiment)) == 1:
            return []
        over = self.option("over")
        courses = [(c.places(run, over), log10_or_nan(c.loss) if is_log else c.loss) for c in curves]
        end = float(run.history.iterations[-1])
        return phase_marks(
            run.experiment, end, theme, clear_of=courses, place=lambda at: places(run, at, over)
        )

    def _linear_range(self, found: tuple[float, float] | None) -> tuple[float, float]:
        high = found[1] if found else 1.0
        if self._linear is None or high > self._linear:
            self._linear = round_up(high * 1.05)
        return min(0.0, found[0] if found else 0.0), self._linear

    def _marks(self, run: Run, curves: list[Curve], kind: str, is_log: bool, theme: Theme) -> list[Mark]:
        marks: list[Mark] = []
        for curve in reversed(curves):
            is_batch = curve.part == "batch"
            color = theme.color("ghost" if curve.of_ghost else "forward" if is_batch else "clip")
            values = curve.loss if kind == "loss" else curve.accuracy
            y = log10_or_nan(values) if is_log else np.where(np.isfinite(values), values, np.nan)
            x = curve.places(run, self.option("over"))
            dash = _DASHES[curve.of_ghost, is_batch]
            marks.append(Line(x, y, color, 1.4, dash, name=curve.name(kind)))
            if len(x) <= _FEW:
                marks.append(Points(x, y, color, "circle" if is_batch else "square", 4.0))
            if kind == "loss":
                dodge = (0.0 if is_batch else 4.0) - (8.0 if curve.of_ghost else 0.0)
                marks.append(LanePoints(x, values, color, dodge=dodge))
        if self.iteration is not None:
            place = float(places(run, np.array([self.iteration]), self.option("over"))[0])
            marks.append(Rule(place, theme.color("cursor", 0.7), upright=True))
        return marks


_DASHES: dict[tuple[bool, bool], tuple[float, ...]] = {
    (False, True): (),
    (False, False): (4.0, 2.0),
    (True, True): (7.0, 3.0),
    (True, False): (2.0, 3.0),
}
"""Whether it is the run before, and of the batches → dashes."""
