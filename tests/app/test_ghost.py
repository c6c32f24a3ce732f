"""What a run is compared with after edits and openings, and which passes stay at hand."""

from dataclasses import replace

import msgspec
import pytest

from gradsim.app import recent_traces
from gradsim.app.ghost import Ghost
from gradsim.app.recent_traces import RecentTraces
from gradsim.app.whereabouts import END, clamped, layers_away, same_moment
from gradsim.trace import Cursor, Run
from tests.kind_runs import kind_run


@pytest.fixture(scope="module")
def run() -> Run:
    return kind_run("activation")


def test_an_edit_is_compared_with_the_pass_before_it_unless_one_is_kept(run: Run) -> None:
    ghost = Ghost()
    edited = msgspec.structs.replace(run.experiment, seed=99)
    assert ghost.after_edit(run, run.experiment) == (run.ghost, run.ghost_history)
    assert ghost.after_edit(run, edited) == (run.trace, run.history)
    ghost.keep(is_pinned=False)
    assert ghost.after_edit(run, edited) == (run.ghost, run.ghost_history)
    ghost.drop()
    assert ghost.after_edit(run, edited) == (run.trace, run.history)
    assert ghost.after_edit(None, edited) == (None, None)


@pytest.mark.parametrize("is_pinned", [True, False])
def test_only_what_was_kept_on_purpose_outlives_the_opening_of_another_example(
    run: Run, is_pinned: bool
) -> None:
    ghost = Ghost()
    ghost.keep(is_pinned=is_pinned)
    wanted = (run.ghost, run.ghost_history) if is_pinned else (None, None)
    assert ghost.after_opening(run) == wanted
    assert ghost.is_kept is is_pinned


def test_the_passes_looked_at_last_stay_at_hand(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recent_traces, "MOST_TRACES", 2)
    traces = RecentTraces()
    for iteration in (1, 2, 1, 3):
        traces.keep(replace(run.trace, iteration=iteration))
    assert [at in traces for at in (1, 2, 3)] == [True, False, True]
    assert traces[3].iteration == 3
    monkeypatch.setattr(recent_traces, "MOST_BYTES", 1)
    traces.keep(replace(run.trace, iteration=4))
    assert [at in traces for at in (1, 3, 4)] == [False, False, True]
    traces.clear()
    assert 4 not in traces


def test_the_cursor_stays_on_steps_that_there_are(run: Run) -> None:
    last = len(run.trace.steps) - 1
    assert clamped(Cursor(3, END), run.trace) == Cursor(3, last)
    assert clamped(Cursor(3, 1), run.trace) == Cursor(3, 1)
    assert clamped(Cursor(3, 5), None) == Cursor(3, 0)


def test_layers_are_crossed_over_the_edges_of_an_iteration(run: Run) -> None:
    assert layers_away(Cursor(4, END), run.trace, 1) == Cursor(5, 0)
    assert layers_away(Cursor(4, 0), run.trace, -1) == Cursor(3, END)
    assert layers_away(Cursor(0, 0), run.trace, -1) == Cursor(0, 0)
    assert layers_away(Cursor(4, 0), run.trace, 1).step > 0


def test_another_network_is_shown_at_the_same_phase(run: Run) -> None:
    other = kind_run("dropout").trace
    assert len(other.steps) != len(run.trace.steps)
    loss = next(i for i, step in enumerate(run.trace.steps) if step.phase == "loss")
    found = same_moment(loss, run.trace, other)
    assert other.steps[found].phase == "loss"
    assert same_moment(2, run.trace, run.trace) == 2
    assert same_moment(END, run.trace, other) == END
    assert same_moment(0, None, other) == END
