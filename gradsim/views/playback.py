"""Where playback stands: arithmetic on numbers handed in, without Qt, clocks or state."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from gradsim.trace import Cursor, Phase, Step

SLOWEST, FASTEST = 0.5, 60.0
"""Limits of the speed of playback, in steps per second."""

SEQUENCE_STEPS = 8
"""A layer's way through time is told in as much time as so many steps at most, however long its sequence is."""

# 0.29 s × 100 steps/s is 28.999999999999996: without this the step would come one tick late.
_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class PlaybackPosition:
    """Where playback stands at a moment.

    Attributes
    ----------
    step : int
        Index of the step shown.
    laps : int
        How many times the end of the iteration has been passed; 0 without looping.
    finished : bool
        Whether the last step has been shown for its whole time; never with looping.
    """

    step: int
    laps: int
    finished: bool


@dataclass(frozen=True, slots=True)
class PhaseSpan:
    """A run of steps of one phase: those from ``first`` up to, not including, ``end``."""

    phase: Phase
    first: int
    end: int


@dataclass(frozen=True, slots=True)
class Timetable:
    """When the steps of an iteration end, in units of the time that an ordinary step takes.

    Attributes
    ----------
    ends : tuple of float
        Ascending, one for each step.
    """

    ends: tuple[float, ...]

    def __len__(self) -> int:
        return len(self.ends)

    @property
    def length(self) -> float:
        """When the last step ends; 0 without steps."""
        return self.ends[-1] if self.ends else 0.0

    def begin(self, step: int) -> float:
        """Return when a step begins; beyond either end the nearest one's."""
        return self.ends[min(step, len(self.ends)) - 1] if step > 0 and self.ends else 0.0

    def step_at(self, time: float) -> int:
        """Return the step that is shown at a time; the last one after all of them."""
        return max(min(bisect_right(self.ends, time), len(self.ends) - 1), 0)


def timetable(steps: Sequence[Step]) -> Timetable:
    """Return when the steps of an iteration end.

    Parameters
    ----------
    steps : sequence of Step
        The steps of the iteration.

    Returns
    -------
    Timetable
        Every step takes 1, but the time steps of a layer together no more than ``SEQUENCE_STEPS``.
    """
    ends: list[float] = []
    begin = 0
    for (_phase, _layer, is_time), group in groupby(steps, lambda s: (s.phase, s.layer, s.time is not None)):
        count = len(list(group))
        length = min(count, SEQUENCE_STEPS) if is_time else count
        ends += [begin + length * (place + 1) / count for place in range(count)]
        begin += length
    return Timetable(tuple(ends))


def cursor_at(elapsed: float, speed: float, times: Timetable, loop: bool, start: int = 0) -> PlaybackPosition:
    """Return where playback stands after some time.

    Every step is shown for its length / speed seconds, the last one too.

    Parameters
    ----------
    elapsed : float
        Seconds since playback began; before 0 the start is shown.
    speed : float
        Steps per second, above 0.
    times : Timetable
        Of the steps of the iteration.
    loop : bool
        Whether the first step follows the last.
    start : int, default 0
        The step shown when playback began.

    Returns
    -------
    PlaybackPosition
        The same for the same arguments.
    """
    if not times.ends:
        return PlaybackPosition(0, 0, finished=not loop)
    begin = times.begin(min(max(start, 0), len(times) - 1))
    passed = begin + max(elapsed, 0.0) * speed + _ROUNDING
    if loop:
        laps, time = divmod(passed, times.length)
        return PlaybackPosition(times.step_at(time), int(laps), finished=False)
    return PlaybackPosition(times.step_at(passed), 0, finished=passed >= times.length)


def moved(cursor: Cursor, delta: int, steps: int) -> Cursor:
    """Return the cursor some steps away, across iterations, not before the very first step.

    Parameters
    ----------
    cursor : Cursor
        Where one is.
    delta : int
        How many steps forward; negative is back.
    steps : int
        Number of steps of every iteration of the run.

    Returns
    -------
    Cursor
        Past the last step the next iteration begins.
    """
    iteration, step = divmod(max(cursor.iteration * steps + cursor.step + delta, 0), max(steps, 1))
    return Cursor(iteration, step)


def moved_by_layer(steps: Sequence[Step], step: int, delta: int) -> int:
    """Return the first step of the layer (or phase) some layers away in the telling.

    Going back from the midst of a layer leads to that layer's own first step, as in a music player.

    Parameters
    ----------
    steps : sequence of Step
        The steps of the iteration.
    step : int
        Where one is.
    delta : int
        How many layers forward; negative is back.

    Returns
    -------
    int
        Index of the step: -1 before the first layer's, ``len(steps)`` past the last layer's, which is where
        the neighbouring iteration begins.
    """
    starts = [
        index
        for index, here in enumerate(steps)
        if index == 0 or (here.phase, here.layer) != (steps[index - 1].phase, steps[index - 1].layer)
    ]
    if not starts:
        return 0
    place = max(index for index, first in enumerate(starts) if first <= max(step, 0))
    if delta < 0 and starts[place] < step:
        delta += 1
    target = place + delta
    if target < 0:
        return -1
    return starts[target] if target < len(starts) else len(steps)


def phase_spans(steps: Sequence[Step]) -> tuple[PhaseSpan, ...]:
    """Return the phases of an iteration as runs of steps, in order.

    Parameters
    ----------
    steps : sequence of Step
        The steps of the iteration.

    Returns
    -------
    tuple of PhaseSpan
        Without gaps, from 0 to ``len(steps)``; empty for no steps.
    """
    spans: list[PhaseSpan] = []
    for index, step in enumerate(steps):
        if spans and spans[-1].phase == step.phase:
            spans[-1] = PhaseSpan(step.phase, spans[-1].first, index + 1)
        else:
            spans.append(PhaseSpan(step.phase, index, index + 1))
    return tuple(spans)
