"""The one mutable state of the window: runs, cursor, document, training. No widget belongs here."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import msgspec
from PySide6.QtCore import QObject, Signal

from gradsim.app import document as documents
from gradsim.app import telling
from gradsim.app.change import Change
from gradsim.app.desk import Desk
from gradsim.app.document import Document
from gradsim.app.exchange import Exchange, is_edit
from gradsim.app.ghost import Ghost
from gradsim.app.messages import Failure, Snapshot, Train, TrainingState
from gradsim.app.recent_traces import RecentTraces
from gradsim.app.whereabouts import clamped, layers_away, same_moment
from gradsim.app.worker import Worker
from gradsim.spec import Experiment, SpecError
from gradsim.spec.reading import checked
from gradsim.trace import Cursor, History, IterationTrace, Run
from gradsim.views.playback import moved


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
        self._exchange = Exchange(worker)
        self._desk = Desk(Experiment())
        self._runs: tuple[Run, ...] = ()
        self._focused = 0
        self._cursor = Cursor()
        self._wanted: Cursor | None = None
        self._training = TrainingState()
        self._resume: tuple[int | None] | None = None
        self._news = ""
        self._is_opening = False
        self._ghost = Ghost()
        self._selection: tuple[int | None, int | None] = (None, None)
        self._traces = RecentTraces()
        worker.arrived.connect(self.accept)

    @property
    def document(self) -> Document:
        """The document that is edited."""
        return self._desk.document

    @property
    def experiment(self) -> Experiment:
        """The experiment that is edited; the run on screen may still be the one before."""
        return self._desk.experiment

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
        return self._wanted is None and not self._training.is_training and self._exchange.is_answered

    @property
    def can_undo(self) -> bool:
        """Whether there is an edit to take back, be it one that was refused."""
        return self._desk.can_undo

    @property
    def training(self) -> TrainingState:
        """Whether a training run goes on, and how far it is."""
        return self._training

    # -- the document -----------------------------------------------------------------------------------

    def open(self, experiment: Experiment, path: Path | None = None, *, is_saved: bool = True) -> None:
        """Replace the document; refused experiments leave the present one as it was."""
        document = documents.opened(experiment, path)
        self._desk.take_back()
        self._start_afresh()
        self._move_to(document if is_saved else replace(document, saved=None), f"Opened “{experiment.name}”")

    @property
    def is_aside(self) -> bool:
        """Whether the work has been put aside for something else, such as a lesson."""
        return self._desk.is_aside

    @property
    def work(self) -> Document:
        """What must not be lost: the document, or the one that was put aside for something else."""
        return self._desk.work

    def open_aside(self, experiment: Experiment, folder: Path | None, words: str) -> None:
        """Open an experiment beside the work, which waits unchanged, undo and all, until it is taken back."""
        self._desk.put_aside()
        self._start_afresh()
        self._move_to(replace(documents.opened(experiment), folder=folder), words)
        self._resume = None  # a training run that went on belonged to the work

    def take_back(self) -> None:
        """Return to the work that was put aside."""
        document = self._desk.take_back()
        if document is None:
            return
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
            self._desk.has_refused_edit = True
            self.error_raised.emit(error)
            return
        if experiment == self.experiment:
            self._forget_refused_edit()
            return
        edited = self._desk.edited(experiment, description, folder, is_opening=is_opening)
        if is_opening:
            self._start_afresh(within=True)
        self._move_to(edited, description)

    def undo(self) -> None:
        """Take the last edit back; one that was refused first."""
        if self._desk.has_refused_edit:
            self._forget_refused_edit()
        elif (words := self.document.undo_description) is not None:
            self._move_across(self.document.entries[self.document.position], -1, f"Undone: {words}")

    def redo(self) -> None:
        """Do again what was undone."""
        if (words := self.document.redo_description) is not None:
            self._move_across(self.document.entries[self.document.position + 1], 1, f"Done again: {words}")

    def _move_across(self, edit: documents.Entry, by: int, words: str) -> None:
        if edit.is_opening:
            self._start_afresh(within=True)
        self._move_to(documents.moved(self.document, by), words)

    def _start_afresh(self, *, within: bool = False) -> None:
        """Expect another experiment, with which nothing of the present one has to do.

        ``within`` the same document, what was kept on purpose stays: two examples can be compared.
        """
        self._is_opening = True
        self._ghost.is_pinned = self._ghost.is_pinned and within
        self._traces.clear()

    def mark_saved(self, path: Path) -> None:
        """Remember that the experiment is in a file."""
        self._desk.mark_saved(path)
        self.document_changed.emit(self.document)

    def _forget_refused_edit(self) -> None:
        self._desk.has_refused_edit = False
        self.error_raised.emit(None)
        self.experiment_changed.emit(self.experiment)

    def _move_to(self, document: Document, words: str) -> None:
        change = self._exchange.change_to(document.experiment, is_new=self._is_opening or not self._runs)
        if change is Change.NAME:
            self._rename(document, words)
            return
        if self._training.is_training:
            total, done = self._training.total, self._training.done
            self._resume = (total if total is None or change is Change.NETWORK else total - done,)
        self._desk.lay(document)
        self._news = words
        self._wanted = None
        self._exchange.begin(document.experiment)
        self._show_document()
        if change is Change.NETWORK:
            self._exchange.compile(document.experiment, document.directory)
        else:
            # A training run goes on from where it is; what is on screen is a few iterations older.
            at = None if self._training.is_training else self._cursor.iteration
            self._exchange.change_training(document.experiment, at)

    def _rename(self, document: Document, words: str) -> None:
        """Take an edit that changes no number: what runs goes on undisturbed."""
        self._desk.rename(document)
        self._show_document()
        if (run := self.run) is not None:
            self._set_run(replace(run, experiment=self._named(run.experiment)), self._cursor)
        self.status_changed.emit(words)

    def _show_document(self) -> None:
        """Tell everybody of a document that has just been laid on the desk."""
        self.error_raised.emit(None)
        self.document_changed.emit(self.document)
        self.experiment_changed.emit(self.experiment)

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
                self._exchange.record(cursor.iteration)

    @property
    def _here(self) -> Cursor:
        """Where one will be as soon as everything asked for has come: the next step goes on from there."""
        return self._wanted or self._cursor

    def step(self, by: int) -> None:
        """Go some steps forward or back, across iterations."""
        if self.run is not None:
            self.seek(moved(self._here, by, len(self.run.trace.steps)))

    def step_layer(self, by: int) -> None:
        """Go some layers forward or back in the telling, across iterations."""
        if self.run is not None:
            self.seek(layers_away(self._here, self.run.trace, by))

    def step_iteration(self, by: int) -> None:
        """Go some iterations forward or back, to the same step."""
        self.seek(Cursor(self._here.iteration + by, self._here.step))

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
        self.status_changed.emit(telling.training_begun(self._cursor.iteration, count))
        self._start_training(count)

    def _start_training(self, count: int | None) -> None:
        self._wanted = None
        self._set_training(TrainingState(True, 0, count))
        self._exchange.train(self._cursor.iteration, count)

    def stop(self) -> None:
        """End the training soon."""
        if self._training.is_training:
            self._resume = None
            self._exchange.interrupt()

    # -- comparison -------------------------------------------------------------------------------------

    def keep_ghost(self) -> None:
        """Keep the pass on screen and how it came to be, to compare later ones with it, edits included."""
        if self.run is not None:
            self._ghost.keep(is_pinned=True)
            self._compare(self.run, self.run.trace, self.run.history)
            self.status_changed.emit(f"Iteration {self.run.trace.iteration} is kept for comparison")

    def compare_with(self, trace: IterationTrace, history: History, words: str) -> None:
        """Keep a run that was made beside this one, to compare with it, until it is dropped."""
        if self.run is not None:
            self._ghost.keep(is_pinned=False)
            self._compare(self.run, trace, history)
            self.status_changed.emit(words)

    def drop_ghost(self) -> None:
        """Stop comparing."""
        if self.run is not None and self.run.ghost is not None:
            self._ghost.drop()
            self._compare(self.run, None, None)

    def _compare(self, run: Run, trace: IterationTrace | None, history: History | None) -> None:
        self._set_run(replace(run, ghost=trace, ghost_history=history), self._cursor)

    # -- answers of the worker --------------------------------------------------------------------------

    def accept(self) -> None:
        """Take what the worker has sent; what an edit has overtaken is dropped."""
        preparation, failures, snapshot = self._exchange.take()
        if preparation is not None:
            self.preparation_changed.emit(preparation)
        for failure in failures:
            if self._exchange.matters(failure):
                self._accept_failure(failure)
        if snapshot is not None and self._exchange.matters(snapshot):
            self._accept_snapshot(snapshot)

    def _accept_failure(self, failure: Failure) -> None:
        self._resume = self._wanted = None
        self._set_training(TrainingState())
        was_opening, self._is_opening = self._is_opening, False
        self._exchange.end_compiling()
        refused = self._desk.return_to_accepted() if is_edit(failure.job) else None
        if refused is not None:
            self._exchange.return_to(self.experiment)
            self._desk.has_refused_edit = not was_opening
            self.document_changed.emit(self.document)
            if was_opening:
                self.experiment_changed.emit(self.experiment)
                self.failed.emit(f"“{refused.name}” was not opened: {failure.error}")
                return
        if isinstance(failure.error, SpecError):
            self.error_raised.emit(failure.error)
        else:
            self.failed.emit(failure.error)

    def _accept_snapshot(self, snapshot: Snapshot) -> None:
        before = self.run
        ghost, ghost_history = self._ghost.of_the_same(before)
        if is_edit(snapshot.job):
            if self._is_opening:
                ghost, ghost_history = self._ghost.after_opening(before)
                before = None
                self.select(None)
            else:
                ghost, ghost_history = self._ghost.after_edit(before, snapshot.experiment)
            self._end_edit(snapshot)
        self._traces.keep(snapshot.trace)
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
            step = same_moment(
                self._cursor.step, before.trace if before is not None else None, snapshot.trace
            )
            wanted = Cursor(snapshot.trace.iteration, step)
        self._set_run(run, wanted)
        if is_edit(snapshot.job) and self._resume is not None:
            (count,) = self._resume
            self._resume = None
            self._start_training(count)
            return
        self._set_training(snapshot.training)
        if isinstance(snapshot.job, Train) and not snapshot.training.is_training:
            self.status_changed.emit(telling.training_ended(snapshot))
            if asked is not None:
                self.seek(asked)

    def _end_edit(self, snapshot: Snapshot) -> None:
        """Take an edit for done: from now on one comes back to it, and nothing older is at hand."""
        self._desk.accept()
        self._traces.clear()
        words = telling.edit_done(self._news, snapshot, self.run, is_opening=self._is_opening)
        self.status_changed.emit(words)
        self._is_opening = False
        self._exchange.end_compiling()

    # -- the only places that write what is shown -------------------------------------------------------

    def _set_run(self, run: Run, cursor: Cursor) -> None:
        if (self._selection[0] or 0) >= len(run.trace.layers):
            self.select(None)
        self._runs = (*self._runs[: self._focused], run, *self._runs[self._focused + 1 :])
        self._cursor = clamped(cursor, run.trace)
        self.runs_changed.emit(self._runs, self._focused)
        self.run_changed.emit(run)
        self.cursor_changed.emit(self._cursor)

    def _set_cursor(self, cursor: Cursor) -> None:
        cursor = clamped(cursor, self.run.trace if self.run is not None else None)
        if cursor != self._cursor:
            self._cursor = cursor
            self.cursor_changed.emit(cursor)

    def _set_training(self, training: TrainingState) -> None:
        if training != self._training:
            self._training = training
            self.training_changed.emit(training)
