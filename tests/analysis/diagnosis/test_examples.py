"""Every rule finds its own network with every seed, and leaves the neighbour alone; what it proposes helps."""

from functools import cache

import pytest

from gradsim.analysis.diagnosis import RULES
from gradsim.analysis.diagnosis.applying import diagnosis_of, is_found
from gradsim.analysis.diagnosis.examples import EXAMPLES
from gradsim.analysis.diagnosis.measuring import (
    MeasuredRemedies,
    example_case,
    measured_remedies,
    remedy_table,
)
from gradsim.analysis.diagnosis.trials import helps
from gradsim.engine import Simulator
from tests.conftest import REPOSITORY

SEEDS = range(9)
ROWS = {rule.id: rule for rule in RULES}
each_example = pytest.mark.parametrize(
    "example", EXAMPLES, ids=lambda example: f"{example.rule}: {example.words}"
)


@cache
def measured() -> tuple[MeasuredRemedies, ...]:
    return tuple(measured_remedies(Simulator, iterations=300, seeds=2))


def test_every_rule_has_an_example():
    assert {example.rule for example in EXAMPLES} == set(ROWS)


@each_example
def test_its_network_is_found_with_every_seed(example):
    rule = ROWS[example.rule]
    found = [is_found(rule, example_case(example, example.experiment, Simulator, seed)) for seed in SEEDS]
    assert found == [True] * len(SEEDS)


@each_example
def test_its_neighbour_is_not_found_with_any_seed(example):
    rule = ROWS[example.rule]
    found = [is_found(rule, example_case(example, example.neighbour, Simulator, seed)) for seed in SEEDS]
    assert found == [False] * len(SEEDS)


@each_example
def test_its_finding_names_number_cut_layers_cause_and_remedies(example):
    case = example_case(example, example.experiment, Simulator)
    finding = diagnosis_of(case, "instant")[example.rule]
    past = finding.value > finding.cut if finding.relation == "above" else finding.value < finding.cut
    assert past
    assert finding.sentence.endswith(".")
    assert finding.why.endswith(".")
    assert finding.measure
    assert finding.source
    assert finding.remedies
    assert set(finding.layers) <= {layer.name for layer in case.trace.layers}
    assert not set(finding.layers) & {neighbour.layer for neighbour in finding.neighbours}
    assert all(remedy.experiment != example.experiment for remedy in finding.remedies)


def test_every_remedy_that_a_finding_proposes_helps_its_network():
    useless = [
        (row.rule.id, remedy.id, remedy.effect)
        for row in measured()
        for remedy in row.finding.remedies
        if remedy.effect is None or not helps(remedy.effect)
    ]
    assert useless == []


def test_the_table_has_a_row_for_each_rule_and_each_remedy():
    assert_whole(remedy_table(list(measured())))


def test_the_table_in_the_resources_is_of_these_rules():
    assert_whole((REPOSITORY / "resources" / "remedies.md").read_text(encoding="utf-8"))


def assert_whole(table):
    """Every rule with its cut; every remedy of every example, each of which helps. Digits are the machine's own."""
    rules, remedies = table.split("## Remedies")
    assert [line.split(" | ")[0] for line in rules.splitlines() if line.startswith("| ")][1:] == [
        f"| {rule.title}{' (advice)' if rule.is_advice else ''}" for rule in RULES
    ]
    rows = [line.split(" | ") for line in remedies.splitlines() if line.startswith("| ")][1:]
    assert sorted(row[2] for row in rows) == sorted(
        remedy.title for row in measured() for remedy in row.finding.remedies
    )
    assert {row[5] for row in rows} == {"✓ |"}
