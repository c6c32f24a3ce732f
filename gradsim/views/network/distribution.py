"""How many values of a tensor have which magnitude, counted exactly from their bits. Without Qt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

# Two bits of the mantissa beside the exponent: bins a quarter of an octave wide, counted without a logarithm
# (128 × 128 values in 40 µs), fine enough for a layer that spans one decade and cheap for one that spans 60.
_MANTISSA_BITS = 2
_TOGETHER = 8
"""So many tensors are counted at once: the tables of more would not stay in a processor's cache."""
_FORMATS = {
    np.dtype(np.float32): (np.uint32, 23, 127, 8),
    np.dtype(np.float64): (np.uint64, 52, 1023, 11),
}


@dataclass(frozen=True, slots=True, eq=False)
class Distribution:
    """How many values of a tensor have which magnitude.

    Attributes
    ----------
    below : ndarray of float64, shape (bins + 1,)
        How many finite values other than 0 lie below each of the ``edges``.
    edges : ndarray of float64, shape (bins + 1,)
        log10 of |x|.
    zeros, nans, infs, count : int
        Values that are exactly 0, NaN, ±Inf, and all values.
    """

    below: NDArray[np.float64]
    edges: NDArray[np.float64]
    zeros: int
    nans: int
    infs: int
    count: int

    @property
    def usable(self) -> int:
        """How many values are finite and other than 0."""
        return int(self.below[-1])

    def quantile(self, share: float) -> float:
        """Return the magnitude below which a share of the finite values other than 0 lies.

        Parameters
        ----------
        share : float
            From 0 to 1.

        Returns
        -------
        float
            log10 of |x|, to the width of a bin; NaN where there is no such value.
        """
        if not self.usable:
            return float("nan")
        place = int(np.searchsorted(self.below, max(share * self.usable, 0.5)))
        return float(0.5 * (self.edges[place - 1] + self.edges[place]))

    def density(self, low: float, high: float, bins: int) -> NDArray[np.float64]:
        """Return the share of all values in equal steps of an axis.

        Parameters
        ----------
        low, high : float
            Ends of the axis, log10.
        bins : int
            Number of steps.

        Returns
        -------
        ndarray of float64, shape (bins,)
            What lies outside the axis counts in the first or the last step; zeros, NaN and Inf count
            nowhere. A bin that is wider than a step is spread evenly over the steps it covers.
        """
        row: NDArray[np.float64] = densities((self,), low, high, bins)[0]
        return row


def distribution(values: NDArray[Any]) -> Distribution:
    """Return the distribution of the magnitudes of a tensor.

    Parameters
    ----------
    values : ndarray of float32 or float64, any shape
        The tensor.

    Returns
    -------
    Distribution
        Every value counted once, none sampled; subnormal numbers in bins of their own magnitude.
    """
    return distributions((values,))[0]


def distributions(tensors: Sequence[NDArray[Any]]) -> tuple[Distribution, ...]:
    """Return the distributions of many tensors; those of one size are counted together.

    Parameters
    ----------
    tensors : sequence of ndarray of float32 or float64, any shapes
        The tensors.

    Returns
    -------
    tuple of Distribution
        Each as ``distribution`` gives it.
    """
    flat = [np.ascontiguousarray(values).ravel() for values in tensors]
    flat = [values if values.dtype in _FORMATS else values.astype(np.float64) for values in flat]
    alike: dict[tuple[object, int], list[int]] = {}
    for place, values in enumerate(flat):
        alike.setdefault((values.dtype, values.size), []).append(place)
    found: dict[int, Distribution] = {}
    for places in alike.values():
        for first in range(0, len(places), _TOGETHER):
            some = places[first : first + _TOGETHER]
            found.update(zip(some, _counted(np.stack([flat[place] for place in some])), strict=True))
    return tuple(found[place] for place in range(len(flat)))


