"""The course of a run: where it must stop, where it can be taken up again, and what a branch forgets."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import pytest

from gradsim.engine.checkpoints import LEAST_INTERVAL, REPLAYED_NUMBERS, Checkpoint
from gradsim.engine.course import Course, can_follow
from gradsim.spec import Experiment
from gradsim.spec.method import Pretraining
from gradsim.spec.training import Adam

pytestmark = pytest.mark.jitless
FIRST, SECOND = Experiment(name="first"), Experiment(name="second")


def checkpoint(iteration: int) -> Checkpoint:
    return Checkpoint(iteration, *(np.zeros(2) for _ in range(4)))


def course(start: int = 0) -> Course:
    return Course(FIRST, checkpoint(start), REPLAYED_NUMBERS)


def test_the_machine_stops_at_the_next_keyframe_when_the_way_is_new() -> None:
    assert course().next_stop(3) == LEAST_INTERVAL
    assert course().next_stop(LEAST_INTERVAL) == 2 * LEAST_INTERVAL


def test_the_machine_stops_where_the_known_past_ends_and_where_another_stretch_begins() -> None:
    run = course()
    run.reached = 7
    assert run.next_stop(3) == 7
    run.branch(SECOND, 5, checkpoint(5))
    run.reached = 9
    assert run.next_stop(3) == 5
    assert run.next_stop(6) == 9


def test_each_iteration_runs_under_the_stretch_that_began_last() -> None:
    run = course()
    run.branch(SECOND, 5, checkpoint(5))
    assert [run.stretch(at).experiment.name for at in (0, 4, 5, 99)] == ["first", "first", "second", "second"]


@pytest.mark.parametrize(
    ("iteration", "here", "wanted"),
    [
        (20, 18, None),  # straight on: the keyframe of 16 is behind
        (20, 3, 16),
        (40, 18, 32),
        (3, 18, 0),
        (18, 18, None),
        (16, 18, 16),
    ],
)
def test_an_iteration_is_reached_from_the_nearest_keyframe(
    iteration: int, here: int, wanted: int | None
) -> None:
    run = course()
    for at in (16, 32):
        assert run.wants_keyframe(at)
        run.keep(checkpoint(at))
        assert not run.wants_keyframe(at)
    found = run.keyframe_for(iteration, here)
    assert (found.iteration if found is not None else None) == wanted


def test_the_state_that_was_set_by_hand_is_taken_up_before_an_older_keyframe() -> None:
    run = course()
    run.keep(checkpoint(16))
    state = checkpoint(20)
    run.branch(SECOND, 20, state)
    assert run.keyframe_for(25, 30) is state
    assert run.keyframe_for(19, 30) is not state


def test_a_branch_forgets_keyframes_and_stretches_that_come_after_it() -> None:
    run = course()
    for at in (16, 32):
        run.keep(checkpoint(at))
    run.branch(SECOND, 40, checkpoint(40))
    run.reached = 50
    run.branch(FIRST, 20, checkpoint(20))
    assert run.reached == 20
    assert run.stretch(45).experiment is FIRST
    found = run.keyframe_for(33, 40)
    assert found is not None
    assert found.iteration == 20


def test_a_course_that_begins_later_has_an_optimizer_without_memory_there() -> None:
    run = course(500)
    assert run.start == run.reached == run.stretch(500).optimizer_start == 500


def with_training(**fields: Any) -> Experiment:
    return msgspec.structs.replace(FIRST, training=msgspec.structs.replace(FIRST.training, **fields))


@pytest.mark.parametrize(
    ("new", "follows"),
    [
        (FIRST, True),
        (SECOND, True),
        (with_training(optimizer=Adam()), True),
        (with_training(weight_noise=0.1), True),
        (with_training(batch_size=FIRST.training.batch_size + 1), False),
        (with_training(method=Pretraining()), False),
        (msgspec.structs.replace(FIRST, seed=FIRST.seed + 1), False),
        (msgspec.structs.replace(FIRST, precision="float64"), False),
    ],
)
def test_a_run_goes_on_only_under_other_training_settings(new: Experiment, follows: bool) -> None:
    assert can_follow(FIRST, new) is follows
