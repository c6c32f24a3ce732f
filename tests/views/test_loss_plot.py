"""Loss and accuracy: nothing is dropped, and a click asks for its iteration."""

from __future__ import annotations

import dataclasses

import msgspec
import numpy as np
import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from gradsim.analysis import operations
from gradsim.spec.method import Evolution
from gradsim.trace import Cursor
from gradsim.views.cost_axis import places
from gradsim.views.loss_plot import LossPlotView
from gradsim.views.plot.line import Line
from gradsim.views.plot.marks import Rule
from gradsim.views.theme import LIGHT
from tests.views.method_runs import method_run
from tests.views.plot_views import run_named


@pytest.fixture
def view(qtbot: QtBot) -> LossPlotView:
    result = LossPlotView()
    qtbot.addWidget(result)
    result.resize(600, 300)
    return result


def with_loss(values: list[float]):
    run = run_named("six layers")
    loss = run.history.loss.copy()
    loss[: len(values)] = values
    return dataclasses.replace(run, history=dataclasses.replace(run.history, loss=loss))


def test_a_loss_that_breaks_is_shown_and_told(view: LossPlotView) -> None:
    view.set_run(with_loss([0.5, 0.0, np.inf, np.nan]))
    assert list(view.panels(LIGHT)[0].lanes) == ["0", "NaN", "∞"]
    assert "first ∞ at iteration 2" in view.text_summary()
    view.set_option("scale", "linear")
    assert list(view.panels(LIGHT)[0].lanes) == ["NaN", "∞"]


def test_a_classification_has_a_panel_of_accuracy_and_a_regression_none(view: LossPlotView) -> None:
    view.set_run(run_named("six layers"))
    assert [panel.key for panel in view.panels(LIGHT)] == ["loss", "accuracy"]
    view.set_run(run_named("curve"))
    assert [panel.key for panel in view.panels(LIGHT)] == ["loss"]
    assert "batch_accuracy" not in view.table()[0]


def test_training_and_validation_are_two_lines(view: LossPlotView) -> None:
    run = run_named("six layers")
    view.set_run(run)
    lines = {mark.name: mark for mark in view.panels(LIGHT)[0].marks if isinstance(mark, Line)}
    np.testing.assert_allclose(10 ** lines["batch loss"].y, run.history.loss)
    np.testing.assert_allclose(10 ** lines["validation loss"].y, run.history.validation_loss)
    assert lines["batch loss"].dash != lines["validation loss"].dash
    view.set_option("validation", False)
    assert [m.name for m in view.panels(LIGHT)[0].marks if isinstance(m, Line)] == ["batch loss"]


def test_the_cursor_is_a_line_at_its_iteration(view: LossPlotView) -> None:
    view.set_run(run_named("six layers"))
    view.set_cursor(Cursor(7, 2))
    assert [mark.at for mark in view.panels(LIGHT)[0].marks if isinstance(mark, Rule)] == [7]


def test_a_click_asks_for_the_iteration_under_it(qtbot: QtBot, view: LossPlotView) -> None:
    view.set_run(run_named("six layers"))
    view.show()
    view.canvas.grab()
    geometry = view.canvas.geometry_of("loss")
    place = geometry.plot.center()
    place.setX(geometry.x_place(5.0))
    with qtbot.waitSignal(view.seek_requested) as heard:
        qtbot.mouseClick(view.canvas.viewport(), Qt.MouseButton.LeftButton, pos=place.toPoint())
    assert heard.args == [5]


def test_the_table_joins_both_parts_by_iteration(view: LossPlotView) -> None:
    run = run_named("six layers")
    view.set_run(run)
    columns, units = view.table()
    np.testing.assert_array_equal(columns["batch_loss"], run.history.loss)
    told = [cell for cell in columns["validation_loss"] if cell != ""]
    np.testing.assert_array_equal(told, run.history.validation_loss)
    assert units["batch_loss"] == "cross_entropy"


def compared(method=None):
    """Return a run of 8 records whose ghost has 12, maybe found by another method."""
    run = run_named("six layers")
    history = run.history
    short = dataclasses.replace(
        history,
        iterations=history.iterations[:8],
        loss=history.loss[:8] * 0.5,
        accuracy=history.accuracy[:8],
        validation_iterations=history.validation_iterations[:0],
        validation_loss=history.validation_loss[:0],
        validation_accuracy=history.validation_accuracy[:0],
    )
    trace = run.trace
    if method is not None:
        training = msgspec.structs.replace(run.experiment.training, method=method)
        experiment = msgspec.structs.replace(run.experiment, training=training)
        trace = dataclasses.replace(trace, experiment=experiment)
    return dataclasses.replace(
        run, trace=trace, experiment=trace.experiment, history=short, ghost=run.trace, ghost_history=history
    )


