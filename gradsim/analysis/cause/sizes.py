"""Sizes of the tensors of a record: each is measured once, and not at all where its statistics were recorded."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradsim.analysis.residual_stream import scaled_rms
from gradsim.trace import IterationTrace, LayerTrace

_SAFE = 1e-200, 1e300
_SHARED = ("activation", "activation_gradient", "delta")
"""Recorded statistics of tensors that may be the input, or its gradient, of the layer above or below."""


class Sizes:
    """rms of the tensors of one record.

    Tensors that are the same memory are the same tensor: the gradient of a layer's input is that of the output of
    the layer below.

    Parameters
    ----------
    trace : IterationTrace
        Any record.
    """

    def __init__(self, trace: IterationTrace) -> None:
        self._known: dict[tuple[int, tuple[int, ...]], float] = {}
        for layer in trace.layers:
            for name in _SHARED:
                if name in layer.statistics:
                    self._known[_place(layer.tensors[name])] = layer.statistics[name].rms

    def of(self, layer: LayerTrace, tensor: str) -> float:
        """Return the rms of a tensor.

        Parameters
        ----------
        layer : LayerTrace
            Of the record.
        tensor : str
            One that it holds.

        Returns
        -------
        float
            Over all values; 0, NaN and ∞ as they are.
        """
        if tensor in layer.statistics:
            return layer.statistics[tensor].rms
        return self.of_array(layer.tensors[tensor])

    def of_array(self, values: NDArray[Any]) -> float:
        """Return the rms of an array that stays as it is.

        Parameters
        ----------
        values : ndarray
            Held by the record.

        Returns
        -------
        float
            As ``of``.
        """
        place = _place(values)
        if place not in self._known:
            self._known[place] = rms(values)
        return self._known[place]


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
    with np.errstate(all="ignore"):
        total = float(wide @ wide) if wide.size else 0.0
    if _SAFE[0] < total < _SAFE[1]:
        return math.sqrt(total / wide.size)
    with np.errstate(all="ignore"):
        return scaled_rms(wide)


def _place(values: NDArray[Any]) -> tuple[int, tuple[int, ...]]:
    return values.__array_interface__["data"][0], values.shape
