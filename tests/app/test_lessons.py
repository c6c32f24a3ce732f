"""Lessons in the window: it follows every page, answers are judged on real passes, the work comes back."""

import json
from pathlib import Path
from typing import get_args

import msgspec
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPushButton

from gradsim.analysis.lessons import Quantities, expression
from gradsim.app.lesson_answers import Answer, judged, typed_number
from gradsim.app.lesson_course import Edit, Open, Train, deeds_from_the_start, deeds_of, place_of
from gradsim.app.views_table import VIEWS
from gradsim.formats.lessons import load_lesson, opened_lesson, shipped_lessons
from gradsim.spec.lesson import NumberQuestion, ViewName
from tests.analysis.lessons.test_check import lesson

LEARNING_RATE = {"training.optimizer.learning_rate": 2.0}
TANH = {"network.layers[*].activation": "tanh"}
STEPS = (
    {
        "text": "{{0 = iteration}}",
        "question": {
            "kind": "number",
            "prompt": "?",
            "answer": "head.output",
            "hints": ["a", "b"],
            "explanation": "{{loss}}",
        },
        "look": {"view": "loss", "layer": "dense_1", "phase": "forward"},
    },
    {"train": 5, "keep": {"five": "loss"}, "text": "{{5 = iteration}}"},
    {"edit": LEARNING_RATE, "train": 3, "text": "{{8 = iteration}} {{five}}"},
    {
        "edit": TANH,
        "train": 2,
        "text": "before",
        "question": {"kind": "predict", "prompt": "Draw.", "explanation": "{{2 = iteration}}"},
    },
    {
        "text": "again",
        "restart": True,
        "question": {"kind": "goal", "prompt": "!", "condition": "loss < 0.03", "train": 40, "solution": {}},
    },
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "own.lesson.json"
    path.write_text(json.dumps(lesson(*STEPS)), encoding="utf-8")
    return path


@pytest.fixture
def ready(window, qtbot):
    qtbot.waitUntil(lambda: window.session.run is not None and window.session.is_settled, timeout=60_000)
    return window


def arrive(window, qtbot):
    qtbot.waitUntil(lambda: not window.lessons.is_busy and window.session.is_settled, timeout=60_000)


def state(window):
    return window.views["lessons"]._state


def test_the_window_follows_every_page_forth_and_back(ready, qtbot, file):
    opened = load_lesson(file)
    ready.begin_lesson(file)
    arrive(ready, qtbot)
    assert ready.docks["lessons"].isVisible()
    assert ready.session.run.experiment == opened.experiment
    run = ready.session.run
    assert run.trace.steps[ready.session.cursor.step].phase == "forward"
    first_loss = run.trace.loss
    losses = []
    for index, iteration in ((1, 5), (2, 8)):
        ready.lessons.move(1)
        arrive(ready, qtbot)
        assert ready.session.run.trace.iteration == iteration
        assert ready.session.run.experiment == opened.experiments[index]
        losses.append(ready.session.run.trace.loss)
        assert state(ready).index == index
        assert all(value.is_right(number) for value, number in state(ready).numbers.items())
    ready.lessons.move(-1)
    arrive(ready, qtbot)
    assert ready.session.run.trace.loss == losses[0]
    ready.lessons.move(-1)
    arrive(ready, qtbot)
    assert ready.session.run.trace.loss == first_loss
    assert ready.session.run.experiment == opened.experiment


def test_an_answer_is_judged_on_the_pass_and_kept(ready, qtbot, file):
    ready.begin_lesson(file)
    arrive(ready, qtbot)
    box = ready.views["lessons"]._page.question
    qtbot.keyClicks(box.number, "0.7")
    qtbot.keyClick(box.number, Qt.Key.Key_Return)
    assert state(ready).question.verdict == "wrong"
    assert "too large" in state(ready).question.remark
    qtbot.mouseClick(box.hint, Qt.MouseButton.LeftButton)
    assert [len(hint) for hint in state(ready).question.hints] == [1]
    box.number.setText("0.5717")
    qtbot.mouseClick(box.check, Qt.MouseButton.LeftButton)
    assert state(ready).question.verdict == "right"
    (number,) = state(ready).question.late_numbers.values()
    assert number == ready.session.run.trace.loss
    ready.lessons.move(1)
    arrive(ready, qtbot)
    ready.lessons.move(-1)
    arrive(ready, qtbot)
    assert state(ready).question.verdict == "right"
    assert state(ready).marks[0] == "right"
    ready.lessons.leave()
    arrive(ready, qtbot)
    ready.begin_lesson(file)
    arrive(ready, qtbot)
    assert state(ready).question.verdict == "right"


def test_a_prediction_is_drawn_before_the_measured_profile_is_made(ready, qtbot, file):
    ready.begin_lesson(file)
    for _ in range(3):
        arrive(ready, qtbot)
        ready.lessons.move(1)
    arrive(ready, qtbot)
    before = load_lesson(file).experiments[2]
    assert ready.session.run.experiment == before
    assert state(ready).question.drawing.measured is None
    ready.views["lessons"].prediction_changed.emit((-1.0, -0.5, 0.0))
    ready.views["lessons"]._page.question.plot.set_drawing(state(ready).question.drawing)
    ready.lessons.answer((-1.0, -0.5, 0.0))
    arrive(ready, qtbot)
    assert ready.session.run.experiment == load_lesson(file).experiments[3]
    assert ready.session.run.trace.iteration == 2
    drawing = state(ready).question.drawing
    assert drawing.predicted == (-1.0, -0.5, 0.0)
    found = Quantities(ready.session.run.trace)
    expected = expression("log10(dense_1.delta rms / head.delta rms)").value(found)
    assert drawing.measured[0] == pytest.approx(expected)
    assert all(v.is_right(n) for v, n in state(ready).question.late_numbers.items())


def test_a_goal_is_reached_by_training_in_the_window(ready, qtbot, file):
    ready.begin_lesson(file)
    arrive(ready, qtbot)
    ready.lessons._visit.index = 4
    ready.lessons.return_to_page()
    arrive(ready, qtbot)
    assert state(ready).question.verdict is None
    ready.session.train(1)
    qtbot.waitUntil(lambda: ready.session.is_settled, timeout=60_000)
    goal_loss = ready.session.run.trace.loss
    assert (state(ready).question.verdict == "right") is (goal_loss < 0.03)
    ready.session.train(60)
    qtbot.waitUntil(lambda: state(ready).question.verdict == "right", timeout=60_000)
    assert ready.session.run.trace.loss < 0.03


def test_a_goal_can_be_shown(ready, qtbot, file):
    ready.begin_lesson(file)
    arrive(ready, qtbot)
    ready.lessons._visit.index = 4
    ready.lessons.return_to_page()
    arrive(ready, qtbot)
    ready.lessons.show_answer()
    arrive(ready, qtbot)
    assert state(ready).question.verdict == "shown"
    assert ready.session.run.trace.iteration == 40


def test_free_play_is_noticed_and_the_page_comes_back(ready, qtbot, file):
    ready.begin_lesson(file)
    arrive(ready, qtbot)
    ready.lessons.move(1)
    arrive(ready, qtbot)
    loss = ready.session.run.trace.loss
    ready.session.edit(msgspec.structs.replace(ready.session.experiment, seed=77), "Play")
    qtbot.waitUntil(lambda: ready.session.is_settled, timeout=60_000)
    assert "no longer" in state(ready).note
    ready.lessons.return_to_page()
    arrive(ready, qtbot)
    assert state(ready).note == ""
    assert ready.session.run.trace.loss == loss
    ready.session.train(3)
    qtbot.waitUntil(lambda: ready.session.is_settled, timeout=60_000)
    ready.lessons.move(1)
    arrive(ready, qtbot)
    assert ready.session.run.trace.iteration == 8
    assert all(value.is_right(number) for value, number in state(ready).numbers.items())


def test_leaving_brings_the_work_back_and_offers_the_experiment(ready, qtbot, file, small):
    edited = msgspec.structs.replace(small, seed=8)
    ready.session.edit(edited, "Change the seed")
    qtbot.waitUntil(lambda: ready.session.is_settled, timeout=60_000)
    ready.begin_lesson(file)
    arrive(ready, qtbot)
    assert ready.actions_.by_id["help.lesson_next"].isEnabled()
    ready.lessons.leave()
    qtbot.waitUntil(lambda: ready.session.is_settled, timeout=60_000)
    assert ready.session.experiment == edited
    assert ready.session.document.is_dirty
    assert state(ready) is None
    assert not ready.actions_.by_id["help.lesson_next"].isEnabled()
    assert not ready.banners.texts


def test_what_was_made_in_a_lesson_can_be_kept(ready, qtbot, file, small):
    ready.begin_lesson(file)
    arrive(ready, qtbot)
    made = msgspec.structs.replace(ready.session.experiment, seed=77)
    ready.session.edit(made, "Play")
    qtbot.waitUntil(lambda: ready.session.is_settled, timeout=60_000)
    ready.lessons.leave()
    qtbot.waitUntil(lambda: ready.session.is_settled, timeout=60_000)
    assert ready.session.experiment == small
    assert ready.banners.texts == ["The lesson is over and your own experiment is back."]
    (button,) = (b for b in ready.banners.findChildren(QPushButton) if b.text() == "Keep the one I made")
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: ready.session.is_settled, timeout=60_000)
    assert ready.session.experiment == made
    ready.session.undo()
    assert ready.session.experiment == small


