"""How large tensors are: root mean squares that survive the range they measure."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

_SAFE = (1e-200, 1e300)
"""Between these a plain sum of squares in float64 has lost nothing to speak of."""


def rms(values: NDArray[Any]) -> float:
    """Return a root mean square in which no finite magnitude over- or underflows.

    Parameters
    ----------
    values : ndarray
        Any real array.

    Returns
    -------
    float
        NaN where NaN takes part, else infinite where ∞ does; 0 for no values.
    """
    wide = np.asarray(values, dtype=np.float64).ravel(order="K")
    if not wide.size:
        return 0.0
    with np.errstate(all="ignore"):
        total = float(wide @ wide)
        if _SAFE[0] < total < _SAFE[1]:
            return math.sqrt(total / wide.size)
        return float(rms_over(wide, 0))


def rms_over(values: NDArray[Any], axes: int | tuple[int, ...]) -> NDArray[np.float64]:
    """Return the root mean squares over some axes; no finite magnitude over- or underflows.

    Parameters
    ----------
    values : ndarray
        Any real array with at least one value along these axes.
    axes : int or tuple of int
        As in NumPy.

    Returns
    -------
    ndarray of float64
        Without those axes; NaN where NaN takes part, else infinite where ∞ does.
    """
    with np.errstate(all="ignore"):
        if values.dtype == np.float32:  # no square of a float32 leaves the range of float64
            return np.asarray(np.sqrt(np.square(values, dtype=np.float64).mean(axis=axes)))
        wide = np.abs(np.asarray(values, dtype=np.float64))
        largest = wide.max(axis=axes, keepdims=True)
        usable = np.isfinite(largest) & (largest > 0)
        share = np.square(wide / np.where(usable, largest, 1.0)).mean(axis=axes, keepdims=True)
        size = np.where(usable, largest * np.sqrt(share), largest)
        return np.asarray(size.squeeze(axes))
