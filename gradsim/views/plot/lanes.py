"""What has no place on a log axis: which numbers belong in which strip beside it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

LANES = ("0", "NaN", "∞")
"""Strips for what has no place on a log axis: 0 at the bottom, NaN and ∞ at the top."""


def lane_of(values: NDArray[Any]) -> NDArray[np.str_]:
    """Return the lane of each number.

    Parameters
    ----------
    values : ndarray of float
        Not logarithms.

    Returns
    -------
    ndarray of str, the same shape
        One of ``LANES``, or empty for an ordinary number.
    """
    return np.select([values == 0, np.isnan(values), np.isinf(values)], list(LANES), "")


def log10_or_nan(values: NDArray[Any]) -> NDArray[np.float64]:
    """Return log10 of the positive finite numbers, NaN for all others.

    Parameters
    ----------
    values : ndarray of float
        Any.

    Returns
    -------
    ndarray of float64, the same shape
        What a log axis can place; the rest belongs in lanes.
    """
    values = np.asarray(values, dtype=np.float64)
    result = np.full(values.shape, np.nan)
    np.log10(values, out=result, where=(values > 0) & np.isfinite(values))
    return result
