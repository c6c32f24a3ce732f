"""The transport bar: what it shows, and that it only asks."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from gradsim.spec.training import GlobalNormClipping
from gradsim.trace import Cursor, Step
from gradsim.views.playback import FASTEST, SLOWEST
from gradsim.views.scrubber import segments
from gradsim.views.theme import DARK
from gradsim.views.transport_bar import TransportBar
from tests.reference import reference_run, reference_steps

RUN = reference_run(3, 4, records=2, clipping=GlobalNormClipping(threshold=0.1))
STEPS = len(RUN.trace.steps)
WISHES = (
    "play_toggled",
    "step_requested",
    "layer_step_requested",
    "iteration_step_requested",
    "seek_requested",
    "speed_changed",
    "loop_changed",
    "train_requested",
    "train_toggled",
    "stop_requested",
)


@pytest.fixture
def bar(qtbot):
    bar = TransportBar()
    qtbot.addWidget(bar)
    bar.resize(1200, 90)
    bar.set_run(RUN)
    bar.set_cursor(Cursor(5, 4))
    bar.show()
    return bar


@pytest.fixture
def heard(bar):
    heard = []
    for name in WISHES:
        getattr(bar, name).connect(lambda *value, name=name: heard.append((name, *value)))
    return heard


def test_setters_never_emit(bar, heard):
    bar.set_cursor(Cursor(7, 9))
    bar.set_playing(True)
    bar.set_training(True, 10, 100, 50.0)
    bar.set_training(True, 10, None, 50.0)
    bar.set_training(False)
    bar.set_speed(12.0)
    bar.set_loop(True)
    bar.set_theme(DARK)
    bar.set_run(None)
    bar.set_run(RUN)
    assert heard == []


@pytest.mark.parametrize(
    ("button", "wish"),
    [
        ("first", ("seek_requested", Cursor(5, 0))),
        ("last", ("seek_requested", Cursor(5, STEPS - 1))),
        ("back", ("step_requested", -1)),
        ("forward", ("step_requested", 1)),
        ("layer_back", ("layer_step_requested", -1)),
        ("layer_forward", ("layer_step_requested", 1)),
        ("play", ("play_toggled",)),
        ("loop", ("loop_changed", True)),
        ("train", ("train_requested", 1000)),
        ("endless", ("train_toggled", True)),
    ],
)
def test_each_button_asks_for_its_own(bar, heard, button, wish):
    getattr(bar, button).click()
    assert heard == [wish]


def test_the_arrows_of_the_iteration_ask_for_a_step_across_iterations(bar, heard):
    QTest.keyClick(bar.iteration, Qt.Key.Key_Up)
    QTest.keyClick(bar.iteration, Qt.Key.Key_Down)
    assert heard == [("iteration_step_requested", 1), ("iteration_step_requested", -1)]
    assert bar.iteration.value() == 5


def test_before_the_first_iteration_there_is_none(bar, heard):
    bar.set_cursor(Cursor(0, 0))
    QTest.keyClick(bar.iteration, Qt.Key.Key_Down)
    assert heard == []


def test_a_typed_iteration_is_asked_for_and_shown_only_when_it_comes(bar, heard):
    bar.iteration.selectAll()
    QTest.keyClicks(bar.iteration, "42")
    assert heard == []
    QTest.keyClick(bar.iteration, Qt.Key.Key_Return)
    assert heard == [("seek_requested", Cursor(42, 4))]
    assert bar.iteration.value() == 5
    bar.set_cursor(Cursor(42, 4))
    assert bar.iteration.value() == 42


def test_every_step_can_be_reached_on_the_line(bar, heard):
    scrubber = bar.scrubber
    for step in range(STEPS):
        place = QPoint(round(scrubber.place_of(step)), 25)
        assert scrubber.step_at(place.x()) == step
        QTest.mouseClick(scrubber, Qt.MouseButton.LeftButton, pos=place)
    assert heard == [("seek_requested", Cursor(5, s)) for s in range(STEPS) if s != 4]


def test_dragging_asks_for_each_step_passed(bar, heard):
    scrubber = bar.scrubber
    QTest.mousePress(scrubber, Qt.MouseButton.LeftButton, pos=QPoint(round(scrubber.place_of(6)), 25))
    bar.set_cursor(Cursor(5, 6))
    QTest.mouseMove(scrubber, QPoint(round(scrubber.place_of(9)), 25))
    QTest.mouseRelease(scrubber, Qt.MouseButton.LeftButton, pos=QPoint(round(scrubber.place_of(9)), 25))
    assert heard[0] == ("seek_requested", Cursor(5, 6))
    assert heard[-1] == ("seek_requested", Cursor(5, 9))


@pytest.mark.parametrize(("key", "step"), [("Left", 3), ("Right", 5), ("Home", 0), ("End", STEPS - 1)])
def test_the_line_listens_to_keys(bar, heard, key, step):
    QTest.keyClick(bar.scrubber, getattr(Qt.Key, f"Key_{key}"))
    assert heard == [("seek_requested", Cursor(5, step))]


@given(st.integers(1, 300), st.booleans(), st.integers(200, 2500))
def test_phases_fill_the_line_in_order_without_overlap(layers, clips, width):
    steps = reference_steps(layers, clips)
    placed = segments(steps, width)
    assert [s.span.phase for s in placed] == list(dict.fromkeys(step.phase for step in steps))
    assert placed[0].left >= 0
    assert placed[-1].right <= width
    ends = np.array([(s.left, s.right) for s in placed]).ravel()
    assert (np.diff(ends) > 0).all()


@pytest.mark.parametrize("width", [200, 700, 2500])
def test_a_long_sequence_does_not_crowd_out_the_other_steps(width):
    times = range(150)
    steps = (
        *(Step("forward", 0, "recurrent", "hidden", time) for time in times),
        Step("forward", 0, "activation", "activation"),
        Step("forward", 1, "linear", "pre_activation"),
        Step("loss", None, "loss", "loss"),
        *(Step("backward", 0, "recurrent", "hidden_gradient", time) for time in reversed(times)),
        Step("backward", 0, "delta", "delta"),
    )
    placed = segments(steps, width)
    for segment in placed:
        places = [segment.centre(step) for step in range(segment.span.first, segment.span.end)]
        assert places == sorted(places)
        assert segment.left < places[0] <= places[-1] < segment.right
        for step, place in enumerate(places, start=segment.span.first):
            assert segment.step_at(place) == step
    forward = placed[0]
    assert forward.edge(151) - forward.edge(150) == pytest.approx((forward.right - forward.left) / 10)


def test_the_step_is_told_in_words(bar):
    bar.set_cursor(Cursor(5, 3))
    assert bar.step_text.words == "forward · dense_2 · a = φ(z)"
    assert "Iteration 5, step 4 of" in bar.text_summary()
    columns, units = bar.table()
    assert columns.keys() == units.keys()
    assert columns["phase"].tolist() == [step.phase for step in RUN.trace.steps]


def test_speed_keeps_its_limits(bar, heard):
    bar.speed.setValue(1e9)
    bar.speed.setValue(0.0)
    assert heard == [("speed_changed", FASTEST), ("speed_changed", SLOWEST)]


def test_playing_changes_the_button(bar):
    bar.set_playing(True)
    assert bar.play.accessibleName() == "Pause"
    bar.set_playing(False)
    assert bar.play.accessibleName() == "Play"


def test_training_shows_its_progress_and_can_be_stopped(bar, heard):
    assert not bar.stop.isEnabled()
    bar.set_training(True, 340, 1000, 5312.0)
    assert (bar.progress.value(), bar.progress.maximum()) == (340, 1000)
    assert bar.rate.text() == "340 of 1,000 · 5,312/s"
    assert not bar.train.isEnabled()
    assert not bar.endless.isEnabled()
    bar.stop.click()
    assert heard == [("stop_requested",)]
    bar.set_training(False)
    assert bar.rate.text() == ""
    assert bar.train.isEnabled()


def test_training_until_stopped_is_a_toggle_that_follows_the_truth(bar, heard):
    bar.endless.click()
    assert heard == [("train_toggled", True)]
    assert not bar.endless.isChecked()
    bar.set_training(True, 12, None, 3.2)
    assert bar.endless.isChecked()
    assert bar.rate.text() == "12 iterations · 3.2/s"
    bar.endless.click()
    assert heard[-1] == ("train_toggled", False)


def test_without_a_run_nothing_can_be_asked(bar, heard):
    bar.set_run(None)
    for name in ("first", "back", "play", "forward", "last", "train", "endless", "stop"):
        assert not getattr(bar, name).isEnabled()
    assert bar.text_summary() == "No run yet."
    assert bar.scrubber.step_at(100.0) is None
    bar.grab()


def test_numbers_that_change_move_nothing(bar):
    widths = set()
    for done, rate in ((1, 0.0), (999, 3.2), (1000, 99999.0)):
        bar.set_training(True, done, 1000, rate)
        bar.layout().activate()
        widths.add((bar.rate.width(), bar.stop.x(), bar.iteration.x()))
    assert len(widths) == 1


def test_a_picture_is_kept_for_people(bar, artefact_folder):
    bar.set_training(True, 340, 1000, 5312.0)
    assert bar.grab().save(str(artefact_folder / "transport.png"))


@pytest.mark.parametrize(
    ("room", "shown"),
    [(400, "forward · dense_2 · a = φ(z)"), (140, "dense_2 · a = φ(z)"), (70, "dense_2"), (30, "…")],
)
def test_where_there_is_little_room_the_step_is_told_by_its_layer(bar, room, shown):
    bar.set_cursor(Cursor(5, 3))
    bar.step_text.resize(room, 20)
    told = bar.step_text.text()
    assert told == shown or (shown == "…" and told.endswith(shown))
    assert bar.step_text.fontMetrics().horizontalAdvance(told) <= room