def lines_of(view: LossPlotView) -> dict[str, Line]:
    return {mark.name: mark for mark in view.panels(LIGHT)[0].marks if isinstance(mark, Line)}


def test_the_run_before_is_drawn_on_the_same_axes(view: LossPlotView) -> None:
    run = compared()
    view.set_run(run)
    lines = lines_of(view)
    assert set(lines) == {"batch loss", "batch loss before", "validation loss before"}
    assert len(lines["batch loss"].x) == 8
    np.testing.assert_allclose(10 ** lines["batch loss before"].y, run.ghost_history.loss)
    assert "Before the last change the batch loss was" in view.text_summary()
    assert "batch_loss_before" in view.table()[0]
    view.set_option("ghost", False)
    assert set(lines_of(view)) == {"batch loss"}


def test_over_its_cost_an_evolution_stands_further_right_than_backpropagation(view: LossPlotView) -> None:
    run = compared(Evolution(population=30))
    view.set_run(run)
    np.testing.assert_array_equal(lines_of(view)["batch loss"].x, run.history.iterations)
    view.set_option("over", "passes")
    lines = lines_of(view)
    iteration = operations(run.ghost)
    np.testing.assert_allclose(
        lines["batch loss by backpropagation"].x, run.ghost_history.iterations * iteration.forward_passes
    )
    assert 29.0 < lines["batch loss"].x[1] < 60.0
    view.set_option("over", "operations")
    lines = lines_of(view)
    np.testing.assert_allclose(
        lines["batch loss by backpropagation"].x, run.ghost_history.iterations * iteration.total
    )
    np.testing.assert_allclose(lines["batch loss"].x, run.history.iterations * operations(run.trace).total)
    assert "FLOP" in view.hover_text("loss", float(lines["batch loss"].x[3]), 0.0)


def test_a_click_on_an_axis_of_cost_asks_for_an_iteration(view: LossPlotView, qtbot: QtBot) -> None:
    run = compared()
    view.set_run(run)
    view.set_option("over", "operations")
    x = float(lines_of(view)["batch loss"].x[5])
    with qtbot.waitSignal(view.seek_requested) as asked:
        view.act_on_click("loss", x * 1.01, 0.0)
    assert asked.args == [int(run.history.iterations[5])]


def test_iterations_before_an_edit_cost_what_they_cost_then(view: LossPlotView) -> None:
    evolved = compared(Evolution(population=30))
    whole = evolved.ghost_history
    early = dataclasses.replace(whole, iterations=whole.iterations[:5], loss=whole.loss[:5])
    run = dataclasses.replace(evolved, history=whole, ghost_history=early)
    before, after = operations(run.ghost).total, operations(run.trace).total
    found = places(run, np.array([0, 5, 6, 8]), "operations")
    np.testing.assert_allclose(found, [0, 5 * before, 5 * before + after, 5 * before + 3 * after])


def test_a_run_without_records_has_an_empty_table(view: LossPlotView) -> None:
    run = run_named("six layers")
    arrays = {
        field.name: getattr(run.history, field.name)[:0]
        for field in dataclasses.fields(run.history)
        if field.name not in ("layer_names", "sizes", "stride")
    }
    view.set_run(dataclasses.replace(run, history=dataclasses.replace(run.history, **arrays)))
    columns, units = view.table()
    assert {name: len(column) for name, column in columns.items()} == {"iteration": 0}
    assert set(units) <= set(columns)


@pytest.mark.parametrize(
    ("iterations", "axis"),
    [(15, "loss (mse of restoring)"), (25, "loss (mse of restoring, then cross entropy)")],
)
def test_while_layers_are_pretrained_the_axis_says_that_they_restore(
    qtbot: QtBot, iterations: int, axis: str
) -> None:
    run = method_run("pretraining", iterations=iterations, layers=2)
    view = LossPlotView()
    qtbot.addWidget(view)
    view.set_run(run)
    (panel, *_) = view.panels(LIGHT)
    assert panel.y.label == axis
    assert view.hover_text("loss", 0.0, 0.0).splitlines()[2].startswith("batch loss, mse of restoring, ")
    assert view.table()[1]["batch_loss"] == "mse of restoring while a layer is pretrained, then cross_entropy"


def test_the_two_losses_have_the_same_names_in_legend_pointer_table_and_summary(view: LossPlotView) -> None:
    view.set_run(run_named("six layers"))
    loss, accuracy = view.panels(LIGHT)
    assert {mark.name for mark in loss.marks if mark.name} == {"batch loss", "validation loss"}
    assert {mark.name for mark in accuracy.marks if mark.name} == {"batch accuracy", "validation accuracy"}
    told = view.hover_text("loss", 3.0, 0.0)
    for name in ("batch loss", "validation loss", "batch accuracy", "validation accuracy"):
        assert f"{name} " in told
        assert name.replace(" ", "_") in view.table()[0]
        assert name in view.text_summary().lower()
