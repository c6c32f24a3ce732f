"""Where a run broke, and the pass on which it is judged then: the last one whose numbers were all finite."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from gradsim.analysis.fault import Fault, broken_in
from gradsim.analysis.forensics import (
    Recorder,
    broken_records,
    fault_by_counts,
    first_broken_record,
    first_fault,
)
from gradsim.trace import History, IterationTrace, LayerTrace


@dataclass(frozen=True, slots=True, eq=False)
class Breaking:
    """The first value of a run that was NaN or infinite.

    Attributes
    ----------
    fault : Fault
        As forensics tell it; without an index and without sources where only counts are known.
    before : IterationTrace or None
        The last pass before it, recorded again; that of the fault itself where it is the first of the run.
    note : str
        Why nothing was recorded again; empty where it was, or was not tried.
    """

    fault: Fault
    before: IterationTrace | None = None
    note: str = ""


def breaking_by_counts(trace: IterationTrace, history: History) -> Breaking | None:
    """Return where a run broke, as far as its record and its statistics tell."""
    record = first_broken_record(history)
    fault = broken_in(trace) if record is None else fault_by_counts(history, record) or _loss(history, record)
    return None if fault is None else Breaking(fault)


def recorded_breaking(
    trace: IterationTrace, history: History, recorder: Recorder, seek_on: Callable[[int], bool]
) -> Breaking | None:
    """Return where a run broke, with its value and the pass before it, recorded again by a simulator of the same run.

    ``seek_on`` goes to an iteration with that simulator, and tells whether it came there.
    """
    known = breaking_by_counts(trace, history)
    if known is None or not seek_on(max(0, known.fault.iteration - max(1, history.stride))):
        return known
    fault, note = first_fault(history, trace, recorder)
    fault = fault or known.fault
    if note or not seek_on(max(0, fault.iteration - 1)):
        return Breaking(fault, None, note)
    return Breaking(fault, recorder.record())


@dataclass(frozen=True, slots=True, eq=False)
class Standing:
    """The pass on which signals are judged.

    ``trace`` is None where of an earlier pass only the statistics are known, row ``record`` of ``history``.
    """

    iteration: int
    trace: IterationTrace | None
    history: History
    record: int

    def rms(self, layer: LayerTrace, tensor: str) -> float:
        """Return the rms of a tensor of a layer; infinite rather than NaN where some of its values are infinite."""
        if self.trace is not None:
            known = self.trace.layers[layer.index].statistics[tensor]
        else:
            known = self.history.statistics(self.record, layer.index, tensor)
        return float("inf") if known.infs else float(known.rms)


def standing_of(trace: IterationTrace, history: History, breaking: Breaking | None) -> Standing:
    """Return the present pass where it is finite, or else the last finite one; the first one where none is."""
    now = Standing(trace.iteration, trace, history, -1)
    if breaking is None or not len(history) or broken_in(trace) is None:
        return now
    finite = np.flatnonzero(~broken_records(history))
    # Behind updates that a dynamic loss scale left out, the last finite record is not the one before the first fault.
    record = int(finite[-1]) if len(finite) else 0
    at = int(history.iterations[record])
    if breaking.before is not None and breaking.before.iteration >= at:
        return Standing(breaking.before.iteration, breaking.before, history, -1)
    return Standing(at, None, history, record)


def _loss(history: History, record: int) -> Fault:
    value = float(history.loss[record])
    kind = "inf" if abs(value) == float("inf") else "nan"
    at = int(history.iterations[record])
    return Fault(kind, at, None, None, "", "loss", "", (), value, 1, 1)  # type: ignore[arg-type]
