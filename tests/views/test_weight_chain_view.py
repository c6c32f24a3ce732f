"""The chain rule of a weight in the inspector: its numbers, how they are copied, and which paths it tells of."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt, QUrl
from PySide6.QtGui import QGuiApplication, QTextCursor
from pytestqt.qtbot import QtBot

import gradsim
from gradsim.analysis.chain_rule import weight_chain, weight_tensors
from gradsim.cli.figures import run_of as run_of_simulator
from gradsim.engine import Simulator
from gradsim.resource_files import resource_path
from gradsim.trace import Cursor, Run
from gradsim.views.inspection import chain_view
from gradsim.views.inspection.chain_words import count_text, layer_below, unit_chain
from gradsim.views.inspection.number_text import number_text
from gradsim.views.inspection.path_text import path_texts, whole_path_text
from gradsim.views.inspector import Inspector
from gradsim.views.theme import DARK
from tests.kind_runs import NETWORKS, kind_run
from tests.reference import reference_run


@pytest.fixture(autouse=True)
def no_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chain_view, "_REST", 0.0)  # between two looks at the paths


@functools.cache
def example() -> Run:
    path = resource_path("experiments", "chain.gradsim.json")
    return run_of_simulator(Simulator(gradsim.load(path), path.parent))


@functools.cache
def plain_run(layers: int = 3, units: int = 6, **options: Any) -> Run:
    return reference_run(layers, units, records=2, **options)


def microscope(qtbot: QtBot, run: Run, width: int = 300) -> Inspector:
    inspector = Inspector()
    qtbot.addWidget(inspector)
    inspector.resize(width, 760)
    inspector.set_run(run)
    inspector.set_selection(0)
    inspector.tabs.setCurrentWidget(inspector.chain)
    inspector.show()
    written(qtbot, inspector)
    return inspector


def written(qtbot: QtBot, inspector: Inspector) -> str:
    qtbot.waitUntil(lambda: not inspector.chain._timer.isActive())
    return inspector.chain.text.toPlainText()


def test_the_example_shows_every_factor_in_ten_digits(qtbot: QtBot) -> None:
    inspector = microscope(qtbot, example())
    text = written(qtbot, inspector)
    trace = example().trace
    chain = weight_chain(trace, 0, 0, 0, 0)
    for factor in chain.paths[0].factors:
        assert number_text(float(factor.values[0]), 10) in text
    for words in ("loss by output", "output by pre-activation", "pre-activation by weight", "One path"):
        assert words in text
    for value in (chain.weight, chain.gradient, chain.update, chain.after):
        assert number_text(value, 10) in text
    inspector.set_selection(2)
    inspector.tabs.setCurrentIndex(0)
    step = next(i for i, s in enumerate(trace.steps) if s.operation == "activation" and s.layer == 2)
    inspector.set_cursor(Cursor(0, step))
    assert "0.571651565" in inspector.formula.toPlainText()
    inspector.set_cursor(Cursor(0, next(i for i, s in enumerate(trace.steps) if s.phase == "loss")))
    assert "0.026071503" in inspector.formula.toPlainText()  # 0.0260715038…, rounded 0.026071504
    assert "0.571651565" in inspector.text_summary()


@pytest.mark.parametrize(
    ("name", "width"), [*((name, 300) for name in NETWORKS), ("nested residual", 600), ("lstm", 600)]
)
def test_every_layer_of_every_kind_is_told_and_fits(qtbot: QtBot, name: str, width: int) -> None:
    run = kind_run(name)
    inspector = microscope(qtbot, run, width)
    for layer in {layer.kind: layer for layer in run.trace.layers}.values():
        inspector.set_selection(layer.index)
        tensors = weight_tensors(run.trace, layer.index)
        for scope in (0, 1):
            inspector.places.scope.setCurrentIndex(scope)
            text = written(qtbot, inspector)
            chain = inspector.chain.chain
            if not tensors:
                assert "no weights" in text
                assert chain is None
                continue
            assert chain is not None
            assert (chain.sample is None) == (scope == 1)
            assert number_text(chain.total) in text
            assert all(remark.split(":")[0][:20] in text for remark in chain.remarks)
            assert inspector.chain.text.horizontalScrollBar().maximum() == 0


@pytest.mark.parametrize("layers", [1, 12, 200])
@pytest.mark.parametrize("fault", [None, "zero", "nan", "inf", "mixed"])
def test_deep_and_broken_networks_are_told_in_a_narrow_dock(qtbot: QtBot, layers: int, fault: Any) -> None:
    inspector = microscope(qtbot, plain_run(layers, 5, fault=fault))
    inspector.set_theme(DARK)
    text = written(qtbot, inspector)
    chain = inspector.chain.chain
    assert chain is not None
    assert number_text(chain.total) in text
    assert inspector.chain.text.horizontalScrollBar().maximum() == 0
    assert inspector.chain.text_summary().startswith("∂L/∂w of sample 1")
    if fault in ("nan", "inf"):
        assert "NaN" in text or "∞" in text


def test_numbers_stay_whole_in_a_narrow_dock_with_ten_digits(qtbot: QtBot) -> None:
    inspector = microscope(qtbot, plain_run(4, 8))
    inspector.digits.setCurrentIndex(inspector.digits.findData(10))
    for scope in (0, 1):
        inspector.places.scope.setCurrentIndex(scope)
        text = written(qtbot, inspector)
        chain = inspector.chain.chain
        assert chain is not None
        assert number_text(chain.gradient if scope else chain.total, 10) in text
        assert inspector.chain.text.horizontalScrollBar().maximum() == 0


def test_the_shares_of_the_samples_lead_to_their_sample(qtbot: QtBot) -> None:
    run = plain_run()
    inspector = microscope(qtbot, run)
    inspector.places.scope.setCurrentIndex(1)
    assert "the shares add up to the gradient" in written(qtbot, inspector).replace("\n", " ")
    chain = inspector.chain.chain
    assert chain is not None
    largest = int(np.argmax(np.abs(chain.terms)))
    inspector.chain.text.anchorClicked.emit(QUrl(f"sample:{largest}"))
    assert inspector.sample.value() == largest + 1
    assert inspector.chain.chain is not None
    assert inspector.chain.chain.sample == largest
    assert inspector.chain.chain.total == chain.terms[largest]


# The mean over the batch


def table_rows(inspector: Inspector) -> list[list[str]]:
    return [line.split("\t") for line in inspector.chain.text.exact_text().split("\n")]


def said_numbers(inspector: Inspector, words: str) -> list[float]:
    """Return the numbers of the rows that end in some words, or begin with them."""
    rows = [row for row in table_rows(inspector) if row[-1].startswith(words) or row[0].startswith(words)]
    return [
        float(cell)
        for row in rows
        for cell in row
        if cell.replace("e-", "").replace(".", "").strip("-").isdigit()
    ]


@pytest.mark.parametrize("name", ["plain", "dense", "lstm", "gru", "residual"])
def test_the_means_of_a_batch_and_what_remains_make_the_gradient(qtbot: QtBot, name: str) -> None:
    run = plain_run(3, 6) if name == "plain" else kind_run("dropout" if name == "dense" else name)
    inspector = microscope(qtbot, run, 700)
    inspector.set_weight(0, 1, 2)
    inspector.places.scope.setCurrentIndex(1)
    written(qtbot, inspector)
    chain = inspector.chain.chain
    assert chain is not None
    assert chain.sample is None
    (count,) = said_numbers(inspector, "n")[:1]
    means = said_numbers(inspector, "mean, ")
    assert len(means) == 3
    (by_means,), (remainder,) = (
        said_numbers(inspector, "n times"),
        said_numbers(inspector, "remainder: what they do"),
    )
    assert count * np.prod(means) == pytest.approx(by_means, rel=1e-12)
    size = np.abs(chain.terms).sum()
    rounding = sum(said_numbers(inspector, "rounding in"))
    assert abs(rounding) < 1e-6 * size
    assert by_means + remainder + rounding == pytest.approx(chain.gradient, abs=1e-12 * size, rel=0)
    summary = inspector.text_summary()
    assert f"remainder {number_text(remainder)}" in summary
    assert all(number_text(mean) in summary for mean in means)
    groups = [row for row in table_rows(inspector) if " with " in row[0] and len(row) == 2]
    assert len(groups) == 4
    assert sum(float(row[1]) for row in groups) == pytest.approx(remainder, abs=1e-12 * size, rel=0)
    # So do the factors of the marked path.
    path = chain.paths[0]
    remainder = said_numbers(inspector, "remainder: what the factors do")[-1]
    assert said_numbers(inspector, "sum over the samples") == [path.value]
    rows = table_rows(inspector)
    start = next(i for i, row in enumerate(rows) if row[0] == "factor")
    end = next(i for i, row in enumerate(rows) if row[0].startswith("remainder: what the factors"))
    assert float(rows[end - 1][2]) + remainder == pytest.approx(path.value, rel=1e-12)
    assert float(rows[start + 1][1]) * np.prod(
        [float(row[1]) for row in rows[start + 2 : end]]
    ) == pytest.approx(float(rows[end - 1][2]), rel=1e-12)


def test_the_mean_over_the_batch_stays_chosen_in_other_iterations_runs_and_tabs(qtbot: QtBot) -> None:
    inspector = microscope(qtbot, plain_run())
    inspector.places.scope.setCurrentIndex(1)
    for run in (plain_run(), kind_run("lstm"), plain_run(4, 6), kind_run("residual")):
        inspector.set_run(run)
        assert inspector.place.sample is None
        assert inspector.chain.chain is not None
        assert inspector.chain.chain.sample is None
        inspector.tabs.setCurrentIndex(0)
        step = next(i for i, s in enumerate(run.trace.steps) if s.operation == "delta")
        inspector.set_cursor(Cursor(0, step))
        text = inspector.formula.toPlainText()
        assert f"mean over {len(run.trace.inputs)} samples" in text
        assert "remainder" in text
        inspector.tabs.setCurrentIndex(1)
        assert inspector.places.is_mean
    inspector.places.scope.setCurrentIndex(0)
    assert inspector.place.sample == 0


def test_the_field_of_the_sample_gives_way_to_the_size_of_the_batch(qtbot: QtBot) -> None:
    inspector = microscope(qtbot, plain_run())
    assert inspector.sample.isVisible()
    inspector.places.scope.setCurrentIndex(1)
    assert not inspector.sample.isVisible()
    assert inspector.places.over.text() == "of 16 samples"
    inspector.chain.text.anchorClicked.emit(QUrl("sample:4"))
    assert inspector.sample.isVisible()
    assert inspector.place.sample == 4


@pytest.mark.parametrize("name", ["simple recurrent", "lstm", "gru", "gru, reset before"])
def test_a_step_of_time_is_looked_at_alone_and_left_again(qtbot: QtBot, name: str) -> None:
    inspector = microscope(qtbot, kind_run(name))
    text = written(qtbot, inspector)
    assert "Largest shares of the steps" in text
    inspector.chain.text.anchorClicked.emit(QUrl("step:5"))
    text = written(qtbot, inspector)
    chain = inspector.chain.chain
    assert chain is not None
    assert chain.time == 5
    assert "step 6 of 9 · all steps" in text
    assert "the product" in text
    assert number_text(chain.total) in text
    inspector.chain.text.anchorClicked.emit(QUrl("step:all"))
    assert inspector.chain.chain is not None
    assert inspector.chain.chain.time is None


def test_the_whole_path_is_told_where_the_mouse_is_over_it(qtbot: QtBot) -> None:
    inspector = microscope(qtbot, plain_run(40, 6))
    inspector.chain.text.highlighted.emit(QUrl("path:2"))
    chain = inspector.chain.chain
    assert chain is not None
    way = unit_chain(plain_run(40, 6).trace, chain, chain.paths[2])
    assert inspector.chain.text.toolTip() == whole_path_text(way)
    inspector.chain.text.highlighted.emit(QUrl(""))
    assert inspector.chain.text.toolTip() == ""


# Paths for the picture of the network


def test_the_paths_are_told_the_marked_one_first_and_taken_back_when_hidden(qtbot: QtBot) -> None:
    run = plain_run(4, 6)
    inspector = microscope(qtbot, run)
    told: list[Any] = []
    inspector.paths_selected.connect(told.append)
    inspector.unit.setValue(3)
    written(qtbot, inspector)
    chain = inspector.chain.chain
    assert chain is not None
    expected = [unit_chain(run.trace, chain, path) for path in chain.paths]
    assert list(told[-1]) == expected
    assert expected[0][0] == (-1, 0)
    assert expected[0][1] == (0, 2)
    inspector.chain.text.anchorClicked.emit(QUrl("path:3"))
    assert told[-1][0] == expected[3]
    assert sorted(told[-1]) == sorted(expected)
    inspector.tabs.setCurrentIndex(0)
    assert told[-1] == ()


def test_setters_emit_nothing_and_nothing_is_computed_while_hidden(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[int] = []

    def counted(*values: Any, **options: Any) -> Any:
        calls.append(1)
        return weight_chain(*values, **options)

    monkeypatch.setattr(chain_view, "weight_chain", counted)
    inspector = Inspector()
    qtbot.addWidget(inspector)
    heard: list[Any] = []
    inspector.paths_selected.connect(heard.append)
    inspector.show()
    for run in (plain_run(), plain_run(4, 6), None, plain_run()):
        inspector.set_run(run)
        inspector.set_weight(0, 1, 2)
        inspector.set_theme(DARK)
    qtbot.waitUntil(lambda: not inspector.chain._timer.isActive())
    assert calls == []
    inspector.tabs.setCurrentWidget(inspector.chain)
    before = list(heard)
    inspector.set_run(plain_run(4, 6))
    assert heard == before


def test_a_weight_is_chosen_by_its_two_units(qtbot: QtBot) -> None:
    inspector = microscope(qtbot, plain_run(4, 6))
    inspector.set_weight(1, 4, 2)
    chain = inspector.chain.chain
    assert chain is not None
    assert (chain.layer, chain.row, chain.column) == (1, 4, 2)
    assert (inspector.source.value(), inspector.unit.value()) == (5, 3)
    assert inspector.source.isEnabled()


def test_the_largest_gradients_of_the_layer_lead_to_their_weights(qtbot: QtBot) -> None:
    run = plain_run(4, 6)
    inspector = microscope(qtbot, run)
    inspector.set_selection(1)
    written(qtbot, inspector)
    gradient = run.trace.layers[1].weight_gradient
    row, column = (int(i) for i in np.unravel_index(int(np.abs(gradient).argmax()), gradient.shape))
    heard: list[tuple[int, int]] = []
    inspector.unit_selected.connect(lambda layer, unit: heard.append((layer, unit)))
    assert f"weight:{row}:{column}" in inspector.chain.text.text()
    inspector.chain.text.anchorClicked.emit(QUrl(f"weight:{row}:{column}"))
    assert heard == [(1, column)]
    chain = inspector.chain.chain
    assert chain is not None
    assert chain.gradient == float(gradient[row, column])


def test_every_parameter_of_a_layer_can_be_chosen(qtbot: QtBot) -> None:
    run = kind_run("lstm")
    inspector = microscope(qtbot, run)
    assert inspector.chain.parameter.count() == 3
    for index, tensor in enumerate(weight_tensors(run.trace, 0)):
        inspector.chain.parameter.setCurrentIndex(index)
        inspector.chain._choose()
        assert inspector.chain.chain is not None
        assert inspector.chain.chain.tensor == tensor


@pytest.mark.parametrize(("name", "gates"), [("lstm", 4), ("gru", 3), ("simple recurrent", 0)])
def test_every_gate_of_a_cell_can_be_chosen(qtbot: QtBot, name: str, gates: int) -> None:
    run = kind_run(name)
    inspector = microscope(qtbot, run)
    assert inspector.chain.gate.count() == gates
    assert inspector.chain.gate.isVisible() == (gates > 0)
    inspector.chain.gate.setCurrentIndex(gates - 1)
    inspector.chain._choose()
    inspector.set_weight(0, 4, 2)
    chain = inspector.chain.chain
    assert chain is not None
    units = run.trace.layers[0].fan_out
    assert (chain.row, chain.column) == (4, max(gates - 1, 0) * units + 2)
    gradient = run.trace.layers[0].recurrent_weight_gradient
    inspector.chain.text.anchorClicked.emit(QUrl(f"weight:1:{gradient.shape[1] - 1}"))
    assert inspector.chain.chain is not None
    assert inspector.chain.chain.gradient == float(gradient[1, -1])
    inspector.set_run(plain_run())
    assert not inspector.chain.gate.isVisible()


# Copying


def test_a_number_is_copied_in_all_its_digits_by_a_click(qtbot: QtBot) -> None:
    inspector = microscope(qtbot, plain_run())
    chain = inspector.chain.chain
    assert chain is not None
    assert f"copy:{chain.total!r}" in inspector.chain.text.text()
    inspector.chain.text.anchorClicked.emit(QUrl(f"copy:{chain.total!r}"))
    assert float(QGuiApplication.clipboard().text()) == chain.total


def test_everything_is_copied_with_exact_numbers_where_nothing_is_selected(qtbot: QtBot) -> None:
    inspector = microscope(qtbot, plain_run())
    chain = inspector.chain.chain
    assert chain is not None
    qtbot.keyClick(inspector.chain.text, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    lines = QGuiApplication.clipboard().text().split("\n")
    product = next(line for line in lines if line.endswith("the product")).split("\t")
    assert float(product[1]) == chain.total
    assert any(line.split("\t")[0] == repr(chain.paths[0].value) for line in lines)


def test_the_ratios_are_copied_by_a_click_too(qtbot: QtBot) -> None:
    inspector = microscope(qtbot, plain_run())
    exact = repr(float(plain_run().trace.layers[0].saturation))
    assert f"copy:{exact}" in inspector.ratios.text()
    inspector.ratios.linkActivated.emit(f"copy:{exact}")
    assert QGuiApplication.clipboard().text() == exact


def test_a_selection_is_copied_with_exact_numbers(qtbot: QtBot) -> None:
    inspector = microscope(qtbot, plain_run())
    inspector.tabs.setCurrentIndex(0)
    trace = plain_run().trace
    step = next(i for i, s in enumerate(trace.steps) if s.operation == "activation" and s.layer == 0)
    inspector.set_cursor(Cursor(0, step))
    cursor = inspector.formula.textCursor()
    cursor.select(QTextCursor.SelectionType.Document)
    inspector.formula.setTextCursor(cursor)
    qtbot.keyClick(inspector.formula, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    exact = repr(float(trace.layers[0].activation[0, 0]))
    assert exact in QGuiApplication.clipboard().text()


def test_the_menu_offers_the_number_under_the_mouse(qtbot: QtBot) -> None:
    inspector = microscope(qtbot, plain_run())
    text = inspector.chain.text
    places = (QPoint(x, y) for y in range(0, text.height(), 4) for x in range(0, text.width(), 8))
    place = next(p for p in places if text.anchorAt(p).startswith("copy:"))
    menu = text.menu_at(place)
    exact = text.anchorAt(place).removeprefix("copy:")
    first = menu.actions()[0]
    assert first.text() == f"Copy {exact}"
    first.trigger()
    assert QGuiApplication.clipboard().text() == exact
    assert text.menu_at(QPoint(0, 0)).actions()[0].text() == "Copy the selection"


def test_the_place_in_a_text_stays_when_its_numbers_change(qtbot: QtBot) -> None:
    inspector = microscope(qtbot, plain_run(12, 5))
    bar = inspector.chain.text.verticalScrollBar()
    bar.setValue(200)
    inspector.sample.setValue(2)
    written(qtbot, inspector)
    assert bar.value() == 200


# Words


@pytest.mark.parametrize(
    ("count", "text"), [(7, "7"), (374_490, "374,490"), (8**20, "about 10¹⁸"), (64**199, "about 10³⁵⁹")]
)
def test_many_paths_are_counted_in_powers_of_ten(count: int, text: str) -> None:
    assert count_text(count) == text


def test_a_long_path_is_told_without_its_middle_and_whole_in_a_tooltip() -> None:
    units = ((-1, 11), *((layer, layer % 5) for layer in range(200)))
    assert path_texts([units]) == ["x₁₂ → 1 → 2 → 3 → 4 → … → 5"]
    whole = whole_path_text(units)
    assert whole.count("→") == 200
    assert max(len(line) for line in whole.split("\n")) < 80


@pytest.mark.parametrize("most", [3, 5, 9])
@pytest.mark.parametrize("name", ["deep", "residual", "simple recurrent", "lstm", "gru, reset before"])
def test_no_two_paths_of_a_list_read_alike(name: str, most: int) -> None:
    trace = plain_run(40, 6).trace if name == "deep" else kind_run(name).trace
    for sample in (None, 2):
        chain = weight_chain(trace, 0, 1, 2, sample, most=12)
        ways = [unit_chain(trace, chain, path) for path in chain.paths]
        texts = path_texts(ways, most)
        assert len(set(texts)) == len(set(ways))
        for way, text in zip(ways, texts, strict=True):
            assert text.split(" → ")[0] == whole_path_text(way[:1])
            assert text.split(" → ")[-1] == whole_path_text(way[-1:])


def test_a_projection_gets_its_input_from_before_its_block() -> None:
    trace = kind_run("nested residual").trace
    block = trace["residual_3"]
    inside = [layer.index for layer in trace.layers if layer.index < block.index and layer.kind == "dense"]
    assert layer_below(trace, block.index) < inside[-1]
    assert layer_below(trace, 0) == -1


@pytest.mark.parametrize("digits", [4, 6, 10, 17])
@pytest.mark.parametrize("width", [260, 320])
@pytest.mark.parametrize("name", ["plain", "lstm"])
def test_the_narrowest_dock_cuts_no_number(qtbot: QtBot, name: str, width: int, digits: int) -> None:
    inspector = microscope(qtbot, plain_run(4, 8) if name == "plain" else kind_run(name), width)
    inspector.digits.setCurrentIndex(inspector.digits.findData(digits))
    for scope in (0, 1):
        inspector.places.scope.setCurrentIndex(scope)
        written(qtbot, inspector)
        assert inspector.chain.text.horizontalScrollBar().maximum() == 0
    inspector.tabs.setCurrentIndex(0)
    trace = inspector._run.trace if inspector._run else None
    assert trace is not None
    for operation in ("linear" if name == "plain" else "recurrent", "delta", "weight_gradient"):
        step = next(i for i, s in enumerate(trace.steps) if s.operation == operation)
        inspector.set_cursor(Cursor(0, step))
        assert inspector.formula.horizontalScrollBar().maximum() == 0
    assert inspector.minimumSizeHint().width() <= 260


@pytest.mark.parametrize("width", [260, 300, 330, 420, 600])
def test_no_column_of_the_statistics_is_cut(qtbot: QtBot, width: int) -> None:
    inspector = Inspector()
    qtbot.addWidget(inspector)
    inspector.resize(width, 760)
    inspector.set_run(kind_run("nested residual"))
    inspector.show()
    table = inspector.statistics
    qtbot.waitUntil(lambda: not table._fitting.isActive())
    header = table.horizontalHeader()
    size, room = header.sectionSize(0), table.viewport().width()
    fitting = room // size
    assert size * (fitting + 1) > room >= size * fitting
    for column in range(table.model().columnCount()):
        table.horizontalScrollBar().setValue(column)
        hidden = -header.sectionViewportPosition(header.logicalIndexAt(0))
        # At the right end a few pixels that are left over show of the column before, never of a number.
        assert hidden == 0 or size - hidden <= fitting
    assert room - size * fitting < fitting or fitting == table.model().columnCount()
