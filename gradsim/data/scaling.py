"""Scaling of input columns, fitted on the training part only."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray


def fitted_scaling(
    inputs: NDArray[np.float64], scaling: Literal["none", "standard", "min_max"]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return offset and factor of each column: ``scaled = (raw - offset) * factor``.

    Parameters
    ----------
    inputs : ndarray of float64, shape (samples, features) or (samples, steps, features)
        Training samples; finite. A column is a feature at all its steps.
    scaling : {"none", "standard", "min_max"}
        Nothing; mean 0 and population sd 1; or 0 to 1.

    Returns
    -------
    offset, factor : ndarray of float64, shape (features,)
        A constant column becomes exactly 0, with factor 1: it has no spread to divide by.
    """
    inputs = inputs.reshape(-1, inputs.shape[-1])
    lowest, highest = inputs.min(axis=0), inputs.max(axis=0)
    if scaling == "none":
        return np.zeros_like(lowest), np.ones_like(lowest)
    size = np.maximum(np.abs(lowest), np.abs(highest))
    size[size == 0] = 1.0  # means and squares of what is divided by its size can neither overflow nor vanish
    offset = size * np.mean(inputs / size, axis=0) if scaling == "standard" else lowest
    spread = size * np.std(inputs / size, axis=0) if scaling == "standard" else highest - lowest
    # Rounding leaves a constant column such as 0.1 a spread of 1e-17; only equal limits say that it is one.
    with np.errstate(divide="ignore", over="ignore"):
        factor = 1.0 / spread
    scalable = (highest > lowest) & np.isfinite(factor)
    return np.where(highest > lowest, offset, lowest), np.where(scalable, factor, 1.0)
