"""The gradient profile draws what theory expects beside what was measured, or says why there is no theory."""

from __future__ import annotations

import dataclasses
from functools import cache
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QRectF
from PySide6.QtGui import QImage, QPainter
from pytestqt.qtbot import QtBot

from gradsim.analysis import (
    THEORY_UNITS,
    ExpectedProfile,
    expected_profile,
    power_words,
    theory_sentence,
    theory_sentences,
    theory_table,
)
from gradsim.app.inquiries import answer_now
from gradsim.app.questions import QUESTIONS
from gradsim.cli.figures import run_of
from gradsim.engine import Simulator
from gradsim.spec import Dense, Experiment, Head, Network, Repeat, Training, checked
from gradsim.spec.activation import Linear, Relu, Sigmoid, Tanh
from gradsim.spec.data import GaussianNoise
from gradsim.spec.initializer import GlorotUniform, HeNormal
from gradsim.trace import Run
from gradsim.views.gradient_profile import GradientProfileView
from gradsim.views.plot.notes import NOTE_LINE, note_lines
from gradsim.views.plot.numbers import brief
from gradsim.views.plot.panel import LEAST_PLOT, laid_out
from gradsim.views.plot.points import LanePoints
from gradsim.views.plot.ribbon import Ribbon
from gradsim.views.theme import DARK, LIGHT
from gradsim.views.theory_overlay import THEORY
from tests.views.plot_views import KINDS, RUN_NAMES, run_named

pytestmark = pytest.mark.timeout(600)  # the first run ever compiles the machine

NETS: dict[str, tuple[Any, Any, int]] = {
    "tanh, 12": (Tanh(), GlorotUniform(), 12),
    "sigmoid, 100": (Sigmoid(), GlorotUniform(), 99),
    "relu, 200": (Relu(), HeNormal(), 199),
}


@cache
def run_after(name: str, iterations: int = 0) -> Run:
    activation, initializer, depth = NETS[name]
    dense = Dense(units=64, activation=activation, initializer=initializer)
    network = Network(layers=(Repeat(times=depth, layers=(dense,)),), head=Head(activation=Linear()))
    training = Training(loss="mse", batch_size=32)
    data = GaussianNoise(samples=64, features=64, outputs=8)
    simulator = Simulator(checked(Experiment(seed=2, data=data, network=network, training=training)))
    simulator.advance(iterations)
    return run_of(simulator)


class Answerer:
    """Stands in for the thread: answers at once, or when it is told to."""

    def __init__(self, view: GradientProfileView, now: bool = True) -> None:
        self.view, self.asked, self.now = view, 0, now
        view.setProperty("answerer", self)  # a signal holds no object alive
        view.question_asked.connect(self.answer)

    def answer(self, question: str, options: object) -> None:
        self.asked += 1
        if self.now:
            assert self.view.run is not None
            self.view.set_answer(question, answer_now(QUESTIONS[question], options, self.view.run))


@pytest.fixture
def view(qtbot: QtBot) -> GradientProfileView:
    result = GradientProfileView()
    qtbot.addWidget(result)
    result.resize(1000, 560)
    result.show()
    qtbot.waitUntil(lambda: not result.visibleRegion().isEmpty())
    return result


def shown(view: GradientProfileView, run: Run) -> ExpectedProfile:
    Answerer(view)
    view.set_run(run)
    view.set_option("theory", True)
    found = view.asked(THEORY).answer
    assert isinstance(found, ExpectedProfile)
    return found


def ribbons(view: GradientProfileView) -> list[Ribbon]:
    return [mark for mark in view.panels(LIGHT)[0].marks if isinstance(mark, Ribbon)]


def headline(view: GradientProfileView) -> str:
    return "".join(words.text for words in view.panels(LIGHT)[0].headline)


@pytest.mark.parametrize("name", NETS)
def test_the_curves_drawn_are_those_of_the_analysis_and_the_measurement_lies_in_the_band(
    view: GradientProfileView, name: str
) -> None:
    run = run_after(name)
    shown(view, run)
    wanted = expected_profile(run.trace)
    forward, backward = ribbons(view)
    np.testing.assert_array_equal(backward.middle, wanted.log10_delta)
    np.testing.assert_array_equal(backward.low, wanted.log10_low)
    np.testing.assert_array_equal(backward.high, wanted.log10_high)
    np.testing.assert_array_equal(forward.middle, wanted.log10_activation)
    np.testing.assert_array_equal(forward.low, wanted.log10_activation_low)
    np.testing.assert_array_equal(forward.high, wanted.log10_activation_high)
    computed = np.isfinite(wanted.log10_measured[:-2])
    for measured, ribbon in (
        (wanted.log10_measured, backward),
        (wanted.log10_activation_measured, forward),
    ):
        inside = (measured >= ribbon.low - 1e-5) & (measured <= ribbon.high + 1e-5)
        assert inside[:-2][computed].mean() >= 0.85
    axis = view.panels(LIGHT)[0].y
    assert axis.low <= np.nanmin(wanted.log10_delta)
    assert axis.high >= np.nanmax(wanted.log10_activation)