def _counted(rows: NDArray[Any]) -> list[Distribution]:
    """Count the values of each row, all rows at once."""
    unsigned, mantissa, _bias, exponent = _FORMATS[rows.dtype]
    bins, per_octave = 1 << (exponent + _MANTISSA_BITS), 1 << _MANTISSA_BITS
    shift = np.array(mantissa - _MANTISSA_BITS, dtype=unsigned)
    keys = ((rows.view(unsigned) >> shift) & np.array(bins - 1, dtype=unsigned)).astype(np.intp)
    keys += bins * np.arange(len(rows))[:, None]
    counts = np.bincount(keys.ravel(), minlength=bins * len(rows)).reshape(len(rows), bins)
    small, special = counts[:, :per_octave].sum(axis=1), counts[:, -per_octave:].sum(axis=1)
    # One running sum through all rows takes a tenth of one for each of them.
    sums = counts.ravel().cumsum().reshape(counts.shape)[:, per_octave - 1 : -per_octave]
    below = (sums - sums[:, :1]).astype(np.float64)
    counts = counts[:, per_octave:-per_octave]
    edges = _edges(rows.dtype)
    return [
        _with_the_rest(values, count, few, many)
        if few or many
        else Distribution(row, edges, 0, 0, 0, values.size)
        for values, count, row, few, many in zip(
            rows, counts, below, small.tolist(), special.tolist(), strict=True
        )
    ]


def _with_the_rest(values: NDArray[Any], counts: NDArray[np.intp], small: int, special: int) -> Distribution:
    """Return a distribution with what is not counted among the normal numbers: 0, subnormals, NaN and ∞."""
    edges = _edges(values.dtype)
    nans = int(np.isnan(values).sum()) if special else 0
    zeros = values.size - int(np.count_nonzero(values)) if small else 0
    if small > zeros:
        tiny = np.abs(values[(values != 0) & (np.abs(values) < np.finfo(values.dtype).smallest_normal)])
        subnormal_edges = np.arange(np.floor(np.log10(np.finfo(values.dtype).smallest_subnormal)), edges[0])
        subnormal_edges = np.append(subnormal_edges, edges[0])
        logs = np.log10(tiny.astype(np.float64))
        counts = np.concatenate([np.histogram(logs, subnormal_edges)[0], counts])
        edges = np.concatenate([subnormal_edges[:-1], edges])
    below = np.zeros(len(counts) + 1)
    np.cumsum(counts, out=below[1:])
    return Distribution(below, edges, zeros, nans, special - nans, values.size)


def quantiles(told: Sequence[Distribution], share: float) -> NDArray[np.float64]:
    """Return the quantiles of many distributions at once, as ``Distribution.quantile`` does for one.

    Parameters
    ----------
    told : sequence of Distribution
        Any number.
    share : float
        From 0 to 1.

    Returns
    -------
    ndarray of float64, shape (distributions,)
        log10 of |x|; NaN where there is no such value.
    """
    if not told or not all(one.edges is told[0].edges and one.usable for one in told):
        return np.array([one.quantile(share) for one in told], dtype=np.float64)
    below, edges = np.stack([one.below for one in told]), told[0].edges
    places = (below < np.maximum(share * below[:, -1:], 0.5)).sum(axis=1)
    found: NDArray[np.float64] = 0.5 * (edges[places - 1] + edges[places])
    return found


def densities(told: Sequence[Distribution], low: float, high: float, bins: int) -> NDArray[np.float64]:
    """Return the densities of many distributions at once, as ``Distribution.density`` does for one.

    Parameters
    ----------
    told : sequence of Distribution
        At least one.
    low, high : float
        Ends of the axis, log10.
    bins : int
        Number of steps.

    Returns
    -------
    ndarray of float64, shape (distributions, bins)
        Share of all values.
    """
    grid, edges = np.linspace(low, high, bins + 1), told[0].edges
    if all(one.edges is edges for one in told):
        # The same bins for all: where each end of a step lies in them is found once.
        place = np.interp(grid, edges, np.arange(len(edges)))
        before = np.minimum(place.astype(np.intp), len(edges) - 2)
        part, first = place - before, int(before[0])
        below = np.stack([one.below[first : before[-1] + 2] for one in told])
        at = below[:, before - first] * (1 - part) + below[:, before - first + 1] * part
    else:
        at = np.stack([np.interp(grid, one.edges, one.below) for one in told])
    at[:, 0], at[:, -1] = 0, [one.below[-1] for one in told]
    return np.diff(at, axis=1) / np.array([max(one.count, 1) for one in told])[:, None]


@cache
def _edges(dtype: np.dtype[Any]) -> NDArray[np.float64]:
    """Edges of the bins of the normal numbers: a mantissa bin is linear within its octave."""
    _unsigned, _mantissa, bias, exponent = _FORMATS[dtype]
    per_octave = 1 << _MANTISSA_BITS
    within = np.log2(1 + np.arange(per_octave) / per_octave)
    octaves = np.arange(1, (1 << exponent) - 1) - bias
    edges: NDArray[np.float64] = np.log10(2.0) * np.append(
        (octaves[:, None] + within).ravel(), octaves[-1] + 1.0
    )
    edges.setflags(write=False)
    return edges
