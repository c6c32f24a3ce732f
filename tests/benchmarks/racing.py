"""Contenders side by side in interleaved rounds, so that whatever else the machine does meets all of them."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from typing import Any

ROUND_SECONDS = 0.02
"""How long one contender runs in a round, at least one iteration."""


def timed(run: Callable[[int], None], n: int) -> float:
    """Return the seconds of one iteration, measured over n.

    Processor time of all threads: on a quiet machine the time on the clock, as everything here runs on one
    thread; on a busy one it leaves out the time that others had.
    """
    began = time.process_time()
    run(n)
    return (time.process_time() - began) / n


def calibrated(run: Callable[[int], None]) -> tuple[int, float]:
    """Return how many iterations fill a round, and the seconds of one; the first calls warm up."""
    n, each = 1, timed(run, 1)
    while n * each < ROUND_SECONDS / 2:
        n = min(10 * n, max(n + 1, int(ROUND_SECONDS / max(each, 1e-7))))
        each = timed(run, n)
    return n, each


def race(
    benchmark: Any,
    contenders: Mapping[str, Callable[[int], None]],
    seconds: float,
    least: int = 5,
    most: int = 60,
) -> dict[str, float]:
    """Return the median seconds per iteration of each contender.

    The first is what ``benchmark`` reports; the others run in its set-up, once before each of its rounds.
    """
    known = {name: calibrated(run) for name, run in contenders.items()}
    counts = {name: n for name, (n, _) in known.items()}
    rounds = int(min(most, max(least, seconds / sum(n * each for n, each in known.values()))))
    times: dict[str, list[float]] = {name: [] for name in contenders}
    measured, *others = contenders

    def one_of_each() -> None:
        for name in others:
            times[name].append(timed(contenders[name], counts[name]))

    def first() -> None:
        times[measured].append(timed(contenders[measured], counts[measured]))

    benchmark.pedantic(first, setup=one_of_each, rounds=rounds, iterations=1)
    medians = {name: statistics.median(values) for name, values in times.items()}
    benchmark.extra_info |= {f"{name}, µs per iteration": 1e6 * value for name, value in medians.items()}
    return medians
