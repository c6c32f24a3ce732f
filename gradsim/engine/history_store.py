"""The growing statistics of a run, thinned by a stated rule when they would need too much memory.

Records are appended, never changed, so a snapshot is a set of read-only views and costs nothing. Where room
must be made, new arrays are made and the old snapshots keep theirs.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradsim.engine.program import (
    CLIPPED_NORM,
    CORRECT,
    GRADIENT_NORM,
    LOSS,
    LOSS_SCALE,
    RATE,
    ROUNDED,
    SCALARS,
    Statistics,
)
from gradsim.trace import COUNTS, HISTOGRAM_BINS, TENSORS, VALUES, History

MEMORY_LIMIT = 380 * 2**20
"""Bytes of the statistics of one run, histograms apart; 10,000 iterations of 100 layers fit unthinned."""

HISTOGRAM_FRAMES = 64
"""Frames of histograms kept of one run; beyond that every second one goes."""

FIRST_HISTOGRAM_STRIDE = 10
"""Iterations from one histogram to the next at the start of a run."""

_FIRST_CAPACITY = 64


class _Column:
    """One growing array: rows are appended, every second one can be dropped, the end can be cut off."""

    def __init__(self, shape: tuple[int, ...], dtype: Any) -> None:
        self._rows = np.empty((_FIRST_CAPACITY, *shape), dtype)
        self.count = 0

    @property
    def rows(self) -> NDArray[Any]:
        """Read-only view of the rows so far."""
        view = self._rows[: self.count]
        view.flags.writeable = False
        return view

    def append(self, rows: NDArray[Any], most: int) -> None:
        needed = self.count + len(rows)
        if needed > len(self._rows):
            grown = np.empty(
                (max(needed, min(2 * len(self._rows), most)), *self._rows.shape[1:]), self._rows.dtype
            )
            grown[: self.count] = self._rows[: self.count]
            self._rows = grown
        self._rows[self.count : needed] = rows
        self.count = needed

    def keep(self, selected: NDArray[np.bool_]) -> None:
        kept = self._rows[: self.count][selected]
        self._rows = np.empty_like(self._rows)
        self._rows[: len(kept)] = kept
        self.count = len(kept)


class HistoryStore:
    """Collects the statistics of the iterations of one run.

    Parameters
    ----------
    layer_names : tuple of str
        Layers that carry weights.
    sizes : ndarray of int64, shape (layers, tensors)
        Values of each tensor.
    memory_limit : int, default MEMORY_LIMIT
        Bytes; when the records would need more, every second one is dropped and ``stride`` doubles.
    counts_rounding : bool, default False
        Whether there is a narrow precision whose losses are counted.
    """

    def __init__(
        self,
        layer_names: tuple[str, ...],
        sizes: NDArray[np.int64],
        memory_limit: int = MEMORY_LIMIT,
        *,
        counts_rounding: bool = False,
    ) -> None:
        layers = len(layer_names)
        self._layer_names = layer_names
        self._sizes = sizes
        self._sizes.flags.writeable = False
        self._columns = {
            "iterations": _Column((), np.int64),
            "values": _Column((layers, len(TENSORS), len(VALUES)), np.float64),
            "counts": _Column((layers, len(TENSORS), len(COUNTS)), np.int32),
            "saturation": _Column((layers,), np.float32),
            "scalars": _Column((SCALARS,), np.float64),
        }
        if counts_rounding:
            self._columns["rounded"] = _Column((layers, ROUNDED), np.int64)
        record_bytes = sum(c.rows.itemsize * int(np.prod(c.rows.shape[1:])) for c in self._columns.values())
        self._most = max(2 * _FIRST_CAPACITY, memory_limit // record_bytes)
        self._validation = {"iterations": _Column((), np.int64), "results": _Column((2,), np.float64)}
        self._frames = {
            "iterations": _Column((), np.int64),
            "histograms": _Column((layers, len(TENSORS), HISTOGRAM_BINS), np.int32),
        }
        self.stride = 1
        self.histogram_stride = FIRST_HISTOGRAM_STRIDE

    def append(self, first: int, count: int, statistics: Statistics, frames: int, validations: int) -> None:
        """Take over what the machine wrote for iterations ``first`` to ``first + count − 1``.

        Parameters
        ----------
        first, count : int
            Which iterations the first ``count`` rows of ``statistics`` describe.
        statistics : Statistics
            Copied from; may be overwritten afterwards.
        frames, validations : int
            How many histogram frames and validation rows are filled.
        """
        begin = -first % self.stride
        taken = slice(begin, count, self.stride)
        self._columns["iterations"].append(np.arange(first, first + count)[taken], self._most)
        for name in self._columns.keys() - {"iterations"}:
            self._columns[name].append(getattr(statistics, name)[:count][taken], self._most)
        while self._columns["iterations"].count > self._most:
            self.stride *= 2
            self._thin(self._columns, self.stride)
        self._validation["iterations"].append(statistics.validation_iterations[:validations], 2**40)
        self._validation["results"].append(statistics.validations[:validations], 2**40)
        self._frames["iterations"].append(statistics.histogram_iterations[:frames], 2**20)
        self._frames["histograms"].append(statistics.histograms[:frames], 2 * HISTOGRAM_FRAMES)
        while self._frames["iterations"].count > HISTOGRAM_FRAMES:
            self.histogram_stride *= 2
            self._thin(self._frames, self.histogram_stride)

    @staticmethod
    def _thin(columns: dict[str, _Column], stride: int) -> None:
        selected = columns["iterations"].rows % stride == 0
        for column in columns.values():
            column.keep(selected)

    def cut(self, iteration: int) -> None:
        """Forget all from an iteration on, because from there the run goes another way.

        Parameters
        ----------
        iteration : int
            The first iteration to forget.
        """
        for group in (self._columns, self._validation, self._frames):
            selected = group["iterations"].rows < iteration
            if not selected.all():
                for column in group.values():
                    column.keep(selected)

    def snapshot(self) -> History:
        """Return what has been collected so far.

        Returns
        -------
        History
            Read-only views; later appends do not change them.
        """
        scalars = self._columns["scalars"].rows
        norm = scalars[:, GRADIENT_NORM]
        with np.errstate(all="ignore"):
            unclipped = scalars[:, CLIPPED_NORM] == norm
            clipped = np.where(unclipped, 1.0, scalars[:, CLIPPED_NORM] / norm)
        clipped.flags.writeable = False
        results = self._validation["results"].rows
        return History(
            layer_names=self._layer_names,
            sizes=self._sizes,
            stride=self.stride,
            iterations=self._columns["iterations"].rows,
            values=self._columns["values"].rows,
            counts=self._columns["counts"].rows,
            saturation=self._columns["saturation"].rows,
            loss=scalars[:, LOSS],
            accuracy=scalars[:, CORRECT],
            learning_rate=scalars[:, RATE],
            gradient_norm=norm,
            clipped=clipped,
            validation_iterations=self._validation["iterations"].rows,
            validation_loss=results[:, 0],
            validation_accuracy=results[:, 1],
            histogram_iterations=self._frames["iterations"].rows,
            histograms=self._frames["histograms"].rows,
            **({"rounded": self._columns["rounded"].rows} if "rounded" in self._columns else {}),
            loss_scale=scalars[:, LOSS_SCALE],
        )
