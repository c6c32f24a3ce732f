"""What has no place on a log axis: which numbers belong in which strip beside it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

LANES = ("0", "NaN", "∞")
"""Strips for what has no place on a log axis: 0 at the bottom, NaN and ∞ at the top."""

_BELONGS: dict[str, Callable[[NDArray[Any]], NDArray[np.bool_]]] = {
    "0": lambda values: values == 0,
    "NaN": np.isnan,
    "∞": np.isinf,
}


def lanes_needed(*arrays: NDArray[Any]) -> list[str]:
    """Return the lanes that some of the numbers belong in.

    Parameters
    ----------
    *arrays : ndarray of float
        Not logarithms.

    Returns
    -------
    list of str
        In the order of ``LANES``.
    """
    return [lane for lane in LANES if any(in_lane(values, lane).any() for values in arrays)]


def in_lane(values: NDArray[Any], lane: str) -> NDArray[np.bool_]:
    """Return which numbers belong in a lane.

    Parameters
    ----------
    values : ndarray of float
        Not logarithms.
    lane : str
        One of ``LANES``.

    Returns
    -------
    ndarray of bool, the same shape
        True where they do.
    """
    return _BELONGS[lane](values)


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
