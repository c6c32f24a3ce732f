"""Keyframes of a run: the nearest one before, thinned where memory is short."""

from __future__ import annotations

import numpy as np
import pytest

from gradsim.engine.checkpoints import (
    CHECKPOINT_MEMORY,
    LEAST_INTERVAL,
    MOST_CHECKPOINTS,
    MOST_FIRST_INTERVAL,
    Checkpoint,
    Checkpoints,
)

pytestmark = pytest.mark.jitless


def checkpoint(iteration: int, size: int = 4) -> Checkpoint:
    return Checkpoint(iteration, np.full(size, iteration, np.float64), np.zeros(0), np.zeros(0), np.zeros(2))


def run(checkpoints: Checkpoints, iterations: int, size: int = 4) -> None:
    """As the simulator does it: from one iteration that is due to the next."""
    iteration = 0
    while (iteration := checkpoints.next_due(iteration)) <= iterations:
        if checkpoints.wants(iteration):
            checkpoints.add(checkpoint(iteration, size))


def test_the_latest_one_before_an_iteration_is_found() -> None:
    checkpoints = Checkpoints(checkpoint(0))
    run(checkpoints, 100)
    for k in (0, 1, 15, 16, 17, 31, 32, 95, 96, 200):
        assert checkpoints.before(k).iteration == min(k, 96) // 16 * 16


def test_a_long_run_keeps_its_start_and_even_distances_within_its_memory() -> None:
    size = CHECKPOINT_MEMORY // 8 // 20  # twenty fit
    checkpoints = Checkpoints(checkpoint(0, 4))
    checkpoints._most = min(MOST_CHECKPOINTS, CHECKPOINT_MEMORY // (8 * size))
    run(checkpoints, 3000)
    kept = [c.iteration for c in checkpoints._kept]
    assert kept[0] == 0
    assert len(kept) <= 20
    assert (np.diff(kept) == checkpoints.interval).all()
    assert checkpoints.interval == 256
    assert checkpoints.before(3000).iteration == 2816


def test_a_large_state_still_keeps_a_few() -> None:
    checkpoints = Checkpoints(checkpoint(0))
    checkpoints._most = 4
    run(checkpoints, 10_000)
    assert checkpoints.before(0).iteration == 0
    assert 2 <= len(checkpoints._kept) <= 4


def test_many_short_steps_keep_at_most_so_many() -> None:
    checkpoints = Checkpoints(checkpoint(0))
    run(checkpoints, 2 * LEAST_INTERVAL * MOST_CHECKPOINTS)
    assert MOST_CHECKPOINTS / 2 <= len(checkpoints._kept) <= MOST_CHECKPOINTS


def test_a_cut_forgets_what_came_after_but_never_the_start() -> None:
    checkpoints = Checkpoints(checkpoint(0))
    run(checkpoints, 100)
    checkpoints.cut(40)
    assert checkpoints.before(1000).iteration == 32
    assert checkpoints.wants(48)
    checkpoints.cut(-1)
    assert checkpoints.before(1000).iteration == 0


def test_one_that_is_kept_is_not_wanted_again() -> None:
    checkpoints = Checkpoints(checkpoint(0))
    assert not checkpoints.wants(0)
    assert not checkpoints.wants(15)
    assert checkpoints.wants(16)
    checkpoints.add(checkpoint(16))
    assert not checkpoints.wants(16)


def test_a_small_network_is_stopped_less_often_than_a_large_one() -> None:
    small = Checkpoints(checkpoint(0), numbers=100)
    large = Checkpoints(checkpoint(0), numbers=1_000_000)
    assert small.interval == MOST_FIRST_INTERVAL
    assert large.interval == LEAST_INTERVAL
