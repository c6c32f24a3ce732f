"""What is known of one tensor without keeping it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

VALUES = ("mean", "sd", "rms", "min", "max")
COUNTS = ("zeros", "subnormals", "nans", "infs")

TENSORS = (
    "pre_activation",
    "activation",
    "activation_gradient",
    "delta",
    "weight_gradient",
    "update",
    "weight",
)
"""The tensors of a layer whose statistics are taken at every iteration, in the order of ``History``."""

HISTOGRAM_LOWEST = -126
HISTOGRAM_HIGHEST = 34
HISTOGRAM_BINS = HISTOGRAM_HIGHEST - HISTOGRAM_LOWEST + 5
"""Bins of |x|: 0; below 2^LOWEST; one octave each; from 2^HIGHEST; NaN; ±Inf."""


@dataclass(frozen=True, slots=True)
class TensorStatistics:
    """Statistics of all values of one tensor, accumulated in float64.

    Attributes
    ----------
    mean, sd, rms, min, max : float
        As IEEE says where NaN or Inf take part; ``sd`` is that of the population.
    zeros, subnormals, nans, infs : int
        How many values are exactly ±0, subnormal, NaN, ±Inf.
    count : int
        How many values there are.
    """

    mean: float
    sd: float
    rms: float
    min: float
    max: float
    zeros: int
    subnormals: int
    nans: int
    infs: int
    count: int

    @classmethod
    def from_arrays(
        cls, values: NDArray[np.float64], counts: NDArray[np.int32], count: int
    ) -> TensorStatistics:
        """Return the statistics that stand in two rows of arrays.

        Parameters
        ----------
        values : ndarray of float64, shape (5,)
            In the order of ``VALUES``.
        counts : ndarray of int32, shape (4,)
            In the order of ``COUNTS``.
        count : int
            How many values the tensor has.

        Returns
        -------
        TensorStatistics
            The same numbers as Python's.
        """
        mean, sd, rms, low, high = (float(value) for value in values)
        zeros, subnormals, nans, infs = (int(number) for number in counts)
        return cls(mean, sd, rms, low, high, zeros, subnormals, nans, infs, int(count))

    @property
    def l2(self) -> float:
        """Euclidean norm, ``rms * sqrt(count)``."""
        return float(self.rms * np.sqrt(float(self.count)))


def histogram_edges_log10() -> NDArray[np.float64]:
    """Return the edges of the octave bins of a histogram.

    Returns
    -------
    ndarray of float64, shape (HISTOGRAM_HIGHEST - HISTOGRAM_LOWEST + 1,)
        log10 of |x|; bin ``2 + i`` lies between edges ``i`` and ``i + 1``.
    """
    octaves = np.arange(HISTOGRAM_LOWEST, HISTOGRAM_HIGHEST + 1, dtype=np.float64)
    return np.asarray(octaves * np.log10(2.0))