@pytest.mark.parametrize("name", NETS)
def test_the_headline_tells_chi_the_depth_scale_and_the_slope(view: GradientProfileView, name: str) -> None:
    found = shown(view, run_after(name))
    field = found.mean_field
    assert field is not None
    told = headline(view)
    assert f"χ {field.chi:.3g}" in told
    assert f"√χ ×{field.factor:.3g} per layer" in told
    assert ("ξ ∞" if field.regime == "edge of chaos" else f"ξ {field.depth_scale:.2g} layers") in told
    assert theory_sentence(found) in view.text_summary()


@pytest.mark.parametrize("width", [330, 460, 700, 1600])
def test_words_of_the_headline_make_room_but_theory_stays(view: GradientProfileView, width: int) -> None:
    shown(view, run_after("sigmoid, 100"))
    view.resize(width, 400)
    view.refresh()
    pieces = view.panels(LIGHT)[0].headline
    assert any(words.text.startswith("χ 0.0557") for words in pieces)
    assert ("Sigmoid slopes" in headline(view)) == (width >= 1600)


def test_with_theory_too_the_parts_of_the_headline_keep_their_order(view: GradientProfileView) -> None:
    shown(view, run_after("sigmoid, 100"))
    for width in range(150, 2000, 50):
        view.resize(width, 400)
        view.refresh()
        places = [headline(view).find(begin) for begin in ("δ ←", "theory", "a →", "igmoid slopes")]
        there = [place for place in places if place >= 0]
        assert there == sorted(there) == places[: len(there)]


def test_after_training_the_reason_is_named(view: GradientProfileView) -> None:
    shown(view, run_after("tanh, 12", 30))
    assert "trained for 30 iterations: the weights are no longer random" in view.panels(LIGHT)[0].notes[0]
    assert "trained for 30 iterations" in view.text_summary()


@pytest.mark.parametrize("name", RUN_NAMES)
def test_every_run_shows_theory_or_says_in_words_why_there_is_none(
    view: GradientProfileView, name: str
) -> None:
    run = run_named(name)
    found = shown(view, run)
    panel = view.panels(LIGHT)[0]
    assert panel.notes == theory_sentences(found)
    if found.applies:
        assert len(ribbons(view)) == 2
        assert "theory" in headline(view)
    else:
        assert ribbons(view) == []
        assert headline(view).strip().endswith("no theory here") or "no theory here" in headline(view)
        assert panel.notes[0].startswith("Theory does not apply here: ")
        assert panel.notes[0] in view.text_summary()
    for x in (1.0, float(len(found.numbers))):
        assert view.hover_text("profile", x, 0.0)
    columns, units = view.table()
    for column, values in theory_table(found).items():
        assert units[column] == THEORY_UNITS[column]
        got = [cell for cell in columns[column].tolist() if not isinstance(cell, str) or cell == "NaN"]
        np.testing.assert_array_equal(np.array(got, dtype=np.float64), np.array(values, dtype=np.float64))


@pytest.mark.parametrize("name", ["one layer", "all zero", "NaN", "Inf", "lstm", KINDS[0]])
@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=lambda theme: theme.name)
def test_it_can_be_painted_at_any_size(view: GradientProfileView, name: str, theme: Any) -> None:
    shown(view, run_named(name))
    for width, height in ((120, 80), (460, 220), (1600, 900)):
        image = QImage(width, height, QImage.Format.Format_ARGB32)
        painter = QPainter(image)
        view.paint_figure(painter, QRectF(0, 0, width, height), theme)
        painter.end()


def test_nothing_is_asked_or_drawn_until_the_option_is_on_and_then_once_for_a_pass(
    view: GradientProfileView,
) -> None:
    answerer = Answerer(view)
    run = run_after("tanh, 12")
    view.set_run(run)
    assert answerer.asked == 0
    assert ribbons(view) == []
    assert not view.panels(LIGHT)[0].notes
    view.set_option("theory", True)
    view.set_option("theory", True)
    view.set_run(run)
    view.set_run(dataclasses.replace(run, label="renamed"))
    assert answerer.asked == 1
    view.set_run(run_after("tanh, 12", 30))
    assert answerer.asked == 2
    view.set_option("theory", False)
    assert ribbons(view) == []
    assert "theory" not in headline(view)
    assert not any(name.startswith("theory") for name in view.table()[0])


def test_the_axis_stays_where_it_was_unless_the_line_needs_more(view: GradientProfileView) -> None:
    for name, moves in (("tanh, 12", False), ("sigmoid, 100", True)):
        view.set_option("theory", False)
        view.set_run(run_after(name))
        before = view.panels(LIGHT)[0].y
        Answerer(view)
        view.set_option("theory", True)
        after = view.panels(LIGHT)[0].y
        assert (before.high, before.low == after.low) == (after.high, not moves)


