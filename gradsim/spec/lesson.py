"""Lessons: an experiment and the steps that lead through it, as a document a teacher can write.

What a step says in numbers and asks in formulas is text here; ``gradsim.analysis.lessons`` reads and checks it.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from gradsim.spec.experiment import Experiment
from gradsim.spec.struct import Kind, Spec

LESSON_VERSION = 1
MAX_STEPS = 50
MAX_TRAINING = 100_000

Paragraph = Annotated[str, Meta(max_length=8000)]
Text = Annotated[
    Paragraph | tuple[Paragraph, ...],
    Meta(
        title="Text",
        description="Text, or a list of paragraphs, with **bold**, *italic*, `code`, - lists, | tables |, $formulas$, "
        "$$formulas on a line of their own$$ and numbers: {{loss}} is measured, {{0.026 = loss}} written and checked, "
        "{{0.027 != loss}} written and must be wrong, {{0.025 ~ loss}} may be 10 % off",
    ),
]
Line = Annotated[str, Meta(max_length=300, title="Line")]
Formula = Annotated[
    str,
    Meta(
        max_length=300,
        title="Expression",
        description="Such as loss, dense_2.delta rms, head.weight[0,0] or sigmoid(0.5); evaluated on the real pass",
    ),
]
Comparison = Annotated[
    str,
    Meta(max_length=300, title="Condition", description="Such as loss < 0.3 and dense_1.delta zeros > 0"),
]
ViewName = Literal[
    "network",
    "builder",
    "lessons",
    "gradient_profile",
    "cause",
    "history_map",
    "loss",
    "activation",
    "jacobian",
    "distributions",
    "update_ratio",
    "proof",
    "cost",
    "decision_map",
    "time_map",
    "inspector",
    "diagnosis",
]
"""The views of the window by the ids of ``app.views_table``, so that a lesson can be checked without a window."""
Training = Annotated[int, Meta(ge=0, le=MAX_TRAINING, title="Train", description="Iterations")]


def text_of(text: str | tuple[str, ...]) -> str:
    """Return a text in one piece.

    Parameters
    ----------
    text : str or tuple of str
        As the document has it.

    Returns
    -------
    str
        Paragraphs with an empty line between them; the lines of a list or a table stay together.
    """
    if isinstance(text, str):
        return text
    joined = ""
    for before, paragraph in zip(("", *text), text, strict=False):
        together = before[:1] == paragraph[:1] and paragraph[:1] in ("-", "|")
        joined += ("" if not joined else "\n" if together else "\n\n") + paragraph
    return joined


class Look(Spec, frozen=True, kw_only=True):
    """Where the window shall look."""

    view: Annotated[ViewName | None, Meta(title="View", description="Brought to the front")] = None
    layer: Annotated[str | None, Meta(title="Layer", description="Name of the selected layer")] = None
    unit: Annotated[int | None, Meta(title="Unit", description="Number of the selected unit, from 0")] = None
    iteration: Annotated[
        int | None, Meta(title="Iteration", description="Left out: where the training has come to")
    ] = None
    phase: Annotated[
        Literal["forward", "loss", "backward", "clip", "update"] | None,
        Meta(title="Phase", description="Of the iteration; with layer and operation the step it is told at"),
    ] = None
    operation: Annotated[
        str | None,
        Meta(title="Operation", description="Such as linear, activation, delta or weight_gradient"),
    ] = None


class _Question(Kind, frozen=True, kw_only=True):
    prompt: Text
    hints: Annotated[
        tuple[Text, ...], Meta(max_length=5, title="Hints", description="Shown one after the other")
    ] = ()
    explanation: Annotated[Text, Meta(description="Shown when the question is answered")] = ""


class NumberQuestion(_Question, frozen=True, kw_only=True, tag="number"):
    """A number, compared with the value of an expression on the real pass."""

    answer: Formula
    tolerance: Annotated[
        float, Meta(ge=0.0, le=1.0, title="Tolerance", description="Share of the answer it may be off")
    ] = 0.01
    margin: Annotated[
        float,
        Meta(ge=0.0, le=1e30, title="Margin", description="How much it may be off, whatever the answer"),
    ] = 0.0


class Choice(Spec, frozen=True, kw_only=True):
    """One of several answers; right by a condition on the real pass, or because it is said to be."""

    text: Line
    when: Annotated[Comparison | None, Meta(title="Right when", description="Measured on the real pass")] = (
        None
    )
    right: Annotated[bool, Meta(title="Right", description="Where nothing can be measured")] = False
    reply: Annotated[Text, Meta(description="Said to those who chose this")] = ""


class ChoiceQuestion(_Question, frozen=True, kw_only=True, tag="choice"):
    """Several answers of which exactly one is right."""

    choices: Annotated[tuple[Choice, ...], Meta(min_length=2, max_length=8, title="Choices")]


class GoalQuestion(_Question, frozen=True, kw_only=True, tag="goal"):
    """Something to be brought about with the builder and by training: right as soon as it holds on screen."""

    condition: Comparison
    solution: Annotated[
        dict[str, Any],
        Meta(
            title="Solution", description="One edit that leads there: path → value; how the lesson is checked"
        ),
    ] = msgspec.field(default_factory=dict)
    train: Annotated[Training, Meta(description="Iterations after that edit")] = 0


class Prediction(_Question, frozen=True, kw_only=True, tag="predict"):
    """A profile that is drawn by hand before the measured one is revealed.

    It is drawn relative to where the signal comes from: the head on the way back, the first layer on the way
    forward.
    """

    of: Annotated[
        Literal["delta", "activation", "weight_gradient"],
        Meta(title="Tensor", description="Its rms per layer"),
    ] = "delta"
    lowest: Annotated[
        float,
        Meta(ge=-60.0, lt=0.0, title="Lowest", description="Lower end of the picture, in powers of ten"),
    ] = -8.0
    highest: Annotated[
        float,
        Meta(gt=0.0, le=60.0, title="Highest", description="Upper end of the picture, in powers of ten"),
    ] = 2.0
    tolerance: Annotated[
        float,
        Meta(
            gt=0.0,
            le=10.0,
            title="Tolerance",
            description="Mean distance in powers of ten that is still right",
        ),
    ] = 0.5


Question = NumberQuestion | ChoiceQuestion | GoalQuestion | Prediction


class LessonStep(Spec, frozen=True, kw_only=True):
    """One page of a lesson and what happens when it is opened: edit, training, look, in this order."""

    title: Annotated[str, Meta(min_length=1, max_length=80, title="Title")]
    text: Text
    edit: Annotated[
        dict[str, Any],
        Meta(
            title="Edit", description="Path in the experiment → value, such as network.layers[*].activation"
        ),
    ] = msgspec.field(default_factory=dict)
    restart: Annotated[
        bool, Meta(title="Restart", description="From iteration 0, also where only the training was edited")
    ] = False
    train: Training = 0
    keep: Annotated[
        dict[str, str],
        Meta(title="Keep", description="Name → expression whose value later steps may use under that name"),
    ] = msgspec.field(default_factory=dict)
    look: Look | None = None
    question: Annotated[Question | None, Meta(title="Question")] = None
    ask_first: Annotated[
        bool,
        Meta(
            title="Ask first",
            description="Edit and train when the question is answered; a prediction always does",
        ),
    ] = False

    @property
    def asks_first(self) -> bool:
        """Whether edit and training wait for the answer."""
        return self.question is not None and (self.ask_first or isinstance(self.question, Prediction))


class Lesson(Spec, frozen=True, kw_only=True):
    """A lesson as its file has it."""

    version: Annotated[int, Meta(ge=1)] = msgspec.field(name="gradsim_lesson", default=LESSON_VERSION)
    title: Annotated[str, Meta(min_length=1, max_length=80, title="Title")]
    summary: Annotated[Line, Meta(title="Summary", description="One sentence for the list of lessons")] = ""
    experiment: Annotated[
        Experiment | str,
        Meta(
            title="Experiment", description="As in its own file, or the name of one that comes with GradSim"
        ),
    ]
    steps: Annotated[tuple[LessonStep, ...], Meta(min_length=1, max_length=MAX_STEPS, title="Steps")]
