"""Proof and forensics: errors per parameter, verdicts in words, and the way to the first broken value."""

from __future__ import annotations

import math

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from gradsim.analysis import Difference, DirectionCheck, Fault, Forensics, GradientCheck, Source, TensorCheck
from gradsim.trace import Cursor
from gradsim.views.inspection.formula import Place
from gradsim.views.plot.points import LanePoints, Points
from gradsim.views.proof_view import CHECK, FORENSICS, ProofView
from gradsim.views.theme import LIGHT
from tests.views.answered import AnsweredProofView
from tests.views.plot_views import run_named


@pytest.fixture
def view(qtbot: QtBot) -> ProofView:
    result = ProofView()
    qtbot.addWidget(result)
    result.resize(800, 400)
    return result


def tensor(name, layer, verdict, error, own=3e-7):
    found = Difference(1.0, 1e-12, 1e-3, 1.1, 0.9, None, 6)
    way = DirectionCheck("gradient", 1.0 + error, found, error, verdict)
    return TensorCheck(name, layer, 12, 1.0, (way,), own, 0, 0)


def proof(*tensors, precision="float32"):
    names = tuple(layer.name for layer in run_named("six layers").trace.layers)
    return GradientCheck(3, precision, 0.5, 0.5, names, tensors, 40)


def test_nothing_is_claimed_before_a_check(view: ProofView) -> None:
    view.set_run(run_named("six layers"))
    assert "Check gradients" in view.panels(LIGHT)[0].message
    heard: list[str] = []
    view.question_asked.connect(lambda question, options: heard.append(question))
    view.check_button.click()
    assert heard == [CHECK]
    assert view.check_button.text() == "Stop"
    view.set_answer_progress(CHECK, "Checking dense_2.weight", 0.25)
    assert "checking dense_2.weight (25.0 %)" in view.panels(LIGHT)[0].message
    cancelled: list[str] = []
    view.question_cancelled.connect(cancelled.append)
    view.check_button.click()
    assert cancelled == [CHECK]
    assert view.check_button.text() == "Check gradients"


def test_errors_stand_beside_each_other_in_the_room_of_their_layer(view: ProofView) -> None:
    view.set_run(run_named("six layers"))
    view.ask(CHECK)
    tensors = (
        tensor("dense_1.weight", 0, "agrees", 1e-9),
        tensor("dense_1.bias", 0, "zero", 0.0, math.nan),
        tensor("dense_2.weight", 1, "disagrees", 0.5),
    )
    view.set_answer(CHECK, proof(*tensors))
    panel = view.panels(LIGHT)[0]
    points = {mark.name: mark for mark in panel.marks if isinstance(mark, Points)}
    assert points["agrees"].x == pytest.approx([0.75])
    assert points["agrees"].y == pytest.approx([-9.0])
    assert points["disagrees"].x == pytest.approx([2.0])
    assert points["float32 against float64"].y[0] == pytest.approx(math.log10(3e-7))
    assert list(panel.lanes) == ["0", "NaN"]
    assert any(isinstance(mark, LanePoints) for mark in panel.marks)
    assert panel.headline[0].text.startswith("Not passed")
    assert "FAILED" in view.text_summary()
    columns, units = view.table()
    assert columns["parameter"].tolist() == [one.name for one in tensors]
    assert columns["backpropagated"].tolist() == pytest.approx([1.0 + 1e-9, 1.0, 1.5])
    assert set(units) <= set(columns)
    assert "disagrees, relative error 0.5" in view.hover_text("errors", 2.0, 0.0)
    view.set_option("own", False)
    assert "0" in view.panels(LIGHT)[0].lanes
    assert "NaN" not in view.panels(LIGHT)[0].lanes


@pytest.mark.parametrize(
    ("verdicts", "title", "few"),
    [
        (("agrees", "agrees"), "Passed", "2 of 2 tensors agree"),
        (
            ("not finite", "not finite"),
            "Nothing can be proven",
            "in 2 of 2 tensors gradient or loss is not finite",
        ),
        (
            ("agrees", "not finite"),
            "Nothing can be proven",
            "in 1 of 2 tensors gradient or loss is not finite",
        ),
        (("not finite", "disagrees"), "Not passed", "1 of 2 tensors, first dense_2.weight"),
        (("zero", "zero"), "Nothing to compare", "0 of 2 tensors agree, 2 as 0 = 0"),
        (("zero", "undecided"), "Nothing to compare", "0 of 2 tensors agree, 1 as 0 = 0"),
    ],
)
def test_the_headline_says_what_the_sentences_say(
    view: ProofView, verdicts: tuple[str, str], title: str, few: str
) -> None:
    view.set_run(run_named("six layers"))
    view.ask(CHECK)
    errors = [
        1e-9 if verdict == "agrees" else math.nan if verdict == "not finite" else 0.5 for verdict in verdicts
    ]
    tensors = [
        tensor(f"dense_{at + 1}.weight", at, verdict, error)
        for at, (verdict, error) in enumerate(zip(verdicts, errors, strict=True))
    ]
    view.set_answer(CHECK, proof(*tensors))
    headline = [words.text.strip() for words in view.panels(LIGHT)[0].headline]
    assert headline[0] == title
    assert headline[1].startswith(few)
    assert (title == "Nothing to compare") == ("In none of the 2" in view.text_summary())
    assert (title == "Nothing can be proven") == view.text_summary().startswith("Nothing can be proven: in ")


