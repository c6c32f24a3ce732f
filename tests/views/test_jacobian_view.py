"""The view of singular values: bands per layer, the spectrum of the whole, words about both."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from gradsim.analysis.jacobian import JacobianSpectrum, jacobian_spectrum
from gradsim.app.inquiries import answer_now
from gradsim.app.questions import QUESTIONS
from gradsim.engine import Simulator
from gradsim.spec import Dense, Experiment, Head, Network, Training
from gradsim.spec.activation import Linear, Sigmoid
from gradsim.spec.data import GaussianNoise
from gradsim.trace import Run
from gradsim.views.jacobian.words import (
    bound_words,
    condition_words,
    proof_words,
    rounding_words,
    shorter_verdict,
    verdict,
    whole_words,
)
from gradsim.views.jacobian_view import JACOBIAN, JacobianView
from gradsim.views.plot.line import Line
from gradsim.views.plot.marks import Rule
from gradsim.views.plot.points import LanePoints
from gradsim.views.plot.ribbon import Band
from gradsim.views.theme import LIGHT
from tests.kind_runs import kind_run
from tests.views.answered import AnsweredJacobianView, RecordedJacobians
from tests.views.plot_views import run_named


def shown(
    qtbot: QtBot, run: Run | None, kind: type[JacobianView] = JacobianView
) -> tuple[JacobianView, list[Any]]:
    view = kind()
    qtbot.addWidget(view)
    heard: list[Any] = []
    view.question_asked.connect(lambda question, options: heard.append((question, options)))
    view.resize(900, 400)
    view.show()
    view.set_run(run)
    return view, heard


def spectrum_of(
    *whole: float, blocks: tuple[tuple[float, ...], ...] = ((2.0, 1.0), (0.5, 0.25))
) -> JacobianSpectrum:
    arrays = tuple(np.array(values) for values in blocks)
    return JacobianSpectrum(
        iteration=7,
        sample=0,
        names=("dense_1", "head"),
        layers=((0,), (1,)),
        blocks=arrays,
        onward=(np.array(whole), arrays[-1]),
        shapes=((2, 2), (2, 2)),
        eps=1e-7,
        product_gap=3e-9,
    )


def test_it_asks_about_the_sample_and_shows_what_it_waits_for(qtbot: QtBot) -> None:
    run = run_named("six layers")
    view, heard = shown(qtbot, run)
    assert heard == [(JACOBIAN, 0)]
    assert view.sample_box.maximum() == len(run.trace.inputs)
    assert "Jacobian of sample 1: waiting" in view.panels(LIGHT)[0].message
    view.set_answer_progress(JACOBIAN, "Jacobian of dense_4", 0.25)
    assert view.panels(LIGHT)[0].message == "Jacobian of sample 1: Jacobian of dense_4 (25.0 %)"
    view.set_answer(JACOBIAN, jacobian_spectrum(RecordedJacobians(run.trace), 0))
    assert [panel.key for panel in view.panels(LIGHT)] == ["layers", "values"]


def test_another_sample_is_asked_about_at_once_by_a_person(qtbot: QtBot) -> None:
    view, heard = shown(qtbot, run_named("six layers"))
    view.sample_box.setValue(4)
    assert heard[-1] == (JACOBIAN, 3)
    heard.clear()
    view.set_sample(5)
    assert heard == [], "a setter wishes nothing"
    assert view.sample_box.value() == 6


def test_a_sample_that_a_smaller_batch_has_not_is_the_last_one(qtbot: QtBot) -> None:
    view, heard = shown(qtbot, run_named("six layers"))
    view.set_sample(len(run_named("six layers").trace.inputs) - 1)
    view.set_run(kind_run("residual"))
    assert view.sample == min(15, len(run_named("six layers").trace.inputs) - 1)
    assert heard[-1] == (JACOBIAN, view.sample)


def test_a_refusal_is_told_in_its_place(qtbot: QtBot) -> None:
    view, _ = shown(qtbot, run_named("six layers"))
    view.set_answer_failed(JACOBIAN, "The Jacobians of this network would take too long.")
    assert view.panels(LIGHT)[0].message == "The Jacobians of this network would take too long."
    assert view.text_summary() == "The Jacobians of this network would take too long."
    assert all(len(column) == 0 for column in view.table()[0].values())


def test_an_answer_of_another_iteration_stays_and_says_so_another_network_s_goes(qtbot: QtBot) -> None:
    run = run_named("six layers")
    view, _ = shown(qtbot, run, AnsweredJacobianView)
    later = dataclasses.replace(run, trace=dataclasses.replace(run.trace, iteration=run.trace.iteration + 5))
    JacobianView.set_run(view, later)
    assert f"at iteration {run.trace.iteration}" in "".join(w.text for w in view.panels(LIGHT)[0].headline)
    JacobianView.set_run(view, run_named("double precision"))
    assert view.panels(LIGHT)[0].message


def test_lines_are_the_largest_median_and_smallest_of_each_layer(qtbot: QtBot) -> None:
    run = run_named("six layers")
    view, _ = shown(qtbot, run, AnsweredJacobianView)
    spectrum = view.asked(JACOBIAN).answer
    panel = view.panels(LIGHT)[0]
    lines = {mark.name: mark.y for mark in panel.marks if type(mark) is Line}
    np.testing.assert_allclose(lines["median"], np.log10([np.median(values) for values in spectrum.blocks]))
    np.testing.assert_allclose(lines["smallest"], np.log10([values[-1] for values in spectrum.blocks]))
    np.testing.assert_allclose(lines["product of the largest"], spectrum.log10_bounds)
    assert len([mark for mark in panel.marks if type(mark) is Band]) == 1
    view.set_option("bound", False)
    view.set_option("onward_least", True)
    names = [mark.name for mark in view.panels(LIGHT)[0].marks]
    assert "product of the largest" not in names
    assert "to the output: smallest" in names


def test_exact_zeros_stand_in_the_lane(qtbot: QtBot) -> None:
    view, _ = shown(qtbot, run_named("all zero"), AnsweredJacobianView)
    panel = view.panels(LIGHT)[0]
    assert "0" in panel.lanes
    zeros = sum(int((mark.values == 0).sum()) for mark in panel.marks if type(mark) is LanePoints)
    assert zeros > 0
    assert "exactly 0: nothing of the input reaches the output" in view.text_summary()


@pytest.mark.parametrize("name", ["NaN", "Inf", "mixed"])
def test_what_is_not_a_number_is_told(qtbot: QtBot, name: str) -> None:
    view, _ = shown(qtbot, run_named(name), AnsweredJacobianView)
    assert view.canvas.grab().width() > 0
    assert view.text_summary().endswith(".")


def test_the_plot_of_all_values_shows_the_block_of_the_selected_layer(qtbot: QtBot) -> None:
    run = kind_run("nested residual")
    view, _ = shown(qtbot, run, AnsweredJacobianView)
    inner = run.trace["dense_3"].index
    view.set_selected_layer(inner)
    names = [mark.name for mark in view.panels(LIGHT)[1].marks if mark.name]
    assert names == ["residual_1", "input to output"]
    assert "residual_1: 8 outputs, 8 inputs" in view.hover_text("layers", 2.0, 0.0)
    heard: list[int] = []
    view.layer_selected.connect(heard.append)
    view.act_on_click("layers", 2.0, 0.0)
    assert heard == [run.trace["residual_1"].index]


def test_below_its_rounding_a_rule_is_drawn(qtbot: QtBot) -> None:
    view, _ = shown(qtbot, run_named("six layers"), AnsweredJacobianView)
    known = view.asked(JACOBIAN).answer
    noisy = np.array([1.0, 1e-3, 0.1 * known.eps])
    view.set_answer(JACOBIAN, dataclasses.replace(known, onward=(noisy, *known.onward[1:])))
    rules = [mark for mark in view.panels(LIGHT)[1].marks if type(mark) is Rule and mark.words]
    assert [rule.at for rule in rules] == [pytest.approx(np.log10(known.eps))]


def test_a_far_bound_leaves_room_for_what_is(qtbot: QtBot) -> None:
    view, _ = shown(qtbot, run_named("six layers"), AnsweredJacobianView)
    known = view.asked(JACOBIAN).answer
    blocks = tuple(values * 1e9 / values[0] for values in known.blocks)
    view.set_answer(JACOBIAN, dataclasses.replace(known, blocks=blocks))
    view.fit()
    assert view.panels(LIGHT)[0].y.high < 9 + 5 < view.asked(JACOBIAN).answer.log10_bounds[0]


def test_the_table_has_every_value_of_every_block_and_onward(qtbot: QtBot) -> None:
    run = run_named("six layers")
    view, _ = shown(qtbot, run, AnsweredJacobianView)
    columns, _ = view.table()
    spectrum = view.asked(JACOBIAN).answer
    assert len(columns["rank"]) == sum(
        max(len(a), len(b)) for a, b in zip(spectrum.blocks, spectrum.onward, strict=True)
    )
    first = columns["block"] == spectrum.names[0]
    assert [value for value in columns["to_output"][first] if value != ""] == spectrum.whole.tolist()


WHOLE = [
    ((3e-9, 1e-12), "largest singular value of the whole is 3.00·10⁻⁹: no direction of the input reaches"),
    ((0.0, 0.0), "exactly 0: nothing of the input reaches the output"),
    ((np.nan, np.nan), "holds NaN or ∞"),
    ((1.2, 0.8), "between 0.800 and 1.20: dynamical isometry"),
    ((5e4, 1.0), "enlarged that much"),
    ((3.0, 0.02), "is 3.00, the smallest 0.0200."),
]


@pytest.mark.parametrize(("values", "words"), WHOLE)
def test_words_about_the_whole(values: tuple[float, ...], words: str) -> None:
    assert words in whole_words(spectrum_of(*values))
    told, short = verdict(spectrum_of(*values)), shorter_verdict(spectrum_of(*values))
    assert 0 < len(short) <= 28 < len(told) or told == f"input to output: {short}"


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ((6.0, 2.0), "condition number 3.00"),
        ((6.0, 0.0), "condition number ∞"),
        ((6.0, 1e-9), "condition number above 1.0·10⁷ (rounding)"),
        ((np.nan, np.nan), "condition number NaN"),
    ],
)
def test_words_about_the_condition(values: tuple[float, ...], words: str) -> None:
    assert condition_words(np.array(values), 1e-7) == words


def test_words_about_the_bound_and_the_proof() -> None:
    assert "multiply to 1.00: each layer favours" in bound_words(spectrum_of(1.0, 0.2))
    assert "multiply to 1.00, 50.0 times what passes" in bound_words(spectrum_of(0.02, 0.01))
    assert bound_words(spectrum_of(0.0, 0.0)) == ""
    assert "agree to 3.0·10⁻⁹" in proof_words(spectrum_of(1.0, 0.2))
    coupled = dataclasses.replace(spectrum_of(1.0, 0.2), product_gap=float("nan"))
    assert "Batch normalization ties" in proof_words(coupled)
    assert rounding_words(spectrum_of(1.0, 0.2)) == ""
    told = rounding_words(spectrum_of(1.0, 1e-9, 0.0))
    assert (
        told == "Of its 3 singular values 1 exactly 0 and 1 below 1.0·10⁻⁷ of the largest, which is rounding."
    )


def test_the_question_is_answered_by_the_engine() -> None:
    simulator = Simulator(
        Experiment(
            data=GaussianNoise(samples=40, features=5, outputs=3),
            network=Network(
                layers=(Dense(units=6, activation=Sigmoid()),) * 3, head=Head(activation=Linear())
            ),
            training=Training(loss="mse", batch_size=8),
        )
    )
    simulator.advance(6)
    run = Run("run", simulator.experiment, simulator.samples, simulator.record(), None, simulator.history())
    found = answer_now(QUESTIONS[JACOBIAN], 2, run)
    expected = jacobian_spectrum(simulator, 2)
    assert expected is not None
    assert (found.iteration, found.sample) == (6, 2)
    np.testing.assert_array_equal(found.whole, expected.whole)


def test_a_low_view_has_one_line_of_legend_and_more_when_it_grows(qtbot: QtBot) -> None:
    view, _ = shown(qtbot, run_named("six layers"), AnsweredJacobianView)

    def names() -> list[str]:
        view.canvas.grab()
        return [mark.name for mark in view._panels_now(LIGHT)[0].marks if mark.name]

    assert len(names()) == 6
    view.resize(900, 200)
    assert names() == ["layer: largest", "to the output: largest"]
    view.resize(900, 400)
    assert len(names()) == 6
