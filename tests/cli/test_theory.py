"""gradsim run --theory."""

from __future__ import annotations

import io
import json
import math

import numpy as np
import pytest

from gradsim.analysis import (
    THEORY_UNITS,
    expected_profile,
    mean_field,
    power_words,
    theory_sentence,
    theory_table,
)
from gradsim.cli import main
from gradsim.cli.terminal import Terminal
from gradsim.cli.theory import theory_lines
from gradsim.engine import Simulator
from tests.cli.conftest import SEQUENCES, SMALL
from tests.kind_runs import NETWORKS, kind_run

pytestmark = pytest.mark.timeout(600)  # the first test ever compiles the machine


def terminal(width=None):
    return Terminal(io.StringIO(), width=width, colour=False, unicode=True, interactive=False)


def record_after(experiment, iterations):
    simulator = Simulator(experiment)
    simulator.advance(iterations)
    return simulator.record()


def test_theory_follows_the_report_for_the_last_pass_and_the_first(small, capsys):
    assert main(["run", small, "--iterations", "20", "--theory"]) == 0
    text = " ".join(capsys.readouterr().out.split())
    last, first = (expected_profile(record_after(SMALL, count)) for count in (20, 0))
    assert theory_sentence(last) in text
    assert "trained for 20 iterations" in text
    assert f"At iteration 0: {theory_sentence(first)}" in text
    assert power_words(float(last.log10_delta[0])) in text


def test_without_training_the_start_is_told_once(small, capsys):
    assert main(["run", small, "--iterations", "0", "--theory"]) == 0
    text = " ".join(capsys.readouterr().out.split())
    sentence = theory_sentence(expected_profile(record_after(SMALL, 0)))
    assert text.count(sentence) == 1
    assert "At iteration 0:" not in text


def test_programs_get_the_very_numbers_of_the_analysis(small, capsys):
    assert main(["run", small, "--iterations", "20", "--theory", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)["theory"]
    assert told["units"] == THEORY_UNITS
    for name, count in (("last", 20), ("first", 0)):
        trace = record_after(SMALL, count)
        expected, field = expected_profile(trace), mean_field(trace)
        assert told[name]["iteration"] == count
        assert told[name]["sentence"] == theory_sentence(expected)
        assert told[name]["reasons"] == list(expected.reasons)
        assert (told[name]["widths"], told[name]["batch"]) == ([5, 5], 12)
        assert told[name]["mean_field"]["chi"] == field.chi
        assert told[name]["mean_field"]["q_star"] == field.q_star
        assert told[name]["mean_field"]["activation"] == "tanh"
        for column, values in theory_table(expected).items():
            got = [row[column] for row in told[name]["layers"]]
            assert got == ["NaN" if math.isnan(value) else value for value in values]
        for row in told[name]["layers"]:
            assert row["delta_rms"] == trace[row["name"]].statistics["delta"].rms
            assert row["activation_rms"] == trace[row["name"]].statistics["activation"].rms


def test_where_there_is_no_theory_there_is_a_reason_and_no_table(sequences, capsys):
    assert main(["run", sequences, "--iterations", "1", "--theory"]) == 0
    text = " ".join(capsys.readouterr().out.split())
    reason = theory_sentence(expected_profile(record_after(SEQUENCES, 1)))
    assert reason.startswith("Theory does not apply here: ")
    assert text.count(reason) == 1
    assert "√χ" not in text


def test_without_the_option_there_is_no_theory(small, capsys):
    assert main(["run", small, "--iterations", "2", "--json"]) == 0
    assert "theory" not in json.loads(capsys.readouterr().out)


@pytest.mark.parametrize("name", NETWORKS)
def test_every_kind_of_network_has_one_line_per_numbered_layer(name):
    trace = kind_run(name).trace
    expected = expected_profile(trace)
    lines = theory_lines(expected, trace, terminal()).lines[2:]
    assert [int(line.split()[0]) for line in lines] == expected.numbers.tolist()
    for line, number, delta in zip(lines, expected.numbers, expected.log10_delta, strict=True):
        assert ("·" if np.isnan(delta) else power_words(delta)) in line
        outside = number in expected.outside
        assert (line.rstrip().endswith("δ") or "δ, a" in line) == outside


@pytest.mark.parametrize("width", [40, 60, 100])
def test_a_narrow_terminal_keeps_both_numbers_of_each_layer(width):
    trace = kind_run("residual").trace
    expected = expected_profile(trace)
    table = theory_lines(expected, trace, terminal(width))
    assert set(table.left_out) <= {"name", "q", "√χ", "×/÷"}
    for line, delta in zip(table.lines[2:], expected.log10_delta[:-1], strict=False):
        assert power_words(delta) in line


@pytest.mark.parametrize(
    ("log10", "words"),
    [
        (0.0, "1.00"),
        (-2.0, "0.0100"),
        (2.5, "316"),
        (math.log10(999.7), "1.00e+03"),
        (-3.2, "6.31e-04"),
        (-361.5, "3.16e-362"),
        (400.0, "1.00e+400"),
        (-math.inf, "0"),
        (math.inf, "∞"),
        (math.nan, "NaN"),
    ],
)
def test_powers_have_three_digits_beyond_what_a_float_can_hold(log10, words):
    assert power_words(log10) == words