def test_until_the_next_answer_the_last_one_stays_and_says_of_which_iteration(
    view: GradientProfileView,
) -> None:
    answerer = Answerer(view)
    view.set_run(run_after("tanh, 12"))
    view.set_option("theory", True)
    answerer.now = False
    view.set_run(run_after("tanh, 12", 30))
    assert "theory of iteration 0 χ" in headline(view)
    assert all(mark.name.endswith("iteration 0") for mark in ribbons(view))
    assert "theory (of iteration 0): rms δ" in view.hover_text("profile", 3.0, 0.0)
    assert not any(name.startswith("theory") for name in view.table()[0])
    view.set_run(run_after("relu, 200"))
    assert ribbons(view) == []
    assert "theory waiting…" in headline(view)


def test_a_failed_answer_is_told(view: GradientProfileView) -> None:
    Answerer(view, now=False)
    view.set_run(run_after("tanh, 12"))
    view.set_option("theory", True)
    view.set_answer_failed(THEORY, "The disk is on fire.")
    assert view.panels(LIGHT)[0].notes == ("The disk is on fire.",)
    assert "The disk is on fire." in view.text_summary()


def test_only_the_series_shown_have_their_theory(view: GradientProfileView) -> None:
    shown(view, run_after("tanh, 12"))
    view.set_option("activation", False)
    assert [mark.name for mark in ribbons(view)] == ["δ of theory ±2 sd"]
    view.set_option("delta", False)
    assert ribbons(view) == []


def test_the_pointer_tells_the_numbers_beyond_what_a_float_can_hold(view: GradientProfileView) -> None:
    found = shown(view, run_after("sigmoid, 100"))
    lines = view.hover_text("profile", 1.0, 0.0).splitlines()
    low, value, high = (
        power_words(curve[0]) for curve in (found.log10_low, found.log10_delta, found.log10_high)
    )
    assert f"theory: rms δ = {value} ({low} to {high})" in lines
    assert f"theory: δ here / δ in layer 2 = {brief(float(found.backward_ratio[0]))}" in lines
    assert any(line.startswith("theory: rms a = ") for line in lines)
    assert not any("theory" in line for line in view.hover_text("profile", 100.0, 0.0).splitlines())
    sentence = theory_sentence(found)
    assert sentence not in " ".join(view.hover_text("profile", 1.0, 0.0).split())
    view.resize(500, 240)
    assert sentence in " ".join(view.hover_text("profile", 1.0, 0.0).split())


def test_what_is_expected_to_be_exactly_nothing_stands_in_the_lane_of_0(view: GradientProfileView) -> None:
    run = run_after("tanh, 12")
    found = shown(view, run)
    nothing = found.log10_delta.copy()
    nothing[:3] = -np.inf
    view.set_answer(THEORY, dataclasses.replace(found, log10_delta=nothing))
    panel = view.panels(LIGHT)[0]
    assert list(panel.lanes) == ["0"]
    (lane,) = [m for m in panel.marks if isinstance(m, LanePoints) and len(m.x) == 3]
    assert lane.x.tolist() == [1.0, 2.0, 3.0]


def test_a_person_reaches_it_by_the_menu_and_the_keyboard(view: GradientProfileView) -> None:
    answerer = Answerer(view)
    view.set_run(run_after("tanh, 12"))
    heard: list[tuple[str, object]] = []
    view.option_changed.connect(lambda name, value: heard.append((name, value)))
    tick = view.bar.toggles["theory"]
    assert tick in view.actions()
    assert not tick.isChecked()
    tick.trigger()
    assert heard == [("theory", True)]
    assert answerer.asked == 1
    assert len(ribbons(view)) == 2


@pytest.mark.parametrize(("width", "height"), [(330, 200), (460, 220), (700, 250), (960, 540), (1900, 1000)])
def test_a_note_is_whole_and_leaves_four_fifths_to_the_plot(
    view: GradientProfileView, width: int, height: int
) -> None:
    found = shown(view, run_after("sigmoid, 100"))
    panel = view.panels(LIGHT)[0]
    lines = note_lines(panel.notes, width - 86.0, float(height))
    assert " ".join(lines) in panel.notes
    assert len(lines) * NOTE_LINE <= max(0.2 * height, NOTE_LINE)
    with_note = laid_out(panel, QRectF(0, 0, width, height))
    without = laid_out(dataclasses.replace(panel, notes=()), QRectF(0, 0, width, height))
    assert with_note.frame.top() > without.frame.top()
    assert with_note.frame.height() >= LEAST_PLOT
    if with_note.thinned == without.thinned:
        assert with_note.frame.bottom() == without.frame.bottom()
    if width >= 960:
        assert " ".join(lines) == theory_sentence(found)
