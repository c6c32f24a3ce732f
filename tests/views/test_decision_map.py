"""The decision map answers for one and two inputs, and says why not for others."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from PySide6.QtGui import QColor
from pytestqt.qtbot import QtBot

from gradsim.data import prepare_samples
from gradsim.spec import Experiment, Training
from gradsim.spec.data import Adding, Gaussians, Sunspots
from gradsim.trace import DecisionMap
from gradsim.views.decision_map import DecisionMapView
from gradsim.views.plot.heat import Heat
from gradsim.views.plot.line import Line
from gradsim.views.plot.points import Points
from gradsim.views.theme import LIGHT
from tests.reference import reference_run
from tests.views.plot_views import run_named


@pytest.fixture
def view(qtbot: QtBot) -> DecisionMapView:
    result = DecisionMapView()
    qtbot.addWidget(result)
    return result


def test_classes_differ_in_shape_and_colour(view: DecisionMapView) -> None:
    view.set_run(reference_run(2, data=Gaussians(samples=200, classes=10), records=2))
    view.set_option("validation", False)
    points = [mark for mark in view.panels(LIGHT)[0].marks if isinstance(mark, Points)]
    assert len(points) == 10
    assert len({mark.shape for mark in points}) == 10


def test_every_training_sample_is_drawn(view: DecisionMapView) -> None:
    run = run_named("six layers")
    view.set_run(run)
    points = [mark for mark in view.panels(LIGHT)[0].marks if isinstance(mark, Points)]
    samples = run.samples
    assert sum(len(m.x) for m in points) == len(samples.training_inputs) + len(samples.validation_inputs)


def test_more_samples_than_can_be_drawn_are_stated(view: DecisionMapView) -> None:
    view.set_run(reference_run(2, data=Gaussians(samples=3000), records=2))
    assert "the first 1,000 samples" in view.panels(LIGHT)[0].headline[0].text


def test_a_sure_region_has_the_colour_of_its_class_and_a_broken_one_a_pattern(view: DecisionMapView) -> None:
    run = run_named("six layers")
    outputs = np.zeros((4, 6, 2))
    outputs[..., 1] = 1.0
    outputs[0, 0] = np.nan
    view.set_run(dataclasses.replace(run, decision_map=DecisionMap(np.arange(6.0), np.arange(4.0), outputs)))
    heat = next(mark for mark in view.panels(LIGHT)[0].marks if isinstance(mark, Heat))
    assert heat.rows[0, 0] >= heat.ordinary
    sure = QColor(int(heat.colors[heat.rows[2, 3]]))
    wanted = QColor(LIGHT.series[1])
    assert abs(sure.hslHueF() - wanted.hslHueF()) < 0.02
    assert "1 of 24 points are not a number" in view.text_summary()


def test_one_output_stands_for_two_classes(view: DecisionMapView) -> None:
    run = run_named("six layers")
    samples = dataclasses.replace(run.samples, output_names=("yes",))
    half = np.full((4, 6, 1), 0.9)
    half[:, :2] = 0.1
    answer = DecisionMap(np.arange(6.0), np.arange(4.0), half)
    view.set_run(dataclasses.replace(run, samples=samples, decision_map=answer))
    assert view.text_summary() == "Share of the map: not yes 33.3 %, yes 66.7 %."


def test_one_input_gives_a_curve(view: DecisionMapView) -> None:
    run = run_named("curve")
    view.set_run(run)
    line = next(mark for mark in view.panels(LIGHT)[0].marks if isinstance(mark, Line))
    assert np.all(np.diff(line.x) >= 0)
    order = np.argsort(run.trace.inputs[:, 0], kind="stable")
    np.testing.assert_allclose(line.y, run.trace.layers[-1].output[order, 0])
    x = np.linspace(-1, 1, 50)
    answer = DecisionMap(x, np.zeros(1), np.sin(x)[None, :, None])
    view.set_run(dataclasses.replace(run, decision_map=answer))
    line = next(mark for mark in view.panels(LIGHT)[0].marks if isinstance(mark, Line))
    np.testing.assert_array_equal(line.y, np.sin(x))


def test_other_data_get_a_sentence(view: DecisionMapView) -> None:
    view.set_run(run_named("four inputs"))
    panel = view.panels(LIGHT)[0]
    assert "needs one or two inputs" in panel.message
    assert "has 4" in panel.message
    assert view.text_summary() == panel.message


@pytest.mark.parametrize("data", [Adding(samples=20), Sunspots()])
def test_sequences_of_one_or_two_features_get_a_sentence_too(view: DecisionMapView, data: Any) -> None:
    samples = prepare_samples(Experiment(data=data, training=Training(loss="mse")))
    view.set_run(dataclasses.replace(run_named("six layers"), samples=samples, decision_map=None))
    panel = view.panels(LIGHT)[0]
    assert "has sequences" in panel.message
    assert view.text_summary() == panel.message
    assert len(view.table()[0]["x"]) == 0
    assert view.hover_text("", 0.0, 0.0) == ""


def test_a_map_that_is_not_there_yet_is_said_to_be_so(view: DecisionMapView) -> None:
    view.set_run(dataclasses.replace(run_named("six layers"), decision_map=None))
    assert view.panels(LIGHT)[0].message == "The map is not computed yet"
