"""Questions of views that take a while, and the threads in which they are answered.

What can be asked stands in ``gradsim.app.questions``. Nothing of the window is touched here; the engine is
imported inside the threads.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any, Literal

import msgspec
from PySide6.QtCore import QObject, QThread, Signal

from gradsim.app.inquiry import Inquiry, Overtaken, Question, answer_now, recorded_parameters
from gradsim.spec import Experiment, SpecError
from gradsim.trace import Run

__all__ = ["Asked", "Inquiries", "Inquiry", "Question", "Told", "answer_now", "recorded_parameters"]

Key = tuple[str, str]
"""The view that asks, and the id of the question."""


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """A question as it was asked; of equal keys only the latest is answered."""

    key: Key
    question: Question
    options: Any
    run: Run
    directory: Path | None

    def is_overtaken_by(self, run: Run) -> bool:
        """Whether the answer would no longer be true of what is on screen."""
        if self.question.about == "pass":
            return run.trace is not self.run.trace
        return _nameless(run.experiment) != _nameless(self.run.experiment)


@dataclass(frozen=True, slots=True, eq=False)
class Told:
    """What came of a question: an answer, how far it is, or why there is none."""

    asked: Asked
    kind: Literal["answer", "progress", "failure"]
    value: Any
    share: float = 1.0


@dataclass(slots=True)
class _State:
    """What the threads share, under one lock."""

    waiting: dict[Key, Asked] = field(default_factory=dict)
    is_resting: bool = True
    is_ending: bool = False
    answers: list[Told] = field(default_factory=list)
    progress: dict[Key, Told] = field(default_factory=dict)


class _Lane(QThread):
    """Thread that answers one question after another."""

    def __init__(self, answer_all: Callable[[], None], parent: QObject) -> None:
        super().__init__(parent)
        self.setObjectName("inquiries")
        self._answer_all = answer_all

    def run(self) -> None:
        """Answer until told to end."""
        self._answer_all()


class Inquiries(QObject):
    """Answers questions while nothing trains, those that take long in a thread of their own.

    Parameters
    ----------
    questions : mapping from str to Question
        What can be asked, by id.
    parent : QObject or None
        Owner in the sense of Qt.
    engine : callable, optional
        Returns the engine (``gradsim.engine``, or whatever has its names); called inside the thread.
    """

    arrived = Signal()
    """There is something to ``take``; emitted once until taken."""

    def __init__(
        self,
        questions: Mapping[str, Question],
        parent: QObject | None = None,
        engine: Callable[[], Any] = lambda: import_module("gradsim.engine"),
    ) -> None:
        super().__init__(parent)
        self._lanes = {is_long: _Lane(partial(self._answer_all, is_long), self) for is_long in (False, True)}
        self._questions = questions
        self._engine = engine
        self._wake = threading.Condition()
        self._state = _State()
        self._open: dict[Key, Asked] = {}

    # -- called by the window ---------------------------------------------------------------------------

    @property
    def is_running(self) -> bool:
        """Whether a thread runs; none does before the first question."""
        return any(lane.isRunning() for lane in self._lanes.values())

    @property
    def is_settled(self) -> bool:
        """Whether every question has been answered, and every answer taken."""
        return not self._open

    def ask(self, view: str, question: str, options: Any, run: Run, directory: Path | None = None) -> None:
        """
        Have a question answered; it replaces the one of the same view and id.

        Parameters
        ----------
        view : str
            Who asks.
        question : str
            Id of the question.
        options : object
            Whatever the question takes.
        run : Run
            What is on screen.
        directory : Path or None
            The folder of its document.

        Raises
        ------
        KeyError
            If there is no such question.
        """
        asked = Asked((view, question), self._questions[question], options, run, directory)
        with self._wake:
            if self._state.is_ending:
                return
            self._open[asked.key] = asked
            self._state.waiting.pop(asked.key, None)  # to the end of the queue
            self._state.waiting[asked.key] = asked
            self._state.progress.pop(asked.key, None)
            if self._state.is_resting:  # else nothing is begun: waking the threads would only delay this one
                self._wake.notify_all()
        lane = self._lanes[asked.question.is_long]
        if not lane.isRunning():
            lane.start()

    def cancel(self, view: str, question: str) -> None:
        """Forget a question; nothing more is told of it."""
        with self._wake:
            self._forget((view, question))

    def set_run(self, run: Run) -> None:
        """Forget the questions whose answers would no longer be about what is on screen."""
        with self._wake:
            for key in [key for key, asked in self._open.items() if asked.is_overtaken_by(run)]:
                self._forget(key)

    def set_resting(self, is_resting: bool) -> None:
        """Begin no question while a training run goes on: it would be overtaken, and slow the training."""
        with self._wake:
            if is_resting and not self._state.is_resting:
                self._wake.notify_all()
            self._state.is_resting = is_resting

    def take(self) -> tuple[Told, ...]:
        """Return what has arrived since the last call, progress first."""
        with self._wake:
            state = self._state
            told = (*state.progress.values(), *state.answers)
            state.progress, state.answers = {}, []
            valid = tuple(one for one in told if self._open.get(one.asked.key) is one.asked)
            for one in valid:
                if one.kind != "progress":
                    del self._open[one.asked.key]
        return valid

    def shut_down(self) -> None:
        """End the threads and wait for them: one that still runs at exit would abort the process."""
        with self._wake:
            self._state.is_ending = True
            self._state.waiting.clear()
            self._open.clear()
            self._wake.notify_all()
        for lane in self._lanes.values():
            lane.wait()

    def _forget(self, key: Key) -> None:
        self._open.pop(key, None)
        self._state.waiting.pop(key, None)
        self._state.progress.pop(key, None)

    # -- inside the threads -----------------------------------------------------------------------------

    def _answer_all(self, is_long: bool) -> None:
        """Answer one question after another until told to end."""
        while (asked := self._next(is_long)) is not None:
            try:
                self._send(Told(asked, "answer", self._answer(asked)))
            except Overtaken:
                pass
            except (SpecError, ValueError) as error:
                self._send(Told(asked, "failure", str(error)))
            except MemoryError:
                self._send(Told(asked, "failure", "There is not enough memory to find this out."))
            except Exception as error:  # whatever it is, the window and the other questions live on
                self._send(Told(asked, "failure", f"{type(error).__name__}: {error}"))
            del asked

    def _next(self, is_long: bool) -> Asked | None:
        """Wait for a question; None where there will be none any more."""
        state = self._state

        def waiting() -> Asked | None:
            mine = (asked for asked in state.waiting.values() if asked.question.is_long == is_long)
            return next(mine, None) if state.is_resting else None

        with self._wake:
            while not state.is_ending and waiting() is None:
                self._wake.wait()
            asked = None if state.is_ending else waiting()
            return None if asked is None else state.waiting.pop(asked.key)

    def _answer(self, asked: Asked) -> Any:
        def should_stop() -> bool:
            return self._open.get(asked.key) is not asked

        def tell(words: str, share: float) -> None:
            self._send(Told(asked, "progress", words, share))

        inquiry = Inquiry(asked.run, asked.directory, self._engine, should_stop, tell)
        return asked.question.answer(inquiry, asked.options)

    def _send(self, told: Told) -> None:
        state, key = self._state, told.asked.key
        with self._wake:
            if self._open.get(key) is not told.asked:
                return
            was_empty = not state.answers and not state.progress
            if told.kind == "progress":
                state.progress[key] = told
            else:
                state.progress.pop(key, None)
                state.answers.append(told)
        if was_empty:
            self.arrived.emit()


def _nameless(experiment: Experiment) -> Experiment:
    return msgspec.structs.replace(experiment, name="")
