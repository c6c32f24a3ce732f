"""Checks of the diagnosis and published rules as rows of a table."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradsim.analysis.diagnosis import Check, Diagnosis
from gradsim.analysis.rule_packs import RuleResult
from gradsim.views.diagnosis.rows_view import Group, Row
from gradsim.views.inspection.number_text import exact_text, number_text
from gradsim.views.plot.numbers import typeset

_STATES = {
    "found": ("✗ found", "bad"),
    "clear": ("✓ clear", "good"),
    "converged": ("✓ converged", "good"),
    "unknown": ("– unknown", "muted"),
    "fires": ("✗ fires", "bad"),
    "quiet": ("✓ quiet", "good"),
    "not applicable": ("– n/a", "muted"),
}
"""State → its word and the role of its colour."""


def check_groups(diagnosis: Diagnosis) -> tuple[Group, ...]:
    """Return the checks of a diagnosis, those that found something first."""
    found = tuple(_check_row(check) for check in diagnosis.checks if check.state == "found")
    others = tuple(_check_row(check) for check in diagnosis.checks if check.state != "found")
    groups = ((f"Found ({len(found)})", found), (f"Not found ({len(others)})", others))
    return tuple(group for group in groups if group[1])


def rule_groups(results: tuple[RuleResult, ...]) -> tuple[Group, ...]:
    """Return published rules under what they look for, with how many of them fire: so one sees them disagree."""
    groups = []
    for topic in dict.fromkeys(result.topic for result in results):
        here = [result for result in results if result.topic == topic]
        firing = sum(result.state == "fires" for result in here)
        quiet = sum(result.state == "quiet" for result in here)
        verdict = f"{firing} of {firing + quiet} fire"
        if firing and quiet:
            verdict += ", a contradiction"
        elif not firing + quiet:
            verdict = "none applies"
        elif not firing:
            verdict = "none fires"
        groups.append((f"{topic.capitalize()}: {verdict}", tuple(_rule_row(one, here) for one in here)))
    return tuple(groups)


def diagnosis_table(
    diagnosis: Diagnosis, results: tuple[RuleResult, ...]
) -> tuple[dict[str, NDArray[Any]], dict[str, str]]:
    """Return every check and every published rule as columns, and what the columns hold."""
    rows: list[tuple[str, str, str, float, str, str]] = [
        ("GradSim", check.title, check.state, check.value, f"{check.relation} {check.cut:g}", check.layer)
        for check in diagnosis.checks
    ]
    rows += [(one.pack, one.name, one.state, one.value, one.cut, one.layer) for one in results]
    names = ("pack", "rule", "state", "measured", "cut", "layer")
    columns = {name: np.array(column) for name, column in zip(names, zip(*rows, strict=True), strict=True)}
    return columns, {name: "of the rule" if name == "measured" else "text" for name in names}


def _check_row(check: Check) -> Row:
    word, role = _STATES[check.state]
    is_unknown = check.state == "unknown"
    sign = ">" if check.relation == "above" else "<"
    tip = f"{check.title}: {check.measure}"
    if not is_unknown:
        tip += f"\n{exact_text(check.value)}, found where {sign} {number_text(check.cut)}"
    return Row(
        check.title,
        word,
        role,
        "" if is_unknown else number_text(check.value, 3),
        "" if is_unknown else f"{sign} {number_text(check.cut, 3)}",
        check.layer,
        f"{tip}\n{check.reason}".rstrip(),
    )


def _rule_row(result: RuleResult, others: list[RuleResult]) -> Row:
    alone = sum(other.pack == result.pack for other in others) == 1
    word, role = _STATES[result.state]
    is_applicable = result.state != "not applicable"
    tip = f"{result.measure}: {exact_text(result.value)}" if is_applicable else result.detail
    if is_applicable and result.detail:
        tip += f" ({result.detail})"
    return Row(
        result.pack if alone else f"{result.pack}, {result.name.rpartition(', ')[2]}",
        word,
        role,
        number_text(result.value, 3) if is_applicable else result.detail,
        typeset(result.cut),
        result.layer,
        f"{result.pack}: {result.name}\n{tip}\nFires: {typeset(result.cut)}\n\n{result.source}",
    )
