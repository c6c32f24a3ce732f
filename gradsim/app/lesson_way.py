"""Brings the window to a page of a lesson: one deed after the other, each when the one before is done."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from PySide6.QtCore import QObject, QTimer, Signal

from gradsim.analysis.lessons import look_step
from gradsim.app.lesson_course import Deed, Edit, Open, Train
from gradsim.app.session import Session
from gradsim.app.whereabouts import END
from gradsim.spec import SpecError
from gradsim.spec.lesson import Look
from gradsim.trace import Cursor, IterationTrace


@dataclass(frozen=True, slots=True)
class Goal:
    """Where the way leads.

    Attributes
    ----------
    look : Look
        What is to be looked at there.
    iteration : int
        How far the experiment is trained there.
    title : str
        Of the lesson.
    step : int
        Number of the page, from 0.
    folder : Path or None
        Where the lesson's files of parameters lie.
    """

    look: Look
    iteration: int
    title: str
    step: int
    folder: Path | None


class Way(QObject):
    """Carries deeds out in a session, which does each of them in its own time.

    Parameters
    ----------
    session : Session
        Is led.
    parent : QObject or None
        Owner in the sense of Qt.
    """

    arrived = Signal()
    """The window stands where the way leads."""
    moved = Signal()
    """Something else is being done."""
    stumbled = Signal(str)
    """It cannot be reached, in one sentence."""
    view_requested = Signal(str)

    def __init__(self, session: Session, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._deeds: list[Deed] = []
        self._present: Deed | None = None
        self._phase: Literal["rest", "doing", "looking"] = "rest"
        self._goal: Goal | None = None
        # Never from inside a signal of the session, which is then in the midst of telling everybody.
        self._ticker = QTimer(self, interval=0, singleShot=True)
        self._ticker.timeout.connect(self._go_on)
        for signal in (
            session.run_changed,
            session.training_changed,
            session.cursor_changed,
            session.document_changed,
        ):
            signal.connect(lambda _: self._wake())
        session.failed.connect(self._fail)
        session.error_raised.connect(self._notice_error)

    @property
    def is_busy(self) -> bool:
        """Whether the window is still on its way."""
        return self._phase != "rest"

    @property
    def words(self) -> str:
        """What is being done; empty at rest."""
        match self._present:
            case Train(start=start, end=end):
                return f"Training {end - start:,} iterations…"
            case Open() | Edit():
                return "Building the network…"
        return "Getting there…" if self.is_busy else ""

    def go(self, deeds: Iterable[Deed], goal: Goal) -> None:
        """Set out; a way that was under way is forgotten."""
        self._deeds, self._present, self._phase, self._goal = list(deeds), None, "doing", goal
        if self._session.training.is_training:
            self._session.stop()
        self._wake()

    def stop(self) -> None:
        """Stay where the window is."""
        self._deeds, self._present, self._phase = [], None, "rest"

    def _wake(self) -> None:
        if self.is_busy:
            self._ticker.start()

    def _go_on(self) -> None:
        session = self._session
        if not self.is_busy:
            return
        # The very first thing may be to open an experiment in a window that has none yet.
        is_opening = self._present is None and bool(self._deeds) and isinstance(self._deeds[0], Open)
        if not is_opening and (not session.is_settled or session.run is None):
            return
        if self._present is not None:
            if not self._is_done(self._present):
                self._fail("The training was stopped before its end.")
                return
            self._present = None
        if self._deeds:
            self._begin(self._deeds[0])
            self.moved.emit()
            self._wake()
        elif self._phase == "doing":
            self._phase = "looking"
            self._look()
            self._wake()
        elif self._stands_at_look():
            self._phase = "rest"
            self.arrived.emit()
        else:
            self._look()
            self._wake()

    def _begin(self, deed: Deed) -> None:
        session, goal = self._session, self._goal
        assert goal is not None
        start = getattr(deed, "iteration", getattr(deed, "start", None))
        if start is not None and session.cursor.iteration != start:
            session.seek(Cursor(start, END))  # the deed itself comes when the window is there
            return
        self._deeds.pop(0)
        self._present = deed
        match deed:
            case Open(experiment=experiment):
                session.open_aside(experiment, goal.folder, f"Lesson “{goal.title}”")
            case Edit(experiment=experiment):
                session.edit(experiment, f"Lesson, step {goal.step + 1}")
            case Train(start=first, end=last):
                session.train(last - first)

    def _is_done(self, deed: Deed) -> bool:
        run = self._session.run
        if run is None:
            return False
        return (
            run.trace.iteration == deed.end if isinstance(deed, Train) else run.experiment == deed.experiment
        )

    def _look(self) -> None:
        session, goal = self._session, self._goal
        assert goal is not None
        assert session.run is not None
        trace, look = session.run.trace, goal.look
        layer = next((layer.index for layer in trace.layers if layer.name == look.layer), None)
        if look.view is not None:
            self.view_requested.emit(look.view)
        session.select(layer, look.unit if layer is not None else None)
        session.seek(self._cursor(trace))

    def _cursor(self, trace: IterationTrace) -> Cursor:
        assert self._goal is not None
        look = self._goal.look
        step = look_step(trace, look)
        iteration = self._goal.iteration if look.iteration is None else look.iteration
        return Cursor(iteration, END if step is None else step)

    def _stands_at_look(self) -> bool:
        run = self._session.run
        return run is not None and run.trace.iteration == self._cursor(run.trace).iteration

    def _notice_error(self, error: SpecError | None) -> None:
        if error is not None:
            self._fail(str(error))

    def _fail(self, words: str) -> None:
        if self.is_busy:
            self.stop()
            self.stumbled.emit(words)
