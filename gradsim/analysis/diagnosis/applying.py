"""Applying the rules to a case: a check of every rule, a finding where one is past its cut."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from gradsim.analysis.diagnosis.case import Case, Measurement, Unknown
from gradsim.analysis.diagnosis.finding import (
    Check,
    Confidence,
    Depth,
    Diagnosis,
    Finding,
    Neighbour,
    Relation,
    State,
)
from gradsim.analysis.diagnosis.rule import Rule
from gradsim.analysis.diagnosis.rules import RULES
from gradsim.analysis.diagnosis.words import number, percent
from gradsim.analysis.remedies import remedy_for

Confident = Callable[[Rule], Confidence]
NEIGHBOURS = 3


def diagnosis_of(case: Case, depth: Depth, confident: Confident | None = None) -> Diagnosis:
    """Return what the rules find in a case; ``confident`` tells with how many seeds a rule finds the same."""
    checks: list[Check] = []
    findings: list[Finding] = []
    after: dict[str, tuple[str, ...]] = {}
    for rule in RULES:
        measured = measurement(rule, case)
        check = _check(rule, measured, case)
        checks.append(check)
        if check.state == "found" and isinstance(measured, Measurement):
            sure = confident(rule) if confident else Confidence(1, 1, case.trace.iteration)
            findings.append(_finding(rule, measured, check, case, sure))
            after[rule.id] = measured.after
    findings = _causes_first(sorted(findings, key=lambda finding: finding.is_advice), after)
    diagnosis = Diagnosis(
        iteration=case.trace.iteration,
        depth=depth,
        loss=case.loss,
        baseline=case.baseline,
        is_converged=case.is_converged,
        findings=tuple(findings),
        checks=tuple(checks),
        sentence="",
    )
    return replace(diagnosis, sentence=sentence_of(diagnosis))


def _causes_first(findings: Sequence[Finding], after: Mapping[str, tuple[str, ...]]) -> list[Finding]:
    """Return findings in their order, but each behind those that it is a consequence of."""
    by_id = {finding.id: finding for finding in findings}
    told: dict[str, Finding] = {}

    def tell(finding: Finding) -> None:
        for cause in after[finding.id]:
            if cause in by_id and cause not in told:
                tell(by_id[cause])
        told.setdefault(finding.id, finding)

    for finding in findings:
        tell(finding)
    return list(told.values())


def measurement(rule: Rule, case: Case) -> Measurement | Unknown:
    """Return what a rule measures in a case."""
    with np.errstate(all="ignore"):
        return rule.observe(case)


def is_found(rule: Rule, case: Case) -> bool:
    """Return whether a rule finds something in a case."""
    return _check(rule, measurement(rule, case), case).state == "found"


def _check(rule: Rule, measured: Measurement | Unknown, case: Case) -> Check:
    if isinstance(measured, Unknown):
        nothing = math.nan
        return Check(
            rule.id,
            rule.title,
            "unknown",
            rule.measure,
            nothing,
            rule.cut,
            rule.relation,
            "",
            measured.reason,
        )
    cut = rule.cut if measured.cut is None else measured.cut
    state: State = "clear"
    reason = ""
    if math.isnan(measured.value):
        state, reason = "unknown", "its number is not a number"
    elif is_past(measured.value, cut, rule.relation):
        state = "found"
        if measured.excuse:
            state, reason = "clear", measured.excuse
        elif case.share <= rule.gate:
            state = "converged"
            reason = f"the loss is {percent(case.share)} of what a constant answer costs"
    return Check(
        rule.id,
        rule.title,
        state,
        rule.measure,
        measured.value,
        cut,
        rule.relation,
        _worst(measured, rule.relation),
        reason,
    )


def is_past(value: float, cut: float, relation: Relation) -> bool:
    """Return whether a number lies on the side of the cut where findings are."""
    return value > cut if relation == "above" else value < cut


def _worst(measured: Measurement, relation: Relation) -> str:
    if not measured.values:
        return ""
    extreme = max if relation == "above" else min
    return extreme(measured.values, key=lambda name: measured.values[name])


def _finding(rule: Rule, measured: Measurement, check: Check, case: Case, confidence: Confidence) -> Finding:
    past = {name for name, value in measured.values.items() if is_past(value, check.cut, rule.relation)}
    if measured.layers is not None:
        past = set(measured.layers)
    order = [layer.name for layer in case.trace.layers]
    others = [
        Neighbour(name, value)
        for name, value in measured.values.items()
        if name not in past and not math.isnan(value)
    ]
    others.sort(key=lambda neighbour: neighbour.value, reverse=rule.relation == "above")
    names = rule.remedies if measured.remedies is None else measured.remedies
    offered = (remedy_for(name, case.experiment, measured.evidence) for name in names)
    return Finding(
        id=rule.id,
        title=rule.title,
        is_advice=rule.is_advice,
        layers=tuple(name for name in order if name in past),
        measure=rule.measure,
        value=measured.value,
        cut=check.cut,
        relation=rule.relation,
        source=rule.source,
        evidence=dict(measured.evidence),
        neighbours=tuple(others[:NEIGHBOURS]),
        confidence=confidence,
        sentence=measured.sentence,
        why=measured.why,
        remedies=tuple(one for one in offered if one is not None),
    )


def sentence_of(diagnosis: Diagnosis) -> str:
    """Return a diagnosis in a sentence or two, from all else that it holds."""
    findings, share = diagnosis.findings, diagnosis.loss_share
    faults = [finding for finding in findings if not finding.is_advice]
    # Not that of the batch on screen alone, which swings: the two are told apart.
    median = " (recent median)" if diagnosis.iteration else ""
    stands = f"The batch loss is {number(diagnosis.loss)}{median}"
    if not math.isnan(share):
        stands += f", {percent(share)} of what a constant answer costs"
    if diagnosis.is_converged and not faults:
        return f"Healthy: {stands[0].lower()}{stands[1:]}: the network has learned."
    if not faults:
        advice = f"{len(findings)} piece{'s' if len(findings) > 1 else ''} of advice"
        if diagnosis.has_learned:
            told = f"Healthy, with {advice}." if findings else "Healthy: nothing was found."
        else:
            told = f"Nothing found yet but {advice}." if findings else "Nothing found yet."
        return f"{told} {stands}."
    more = f" and {len(faults) - 1} more" if len(faults) > 1 else ""
    return f"{faults[0].title}{more}. {faults[0].sentence} {stands}."
