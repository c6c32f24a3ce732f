"""The table of layers, on traces of all kinds."""

import io

import pytest

from gradsim.analysis import profile
from gradsim.cli.layers import layer_rows, layer_table
from gradsim.cli.terminal import Terminal
from tests.kind_runs import NETWORKS, kind_run
from tests.reference import reference_trace


def table(trace, width=None, brief=False):
    terminal = Terminal(io.StringIO(), width, False, True, False)
    return layer_table(layer_rows(trace, profile(trace)), terminal, brief)


def test_a_row_has_the_numbers_of_the_trace():
    trace = reference_trace(layers=4)
    row = layer_rows(trace, profile(trace))[1]
    assert (row.number, row.name, row.kind, row.units) == (2, "dense_2", "dense", 8)
    assert row.delta_rms == trace["dense_2"].statistics["delta"].rms
    assert row.backward_ratio == row.delta_rms / trace["dense_3"].statistics["delta"].rms
    assert row.update_ratio == pytest.approx(
        trace["dense_2"].statistics["update"].rms / trace["dense_2"].statistics["weight"].rms
    )
    assert layer_rows(trace, profile(trace))[-1].backward_ratio is None


@pytest.mark.parametrize(("fault", "shown"), [("zero", " 0 "), ("nan", " NaN "), ("inf", " ∞ ")])
def test_what_is_broken_is_shown_as_such(fault, shown):
    lines = table(reference_trace(layers=4, fault=fault)).lines[2:]
    assert all(shown in f"{line} " for line in lines)


def test_zeros_are_told_as_a_share_that_never_rounds_to_all_or_nothing():
    trace = reference_trace(layers=4, units=64, activation="relu", batch=64)
    shares = [row.zero_share for row in layer_rows(trace, profile(trace))]
    assert 0.1 < shares[0] < 0.9
    assert "100 %" in table(reference_trace(layers=3, fault="zero")).lines[2]
    from gradsim.cli.layers import _share

    assert [_share(value) for value in (0.0, 1e-9, 0.5, 1 - 1e-9, 1.0)] == [
        "0 %",
        "<1 %",
        "50 %",
        ">99 %",
        "100 %",
    ]


@pytest.mark.parametrize("layers", [1, 2, 9, 10, 60])
@pytest.mark.parametrize("brief", [True, False])
def test_brief_leaves_out_the_middle_only_where_that_is_shorter(layers, brief):
    lines = table(reference_trace(layers=layers), brief=brief).lines
    assert len(lines) - 2 == (9 if brief and layers > 9 else layers)
    assert "head" in lines[-1]


@pytest.mark.parametrize("fault", [None, "zero", "nan", "inf", "mixed"])
@pytest.mark.parametrize("width", [60, 80, 100, 120, 160])
def test_the_table_fits_whatever_the_numbers(fault, width):
    lines = table(reference_trace(layers=12, fault=fault), width).lines
    assert max(map(len, lines)) <= width


def test_the_strip_draws_larger_deltas_further_to_the_right():
    lines = table(reference_trace(layers=8, activation="sigmoid")).lines[2:]
    places = [line.rindex("●") for line in lines]
    assert places == sorted(places)
    assert places[0] < places[-1]


@pytest.mark.parametrize("name", NETWORKS)
def test_every_kind_of_layer_has_its_line(name):
    found = kind_run(name).trace
    rows = layer_rows(found, profile(found))
    assert [row.name for row in rows] == [layer.name for layer in found.layers]
    lines = layer_table(rows, Terminal(io.StringIO(), None, False, True, False)).lines
    assert len(lines) >= len(rows)
    for row in rows:
        assert any(row.name in line for line in lines)
        assert (row.weight_rms is None) == ("weight" not in found[row.name].statistics)
        assert (row.backward_ratio is None) == (row.number is None or row.name == "head")


def test_a_layer_without_weights_leaves_their_cells_blank():
    found = kind_run("dropout").trace
    row = layer_rows(found, profile(found))[1]
    assert (row.kind, row.number, row.activation) == ("dropout", None, "")
    cells = layer_table([row], Terminal(io.StringIO(), None, False, True, False)).lines[-1].split()
    assert cells[0] == "dropout_1", "there is no number before the name"
