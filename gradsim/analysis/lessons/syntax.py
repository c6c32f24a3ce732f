"""What can be said of a lesson without running it: its texts, and whether all that they name exists."""

from __future__ import annotations

from collections.abc import Iterator

from gradsim.analysis.lessons.expression import condition, expression
from gradsim.analysis.lessons.expression_tree import Condition, Expression, ExpressionError
from gradsim.analysis.lessons.quantities import WHOLE
from gradsim.analysis.lessons.text import values_of
from gradsim.spec import Experiment, SpecError, unrolled_layers
from gradsim.spec.lesson import ChoiceQuestion, GoalQuestion, Lesson, LessonStep, NumberQuestion, text_of
from gradsim.spec.lesson_reading import step_experiments
from gradsim.spec.limits import suggestion


def step_texts(step: LessonStep, place: str) -> Iterator[tuple[str, str, bool]]:
    """Yield every text of a step.

    Parameters
    ----------
    step : LessonStep
        Any step.
    place : str
        Its JSON path.

    Yields
    ------
    (str, str, bool)
        Path, text, and whether it is read only after the question has been answered.
    """
    yield f"{place}.text", text_of(step.text), False
    question = step.question
    if question is None:
        return
    yield f"{place}.question.prompt", text_of(question.prompt), False
    for index, hint in enumerate(question.hints):
        yield f"{place}.question.hints[{index}]", text_of(hint), False
    if isinstance(question, ChoiceQuestion):
        for index, choice in enumerate(question.choices):
            yield f"{place}.question.choices[{index}].text", choice.text, False
            yield f"{place}.question.choices[{index}].reply", text_of(choice.reply), True
    yield f"{place}.question.explanation", text_of(question.explanation), True


def check_syntax(lesson: Lesson, experiment: Experiment) -> None:
    """Refuse a lesson whose texts, expressions, edits or layers cannot be right, without running anything.

    Parameters
    ----------
    lesson : Lesson
        Any lesson.
    experiment : Experiment
        The one it begins with.

    Raises
    ------
    SpecError
        With the place and the reason of the first fault.
    """
    kept: set[str] = set()
    before: set[str] | None = None
    for index, (step, after) in enumerate(
        zip(lesson.steps, step_experiments(lesson, experiment), strict=True)
    ):
        place = f"$.steps[{index}]"
        layers = {placed.name for placed in unrolled_layers(after.network)}
        before = layers if before is None else before
        told = set(kept)
        for name, formula in step.keep.items():
            with fault_at(f"{place}.keep.{name}"):
                _check_names(expression(formula), layers, kept)
                if not name.isidentifier() or name in WHOLE or name in layers:
                    raise ExpressionError(f"expected a name of its own, of letters and digits, got {name!r}")
            kept.add(name)
        now, told = (before, told) if step.asks_first else (layers, kept)
        for path, text, is_late in step_texts(step, place):
            with fault_at(path):
                for value in tuple(values_of(text)):
                    _check_names(value.expression, *((layers, kept) if is_late else (now, told)))
        for path, what in _questions(step, place):
            with fault_at(path):
                _check_names(what, layers, kept)
        _check_choices(step, place)
        if step.look is not None and step.look.layer is not None and step.look.layer not in layers:
            reason = f"there is no layer {step.look.layer!r}; {suggestion(step.look.layer, layers)}"
            raise SpecError(f"{place}.look.layer", reason)
        before = layers


def _questions(step: LessonStep, place: str) -> Iterator[tuple[str, Expression | Condition]]:
    match step.question:
        case NumberQuestion(answer=answer):
            with fault_at(f"{place}.question.answer"):
                yield f"{place}.question.answer", expression(answer)
        case ChoiceQuestion(choices=choices):
            for index, choice in enumerate(choices):
                path = f"{place}.question.choices[{index}].when"
                if choice.when is not None:
                    with fault_at(path):
                        yield path, condition(choice.when)
        case GoalQuestion(condition=wanted):
            with fault_at(f"{place}.question.condition"):
                yield f"{place}.question.condition", condition(wanted)


def _check_choices(step: LessonStep, place: str) -> None:
    if isinstance(step.question, ChoiceQuestion):
        for index, choice in enumerate(step.question.choices):
            if choice.right and choice.when is not None:
                raise SpecError(
                    f"{place}.question.choices[{index}].right",
                    "expected a condition or right, not both: the condition decides",
                )


def _check_names(what: Expression | Condition, layers: set[str], kept: set[str]) -> None:
    for name, *rest in what.names():
        known = [*WHOLE, *sorted(kept)] if not rest else sorted(layers)
        if name not in known:
            kind = "layer" if rest else "such name"
            if not rest and name in layers:
                raise ExpressionError(f"{name} is a layer: say what of it, as in {name}.delta rms")
            raise ExpressionError(f"there is no {kind} {name!r}; {suggestion(name, known)}")


class fault_at:
    """Names the place of an expression that cannot be read."""

    def __init__(self, place: str) -> None:
        self.place = place

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        if isinstance(error, ExpressionError):
            raise SpecError(self.place, str(error)) from error
