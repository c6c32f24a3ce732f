"""All published rules applied to one network, and where they contradict each other."""

from __future__ import annotations

from dataclasses import fields

import numpy as np

from gradsim.analysis.rule_packs import (
    autotrainer,
    cs231n,
    deeplearning4j,
    sagemaker_debugger,
    thedeepchecker,
)
from gradsim.analysis.rule_packs.record import Record
from gradsim.analysis.rule_packs.rule import NotApplicable, PublishedRule, RuleResult, State
from gradsim.trace import Run

PUBLISHED_RULES: tuple[PublishedRule, ...] = (
    *sagemaker_debugger.RULES,
    *autotrainer.RULES,
    *thedeepchecker.RULES,
    *cs231n.RULES,
    *deeplearning4j.RULES,
)
"""Every rule, pack after pack."""


def apply_published_rules(run: Run) -> tuple[RuleResult, ...]:
    """
    Return which of the published rules fire on a network.

    Parameters
    ----------
    run : Run
        Its trace is looked at, and what its history holds of the iterations before.

    Returns
    -------
    tuple of RuleResult
        One for each of ``PUBLISHED_RULES``, in their order.
    """
    record = Record(run)
    return tuple(_applied(rule, record) for rule in PUBLISHED_RULES)


def contradictions(results: tuple[RuleResult, ...]) -> tuple[str, ...]:
    """
    Return what the packs do not agree on, in words.

    Parameters
    ----------
    results : tuple of RuleResult
        As ``apply_published_rules`` returns them.

    Returns
    -------
    tuple of str
        One sentence for each topic on which one pack fires and another one, that applies, does not.
    """
    sentences = []
    for topic in dict.fromkeys(result.topic for result in results):
        here = [result for result in results if result.topic == topic]
        firing = list(dict.fromkeys(result.pack for result in here if result.state == "fires"))
        quiet = dict.fromkeys(result.pack for result in here if result.state == "quiet")
        silent = [pack for pack in quiet if pack not in firing]
        if firing and silent:
            sentences.append(
                f"{topic.capitalize()}: {_listed(firing, 'say')} yes, {_listed(silent, 'say')} no."
            )
    return tuple(sentences)


def rules_document(results: tuple[RuleResult, ...]) -> list[dict[str, object]]:
    """
    Return the table as plain values.

    Parameters
    ----------
    results : tuple of RuleResult
        As ``apply_published_rules`` returns them.

    Returns
    -------
    list of dict
        One for each rule; numbers that are not finite are the words NaN, Infinity and -Infinity.
    """
    names = [field.name for field in fields(RuleResult)]
    return [{name: _plain(getattr(result, name)) for name in names} for result in results]


def _applied(rule: PublishedRule, record: Record) -> RuleResult:
    found = rule.read(record)
    about = (rule.pack, rule.name, rule.topic, rule.measure, rule.cut, rule.source)
    if isinstance(found, NotApplicable):
        return RuleResult(*about, "not applicable", float("nan"), "", found.reason)
    state: State = "fires" if found.fires else "quiet"
    return RuleResult(*about, state, float(found.value), found.layer, found.detail)


def _listed(names: list[str], verb: str) -> str:
    if len(names) == 1:
        return f"{names[0]} {verb}s"
    return f"{', '.join(names[:-1])} and {names[-1]} {verb}"


def _plain(value: object) -> object:
    if not isinstance(value, float) or np.isfinite(value):
        return value
    return "NaN" if np.isnan(value) else "Infinity" if value > 0 else "-Infinity"
