"""What the lesson panel shows, as values: it decides nothing itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from gradsim.analysis.lessons import Block, Value

Verdict = Literal["right", "wrong", "shown"]


@dataclass(frozen=True, slots=True)
class LessonRow:
    """One lesson in the list.

    Attributes
    ----------
    key : object
        What ``lesson_requested`` hands up.
    title, summary : str
        As in the lesson.
    steps, answered, questions : int
        How many steps and questions it has, and how many of those were answered rightly in this window.
    """

    key: Any
    title: str
    summary: str
    steps: int
    answered: int
    questions: int


@dataclass(frozen=True, slots=True, eq=False)
class Drawing:
    """A profile to be drawn by hand.

    Attributes
    ----------
    names : tuple of str
        Of the layers.
    what : str
        What is drawn, for the axis.
    tensor : str
        Decides the colour.
    reference : int
        The layer that stays at 10⁰.
    lowest, highest : float
        Ends of the axis, in powers of ten.
    predicted : tuple of float
        What was drawn.
    measured : tuple of float or None
        What the pass gave; None until it is revealed.
    """

    names: tuple[str, ...]
    what: str
    tensor: str
    reference: int
    lowest: float
    highest: float
    predicted: tuple[float, ...]
    measured: tuple[float, ...] | None


@dataclass(frozen=True, slots=True, eq=False)
class QuestionState:
    """A question and how far it is answered.

    Attributes
    ----------
    kind : {"number", "choice", "goal", "predict"}
        What is asked for.
    prompt, explanation : tuple of Block
        The explanation is empty until the question is answered.
    hints : tuple of tuple of Block
        Those asked for so far.
    hints_left : int
        How many more there are.
    choices : tuple of (tuple of Block, tuple of Block)
        Each with its reply.
    given : str, int or None
        What was last answered: the text typed or the number of the choice.
    right_choice : int or None
        Known once it has been shown or chosen.
    verdict : {"right", "wrong", "shown"} or None
        None until answered.
    remark : str
        One sentence about the answer.
    drawing : Drawing or None
        Of a prediction.
    late_numbers : mapping from Value to float
        What explanation and replies show: measured when the question was answered.
    """

    kind: Literal["number", "choice", "goal", "predict"]
    prompt: tuple[Block, ...]
    explanation: tuple[Block, ...] = ()
    hints: tuple[tuple[Block, ...], ...] = ()
    hints_left: int = 0
    choices: tuple[tuple[tuple[Block, ...], tuple[Block, ...]], ...] = ()
    given: Any = None
    right_choice: int | None = None
    verdict: Verdict | None = None
    remark: str = ""
    drawing: Drawing | None = None
    late_numbers: Mapping[Value, float] = field(default_factory=dict)

    @property
    def is_over(self) -> bool:
        """Whether nothing more can be answered."""
        return self.verdict in ("right", "shown")


@dataclass(frozen=True, slots=True, eq=False)
class LessonState:
    """One page.

    Attributes
    ----------
    lesson, title : str
        Titles of the lesson and of the step.
    index, count : int
        Which step of how many.
    marks : tuple of str
        One per step: ``"right"``, ``"open"`` (has a question that waits), ``"seen"`` or ``""``.
    text : tuple of Block
        The page.
    deeds : tuple of str
        What opening the page does or did to the experiment.
    numbers : mapping from Value to float
        What was measured; a value that is missing is not known yet.
    busy : str
        What is being done, empty where nothing is.
    note : str
        Why the window does not show what the page tells; empty where it does.
    question : QuestionState or None
        The question of the page.
    """

    lesson: str
    title: str
    index: int
    count: int
    marks: tuple[str, ...]
    text: tuple[Block, ...]
    deeds: tuple[str, ...] = ()
    numbers: Mapping[Value, float] = field(default_factory=dict)
    busy: str = ""
    note: str = ""
    question: QuestionState | None = None