def test_a_training_that_is_stopped_on_the_way_is_said(ready, qtbot, file):
    ready.begin_lesson(file)
    arrive(ready, qtbot)
    ready.lessons._way.go((Train(0, 10_000_000),), ready.lessons._way._goal)
    qtbot.waitUntil(lambda: ready.session.training.is_training, timeout=60_000)
    ready.session.stop()
    arrive(ready, qtbot)
    assert state(ready).note == "The training was stopped before its end."
    ready.lessons.return_to_page()
    arrive(ready, qtbot)
    assert state(ready).note == ""


def test_opening_a_file_ends_the_lesson(ready, qtbot, file, tmp_path, small):
    from gradsim.formats import save

    save(small, tmp_path / "other.gradsim.json")
    ready.begin_lesson(file)
    arrive(ready, qtbot)
    assert ready.open_file(tmp_path / "other.gradsim.json")
    qtbot.waitUntil(lambda: ready.session.is_settled, timeout=60_000)
    assert not ready.lessons.is_running
    assert state(ready) is None


def test_the_last_page_finishes_the_lesson(ready, qtbot, file, small):
    ready.begin_lesson(file)
    arrive(ready, qtbot)
    ready.lessons._visit.index = 4
    ready.lessons.return_to_page()
    arrive(ready, qtbot)
    qtbot.mouseClick(ready.views["lessons"]._page.forward, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: ready.session.is_settled, timeout=60_000)
    assert ready.session.experiment == small


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ({"gradsim_lesson": 1}, "$.title: missing"),
        (lesson({"look": {"view": "moon"}}), '$.steps[0].look.view: expected one of "activation", '),
        (lesson({"text": "{{los}}"}), "$.steps[0].text: there is no such name 'los'"),
    ],
)
def test_a_malformed_lesson_says_where_and_changes_nothing(ready, tmp_path, small, document, words):
    path = tmp_path / "bad.lesson.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    assert not ready.begin_lesson(path)
    assert ready.banners.texts[0].startswith(f"The lesson bad.lesson.json was not opened: {words}")
    assert ready.session.experiment == small
    assert not ready.session.is_aside


