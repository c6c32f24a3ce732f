"""The update ratio per layer and through the training."""

from __future__ import annotations

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from gradsim.views.plot.line import Line
from gradsim.views.plot.marks import Rule
from gradsim.views.plot.points import Points
from gradsim.views.theme import LIGHT
from gradsim.views.update_ratio import UpdateRatioView, update_ratios
from tests.views.plot_views import run_named


@pytest.fixture
def view(qtbot: QtBot) -> UpdateRatioView:
    result = UpdateRatioView()
    qtbot.addWidget(result)
    return result


def test_each_layer_has_its_ratio(view: UpdateRatioView) -> None:
    run = run_named("six layers")
    view.set_run(run)
    line = next(mark for mark in view.panels(LIGHT)[0].marks if isinstance(mark, Line))
    expected = [s["update"].rms / s["weight"].rms for s in (layer.statistics for layer in run.trace.layers)]
    np.testing.assert_allclose(10**line.y, expected)


def test_the_rule_of_thumb_is_labelled_as_such_and_can_go(view: UpdateRatioView) -> None:
    view.set_run(run_named("six layers"))
    for panel in view.panels(LIGHT):
        words = [mark.words for mark in panel.marks if isinstance(mark, Rule) and not mark.upright]
        assert words == ["10⁻³: Karpathy’s rule of thumb"]
    view.set_option("rule", False)
    assert not any(isinstance(m, Rule) and not m.upright for p in view.panels(LIGHT) for m in p.marks)


def test_first_middle_last_and_selected_layer_are_followed(view: UpdateRatioView) -> None:
    run = run_named("six layers")
    view.set_run(run)
    view.set_selected_layer(4)
    marks = [m for m in view.panels(LIGHT)[1].marks if isinstance(m, Points)]
    assert {mark.name for mark in marks} == {"dense_5", "dense_1", "dense_3", "head"}
    assert len({mark.shape for mark in marks}) == 4
    assert len({mark.color.name() for mark in marks}) == 4


def test_updates_of_zero_weights_are_infinite_and_of_nothing_not_a_number(view: UpdateRatioView) -> None:
    view.set_run(run_named("all zero"))
    ratios = update_ratios(run_named("all zero").history)
    assert set(np.unique(ratios)) == {0.0}
    assert list(view.panels(LIGHT)[0].lanes) == ["0"]


def test_the_table_has_every_record_and_layer(view: UpdateRatioView) -> None:
    run = run_named("six layers")
    view.set_run(run)
    columns, _ = view.table()
    assert columns["iteration"].tolist() == run.history.iterations.tolist()
    np.testing.assert_allclose(columns["head"], update_ratios(run.history)[:, -1])
