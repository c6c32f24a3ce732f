"""Playback is arithmetic: every moment has one place."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradsim.trace import Cursor, Step
from gradsim.views.playback import (
    SEQUENCE_STEPS,
    PlaybackPosition,
    Timetable,
    cursor_at,
    moved,
    moved_by_layer,
    phase_spans,
    timetable,
)

STEPS = (
    Step("forward", 0, "linear", "pre_activation"),
    Step("forward", 0, "activation", "activation"),
    Step("forward", 1, "linear", "pre_activation"),
    Step("forward", 1, "activation", "activation"),
    Step("loss", None, "loss", "loss"),
    Step("backward", 1, "delta", "delta"),
    Step("backward", 1, "weight_gradient", "weight_gradient"),
    Step("backward", 0, "delta", "delta"),
    Step("update", 0, "update", "update"),
    Step("update", 1, "update", "update"),
)


def even(count: int) -> Timetable:
    return timetable([Step("forward", 0, "linear", "pre_activation")] * count)


def sequence(length: int) -> tuple[Step, ...]:
    return (
        *(Step("forward", 0, "recurrent", "hidden", time) for time in range(length)),
        Step("forward", 0, "activation", "activation"),
        Step("forward", 1, "linear", "pre_activation"),
        Step("loss", None, "loss", "loss"),
        Step("backward", 0, "activation_gradient", "activation_gradient"),
        *(Step("backward", 0, "recurrent", "hidden_gradient", time) for time in reversed(range(length))),
        Step("backward", 0, "delta", "delta"),
    )


@pytest.mark.parametrize(
    ("elapsed", "speed", "loop", "start", "expected"),
    [
        (0.0, 2.0, False, 0, PlaybackPosition(0, 0, False)),
        (0.49, 2.0, False, 0, PlaybackPosition(0, 0, False)),
        (0.5, 2.0, False, 0, PlaybackPosition(1, 0, False)),
        (0.29, 100.0, True, 0, PlaybackPosition(9, 2, False)),
        (4.9, 2.0, False, 0, PlaybackPosition(9, 0, False)),
        (5.0, 2.0, False, 0, PlaybackPosition(9, 0, True)),
        (5.0, 2.0, True, 0, PlaybackPosition(0, 1, False)),
        (1.0, 2.0, True, 9, PlaybackPosition(1, 1, False)),
        (-3.0, 2.0, False, 4, PlaybackPosition(4, 0, False)),
        (0.0, 2.0, False, 99, PlaybackPosition(9, 0, False)),
    ],
)
def test_each_step_is_shown_for_its_share_of_a_second(elapsed, speed, loop, start, expected):
    assert cursor_at(elapsed, speed, even(10), loop, start) == expected


def test_an_iteration_without_steps_is_finished_at_once():
    assert cursor_at(1.0, 5.0, even(0), loop=False).finished


@given(st.floats(0, 1e4), st.floats(0, 1e4), st.floats(0.5, 60), st.integers(1, 400), st.booleans())
def test_playback_never_runs_backwards_and_stays_inside(first, second, speed, steps, loop):
    earlier, later = (cursor_at(t, speed, even(steps), loop) for t in sorted((first, second)))
    assert 0 <= earlier.step < steps
    assert earlier.laps * steps + earlier.step <= later.laps * steps + later.step


@pytest.mark.parametrize(
    ("cursor", "delta", "expected"),
    [
        (Cursor(0, 0), -1, Cursor(0, 0)),
        (Cursor(0, 9), 1, Cursor(1, 0)),
        (Cursor(3, 0), -1, Cursor(2, 9)),
        (Cursor(3, 4), 25, Cursor(5, 9)),
    ],
)
def test_steps_lead_across_iterations_but_not_before_the_first(cursor, delta, expected):
    assert moved(cursor, delta, 10) == expected


@pytest.mark.parametrize(
    ("step", "delta", "expected"),
    [
        (0, 1, 2),
        (1, 1, 2),
        (2, 1, 4),
        (4, 1, 5),
        (6, 1, 7),
        (9, 1, 10),
        (6, -1, 5),
        (5, -1, 4),
        (0, -1, -1),
        (0, 2, 4),
    ],
)
def test_a_layer_step_goes_to_where_a_layer_begins(step, delta, expected):
    assert moved_by_layer(STEPS, step, delta) == expected


def test_phases_cover_the_iteration_without_gaps():
    spans = phase_spans(STEPS)
    assert [(s.phase, s.first, s.end) for s in spans] == [
        ("forward", 0, 4),
        ("loss", 4, 5),
        ("backward", 5, 8),
        ("update", 8, 10),
    ]
    assert phase_spans(()) == ()


@pytest.mark.parametrize("length", [1, 3, SEQUENCE_STEPS, 9, 150, 2000])
def test_a_sequence_takes_no_longer_than_a_few_steps_and_shorter_ones_their_own_time(length):
    steps = sequence(length)
    times = timetable(steps)
    assert len(times) == len(steps)
    assert times.length == 2 * min(length, SEQUENCE_STEPS) + 5
    assert times.begin(length) == min(length, SEQUENCE_STEPS)
    assert list(times.ends) == sorted(times.ends)
    spans = [times.begin(step + 1) - times.begin(step) for step in range(len(steps))]
    assert max(spans) == pytest.approx(1.0)
    assert min(spans) == pytest.approx(min(SEQUENCE_STEPS / length, 1.0))


@pytest.mark.parametrize("length", [3, 150])
def test_every_time_step_has_its_moment_in_the_telling(length):
    steps = sequence(length)
    times = timetable(steps)
    for step in range(len(steps)):
        middle = 0.5 * (times.begin(step) + times.begin(step + 1))
        assert times.step_at(middle) == step
        assert cursor_at(middle / 4.0, 4.0, times, loop=False).step == step
        assert cursor_at(0.0, 4.0, times, loop=False, start=step).step == step


def test_a_whole_sequence_of_150_steps_passes_in_two_seconds_at_four_steps_a_second():
    times = timetable(sequence(150))
    assert cursor_at(1.99, 4.0, times, loop=False).step == 149
    assert cursor_at(2.0, 4.0, times, loop=False).step == 150


@pytest.mark.parametrize("length", [1, 9, 150])
def test_stepping_by_layer_skips_whole_sequences(length):
    steps = sequence(length)
    assert moved_by_layer(steps, 0, 1) == length + 1
    assert moved_by_layer(steps, length // 2, 1) == length + 1
    assert moved_by_layer(steps, length + 1, -1) == 0
    assert moved_by_layer(steps, length + 2, 1) == length + 3
    assert moved_by_layer(steps, length + 5, 1) == len(steps)


def test_beyond_either_end_a_timetable_knows_the_nearest_step():
    times = timetable(STEPS)
    assert (times.step_at(-1.0), times.step_at(1e9)) == (0, len(STEPS) - 1)
    assert (times.begin(-3), times.begin(99)) == (0.0, len(STEPS))
    assert timetable(()).step_at(3.0) == 0
    assert timetable(()).begin(3) == timetable(()).length == 0.0