def test_a_click_in_the_list_begins_a_shipped_lesson(ready, qtbot):
    ready.actions_.by_id["help.lessons"].trigger()
    panel = ready.views["lessons"]
    qtbot.waitUntil(lambda: len(panel._rows) == len(shipped_lessons()))
    panel.lesson_requested.emit(panel._rows[0].key)
    arrive(ready, qtbot)
    assert state(ready).lesson == "What a gradient is here"


@pytest.mark.parametrize("path", shipped_lessons(), ids=lambda path: path.name.partition(".")[0])
def test_shipped_lessons_look_at_views_that_there_are(path):
    views = {row.id for row in VIEWS}
    for step in load_lesson(path).lesson.steps:
        assert step.look is None or step.look.view is None or step.look.view in views


def test_the_way_to_a_page_begins_where_the_network_was_last_built():
    opened = opened_lesson(lesson(*STEPS))
    assert deeds_of(opened, 0) == ()
    assert deeds_of(opened, 1) == (Train(0, 5),)
    assert deeds_of(opened, 2) == (Edit(opened.experiments[2], 5), Train(5, 8))
    assert deeds_of(opened, 3) == (Edit(opened.experiments[3], 8), Train(0, 2))
    assert deeds_of(opened, 4) == (Open(opened.experiments[4]),)
    assert deeds_from_the_start(opened, 2) == (
        Open(opened.experiment),
        Train(0, 5),
        Edit(opened.experiments[2], 5),
        Train(5, 8),
    )
    assert deeds_from_the_start(opened, 3) == (Open(opened.experiments[3]), Train(0, 2))
    assert deeds_from_the_start(opened, 3, acted=False) == deeds_from_the_start(opened, 2)
    assert place_of(opened, 3).iteration == 2
    assert place_of(opened, 4).iteration == 0


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0.25", 0.25),
        (" −0,25 ", -0.25),
        ("25 %", 0.25),
        ("−2,5%", -0.025),
        ("+3", 3.0),
        ("2e-5", 2e-5),
        ("2·10^-5", 2e-5),
        ("2·10⁻⁵", 2e-5),
        ("0.5*0.5", 0.25),
        ("1/4", 0.25),
        ("sigmoid(0)", 0.5),
    ],
)
def test_numbers_can_be_typed_in_many_ways(text, number):
    assert typed_number(text) == pytest.approx(number)


@pytest.mark.parametrize(
    ("given", "verdict", "words"),
    [
        ("0.25", "right", "Right."),
        ("0.2501", "right", "Right."),
        ("-0.25", "wrong", "the sign is not"),
        ("4", "wrong", "the other way round"),
        ("2.5", "wrong", "power of ten"),
        ("0.3", "wrong", "too large"),
        ("0.1", "wrong", "too small"),
        ("a lot", None, "Type a number"),
        ("", None, "Type a number"),
        ("loss", None, "Type a number"),
    ],
)
def test_what_kind_of_mistake_it_is_is_said_without_the_answer(given, verdict, words):
    class Pass:
        def value(self, path):
            raise AssertionError

    question = NumberQuestion(prompt="?", answer="0.5 * 0.5")
    found = judged(question, Answer(), given, Pass())
    assert found.verdict == verdict
    assert words in found.remark
    if verdict != "right":
        assert "0.25" not in found.remark.replace("−0.25 or 2e-5", "")


def test_a_lesson_can_look_at_every_view_of_the_window():
    assert set(get_args(ViewName)) == {row.id for row in VIEWS}
