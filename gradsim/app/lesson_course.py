"""The way through a lesson: what has to be done to the experiment to stand at a page. Nothing is done here."""

from __future__ import annotations

from dataclasses import dataclass

from gradsim.app.change import Change, change_between
from gradsim.formats.lessons import OpenedLesson
from gradsim.spec import Experiment


@dataclass(frozen=True, slots=True)
class Open:
    """Start an experiment from its seed."""

    experiment: Experiment


@dataclass(frozen=True, slots=True)
class Edit:
    """Change the experiment; where only the training changes, at an iteration that has been reached."""

    experiment: Experiment
    iteration: int


@dataclass(frozen=True, slots=True)
class Train:
    """Train from one iteration to another."""

    start: int
    end: int


Deed = Open | Edit | Train


@dataclass(frozen=True, slots=True)
class Place:
    """An experiment and how far it is trained."""

    experiment: Experiment
    iteration: int


def place_of(lesson: OpenedLesson, index: int, *, acted: bool = True) -> Place:
    """Return where the window stands at a page.

    Parameters
    ----------
    lesson : OpenedLesson
        Any lesson.
    index : int
        Which step.
    acted : bool, default True
        Whether the edit and the training of that step have been carried out.

    Returns
    -------
    Place
        After all steps up to this one.
    """
    experiment, iteration = lesson.experiment, 0
    for number, step in enumerate(lesson.lesson.steps[: index + 1 if acted else index]):
        if step.restart or _is_new(experiment, lesson.experiments[number]):
            iteration = 0
        experiment = lesson.experiments[number]
        iteration += step.train
    return Place(experiment, iteration)


def deeds_of(lesson: OpenedLesson, index: int) -> tuple[Deed, ...]:
    """Return what a step does to the window that stands where the step before left it.

    Parameters
    ----------
    lesson : OpenedLesson
        Any lesson.
    index : int
        Which step.

    Returns
    -------
    tuple of Deed
        Empty for a page that only tells.
    """
    before, step = place_of(lesson, index, acted=False), lesson.lesson.steps[index]
    experiment, iteration = lesson.experiments[index], before.iteration
    deeds: list[Deed] = []
    if step.restart:
        deeds.append(Open(experiment))
        iteration = 0
    elif experiment != before.experiment:
        deeds.append(Edit(experiment, iteration))
        if _is_new(before.experiment, experiment):
            iteration = 0
    if step.train:
        deeds.append(Train(iteration, iteration + step.train))
    return tuple(deeds)


def deeds_from_the_start(lesson: OpenedLesson, index: int, *, acted: bool = True) -> tuple[Deed, ...]:
    """Return what brings any window to a page: everything since the network was last built anew.

    Parameters
    ----------
    lesson : OpenedLesson
        Any lesson.
    index : int
        Which step.
    acted : bool, default True
        Whether the edit and the training of that step are to be carried out too.

    Returns
    -------
    tuple of Deed
        Begins with ``Open``.
    """
    deeds: list[Deed] = [Open(lesson.experiment)]
    for number in range(index + 1 if acted else index):
        for deed in deeds_of(lesson, number):
            present = place_of(lesson, number, acted=False).experiment
            if isinstance(deed, Open) or (isinstance(deed, Edit) and _is_new(present, deed.experiment)):
                deeds = [Open(deed.experiment)]
            else:
                deeds.append(deed)
    return tuple(deeds)


def _is_new(before: Experiment, after: Experiment) -> bool:
    return change_between(before, after) is Change.NETWORK


def deed_words(deed: Deed, before: Experiment) -> str:
    """Return what a deed does in words, for the page.

    Parameters
    ----------
    deed : Deed
        What is done.
    before : Experiment
        The experiment that it changes.

    Returns
    -------
    str
        Such as ``trains 200 iterations``.
    """
    match deed:
        case Train(start=start, end=end):
            return f"trained for {end - start:,} iteration{'' if end - start == 1 else 's'}"
        case Edit(experiment=experiment):
            return "changed: " + ", ".join(changed_parts(before, experiment))
        case Open(experiment=experiment):
            changed = changed_parts(before, experiment)
            return "started anew" + (f" with another {', '.join(changed)}" if changed else "")


def changed_parts(before: Experiment, after: Experiment) -> list[str]:
    """Return which parts of an experiment differ.

    Parameters
    ----------
    before, after : Experiment
        Any two.

    Returns
    -------
    list of str
        Such as ``["activation", "learning rate"]``: the names of the values, each once.
    """
    from gradsim.spec import experiment_document

    found: list[str] = []

    def compare(one: object, other: object, name: str) -> None:
        """Go down where both have the same shape, and note the name where they part."""
        if isinstance(one, dict) and isinstance(other, dict) and one.get("kind") == other.get("kind"):
            for key in {**one, **other}:
                compare(one.get(key), other.get(key), key)
        elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
            for left, right in zip(one, other, strict=True):
                compare(left, right, name)
        elif one != other:
            word = name.replace("_", " ")
            if word not in found:
                found.append(word)

    compare(experiment_document(before), experiment_document(after), "experiment")
    return [word for word in found if word != "name"] or ["name"]
