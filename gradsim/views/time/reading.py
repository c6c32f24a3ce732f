"""What the view says of one recurrent layer at one pass: read from the trace once, when first asked for."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from gradsim.analysis.fit import Fit
from gradsim.analysis.through_time import (
    STATE_GRADIENTS,
    KeptProduct,
    fitted_factor_per_step,
    gates_of,
    kept_product,
    recurrent_layers,
    rms_per_step,
    rms_per_unit,
)
from gradsim.trace import IterationTrace, LayerTrace, Step

SYMBOLS = {"hidden_gradient": "∂L/∂hₜ", "cell_gradient": "∂L/∂cₜ"}
"""Tensor → what it is called."""


class Reading:
    """The numbers of a recurrent layer through time.

    Parameters
    ----------
    trace : IterationTrace
        The pass.
    layer : LayerTrace
        One of its recurrent layers.
    sample : int or None
        A row of the batch; None for all of it.
    """

    def __init__(self, trace: IterationTrace, layer: LayerTrace, sample: int | None) -> None:
        self.trace = trace
        self.layer = layer
        self.sample = sample
        self._units: dict[str, NDArray[np.float64]] = {}

    @property
    def steps(self) -> int:
        """How many time steps there are."""
        return int(self.layer.hidden.shape[1])

    @property
    def times(self) -> NDArray[np.float64]:
        """The steps as people count them, 1…T."""
        return np.arange(1.0, self.steps + 1.0)

    @cached_property
    def tensors(self) -> tuple[str, ...]:
        """The gradients of states that the cell has."""
        return tuple(tensor for tensor in STATE_GRADIENTS if tensor in self.layer.tensors)

    @cached_property
    def sizes(self) -> dict[str, NDArray[np.float64]]:
        """By tensor, the rms at every step."""
        return {tensor: rms_per_step(self.layer.tensors[tensor], self.sample) for tensor in self.tensors}

    @cached_property
    def fits(self) -> dict[str, Fit]:
        """By tensor, the line through log10 of the sizes."""
        return {tensor: fitted_factor_per_step(values) for tensor, values in self.sizes.items()}

    @cached_property
    def gates(self) -> dict[str, NDArray[np.float64]]:
        """By name, how far each gate is open at every step."""
        return gates_of(self.layer, self.sample)

    @cached_property
    def kept(self) -> KeptProduct | None:
        """What the gates alone let through from the end; None without gates."""
        return kept_product(self.layer, self.sample)

    def units(self, tensor: str) -> NDArray[np.float64]:
        """Return the size of every unit at every step, shape (time, units)."""
        if tensor not in self._units:
            self._units[tensor] = rms_per_unit(self.layer.tensors[tensor], self.sample)
        return self._units[tensor]

    @property
    def whose(self) -> str:
        """Over what the sizes are taken, in words."""
        return (
            "over batch and units" if self.sample is None else f"over the units of sample {self.sample + 1}"
        )


def chosen_layer(trace: IterationTrace, selected: int | None) -> LayerTrace | None:
    """Return the recurrent layer to show: the selected one, else the first; None without any."""
    layers = recurrent_layers(trace)
    return next((layer for layer in layers if layer.index == selected), layers[0] if layers else None)


def time_at(trace: IterationTrace, step: int | None, layer: int) -> int | None:
    """Return the time step of a layer at which a step of the iteration stands; None for any other step."""
    if step is None or not trace.steps:
        return None
    here: Step = trace.steps[min(max(step, 0), len(trace.steps) - 1)]
    return here.time if here.layer == layer else None


def step_of(trace: IterationTrace, layer: int, time: int, phase: str) -> int | None:
    """Return the step of the iteration that tells a time step of a layer on the way forward or backward."""
    wanted = (phase, layer, time)
    return next((i for i, s in enumerate(trace.steps) if (s.phase, s.layer, s.time) == wanted), None)
