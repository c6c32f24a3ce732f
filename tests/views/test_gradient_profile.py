"""The gradient profile shows each layer, whatever its number is."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from gradsim.analysis import cause_budget, causes, main_cause_sentence, profile
from gradsim.analysis.cause import main_cause_words
from gradsim.trace import Cursor
from gradsim.views.gradient_profile import GradientProfileView
from gradsim.views.plot.line import Line
from gradsim.views.plot.marks import VerticalBand
from gradsim.views.plot.points import LanePoints, Points
from gradsim.views.theme import LIGHT
from tests.analysis.test_profile import with_rms
from tests.reference import reference_run
from tests.views.plot_views import run_named


@pytest.fixture
def view(qtbot: QtBot) -> GradientProfileView:
    result = GradientProfileView()
    qtbot.addWidget(result)
    return result


def marks_of(view: GradientProfileView, kind: type) -> list:
    return [mark for mark in view.panels(LIGHT)[0].marks if type(mark) is kind]


@pytest.mark.parametrize(("name", "lanes"), [("all zero", ["0"]), ("NaN", ["NaN"]), ("Inf", ["∞"])])
def test_what_has_no_logarithm_gets_a_lane(view: GradientProfileView, name: str, lanes: list[str]) -> None:
    view.set_run(run_named(name))
    panel = view.panels(LIGHT)[0]
    assert list(panel.lanes) == lanes
    drawn = [mark for mark in panel.marks if isinstance(mark, LanePoints)]
    assert sum(len(mark.values) for mark in drawn) == 2 * 4


def test_every_layer_of_a_mixed_run_is_drawn_once_per_series(view: GradientProfileView) -> None:
    run = run_named("mixed")
    view.set_run(run)
    points = sum(np.isfinite(m.y).sum() for m in view.panels(LIGHT)[0].marks if isinstance(m, Points))
    special = sum((~np.isfinite(m.values) | (m.values == 0)).sum() for m in marks_of(view, LanePoints))
    assert points + special == 2 * len(run.trace.layers)


def test_a_line_never_bridges_a_layer_without_a_logarithm(view: GradientProfileView) -> None:
    view.set_run(run_named("mixed"))
    for line in marks_of(view, Line):
        if len(line.x) == 8:
            assert np.isnan(line.y[0])


@pytest.mark.parametrize("width", [500, 1200])
def test_the_main_cause_is_told_beside_the_fit_and_can_go(
    view: GradientProfileView, qtbot: QtBot, width: int
) -> None:
    run = run_named("six layers")
    view.resize(width, 300)
    view.show()
    qtbot.waitExposed(view)
    view.set_run(run)
    budget = cause_budget(causes(run.trace), "backward")
    words, short = main_cause_sentence(budget), main_cause_words(budget)
    assert words.startswith("Sigmoid slopes account for ")
    headline = view.panels(LIGHT)[0].headline
    assert headline[-1].text == (words if width > 800 else f"main cause: {short}")
    assert view.text_summary().endswith(words)
    view.set_option("cause", False)
    assert "igmoid" not in "".join(piece.text for piece in view.panels(LIGHT)[0].headline)


def test_the_headline_keeps_its_order_whatever_the_width(view: GradientProfileView, qtbot: QtBot) -> None:
    view.show()
    qtbot.waitExposed(view)
    view.set_run(run_named("six layers"))
    seen = []
    for width in range(150, 2000, 50):
        view.resize(width, 300)
        view.refresh()
        told = "".join(piece.text for piece in view.panels(LIGHT)[0].headline)
        places = [told.find(begin) for begin in ("δ ←", "a →", "igmoid slopes")]
        there = [place for place in places if place >= 0]
        assert there == sorted(there) == places[: len(there)]  # what is missing is the end
        seen.append(len(there))
    assert seen == sorted(seen)
    assert (seen[0], seen[-1]) == (1, 3)


def test_a_cause_of_shrinking_does_not_stand_beside_a_slope_that_grows(view: GradientProfileView) -> None:
    run = run_named("six layers")
    view.resize(1200, 300)
    view.set_run(dataclasses.replace(run, trace=with_rms(run.trace, delta=[0.5, 90.0, 40.0, 8.0, 2.0, 1.0])))
    told = "".join(words.text for words in view.panels(LIGHT)[0].headline)
    assert "grows ×1.3 per layer, unevenly, R² 0." in told
    assert "igmoid" not in told
    assert "Over all layers δ changes ×0." in view.text_summary()


def test_the_headline_is_the_fit_in_words(view: GradientProfileView) -> None:
    run = run_named("six layers")
    view.set_run(run)
    told = "".join(words.text for words in view.panels(LIGHT)[0].headline)
    fit = profile(run.trace).backward_fit
    assert f"{fit.words}, R² {fit.r_squared:.3f}" in told


def test_layers_whose_backward_has_not_come_yet_stand_back(view: GradientProfileView) -> None:
    run = run_named("six layers")
    view.set_run(run)
    deltas = [k for k, step in enumerate(run.trace.steps) if step.tensor == "delta"]
    view.set_cursor(Cursor(0, deltas[1]))
    bright = [m for m in view.panels(LIGHT)[0].marks if isinstance(m, Points) and m.name.startswith("delta")]
    assert bright[0].x.tolist() == [5.0, 6.0]
    view.set_cursor(Cursor(0, len(run.trace.steps) - 1))
    bright = [m for m in view.panels(LIGHT)[0].marks if isinstance(m, Points) and m.name.startswith("delta")]
    assert bright[0].x.tolist() == [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]


def test_the_layer_of_the_step_and_the_selected_one_are_marked(view: GradientProfileView) -> None:
    run = run_named("six layers")
    view.set_run(run)
    view.set_selected_layer(3)
    step = next(k for k, s in enumerate(run.trace.steps) if s.tensor == "delta" and s.layer == 1)
    view.set_cursor(Cursor(0, step))
    assert [(band.low, band.high) for band in marks_of(view, VerticalBand)] == [(3.5, 4.5), (1.5, 2.5)]


def test_the_profile_before_the_last_change_is_shown_as_a_ghost(view: GradientProfileView) -> None:
    run = dataclasses.replace(run_named("six layers"), ghost=run_named("one layer").trace)
    view.set_run(run)
    named = [mark.name for mark in view.panels(LIGHT)[0].marks if mark.name]
    assert {"δ before", "a before"} <= set(named)
    columns, _ = view.table()
    assert [cell for cell in columns["delta_rms_before"] if cell != ""] == [
        run_named("one layer").trace.layers[0].statistics["delta"].rms
    ]
    view.set_option("ghost", False)
    assert not any("before" in mark.name for mark in view.panels(LIGHT)[0].marks)


def test_the_axis_does_not_shrink_until_asked(view: GradientProfileView) -> None:
    view.set_run(run_named("six layers"))
    wide = view.panels(LIGHT)[0].y
    flat = reference_run(6, 16, "tanh", records=12)
    view.set_run(dataclasses.replace(flat, samples=run_named("six layers").samples))
    assert view.panels(LIGHT)[0].y == wide
    view.fit()
    assert view.panels(LIGHT)[0].y.low > wide.low


def test_the_table_holds_the_numbers_of_the_trace(view: GradientProfileView) -> None:
    run = run_named("mixed")
    view.set_run(run)
    view.set_option("weight_gradient", True)
    columns, units = view.table()
    for tensor in ("delta", "activation", "weight_gradient"):
        expected = [layer.statistics[tensor].rms for layer in run.trace.layers]
        np.testing.assert_array_equal(columns[f"{tensor}_rms"], expected)
        assert f"{tensor}_rms" in units


def test_hovering_counts_what_is_not_a_number(view: GradientProfileView) -> None:
    view.set_run(run_named("NaN"))
    text = view.hover_text("profile", 2.2, 0.0)
    assert text.startswith("Layer 2: dense_2")
    assert "NaN of" in text
    assert view.hover_text("profile", 99.0, 0.0) == ""
