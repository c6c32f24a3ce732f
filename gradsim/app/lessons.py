"""The lesson that runs: its pages forth and back, its questions, and the work that waits meanwhile."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal

from gradsim.analysis.lessons import Quantities
from gradsim.app.lesson_answers import answered_for, judged
from gradsim.app.lesson_course import Deed, Open, Place, Train
from gradsim.app.lesson_shelf import LessonShelf
from gradsim.app.lesson_visit import Visit
from gradsim.app.lesson_way import Goal, Way
from gradsim.app.session import Session
from gradsim.spec import SpecError
from gradsim.spec.lesson import GoalQuestion, Look, Prediction
from gradsim.spec.lesson_reading import solved_experiment
from gradsim.views.lessons.state import LessonRow


class Lessons(QObject):
    """Runs one lesson at a time beside the work, which waits.

    Parameters
    ----------
    session : Session
        Is led through the lesson.
    parent : QObject or None
        Owner in the sense of Qt.
    """

    lessons_changed = Signal(object)
    """Rows for the list (tuple of LessonRow)."""
    state_changed = Signal(object)
    """The page (LessonState), or None when no lesson runs."""
    view_requested = Signal(str)
    """A view that the page wants to be seen."""
    left = Signal(object)
    """The lesson is over: the experiment that the person made in it (Experiment), or None if it was the page's."""
    failed = Signal(str)

    def __init__(self, session: Session, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._shelf = LessonShelf()
        self._visit: Visit | None = None
        self._way = Way(session, self)
        self._is_pristine = False
        self._given: tuple[Any] | None = None
        self._shows_answer = False
        self._note = ""
        self._way.arrived.connect(self._arrive)
        self._way.moved.connect(self._publish)
        self._way.stumbled.connect(self._stumble)
        self._way.view_requested.connect(self.view_requested)
        session.run_changed.connect(self._notice_run)
        session.training_changed.connect(self._notice_training)
        session.document_changed.connect(self._notice_document)

    @property
    def is_running(self) -> bool:
        """Whether a lesson is on screen."""
        return self._visit is not None

    @property
    def is_busy(self) -> bool:
        """Whether the window is still on its way to the page."""
        return self._way.is_busy

    # -- beginning and end ------------------------------------------------------------------------------

    def fill_list(self) -> None:
        """Read the lessons that come with GradSim, if that has not been done."""
        self.lessons_changed.emit(self.rows())

    def rows(self) -> tuple[LessonRow, ...]:
        """Return the lessons that come with GradSim, as a list shows them."""
        for fault in self._shelf.fill():
            self.failed.emit(fault)
        return self._shelf.rows()

    def start(self, path: Path) -> bool:
        """Begin a lesson, or go on with it where it was left; False where it cannot be read."""
        try:
            visit = self._shelf.visit(path)
        except SpecError as error:
            where = "" if error.path == str(path) else f"{error.path}: "
            self.failed.emit(f"The lesson {path.name} was not opened: {where}{error.reason}")
            return False
        self._visit = visit
        if visit.index == len(visit.opened.lesson.steps) - 1 and visit.answers:
            visit.index = 0  # it was finished: once more from the beginning, the answers stand
        self._enter(visit.whole_way())
        return True

    def leave(self) -> None:
        """End the lesson; the work comes back."""
        if self._visit is None:
            return
        experiment = self._session.experiment
        own = experiment if experiment != self._place().experiment and not self.is_busy else None
        self._forget()
        self._session.take_back()
        self.left.emit(own)

    def _forget(self) -> None:
        self._visit = None
        self._way.stop()
        self._given, self._shows_answer, self._note = None, False, ""
        self.state_changed.emit(None)
        self.fill_list()

    # -- what people wish -------------------------------------------------------------------------------

    def move(self, by: int) -> None:
        """Go to the next page or the one before; past the last one the lesson ends."""
        visit = self._visit
        if visit is None:
            return
        index = visit.index + by
        if index >= len(visit.opened.lesson.steps):
            self.leave()
        elif index >= 0:
            goes_on = by == 1 and visit.is_acted and self._is_pristine and not self.is_busy
            visit.index = index
            self._enter(visit.own_deeds() if goes_on else visit.whole_way())

    def return_to_page(self) -> None:
        """Bring the window back to what the page tells."""
        if (visit := self._visit) is not None:
            self._enter(visit.whole_way())

    def answer(self, given: Any) -> None:
        """Answer the question; where it is asked first, edit and training come now."""
        visit = self._visit
        if visit is None or visit.step.question is None or visit.answer.is_over or self.is_busy:
            return
        if isinstance(visit.step.question, Prediction):
            self.predict(given)
        if visit.step.asks_first:
            self._given = (given,)
            self._go(visit.waiting_deeds(is_before=self._is_pristine))
        elif visit.index in visit.passes:
            self._judge(given)

    def predict(self, points: tuple[float, ...]) -> None:
        """Remember a profile that is being drawn."""
        visit = self._visit
        if visit is not None and not visit.answer.is_over:
            visit.answers[visit.index] = replace(visit.answer, predicted=tuple(points))

    def give_hint(self) -> None:
        """Show one more hint."""
        visit = self._visit
        if visit is not None and visit.step.question is not None:
            hints = min(visit.answer.hints + 1, len(visit.step.question.hints))
            visit.answers[visit.index] = replace(visit.answer, hints=hints)
            self._publish()

    def show_answer(self) -> None:
        """Answer in the place of the person; a goal is reached before their eyes."""
        visit = self._visit
        if visit is None or visit.step.question is None or visit.answer.is_over or self.is_busy:
            return
        self._shows_answer = True
        if isinstance(visit.step.question, GoalQuestion):
            place = self._place()
            training = (Train(0, place.iteration),) if place.iteration else ()
            self._go((Open(place.experiment), *training))
        elif visit.step.asks_first:
            self._go(visit.waiting_deeds(is_before=self._is_pristine))
        else:
            self._judge(None)

    # -- to a page and on it ----------------------------------------------------------------------------

    def _enter(self, deeds: Iterable[Deed]) -> None:
        self._note, self._given, self._shows_answer = "", None, False
        self._go(deeds)

    def _go(self, deeds: Iterable[Deed]) -> None:
        visit = self._visit
        assert visit is not None
        self._is_pristine = False
        goal = Goal(
            visit.step.look or Look(),
            self._place().iteration,
            visit.opened.lesson.title,
            visit.index,
            visit.opened.directory,
        )
        self._way.go(deeds, goal)
        self._publish()

    def _place(self) -> Place:
        """Return where the window is meant to stand."""
        visit = self._visit
        assert visit is not None
        question = visit.step.question
        if isinstance(question, GoalQuestion) and self._shows_answer:
            return Place(solved_experiment(visit.opened.experiments[visit.index], question), question.train)
        return visit.place(acted=visit.is_acted or self._given is not None or self._shows_answer)

    def _arrive(self) -> None:
        """Measure the numbers of the page that the window has come to, and judge what was answered before."""
        visit, run = self._visit, self._session.run
        assert visit is not None
        assert run is not None
        is_solution = isinstance(visit.step.question, GoalQuestion) and self._shows_answer
        found = Quantities(run.trace, run.history, dict(visit.kept))
        if is_solution:
            visit.passes[visit.index] = found
        else:
            if visit.is_acted or self._given is not None or self._shows_answer:
                visit.keep_values(found)
            visit.come_to(found)
        self._is_pristine = not is_solution
        if self._given is not None or self._shows_answer:
            given, self._given = self._given, None
            self._judge(given[0] if given is not None else None)
        elif visit.answer.is_over and visit.index not in visit.late_numbers:
            visit.measure_late(found)
        self._publish()

    def _judge(self, given: Any) -> None:
        visit = self._visit
        assert visit is not None
        question, found = visit.step.question, visit.passes[visit.index]
        assert question is not None
        if self._shows_answer:
            answer = answered_for(question, visit.answer, found)
            self._shows_answer = False
        else:
            answer = judged(question, visit.answer, given, found)
            if visit.step.asks_first and answer.verdict == "wrong":
                # The experiment has been made: there is nothing left to guess.
                shown = answered_for(question, answer, found)
                answer = replace(shown, remark=f"No. {shown.remark}", given=given)
        visit.answers[visit.index] = answer
        if answer.is_over or answer.given is not None:
            visit.measure_late(found)
        self._publish()

    def _publish(self) -> None:
        if self._visit is not None:
            self.state_changed.emit(self._visit.state(self._way.words, self._note))

    # -- what happens meanwhile -------------------------------------------------------------------------

    def _notice_run(self, run: Any) -> None:
        visit = self._visit
        if visit is None or self.is_busy or self._is_pristine or visit.index not in visit.passes:
            return
        question = visit.step.question
        if not isinstance(question, GoalQuestion) or visit.answer.is_over:
            return
        found = Quantities(run.trace, run.history, dict(visit.kept))
        answer = judged(question, visit.answer, None, found)
        if answer != visit.answer:
            visit.answers[visit.index] = answer
            if answer.is_over:
                visit.measure_late(found)
            self._publish()

    def _notice_training(self, training: Any) -> None:
        if training.is_training and not self.is_busy:
            self._is_pristine = False

    def _notice_document(self, document: Any) -> None:
        visit = self._visit
        if visit is None or self.is_busy:
            return
        if not self._session.is_aside:  # somebody opened a file: the lesson is over
            self._forget()
            return
        self._is_pristine = False
        is_free = isinstance(visit.step.question, GoalQuestion)
        moved = document.experiment != self._place().experiment
        note = "The experiment is no longer that of this page." if moved and not is_free else ""
        if note != self._note:
            self._note = note
            self._publish()

    def _stumble(self, words: str) -> None:
        self._given, self._shows_answer, self._note = None, False, words
        if self._session.is_aside:
            self._publish()
        else:
            self._forget()
