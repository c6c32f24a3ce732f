"""Loss and accuracy: nothing is dropped, and a click asks for its iteration."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from gradsim.trace import Cursor
from gradsim.views.loss_plot import LossPlotView
from gradsim.views.plot.marks import Line, Rule
from gradsim.views.theme import LIGHT
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
    assert "training_accuracy" not in view.table()[0]


def test_training_and_validation_are_two_lines(view: LossPlotView) -> None:
    run = run_named("six layers")
    view.set_run(run)
    lines = {mark.name: mark for mark in view.panels(LIGHT)[0].marks if isinstance(mark, Line)}
    np.testing.assert_allclose(10 ** lines["training"].y, run.history.loss)
    np.testing.assert_allclose(10 ** lines["validation"].y, run.history.validation_loss)
    assert lines["training"].dash != lines["validation"].dash
    view.set_option("validation", False)
    assert [m.name for m in view.panels(LIGHT)[0].marks if isinstance(m, Line)] == ["training"]


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
    np.testing.assert_array_equal(columns["training_loss"], run.history.loss)
    told = [cell for cell in columns["validation_loss"] if cell != ""]
    np.testing.assert_array_equal(told, run.history.validation_loss)
    assert units["training_loss"] == "cross_entropy"
