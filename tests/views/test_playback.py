"""Playback is arithmetic: every moment has one place."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradsim.trace import Cursor, Step
from gradsim.views.playback import PlaybackPosition, cursor_at, moved, moved_by_layer, phase_spans

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
    assert cursor_at(elapsed, speed, 10, loop, start) == expected


def test_an_iteration_without_steps_is_finished_at_once():
    assert cursor_at(1.0, 5.0, 0, loop=False).finished


@given(st.floats(0, 1e4), st.floats(0, 1e4), st.floats(0.5, 60), st.integers(1, 400), st.booleans())
def test_playback_never_runs_backwards_and_stays_inside(first, second, speed, steps, loop):
    earlier, later = (cursor_at(t, speed, steps, loop) for t in sorted((first, second)))
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
