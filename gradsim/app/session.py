"""The one mutable state of the window: runs, cursor, document, training. No widget belongs here."""

from __future__ import annotations

import time
from collections import OrderedDict
from dataclasses import replace
from pathlib import Path

import msgspec
from PySide6.QtCore import QObject, Signal

from gradsim.app import document as documents
from gradsim.app.change import Change, change_between
from gradsim.app.document import Document
from gradsim.app.messages import (
    ChangeTraining,
    Compile,
    Failure,
    Record,
    Snapshot,
    Train,
    TrainingState,
)
from gradsim.app.worker import Worker
from gradsim.spec import Experiment, SpecError
from gradsim.spec.reading import checked
from gradsim.trace import Cursor, History, IterationTrace, Run
from gradsim.views.playback import moved, moved_by_layer

TRACES_KEPT = 12
BYTES_KEPT = 256 * 2**20
"""Traces beside the one on screen, so that stepping to and fro over an iteration's edge is instant."""
MERGING_SECONDS = 1.0
"""Edits of one thing that follow so closely, as with a held arrow key, are one step of undo."""
END = 10**9
"""A step beyond all: the last one of its iteration."""


class Session(QObject):
    """What the window shows and what is asked of the worker.

    Parameters
    ----------
    worker : Worker
        Does the work; started and ended by the window.
    parent : QObject or None
        Owner in the sense of Qt.
    """

    experiment_changed = Signal(object)
    """The experiment that is edited."""
    document_changed = Signal(object)
    """The document: file, undo, redo, whether saved."""
    runs_changed = Signal(object, int)
    """All runs and the index of the focused one."""
    run_changed = Signal(object)
    """The focused run has another trace, history or network."""
    cursor_changed = Signal(object)
    training_changed = Signal(object)
    preparation_changed = Signal(object)
    error_raised = Signal(object)
    """A refused edit (SpecError), or None when that is over."""
    failed = Signal(str)
    """Something that people must know, in one sentence."""
    selection_changed = Signal(object, object)
    """The selected layer and its selected unit, indices or None."""
    status_changed = Signal(str)
    """What has just happened, in one sentence."""

    def __init__(self, worker: Worker, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._worker = worker
        self._document = documents.opened(Experiment())
        self._accepted = self._document
        self._aside: Document | None = None
        self._submitted: Experiment | None = None
        self._runs: tuple[Run, ...] = ()
        self._focused = 0
        self._cursor = Cursor()
        self._wanted: Cursor | None = None
        self._generation = self._answered = 0
        self._training = TrainingState()
        self._resume: tuple[int | None] | None = None
        self._news = ""
        self._is_opening = False
        self._is_compiling = False
        self._is_ghost_kept = self._is_ghost_pinned = False
        self._has_refused_edit = False
        self._edited_at = -MERGING_SECONDS
        self._selection: tuple[int | None, int | None] = (None, None)
        self._traces: OrderedDict[int, IterationTrace] = OrderedDict()
        worker.arrived.connect(self.accept)

    @property
    def document(self) -> Document:
        """The document that is edited."""
        return self._document

    @property
    def experiment(self) -> Experiment:
        """The experiment that is edited; the run on screen may still be the one before."""
        return self._document.experiment

    @property
    def runs(self) -> tuple[Run, ...]:
        """All runs, in the order in which they are shown."""
        return self._runs

    @property
    def run(self) -> Run | None:
        """The focused run; None until the first pass is recorded."""
        return self._runs[self._focused] if self._runs else None

    @property
    def cursor(self) -> Cursor:
        """The place that is looked at."""
        return self._cursor

    @property
    def is_settled(self) -> bool:
        """Whether everything asked of the worker has been answered."""
        return self._wanted is None and not self._training.is_training and self._answered == self._generation

    @property
    def can_undo(self) -> bool:
        """Whether there is an edit to take back, be it one that was refused."""
        return self._has_refused_edit or self._document.undo_description is not None

    @property
    def training(self) -> TrainingState:
        """Whether a training run goes on, and how far it is."""
        return self._training

    # -- the document -----------------------------------------------------------------------------------

    def open(self, experiment: Experiment, path: Path | None = None, *, is_saved: bool = True) -> None:
        """Replace the document; refused experiments leave the present one as it was."""
        document = documents.opened(experiment, path)
        self._aside = None
        self._start_afresh()
        self._move_to(document if is_saved else replace(document, saved=None), f"Opened “{experiment.name}”")

    @property
    def is_aside(self) -> bool:
        """Whether the work has been put aside for something else, such as a lesson."""
        return self._aside is not None

    @property
    def work(self) -> Document:
        """What must not be lost: the document, or the one that was put aside for something else."""
        return self._aside if self._aside is not None else self._document

    def open_aside(self, experiment: Experiment, folder: Path | None, words: str) -> None:
        """Open an experiment beside the work, which waits unchanged, undo and all, until it is taken back."""
        if self._aside is None:
            self._aside = self._document
        self._start_afresh()
        self._move_to(replace(documents.opened(experiment), folder=folder), words)
        self._resume = None  # a training run that went on belonged to the work

    def take_back(self) -> None:
        """Return to the work that was put aside."""
        if self._aside is None:
            return
        document, self._aside = self._aside, None
        self._start_afresh()
        self._move_to(document, f"Back to “{document.experiment.name}”")
        self._resume = None

    def edit(
        self,
        experiment: Experiment,
        description: str,
        folder: Path | None = None,
        *,
        is_opening: bool = False,
    ) -> None:
        """Make an edit that can be undone, or say where it is wrong.

        ``folder`` is where the initial parameters of an experiment from elsewhere lie. ``is_opening`` says that it
        takes the place of everything, as an opened file does: selection and step start afresh, and it is compared only
        with what was kept on purpose.
        """
        try:
            experiment = checked(experiment)
        except SpecError as error:
            self._has_refused_edit = True
            self.error_raised.emit(error)
            return
        if experiment == self.experiment:
            self._forget_refused_edit()
            return
        now = time.monotonic()
        merges = now - self._edited_at < MERGING_SECONDS and not is_opening
        self._edited_at = now
        edited = documents.edited(
            self._document, experiment, description, merges=merges, folder=folder, is_opening=is_opening
        )
        if is_opening:
            self._start_afresh(within=True)
        self._move_to(edited, description)

    def undo(self) -> None:
        """Take the last edit back; one that was refused first."""
        if self._has_refused_edit:
            self._forget_refused_edit()
        elif (words := self._document.undo_description) is not None:
            self._move_across(self._document.entries[self._document.position], -1, f"Undone: {words}")

    def redo(self) -> None:
        """Do again what was undone."""
        if (words := self._document.redo_description) is not None:
            self._move_across(self._document.entries[self._document.position + 1], 1, f"Done again: {words}")

    def _move_across(self, edit: documents.Entry, by: int, words: str) -> None:
        if edit.is_opening:
            self._start_afresh(within=True)
        self._move_to(documents.moved(self._document, by), words)

    def _start_afresh(self, *, within: bool = False) -> None:
        """Expect another experiment, with which nothing of the present one has to do.

        ``within`` the same document, what was kept on purpose stays: two examples can be compared.
        """
        self._is_opening = True
        self._is_ghost_pinned = self._is_ghost_pinned and within
        self._traces.clear()

    def mark_saved(self, path: Path) -> None:
        """Remember that the experiment is in a file."""
        is_accepted = self._accepted is self._document
        self._document = replace(self._document, path=path, saved=self.experiment)
        accepted = replace(self._accepted, path=path, saved=self.experiment)
        self._accepted = self._document if is_accepted else accepted
        self.document_changed.emit(self._document)

    def _forget_refused_edit(self) -> None:
        self._has_refused_edit = False
        self.error_raised.emit(None)
        self.experiment_changed.emit(self.experiment)

    def _move_to(self, document: Document, words: str) -> None:
        directory = document.directory
        is_new = self._is_opening or self._is_compiling or not self._runs
        change = change_between(None if is_new else self._submitted, document.experiment)
        if change is Change.NAME:
            self._rename(document, words)
            return
        if self._training.is_training:
            total, done = self._training.total, self._training.done
            self._resume = (total if total is None or change is Change.NETWORK else total - done,)
        self._document = document
        self._has_refused_edit = False
        self._submitted = document.experiment
        self._generation += 1
        self._news = words
        self._wanted = None
        self.error_raised.emit(None)
        self.document_changed.emit(document)
        self.experiment_changed.emit(document.experiment)
        if change is Change.NETWORK:
            self._is_compiling = True
            self._worker.submit(Compile(self._generation, document.experiment, directory))
        else:
            # A training run goes on from where it is; what is on screen is a few iterations older.
            at = None if self._training.is_training else self._cursor.iteration
            self._worker.submit(ChangeTraining(self._generation, document.experiment, at))

    def _rename(self, document: Document, words: str) -> None:
        """Take an edit that changes no number: what runs goes on undisturbed."""
        if self._accepted is self._document:
            self._accepted = document
        self._document = document
        self._has_refused_edit = False
        self.error_raised.emit(None)
        self.document_changed.emit(document)
        self.experiment_changed.emit(document.experiment)
        if (run := self.run) is not None:
            self._set_run(replace(run, experiment=self._named(run.experiment)), self._cursor)
        self.status_changed.emit(words)

    def _named(self, experiment: Experiment) -> Experiment:
        return msgspec.structs.replace(experiment, name=self.experiment.name)

    # -- the cursor -------------------------------------------------------------------------------------

    def seek(self, cursor: Cursor) -> None:
        """Go to a place; an iteration whose pass is not at hand is recorded first. This ends a training run."""
        run = self.run
        if run is None:
            return
        cursor = Cursor(max(cursor.iteration, 0), max(cursor.step, 0))
        if self._training.is_training:
            self._wanted = cursor  # looking at a place ends the training; its last answer leads there
            self.stop()
        elif cursor.iteration == run.trace.iteration:
            self._wanted = None
            self._set_cursor(cursor)
        elif cursor.iteration in self._traces:
            self._wanted = None
            self._set_run(replace(run, trace=self._traces[cursor.iteration]), cursor)
        else:
            is_new = self._wanted is None or self._wanted.iteration != cursor.iteration
            self._wanted = cursor
            if is_new:
                self._worker.submit(Record(self._generation, cursor.iteration))

    def step(self, by: int) -> None:
        """Go some steps forward or back, across iterations."""
        if self.run is not None:
            self.seek(moved(self._wanted or self._cursor, by, self._step_count))

    def step_layer(self, by: int) -> None:
        """Go some layers forward or back in the telling, across iterations."""
        run, here = self.run, self._wanted or self._cursor
        if run is None:
            return
        step = moved_by_layer(run.trace.steps, min(here.step, self._step_count - 1), by)
        if step >= self._step_count:
            self.seek(Cursor(here.iteration + 1, 0))
        elif step >= 0:
            self.seek(Cursor(here.iteration, step))
        elif here.iteration > 0:
            self.seek(Cursor(here.iteration - 1, END))
        else:
            self.seek(Cursor(0, 0))

    def step_iteration(self, by: int) -> None:
        """Go some iterations forward or back, to the same step."""
        here = self._wanted or self._cursor
        self.seek(Cursor(here.iteration + by, here.step))

    @property
    def _step_count(self) -> int:
        return len(self.run.trace.steps) if self.run is not None else 0

    def select(self, layer: int | None, unit: int | None = None) -> None:
        """Select a layer, maybe a unit of it; None for nothing."""
        if (layer, unit) != self._selection:
            self._selection = (layer, unit)
            self.selection_changed.emit(layer, unit)

    # -- training ---------------------------------------------------------------------------------------

    def train(self, count: int | None) -> None:
        """Train from the iteration that is looked at on, some iterations or until stopped."""
        if self.run is None or self._training.is_training:
            return
        words = "until stopped" if count is None else f"for {count:,} iteration{'' if count == 1 else 's'}"
        self.status_changed.emit(f"Training from iteration {self._cursor.iteration:,} {words}")
        self._start_training(count)

    def _start_training(self, count: int | None) -> None:
        self._wanted = None
        self._set_training(TrainingState(True, 0, count))
        self._worker.submit(Train(self._generation, self._cursor.iteration, count))

    def stop(self) -> None:
        """End the training soon."""
        if self._training.is_training:
            self._resume = None
            self._worker.interrupt()

    # -- comparison -------------------------------------------------------------------------------------

    def keep_ghost(self) -> None:
        """Keep the pass on screen and how it came to be, to compare later ones with it, edits included."""
        if self.run is not None:
            self._is_ghost_kept = self._is_ghost_pinned = True
            kept = replace(self.run, ghost=self.run.trace, ghost_history=self.run.history)
            self._set_run(kept, self._cursor)
            self.status_changed.emit(f"Iteration {self.run.trace.iteration} is kept for comparison")

    def compare_with(self, trace: IterationTrace, history: History, words: str) -> None:
        """Keep a run that was made beside this one, to compare with it, until it is dropped."""
        if self.run is not None:
            self._is_ghost_kept, self._is_ghost_pinned = True, False
            self._set_run(replace(self.run, ghost=trace, ghost_history=history), self._cursor)
            self.status_changed.emit(words)

    def drop_ghost(self) -> None:
        """Stop comparing."""
        if self.run is not None and self.run.ghost is not None:
            self._is_ghost_kept = self._is_ghost_pinned = False
            self._set_run(replace(self.run, ghost=None, ghost_history=None), self._cursor)

    # -- answers of the worker --------------------------------------------------------------------------

    def accept(self) -> None:
        """Take what the worker has sent; what an edit has overtaken is dropped."""
        preparation, failures, snapshot = self._worker.take()
        if preparation is not None:
            self.preparation_changed.emit(preparation)
        for failure in failures:
            if failure.job.generation == self._generation:
                self._accept_failure(failure)
        if snapshot is not None and snapshot.job.generation == self._generation:
            self._accept_snapshot(snapshot)

    def _accept_failure(self, failure: Failure) -> None:
        self._answered = failure.job.generation
        self._resume = self._wanted = None
        self._set_training(TrainingState())
        was_opening = self._is_opening
        self._is_opening = self._is_compiling = False
        if isinstance(failure.job, Compile | ChangeTraining) and self._document is not self._accepted:
            self._submitted = self._accepted.experiment
            refused = self.experiment
            self._document = self._accepted
            if self._document is self._aside:
                self._aside = None
            self._has_refused_edit = not was_opening
            self.document_changed.emit(self._document)
            if was_opening:
                self.experiment_changed.emit(self.experiment)
                self.failed.emit(f"“{refused.name}” was not opened: {failure.error}")
                return
        if isinstance(failure.error, SpecError):
            self.error_raised.emit(failure.error)
        else:
            self.failed.emit(failure.error)

    def _accept_snapshot(self, snapshot: Snapshot) -> None:
        self._answered = snapshot.job.generation
        before = self.run
        is_edit = isinstance(snapshot.job, Compile | ChangeTraining)
        ghost = before.ghost if before is not None else None
        ghost_history = before.ghost_history if before is not None else None
        if is_edit:
            if self._is_opening:
                before = None
                if not self._is_ghost_pinned:
                    ghost = ghost_history = None
                    self._is_ghost_kept = False
                self.select(None)
            elif before is not None and before.experiment != snapshot.experiment and not self._is_ghost_kept:
                ghost, ghost_history = before.trace, before.history
            self._accepted = self._document
            self._traces.clear()
            self._tell(snapshot)
            self._is_opening = self._is_compiling = False
        self._keep_trace(snapshot.trace)
        run = Run(
            self.experiment.name,
            self._named(snapshot.experiment),
            snapshot.samples,
            snapshot.trace,
            ghost,
            snapshot.history,
            snapshot.decision_map,
            ghost_history,
        )
        wanted = asked = self._wanted
        if not snapshot.training.is_training:
            self._wanted = None
        if wanted is None or isinstance(snapshot.job, Train) or wanted.iteration != snapshot.trace.iteration:
            wanted = Cursor(snapshot.trace.iteration, self._same_moment(before, snapshot.trace))
        self._set_run(run, wanted)
        if is_edit and self._resume is not None:
            (count,) = self._resume
            self._resume = None
            self._start_training(count)
            return
        self._set_training(snapshot.training)
        if isinstance(snapshot.job, Train) and not snapshot.training.is_training:
            done = snapshot.training.done
            words = f"Trained {done:,} iteration{'' if done == 1 else 's'}"
            self.status_changed.emit(f"{words}; now at iteration {snapshot.trace.iteration:,}")
            if asked is not None:
                self.seek(asked)

    def _tell(self, snapshot: Snapshot) -> None:
        words, at = self._news, snapshot.trace.iteration
        if self._is_opening:
            pass
        elif isinstance(snapshot.job, Compile):
            words += f" – restarted from seed {snapshot.experiment.seed} at iteration 0"
        elif self.run is not None and self.run.experiment.training != snapshot.experiment.training:
            words += f" – training continues at iteration {at:,}"
        self.status_changed.emit(words)

    def _same_moment(self, before: Run | None, trace: IterationTrace) -> int:
        """Step of another network that tells the same phase: the last one where all had been told."""
        if before is None or self._cursor.step >= len(before.trace.steps) - 1:
            return END
        if len(before.trace.steps) == len(trace.steps):
            return self._cursor.step
        phase = before.trace.steps[self._cursor.step].phase
        return max((i for i, step in enumerate(trace.steps) if step.phase == phase), default=END)

    def _keep_trace(self, trace: IterationTrace) -> None:
        self._traces[trace.iteration] = trace
        self._traces.move_to_end(trace.iteration)
        size = max(sum(a.nbytes for layer in trace.layers for a in layer.tensors.values()), 1)
        most = min(TRACES_KEPT, max(BYTES_KEPT // size, 1))
        while len(self._traces) > most:
            self._traces.popitem(last=False)

    # -- the only places that write what is shown -------------------------------------------------------

    def _set_run(self, run: Run, cursor: Cursor) -> None:
        if (self._selection[0] or 0) >= len(run.trace.layers):
            self.select(None)
        self._runs = (*self._runs[: self._focused], run, *self._runs[self._focused + 1 :])
        self._cursor = self._clamped(cursor)
        self.runs_changed.emit(self._runs, self._focused)
        self.run_changed.emit(run)
        self.cursor_changed.emit(self._cursor)

    def _set_cursor(self, cursor: Cursor) -> None:
        cursor = self._clamped(cursor)
        if cursor != self._cursor:
            self._cursor = cursor
            self.cursor_changed.emit(cursor)

    def _clamped(self, cursor: Cursor) -> Cursor:
        return Cursor(cursor.iteration, min(cursor.step, max(self._step_count - 1, 0)))

    def _set_training(self, training: TrainingState) -> None:
        if training != self._training:
            self._training = training
            self.training_changed.emit(training)
