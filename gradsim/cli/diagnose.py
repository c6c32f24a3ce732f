"""``gradsim diagnose``: what keeps a network from learning, with its evidence and what helps."""

from __future__ import annotations

import argparse
import math
import textwrap
from typing import TYPE_CHECKING, Any

from gradsim.cli.failure import DONE, FOUND, INTERRUPTED, Failure
from gradsim.cli.length import print_length, training_length
from gradsim.cli.progress import Progress
from gradsim.cli.source import Source, opened
from gradsim.cli.table import Cell, Column, laid_out, scientific
from gradsim.cli.terminal import Style, Terminal, terminal_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from gradsim.analysis.diagnosis import Check, Diagnosis, Effect, Finding
    from gradsim.analysis.rule_packs import RuleResult
    from gradsim.engine import Simulator
    from gradsim.spec import Experiment

_READABLE = 100
_STATES: dict[str, Style] = {
    "found": "broken",
    "fires": "broken",
    "clear": "good",
    "quiet": "good",
    "converged": "good",
    "unknown": "dim",
    "not applicable": "dim",
}


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
    terminal = terminal_of()
    if arguments.json:
        document = _document(simulator.experiment, diagnosis, rules)
        terminal.stream.write(json_text(document, ascii_only=not terminal.unicode) + "\n")
    else:
        terminal.write(
            terminal.painted(
                terminal.text(f"{simulator.experiment.name}, iteration {diagnosis.iteration:,}"), "bold"
            )
        )
        print_length(length, terminal)
        print_diagnosis(diagnosis, terminal)
        _print_checks(diagnosis.checks, terminal)
        if arguments.rules:
            _print_rules(rules, terminal)
    if not finished:
        return INTERRUPTED
    return DONE if diagnosis.is_healthy else FOUND


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


def print_diagnosis(diagnosis: Diagnosis, terminal: Terminal) -> None:
    """Print a diagnosis: its sentence, then every finding with its number, cause and remedies.

    Parameters
    ----------
    diagnosis : Diagnosis
        Any diagnosis.
    terminal : Terminal
        Where to print.
    """
    _print_wrapped(diagnosis.sentence, terminal)
    explained: set[str] = set()
    for finding in diagnosis.findings:
        terminal.write()
        _print_finding(finding, terminal, explained)


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


def _print_finding(finding: Finding, terminal: Terminal, explained: set[str]) -> None:
    """Print a finding; remedies that have been explained before are only named."""
    style: Style = "bold" if finding.is_advice else "broken"
    word = "Advice" if finding.is_advice else "Problem"
    terminal.write(terminal.painted(terminal.text(f"{word}: {finding.title}"), style))
    _print_wrapped(finding.sentence, terminal, "  ")
    sign = ">" if finding.relation == "above" else "<"
    number = f"{scientific(finding.value)} {sign} {scientific(finding.cut)}"
    _print_wrapped(f"Number: {number}, {finding.measure} (cut: {finding.source})", terminal, "  ")
    if finding.layers:
        _print_wrapped(f"Layers: {_listed(finding.layers)}", terminal, "  ")
    if finding.neighbours:
        near = ", ".join(f"{one.layer} {scientific(one.value)}" for one in finding.neighbours)
        _print_wrapped(f"Nearest outside: {near}", terminal, "  ")
    _print_wrapped(f"Why: {finding.why}", terminal, "  ")
    _print_wrapped(f"Seen with {finding.confidence.words}", terminal, "  ")
    if finding.remedies:
        order = (
            "measured on this network" if finding.is_measured else "usual order; --thorough measures it here"
        )
        _print_wrapped(f"Remedies ({order}):", terminal, "  ")
    for place, remedy in enumerate(finding.remedies, 1):
        measured = f" [{_effect_words(remedy.effect)}]" if remedy.effect else ""
        words = "" if remedy.title in explained else f": {remedy.description}"
        explained.add(remedy.title)
        _print_wrapped(f"{place}. {remedy.title}{words}{measured}", terminal, "    ")


def _effect_words(effect: Effect) -> str:
    from gradsim.analysis.diagnosis import helps

    words = f"loss {scientific(effect.loss_before)} → {scientific(effect.loss_after)}"
    if effect.backward_before == effect.backward_before:  # a network of one layer has no such factor
        pair = scientific(effect.backward_before), scientific(effect.backward_after)
        words = f"δ per layer ×{pair[0]} → ×{pair[1]}, {words}"
    seeds = f"{effect.seeds} seed{'' if effect.seeds == 1 else 's'}"
    told = f"measured: {words} after {effect.iterations:,} iterations, {seeds}"
    return told if helps(effect) else f"{told}: no clear help"


def _print_checks(checks: tuple[Check, ...], terminal: Terminal) -> None:
    columns = [
        Column("check", "left"),
        Column("state", "left"),
        Column("measured"),
        Column("cut", "left"),
        Column("layer", "left", 1),
        Column("what was measured", "left", 2),
    ]
    rows = []
    for check in checks:
        is_known = check.state != "unknown"
        sign = ">" if check.relation == "above" else "<"
        rows.append(
            [
                Cell(check.title),
                Cell(check.state, _STATES[check.state]),
                Cell(scientific(check.value) if is_known else ""),
                Cell(f"{sign} {scientific(check.cut)}" if is_known else ""),
                Cell(check.layer),
                Cell(check.measure if is_known else check.reason),
            ]
        )
    _print_table(f"All {len(checks)} checks", columns, rows, terminal)


def _print_rules(results: tuple[RuleResult, ...], terminal: Terminal) -> None:
    from gradsim.analysis.rule_packs import contradictions

    columns = [
        Column("published by", "left"),
        Column("rule", "left"),
        Column("state", "left"),
        Column("measured"),
        Column("fires", "left", 1),
        Column("layer", "left", 2),
        Column("what is measured", "left", 3),
    ]
    rows = []
    for one in results:
        applies = one.state != "not applicable"
        rows.append(
            [
                Cell(one.pack),
                Cell(one.name),
                Cell(one.state if applies else "n/a", _STATES[one.state]),
                Cell(scientific(one.value) if applies else ""),
                Cell(one.cut),
                Cell(one.layer),
                Cell(one.measure if applies else one.detail),
            ]
        )
    _print_table("Published rules", columns, rows, terminal)
    said = contradictions(results)
    if said:
        _print_wrapped(f"They contradict each other. {' '.join(said)}", terminal)


def _print_table(title: str, columns: list[Column], rows: list[list[Cell]], terminal: Terminal) -> None:
    terminal.write()
    terminal.write(terminal.painted(terminal.text(title), "bold"))
    table = laid_out(columns, rows, terminal)
    for line in table.lines:
        terminal.write(line)
    if table.left_out:
        words = f"no room for {', '.join(table.left_out)}: widen the window, or --json"
        terminal.write(terminal.painted(terminal.text(words), "dim"))


def _print_wrapped(words: str, terminal: Terminal, indent: str = "") -> None:
    width = min(terminal.width or _READABLE, _READABLE)
    for line in textwrap.wrap(words, width, initial_indent=indent, subsequent_indent=indent):
        terminal.write(line)


def _listed(names: tuple[str, ...], most: int = 8) -> str:
    if len(names) <= most:
        return ", ".join(names)
    return f"{', '.join(names[: most - 2])} … {names[-1]} ({len(names)} of them)"


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
