"""One statistic of all layers through all iterations, read once and extended by the new records only.

Reading one statistic out of a long history touches memory all over: 10,000 records of 100 layers take about 15 ms,
too long for every frame. A series keeps what it has read and adds what is new.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradsim.trace import TENSORS, History
from gradsim.views.colormaps import ZERO, scaled
from gradsim.views.plot.lanes import log10_or_nan
from gradsim.views.plot.ranges import finite_range

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
        # A layer without the tensor has no value that could be 0.
        return history.counts[records, :, place, 0] / np.maximum(history.sizes[:, place], 1)
    if statistic == "broken":
        counts = history.counts[records, :, place, 2:]
        return counts.sum(axis=-1).astype(np.float64)
    return np.asarray(history.values[records, :, place, 2], dtype=np.float64)


class GrowingSeries:
    """A number per layer and record, read from a history once and then only where it has grown.

    Parameters
    ----------
    read : callable
        Gives the numbers of a stretch of records, shape (records, layers).
    """

    def __init__(self, read: Callable[[History, slice], NDArray[Any]]) -> None:
        self._read = read
        self._seen: History | None = None
        self._values: NDArray[np.float64] = np.empty((0, 0))
        self.count = 0
        """How many records have been read."""

    def extend(self, history: History) -> int:
        """Read the records that are new; all of them if the past is another one.

        Parameters
        ----------
        history : History
            The run as far as it has come.

        Returns
        -------
        int
            The first record that was read now; ``count`` if none was.
        """
        if history is self._seen:
            return self.count
        first = self.count if self._continues(history) else 0
        layers, count = len(history.layer_names), len(history)
        if count > self._values.shape[1] or layers != self._values.shape[0]:
            larger = np.empty((layers, max(256, 2 * count)))
            if first:
                larger[:, :first] = self._values[:, :first]
            self._values = larger
        self._seen, self.count = history, count
        if first < count:
            self._values[:, first:count] = self._read(history, slice(first, count)).T
        return first

    @property
    def values(self) -> NDArray[np.float64]:
        """What has been read, shape (layers, records)."""
        return self._values[:, : self.count]

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


def _displayed(history: History, tensor: str, statistic: str, records: slice) -> NDArray[np.float64]:
    """Return log10 where the statistic is logarithmic: −∞ for 0, and NaN and ∞ as they are."""
    values = history_values(history, tensor, statistic, records)
    if statistic not in LOGARITHMIC:
        return values
    shown = log10_or_nan(values)
    shown[values == 0] = -np.inf
    shown[np.isposinf(values)] = np.inf
    return shown


class HistoryGrid:
    """One tensor and statistic as colours.

    Parameters
    ----------
    tensor, statistic : str
        What is kept.
    """

    def __init__(self, tensor: str, statistic: str) -> None:
        self._series = GrowingSeries(lambda history, records: _displayed(history, tensor, statistic, records))
        self._levels: tuple[float, float] | None = None
        self._rows: NDArray[np.uint16] = np.empty((0, 0), dtype=np.uint16)
        self.finite: tuple[float, float] | None = None
        """Least and greatest finite value read: log10 of it where the statistic is logarithmic."""

    def read(self, history: History) -> None:
        """Read the records that are new.

        Parameters
        ----------
        history : History
            The run as far as it has come.
        """
        first = self._series.extend(history)
        if first == 0:
            self.finite, self._levels = None, None
        new = self._series.values[:, first:]
        found = finite_range(new)
        if found:
            low, high = self.finite or found
            self.finite = min(low, found[0]), max(high, found[1])
        if self._levels and new.size:
            self._paint(first)

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
            self._paint(0)
        return self._rows[:, : self._series.count]

    def _paint(self, first: int) -> None:
        assert self._levels is not None
        values = self._series.values
        if values.shape[1] > self._rows.shape[1] or len(values) != len(self._rows):
            larger = np.empty((len(values), 2 * values.shape[1]), dtype=np.uint16)
            if first:
                larger[:, :first] = self._rows[:, :first]
            self._rows = larger
        shown = values[:, first:]
        rows = scaled(shown, *self._levels)
        rows[np.isneginf(shown)] = ZERO
        self._rows[:, first : values.shape[1]] = rows
