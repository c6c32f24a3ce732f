"""The largest of all paths through a graph, best first, without walking through each.

What is still ahead of a unit is known exactly for one row of the batch, and from above for several, so that no path is
taken before a larger one.
"""

from __future__ import annotations

from heapq import heappop, heappush
from itertools import count

import numpy as np
from numpy.typing import NDArray

from gradsim.analysis.chain_graph import Edge, End, Graph
from gradsim.analysis.chain_paths import ChainFactor, ChainPath, product

_LOG_ZERO = -1e9
_LOG_BROKEN = 1e12
"""Logarithms of 0, and of NaN and ∞: finite, so that sums are, and a broken factor outweighs any zeros."""

_MOST_VISITS = 20_000
_MOST_VISITED = 2_000_000
"""Steps of a search, and numbers looked at by them: a search in several rows ends after so many."""


def largest_paths(
    graph: Graph, unit: int, first: ChainFactor, most: int, visits: int | None = None
) -> tuple[tuple[ChainPath, ...], bool]:
    """Return the paths with the largest contributions.

    Parameters
    ----------
    graph : Graph
        With at least one wire.
    unit : int
        Of the first wire: where all paths begin.
    first : ChainFactor
        ∂z/∂w, the first factor of every path.
    most : int
        How many at most.
    visits : int, optional
        After so many steps the search ends with what it has found; by default as many as take about a tenth of
        a second.

    Returns
    -------
    paths : tuple of ChainPath
        Largest magnitude first; NaN and ∞ count as largest.
    finished : bool
        Whether they are surely the largest. For one row they always are; for several, whose products can
        cancel, the search may have to end early.
    """
    search = _Search(graph, len(first.values))
    if visits is None:
        visits = min(_MOST_VISITS, _MOST_VISITED // (search.rows * max(graph.widths)))
        # One row needs a few steps for each wire of each path; it is never cut short.
        visits = _MOST_VISITS + 4 * most * len(graph.layers) if search.rows == 1 else visits
    open_: list[tuple[float, int, _Node]] = []
    tickets = count()
    found: list[tuple[float, ChainPath]] = []

    def push(node: _Node) -> None:
        # Of equal ones the newest: it is the furthest on its way.
        heappush(open_, (-node.bound, -next(tickets), node))

    push(_Node(_log(first.values), 0, unit, first))
    open_[0][2].bound = np.inf
    while open_ and len(found) < most:
        if visits <= 0:
            return tuple(path for _, path in _sorted(found)), False
        visits -= 1
        node = heappop(open_)[2]
        if node.path is not None:
            found.append((node.bound, node.path))
            continue
        if node.following is not None and node.rank + 1 < len(node.following):
            push(node.following.node(node.rank + 1))
        node = search.run(node)
        if node.wire is None:
            node.path = _path(node)
            if search.rows > 1:  # until here its magnitude was known from above only
                node.bound = float(_log(np.array([node.path.value]))[0])
            push(node)
        else:
            following = _Following(search, node)
            if len(following):
                push(following.node(0))
    return tuple(path for _, path in _sorted(found)), True


def _sorted(found: list[tuple[float, ChainPath]]) -> list[tuple[float, ChainPath]]:
    return sorted(found, key=lambda one: -one[0])


class _Node:
    """A unit reached on the way, or the end of a path (no wire)."""

    __slots__ = ("before", "bound", "factor", "following", "logs", "path", "rank", "unit", "wire")

    def __init__(
        self,
        logs: NDArray[np.float64],
        wire: int | None,
        unit: int,
        factor: ChainFactor,
        before: _Node | None = None,
        bound: float = 0.0,
        following: _Following | None = None,
        rank: int = 0,
    ) -> None:
        self.logs, self.wire, self.unit, self.factor = logs, wire, unit, factor
        self.before, self.bound, self.following, self.rank = before, bound, following, rank
        self.path: ChainPath | None = None


class _Search:
    """What is the same for all steps of a search: the graph, and the largest product still ahead of each unit."""

    def __init__(self, graph: Graph, rows: int) -> None:
        self.graph, self.rows = graph, rows
        self._alone: list[tuple[Edge | End, NDArray[np.float64]] | None] = [None] * len(graph.layers)
        self.ahead = [np.full((rows, width), -np.inf) for width in graph.widths]
        for wire in range(len(graph.layers) - 1, -1, -1):
            here = self.ahead[wire]
            for edge in graph.edges[wire]:
                logs, following = _log(edge.values), self.ahead[edge.target]
                if edge.is_diagonal:
                    np.maximum(here, logs + following, out=here)
                else:
                    np.maximum(here, (logs + following[:, None, :]).max(axis=2), out=here)
            for end in graph.ends[wire]:
                np.maximum(here, _log(end.values), out=here)
            ways: list[Edge | End] = [*graph.edges[wire], *graph.ends[wire]]
            if len(ways) == 1 and not (isinstance(ways[0], Edge) and not ways[0].is_diagonal):
                self._alone[wire] = ways[0], _log(ways[0].values)

    def run(self, node: _Node) -> _Node:
        """Go on as long as there is only one way, which leaves the bound as it is."""
        while node.wire is not None and (alone := self._alone[node.wire]) is not None:
            one, logs = alone
            factor = ChainFactor(one.part, one.layer, node.unit, node.unit, one.values[:, node.unit])
            wire = one.target if isinstance(one, Edge) else None
            node = _Node(node.logs + logs[:, node.unit], wire, node.unit, factor, node, node.bound)
        return node


class _Following:
    """All steps that can follow a node, the most promising first."""

    def __init__(self, search: _Search, node: _Node) -> None:
        assert node.wire is not None
        self.node_before, unit, graph = node, node.unit, search.graph
        self.ways: list[Edge | End] = [*graph.edges[node.wire], *graph.ends[node.wire]]
        logs, bounds, ways, units = [], [], [], []
        for way, one in enumerate(self.ways):
            if isinstance(one, Edge) and not one.is_diagonal:
                step = node.logs[:, None] + _log(one.values[:, unit])
                ahead = step + search.ahead[one.target]
                units.append(np.arange(step.shape[1]))
            else:
                step = (node.logs + _log(one.values[:, unit]))[:, None]
                ahead = step + search.ahead[one.target][:, unit, None] if isinstance(one, Edge) else step
                units.append(np.array([unit]))
            logs.append(step)
            bounds.append(_together(ahead))
            ways.append(np.full(step.shape[1], way))
        self.logs = np.concatenate(logs, axis=1) if logs else np.zeros((search.rows, 0))
        self.bounds = np.concatenate(bounds) if bounds else np.zeros(0)
        self.way = np.concatenate(ways) if ways else np.zeros(0, np.int64)
        self.units = np.concatenate(units) if units else np.zeros(0, np.int64)
        self.order = (-self.bounds).argsort(kind="stable")

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.order)

    def node(self, rank: int) -> _Node:
        """Return the step of a rank."""
        place = self.order[rank]
        one, source, unit = self.ways[self.way[place]], self.node_before.unit, int(self.units[place])
        is_matrix = isinstance(one, Edge) and not one.is_diagonal
        values = one.values[:, source, unit] if is_matrix else one.values[:, source]
        factor = ChainFactor(one.part, one.layer, source, unit, values)
        wire = one.target if isinstance(one, Edge) else None
        bound = float(self.bounds[place])
        return _Node(self.logs[:, place], wire, unit, factor, self.node_before, bound, self, rank)


def _path(node: _Node) -> ChainPath:
    factors: list[ChainFactor] = []
    here: _Node | None = node
    while here is not None:
        factors.append(here.factor)
        here = here.before
    factors.reverse()
    rows = max(len(factor.values) for factor in factors)
    columns = [factor.values for factor in factors]
    if rows > 1:  # weights are the same in every row
        columns = [np.broadcast_to(values, (rows,)) for values in columns]
    values = np.array(columns)
    with np.errstate(all="ignore"):
        return ChainPath(tuple(factors), float(np.sum(product(values))))


def _log(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return log |x|, finite for 0, NaN and ∞."""
    with np.errstate(divide="ignore"):
        logs = np.log(np.abs(values))
    if not np.isfinite(logs).all():
        logs = np.nan_to_num(logs, nan=_LOG_BROKEN, posinf=_LOG_BROKEN, neginf=_LOG_ZERO)
    return np.asarray(logs)


def _together(logs: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the logarithm of a sum over the rows, (units,)."""
    if logs.shape[0] == 1:
        return np.asarray(logs[0])
    largest = logs.max(axis=0)
    return np.asarray(largest + np.log(np.exp(logs - largest).sum(axis=0)))
