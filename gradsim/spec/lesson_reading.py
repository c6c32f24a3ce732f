"""From a document to a lesson: structure, limits and edits. Texts and expressions are read in ``analysis.lessons``."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import msgspec
from msgspec import inspect

from gradsim.spec.assignment import experiment_with_values
from gradsim.spec.checks import check_experiment
from gradsim.spec.error import SpecError
from gradsim.spec.experiment import Experiment
from gradsim.spec.lesson import LESSON_VERSION, GoalQuestion, Lesson
from gradsim.spec.limits import quoted
from gradsim.spec.reading import plain_value
from gradsim.spec.versions import migrated

_FREE = {"edit": "an object of paths and values", "keep": "an object of names and expressions"}
"""Fields of a step whose keys the author chooses; and ``solution`` of a goal."""


def read_lesson(document: object) -> Lesson:
    """Return the lesson that a document holds.

    Parameters
    ----------
    document : object
        What ``json.loads`` returns; not changed.

    Returns
    -------
    Lesson
        Every field of the type and within the limits of its struct, the experiment valid in itself.

    Raises
    ------
    SpecError
        With the path and the reason of the first fault, whatever the document.
    """
    lesson = _versioned(document)
    if isinstance(lesson.get("experiment"), dict):
        with _inside("$.experiment"):
            lesson["experiment"] = migrated(lesson["experiment"])
    free = dict(_taken_out(lesson))
    plain = plain_value(_lesson_type(), lesson, "$")
    for (step, *rest), value in free.items():
        node = plain["steps"][step]
        for key in rest[:-1]:
            node = node[key]
        node[rest[-1]] = value
    try:
        read = msgspec.convert(plain, Lesson)
    except msgspec.ValidationError as error:
        raise SpecError("$", str(error)) from error
    if isinstance(read.experiment, Experiment):
        with _inside("$.experiment"):
            check_experiment(read.experiment)
    return read


def step_experiments(lesson: Lesson, experiment: Experiment) -> tuple[Experiment, ...]:
    """Return the experiment of each step, after its edit.

    Parameters
    ----------
    lesson : Lesson
        Any lesson.
    experiment : Experiment
        The one it begins with.

    Returns
    -------
    tuple of Experiment
        One per step.

    Raises
    ------
    SpecError
        With the place of an edit that leads nowhere or to an impossible experiment.
    """
    found = []
    for index, step in enumerate(lesson.steps):
        place = f"$.steps[{index}]"
        experiment = _edited(experiment, step.edit, f"{place}.edit")
        found.append(experiment)
        if isinstance(step.question, GoalQuestion):
            _edited(experiment, step.question.solution, f"{place}.question.solution")
    return tuple(found)


def solved_experiment(experiment: Experiment, question: GoalQuestion) -> Experiment:
    """Return an experiment with the edit that reaches a goal.

    Parameters
    ----------
    experiment : Experiment
        That of the step.
    question : GoalQuestion
        With its solution.

    Returns
    -------
    Experiment
        Checked.

    Raises
    ------
    SpecError
        As ``step_experiments``.
    """
    return _edited(experiment, question.solution, "$.solution")


def _edited(experiment: Experiment, edit: dict[str, Any], place: str) -> Experiment:
    if not edit:
        return experiment
    with _inside(place, apart=True):
        experiment = experiment_with_values(experiment, edit.items(), "$")
    return experiment


@contextmanager
def _inside(place: str, *, apart: bool = False) -> Iterator[None]:
    """Name a fault of an inner document by its place in the lesson."""
    try:
        yield
    except SpecError as error:
        if apart:  # the path is one of the experiment, which is not written here
            where = "" if error.path == "$" else f"{error.path.removeprefix('$.')}: "
            raise SpecError(place, f"{where}{error.reason}") from error
        raise SpecError(place + error.path.removeprefix("$"), error.reason) from error


def _versioned(document: object) -> dict[str, Any]:
    if not isinstance(document, dict):
        raise SpecError("$", f"expected a lesson, which is an object, got {quoted(document)}")
    if "gradsim_lesson" not in document and "gradsim" in document:
        raise SpecError(
            "$",
            'expected a lesson, got an experiment; in a lesson it stands under "experiment", beside "steps"',
        )
    if "gradsim_lesson" not in document:
        raise SpecError(
            "$.gradsim_lesson",
            f'missing; a lesson begins with its version, "gradsim_lesson": {LESSON_VERSION}',
        )
    version = document["gradsim_lesson"]
    if isinstance(version, bool) or not isinstance(version, int) or version < 1:
        raise SpecError("$.gradsim_lesson", f"expected the version, an integer from 1, got {quoted(version)}")
    if version > LESSON_VERSION:
        raise SpecError(
            "$.gradsim_lesson",
            f"made by a newer GradSim: the lesson has version {quoted(version)}, "
            f"this GradSim reads up to version {LESSON_VERSION}",
        )
    return dict(document)


def _taken_out(lesson: dict[str, Any]) -> Iterator[tuple[tuple[Any, ...], dict[str, Any]]]:
    """Take the objects with free keys out of copied steps; yield where they belong and what they are."""
    if not isinstance(lesson.get("steps"), list):
        return
    lesson["steps"] = steps = [dict(step) if isinstance(step, dict) else step for step in lesson["steps"]]
    for index, step in enumerate(steps):
        if not isinstance(step, dict):
            continue
        for key, what in _FREE.items():
            if key in step:
                yield (index, key), _object(step.pop(key), what, f"$.steps[{index}].{key}", key == "keep")
        question = step.get("question")
        if isinstance(question, dict) and question.get("kind") == "goal" and "solution" in question:
            step["question"] = question = dict(question)
            path = f"$.steps[{index}].question.solution"
            yield (
                (index, "question", "solution"),
                _object(question.pop("solution"), _FREE["edit"], path, False),
            )


def _object(value: Any, what: str, path: str, holds_text: bool) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise SpecError(path, f"expected {what}, got {quoted(value)}")
    for key, item in value.items():
        if holds_text and not isinstance(item, str):
            raise SpecError(f"{path}.{key}", f"expected an expression, got {quoted(item)}")
    return value


@cache
def _lesson_type() -> inspect.Type:
    return inspect.type_info(Lesson)
