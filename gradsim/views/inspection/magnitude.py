"""Root mean squares of tensors for which none is recorded."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def rms(values: NDArray[Any], axis: int | None = None) -> NDArray[np.float64]:
    """Return the root mean square, scaled before squaring so that no finite magnitude over- or underflows.

    Parameters
    ----------
    values : ndarray
        Any real array.
    axis : int or None, default None
        As in NumPy.

    Returns
    -------
    ndarray of float64
        NaN where NaN takes part, else Inf where Inf does.
    """
    if values.dtype == np.float32:  # no square of a float32 leaves the range of float64
        square = np.square(values, dtype=np.float64)
        return np.sqrt(np.mean(square, axis=axis))
    wide = np.abs(np.asarray(values, dtype=np.float64))
    largest = wide.max(axis=axis, keepdims=True)
    usable = np.isfinite(largest) & (largest > 0)
    unit = np.where(usable, largest, 1.0)
    with np.errstate(invalid="ignore", over="ignore"):
        mean = np.mean(np.square(wide / unit), axis=axis, keepdims=True)
    result: NDArray[np.float64] = np.where(usable, unit * np.sqrt(np.where(usable, mean, 0.0)), largest)
    return result.squeeze() if axis is None else result.squeeze(axis)
