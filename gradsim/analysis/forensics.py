"""Forensics: where in a run numbers first broke or were lost, and what made them so.

The counts of the history say in which iteration; that iteration is then recorded again, and its values are gone
through in the order in which they were computed.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from gradsim.analysis.fault import Fault, FaultKind, broken_in, lost_to_zero_in
from gradsim.trace import COUNTS, TENSORS, History, IterationTrace, TensorStatistics

_BACKWARD = ("activation_gradient", "delta", "weight_gradient", "update")
_TRIES = 6


class Recorder(Protocol):
    """What ``examine`` needs of a simulator."""

    def seek(self, iteration: int) -> None:
        """Go to an iteration."""

    def record(self) -> IterationTrace:
        """Return the whole of the present iteration."""


@dataclass(frozen=True, slots=True)
class Forensics:
    """What a run's numbers went through.

    Attributes
    ----------
    broken : Fault or None
        The first value that was NaN or infinite.
    lost : Fault or None
        The first value that was 0 only because the precision knows none so small.
    note : str
        What could not be found out, and why; empty if nothing.
    """

    broken: Fault | None
    lost: Fault | None
    note: str = ""


def examine(
    history: History,
    trace: IterationTrace | None,
    recorder: Recorder,
    progress: Callable[[str, float], None] = lambda words, share: None,
) -> Forensics:
    """Return where in a run numbers first broke, and where they were first lost.

    Parameters
    ----------
    history : History
        Statistics of the run.
    trace : IterationTrace or None
        The pass at hand, which may stand behind the history.
    recorder : Recorder
        A simulator of the same experiment from its start on; it stands elsewhere afterwards.
    progress : callable, optional
        Told words and a share; may raise to end the search.

    Returns
    -------
    Forensics
        With places only as exact as the counts where the run cannot be computed again, because it was edited on
        its way.
    """
    progress("Looking for broken values", 0.0)
    record = first_broken_record(history)
    broken, note = first_fault(history, trace, recorder, progress)
    progress("Looking for values lost to 0", 0.5)
    lost = None
    candidates = [r for r in _losing_records(history) if record is None or r <= record][:_TRIES]
    for candidate in candidates:
        found, why = _recorded_fault(history, candidate, recorder, trace, lost_to_zero_in, progress)
        note = note or why
        if found is not None or why:
            lost = found
            break
    if lost is None and trace is not None and not candidates:
        lost = lost_to_zero_in(trace)
    return Forensics(broken, lost, note)


def first_fault(
    history: History,
    trace: IterationTrace | None,
    recorder: Recorder,
    progress: Callable[[str, float], None] = lambda words, share: None,
) -> tuple[Fault | None, str]:
    """Return the first value of a run that was NaN or infinite.

    Parameters
    ----------
    history : History
        Statistics of the run.
    trace : IterationTrace or None
        The pass at hand, which may stand behind the history.
    recorder : Recorder
        A simulator of the same experiment from its start on; it may stand elsewhere afterwards.
    progress : callable, optional
        Told words and a share; may raise to end the search.

    Returns
    -------
    fault : Fault or None
        Only as exact as the counts where the run cannot be computed again.
    note : str
        Why it cannot; empty otherwise.
    """
    record = first_broken_record(history)
    if record is None:
        return (None if trace is None else broken_in(trace)), ""
    found, note = _recorded_fault(history, record, recorder, trace, broken_in, progress)
    return found or fault_by_counts(history, record), note


def first_broken_record(history: History) -> int | None:
    """Return the first record of a run with a value that is NaN or infinite.

    Parameters
    ----------
    history : History
        Statistics of the run.

    Returns
    -------
    int or None
        Index into ``history.iterations``. An infinite ∂L/∂a of a head whose δ is sound is left out: fused with
        its loss the head does not need it.
    """
    bad = np.flatnonzero(broken_records(history))
    return int(bad[0]) if len(bad) else None


def broken_records(history: History) -> NDArray[np.bool_]:
    """Return which records of a run have a value that is NaN or infinite.

    Parameters
    ----------
    history : History
        Statistics of the run.

    Returns
    -------
    ndarray of bool, shape (records,)
        As ``first_broken_record`` counts them.
    """
    if not len(history):
        return np.zeros(0, np.bool_)
    which = [COUNTS.index("nans"), COUNTS.index("infs")]
    counts: NDArray[np.bool_] = np.asarray(np.sum(history.counts[..., which], axis=-1, dtype=np.int64) > 0)
    head, gradient, delta = -1, TENSORS.index("activation_gradient"), TENSORS.index("delta")
    counts[:, head, gradient] &= counts[:, head, delta]
    return np.asarray(counts.any(axis=(1, 2)) | ~np.isfinite(history.loss))


def fault_by_counts(history: History, record: int) -> Fault | None:
    """Return the first broken tensor of a record as far as its counts tell.

    Parameters
    ----------
    history : History
        Statistics of a run.
    record : int
        Index into ``history.iterations``.

    Returns
    -------
    Fault or None
        Without an index and without sources; its value as far as smallest and largest value tell its sign.
    """
    layers = range(len(history.layer_names))
    order = [(i, name) for i in layers for name in ("weight", "pre_activation", "activation")]
    order += [(i, name) for i in reversed(layers) for name in _BACKWARD[:3]]
    order += [(i, "update") for i in layers]
    order.remove((layers[-1], "activation_gradient"))
    for layer, tensor in order:
        known = history.statistics(record, layer, tensor)
        if known.nans or known.infs:
            kind, value, open_value = _value_by_counts(known)
            name, count = history.layer_names[layer], known.nans + known.infs
            at = int(history.iterations[record])
            return Fault(
                kind, at, None, layer, name, tensor, "", (), value, count, known.count, open_value=open_value
            )
    return None


def _value_by_counts(known: TensorStatistics) -> tuple[FaultKind, float, str]:
    """Return what the first broken value of a tensor is, and in words what it may be where that is open."""
    if known.nans:
        return "nan", math.nan, "NaN or ±∞" if known.infs else ""
    if known.min == -math.inf:
        return "inf", -math.inf, "±∞" if known.max == math.inf else ""
    return "inf", math.inf, ""


def _losing_records(history: History) -> list[int]:
    """Return records in which numbers may have been lost: subnormal ones, or zeros where there were none before."""
    if not len(history):
        return []
    if len(history.rounded):
        return np.flatnonzero(history.rounded[..., [0, 2]].any(axis=(1, 2))).tolist()
    which = [TENSORS.index(name) for name in _BACKWARD]
    small = history.counts[:, :, which, COUNTS.index("subnormals")].any(axis=(1, 2))
    zeros = history.counts[:, :, which, COUNTS.index("zeros")].astype(np.int64).sum(axis=(1, 2))
    more = np.concatenate([zeros[:1] > 0, np.diff(zeros) > 0])
    hinted = np.flatnonzero(small).tolist()
    return sorted({*hinted[:3], *np.flatnonzero(more)[:3].tolist()})


def _recorded_fault(
    history: History,
    record: int,
    recorder: Recorder,
    trace: IterationTrace | None,
    find: Callable[[IterationTrace], Fault | None],
    progress: Callable[[str, float], None],
) -> tuple[Fault | None, str]:
    """Return the fault of a record or of the iterations left out before it, and why there may be none."""
    last = int(history.iterations[record])
    before = int(history.iterations[record - 1]) if record else last - 1
    if trace is not None and trace.iteration == last == before + 1:
        return find(trace), ""
    for iteration in range(max(before, 0), last + 1):
        progress(f"Recording iteration {iteration:,} again", 0.25)
        recorder.seek(iteration)
        again = recorder.record()
        # The record before is compared too, because that of a broken iteration may be NaN in any run.
        known = {before: record - 1, last: record}.get(iteration)
        if known is not None and not _same(again.loss, float(history.loss[known])):
            return None, (
                f"Iteration {last:,} cannot be computed again from the start, because the run was edited on its "
                "way; only its counts are known."
            )
        found = find(again) if iteration > before else None
        if found is not None:
            return found, ""
    return None, ""


def _same(a: float, b: float) -> bool:
    return a == b or (math.isnan(a) and math.isnan(b))
