"""``gradsim lessons``: the lessons there are, their schema, and whether what they say is true."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gradsim.cli.failure import DONE, FOUND, Failure
from gradsim.cli.terminal import Terminal, terminal_of

if TYPE_CHECKING:
    from gradsim.analysis.lessons import LessonReport
    from gradsim.cli.progress import Progress
    from gradsim.engine import Simulator
    from gradsim.formats.lessons import OpenedLesson
    from gradsim.spec import Experiment


def lessons(arguments: argparse.Namespace) -> int:
    """List the lessons, print their schema, or check what they say.

    Parameters
    ----------
    arguments : Namespace
        Of the command ``lessons``.

    Returns
    -------
    int
        Exit code: 1 if a lesson states something that is not so.
    """
    from gradsim.cli.documents import json_text

    terminal = terminal_of()
    if arguments.action == "schema":
        from gradsim.formats.lessons import lesson_schema

        terminal.stream.write(json_text(lesson_schema(), ascii_only=not terminal.unicode) + "\n")
        return DONE
    if arguments.action == "check":
        return _check(arguments, terminal)
    from gradsim.formats.lessons import load_lesson, shipped_lessons

    found = [load_lesson(path) for path in shipped_lessons()]
    if arguments.json:
        rows = [
            {"id": o.id, "title": o.lesson.title, "summary": o.lesson.summary, "steps": len(o.lesson.steps)}
            for o in found
        ]
        terminal.stream.write(json_text(rows, ascii_only=not terminal.unicode) + "\n")
        return DONE
    for number, opened in enumerate(found, 1):
        lesson = opened.lesson
        terminal.write(
            terminal.painted(terminal.text(f"{number:2d}  {lesson.title}"), "bold")
            + terminal.painted(terminal.text(f"  ({opened.id}, {len(lesson.steps)} steps)"), "dim")
        )
        terminal.write(f"    {lesson.summary}")
    return DONE


def located_lessons(names: list[str]) -> list[Path]:
    """Return the files of lessons.

    Parameters
    ----------
    names : list of str
        Paths, or names of lessons that come with GradSim, with or without their number; a file that exists
        goes first. Empty for all that come with GradSim.

    Returns
    -------
    list of Path
        In the same order.

    Raises
    ------
    Failure
        If there is no such file and no such lesson.
    """
    from gradsim.formats.lessons import ENDING, shipped_lessons

    shipped = {path.name.removesuffix(ENDING): path for path in shipped_lessons()}
    if not names:
        return list(shipped.values())
    short = {name.partition("_")[2]: path for name, path in shipped.items()}
    found = []
    for name in names:
        path = Path(name)
        if path.is_file():
            found.append(path)
        elif name in shipped or name in short:
            found.append(shipped.get(name) or short[name])
        else:
            raise Failure(f"{name}: no such file, and no such lesson; those are {', '.join(short)}")
    return found


def _check(arguments: argparse.Namespace, terminal: Terminal) -> int:
    from gradsim.analysis.lessons import check_lesson
    from gradsim.cli.documents import json_text
    from gradsim.cli.progress import Progress
    from gradsim.formats.lessons import load_lesson
    from gradsim.spec import SpecError

    reports: list[tuple[Path, OpenedLesson, LessonReport]] = []
    files = located_lessons(arguments.lessons)
    progress = Progress()
    for number, path in enumerate(files):
        try:
            opened = load_lesson(path)
            build = _builder(opened, progress)
            progress.show("Checking", number / len(files), path.name)
            reports.append((path, opened, check_lesson(opened.lesson, opened.experiment, build)))
        except SpecError as error:
            progress.clear()
            raise Failure(f"{path}: {error}" if error.path.startswith("$") else str(error)) from None
    progress.clear()
    failed = any(report.wrong or (arguments.strict and report.unchecked) for _, _, report in reports)
    if arguments.json:
        document = [_document(path, opened, report) for path, opened, report in reports]
        terminal.stream.write(json_text(document, ascii_only=not terminal.unicode) + "\n")
    else:
        for path, opened, report in reports:
            _print_report(path, opened, report, terminal, strict=arguments.strict)
    return FOUND if failed else DONE


def _builder(opened: OpenedLesson, progress: Progress) -> Any:
    """Return what builds a network of this lesson, compiled where that has never been done."""
    from gradsim.cli.training import prepare_engine
    from gradsim.engine import Simulator

    def build(experiment: Experiment) -> Simulator:
        prepare_engine(experiment.precision, progress)
        return Simulator(experiment, opened.directory)

    return build


def _print_report(
    path: Path, opened: OpenedLesson, report: LessonReport, terminal: Terminal, *, strict: bool
) -> None:
    count, wrong, steps = len(report.claims), report.wrong, len(opened.lesson.steps)
    is_bad = bool(wrong) or (strict and bool(report.unchecked))
    mark = terminal.painted("failed" if is_bad else "ok", "broken" if is_bad else "good")
    terminal.write(
        f"{mark}  {opened.lesson.title} ({path.name}): {steps} step{'' if steps == 1 else 's'}, "
        f"{count - len(wrong)} of {count} statement{'' if count == 1 else 's'} true"
    )
    for claim in wrong:
        terminal.write(f"    {claim.place}: says {claim.claim}; measured {claim.measured}")
    for place, number in report.unchecked:
        terminal.write(f"    {place}: nothing checks {number}; write {{{{{number} = …}}}}")


def _document(path: Path, opened: OpenedLesson, report: LessonReport) -> dict[str, Any]:
    return {
        "file": str(path),
        "title": opened.lesson.title,
        "steps": len(opened.lesson.steps),
        "claims": [asdict(claim) for claim in report.claims],
        "wrong": len(report.wrong),
        "unchecked": [{"place": place, "number": number} for place, number in report.unchecked],
    }
