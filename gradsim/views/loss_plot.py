"""Loss and accuracy through the iterations, of the batches and of the validation part."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRectF

from gradsim.trace import History, Run
from gradsim.views.plot.axis import Axis
from gradsim.views.plot.lanes import lanes_needed, log10_or_nan
from gradsim.views.plot.marks import Line, Mark, Rule
from gradsim.views.plot.numbers import brief, grouped, percent
from gradsim.views.plot.options import Choice, Toggle
from gradsim.views.plot.panel import Panel
from gradsim.views.plot.plot_view import PlotView, Table, message_panel
from gradsim.views.plot.points import LanePoints, Points
from gradsim.views.plot.ranges import GrowingRange, StickyRange, finite_range, round_up
from gradsim.views.theme import Theme

_SIDE_BY_SIDE = 2.2
_FEW = 60


class LossPlotView(PlotView):
    """Training and validation loss, log or linear, and the accuracy beside it for a classification."""

    view_id = "loss"
    title = "Loss and accuracy"
    options = (
        Choice("scale", "Scale of the loss", (("log", "Log loss"), ("linear", "Linear loss")), "log"),
        Toggle("validation", "Validation", True, "The part of the samples held back from training"),
        Toggle("accuracy", "Accuracy", True, "Share classified rightly"),
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
            return [message_panel("No iteration recorded yet")]
        across = Axis("iteration", *self._iterations.around(0.0, float(history.iterations[-1])), "iteration")
        found = [self._loss_panel(history, across, theme)]
        if self._has_accuracy(history):
            marks = self._marks(history, "accuracy", False, theme)
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
        told = (
            f"Training loss {last} at iteration {grouped(int(history.iterations[-1]))}, {first} at the start"
        )
        broken = np.flatnonzero(~np.isfinite(history.loss))
        if len(broken):
            what = brief(float(history.loss[broken[0]]))
            told += f"; first {what} at iteration {grouped(int(history.iterations[broken[0]]))}"
        if len(history.validation_loss):
            told += f"; validation loss {brief(float(history.validation_loss[-1]))}"
        told += "."
        if np.isfinite(history.accuracy[-1]):
            told += f" Accuracy of the batch {percent(float(history.accuracy[-1]))}"
            if len(history.validation_accuracy):
                told += f", of the validation part {percent(float(history.validation_accuracy[-1]))}"
            told += "."
        return told

    def table(self) -> Table:
        """Return one row per iteration at which anything was recorded; cells without a number are empty."""
        history = self.run.history if self.run else None
        if history is None:
            return {"iteration": np.array([], dtype=np.int64)}, {}
        rows = history.iterations
        if self.option("validation"):
            rows = np.union1d(rows, history.validation_iterations)
        loss_name = self.run.experiment.training.loss if self.run else ""
        columns: dict[str, NDArray] = {"iteration": rows}
        units = {"iteration": "updates made before"}
        for part, at, kinds in self._parts(history):
            for kind, values in kinds.items():
                if kind == "accuracy" and not self._has_accuracy(history):
                    continue
                columns[f"{part}_{kind}"] = _aligned(rows, at, values)
                units[f"{part}_{kind}"] = loss_name if kind == "loss" else "share classified rightly"
        return columns, units

    def act_on_click(self, key: str, x: float, y: float) -> None:
        """Ask for the iteration under the pointer."""
        if self.run and len(self.run.history):
            self.seek_requested.emit(nearest_iteration(self.run.history, x))

    def hover_text(self, key: str, x: float, y: float) -> str:
        """Return the numbers of the record nearest to the pointer."""
        history = self.run.history if self.run else None
        if history is None or not len(history):
            return ""
        record = int(np.abs(history.iterations - x).argmin())
        lines = [f"Iteration {grouped(int(history.iterations[record]))}"]
        lines.append(f"training loss {brief(float(history.loss[record]), 5)}")
        if np.isfinite(history.accuracy[record]):
            lines.append(f"accuracy of the batch {percent(float(history.accuracy[record]))}")
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

    def _parts(self, history: History) -> Iterator[tuple[str, NDArray, dict[str, NDArray]]]:
        """Yield each part of the samples, its iterations, and its loss and accuracy there."""
        yield "training", history.iterations, {"loss": history.loss, "accuracy": history.accuracy}
        if self.option("validation") and len(history.validation_iterations):
            kinds = {"loss": history.validation_loss, "accuracy": history.validation_accuracy}
            yield "validation", history.validation_iterations, kinds

    def _loss_panel(self, history: History, across: Axis, theme: Theme) -> Panel:
        is_log = self.option("scale") == "log"
        values = [kinds["loss"] for _, _, kinds in self._parts(history)]
        if is_log:
            held = self._log.around(finite_range(*(log10_or_nan(v) for v in values)))
        else:
            held = self._linear_range(finite_range(*values))
        lanes = [lane for lane in lanes_needed(*values) if is_log or lane != "0"]
        name = self.run.experiment.training.loss.replace("_", " ") if self.run else ""
        axis = Axis(f"loss ({name})", *held, "log10" if is_log else "linear")
        return Panel("loss", across, axis, self._marks(history, "loss", is_log, theme), lanes=lanes)

    def _linear_range(self, found: tuple[float, float] | None) -> tuple[float, float]:
        high = found[1] if found else 1.0
        if self._linear is None or high > self._linear:
            self._linear = round_up(high * 1.05)
        return min(0.0, found[0] if found else 0.0), self._linear

    def _marks(self, history: History, kind: str, is_log: bool, theme: Theme) -> list[Mark]:
        marks: list[Mark] = []
        for part, at, kinds in reversed(list(self._parts(history))):
            color = theme.color("forward" if part == "training" else "clip")
            values = kinds[kind]
            y = log10_or_nan(values) if is_log else np.where(np.isfinite(values), values, np.nan)
            x = at.astype(np.float64)
            dash = () if part == "training" else (4.0, 2.0)
            marks.append(Line(x, y, color, 1.4, dash, name=part))
            if len(x) <= _FEW:
                marks.append(Points(x, y, color, "circle" if part == "training" else "square", 4.0))
            if kind == "loss":
                marks.append(LanePoints(x, values, color, dodge=0.0 if part == "training" else 4.0))
        place = cursor_iteration(self)
        if place is not None:
            marks.append(Rule(place, theme.color("cursor", 0.7), upright=True))
        return marks


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
