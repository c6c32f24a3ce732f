"""The passes of a run that were recorded, each kept as one number per time step: bounded, thinned, never invented.

A history holds no rows for single time steps, so what comes by is kept. Without Qt.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradsim.analysis.through_time import TimeRecord, time_record
from gradsim.trace import History, Run

MOST_PASSES = 240
"""So many are kept; beyond, the distance that they must have is doubled and those between are dropped."""

_WIDEST_GAP = 3.0
"""A pass stands for the iterations around it, as long as the next one is not this much farther than usual."""


class RecordedPasses:
    """Passes in the order of their iterations.

    Parameters
    ----------
    most : int, default ``MOST_PASSES``
        How many are kept.
    """

    def __init__(self, most: int = MOST_PASSES) -> None:
        self._most = most
        self._stride = 1
        self._of: tuple[Any, ...] = ()
        self._kept: dict[int, TimeRecord] = {}
        self._records: tuple[TimeRecord, ...] = ()

    @property
    def records(self) -> tuple[TimeRecord, ...]:
        """What is kept, by rising iteration; the same object until another is kept."""
        if len(self._records) != len(self._kept) or any(
            self._kept.get(one.iteration // self._stride) is not one for one in self._records
        ):
            self._records = tuple(self._kept[place] for place in sorted(self._kept))
        return self._records

    def take(self, run: Run) -> None:
        """Keep the pass of a run unless one next to it is kept; drop those that are not of its past.

        Parameters
        ----------
        run : Run
            As far as it has come.
        """
        self._turn_to(run)
        if not any(layer.kind == "recurrent" for layer in run.trace.layers):
            return
        # Looked up before it is measured: while training hardly any pass costs more than this line.
        if run.trace.iteration // self._stride not in self._kept:
            self._put([time_record(run.trace)])

    def take_all(self, run: Run, records: Iterable[TimeRecord]) -> int:
        """Keep passes that were recorded again, as far as they agree with what was recorded the first time.

        Parameters
        ----------
        run : Run
            To which they should belong.
        records : iterable of TimeRecord
            In any order.

        Returns
        -------
        int
            How many do not belong: the training was changed on the way.
        """
        self._turn_to(run)
        records = list(records)
        good = [one for one in records if _belongs(one, run)]
        self._put(good)
        return len(records) - len(good)

    def missing(self, history: History, count: int) -> tuple[int, ...]:
        """Return iterations at which passes are wanted so that the whole run is seen evenly.

        Parameters
        ----------
        history : History
            The run as far as it has come.
        count : int
            About how many in all.

        Returns
        -------
        tuple of int
            Rising; without those beside which a pass is kept already.
        """
        if not len(history):
            return ()
        last = int(history.iterations[-1])
        wanted = np.unique(np.rint(np.linspace(0, last, min(count, last + 1))).astype(np.int64))
        have = np.array([one.iteration for one in self.records], dtype=np.float64)
        reach = 0.25 * last / max(count, 1)
        return tuple(int(at) for at in wanted if not len(have) or np.abs(have - at).min() > reach)

    def _turn_to(self, run: Run) -> None:
        spec = run.experiment
        of = (spec.network, spec.data, spec.seed, spec.precision, spec.parameters)
        if of != self._of:
            self._of, self._stride, self._kept = of, 1, {}
        if self._kept:
            self._kept = {place: one for place, one in self._kept.items() if _belongs(one, run)}

    def _put(self, records: Iterable[TimeRecord]) -> None:
        for one in records:
            self._kept.setdefault(one.iteration // self._stride, one)
        while len(self._kept) > self._most:
            self._stride *= 2
            kept = self.records
            self._kept = {}
            for one in kept:
                self._kept.setdefault(one.iteration // self._stride, one)


def _belongs(record: TimeRecord, run: Run) -> bool:
    """Whether a pass is one of this run: its loss is the recorded one, or it lies between two records."""
    if record.iteration == run.trace.iteration:
        return _same(record.loss, run.trace.loss)
    history = run.history
    if not len(history):
        return False
    place = int(np.searchsorted(history.iterations, record.iteration))
    if place < len(history) and history.iterations[place] == record.iteration:
        return _same(record.loss, float(history.loss[place]))
    return record.iteration <= history.iterations[-1] + history.stride


def _same(one: float, other: float) -> bool:
    return one == other or (math.isnan(one) and math.isnan(other))


@dataclass(frozen=True, slots=True, eq=False)
class PassGrid:
    """Passes as a picture.

    Attributes
    ----------
    values : ndarray of float64, shape (time, columns)
        rms at every step.
    edges : ndarray of float64, shape (columns + 1,)
        Sides of the columns, in iterations: a pass reaches to the middle between it and its neighbour, but
        not over a gap that is much wider than usual.
    recorded : ndarray of int64, shape (columns,)
        Iteration of each column; −1 for a gap, in which nothing was recorded.
    """

    values: NDArray[np.float64]
    edges: NDArray[np.float64]
    recorded: NDArray[np.int64]


def pass_grid(records: tuple[TimeRecord, ...], layer: int, tensor: str) -> PassGrid:
    """Return the passes as a picture.

    Parameters
    ----------
    records : tuple of TimeRecord
        By rising iteration, at least one.
    layer : int
        Index of the recurrent layer.
    tensor : str
        One of ``STATE_GRADIENTS``.

    Returns
    -------
    PassGrid
        Without a gap between passes that are as near as usual.
    """
    at = np.array([one.iteration for one in records], dtype=np.float64)
    distances = np.diff(at)
    usual = float(np.median(distances)) if len(distances) else 1.0
    reach = 0.5 * usual * _WIDEST_GAP
    columns: list[NDArray[np.float64]] = []
    edges, recorded = [float(at[0] - 0.5 * min(usual, 1.0))], []
    for place, one in enumerate(records):
        values = one.rms[layer, tensor]
        gap = at[place + 1] - at[place] if place + 1 < len(at) else usual
        columns.append(values)
        recorded.append(one.iteration)
        if gap > 2.0 * reach:
            edges += [float(at[place] + 0.5 * usual), float(at[place + 1] - 0.5 * usual)]
            columns.append(np.full(len(values), np.nan))
            recorded.append(-1)
        else:
            edges.append(float(at[place] + 0.5 * gap))
    return PassGrid(np.stack(columns, axis=1), np.array(edges), np.array(recorded, dtype=np.int64))
