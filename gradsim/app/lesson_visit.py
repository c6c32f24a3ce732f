"""What is remembered of a lesson while the window is open, and the page that the panel shows of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from gradsim.analysis.lessons import (
    Expression,
    ExpressionError,
    Quantities,
    Value,
    blocks,
    expression,
    step_texts,
    values_of,
)
from gradsim.app.lesson_answers import Answer
from gradsim.app.lesson_course import Deed, Place, deed_words, deeds_from_the_start, deeds_of, place_of
from gradsim.app.lesson_question import question_state
from gradsim.formats.lessons import OpenedLesson
from gradsim.spec.lesson import LessonStep, text_of
from gradsim.views.lessons.state import LessonRow, LessonState


@dataclass(eq=False)
class Visit:
    """One lesson with its answers.

    Attributes
    ----------
    opened : OpenedLesson
        The lesson.
    index : int
        The page that is shown.
    seen : set of int
        Pages that the window has come to.
    answers : dict from int to Answer
        By page.
    kept : dict from str to float
        Values that pages kept by name.
    numbers, late_numbers : dict from int to dict from Value to float
        What the texts of a page show: measured when the window came to it, and when its question was answered.
    passes : dict from int to Quantities
        The pass of a page as it was when the window came to it: what its question is judged on.
    """

    opened: OpenedLesson
    index: int = 0
    seen: set[int] = field(default_factory=set)
    answers: dict[int, Answer] = field(default_factory=dict)
    kept: dict[str, float] = field(default_factory=dict)
    numbers: dict[int, dict[Value, float]] = field(default_factory=dict)
    late_numbers: dict[int, dict[Value, float]] = field(default_factory=dict)
    passes: dict[int, Quantities] = field(default_factory=dict)

    @property
    def step(self) -> LessonStep:
        """The step that is shown."""
        return self.opened.lesson.steps[self.index]

    @property
    def answer(self) -> Answer:
        """How far its question is answered."""
        return self.answers.get(self.index, Answer())

    @property
    def is_acted(self) -> bool:
        """Whether edit and training of the page belong to it now, or wait for the answer."""
        return not self.step.asks_first or self.answer.is_over

    def place(self, *, acted: bool) -> Place:
        """Return where the window stands at the page."""
        return place_of(self.opened, self.index, acted=acted)

    def own_deeds(self) -> tuple[Deed, ...]:
        """Return what leads from the page before to this one, as far as it does not wait for the answer."""
        return deeds_of(self.opened, self.index) if self.is_acted else ()

    def whole_way(self) -> tuple[Deed, ...]:
        """Return what leads from the start to the page as it stands."""
        return deeds_from_the_start(self.opened, self.index, acted=self.is_acted)

    def waiting_deeds(self, *, is_before: bool) -> tuple[Deed, ...]:
        """Return what comes with the answer; ``is_before`` where the window stands right before it."""
        if is_before and self.index > 0:
            return deeds_of(self.opened, self.index)
        return deeds_from_the_start(self.opened, self.index)

    def keep_values(self, found: Quantities) -> None:
        """Remember what the page wants later pages to know."""
        for name, formula in self.step.keep.items():
            self.kept[name] = expression(formula).value(found)
        found.kept = dict(self.kept)

    def come_to(self, found: Quantities) -> None:
        """Remember the pass of the page and measure its numbers."""
        self.passes[self.index] = found
        self.seen.add(self.index)
        if self.index not in self.numbers or not self.step.asks_first:
            self.numbers[self.index] = self._measured(found, late=False)

    def measure_late(self, found: Quantities) -> None:
        """Measure what is read after the question has been answered."""
        self.late_numbers[self.index] = self._measured(found, late=True)

    def _measured(self, found: Quantities, *, late: bool) -> dict[Value, float]:
        texts = [text for _, text, is_late in step_texts(self.step, "$") if is_late is late]
        return measured_numbers({v: v.expression for text in texts for v in values_of(text)}, found)

    def state(self, busy: str, note: str) -> LessonState:
        """Return the page for the panel.

        Parameters
        ----------
        busy : str
            What is being done.
        note : str
            Why the window shows something else.

        Returns
        -------
        LessonState
            A new one.
        """
        lesson, index = self.opened.lesson, self.index
        before = self.place(acted=False).experiment
        return LessonState(
            lesson=lesson.title,
            title=self.step.title,
            index=index,
            count=len(lesson.steps),
            marks=tuple(self._mark(number) for number in range(len(lesson.steps))),
            text=blocks(text_of(self.step.text)),
            deeds=tuple(deed_words(deed, before) for deed in self.own_deeds()),
            numbers=self.numbers.get(index, {}),
            busy=busy,
            note=note,
            question=question_state(
                self.step, self.answer, self.opened.experiments[index], self.late_numbers.get(index, {})
            ),
        )

    def _mark(self, number: int) -> str:
        answer = self.answers.get(number)
        if answer is not None and answer.verdict == "right":
            return "right"
        if self.opened.lesson.steps[number].question is not None and (answer is None or not answer.is_over):
            return "open"
        return "seen" if number in self.seen else ""


def lesson_row(key: object, opened: OpenedLesson, visit: Visit | None) -> LessonRow:
    """Return a lesson for the list.

    Parameters
    ----------
    key : object
        What the list hands back.
    opened : OpenedLesson
        The lesson.
    visit : Visit or None
        With its answers, where it has been begun.

    Returns
    -------
    LessonRow
        A new one.
    """
    lesson = opened.lesson
    answered = sum(answer.verdict == "right" for answer in visit.answers.values()) if visit else 0
    questions = sum(step.question is not None for step in lesson.steps)
    return LessonRow(key, lesson.title, lesson.summary, len(lesson.steps), answered, questions)


def measured_numbers(values: Mapping[Value, Expression], pass_: Quantities) -> dict[Value, float]:
    """Return what the numbers of a text are on a pass; one that it does not have is left out."""
    found = {}
    for value, what in values.items():
        try:
            found[value] = what.value(pass_)
        except ExpressionError:
            continue
    return found
