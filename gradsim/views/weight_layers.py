"""The numbered layers of a trace, dense, recurrent and the head, as plots number them: 1…L from the left."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradsim.trace import Cursor, IterationTrace, LayerTrace, Step


class WeightLayers:
    """Positions 1…L on a layer axis, and back to indices of ``IterationTrace.layers``.

    Parameters
    ----------
    trace : IterationTrace
        One recorded iteration.
    """

    def __init__(self, trace: IterationTrace) -> None:
        self.trace = trace
        self.layers: tuple[LayerTrace, ...] = tuple(t for t in trace.layers if t.number is not None)
        self.rows = [layer.index for layer in self.layers]
        """Row of each in a ``History`` of the same run."""
        self.names = tuple(layer.name for layer in self.layers)
        self.positions: NDArray[np.float64] = np.arange(1.0, len(self.layers) + 1.0)
        self._position = {layer.index: place + 1 for place, layer in enumerate(self.layers)}

    def __len__(self) -> int:
        """Return L."""
        return len(self.layers)

    def nearest(self, x: float) -> LayerTrace | None:
        """Return the layer at a place on the axis.

        Parameters
        ----------
        x : float
            Layer k reaches from k − 0.5 to k + 0.5.

        Returns
        -------
        LayerTrace or None
            None beside all layers.
        """
        place = int(np.floor(x + 0.5)) - 1
        return self.layers[place] if 0 <= place < len(self.layers) else None

    def position(self, index: int | None) -> int | None:
        """Return the place of a layer on the axis.

        Parameters
        ----------
        index : int or None
            Into ``IterationTrace.layers``.

        Returns
        -------
        int or None
            From 1; None for no layer or one without weights.
        """
        return None if index is None else self._position.get(index)

    def rms(self, tensor: str) -> NDArray[np.float64]:
        """Return the rms of a tensor in every layer.

        Parameters
        ----------
        tensor : str
            One of ``trace.TENSORS``.

        Returns
        -------
        ndarray of float64, shape (L,)
            0, NaN and ∞ as they are.
        """
        return np.array([layer.statistics[tensor].rms for layer in self.layers], dtype=np.float64)

    def reached(self, tensor: str, cursor: Cursor | None) -> NDArray[np.bool_]:
        """Return in which layers a tensor exists already at a place in the iteration.

        Parameters
        ----------
        tensor : str
            One of ``trace.TENSORS``; the weights exist from the start.
        cursor : Cursor or None
            None, or one of another iteration, stands behind the last step.

        Returns
        -------
        ndarray of bool, shape (L,)
            True where a step up to the cursor has made it.
        """
        result = np.ones(len(self.layers), dtype=bool)
        if cursor is None or cursor.iteration != self.trace.iteration or tensor == "weight":
            return result
        for step in self.trace.steps[cursor.step + 1 :]:
            place = self.position(step.layer)
            if place is not None and step.tensor == tensor:
                result[place - 1] = False
        return result

    def step(self, cursor: Cursor | None) -> Step | None:
        """Return the step under the cursor.

        Parameters
        ----------
        cursor : Cursor or None
            The place looked at.

        Returns
        -------
        Step or None
            None without a cursor, or for one of another iteration.
        """
        if cursor is None or cursor.iteration != self.trace.iteration or not self.trace.steps:
            return None
        return self.trace.steps[min(cursor.step, len(self.trace.steps) - 1)]


def padded(values: NDArray[Any], rows: int) -> NDArray[Any]:
    """Return a column of a table with empty cells behind its numbers.

    Parameters
    ----------
    values : ndarray, shape (n,)
        Numbers.
    rows : int
        How long the column must be, n or more.

    Returns
    -------
    ndarray, shape (rows,)
        The same array if it is long enough, else one of objects.
    """
    if len(values) == rows:
        return values
    result = np.full(rows, "", dtype=object)
    result[: len(values)] = ["NaN" if value != value else value for value in values.tolist()]
    return result
