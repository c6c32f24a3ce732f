"""Paths through a graph of units, and sums over all of them by one pass backwards over the wires."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gradsim.analysis.chain_wires import Graph, Part

_CHUNK = 512


@dataclass(frozen=True, slots=True, eq=False)
class ChainFactor:
    """One factor of a path.

    Attributes
    ----------
    part : str
        What it is: ``input`` (∂z/∂w), ``slope``, ``weight``, ``jacobian``, ``mask``, ``skip``, ``branch``,
        ``loss`` (∂L/∂a), ``loss_and_slope`` (∂L/∂z of a loss derived together with the head) or ``handed``
        (the recorded gradient). Of a recurrent cell also ``recurrent`` (the weight from one step to the next),
        ``gate`` (state by pre-activation of a gate), ``keep`` (state by the state before), ``show`` (h by c of
        an LSTM) and ``reset``.
    layer : int
        Index of the layer it belongs to.
    source, unit : int
        Units it leads from and to.
    values : ndarray of float64, shape (rows,)
        The factor in each row of the batch that is looked at; (1,) where it is the same in all.
    time : int or None, default None
        Step of time it leads to, in a recurrent layer.
    gate : int or None, default None
        Gate of a recurrent cell it belongs to, where it has several.
    """

    part: Part
    layer: int
    source: int
    unit: int
    values: NDArray[np.float64]
    time: int | None = None
    gate: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class ChainPath:
    """One way from a weight to the loss.

    Attributes
    ----------
    factors : tuple of ChainFactor
        In forward order: ∂z/∂w first, the loss last.
    value : float
        The product of the factors, summed over the rows: what this path adds to the gradient of the weight.
    """

    factors: tuple[ChainFactor, ...]
    value: float

    @property
    def units(self) -> tuple[tuple[int, ...], ...]:
        """Layer and unit of each place the path goes through, each once, without the source of the weight.

        Of a recurrent layer, when its steps are told one by one, layer, unit and step of time.
        """
        places = [
            (factor.layer, factor.unit, *(() if factor.time is None else (factor.time,)))
            for factor in self.factors
        ]
        return tuple(place for i, place in enumerate(places) if i == 0 or places[i - 1] != place)


@dataclass(frozen=True, slots=True, eq=False)
class PathSums:
    """What all paths from a unit make together.

    Attributes
    ----------
    count : int
        How many there are.
    total : ndarray of float64, shape (rows,)
        Their sum in each row: ∂L/∂z of the unit.
    sizes : ndarray of float64, shape (rows,)
        The sum of their magnitudes.
    """

    count: int
    total: NDArray[np.float64]
    sizes: NDArray[np.float64]


def path_sums(graph: Graph, unit: int, rows: int) -> PathSums:
    """Return the sums over all paths that leave a unit of the first wire.

    Parameters
    ----------
    graph : Graph
        With at least one wire.
    unit : int
        Of the first wire.
    rows : int
        How many the graph was made for.

    Returns
    -------
    PathSums
        Exact; magnitudes without those that cancel within one Jacobian.
    """
    last = len(graph.layers)
    totals = [np.zeros((rows, width)) for width in graph.widths]
    sizes = [np.zeros((rows, width)) for width in graph.widths]
    counts = [0] * last
    with np.errstate(all="ignore"):
        for wire in range(last - 1, -1, -1):
            for edge in graph.edges[wire]:
                totals[wire] += _carried(edge.values, totals[edge.target])
                sizes[wire] += _carried(np.abs(edge.values), sizes[edge.target])
                counts[wire] += counts[edge.target] * (1 if edge.is_diagonal else edge.values.shape[2])
            for end in graph.ends[wire]:
                totals[wire] += end.values
                sizes[wire] += np.abs(end.values)
                counts[wire] += 1
    return PathSums(counts[0], totals[0][:, unit], sizes[0][:, unit])


def product(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the product over the first axis; nothing between over- or underflows that the result does not.

    Parameters
    ----------
    values : ndarray of float64, shape (factors, rows)
        At least one factor.

    Returns
    -------
    ndarray of float64, shape (rows,)
        Rounded as a product one factor after the other.
    """
    with np.errstate(all="ignore"):
        mantissa, exponents = np.frexp(values)
        exponent = exponents.sum(axis=0)
        while len(mantissa) > 1:
            parts = [mantissa[at : at + _CHUNK].prod(axis=0) for at in range(0, len(mantissa), _CHUNK)]
            mantissa, exponents = np.frexp(np.stack(parts))
            exponent = exponent + exponents.sum(axis=0)
        return np.asarray(np.ldexp(mantissa[0], exponent))


def _carried(values: NDArray[np.float64], following: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return what comes back over an edge, (rows, units of its source)."""
    if values.ndim == 2:
        return np.asarray(values * following)
    if values.shape[0] == 1:
        return np.asarray(following @ values[0].T)
    return np.asarray(np.matmul(values, following[:, :, None])[:, :, 0])
