"""``gradsim run``: train an experiment and tell what its layers do."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from gradsim.cli.beside import beside_document, check_beside, print_beside, trained_beside_it
from gradsim.cli.failure import DONE, INTERRUPTED, Failure
from gradsim.cli.length import Length, print_length, training_length
from gradsim.cli.progress import Progress
from gradsim.cli.source import Source, opened
from gradsim.cli.terminal import Terminal, terminal_of

if TYPE_CHECKING:
    from gradsim.analysis import Beside, Forensics
    from gradsim.cli.result import Result
    from gradsim.engine import Simulator


def run(arguments: argparse.Namespace) -> int:
    """Train an experiment, print what its layers do, and write the files asked for.

    Parameters
    ----------
    arguments : Namespace
        Of the command ``run``.

    Returns
    -------
    int
        Exit code: 130 if Ctrl+C ended the training early; what was done so far is told all the same.
    """
    for path in (
        arguments.csv,
        arguments.history_csv,
        arguments.parameters_out,
        arguments.save_experiment,
    ):
        check_writable(path)
    source = opened(arguments.file, arguments.set, arguments.seed)
    length = training_length(source, arguments.iterations)
    check_beside(source.experiment, arguments.beside)

    from gradsim.analysis import examine
    from gradsim.cli.result import run_result
    from gradsim.cli.training import prepared_simulator

    progress = Progress()
    simulator = prepared_simulator(source, progress)
    result = run_result(simulator, length.iterations, progress)
    found = examine(result.history, result.trace, simulator)
    simulator.seek(result.iterations)
    beside = trained_beside_it(result.trace, source, progress) if arguments.beside else None
    terminal = terminal_of()
    try:
        _print(arguments, terminal, result, found, beside, length)
    finally:  # also for a reader who takes only the head of it and closes the pipe
        written = _written(arguments, result, simulator, source)
    if written and not arguments.json:
        terminal.write()
        terminal.write(f"Written: {', '.join(str(path) for path in written)}")
    return INTERRUPTED if result.interrupted else DONE


def _print(
    arguments: argparse.Namespace,
    terminal: Terminal,
    result: Result,
    found: Forensics,
    beside: Beside | None,
    length: Length,
) -> None:
    """Print a run as text or as JSON."""
    from gradsim.cli.causes import cause_document, print_causes
    from gradsim.cli.documents import json_text, result_document
    from gradsim.cli.report import print_report
    from gradsim.cli.theory import print_theory, theory_document

    if arguments.json:
        document = result_document(result, found)
        if arguments.cause:
            document["causes"] = cause_document(result.trace)
        if beside is not None:
            document["beside"] = beside_document(beside, result.history)
        document["asked_by_example"] = length.look or None
        if arguments.theory:
            document["theory"] = theory_document(result)
        terminal.stream.write(json_text(document, ascii_only=not terminal.unicode) + "\n")
        return
    print_length(length, terminal)
    print_report(result, terminal, arguments.brief, found)
    if arguments.cause:
        print_causes(result.trace, terminal, arguments.brief)
    if beside is not None:
        print_beside(beside, result.trace, terminal)
    if arguments.theory:
        print_theory(result, terminal, arguments.brief)


def _written(
    arguments: argparse.Namespace, result: Result, simulator: Simulator, source: Source
) -> list[Path]:
    """Write the files asked for; return them."""
    from gradsim import formats
    from gradsim.cli import files

    written = []
    if arguments.csv:
        files.write_layers(arguments.csv, result)
        written.append(arguments.csv)
    if arguments.history_csv:
        files.write_history(arguments.history_csv, result)
        written.append(arguments.history_csv)
    if arguments.parameters_out:
        formats.save_parameters(simulator.parameters(), arguments.parameters_out)
        written.append(arguments.parameters_out)
    if arguments.save_experiment:
        brought = formats.bring_parameters(
            result.experiment.parameters, source.directory, arguments.save_experiment.parent
        )
        formats.save(result.experiment, arguments.save_experiment)
        written += [arguments.save_experiment, *([brought] if brought else [])]
    return written


def check_writable(path: Path | None) -> None:
    """Refuse an output file whose folder is missing, before hours are spent on what goes into it.

    Parameters
    ----------
    path : Path or None
        A file to be written; None for none.

    Raises
    ------
    Failure
        If it cannot be written there.
    """
    if path is None:
        return
    if path.is_dir():
        raise Failure(f"{path}: expected a file to write, this is a folder")
    if not path.parent.is_dir():
        raise Failure(f"{path}: there is no folder {path.parent}")
