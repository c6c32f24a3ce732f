"""The parts of a graph of derivatives: wires, edges between them, and where paths end."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Part = Literal[
    "input",
    "slope",
    "weight",
    "jacobian",
    "mask",
    "skip",
    "branch",
    "recurrent",
    "gate",
    "keep",
    "show",
    "reset",
    "loss",
    "loss_and_slope",
    "handed",
]
"""What a factor is. ``jacobian``: of a softmax or a normalization of one row; ``handed``: the recorded gradient;
from ``recurrent`` to ``reset``: those inside a recurrent cell."""


@dataclass(frozen=True, slots=True, eq=False)
class Edge:
    """The derivative of one wire by another.

    Attributes
    ----------
    source, target : int
        Wires.
    part : str
        What it is.
    layer : int
        Index of the layer it belongs to.
    values : ndarray of float64
        (rows, units) where unit goes to unit, else (rows or 1, units of the source, units of the target).
    time : int or None, default None
        Step of time it leads to, inside a recurrent layer.
    gate : int or None, default None
        Gate it belongs to, inside a cell with several.
    """

    source: int
    target: int
    part: Part
    layer: int
    values: NDArray[np.float64]
    time: int | None = None
    gate: int | None = None

    @property
    def is_diagonal(self) -> bool:
        """Whether a unit leads to the same unit only."""
        return self.values.ndim == 2


@dataclass(frozen=True, slots=True, eq=False)
class End:
    """Where paths end on a wire: the derivative of the loss by it, as far as it comes by this way.

    Attributes
    ----------
    part : str
        ``loss``, ``loss_and_slope`` or ``handed``.
    layer : int
        Index of the layer in which it was recorded.
    values : ndarray of float64, shape (rows, units)
        The recorded gradient.
    time : int or None, default None
        Step of time, where a recurrent layer hands on its steps.
    gate : None
        As an ``Edge`` has.
    """

    part: Part
    layer: int
    values: NDArray[np.float64]
    time: int | None = None
    gate: int | None = None


@dataclass(slots=True, eq=False)
class Graph:
    """Wires in forward order, the first one the pre-activation that is started from.

    Attributes
    ----------
    layers : list of int
        Of each wire the layer whose units its units are.
    widths : list of int
        Units of each wire.
    edges : list of list of Edge
        Those that leave each wire.
    ends : list of list of End
        Those of each wire.
    """

    layers: list[int] = field(default_factory=list)
    widths: list[int] = field(default_factory=list)
    edges: list[list[Edge]] = field(default_factory=list)
    ends: list[list[End]] = field(default_factory=list)

    @property
    def size(self) -> int:
        """How many numbers all edges have."""
        return sum(edge.values.size for leaving in self.edges for edge in leaving)

    def add(self, layer: int, width: int) -> int:
        """Append a wire; return its index."""
        self.layers.append(layer)
        self.widths.append(width)
        self.edges.append([])
        self.ends.append([])
        return len(self.layers) - 1
