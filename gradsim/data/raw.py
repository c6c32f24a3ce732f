"""Samples before they are split and scaled: what every source of data hands over."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class RawSamples:
    """All samples of a source, in the order in which they are trained on without shuffling.

    Attributes
    ----------
    inputs : ndarray of float64, shape (samples, features)
        Unscaled.
    feature_names, output_names : tuple of str
        Names with units; for classes the output names are the names of the classes.
    title, origin : str
        What the data are and where they come from.
    classes : ndarray of int64, shape (samples,), or None
        Class numbers from 0; None where the targets are numbers.
    numbers : ndarray of float64, shape (samples, outputs), or None
        Targets of a regression; None where the targets are classes.
    """

    inputs: NDArray[np.float64]
    feature_names: tuple[str, ...]
    output_names: tuple[str, ...]
    title: str
    origin: str
    classes: NDArray[np.int64] | None = None
    numbers: NDArray[np.float64] | None = None
