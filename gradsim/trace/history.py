"""The statistics of all iterations of a run, as arrays."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradsim.trace.statistics import COUNTS, TENSORS, VALUES, TensorStatistics


def _nothing(shape: tuple[int, ...], dtype: type[Any]) -> NDArray[Any]:
    array = np.zeros(shape, dtype)
    array.flags.writeable = False
    return array


@dataclass(frozen=True, slots=True, eq=False)
class History:
    """Statistics of the recorded iterations of a run, oldest first; arrays are read-only.

    When more than the stated memory would be needed every second record is dropped and from then on
    every second iteration is kept (``stride`` doubles), so the records stay evenly spaced.

    Attributes
    ----------
    layer_names : tuple of str
        All layers of the unrolled network in the order in which they compute, the head last.
    sizes : ndarray of int64, shape (layers, tensors)
        Number of values of each tensor, tensors in the order of ``trace.TENSORS``; 0 where a layer has none.
    stride : int
        Only iterations divisible by it are kept.
    iterations : ndarray of int64, shape (records,)
        Which iteration each record describes.
    values : ndarray of float64, shape (records, layers, tensors, 5)
        ``mean sd rms min max``, as in ``trace.VALUES``.
    counts : ndarray of int32, shape (records, layers, tensors, 4)
        ``zeros subnormals nans infs``, as in ``trace.COUNTS``.
    saturation : ndarray of float32, shape (records, layers)
        1 − mean φ'(z) / max φ'.
    loss : ndarray of float64, shape (records,)
        Loss of the batch.
    accuracy : ndarray of float64, shape (records,)
        Share of the batch classified rightly; NaN throughout for a regression.
    learning_rate, gradient_norm : ndarray of float64, shape (records,)
        After the schedule; over all parameter gradients before clipping.
    clipped : ndarray of float64, shape (records,)
        l2 norm over all parameter gradients after clipping / before; 1 where clipping did nothing.
    validation_iterations : ndarray of int64, shape (evaluations,)
        Iterations before which the validation part was evaluated.
    validation_loss, validation_accuracy : ndarray of float64, shape (evaluations,)
        Empty without a validation part; accuracy NaN for a regression.
    histogram_iterations : ndarray of int64, shape (frames,)
        Iterations of which histograms are kept: fewer than ``iterations``, evenly spaced.
    histograms : ndarray of int32, shape (frames, layers, tensors, HISTOGRAM_BINS)
        Counts of |x| in the bins of ``trace.HISTOGRAM_BINS``.
    rounded : ndarray of int64, shape (records, layers, 4)
        The counts of ``trace.Rounding``; empty where the precision is a native one.
    loss_scale : ndarray of float64, shape (records,)
        Of each iteration.
    """

    layer_names: tuple[str, ...]
    sizes: NDArray[np.int64]
    stride: int
    iterations: NDArray[np.int64]
    values: NDArray[np.float64]
    counts: NDArray[np.int32]
    saturation: NDArray[np.float32]
    loss: NDArray[np.float64]
    accuracy: NDArray[np.float64]
    learning_rate: NDArray[np.float64]
    gradient_norm: NDArray[np.float64]
    clipped: NDArray[np.float64]
    validation_iterations: NDArray[np.int64]
    validation_loss: NDArray[np.float64]
    validation_accuracy: NDArray[np.float64]
    histogram_iterations: NDArray[np.int64]
    histograms: NDArray[np.int32]
    rounded: NDArray[np.int64] = field(default_factory=lambda: _nothing((0, 0, 4), np.int64))
    loss_scale: NDArray[np.float64] = field(default_factory=lambda: _nothing((0,), np.float64))

    def __len__(self) -> int:
        """Return the number of records."""
        return len(self.iterations)

    def series(self, tensor: str, statistic: str, layer: int | slice = slice(None)) -> NDArray[Any]:
        """Return one statistic of one tensor through the iterations.

        Parameters
        ----------
        tensor : str
            One of ``trace.TENSORS``.
        statistic : str
            One of ``trace.VALUES``, ``trace.COUNTS`` or ``"l2"``.
        layer : int or slice, default all
            Which layers.

        Returns
        -------
        ndarray, shape (records, layers) or (records,)
            A view where possible.
        """
        t = TENSORS.index(tensor)
        if statistic in COUNTS:
            return self.counts[:, layer, t, COUNTS.index(statistic)]
        if statistic == "l2":
            return self.series(tensor, "rms", layer) * np.sqrt(self.sizes[layer, t])
        return self.values[:, layer, t, VALUES.index(statistic)]

    def statistics(self, record: int, layer: int, tensor: str) -> TensorStatistics:
        """Return the statistics of one tensor at one record.

        Parameters
        ----------
        record : int
            Index into ``iterations``.
        layer : int
            Index into ``layer_names``.
        tensor : str
            One of ``trace.TENSORS``.

        Returns
        -------
        TensorStatistics
            Of that iteration.
        """
        t = TENSORS.index(tensor)
        return TensorStatistics.from_arrays(
            self.values[record, layer, t], self.counts[record, layer, t], int(self.sizes[layer, t])
        )
