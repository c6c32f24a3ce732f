"""Recurrent layers through time: the gradient of every step and unit, its gates, and how that changed by training."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from PySide6.QtCore import QRectF, QSignalBlocker, Signal
from PySide6.QtGui import QAction, QStandardItemModel
from PySide6.QtWidgets import QComboBox, QSpinBox, QToolButton

from gradsim.analysis.through_time import TimeRecord
from gradsim.trace import Cursor, LayerTrace, Run
from gradsim.views.plot.heat import Heat
from gradsim.views.plot.lanes import log10_or_nan
from gradsim.views.plot.options import Choice
from gradsim.views.plot.panel import Panel
from gradsim.views.plot.plot_view import PlotView, Table, message_panel
from gradsim.views.plot.ranges import GrowingRange, StickyRange, finite_range
from gradsim.views.theme import Theme
from gradsim.views.time.panels import (
    PASSES,
    Look,
    gates_panel,
    kept_panel,
    passes_panel,
    sizes_panel,
    units_panel,
)
from gradsim.views.time.parts import PAGES, is_low, parts_of, rows_in
from gradsim.views.time.reading import Reading, chosen_layer, step_of, time_at
from gradsim.views.time.recorder import QUESTION, Recorder
from gradsim.views.time.telling import hover_pass, hover_step, summary, table_of_passes, table_of_steps

_NONE = "No recurrent layer: nothing goes through time here"


class TimeMapView(PlotView):
    """Time × unit and time × iteration of dL/dh_t and dL/dc_t, with gates and what they let through.

    Wishes besides those of every plot: ``seek_requested(Cursor)`` for the step of a time,
    ``question_asked("through_training", iterations)``.
    """

    view_id = "time_map"
    title = "Time"
    options = (
        Choice("page", "Page", PAGES, "fitting", "What is shown"),
        Choice(
            "tensor",
            "State",
            (("hidden_gradient", "∂L/∂hₜ hidden"), ("cell_gradient", "∂L/∂cₜ cell")),
            "hidden_gradient",
            "Whose gradient the heat maps show",
        ),
    )

    seek_requested = Signal(object)
    """A wish: show this place (Cursor)."""
    question_asked = Signal(str, object)
    question_cancelled = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.recorder = Recorder()
        self.sample: int | None = None
        self._unit: int | None = None
        self._reading: Reading | None = None
        self._shown: tuple[tuple[str, ...], bool] = ((), False)
        self._heats: dict[str, Heat] = {}
        self._levels = StickyRange(step=1.0, margin=0.0, least=2.0)
        self._sizes = StickyRange(step=1.0, margin=0.25, least=2.0)
        self._kept = StickyRange(step=1.0, margin=0.0, least=1.0)
        self._iterations = GrowingRange(least=20)
        self.sample_box = QSpinBox()
        self.sample_box.setRange(0, 0)
        self.sample_box.setSpecialValueText("whole batch")
        self.sample_box.setPrefix("sample ")
        self.sample_box.setAccessibleName("Sample")
        self.sample_box.setToolTip("The whole batch (root mean square), or one of its samples")
        self.sample_box.valueChanged.connect(lambda value: self.set_sample(value - 1 if value else None))
        self.record_action = QAction("Record run", self)
        self.record_action.setToolTip(
            "Train once more from the beginning, in the background and to the same bits, and keep passes on the way"
        )
        self.record_action.triggered.connect(lambda: self.record_run())
        self.record_action.setEnabled(False)
        button = QToolButton()
        button.setDefaultAction(self.record_action)
        button.setAutoRaise(True)
        row: Any = self.bar.layout()
        row.insertWidget(len(self.options), self.sample_box)
        row.insertWidget(row.count() - 1, button)
        self.addAction(self.record_action)

    # -- what comes down -------------------------------------------------------------------------------------

    def set_run(self, run: Run | None) -> None:
        """Show a run; its pass is kept for the picture of the training, also while nobody looks."""
        if run is self.run:
            return
        if run is not None:
            self.recorder.take(run)
        super().set_run(run)
        self._follow_run()

    def set_unit(self, layer: int | None, unit: int | None) -> None:
        """Mark a layer and a unit of it."""
        self.set_selected_layer(layer)
        if unit != self._unit:
            self._unit = unit
            self.refresh()

    def set_selected_layer(self, layer: int | None) -> None:
        """Show a recurrent layer; others leave the first one."""
        if layer != self.selected_layer:
            super().set_selected_layer(layer)
            self._follow_run()

    def set_sample(self, sample: int | None) -> None:
        """Show one sample of the batch, or None for the root mean square over all of it."""
        if sample != self.sample:
            self.sample = sample
            with QSignalBlocker(self.sample_box):
                self.sample_box.setValue(0 if sample is None else sample + 1)
            self.refresh()

    def set_answer(self, question: str, answer: Sequence[TimeRecord]) -> None:
        """Take passes that were recorded again."""
        if question == QUESTION and self.run is not None:
            self.recorder.answer(self.run, answer)
            self._show_recording()

    def set_answer_progress(self, question: str, words: str, share: float) -> None:
        """Show how far the recording is."""
        if question == QUESTION:
            self.recorder.tell(words, share)
            self._show_recording()

    def set_answer_failed(self, question: str, reason: str) -> None:
        """Say why there is no recording."""
        if question == QUESTION:
            self.recorder.end(f"not recorded: {reason}")
            self._show_recording()

    def _show_recording(self) -> None:
        self._follow_run()
        self.refresh()

    def record_run(self) -> None:
        """Ask for passes all over the run, or, while they are recorded, no longer."""
        if self.recorder.is_asking:
            self.recorder.end()
            self.question_cancelled.emit(QUESTION)
        elif self.run is not None and self.layer is not None:
            wanted = self.recorder.ask(self.run)
            if wanted:
                self.question_asked.emit(QUESTION, wanted)
        self._show_recording()

    def _follow_run(self) -> None:
        """Offer only what the layer has."""
        layer = self.layer
        batch = 0 if layer is None else len(layer.hidden)
        with QSignalBlocker(self.sample_box):
            self.sample_box.setRange(0, batch)
        if self.sample is not None and self.sample >= batch:
            self.sample = None
        self.sample_box.setEnabled(layer is not None)
        box = self.bar.findChild(QComboBox, "tensor")
        model = box.model() if box is not None else None
        if isinstance(model, QStandardItemModel):
            model.item(1).setEnabled(layer is not None and "cell_gradient" in layer.tensors)
        can_ask = self.run is not None and layer is not None and len(self.run.history) > 0
        self.record_action.setText("Stop" if self.recorder.is_asking else "Record run")
        self.record_action.setEnabled(self.recorder.is_asking or can_ask)

    # -- what is shown ---------------------------------------------------------------------------------------

    @property
    def layer(self) -> LayerTrace | None:
        """The recurrent layer that is shown."""
        return None if self.run is None else chosen_layer(self.run.trace, self.selected_layer)

    @property
    def reading(self) -> Reading | None:
        """Its numbers at the pass on screen."""
        layer = self.layer
        if self.run is None or layer is None:
            return None
        old = self._reading
        if old is None or old.layer is not layer or old.sample != self.sample:
            self._reading = Reading(self.run.trace, layer, self.sample)
        return self._reading

    @property
    def tensor(self) -> str:
        """The gradient that the heat maps show: of the hidden state where there is no cell."""
        reading, chosen = self.reading, str(self.option("tensor"))
        return chosen if reading is not None and chosen in reading.tensors else "hidden_gradient"

    @property
    def time(self) -> int | None:
        """The time step of the cursor, from 0."""
        if self.run is None or self.layer is None or self.cursor_at is None:
            return None
        return time_at(self.run.trace, self.cursor_at.step, self.layer.index)

    @property
    def records(self) -> tuple[TimeRecord, ...]:
        """The recorded passes by rising iteration, that on screen among them."""
        return () if self.run is None else self.recorder.records(self.run)

    def differs(self, before: Run, run: Run) -> bool:
        """Also another network of the same depth, whose gradients may lie elsewhere."""
        return super().differs(before, run) or before.experiment.network != run.experiment.network

    def fit_ranges(self) -> None:
        """Choose the axes anew from the next numbers."""
        for held in (self._levels, self._sizes, self._kept, self._iterations):
            held.fit()

    def fit_after_option(self, name: str) -> None:
        """Take up other colours with the other gradient."""
        if name == "tensor":
            self._levels.fit()

    @property
    def _fitting(self) -> tuple[tuple[str, ...], bool]:
        """Which panels the page has for this layer in this room, and whether they are low."""
        layer, height = self.layer, float(self.height() - self.bar.sizeHint().height())
        if layer is None:
            return (), False
        parts = parts_of(str(self.option("page")), "gates" in layer.tensors, float(self.width()), height)
        return parts, is_low(len(parts), height)

    def panels(self, theme: Theme) -> list[Panel]:
        """Return the panels of the page."""
        reading = self.reading
        self._shown = self._fitting
        parts = self._shown[0]
        if reading is None:
            return [message_panel("No run yet" if self.run is None else _NONE)]
        if not parts:
            return [message_panel("A simple recurrent layer has no gates")]
        look = self._look(reading, theme)
        found = []
        for part in parts:
            if part == "units":
                found.append(units_panel(reading, self.tensor, look))
            elif part == "sizes":
                found.append(sizes_panel(reading, look))
            elif part == "gates":
                found.append(gates_panel(reading, look))
            elif part == "kept" and reading.kept is not None:
                logs = reading.kept.log10_least, reading.kept.log10_mean
                found.append(kept_panel(reading, look, self._kept.around(finite_range(*logs, np.zeros(1)))))
            elif part == "passes":
                tensors = reading.tensors if self.option("page") == "training" else (self.tensor,)
                found += [self._passes_panel(reading, tensor, look) for tensor in tensors]
        self._keep_pictures(found)
        return found

    def _keep_pictures(self, panels: Sequence[Panel]) -> None:
        """Let the new heat maps take over the pictures of the old ones: a cursor that moves changes none."""
        heats = {panel.key: mark for panel in panels for mark in panel.marks if isinstance(mark, Heat)}
        for key, heat in heats.items():
            if key in self._heats:
                heat.take_picture(self._heats[key])
        self._heats = heats

    def _look(self, reading: Reading, theme: Theme) -> Look:
        own = log10_or_nan(reading.units(self.tensor))
        rows = [log10_or_nan(one.rms[reading.layer.index, self.tensor]) for one in self.records]
        sizes = [log10_or_nan(values) for values in reading.sizes.values()]
        return Look(
            theme,
            self._levels.around(finite_range(own, *rows)),
            self._sizes.around(finite_range(*sizes)),
            self.time,
            self._unit if self.selected_layer == reading.layer.index else None,
            self._shown[1],
        )

    def _passes_panel(self, reading: Reading, tensor: str, look: Look) -> Panel:
        assert self.run is not None
        grid = self.recorder.grid(self.run, reading.layer.index, tensor)
        across = self._iterations.around(-0.5, float(self.recorder.last_iteration(self.run)))
        return passes_panel(reading, grid, tensor, look, across, self.recorder.headline(self.run))

    def arranged(self, rect: QRectF, panels: Sequence[Panel]) -> list[QRectF]:
        """Return the rectangles: two rows where there is room for them."""
        count = len(panels)
        if count < 3 or rows_in(rect.height() + 20.0) == 1:
            return super().arranged(rect, panels)
        first = (count + 1) // 2 if count != 3 else 2
        upper = QRectF(rect.left(), rect.top(), rect.width(), rect.height() / 2)
        lower = upper.translated(0, rect.height() / 2)
        return [*super().arranged(upper, panels[:first]), *super().arranged(lower, panels[first:])]

    # -- words and numbers -----------------------------------------------------------------------------------

    def text_summary(self) -> str:
        """Return how the gradient changes on its way back in time."""
        reading = self.reading
        if reading is None:
            return "No run yet." if self.run is None else f"{_NONE}."
        return summary(reading, len(self.records))

    def table(self) -> Table:
        """Return one row per time step; on the page of the training one per recorded pass."""
        reading = self.reading
        if reading is None:
            return {"t": np.array([], dtype=np.int64)}, {}
        if self.option("page") == "training":
            return table_of_passes(reading, self.records)
        return table_of_steps(reading)

    def act_on_click(self, key: str, x: float, y: float) -> None:
        """Ask for the step of the time under the pointer, forwards in the gates and backwards elsewhere."""
        reading = self.reading
        if self.run is None or reading is None or key == "message":
            return
        iteration = self.iteration or 0
        place = x
        if key.startswith(PASSES):
            iteration, place = int(self._nearest(x).iteration), y
        time = int(np.clip(np.floor(place + 0.5) - 1, 0, reading.steps - 1))
        phase = "forward" if key == "gates" else "backward"
        step = step_of(self.run.trace, reading.layer.index, time, phase)
        if step is None:
            self.layer_selected.emit(reading.layer.index)  # a record without time steps still has the layer
        else:
            self.seek_requested.emit(Cursor(iteration, step))

    def hover_text(self, key: str, x: float, y: float) -> str:
        """Return the numbers at the pointer."""
        reading = self.reading
        if reading is None or key == "message":
            return ""
        if key.startswith(PASSES):
            return hover_pass(reading, self._nearest(x), key.removeprefix(PASSES), int(np.floor(y + 0.5)) - 1)
        return hover_step(reading, key, self.tensor, int(np.floor(x + 0.5)) - 1, int(np.floor(y + 0.5)) - 1)

    def _nearest(self, x: float) -> TimeRecord:
        return min(self.records, key=lambda one: abs(one.iteration - x))
