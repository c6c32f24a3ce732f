"""Conducts a lesson: brings the window to what each page tells, and has the answers judged on the pass it shows."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from PySide6.QtCore import QObject, QTimer, Signal

from gradsim.analysis.lessons import Quantities, Value, blocks, expression, look_step, step_texts, values_of
from gradsim.app.lesson_answers import Answer, answered_for, judged, measured_numbers, question_state
from gradsim.app.lesson_course import (
    Deed,
    Edit,
    Open,
    Place,
    Train,
    deed_words,
    deeds_from_the_start,
    deeds_of,
    place_of,
)
from gradsim.app.session import END, Session
from gradsim.formats.lessons import OpenedLesson, load_lesson, shipped_lessons
from gradsim.spec import Experiment, SpecError
from gradsim.spec.lesson import GoalQuestion, LessonStep, Look, Prediction, text_of
from gradsim.spec.lesson_reading import solved_experiment
from gradsim.trace import Cursor, IterationTrace
from gradsim.views.lessons.state import LessonRow, LessonState


@dataclass(eq=False)
class _Visit:
    """What is remembered of a lesson as long as the window is open."""

    opened: OpenedLesson
    index: int = 0
    seen: set[int] = field(default_factory=set)
    answers: dict[int, Answer] = field(default_factory=dict)
    kept: dict[str, float] = field(default_factory=dict)
    numbers: dict[int, dict[Value, float]] = field(default_factory=dict)
    late_numbers: dict[int, dict[Value, float]] = field(default_factory=dict)
    passes: dict[int, Quantities] = field(default_factory=dict)
    """The pass of a page as it was when the page was reached: what its question is judged on."""

    @property
    def step(self) -> LessonStep:
        return self.opened.lesson.steps[self.index]

    @property
    def answer(self) -> Answer:
        return self.answers.get(self.index, Answer())

    @property
    def is_acted(self) -> bool:
        """Whether edit and training of the page belong to it now, or wait for the answer."""
        return not self.step.asks_first or self.answer.is_over


class Lessons(QObject):
    """Runs one lesson at a time beside the work, which waits.

    Parameters
    ----------
    session : Session
        Is led through the lesson.
    views : tuple of str
        Ids of the views that a lesson may name.
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
    """The lesson is over; its experiment as it was left (Experiment)."""
    failed = Signal(str)

    def __init__(self, session: Session, views: tuple[str, ...], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._views = views
        self._shipped: dict[Path, OpenedLesson] = {}
        self._visits: dict[Path, _Visit] = {}
        self._visit: _Visit | None = None
        self._deeds: list[Deed] = []
        self._present: Deed | None = None
        self._phase: Literal["rest", "doing", "looking"] = "rest"
        self._is_pristine = False
        self._given: tuple[Any] | None = None
        self._shows_answer = False
        self._note = ""
        self._ticker = QTimer(self, interval=0, singleShot=True)
        self._ticker.timeout.connect(self._go_on)
        session.run_changed.connect(self._notice_run)
        session.training_changed.connect(self._notice_training)
        session.document_changed.connect(self._notice_document)
        session.cursor_changed.connect(lambda _: self._wake())
        session.failed.connect(self._notice_failure)
        session.error_raised.connect(self._notice_error)

    @property
    def is_running(self) -> bool:
        """Whether a lesson is on screen."""
        return self._visit is not None

    @property
    def is_busy(self) -> bool:
        """Whether the window is still on its way to the page."""
        return self._phase != "rest"

    # -- beginning and end ------------------------------------------------------------------------------

    def fill_list(self) -> None:
        """Read the lessons that come with GradSim, if that has not been done."""
        if not self._shipped:
            for path in shipped_lessons():
                try:
                    self._shipped[path] = self._read(path)
                except SpecError as error:
                    self.failed.emit(f"The lesson {path.name} cannot be read: {error}")
        self.lessons_changed.emit(tuple(self._row(path, opened) for path, opened in self._shipped.items()))

    def start(self, path: Path) -> bool:
        """Begin a lesson, or go on with it where it was left."""
        visit = self._visits.get(path)
        try:
            opened = self._shipped.get(path) or self._read(path)
        except SpecError as error:
            where = "" if error.path == str(path) else f"{error.path}: "
            self.failed.emit(f"The lesson {path.name} was not opened: {where}{error.reason}")
            return False
        if visit is None or visit.opened.lesson != opened.lesson:
            visit = self._visits[path] = _Visit(opened)
        self._visit = visit
        if visit.index == len(opened.lesson.steps) - 1 and visit.answers:
            visit.index = 0  # it was finished: once more from the beginning, the answers stand
        self._enter(from_scratch=True)
        return True

    def leave(self) -> None:
        """End the lesson; the work comes back."""
        if self._visit is None:
            return
        experiment = self._session.experiment
        self._forget()
        self._session.take_back()
        self.left.emit(experiment)

    def _forget(self) -> None:
        self._visit = None
        self._deeds, self._present, self._phase = [], None, "rest"
        self._given, self._note = None, ""
        self.state_changed.emit(None)
        self.fill_list()

    def _read(self, path: Path) -> OpenedLesson:
        opened = load_lesson(path)
        for index, step in enumerate(opened.lesson.steps):
            if step.look is not None and step.look.view not in (None, *self._views):
                known = ", ".join(self._views)
                raise SpecError(
                    f"$.steps[{index}].look.view", f"there is no view {step.look.view!r}; there are {known}"
                )
        return opened

    def _row(self, path: Path, opened: OpenedLesson) -> LessonRow:
        lesson, visit = opened.lesson, self._visits.get(path)
        answered = sum(a.verdict == "right" for a in visit.answers.values()) if visit else 0
        questions = sum(step.question is not None for step in lesson.steps)
        return LessonRow(path, lesson.title, lesson.summary, len(lesson.steps), answered, questions)

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
            standing, was_acted = visit.index, visit.is_acted
            visit.index = index
            goes_on = by == 1 and was_acted and self._is_pristine and not self.is_busy
            self._enter(from_scratch=not goes_on, came_from=standing if goes_on else None)

    def return_to_page(self) -> None:
        """Bring the window back to what the page tells."""
        if self._visit is not None:
            self._enter(from_scratch=True)

    def answer(self, given: Any) -> None:
        """Answer the question; where it is asked first, edit and training come now."""
        visit = self._visit
        if visit is None or visit.step.question is None or visit.answer.is_over or self.is_busy:
            return
        if isinstance(visit.step.question, Prediction):
            visit.answers[visit.index] = replace(visit.answer, predicted=tuple(given))
        if visit.step.asks_first:
            self._given = (given,)
            self._carry_out(self._waiting_deeds(visit))
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
        question = visit.step.question
        if isinstance(question, GoalQuestion):
            solved = solved_experiment(visit.opened.experiments[visit.index], question)
            deeds: tuple[Deed, ...] = (Open(solved),)
            self._carry_out((*deeds, Train(0, question.train)) if question.train else deeds)
        elif visit.step.asks_first:
            self._carry_out(self._waiting_deeds(visit))
        else:
            self._judge(None)

    def _waiting_deeds(self, visit: _Visit) -> tuple[Deed, ...]:
        if self._is_pristine and visit.index > 0:
            return deeds_of(visit.opened, visit.index)
        return deeds_from_the_start(visit.opened, visit.index)

    # -- on the way to a page ---------------------------------------------------------------------------

    def _enter(self, *, from_scratch: bool, came_from: int | None = None) -> None:
        visit = self._visit
        assert visit is not None
        self._note, self._given, self._shows_answer = "", None, False
        if from_scratch:
            deeds = deeds_from_the_start(visit.opened, visit.index, acted=visit.is_acted)
        else:
            assert came_from is not None
            deeds = deeds_of(visit.opened, visit.index) if visit.is_acted else ()
        self._carry_out(deeds)

    def _carry_out(self, deeds: tuple[Deed, ...]) -> None:
        self._deeds, self._present, self._phase = list(deeds), None, "doing"
        self._is_pristine = False
        if self._session.training.is_training:
            self._session.stop()
        self._publish()
        self._wake()

    def _wake(self) -> None:
        if self.is_busy:
            self._ticker.start()

    def _go_on(self) -> None:
        """Do the next thing as soon as the last one is done."""
        session, visit = self._session, self._visit
        if visit is None or not self.is_busy:
            return
        # The very first thing may be to open an experiment in a window that has none yet.
        is_opening = self._present is None and bool(self._deeds) and isinstance(self._deeds[0], Open)
        if not is_opening and (not session.is_settled or session.run is None):
            return
        if self._present is not None:
            if not self._is_done(self._present):
                self._stumble("The training was stopped before its end.")
                return
            self._present = None
        if self._deeds:
            self._present = self._deeds.pop(0)
            self._do(self._present)
            self._publish()
            self._wake()
        elif self._phase == "looking":
            if self._stands_at_look():
                self._phase = "rest"
                self._arrive()
        else:
            self._phase = "looking"
            self._look()
            self._wake()

    def _do(self, deed: Deed) -> None:
        session, visit = self._session, self._visit
        assert visit is not None
        match deed:
            case Open(experiment=experiment):
                words = f"Lesson “{visit.opened.lesson.title}”"
                session.open_aside(experiment, visit.opened.directory, words)
            case Edit(experiment=experiment, iteration=iteration):
                if session.cursor.iteration != iteration:
                    session.seek(Cursor(iteration, END))
                    self._deeds.insert(0, deed)
                    self._present = None
                    return
                session.edit(experiment, f"Lesson, step {visit.index + 1}")
            case Train(start=start, end=end):
                if session.cursor.iteration != start:
                    session.seek(Cursor(start, END))
                    self._deeds.insert(0, deed)
                    self._present = None
                    return
                session.train(end - start)

    def _is_done(self, deed: Deed) -> bool:
        run = self._session.run
        if run is None:
            return False
        if isinstance(deed, Train):
            return run.trace.iteration == deed.end
        return run.experiment == deed.experiment

    def _look(self) -> None:
        session, visit = self._session, self._visit
        assert visit is not None
        assert session.run is not None
        look = visit.step.look or Look()
        layer = self._layer_index(session.run.trace, look.layer)
        if look.view is not None:
            self.view_requested.emit(look.view)
        session.select(layer, look.unit if layer is not None else None)
        session.seek(self._wanted_cursor(session.run.trace, look))

    def _layer_index(self, trace: IterationTrace, name: str | None) -> int | None:
        return next((layer.index for layer in trace.layers if layer.name == name), None)

    def _wanted_cursor(self, trace: IterationTrace, look: Look) -> Cursor:
        iteration = look.iteration if look.iteration is not None else self._place().iteration
        step = look_step(trace, look)
        return Cursor(iteration, END if step is None else step)

    def _place(self) -> Place:
        visit = self._visit
        assert visit is not None
        question = visit.step.question
        if isinstance(question, GoalQuestion) and self._shows_answer:
            return Place(solved_experiment(visit.opened.experiments[visit.index], question), question.train)
        acted = visit.is_acted or self._given is not None or self._shows_answer
        return place_of(visit.opened, visit.index, acted=acted)

    def _stands_at_look(self) -> bool:
        session = self._session
        assert self._visit is not None
        if session.run is None:
            return False
        wanted = self._wanted_cursor(session.run.trace, self._visit.step.look or Look())
        if session.run.trace.iteration != wanted.iteration:
            self._look()
            self._wake()
            return False
        return True

    def _arrive(self) -> None:
        """Measure the numbers of the page that the window has come to, and judge what was answered before."""
        session, visit = self._session, self._visit
        assert visit is not None
        assert session.run is not None
        acted = visit.is_acted or self._given is not None or self._shows_answer
        found = Quantities(session.run.trace, session.run.history, dict(visit.kept))
        if acted and not (isinstance(visit.step.question, GoalQuestion) and self._shows_answer):
            for name, formula in visit.step.keep.items():
                visit.kept[name] = expression(formula).value(found)
            found.kept = dict(visit.kept)
        visit.passes[visit.index] = found
        visit.seen.add(visit.index)
        if visit.index not in visit.numbers or not visit.step.asks_first:
            visit.numbers[visit.index] = self._measured(visit, found, late=False)
        self._is_pristine = True
        if self._given is not None or self._shows_answer:
            given, self._given = self._given, None
            self._judge(given[0] if given is not None else None)
        elif visit.answer.is_over:
            visit.late_numbers.setdefault(visit.index, self._measured(visit, found, late=True))
        self._publish()

    def _measured(self, visit: _Visit, found: Quantities, *, late: bool) -> dict[Value, float]:
        texts = [text for _, text, is_late in step_texts(visit.step, "$") if is_late is late]
        return measured_numbers({v: v.expression for text in texts for v in values_of(text)}, found)

    def _judge(self, given: Any) -> None:
        visit = self._visit
        assert visit is not None
        assert visit.step.question is not None
        found = visit.passes[visit.index]
        if self._shows_answer:
            answer = answered_for(visit.step.question, visit.answer, found)
            self._shows_answer = False
            self._is_pristine = self._is_pristine and not isinstance(visit.step.question, GoalQuestion)
        else:
            answer = judged(visit.step.question, visit.answer, given, found)
            if visit.step.asks_first and answer.verdict == "wrong":
                # The experiment has been made: there is nothing left to guess.
                shown = answered_for(visit.step.question, answer, found)
                answer = replace(shown, remark=f"No. {shown.remark}", given=given)
        visit.answers[visit.index] = answer
        if answer.is_over or answer.given is not None:
            visit.late_numbers[visit.index] = self._measured(visit, found, late=True)
        self._publish()

    # -- what happens meanwhile -------------------------------------------------------------------------

    def _notice_run(self, run: Any) -> None:
        visit = self._visit
        if visit is not None and not self.is_busy and isinstance(visit.step.question, GoalQuestion):
            self._watch_goal(visit)
        self._wake()

    def _watch_goal(self, visit: _Visit) -> None:
        run = self._session.run
        if run is None or visit.answer.is_over or visit.index not in visit.passes or self._is_pristine:
            return
        found = Quantities(run.trace, run.history, dict(visit.kept))
        question = visit.step.question
        assert isinstance(question, GoalQuestion)
        answer = judged(question, visit.answer, None, found)
        if answer != visit.answer:
            visit.answers[visit.index] = answer
            if answer.is_over:
                visit.late_numbers[visit.index] = self._measured(visit, found, late=True)
            self._publish()

    def _notice_training(self, training: Any) -> None:
        if training.is_training and not self.is_busy:
            self._is_pristine = False
        self._wake()

    def _notice_document(self, document: Any) -> None:
        if self._visit is None:
            return
        if not self._session.is_aside:
            if not self.is_busy:  # somebody opened a file: the lesson is over
                self._forget()
            return
        if not self.is_busy:
            self._is_pristine = False
            is_free = isinstance(self._visit.step.question, GoalQuestion)
            moved = document.experiment != self._place().experiment
            note = "The experiment is no longer that of this page." if moved and not is_free else ""
            if note != self._note:
                self._note = note
                self._publish()
        self._wake()

    def _notice_error(self, error: SpecError | None) -> None:
        if error is not None:
            self._notice_failure(str(error))

    def _notice_failure(self, words: str) -> None:
        if self._visit is not None and self.is_busy:
            self._stumble(words)

    def _stumble(self, words: str) -> None:
        self._deeds, self._present, self._phase = [], None, "rest"
        self._given, self._shows_answer = None, False
        self._note = words
        self._publish()
        if not self._session.is_aside:
            self._forget()

    # -- the page ---------------------------------------------------------------------------------------

    def _publish(self) -> None:
        visit = self._visit
        if visit is None:
            return
        lesson, index = visit.opened.lesson, visit.index
        state = LessonState(
            lesson=lesson.title,
            title=visit.step.title,
            index=index,
            count=len(lesson.steps),
            marks=tuple(self._mark(visit, number) for number in range(len(lesson.steps))),
            text=blocks(text_of(visit.step.text)),
            deeds=self._deed_words(visit) if visit.is_acted else (),
            numbers=visit.numbers.get(index, {}),
            busy=self._busy_words(),
            note=self._note,
            question=question_state(
                visit.step,
                visit.answer,
                visit.opened.experiments[index],
                visit.late_numbers.get(index, {}),
            ),
        )
        self.state_changed.emit(state)

    def _mark(self, visit: _Visit, number: int) -> str:
        answer = visit.answers.get(number)
        if answer is not None and answer.verdict == "right":
            return "right"
        if visit.opened.lesson.steps[number].question is not None and (answer is None or not answer.is_over):
            return "open"
        return "seen" if number in visit.seen else ""

    def _deed_words(self, visit: _Visit) -> tuple[str, ...]:
        before: Experiment = place_of(visit.opened, visit.index, acted=False).experiment
        return tuple(deed_words(deed, before) for deed in deeds_of(visit.opened, visit.index))

    def _busy_words(self) -> str:
        match self._present:
            case Train(start=start, end=end):
                return f"Training {end - start:,} iterations …"
            case Open() | Edit():
                return "Building the network …"
        return "Getting there …" if self.is_busy else ""
