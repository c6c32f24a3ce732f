"""gradsim run --cause."""

from __future__ import annotations

import io
import json
import math

import pytest

from gradsim.analysis import budget_sentence, cause_budget, cause_verdict, causes
from gradsim.cli import main
from gradsim.cli.causes import cause_document, cause_lines, print_causes
from gradsim.cli.terminal import Terminal
from gradsim.engine import Simulator
from tests.cli.conftest import SMALL
from tests.kind_runs import NETWORKS, kind_run
from tests.reference import reference_trace

pytestmark = pytest.mark.timeout(600)  # the first test ever compiles the machine


def terminal(width=None):
    return Terminal(io.StringIO(), width=width, colour=False, unicode=True, interactive=False)


def test_the_factors_of_every_layer_follow_the_report(small, capsys):
    assert main(["run", small, "--iterations", "20", "--cause"]) == 0
    text = " ".join(capsys.readouterr().out.split())
    simulator = Simulator(SMALL)
    simulator.advance(20)
    found = causes(simulator.record())
    for direction in ("backward", "forward"):
        assert budget_sentence(cause_budget(found, direction)) in text
        assert all(cause_verdict(cause) in text for cause in found.of(direction))


def test_programs_get_every_factor_with_its_parts(small, capsys):
    assert main(["run", small, "--iterations", "20", "--cause", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)["causes"]["backward"]
    assert [layer["name"] for layer in told["layers"]] == ["dense_1", "dense_2", "dense_3"]
    for layer in told["layers"]:
        assert math.prod(factor["value"] for factor in layer["factors"]) == pytest.approx(layer["ratio"])
        assert {factor["kind"] for factor in layer["factors"]} == {"weight", "slope"}
    assert "mean_slope" in told["layers"][0]["factors"][1]["details"]
    assert sum(part["log10"] for part in told["budget"]["parts"]) == pytest.approx(told["budget"]["log10"])


def test_without_the_option_there_are_no_causes(small, capsys):
    assert main(["run", small, "--iterations", "2", "--json"]) == 0
    assert "causes" not in json.loads(capsys.readouterr().out)


@pytest.mark.parametrize("name", NETWORKS)
def test_every_kind_of_layer_has_its_rows_and_columns(name):
    found = causes(kind_run(name).trace)
    for direction in ("backward", "forward"):
        table = cause_lines(found, direction, terminal())
        assert len(table.lines) == 2 + len(found.of(direction))
        assert ("skip" in table.lines[0]) == any(
            factor.kind == "skip" for cause in found.of(direction) for factor in cause.factors
        )
    assert set(cause_document(kind_run(name).trace)) == {"backward", "forward"}


@pytest.mark.parametrize("width", [24, 40, 80])
def test_a_narrow_terminal_loses_words_not_numbers(width):
    found = causes(kind_run("nested residual").trace)
    wide, table = terminal(), cause_lines(found, "backward", terminal(width))
    numbers = [line.split()[0] for line in table.lines[2:]]
    assert numbers == [line.split()[0] for line in cause_lines(found, "backward", wide).lines[2:]]
    assert set(table.left_out) <= {"name", "why"}


@pytest.mark.parametrize(("fault", "word"), [("zero", "0/0"), ("nan", "NaN"), ("inf", "NaN")])
def test_a_broken_pass_is_shown_as_such(fault, word):
    out = terminal()
    print_causes(reference_trace(layers=4, fault=fault), out)
    assert word in out.stream.getvalue()


def test_brief_tables_leave_out_the_middle():
    found = causes(reference_trace(layers=30))
    lines = cause_lines(found, "backward", terminal(), brief=True).lines
    assert len(lines) == 2 + 9
    assert "21 more" in lines[6]


def test_a_single_layer_has_a_sentence_and_no_table():
    out = terminal()
    print_causes(reference_trace(layers=1), out)
    assert "There is a single layer: no ratio to explain." in out.stream.getvalue()
    assert "─" not in out.stream.getvalue()
