"""Cost: times per layer here and on faster machines, and the operations they take."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from gradsim.analysis import Speed, cost, operations
from gradsim.views.cost_view import SPEED, CostView
from gradsim.views.plot.line import Line
from gradsim.views.plot.rules import Rules
from gradsim.views.theme import LIGHT
from tests.views.method_runs import method_run
from tests.views.plot_views import run_named


@pytest.fixture
def view(qtbot: QtBot) -> CostView:
    result = CostView()
    qtbot.addWidget(result)
    result.resize(900, 400)
    return result


def lines_of(view: CostView, panel: int = 0) -> dict[str, Line]:
    return {mark.name: mark for mark in view.panels(LIGHT)[panel].marks if isinstance(mark, Line)}


def test_without_a_speed_there_are_iterations_and_no_machines(view: CostView) -> None:
    run = run_named("six layers")
    view.set_run(run)
    lines = lines_of(view)
    assert set(lines) == {"fewest possible", "random walk"}
    expected = [motion.straight for motion in cost(run.trace, run.history).motions]
    np.testing.assert_allclose(10 ** lines["fewest possible"].y, expected)
    assert view.panels(LIGHT)[0].y.label.startswith("iterations")


def test_a_measured_speed_turns_iterations_into_seconds_here_and_on_faster_machines(view: CostView) -> None:
    run = run_named("six layers")
    view.set_run(run)
    view.ask(SPEED)
    view.set_answer(SPEED, Speed(100, 0.5, {"dense_1.weight": 0.02}))
    lines = lines_of(view)
    expected = np.array([motion.straight for motion in cost(run.trace, run.history).motions]) / 200.0
    np.testing.assert_allclose(10 ** lines["straight"].y, expected)
    for factor, name in ((10.0, "10×"), (1e3, "1,000×"), (1e6, "10⁶×")):
        np.testing.assert_allclose(10 ** lines[f"{name} as fast"].y, expected / factor)
    assert any(
        isinstance(mark, Rules) and (0.0, "1 s") in mark.rows for mark in view.panels(LIGHT)[0].marks
    ) or (expected.max() < 0.1)
    assert "In 100 measured iterations it moved 2 %" in view.text_summary()
    assert "200 iterations per second" in view.text_summary()
    view.set_option("machines", False)
    assert set(lines_of(view)) == {"straight", "random walk"}


def test_the_speed_of_a_training_run_is_taken_and_forgotten_for_another_network(view: CostView) -> None:
    view.set_run(run_named("six layers"))
    view.set_training_rate(0.0)
    assert math.isnan(view.cost().rate)
    view.set_training_rate(50.0)
    assert view.cost().rate == 50.0
    view.set_run(run_named("200 layers"))
    assert math.isnan(view.cost().rate)


def test_a_view_that_is_seen_asks_once_for_the_speed(view: CostView, qtbot: QtBot) -> None:
    heard: list[str] = []
    view.question_asked.connect(lambda question, options: heard.append(question))
    view.set_run(run_named("six layers"))
    assert heard == []
    view.show()
    qtbot.waitUntil(lambda: heard == [SPEED])
    view.set_answer(SPEED, Speed(100, 0.5, {}))
    view.set_cursor(None)
    assert heard == [SPEED]
    view.measure_button.click()
    assert heard == [SPEED, SPEED]


def test_a_speed_that_could_not_be_measured_is_told(view: CostView) -> None:
    view.set_run(run_named("six layers"))
    view.ask(SPEED)
    view.set_answer_failed(SPEED, "no memory")
    assert "could not be measured: no memory" in view.text_summary()


def test_operations_of_every_layer_are_drawn_and_in_the_table(view: CostView) -> None:
    run = run_named("nested residual")
    view.set_run(run)
    rows = operations(run.trace).layers
    lines = lines_of(view, 1)
    counted = [row.forward for row in rows]
    np.testing.assert_allclose(10 ** lines["forward"].y, counted)
    columns, units = view.table()
    assert columns["layer"].tolist() == [layer.name for layer in run.trace.layers]
    np.testing.assert_array_equal(columns["forward"], counted)
    assert set(units) <= set(columns)
    view.set_option("operations", False)
    assert [panel.key for panel in view.panels(LIGHT)] == ["time"]


def test_a_layer_that_never_moves_stands_in_the_lane_of_infinity(view: CostView) -> None:
    view.set_run(run_named("all zero"))
    lanes = view.panels(LIGHT)[0].lanes
    assert "∞" in lanes or view.cost().first.ratio == math.inf
    view.set_run(run_named("NaN"))
    assert "NaN" in view.panels(LIGHT)[0].lanes


def test_a_click_selects_a_layer(view: CostView, qtbot: QtBot) -> None:
    view.set_run(run_named("nested residual"))
    for key, x, layer in (("operations", 3.2, 2), ("time", 2.0, 2)):
        with qtbot.waitSignal(view.layer_selected) as asked:
            view.act_on_click(key, x, 0.0)
        assert asked.args == [layer]
    assert view.hover_text("time", 1.0, 0.0).startswith("Layer 1: dense_1")
    assert "forward" in view.hover_text("operations", 2.0, 0.0)


def test_operations_are_counted_once_for_an_experiment_and_again_in_another_phase(
    view: CostView, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted = []
    monkeypatch.setattr(
        "gradsim.views.cost_view.operations", lambda trace: counted.append(trace) or operations(trace)
    )
    run = method_run("plain")
    for _ in range(3):
        view.set_run(dataclasses.replace(run, trace=dataclasses.replace(run.trace)))
        assert view.cost().motions == cost(run.trace, run.history).motions
    assert len(counted) == 1
    early, late = method_run("pretraining", iterations=5), method_run("pretraining", iterations=15)
    late = dataclasses.replace(late, trace=dataclasses.replace(late.trace, experiment=early.trace.experiment))
    for number, other in enumerate((early, late, late), 2):
        view.set_run(other)
        assert view.cost().operations == operations(other.trace)
        assert len(counted) == min(number, 3)
