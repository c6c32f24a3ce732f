"""The view of activations: curves over the layer's own z, the map of units, and the search for deaths."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from gradsim.analysis.unit_deaths import UnitDeaths, deaths_words, unit_deaths
from gradsim.analysis.units import UnitSurvey, unit_survey
from gradsim.app.inquiries import answer_now
from gradsim.app.questions import QUESTIONS
from gradsim.engine import Simulator
from gradsim.spec import Dense, Experiment, Head, Network, Training
from gradsim.spec.activation import Linear, Prelu, Relu, Rrelu, Softmax, Step
from gradsim.spec.data import GaussianNoise
from gradsim.spec.training import Sgd
from gradsim.trace import Cursor, Run
from gradsim.views.activation_curve import Backdrop
from gradsim.views.activation_view import DEATHS, UNITS, ActivationView
from gradsim.views.plot.heat import Heat
from gradsim.views.plot.line import Line
from gradsim.views.plot.marks import VerticalBand
from gradsim.views.plot.points import Points
from gradsim.views.theme import LIGHT
from tests.kind_runs import kind_run
from tests.views.plot_views import run_named


def run_of(simulator: Simulator) -> Run:
    return Run(
        label="run",
        experiment=simulator.experiment,
        samples=simulator.samples,
        trace=simulator.record(),
        ghost=None,
        history=simulator.history(),
    )


def dying(activation: Any = Relu(), iterations: int = 40, units: int = 24) -> Simulator:  # noqa: B008
    """Too large a learning rate kills some units on the way."""
    simulator = Simulator(
        Experiment(
            seed=3,
            precision="float64",
            data=GaussianNoise(samples=50, features=4, outputs=2, validation=0.0),
            network=Network(
                layers=(Dense(units=units, activation=activation),) * 2, head=Head(activation=Linear())
            ),
            training=Training(loss="mse", batch_size=16, optimizer=Sgd(learning_rate=1.0)),
        )
    )
    simulator.advance(iterations)
    return simulator


@pytest.fixture(scope="module")
def dead() -> tuple[Run, UnitSurvey, UnitDeaths]:
    simulator = dying()
    run, survey = run_of(simulator), unit_survey(simulator)
    deaths = unit_deaths(simulator, 40)
    assert survey is not None
    assert deaths is not None
    assert survey.dead > 3
    return run, survey, deaths


def shown(qtbot: QtBot, run: Run | None) -> tuple[ActivationView, list[tuple[str, Any]]]:
    view = ActivationView()
    qtbot.addWidget(view)
    heard: list[tuple[str, Any]] = []
    view.question_asked.connect(lambda question, options: heard.append((question, options)))
    view.question_cancelled.connect(lambda question: heard.append(("cancelled", question)))
    view.resize(900, 400)
    view.show()
    view.set_run(run)
    return view, heard


def words(view: ActivationView) -> str:
    return "".join(piece.text for panel in view.panels(LIGHT) for piece in panel.headline)


def marks(view: ActivationView, key: str, kind: type) -> list[Any]:
    panel = next(panel for panel in view.panels(LIGHT) if panel.key == key)
    return [mark for mark in panel.marks if type(mark) is kind]


def test_it_asks_about_every_pass_it_shows_once(qtbot: QtBot) -> None:
    run = run_named("six layers")
    view, heard = shown(qtbot, run)
    assert heard == [(UNITS, None)]
    view.set_run(dataclasses.replace(run, label="renamed"))
    view.set_cursor(Cursor(0, 2))
    assert len(heard) == 1
    view.set_run(run_named("double precision"))
    assert len(heard) == 2


def test_hidden_it_asks_nothing_until_it_is_seen(qtbot: QtBot) -> None:
    view, heard = shown(qtbot, None)
    view.hide()
    view.set_run(run_named("six layers"))
    assert heard == []
    view.show()
    assert heard == [(UNITS, None)]


def test_until_the_answer_comes_the_batch_is_shown_as_what_it_is(
    qtbot: QtBot, dead: tuple[Run, UnitSurvey, UnitDeaths]
) -> None:
    run, survey, _ = dead
    view, _ = shown(qtbot, run)
    assert "in this batch of 16 samples only" in words(view)
    assert "this batch only" in view.text_summary()
    view.set_answer(UNITS, survey)
    assert f"{survey.dead} of 50 units dead   over 50 samples" in words(view)
    assert f"Over all 50 training samples: {survey.dead} of 50 units dead" in view.text_summary()


def test_an_answer_of_another_iteration_stays_and_says_so(
    qtbot: QtBot, dead: tuple[Run, UnitSurvey, UnitDeaths]
) -> None:
    run, survey, _ = dead
    view, _ = shown(qtbot, run)
    view.set_answer(UNITS, survey)
    view.set_run(run_of(dying(iterations=41)))
    assert ", at iteration 40" in words(view)
    view.set_run(run_named("six layers"))
    assert "in this batch" in words(view), "an answer about another network is not shown"


def test_a_failure_is_told_beside_the_batch(qtbot: QtBot) -> None:
    view, _ = shown(qtbot, run_named("six layers"))
    view.set_answer_failed(UNITS, "There is not enough memory to find this out.")
    assert "not enough memory" in words(view)


def test_the_map_has_a_cell_for_every_unit_dead_ones_dotted(
    qtbot: QtBot, dead: tuple[Run, UnitSurvey, UnitDeaths]
) -> None:
    from gradsim.views.colormaps import EMPTY, ZERO

    run, survey, _ = dead
    view, _ = shown(qtbot, run)
    view.set_answer(UNITS, survey)
    for is_sorted in (True, False):
        view.set_option("sorted", is_sorted)
        heat = marks(view, "units", Heat)[0]
        assert (heat.rows != EMPTY).sum(axis=0).tolist() == [24, 24, 2]
        for place, layer in enumerate(survey.layers):
            assert (heat.rows[:, place] == ZERO).sum() == layer.dead.sum()
    np.testing.assert_array_equal(
        np.flatnonzero(heat.rows[:24, 1] == ZERO), np.flatnonzero(survey.layers[1].dead)
    )


def test_deaths_are_searched_for_on_demand_with_progress_and_can_be_stopped(
    qtbot: QtBot, dead: tuple[Run, UnitSurvey, UnitDeaths]
) -> None:
    run, survey, deaths = dead
    view, heard = shown(qtbot, run)
    view.set_answer(UNITS, survey)
    heard.clear()
    view.deaths_action.trigger()
    assert heard == [(DEATHS, None)]
    assert view.option("units") == "death"
    assert view.deaths_action.text() == "Stop the search"
    view.set_answer_progress(DEATHS, "Looking at iteration 32", 0.5)
    assert "Looking at iteration 32 (50.0 %)" in words(view)
    view.deaths_action.trigger()
    assert heard[-1] == ("cancelled", DEATHS)
    assert "searched for on demand" in words(view)
    view.deaths_action.trigger()
    view.set_answer(DEATHS, deaths)
    assert view.deaths_action.text() == "When did they die?"
    assert f"{survey.dead} dead" in words(view)
    heat = marks(view, "units", Heat)[0]
    units_dead = sum(int((one >= 0).sum()) for one in deaths.dead_at)
    assert len(np.unique(heat.rows)) > 3
    assert (heat.rows < 256).sum() + sum(int((one == 0).sum()) for one in deaths.dead_at) == units_dead


def test_a_person_who_wants_to_see_the_deaths_has_them_searched_for(qtbot: QtBot) -> None:
    view, heard = shown(qtbot, run_named("six layers"))
    box = view.bar.findChild(type(view.bar._boxes["units"]), "units")
    box.setCurrentIndex(1)
    assert (DEATHS, None) in heard
    heard.clear()
    view.set_option("units", "saturation")
    view.set_option("units", "death")
    assert heard == [], "a program that sets an option wishes nothing"


def test_why_there_is_no_past_is_told(qtbot: QtBot) -> None:
    view, _ = shown(qtbot, run_named("six layers"))
    view.deaths_action.trigger()
    view.set_answer_failed(DEATHS, "A run of this experiment from its start has other weights.")
    assert "has other weights" in words(view)


def test_another_pass_ends_the_search(qtbot: QtBot, dead: tuple[Run, UnitSurvey, UnitDeaths]) -> None:
    run, survey, deaths = dead
    view, _ = shown(qtbot, run)
    view.set_answer(UNITS, survey)
    view.deaths_action.trigger()
    view.set_answer(DEATHS, deaths)
    view.set_run(run_named("six layers"))
    assert view.deaths_action.text() == "When did they die?"
    assert "searched for on demand" in words(view)


def test_the_table_has_one_row_per_unit(qtbot: QtBot, dead: tuple[Run, UnitSurvey, UnitDeaths]) -> None:
    run, survey, deaths = dead
    view, _ = shown(qtbot, run)
    columns, _ = view.table()
    assert len(columns["unit"]) == 50
    assert set(columns["samples"]) == {16}
    assert set(columns["dead_at"]) == {""}
    view.set_answer(UNITS, survey)
    view.deaths_action.trigger()
    view.set_answer(DEATHS, deaths)
    columns, _ = view.table()
    assert set(columns["samples"]) == {50}
    is_dead = columns["state"] == "dead"
    assert is_dead.sum() == survey.dead
    assert all(isinstance(value, int) for value in columns["dead_at"][is_dead])
    assert set(columns["dead_at"][~is_dead]) == {""}


def test_hovering_over_a_dead_unit_tells_when_it_died(
    qtbot: QtBot, dead: tuple[Run, UnitSurvey, UnitDeaths]
) -> None:
    run, survey, deaths = dead
    view, _ = shown(qtbot, run)
    view.set_answer(UNITS, survey)
    view.set_option("sorted", False)
    view.panels(LIGHT)
    unit = int(np.flatnonzero(deaths.dead_at[1] > 0)[0])
    assert f"dense_2, unit {unit + 1} of 24: dead\nsaturation 100.0 %" in view.hover_text(
        "units", 2.0, unit + 1.0
    )
    view.deaths_action.trigger()
    view.set_answer(DEATHS, deaths)
    view.panels(LIGHT)
    update = deaths.dead_at[1][unit] - 1
    assert f"died by the update of iteration {update}; a click goes there" in view.hover_text(
        "units", 2.0, unit + 1.0
    )
    assert view.hover_text("units", 3.0, 20.0) == "", "the head has two units"


def test_the_curve_is_that_of_the_layer_selected_or_the_next_with_an_activation(qtbot: QtBot) -> None:
    run = kind_run("dropout")
    view, _ = shown(qtbot, run)
    names = [layer.name for layer in run.trace.layers]
    assert names == ["dense_1", "dropout_1", "dense_2", "dropout_2", "head"]
    for selected, looked_at in ((0, "dense_1"), (1, "dense_2"), (2, "dense_2"), (3, "head"), (4, "head")):
        view.set_selected_layer(selected)
        assert view.panels(LIGHT)[0].headline[0].text.strip() == looked_at
    view.set_selected_layer(None)
    step = next(k for k, step in enumerate(run.trace.steps) if step.layer == 2)
    view.set_cursor(Cursor(run.trace.iteration, step))
    assert view.panels(LIGHT)[0].headline[0].text.strip() == "dense_2"


@pytest.mark.parametrize(("name", "curves"), [("lstm", 2), ("gru", 2), ("simple recurrent", 1)])
def test_a_gated_cell_has_a_curve_for_its_gates_and_one_for_its_candidate(
    qtbot: QtBot, name: str, curves: int
) -> None:
    view, _ = shown(qtbot, kind_run(name))
    assert [panel.key for panel in view.panels(LIGHT)] == [*(f"curve_{k}" for k in range(curves)), "units"]


def test_the_flat_part_of_a_relu_is_shaded_with_the_shares_that_the_pass_has(qtbot: QtBot) -> None:
    run = run_of(dying(iterations=0))
    view, _ = shown(qtbot, run)
    band = marks(view, "curve_0", VerticalBand)[0]
    assert (band.low, band.high) == (-4.0, 0.0)
    share = 100 * np.mean(run.trace["dense_1"].slope == 0)
    assert band.name == f"|φ′| below 10 % of its maximum: {share:.1f} % of z; slope 0: {share:.1f} %"
    histogram = marks(view, "curve_0", Backdrop)[0]
    assert histogram.name.startswith("384 values of z")
    view.set_option("flat", False)
    view.set_option("distribution", False)
    assert not marks(view, "curve_0", VerticalBand)
    assert not marks(view, "curve_0", Backdrop)


@pytest.mark.parametrize(
    ("activation", "lines"), [(Relu(), 2), (Prelu(per="unit"), 6), (Rrelu(), 6), (Step(), 2), (Softmax(), 0)]
)
def test_every_line_is_one_of_the_layers_own(qtbot: QtBot, activation: Any, lines: int) -> None:
    simulator = dying(activation, iterations=3, units=5)
    view, _ = shown(qtbot, run_of(simulator))
    assert len(marks(view, "curve_0", Line)) == lines
    assert len(marks(view, "curve_0", Points)) == (0 if lines else 2)
    assert view.canvas.grab().width() > 0
    if isinstance(activation, Prelu):
        trained = simulator.parameters()["dense_1.slope"]
        slopes = sorted({round(float(line.y[0]), 9) for line in marks(view, "curve_0", Line)[::2]})
        expected = sorted({round(float(v), 9) for v in (trained.min(), trained.mean(), trained.max())})
        assert slopes == expected
    if isinstance(activation, Step):
        assert "no slope anywhere" in words(view)
        assert "the slope is 0 everywhere" in view.text_summary()


def test_what_is_not_a_number_is_counted_beside_the_curve(qtbot: QtBot) -> None:
    view, _ = shown(qtbot, run_named("NaN"))
    named = [run_named("NaN").trace.layers[k] for k in range(4)]
    broken = next(layer for layer in named if np.isnan(layer.pre_activation).any())
    view.set_selected_layer(broken.index)
    assert f"{np.isnan(broken.pre_activation).sum():,} NaN" in words(view)
    assert "not a number" in words(view)


def test_hovering_over_the_curve_tells_value_slope_and_what_lies_below(qtbot: QtBot) -> None:
    run = run_of(dying(iterations=0))
    view, _ = shown(qtbot, run)
    told = view.hover_text("curve_0", 0.5, 0.0)
    below = 100 * np.mean(run.trace["dense_1"].pre_activation < 0.5)
    assert told == (
        "z = 0.500\nφ(z) = 0.500, φ′(z) = 1.00 (100.0 % of its maximum)\n"
        f"{below:.1f} % of 384 values lie below"
    )


def test_a_click_on_the_map_selects_the_layer(qtbot: QtBot) -> None:
    view, _ = shown(qtbot, kind_run("dropout"))
    heard: list[int] = []
    view.layer_selected.connect(heard.append)
    view.canvas.grab()
    place = view.canvas.geometry_of("units")
    at = place.plot.bottomLeft().toPoint()
    at.setX(round(place.x_place(2.0)))
    at.setY(at.y() - 5)
    qtbot.mouseClick(view.canvas.viewport(), Qt.MouseButton.LeftButton, pos=at)
    assert heard == [2]


def test_a_click_on_a_dead_unit_goes_to_its_death_and_the_map_stays(
    qtbot: QtBot, dead: tuple[Run, UnitSurvey, UnitDeaths]
) -> None:
    run, survey, deaths = dead
    view, _ = shown(qtbot, run)
    view.set_option("sorted", False)
    view.deaths_action.trigger()
    view.set_answer(DEATHS, deaths)
    view.panels(LIGHT)
    heard: list[int] = []
    view.seek_requested.connect(heard.append)
    unit = int(np.flatnonzero(deaths.dead_at[1] > 0)[0])
    alive = int(np.flatnonzero(deaths.dead_at[1] < 0)[0])
    view.act_on_click("units", 2.0, alive + 1.0)
    assert heard == []
    view.act_on_click("units", 2.0, unit + 1.0)
    assert heard == [deaths.dead_at[1][unit]]
    simulator = dying(iterations=int(heard[0]))
    view.set_run(run_of(simulator))
    assert f"{survey.dead} dead" in words(view)
    assert ", up to 40" in words(view)


def test_in_a_tab_behind_others_it_asks_nothing_until_it_comes_to_the_front(qtbot: QtBot) -> None:
    from PySide6.QtCore import Qt
    from PySide6.QtWidgets import QDockWidget, QMainWindow, QWidget

    window = QMainWindow()
    qtbot.addWidget(window)
    window.resize(700, 500)
    view, heard = ActivationView(), []
    view.question_asked.connect(lambda question, options: heard.append(question))
    docks = []
    for widget in (view, QWidget()):
        dock = QDockWidget("a view", window)
        dock.setWidget(widget)
        window.addDockWidget(Qt.DockWidgetArea.BottomDockWidgetArea, dock)
        docks.append(dock)
    window.tabifyDockWidget(*docks)
    docks[1].raise_()
    window.show()
    qtbot.waitExposed(window)
    qtbot.waitUntil(lambda: not docks[1].widget().visibleRegion().isEmpty())
    view.set_run(run_named("six layers"))
    qtbot.waitUntil(lambda: view.visibleRegion().isEmpty())
    assert heard == []
    docks[0].raise_()
    qtbot.waitUntil(lambda: heard == [UNITS])


def test_the_questions_are_answered_by_the_engine() -> None:
    simulator = dying()
    run = run_of(simulator)
    survey = answer_now(QUESTIONS[UNITS], None, run)
    deaths = answer_now(QUESTIONS[DEATHS], None, run)
    assert survey.iteration == deaths.survey.iteration == 40
    for found, layer in zip(deaths.survey.layers, survey.layers, strict=True):
        np.testing.assert_array_equal(found.saturation, layer.saturation)
    assert any((dead_at > 0).any() for dead_at in deaths.dead_at)


def test_a_past_that_was_changed_by_hand_is_refused() -> None:
    simulator = dying(iterations=5)
    simulator.load_parameters({"dense_1.bias": np.full(24, -0.1)})
    simulator.advance(3)
    with pytest.raises(ValueError, match="has other weights at iteration 8"):
        answer_now(QUESTIONS[DEATHS], None, run_of(simulator))


def test_the_summary_tells_when_the_units_died_once_that_is_known(
    qtbot: QtBot, dead: tuple[Run, UnitSurvey, UnitDeaths]
) -> None:
    run, survey, deaths = dead
    view, _ = shown(qtbot, run)
    view.set_answer(UNITS, survey)
    assert "dead units" not in view.text_summary()
    view.choose("units", "death")
    view.set_answer_progress(DEATHS, "Looking at iteration 8", 0.5)
    assert "When they died: Looking at iteration 8 (50.0 %)." in view.text_summary()
    view.set_answer(DEATHS, deaths)
    assert deaths_words(deaths) in view.text_summary()
    assert f"Of the {survey.dead} dead units" in view.text_summary()