def test_a_proof_is_that_of_its_pass_only(view: ProofView) -> None:
    view.set_run(run_named("six layers"))
    view.ask(CHECK)
    view.set_answer(CHECK, proof(tensor("dense_1.weight", 0, "agrees", 1e-9)))
    assert view.panels(LIGHT)[0].headline[0].text.startswith("Passed")
    view.set_run(run_named("NaN"))
    assert view.panels(LIGHT)[0].message


def test_a_check_that_failed_to_run_says_why(view: ProofView) -> None:
    view.set_run(run_named("six layers"))
    view.ask(CHECK)
    view.set_answer_failed(CHECK, "no memory")
    assert "could not be checked: no memory" in view.text_summary()


def test_a_broken_run_is_told_by_its_counts_at_once_and_a_button_goes_there(
    view: ProofView, qtbot: QtBot
) -> None:
    run = run_named("NaN")
    view.set_run(run)
    view.show()
    assert view.fault_label.text().startswith("First broken value: iteration ")
    button = view.go_buttons["broken"]
    assert button.isVisible()
    assert not view.go_buttons["lost"].isVisible()
    with qtbot.waitSignal(view.seek_requested) as asked:
        button.click()
    assert asked.args[0].iteration == view.faults.fault("broken").iteration


def test_what_forensics_find_stays_while_the_run_is_the_same(view: ProofView, qtbot: QtBot) -> None:
    run = run_named("NaN")
    view.set_run(run)
    view.show()
    heard: list[str] = []
    view.question_asked.connect(lambda question, options: heard.append(question))
    view.search_button.click()
    assert heard == [FORENSICS]
    sources = (Source("x", "dense_1", "input", (1, 0), 3.1e30), Source("W", "dense_1", "weight", (0, 2), 2e9))
    broken = Fault("inf", 4, 7, 1, "dense_2", "pre_activation", "linear", (1, 2), math.inf, 3, 40, sources)
    lost = Fault("zero", 2, 9, 0, "dense_1", "delta", "delta", (0, 0), 0.0, 1, 40)
    view.set_answer(FORENSICS, Forensics(broken, lost))
    assert "x[1, 0] = 3.1·10³⁰ · W[0, 2] = 2·10⁹" in view.fault_label.text()
    assert not view.search_button.isVisible()
    wishes: list[object] = []
    view.seek_requested.connect(wishes.append)
    view.place_selected.connect(lambda *place: wishes.append(place))
    view.go_buttons["broken"].click()
    assert wishes == [Cursor(4, 7), (1, Place(1, 2))]
    with qtbot.waitSignal(view.seek_requested) as asked:
        view.go_buttons["lost"].click()
    assert asked.args == [Cursor(2, 9)]
    view.set_run(run_named("six layers"))
    assert view.faults.found is None


def test_a_sound_run_says_so_and_shows_no_way_anywhere(view: ProofView) -> None:
    view.set_run(run_named("six layers"))
    view.show()
    assert view.fault_label.text() == "By its counts every value of the run is finite."
    assert not any(button.isVisible() for button in view.go_buttons.values())


def test_a_click_selects_the_layer(qtbot: QtBot) -> None:
    view = AnsweredProofView()
    qtbot.addWidget(view)
    view.set_run(run_named("nested residual"))
    with qtbot.waitSignal(view.layer_selected) as asked:
        view.act_on_click("errors", 3.3, 0.0)
    assert asked.args == [2]
    errors = view.table()[0]["error"]
    assert np.isfinite(errors).any()
    assert view.hover_text("errors", 6.0, 0.0)


@pytest.mark.parametrize("height", [203, 240, 400])
def test_long_words_below_scroll_and_leave_the_plot_its_height(
    view: ProofView, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, height: int
) -> None:
    view.resize(700, height)
    view.show()
    qtbot.waitExposed(view)
    monkeypatch.setattr(view, "_fault_words", lambda: "A value broke, and this is how it came about. " * 40)
    view.set_run(run_named("NaN"))
    line = view.fault_label.fontMetrics().lineSpacing()
    qtbot.waitUntil(lambda: view.below.height() >= 2 * line)
    qtbot.waitUntil(lambda: view.fault_label.height() > view.below.height())  # nothing is cut off: it scrolls
    assert view.figure_size().height() >= min(140.0, height - view.bar.height() - 2.5 * line)
    monkeypatch.setattr(view, "_fault_words", lambda: "Short.")
    view.refresh()
    qtbot.waitUntil(lambda: view.below.height() < 2 * line)


def test_the_buttons_keep_their_place_while_one_of_them_says_stop(view: ProofView) -> None:
    view.set_run(run_named("six layers"))
    view.bar.layout().activate()
    before = view.search_button.geometry(), view.check_button.geometry()
    view.check_gradients()
    view.bar.layout().activate()
    assert view.check_button.text() == "Stop"
    assert (view.search_button.geometry(), view.check_button.geometry()) == before
