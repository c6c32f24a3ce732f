"""The course of a training as numbers: as a table, under the pointer and in sentences."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gradsim.spec import kind_of, phase_at
from gradsim.trace import Run
from gradsim.views.cost_axis import Measure, places
from gradsim.views.loss.curves import RESTORING, Curve, other_method, restores
from gradsim.views.phases import phase_words
from gradsim.views.plot.numbers import brief, grouped, percent
from gradsim.views.plot.plot_view import Table

_COSTS: tuple[tuple[Measure, str, str], ...] = (
    ("passes", "passes of the batch forward", " forward passes"),
    ("operations", "FLOP", " FLOP"),
)
"""Measures of cost: what they count, in a table and behind a number."""


def course_table(run: Run, curves: Sequence[Curve], *, with_accuracy: bool) -> Table:
    """Return one row per iteration at which anything was recorded; cells without a number are empty.

    Parameters
    ----------
    run : Run
        Any.
    curves : sequence of Curve
        Of it.
    with_accuracy : bool
        Whether accuracies have columns.

    Returns
    -------
    tuple of dict
        Columns and their units.
    """
    if not curves:
        return {"iteration": run.history.iterations}, {"iteration": "updates made before"}
    rows = np.unique(np.concatenate([curve.at for curve in curves]))
    columns: dict[str, NDArray] = {"iteration": rows}
    units = {"iteration": "updates made before"}
    for of_ghost in dict.fromkeys(curve.of_ghost for curve in curves):
        for measure, unit, _ in _COSTS:
            name = f"{measure}_before" if of_ghost else measure
            columns[name] = places(run, rows, measure, of_ghost=of_ghost)
            units[name] = f"cost so far, {unit}"
    for curve in curves:
        trace = run.ghost if curve.of_ghost else run.trace
        assert trace is not None
        loss: str = trace.experiment.training.loss
        if curve.part == "batch" and restores(trace.experiment):
            loss = f"{RESTORING} while a layer is pretrained, then {loss}"
        ending = "_before" if curve.of_ghost else ""
        name = f"{curve.part}_loss{ending}"
        columns[name], units[name] = _aligned(rows, curve.at, curve.loss), loss
        if with_accuracy:
            name = f"{curve.part}_accuracy{ending}"
            columns[name] = _aligned(rows, curve.at, curve.accuracy)
            units[name] = "share classified rightly"
    return columns, units


def hover_record(run: Run, x: float, measure: Measure, *, with_validation: bool) -> str:
    """Return the numbers of the record nearest to a place.

    Parameters
    ----------
    run : Run
        With at least one record.
    x : float
        On the axis of the measure.
    measure : str
        One of ``Measure``.
    with_validation : bool
        Whether the validation part is told, too.

    Returns
    -------
    str
        Lines.
    """
    history = run.history
    over = places(run, history.iterations, measure)
    record = int(np.abs(over - x).argmin())
    iteration = int(history.iterations[record])
    cost = next(
        (f": cost so far {brief(float(over[record]), 4)}{u}" for m, _, u in _COSTS if m == measure), ""
    )
    lines = [f"Iteration {grouped(iteration)}{cost}"]
    lines += [phase] if (phase := phase_words(run.experiment, iteration)) else []
    is_restoring = phase_at(run.experiment, iteration).layer is not None
    what = f"batch loss, {RESTORING}," if is_restoring else "batch loss"
    lines.append(f"{what} {brief(float(history.loss[record]), 5)}")
    if np.isfinite(history.accuracy[record]):
        lines.append(f"batch accuracy {percent(float(history.accuracy[record]))}")
    if with_validation and len(history.validation_iterations):
        nearest = int(np.abs(history.validation_iterations - iteration).argmin())
        when = grouped(int(history.validation_iterations[nearest]))
        loss, share = history.validation_loss[nearest], history.validation_accuracy[nearest]
        lines.append(f"validation loss {brief(float(loss), 5)} (iteration {when})")
        if np.isfinite(share):
            lines.append(f"validation accuracy {percent(float(share))} (iteration {when})")
    return "\n".join(lines)


def course_summary(run: Run, curves: Sequence[Curve]) -> str:
    """Return how the loss has gone, where it first was not a number, and what the run before reached.

    Parameters
    ----------
    run : Run
        With at least one record.
    curves : sequence of Curve
        Of it.

    Returns
    -------
    str
        Sentences.
    """
    history = run.history
    first, last = brief(float(history.loss[0])), brief(float(history.loss[-1]))
    told = f"Batch loss {last} at iteration {grouped(int(history.iterations[-1]))}, {first} at the start"
    broken = np.flatnonzero(~np.isfinite(history.loss))
    if len(broken):
        what = brief(float(history.loss[broken[0]]))
        told += f"; first {what} at iteration {grouped(int(history.iterations[broken[0]]))}"
    if len(history.validation_loss):
        told += f"; validation loss {brief(float(history.validation_loss[-1]))}"
    told += "."
    if np.isfinite(history.accuracy[-1]):
        told += f" Batch accuracy {percent(float(history.accuracy[-1]))}"
        if len(history.validation_accuracy):
            told += f", validation accuracy {percent(float(history.validation_accuracy[-1]))}"
        told += "."
    phase = phase_words(run.experiment, int(history.iterations[-1]))
    return told + (f" Now {phase}." if phase else "") + _compared(run, curves)


def _compared(run: Run, curves: Sequence[Curve]) -> str:
    """Return the run before in a sentence: what it reached, and at what cost."""
    before = next((curve for curve in curves if curve.of_ghost), None)
    if before is None:
        return ""
    now = next(curve for curve in curves if not curve.of_ghost)
    costs = [
        float(places(run, curve.at[-1:], "passes", of_ghost=curve.of_ghost)[0]) for curve in (before, now)
    ]
    other = other_method(run)
    how = f"by {kind_of(run.experiment.training.method)}" if other else "now"
    return (
        f" {f'By {other}' if other else 'Before the last change'} the batch loss was "
        f"{brief(float(before.loss[-1]))} after {brief(costs[0], 4)} forward passes; {how} it is "
        f"{brief(float(now.loss[-1]))} after {brief(costs[1], 4)}."
    )


def _aligned(rows: NDArray, at: NDArray, values: NDArray) -> NDArray:
    """Return values at the rows of a table; empty cells where there is none."""
    if len(rows) == len(at):
        return values
    result = np.full(len(rows), "", dtype=object)
    result[np.searchsorted(rows, at)] = ["NaN" if v != v else v for v in values.tolist()]
    return result
