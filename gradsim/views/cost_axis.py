"""What a curve of training is drawn over: iterations, passes forward, or operations.

Ways to train that cost differently per iteration, such as an evolution and backpropagation, can only be compared
over what they cost.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from gradsim.analysis import operations, operations_until
from gradsim.trace import IterationTrace, Run
from gradsim.views.plot.axis import Axis
from gradsim.views.plot.options import Choice

Measure = Literal["iterations", "passes", "operations"]

MEASURE_CHOICE = Choice(
    "over",
    "Horizontal axis",
    (("iterations", "Iterations"), ("passes", "Forward passes"), ("operations", "FLOP")),
    "iterations",
    "Over what the training is drawn: its iterations, or what they cost, in passes of the batch forward or in "
    "floating-point operations (a multiply-add is 2)",
)
_LABELS = {
    "iterations": "iteration",
    "passes": "cost in forward passes of the batch",
    "operations": "cost in floating-point operations",
}


def measured_axis(measure: Measure, low: float, high: float) -> Axis:
    """Return the axis of a measure.

    Parameters
    ----------
    measure : str
        One of ``Measure``.
    low, high : float
        Its ends.

    Returns
    -------
    Axis
        Of whole numbers for iterations.
    """
    return Axis(_LABELS[measure], low, high, "iteration" if measure == "iterations" else "linear")


def places(run: Run, iterations: NDArray[Any], measure: Measure, *, of_ghost: bool = False) -> NDArray[Any]:
    """Return where iterations stand on such an axis.

    Parameters
    ----------
    run : Run
        A run, maybe with what was before.
    iterations : ndarray of int, shape (n,)
        Iterations of it.
    measure : str
        One of ``Measure``.
    of_ghost : bool, default False
        Iterations of the run before, which is ``run.ghost``.

    Returns
    -------
    ndarray of float64, shape (n,)
        Iterations, or the cost of all before them, at the settings with which they were made as far as these are
        known: where a run goes on after an edit, the iterations before it cost what they cost then.
    """
    at = np.asarray(iterations, dtype=np.float64)
    if measure == "iterations":
        return at
    trace = run.ghost if of_ghost and run.ghost is not None else run.trace
    cost = operations_until(trace, at)
    before = None if of_ghost else _went_before(run)
    if before is not None:
        ghost, switch = before
        early = np.minimum(at, switch)
        cost += operations_until(ghost, early) - operations_until(trace, early)
    return cost / operations(trace).one_pass if measure == "passes" else cost


def iteration_at(run: Run, x: float, measure: Measure = "iterations") -> int:
    """Return the whole iteration at a place of the axis.

    Parameters
    ----------
    run : Run
        As in ``places``, with at least one record.
    x : float
        The place.
    measure : str, default "iterations"
        One of ``Measure``.

    Returns
    -------
    int
        Among those there have been.
    """
    at = np.interp(x, places(run, run.history.iterations, measure), run.history.iterations)
    return round(float(at))


def _went_before(run: Run) -> tuple[IterationTrace, int] | None:
    """Return the pass before an edit after which the run went on, and the first iteration after it."""
    ghost, early, late = run.ghost, run.ghost_history, run.history
    if ghost is None or early is None or not len(early) or ghost.experiment == run.experiment:
        return None
    count = int(np.searchsorted(late.iterations, early.iterations[-1], side="right"))
    same = np.isin(early.iterations, late.iterations[:count])
    if not same.any() or len(late) < 1:
        return None
    kept = early.loss[same]
    now = late.loss[np.searchsorted(late.iterations, early.iterations[same])]
    return (ghost, int(early.iterations[-1]) + 1) if np.array_equal(kept, now, equal_nan=True) else None
