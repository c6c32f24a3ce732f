"""Which links between units are drawn and in which colour. Without Qt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

MOST_LINKS = 3000
"""So many lines are drawn in 5 ms; of more, the strongest of each pair of layers."""

SHADES = 33
"""Links are drawn in so many batches of one colour; odd, so that the middle one is the neutral colour."""

BROKEN = -1
"""Shade of a link whose value is NaN or Inf."""


@dataclass(frozen=True, slots=True, eq=False)
class Links:
    """The links drawn between two neighbouring layers, weakest first.

    Attributes
    ----------
    source, target : ndarray of int64, shape (links,)
        Units of the layer before and of the layer itself.
    values : ndarray of float64, shape (links,)
        Weight or weight gradient.
    total : int
        How many links there are.
    """

    source: NDArray[np.int64]
    target: NDArray[np.int64]
    values: NDArray[np.float64]
    total: int


def strongest_links(matrices: Sequence[NDArray[Any]], most: int = MOST_LINKS) -> tuple[Links, ...]:
    """Return the links to draw for each pair of layers.

    Each pair gets its share of the lines by its size, so that none is left bare by stronger ones elsewhere.

    Parameters
    ----------
    matrices : sequence of ndarray, shape (fan_in, fan_out) each
        Weights or their gradients.
    most : int, default ``MOST_LINKS``
        How many lines may be drawn in all; each pair has at least one.

    Returns
    -------
    tuple of Links
        One for each matrix. NaN and Inf count as strongest, so that they are never hidden.
    """
    total = sum(matrix.size for matrix in matrices)
    chosen = []
    for matrix in matrices:
        values = np.asarray(matrix, dtype=np.float64).ravel()
        strength = np.abs(values)
        strength[np.isnan(strength)] = np.inf
        kept = values.size if total <= most else max(1, values.size * most // total)
        order = np.arange(values.size)
        if kept < values.size:
            order = np.argpartition(strength, values.size - kept)[values.size - kept :]
        order = order[np.argsort(strength[order], kind="stable")]
        source, target = np.divmod(order, matrix.shape[1])
        chosen.append(Links(source, target, values[order], values.size))
    return tuple(chosen)


def signed_shades(values: NDArray[np.float64], largest: float) -> NDArray[np.int64]:
    """Return the shade of each value on a scale from −largest to +largest.

    Parameters
    ----------
    values : ndarray of float64, shape (links,)
        Signed values.
    largest : float
        Value of the last shade, above 0.

    Returns
    -------
    ndarray of int64, shape (links,)
        0 to ``SHADES`` − 1, the middle one for 0; ``BROKEN`` for NaN and Inf.
    """
    finite = np.isfinite(values)
    share = np.clip(np.where(finite, values, 0.0) / largest, -1.0, 1.0)
    shades = np.rint((share + 1.0) * (SHADES - 1) / 2).astype(np.int64)
    return np.where(finite, shades, BROKEN)


def magnitude_shades(values: NDArray[np.float64], low: float, high: float) -> NDArray[np.int64]:
    """Return the shade of each magnitude on a scale of log10.

    Parameters
    ----------
    values : ndarray of float64, shape (links,)
        Values; the sign does not matter.
    low, high : float
        log10 of the first and the last shade.

    Returns
    -------
    ndarray of int64, shape (links,)
        0 to ``SHADES`` − 1, 0 also for a value of 0; ``BROKEN`` for NaN and Inf.
    """
    finite = np.isfinite(values)
    size = np.abs(np.where(finite, values, 1.0))
    with np.errstate(divide="ignore"):
        share = np.clip((np.log10(size) - low) / (high - low), 0.0, 1.0)
    return np.where(finite, np.rint(share * (SHADES - 1)).astype(np.int64), BROKEN)
