"""Where a cursor goes on the passes of a run: arithmetic on what is handed in, without state."""

from __future__ import annotations

from gradsim.trace import Cursor, IterationTrace
from gradsim.views.playback import moved_by_layer

END = 10**9
"""A step beyond all: the last one of its iteration."""


def clamped(cursor: Cursor, trace: IterationTrace | None) -> Cursor:
    """Return the cursor at a step that there is."""
    steps = len(trace.steps) if trace is not None else 0
    return Cursor(cursor.iteration, min(cursor.step, max(steps - 1, 0)))


def layers_away(cursor: Cursor, trace: IterationTrace, by: int) -> Cursor:
    """Return the cursor some layers forward or back in the telling, across iterations."""
    count = len(trace.steps)
    step = moved_by_layer(trace.steps, min(cursor.step, count - 1), by)
    if step >= count:
        return Cursor(cursor.iteration + 1, 0)
    if step >= 0:
        return Cursor(cursor.iteration, step)
    return Cursor(cursor.iteration - 1, END) if cursor.iteration > 0 else Cursor(0, 0)


def same_moment(step: int, before: IterationTrace | None, trace: IterationTrace) -> int:
    """Return the step of another pass that tells the same phase as ``step``: the last where all had been told."""
    if before is None or step >= len(before.steps) - 1:
        return END
    if len(before.steps) == len(trace.steps):
        return step
    phase = before.steps[step].phase
    return max((i for i, other in enumerate(trace.steps) if other.phase == phase), default=END)
