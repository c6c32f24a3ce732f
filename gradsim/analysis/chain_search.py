"""The largest of all paths through a graph: the most promising beginnings are kept on every wire and go on from there.

What is still ahead of a unit is known exactly for one row of the batch, and from above for several: so it is known,
too, how large a path that was left out could have been at most.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gradsim.analysis.chain_paths import ChainFactor, ChainPath, product
from gradsim.analysis.chain_wires import Edge, End, Graph

Numbers = NDArray[np.float64]
Places = NDArray[np.intp]

_LOG_ZERO = -1e9
_LOG_BROKEN = 1e12
"""Logarithms of 0, and of NaN and ∞: finite, so that sums are, and a broken factor outweighs any zeros."""

_MOST_KEPT = 1024
_LEAST_KEPT = 12
_NUMBERS_KEPT = 3_000_000
"""So many beginnings are kept on a wire, fewer in large networks so that about so many numbers are looked at."""

_MOST_AHEAD = 3_000_000
"""So many numbers may be looked at to know, row by row, what is ahead; beyond it is judged by their means."""


def largest_paths(
    graph: Graph, unit: int, first: ChainFactor | None, most: int, rows: int
) -> tuple[tuple[ChainPath, ...], bool]:
    """Return the paths with the largest contributions.

    Parameters
    ----------
    graph : Graph
        With at least one wire.
    unit : int
        Of the first wire: where all paths begin.
    first : ChainFactor or None
        ∂z/∂w, the first factor of every path; None where the first edges are it.
    most : int
        How many at most.
    rows : int
        How many the graph was made for.

    Returns
    -------
    paths : tuple of ChainPath
        Largest magnitude first; NaN and ∞ count as largest.
    finished : bool
        Whether they are surely the largest. For one row they always are; for several, whose products can
        cancel, a larger one may have been left out on the way.
    """
    return _Search(graph, rows, most).paths(unit, first)


@dataclass(frozen=True, slots=True, eq=False)
class _Beginnings:
    """Some ways from the first wire to another.

    Attributes
    ----------
    shares : ndarray of float64, shape (ways, rows)
        Products so far, over the largest magnitude of all rows.
    logs : ndarray of float64, shape (ways,)
        The logarithm of that magnitude.
    units : ndarray of int, shape (ways,)
        Where they have come to.
    bounds : ndarray of float64, shape (ways,)
        The logarithm of the most that can become of them.
    marks : ndarray of int, shape (ways,)
        Their numbers in the log of the search.
    """

    shares: Numbers
    logs: Numbers
    units: Places
    bounds: Numbers
    marks: Places

    def chosen(self, places: Places) -> _Beginnings:
        return _Beginnings(
            self.shares[places],
            self.logs[places],
            self.units[places],
            self.bounds[places],
            self.marks[places],
        )


class _Search:
    """What is the same for all steps of a search: the graph, and the largest product still ahead of each unit."""

    def __init__(self, graph: Graph, rows: int, most: int) -> None:
        self.graph, self.rows, self.most = graph, rows, most
        self.kept = max(
            most, min(_MOST_KEPT, max(_LEAST_KEPT, _NUMBERS_KEPT // (rows * max(sum(graph.widths), 1))))
        )
        if rows == 1:  # what is ahead is exact: none of the largest can be behind so many others
            self.kept = 2 * most + 8
        self.lost = -np.inf
        self._log_of: dict[int, Numbers] = {}
        self._shares, self._logs = self._ahead()
        # What was done: a block for each step, of the ways' parents, sources and units.
        self._firsts: list[int] = []
        self._blocks: list[tuple[Edge | End | None, Places, Places, Places]] = []
        self._count = 0

    def paths(self, unit: int, first: ChainFactor | None) -> tuple[tuple[ChainPath, ...], bool]:
        arrived: list[list[_Beginnings]] = [[] for _ in self.graph.layers]
        begin = np.ones((1, self.rows)) if first is None else first.values[None].astype(np.float64)
        shares, logs = _normalized(begin, np.zeros(1))
        units = np.array([unit])
        marks = self._noted(None, np.array([-1]), units, units)
        arrived[0].append(_Beginnings(shares, logs, units, logs, marks))
        done: list[_Beginnings] = []
        with np.errstate(all="ignore"):
            for wire, come in enumerate(arrived):
                if not come:
                    continue
                here = self._fewer(_joined(come))
                for edge in self.graph.edges[wire]:
                    arrived[edge.target].append(self._along(here, edge))
                done += [self._ended(here, end) for end in self.graph.ends[wire]]
                come.clear()
        if not done:
            return (), True
        everything = _joined(done)
        order = np.argsort(-everything.bounds, kind="stable")[: self.most]
        last = everything.bounds[order[-1]]
        found = [self._path(int(mark), first) for mark in everything.marks[order]]
        found.sort(key=lambda path: -_size(path.value))
        is_sure = self.lost < 0.5 * _LOG_ZERO or last > 0.5 * _LOG_BROKEN
        is_sure |= self._is_exact and self.lost <= last + 1e-9
        return tuple(found), bool(is_sure)

    # One step

    def _along(self, here: _Beginnings, edge: Edge) -> _Beginnings:
        """Go over an edge to the most promising units behind it."""
        values = edge.values
        if edge.is_diagonal:
            return self._to_the_same(here, edge)
        if values.shape[0] == 1:
            ahead = np.abs(here.shares) @ self._shares[edge.target]
            logs = here.logs[:, None] + self._log(values)[0][here.units]
            bounds = logs + np.log(np.maximum(ahead, 1e-300)) + self._logs[edge.target]
            ways, units = self._best(bounds)
            signs = np.sign(values[0][here.units[ways], units])
            signs = np.where(signs == 0, 1.0, np.nan_to_num(signs, nan=1.0))
            shares, logs = here.shares[ways] * signs[:, None], logs[ways, units]
            bounds = bounds[ways, units]
        else:
            steps, broken = _clean(values[:, here.units, :])  # (rows, ways, units)
            products = here.shares.T[:, :, None] * steps
            ahead = np.einsum("rwu,ru->wu", np.abs(products), self._shares_of(edge.target))
            bounds = here.logs[:, None] + _log(ahead) + self._logs[edge.target]
            bounds += np.where(broken.any(axis=0), _LOG_BROKEN, 0.0)
            ways, units = self._best(bounds)
            shares, logs = _normalized(products[:, ways, units].T, here.logs[ways])
            logs = logs + np.where(broken[:, ways, units].any(axis=0), _LOG_BROKEN, 0.0)
            bounds = bounds[ways, units]
        marks = self._noted(edge, here.marks[ways], here.units[ways], units)
        return _Beginnings(shares, logs, units, bounds, marks)

    def _to_the_same(self, here: _Beginnings, edge: Edge) -> _Beginnings:
        shares, logs = self._times(here, edge.values)
        ahead = np.einsum("wr,rw->w", np.abs(shares), self._shares_of(edge.target)[:, here.units])
        bounds = logs + _log(ahead) + self._logs[edge.target][here.units]
        marks = self._noted(edge, here.marks, here.units, here.units)
        return _Beginnings(shares, logs, here.units, bounds, marks)

    def _ended(self, here: _Beginnings, end: End) -> _Beginnings:
        """Finish; from here on ``bounds`` are the logarithms of what the paths are."""
        shares, logs = self._times(here, end.values)
        marks = self._noted(end, here.marks, here.units, here.units)
        return _Beginnings(shares, logs, here.units, logs + _log(shares.sum(axis=1)), marks)

    def _times(self, here: _Beginnings, values: Numbers) -> tuple[Numbers, Numbers]:
        steps, broken = _clean(values[:, here.units])
        shares, logs = _normalized(here.shares * steps.T, here.logs)
        return shares, logs + np.where(broken.any(axis=0), _LOG_BROKEN, 0.0)

    def _best(self, bounds: Numbers) -> tuple[Places, Places]:
        """Return the places of the most promising of a matrix; remember the best of the others."""
        flat = bounds.ravel()
        if flat.size > self.kept:
            order = np.argpartition(-flat, self.kept)
            self.lost = max(self.lost, float(flat[order[self.kept]]))
            chosen = order[: self.kept]
        else:
            chosen = np.arange(flat.size)
        ways, units = np.divmod(chosen, bounds.shape[1])
        return ways, units

    def _fewer(self, here: _Beginnings) -> _Beginnings:
        if len(here.units) <= self.kept:
            return here
        order = np.argpartition(-here.bounds, self.kept)
        self.lost = max(self.lost, float(here.bounds[order[self.kept]]))
        return here.chosen(order[: self.kept])

    # What is ahead

    def _ahead(self) -> tuple[list[Numbers], list[Numbers]]:
        """Return the largest product ahead of every unit: shares (rows or 1, units) of 10^logs (units,)."""
        graph = self.graph
        count = sum(edge.values[0].size for leaving in graph.edges for edge in leaving) * self.rows
        self._is_exact = count <= _MOST_AHEAD
        ahead: list[Numbers] = [np.zeros((0, 0))] * len(graph.layers)
        with np.errstate(all="ignore"):
            for wire in range(len(graph.layers) - 1, -1, -1):
                here = np.full((self.rows if self._is_exact else 1, graph.widths[wire]), -np.inf)
                for edge in graph.edges[wire]:
                    logs, following = self._log(edge.values, mean=not self._is_exact), ahead[edge.target]
                    if edge.is_diagonal:
                        np.maximum(here, logs + following, out=here)
                    elif logs.shape[0] == 1 and here.shape[0] > 1:
                        for row, behind in zip(here, following, strict=True):
                            np.maximum(row, (logs[0] + behind).max(axis=1), out=row)
                    else:
                        np.maximum(here, (logs + following[:, None, :]).max(axis=2), out=here)
                for end in graph.ends[wire]:
                    np.maximum(here, self._log(end.values, mean=not self._is_exact), out=here)
                ahead[wire] = here
            tops = [np.maximum(logs.max(axis=0), 2 * _LOG_ZERO) for logs in ahead]
            shares = [np.exp(logs - top) for logs, top in zip(ahead, tops, strict=True)]
        if not self._is_exact:
            shares = [np.broadcast_to(one, (self.rows, one.shape[1])) for one in shares]
        return shares, tops

    def _shares_of(self, wire: int) -> Numbers:
        return self._shares[wire]

    def _log(self, values: Numbers, *, mean: bool = False) -> Numbers:
        """Return log |x|, or that of its mean over the rows; the weights of a cell are the same at every step."""
        key = id(values)
        if key not in self._log_of:
            size = np.abs(values)
            self._log_of[key] = _log(size.mean(axis=0, keepdims=True) if mean and len(size) > 1 else size)
        return self._log_of[key]

    # What was done

    def _noted(self, one: Edge | End | None, parents: Places, sources: Places, units: Places) -> Places:
        self._firsts.append(self._count)
        self._blocks.append((one, parents, sources, units))
        marks = np.arange(self._count, self._count + len(parents))
        self._count += len(parents)
        return marks

    def _path(self, mark: int, first: ChainFactor | None) -> ChainPath:
        factors: list[ChainFactor] = []
        while mark >= 0:
            block = bisect_right(self._firsts, mark) - 1
            one, parents, sources, units = self._blocks[block]
            place = mark - self._firsts[block]
            source, unit = int(sources[place]), int(units[place])
            if one is not None:
                is_matrix = isinstance(one, Edge) and not one.is_diagonal
                values = one.values[:, source, unit] if is_matrix else one.values[:, source]
                factors.append(ChainFactor(one.part, one.layer, source, unit, values, one.time, one.gate))
            mark = int(parents[place])
        if first is not None:
            factors.append(first)
        factors.reverse()
        # Weights are the same in every row.
        values = np.array([np.broadcast_to(factor.values, (self.rows,)) for factor in factors])
        with np.errstate(all="ignore"):
            return ChainPath(tuple(factors), float(np.sum(product(values))))


def _joined(parts: list[_Beginnings]) -> _Beginnings:
    if len(parts) == 1:
        return parts[0]
    return _Beginnings(
        np.concatenate([part.shares for part in parts]),
        np.concatenate([part.logs for part in parts]),
        np.concatenate([part.units for part in parts]),
        np.concatenate([part.bounds for part in parts]),
        np.concatenate([part.marks for part in parts]),
    )


def _normalized(products: Numbers, logs: Numbers) -> tuple[Numbers, Numbers]:
    """Return products (ways, rows) over their largest magnitude, and its logarithm added to ``logs``."""
    clean, broken = _clean(products)
    largest = np.abs(clean).max(axis=1)
    is_zero = largest == 0
    shares = np.where(is_zero[:, None], 1.0, clean / np.where(is_zero, 1.0, largest)[:, None])
    logs = logs + _log(largest) + np.where(broken.any(axis=1), _LOG_BROKEN, 0.0)
    return shares, np.maximum(logs, 2 * _LOG_ZERO)


def _clean(values: Numbers) -> tuple[Numbers, NDArray[np.bool_]]:
    """Return values with 1 in place of NaN and ∞, and where those are."""
    broken = ~np.isfinite(values)
    return (np.where(broken, 1.0, values) if broken.any() else values), broken


def _size(value: float) -> float:
    return np.inf if np.isnan(value) else abs(value)


def _log(values: Numbers) -> Numbers:
    """Return log |x|, finite for 0, NaN and ∞."""
    with np.errstate(divide="ignore"):
        logs = np.log(np.abs(values))
    if not np.isfinite(logs).all():
        logs = np.nan_to_num(logs, nan=_LOG_BROKEN, posinf=_LOG_BROKEN, neginf=_LOG_ZERO)
    return np.asarray(logs)
