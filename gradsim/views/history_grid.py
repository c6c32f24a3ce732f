"""One statistic of all layers through all iterations, as a grid that grows by the new records only.

Reading one statistic out of a long history touches memory all over: 10,000 records of 100 layers take about 15 ms,
too long for every frame. A grid keeps what it has read and adds what is new.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradsim.trace import TENSORS, History
from gradsim.views.colormaps import ZERO, scaled
from gradsim.views.plot.marks import log10_or_nan

STATISTICS = {
    "rms": "rms",
    "zeros": "share of zeros",
    "broken": "NaN and ∞, count",
    "saturation": "saturation",
}
LOGARITHMIC = ("rms", "broken")


def history_values(
    history: History, tensor: str, statistic: str, records: slice = slice(None)
) -> NDArray[np.float64]:
    """Return one statistic of all layers.

    Parameters
    ----------
    history : History
        Statistics of a run.
    tensor : str
        One of ``trace.TENSORS``; ``saturation`` is of the layer, whatever the tensor.
    statistic : str
        One of ``STATISTICS``.
    records : slice, default all
        Which records.

    Returns
    -------
    ndarray of float64, shape (records, layers)
        Not logarithms.
    """
    place = TENSORS.index(tensor)
    if statistic == "saturation":
        return history.saturation[records].astype(np.float64)
    if statistic == "zeros":
        return history.counts[records, :, place, 0] / history.sizes[:, place]
    if statistic == "broken":
        counts = history.counts[records, :, place, 2:]
        return counts.sum(axis=-1).astype(np.float64)
    return np.asarray(history.values[records, :, place, 2], dtype=np.float64)


class HistoryGrid:
    """The values of one tensor and statistic, and their colours.

    Parameters
    ----------
    tensor, statistic : str
        What is kept.
    """

    def __init__(self, tensor: str, statistic: str) -> None:
        self._tensor, self._statistic = tensor, statistic
        self._seen: History | None = None
        self._levels: tuple[float, float] | None = None
        self._shown: NDArray[np.float32] = np.empty((0, 0), dtype=np.float32)
        self._rows: NDArray[np.uint16] = np.empty((0, 0), dtype=np.uint16)
        self._count = 0
        self.finite: tuple[float, float] | None = None
        """Least and greatest finite value read: log10 of it where the statistic is logarithmic."""

    def read(self, history: History) -> None:
        """Read the records that are new; all of them if the past is another one.

        Parameters
        ----------
        history : History
            The run as far as it has come.
        """
        if history is self._seen:
            return
        if not self._continues(history):
            self._count, self.finite, self._levels = 0, None, None
        first, count = self._count, len(history)
        self._seen, self._count = history, count
        if count > self._shown.shape[1] or len(history.layer_names) != self._shown.shape[0]:
            self._grow(len(history.layer_names), max(256, 2 * count), first)
        if count == first:
            return
        values = history_values(history, self._tensor, self._statistic, slice(first, count)).T
        shown = values
        if self._statistic in LOGARITHMIC:
            shown = log10_or_nan(values)
            shown[values == 0] = -np.inf
            shown[np.isposinf(values)] = np.inf
        self._shown[:, first:count] = shown
        ordinary = shown[np.isfinite(shown)]
        if ordinary.size:
            low, high = float(ordinary.min()), float(ordinary.max())
            held = self.finite or (low, high)
            self.finite = min(low, held[0]), max(high, held[1])
        if self._levels:
            self._paint(first, count)

    def rows(self, low: float, high: float) -> NDArray[np.uint16]:
        """Return the colours of all that was read.

        Parameters
        ----------
        low, high : float
            Values of the first and the last colour.

        Returns
        -------
        ndarray of uint16, shape (layers, records)
            Rows of an extended table of colours.
        """
        if self._levels != (low, high):
            self._levels = (low, high)
            self._paint(0, self._count)
        return self._rows[:, : self._count]

    def _paint(self, first: int, end: int) -> None:
        assert self._levels is not None
        shown = self._shown[:, first:end]
        rows = scaled(shown, *self._levels)
        rows[np.isneginf(shown)] = ZERO
        self._rows[:, first:end] = rows

    def _grow(self, layers: int, capacity: int, kept: int) -> None:
        for name, kind in (("_shown", np.float32), ("_rows", np.uint16)):
            larger: NDArray[Any] = np.zeros((layers, capacity), dtype=kind)
            if kept:
                larger[:, :kept] = getattr(self, name)[:, :kept]
            setattr(self, name, larger)

    def _continues(self, history: History) -> bool:
        """Whether the records read before are the first ones of this history."""
        before = self._seen
        if before is None or len(history) < len(before) or before.layer_names != history.layer_names:
            return False
        count = len(before)
        return all(
            np.array_equal(getattr(before, name), getattr(history, name)[:count], equal_nan=True)
            for name in ("iterations", "loss", "gradient_norm", "learning_rate")
        )
