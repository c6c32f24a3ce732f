"""Lessons as JSON files, those that come with GradSim and those that teachers write."""

from __future__ import annotations

import re
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

import msgspec

from gradsim.analysis.lessons import check_syntax
from gradsim.data.files import file_bytes
from gradsim.formats.experiment import load, parsed_document
from gradsim.formats.schema import allow_words
from gradsim.resource_files import example_files, resource_path
from gradsim.spec import CURRENT_VERSION, Experiment, SpecError
from gradsim.spec.lesson import LESSON_VERSION, Lesson
from gradsim.spec.lesson_reading import read_lesson, step_experiments
from gradsim.spec.limits import quoted, suggestion

ENDING = ".lesson.json"
MAX_BYTES = 16 * 2**20


@dataclass(frozen=True, slots=True)
class OpenedLesson:
    """A lesson with everything that its file refers to.

    Attributes
    ----------
    id : str
        Name of the file without number and ending.
    lesson : Lesson
        As it is in the file.
    experiment : Experiment
        The one it begins with.
    experiments : tuple of Experiment
        The one of each step.
    directory : Path or None
        Where a file of initial parameters is looked for.
    path : Path or None
        The file of the lesson.
    """

    id: str
    lesson: Lesson
    experiment: Experiment
    experiments: tuple[Experiment, ...]
    directory: Path | None = None
    path: Path | None = None


def load_lesson(path: str | PathLike[str]) -> OpenedLesson:
    """Read a lesson from a file.

    Parameters
    ----------
    path : str or path-like
        A JSON file in UTF-8.

    Returns
    -------
    OpenedLesson
        Checked in every respect that can be known without running a network.

    Raises
    ------
    SpecError
        With the name of the file where it cannot be read or is no JSON, with a JSON path and the reason where
        the lesson is wrong.
    """
    file = Path(path)
    document = parsed_document(file_bytes(file, MAX_BYTES), str(file), "a lesson")
    return opened_lesson(document, file)


def opened_lesson(document: object, path: Path | None = None) -> OpenedLesson:
    """Return the lesson that a document holds, with its experiments.

    Parameters
    ----------
    document : object
        What ``json.loads`` returns.
    path : Path, optional
        The file it comes from.

    Returns
    -------
    OpenedLesson
        Checked like one from a file.

    Raises
    ------
    SpecError
        With the JSON path and the reason of the first fault.
    """
    lesson = read_lesson(document)
    experiment, directory = lesson.experiment, path.parent if path is not None else None
    if isinstance(experiment, str):
        experiment, directory = _shipped_experiment(experiment)
    check_syntax(lesson, experiment)
    name = re.sub(r"^\d+_", "", path.name.removesuffix(ENDING)) if path is not None else ""
    return OpenedLesson(name, lesson, experiment, step_experiments(lesson, experiment), directory, path)


def shipped_lessons() -> tuple[Path, ...]:
    """Return the files of the lessons that come with GradSim.

    Returns
    -------
    tuple of Path
        In the order in which they are taught; empty if this installation has none.
    """
    try:
        folder = resource_path("lessons")
    except FileNotFoundError:
        return ()
    return tuple(sorted(folder.glob(f"*{ENDING}")))


def lesson_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of a lesson.

    Returns
    -------
    dict
        With the experiment inside. A new dict.
    """
    made = msgspec.json.schema(Lesson)
    parts = made["$defs"]
    allow_words(made, parts)
    for part, key, version in (
        ("Lesson", "gradsim_lesson", LESSON_VERSION),
        ("Experiment", "gradsim", CURRENT_VERSION),
    ):
        parts[part]["required"] = [key, *parts[part].get("required", [])]
        parts[part]["properties"][key] = {"const": version, "title": "Version"}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "GradSim lesson",
        "description": "An experiment and the steps that lead through it.",
        **made,
    }


def _shipped_experiment(name: str) -> tuple[Experiment, Path]:
    files = example_files()
    if not files:
        raise SpecError("$.experiment", "this installation has no experiments of its own")
    if name not in files:
        reason = f"no experiment {quoted(name)} comes with GradSim; {suggestion(name, files)}"
        raise SpecError("$.experiment", reason)
    return load(files[name]), files[name].parent
