"""A question of a lesson as the panel shows it, however far it is answered."""

from __future__ import annotations

from collections.abc import Mapping

from gradsim.analysis.lessons import Value, blocks
from gradsim.app.lesson_answers import Answer
from gradsim.spec import Dense, Experiment, Head, Recurrent, unrolled_layers
from gradsim.spec.lesson import ChoiceQuestion, LessonStep, Prediction, text_of
from gradsim.views.lessons.state import Drawing, QuestionState

_NUMBERED = (Dense, Recurrent, Head)
_DRAWN = {"delta": "rms of δ", "activation": "rms of a", "weight_gradient": "rms of ∂L/∂W"}


def question_state(
    step: LessonStep, answer: Answer, experiment: Experiment, late: Mapping[Value, float]
) -> QuestionState | None:
    """Return a question as the panel shows it.

    Parameters
    ----------
    step : LessonStep
        With or without a question.
    answer : Answer
        How far it is answered.
    experiment : Experiment
        That of the step, which says which layers a profile has.
    late : mapping from Value to float
        Numbers of explanation and replies.

    Returns
    -------
    QuestionState or None
        None without a question.
    """
    question = step.question
    if question is None:
        return None
    kind = question.__struct_config__.tag
    choices = question.choices if isinstance(question, ChoiceQuestion) else ()
    drawing = _drawing(question, answer, experiment) if isinstance(question, Prediction) else None
    return QuestionState(
        kind=kind,  # type: ignore[arg-type]
        prompt=blocks(text_of(question.prompt)),
        explanation=blocks(text_of(question.explanation)) if answer.is_over else (),
        hints=tuple(blocks(text_of(hint)) for hint in question.hints[: answer.hints]),
        hints_left=len(question.hints) - answer.hints,
        choices=tuple((blocks(choice.text), blocks(text_of(choice.reply))) for choice in choices),
        given=answer.given,
        right_choice=answer.right_choice,
        verdict=answer.verdict,
        remark=answer.remark,
        drawing=drawing,
        late_numbers=late,
    )


def _drawing(question: Prediction, answer: Answer, experiment: Experiment) -> Drawing:
    measured = answer.measured
    names = tuple(p.name for p in unrolled_layers(experiment.network) if isinstance(p.layer, _NUMBERED))
    reference = 0 if question.of == "activation" else len(names) - 1
    return Drawing(
        names=names,
        what=_DRAWN[question.of],
        tensor=question.of,
        reference=reference,
        lowest=question.lowest,
        highest=question.highest,
        predicted=answer.predicted or (0.0,) * len(names),
        measured=None if measured is None else tuple(float(v) for v in measured.decades),
    )
