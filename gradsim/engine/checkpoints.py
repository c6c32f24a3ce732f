"""Keyframes of a run: any iteration is recomputed exactly from the nearest one before it."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

CHECKPOINT_MEMORY = 256 * 2**20
"""Bytes that the checkpoints of one run may hold."""

LEAST_INTERVAL = 16
"""Iterations between the first checkpoints of a large network."""

MOST_FIRST_INTERVAL = 2048

REPLAYED_NUMBERS = 2_000_000
"""Numbers that the iterations from one of the first checkpoints to the next handle: a few milliseconds."""

MOST_CHECKPOINTS = 256


@dataclass(frozen=True, slots=True, eq=False)
class Checkpoint:
    """All that the next iteration depends on; the arrays are owned and not written to."""

    iteration: int
    parameters: NDArray[Any]
    moment_1: NDArray[Any]
    moment_2: NDArray[Any]
    scaling: NDArray[Any]


class Checkpoints:
    """Evenly spaced checkpoints of a run, thinned when they would need too much memory.

    Parameters
    ----------
    first : Checkpoint
        The start of the run; never dropped.
    numbers : int, default 2,000,000
        How many numbers one iteration handles: stopping a small network every few iterations would cost more
        than computing them again. The interval is a power of 2, and doubles whenever the memory is full.
    """

    def __init__(self, first: Checkpoint, numbers: int = REPLAYED_NUMBERS) -> None:
        self._kept = [first]
        self.interval = LEAST_INTERVAL
        while self.interval < MOST_FIRST_INTERVAL and self.interval * numbers < REPLAYED_NUMBERS:
            self.interval *= 2
        state_bytes = first.parameters.nbytes + first.moment_1.nbytes + first.moment_2.nbytes
        self._most = min(MOST_CHECKPOINTS, max(2, CHECKPOINT_MEMORY // max(state_bytes, 1)))

    def next_due(self, iteration: int) -> int:
        """Return the first iteration after ``iteration`` at which a checkpoint is due."""
        return (iteration // self.interval + 1) * self.interval

    def wants(self, iteration: int) -> bool:
        """Whether a checkpoint of this iteration is due and not yet kept."""
        return iteration % self.interval == 0 and iteration > self._kept[-1].iteration

    def add(self, checkpoint: Checkpoint) -> None:
        """Keep a checkpoint later than all others; where room is short, drop every second one."""
        self._kept.append(checkpoint)
        while len(self._kept) > self._most:
            self.interval *= 2
            start = self._kept[0]
            self._kept = [start, *(c for c in self._kept[1:] if c.iteration % self.interval == 0)]

    def before(self, iteration: int) -> Checkpoint:
        """Return the latest checkpoint at or before an iteration."""
        return self._kept[bisect_right(self._kept, iteration, key=lambda c: c.iteration) - 1]

    def cut(self, iteration: int) -> None:
        """Forget the checkpoints after an iteration."""
        self._kept = [c for c in self._kept if c.iteration <= iteration] or self._kept[:1]
