"""A diagnosis in print: its findings, and tables of all that was looked at."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from gradsim.cli.table import Cell, Column, laid_out, scientific
from gradsim.cli.terminal import Style, Terminal

if TYPE_CHECKING:
    from gradsim.analysis.diagnosis import Check, Diagnosis, Effect, Finding
    from gradsim.analysis.rule_packs import RuleResult

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
        _print_wrapped(f"{place}. {remedy.title} ({remedy.id}){words}{measured}", terminal, "    ")


def _effect_words(effect: Effect) -> str:
    from gradsim.analysis.diagnosis import helps

    words = f"loss {scientific(effect.loss_before)} → {scientific(effect.loss_after)}"
    if effect.backward_before == effect.backward_before:  # a network of one layer has no such factor
        pair = scientific(effect.backward_before), scientific(effect.backward_after)
        words = f"δ per layer ×{pair[0]} → ×{pair[1]}, {words}"
    seeds = f"{effect.seeds} seed{'' if effect.seeds == 1 else 's'}"
    told = f"measured: {words} after {effect.iterations:,} iterations, {seeds}"
    return told if helps(effect) else f"{told}: no clear help"


def print_checks(checks: tuple[Check, ...], terminal: Terminal) -> None:
    """Print a table of everything that was looked at.

    Parameters
    ----------
    checks : tuple of Check
        Of a diagnosis.
    terminal : Terminal
        Where to print.
    """
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


def print_rules(results: tuple[RuleResult, ...], terminal: Terminal) -> None:
    """Print a table of the published rules of others, and where they contradict each other.

    Parameters
    ----------
    results : tuple of RuleResult
        What came of each.
    terminal : Terminal
        Where to print.
    """
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
