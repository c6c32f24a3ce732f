"""``gradsim diagnose``: what keeps a network from learning, with its evidence and what helps."""

from __future__ import annotations

import argparse
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gradsim.cli.diagnosis_report import print_checks, print_diagnosis, print_rules
from gradsim.cli.failure import DONE, FOUND, INTERRUPTED, Failure
from gradsim.cli.length import print_length, training_length
from gradsim.cli.progress import Progress
from gradsim.cli.remedy import (
    check_remedy,
    not_proposed,
    print_proposal,
    print_remedy,
    remedy_document,
    tried_remedy,
)
from gradsim.cli.run import check_writable
from gradsim.cli.source import Source, opened
from gradsim.cli.terminal import terminal_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from gradsim.analysis.diagnosis import Diagnosis
    from gradsim.analysis.rule_packs import RuleResult
    from gradsim.cli.remedy import TriedRemedy
    from gradsim.engine import Simulator
    from gradsim.spec import Experiment


def diagnose(arguments: argparse.Namespace) -> int:
    """Train an experiment and tell what keeps it from learning.

    Parameters
    ----------
    arguments : Namespace
        Of the command ``diagnose``.

    Returns
    -------
    int
        Exit code: 1 if something was found (advice does not count), 130 if Ctrl+C ended it early; what was found
        so far is told all the same.
    """
    if arguments.measure_remedies:
        if arguments.file is not None:
            raise Failure("diagnose --measure-remedies takes no FILE: it has a network for every finding")
        return _measure_remedies()
    if arguments.file is None:
        raise Failure("diagnose: expected FILE, or --measure-remedies; see gradsim diagnose --help")
    if arguments.remedy is not None:
        check_remedy(arguments.remedy)
    check_writable(arguments.save_experiment)
    source = opened(arguments.file, arguments.set, arguments.seed)
    length = training_length(source, arguments.iterations)

    from gradsim.analysis.rule_packs import apply_published_rules
    from gradsim.cli.documents import json_text
    from gradsim.cli.figures import run_of
    from gradsim.cli.training import prepared_simulator, train

    progress = Progress()
    simulator = prepared_simulator(source, progress)
    finished = train(simulator, length.iterations, progress)
    thorough = arguments.thorough and finished
    diagnosis, finished = _diagnosed(simulator, source, thorough, finished, progress, arguments.seeds)
    rules = apply_published_rules(run_of(simulator))
    tried = None
    if arguments.remedy is not None and finished:
        tried, finished = tried_remedy(arguments.remedy, diagnosis, simulator, source, progress)
    written = _saved(arguments, source, tried)
    terminal = terminal_of()
    if arguments.json:
        document = _document(simulator.experiment, diagnosis, rules)
        if tried is not None:
            document["remedy"] = remedy_document(tried)
        terminal.stream.write(json_text(document, ascii_only=not terminal.unicode) + "\n")
    else:
        terminal.write(
            terminal.painted(
                terminal.text(f"{simulator.experiment.name}, iteration {diagnosis.iteration:,}"), "bold"
            )
        )
        print_length(length, terminal)
        print_diagnosis(diagnosis, terminal)
        print_checks(diagnosis.checks, terminal)
        if arguments.rules:
            print_rules(rules, terminal)
        if tried is not None:
            print_remedy(tried, terminal)
        elif arguments.remedy is None:
            print_proposal(diagnosis, source, terminal)
        if written:
            terminal.write()
            terminal.write(f"Written: {', '.join(map(str, written))}")
    if arguments.remedy is not None and tried is None and finished:
        raise not_proposed(arguments.remedy, diagnosis)
    if not finished:
        return INTERRUPTED
    return DONE if diagnosis.is_healthy else FOUND


def _saved(arguments: argparse.Namespace, source: Source, tried: TriedRemedy | None) -> list[Path]:
    """Write the experiment, with the remedy if one was asked for; return the files."""
    path = arguments.save_experiment
    if path is None or (tried is None and arguments.remedy is not None):
        return []
    from gradsim import formats

    experiment = source.experiment if tried is None else tried.remedy.experiment
    brought = formats.bring_parameters(experiment.parameters, source.directory, path.parent)
    formats.save(experiment, path)
    return [path, *([brought] if brought else [])]


def _measure_remedies() -> int:
    """Print, as Markdown, what every remedy does on a network of each finding that proposes it."""
    from gradsim.analysis.diagnosis.measuring import measured_remedies, remedy_table
    from gradsim.cli.training import prepare_engine
    from gradsim.engine import Simulator

    progress = Progress()
    prepare_engine("float32", progress)
    with progress:
        measured = list(
            measured_remedies(
                Simulator, progress=lambda words, share: progress.show("Measuring", share, words)
            )
        )
    terminal_of().write(remedy_table(measured))
    return DONE


def instant_diagnosis(simulator: Simulator, source: Source) -> Diagnosis:
    """Return what is found where a simulator stands, with a look at some other seeds.

    Parameters
    ----------
    simulator : Simulator
        Trained or not; it is left where it stands.
    source : Source
        Where its experiment came from.

    Returns
    -------
    Diagnosis
        Other seeds are trained as far as takes about two seconds.
    """
    diagnosis, _ = _diagnosed(simulator, source, False, True, Progress())
    return diagnosis


def _diagnosed(
    simulator: Simulator,
    source: Source,
    thorough: bool,
    finished: bool,
    progress: Progress,
    seeds: int | None = None,
) -> tuple[Diagnosis, bool]:
    """Diagnose; the second value is False if Ctrl+C ended this or what was before.

    As many other ``seeds`` are trained as are asked for; None for up to three, within the usual effort.
    """
    from gradsim.analysis import diagnosis as analysis
    from gradsim.analysis.diagnosis.diagnosing import EFFORT, SEEDS
    from gradsim.cli.training import stop_wish

    with stop_wish() as wish, progress:
        found = analysis.diagnose(
            simulator,
            simulate=_simulators(source),
            thorough=thorough,
            seeds=SEEDS if seeds is None else seeds,
            effort=EFFORT if seeds is None else math.inf,
            should_stop=wish.is_set,
            progress=lambda words, share: progress.show("Diagnosing", share, words),
        )
        return found, finished and not wish.is_set()


def _simulators(source: Source) -> Callable[[Experiment], Simulator]:
    from gradsim.engine import Simulator

    return lambda experiment: Simulator(experiment, source.directory)


def _document(experiment: Experiment, diagnosis: Diagnosis, rules: tuple[RuleResult, ...]) -> dict[str, Any]:
    from gradsim import __version__
    from gradsim.analysis.diagnosis import diagnosis_document
    from gradsim.analysis.rule_packs import contradictions, rules_document
    from gradsim.spec import experiment_document

    return {
        "version": __version__,
        "experiment": experiment_document(experiment),
        "diagnosis": diagnosis_document(diagnosis),
        "published_rules": rules_document(rules),
        "contradictions": list(contradictions(rules)),
    }
