"""The numbers of a recurrent layer at single time steps, those of all steps computed at once. Without Qt."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradsim.analysis.through_time import rms_per_step, rms_per_unit
from gradsim.trace import LayerTrace

SHOWN = {"pre_activation": "activation", "delta": "activation_gradient"}
"""Tensor of the whole layer → what a single time step shows in its place: the state and its gradient.

What goes from step to step is h_t and dL/dh_t; z and δ belong to the gates between them.
"""


def has_time(layer: LayerTrace, tensor: str) -> bool:
    """Return whether a tensor of a layer has a value for every time step; parameters are the same at all."""
    return layer.kind == "recurrent" and SHOWN.get(tensor, tensor) in ("activation", "activation_gradient")


class TimeNumbers:
    """Sizes and means of the states of recurrent layers, step by step."""

    def __init__(self) -> None:
        self._units: dict[tuple[int, str], tuple[NDArray[np.float64], NDArray[np.float64]]] = {}
        self._sizes: dict[tuple[int, str], NDArray[np.float64]] = {}

    def values(self, layer: LayerTrace, tensor: str) -> NDArray[Any]:
        """Return what is shown in place of a tensor, shape (batch, time, units)."""
        return layer.tensors[SHOWN.get(tensor, tensor)]

    def units(self, layer: LayerTrace, tensor: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return rms and mean of every unit at every step, shape (time, units) each."""
        key = (layer.index, SHOWN.get(tensor, tensor))
        if key not in self._units:
            values = self.values(layer, tensor)
            with np.errstate(invalid="ignore"):
                mean = values.mean(axis=0, dtype=np.float64)
            self._units[key] = rms_per_unit(values), mean
        return self._units[key]

    def sizes(self, layer: LayerTrace, tensor: str) -> NDArray[np.float64]:
        """Return the rms at every step, shape (time,)."""
        key = (layer.index, SHOWN.get(tensor, tensor))
        if key not in self._sizes:
            self._sizes[key] = rms_per_step(self.values(layer, tensor))
        return self._sizes[key]
