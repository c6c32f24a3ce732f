"""What was answered in a lesson and whether it is right. The right answer always comes from the pass on screen."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

from gradsim.analysis.lessons import (
    ExpressionError,
    Quantities,
    RelativeProfile,
    condition,
    expression,
    mean_distance,
    relative_profile,
)
from gradsim.spec.lesson import (
    ChoiceQuestion,
    GoalQuestion,
    NumberQuestion,
    Prediction,
    Question,
)
from gradsim.trace import IterationTrace
from gradsim.views.inspection.number_text import number_text
from gradsim.views.lessons.state import Verdict

_SUPERSCRIPTS = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")


@dataclass(frozen=True, slots=True)
class Answer:
    """How far a question is answered.

    Attributes
    ----------
    given : object
        What was last answered.
    verdict : {"right", "wrong", "shown"} or None
        None until answered.
    remark : str
        One sentence about it.
    hints : int
        How many have been asked for.
    right_choice : int or None
        Known once the question is over.
    predicted : tuple of float
        Points of a profile; empty before any were drawn.
    measured : RelativeProfile or None
        Revealed when the question is over.
    """

    given: Any = None
    verdict: Verdict | None = None
    remark: str = ""
    hints: int = 0
    right_choice: int | None = None
    predicted: tuple[float, ...] = ()
    measured: RelativeProfile | None = None

    @property
    def is_over(self) -> bool:
        """Whether nothing more can be answered."""
        return self.verdict in ("right", "shown")


class _Nothing:
    """The person who answers writes numbers, no names."""

    def value(self, path: tuple[str, ...]) -> Any:
        raise ExpressionError(f"{'.'.join(path)} is no number")


def typed_number(text: str) -> float:
    """Return the number that a person typed.

    Parameters
    ----------
    text : str
        Such as ``-0,25``, ``2·10^-5``, ``2·10⁻⁵``, ``0.25*0.5``, ``+3`` or ``25 %``.

    Returns
    -------
    float
        Its value.

    Raises
    ------
    ExpressionError
        If it is none.
    """
    plain = text.strip()
    for digit in "⁻⁰¹²³⁴⁵⁶⁷⁸⁹":
        plain = plain.replace(f"10{digit}", f"10^{digit}")
    plain = plain.translate(_SUPERSCRIPTS)
    if plain.count(",") == 1 and "." not in plain and "(" not in plain:
        plain = plain.replace(",", ".")
    share = plain.removesuffix("%").rstrip()
    value = expression(share.removeprefix("+")).value(_Nothing())
    return value if share == plain else value / 100


def judged(question: Question, answer: Answer, given: Any, pass_: Quantities) -> Answer:
    """Return the answer after something was answered.

    Parameters
    ----------
    question : Question
        What was asked.
    answer : Answer
        Before.
    given : object
        Text, number of a choice, points of a profile; None for a goal.
    pass_ : Quantities
        The pass of the page.

    Returns
    -------
    Answer
        With verdict and remark.
    """
    match question:
        case NumberQuestion():
            return _judged_number(question, answer, str(given), pass_)
        case ChoiceQuestion():
            right = right_choice(question, pass_)
            if given == right:
                return replace(answer, given=given, verdict="right", remark="Right.", right_choice=right)
            return replace(answer, given=given, verdict="wrong", remark="No. Try another one.")
        case GoalQuestion():
            if condition(question.condition).holds(pass_):
                return replace(answer, verdict="right", remark=f"Reached: {question.condition}.")
            loss, iteration = number_text(pass_.trace.loss), pass_.trace.iteration
            words = f"Not yet: the batch loss is {loss} at iteration {iteration:,}."
            return replace(answer, remark=words)
        case Prediction():
            return _revealed(question, replace(answer, predicted=tuple(given)), pass_.trace)
    raise TypeError(f"no rule for {question!r}")


def answered_for(question: Question, answer: Answer, pass_: Quantities) -> Answer:
    """Return the answer of somebody who gave up: the right one is shown.

    Parameters
    ----------
    question : Question
        What was asked.
    answer : Answer
        Before.
    pass_ : Quantities
        The pass of the page.

    Returns
    -------
    Answer
        Over.
    """
    match question:
        case NumberQuestion():
            value = number_text(expression(question.answer).value(pass_), 6)
            return replace(answer, verdict="shown", remark=f"The answer is {value}.")
        case ChoiceQuestion():
            right = right_choice(question, pass_)
            return replace(answer, verdict="shown", remark="This is the right one.", right_choice=right)
        case GoalQuestion():
            return replace(answer, verdict="shown", remark="This is one way to do it.")
        case Prediction():
            return replace(_revealed(question, answer, pass_.trace), verdict="shown")
    raise TypeError(f"no rule for {question!r}")


def right_choice(question: ChoiceQuestion, pass_: Quantities) -> int | None:
    """Return the number of the choice that is right on a pass; None where none is."""
    for number, choice in enumerate(question.choices):
        if choice.right or (choice.when is not None and condition(choice.when).holds(pass_)):
            return number
    return None


def _judged_number(question: NumberQuestion, answer: Answer, text: str, pass_: Quantities) -> Answer:
    try:
        given = typed_number(text)
    except ExpressionError:
        return replace(answer, given=text, verdict=None, remark="Type a number, such as −0.25 or 2e-5.")
    right = expression(question.answer).value(pass_)
    if is_close(given, right, question):
        return replace(answer, given=text, verdict="right", remark="Right.")
    return replace(answer, given=text, verdict="wrong", remark=_difference(given, right, question))


def is_close(given: float, right: float, question: NumberQuestion) -> bool:
    """Return whether a number is right within what the question allows.

    Parameters
    ----------
    given, right : float
        The answer and the measured number.
    question : NumberQuestion
        With tolerance and margin.

    Returns
    -------
    bool
        False for NaN.
    """
    return abs(given - right) <= max(question.margin, question.tolerance * abs(right))


def _difference(given: float, right: float, question: NumberQuestion) -> str:
    """Say what kind of mistake it is, without giving the answer away."""
    if is_close(-given, right, question):
        return "The size is right, the sign is not."
    if given != 0 and right != 0 and given * right > 0:
        if is_close(1 / given, right, question):
            return "It is the other way round: one divided by that."
        power = round(math.log10(given / right))
        if power and is_close(given / 10.0**power, right, question):
            return "The digits are right, the power of ten is not."
    return "Not quite: that is too large." if given > right else "Not quite: that is too small."


def _revealed(question: Prediction, answer: Answer, trace: IterationTrace) -> Answer:
    measured = relative_profile(trace, question.of)
    predicted = answer.predicted or (0.0,) * len(measured.names)
    distance = mean_distance(predicted, measured, question.lowest, question.highest)
    if math.isnan(distance):
        return replace(
            answer, predicted=predicted, measured=measured, verdict="shown", remark="Nothing to compare."
        )
    is_right = distance <= question.tolerance
    words = (
        "off by less than a tenth of a power of ten"
        if distance < 0.1
        else f"off by {distance:.1f} powers of ten"
    )
    remark = f"{'Well predicted' if is_right else 'A surprise, then'}: on average {words}."
    return replace(
        answer,
        predicted=predicted,
        measured=measured,
        verdict="right" if is_right else "shown",
        remark=remark,
    )
