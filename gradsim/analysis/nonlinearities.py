"""Where the pre-activations of a layer lie on its activation: saturated, on a flat piece, at a kink.

What is counted here are values and slopes that a pass has computed; only cells of a recurrent layer, which keep
no slopes, get theirs from ``activation_functions`` at the recorded z.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradsim.analysis.activation_functions import activation_pair, kinks, largest_slope
from gradsim.spec import (
    Activation,
    ActivationLayer,
    BuiltLayer,
    Dense,
    Experiment,
    Head,
    Network,
    Recurrent,
    unrolled_layers,
)
from gradsim.spec.activation import Linear, Prelu, Relu, Sigmoid, Tanh

SHADED_BELOW = 0.1
"""Share of the largest slope below which a value counts as lying in the flat part: a convention of ours, stated
wherever it is drawn. The saturation of a layer needs no such cut."""

_CELL_ACTIVATIONS: dict[str, Activation] = {"tanh": Tanh(), "relu": Relu(), "linear": Linear()}
_GATES = {
    "lstm": (("gates i, f, o", (0, 1, 3)), ("candidate g", (2,))),
    "gru": (("gates r, z", (0, 1)), ("candidate n", (2,))),
}


@dataclass(frozen=True, slots=True, eq=False)
class Nonlinearity:
    """One activation of a layer with what went through it; a gated cell has two, a layer without any none.

    Attributes
    ----------
    label : str
        Which one, of a gated cell; empty where a layer has only one.
    activation : Activation
        With its own parameters.
    trained_slopes : ndarray, shape (1,) or (units,), or None
        Of a ``prelu``.
    z, value, slope : ndarray, shape (…, units)
        What goes in, φ(z) and φ'(z).
    """

    label: str
    activation: Activation
    trained_slopes: NDArray[Any] | None
    z: NDArray[Any]
    value: NDArray[Any]
    slope: NDArray[Any]

    @property
    def maximal_slope(self) -> float:
        """Largest φ'(z) over all z; 0 for a step."""
        return largest_slope(self.activation, self.trained_slopes)

    @property
    def saturation(self) -> float:
        """1 − mean φ'(z) / max φ', over all values; NaN for a step, or where a slope is NaN."""
        if self.maximal_slope == 0 or not self.slope.size:
            return float("nan")
        return 1.0 - float(np.mean(self.slope, dtype=np.float64)) / self.maximal_slope

    @property
    def shaded_share(self) -> float:
        """Share of the values where |φ'(z)| is less than ``SHADED_BELOW`` of its maximum; 1 for a step."""
        if not self.slope.size:
            return float("nan")
        if self.maximal_slope == 0:
            return 1.0
        return float(np.mean(np.abs(self.slope) < SHADED_BELOW * self.maximal_slope))

    @property
    def flat_share(self) -> float:
        """Share of the values where φ'(z) is exactly 0: nothing comes back through them."""
        return float(np.mean(self.slope == 0)) if self.slope.size else float("nan")

    @property
    def kinks(self) -> tuple[float, ...]:
        """The z where the slope jumps."""
        return kinks(self.activation)

    @property
    def at_kinks(self) -> tuple[int, ...]:
        """How many values lie exactly at each of the kinks, where the slope is a convention."""
        return tuple(int(np.count_nonzero(self.z == at)) for at in self.kinks)


def activation_layers(experiment: Experiment) -> Mapping[str, BuiltLayer]:
    """Return the layers that have an activation, in the order in which they compute.

    Parameters
    ----------
    experiment : Experiment
        Whose network it is.

    Returns
    -------
    mapping from str to layer
        Spec of each by its stable name: dense layers, recurrent ones, activations on their own, the head.
    """
    return _activation_layers(experiment.network)


@lru_cache(maxsize=4)
def _activation_layers(network: Network) -> Mapping[str, BuiltLayer]:
    kept = Dense | Head | Recurrent | ActivationLayer
    found = {
        placed.name: placed.layer for placed in unrolled_layers(network) if isinstance(placed.layer, kept)
    }
    return MappingProxyType(found)


def nonlinearities(layer: BuiltLayer, tensors: Mapping[str, NDArray[Any]]) -> tuple[Nonlinearity, ...]:
    """Return the activations of a layer with the values that went through them.

    Parameters
    ----------
    layer : layer of ``spec.PlacedLayer``
        As it was asked for.
    tensors : mapping from str to ndarray
        What a pass made of it: of a record, or of ``Simulator.observed``.

    Returns
    -------
    tuple of Nonlinearity
        Two for an LSTM or GRU (all sigmoid gates together; the candidate), none for layers without activation.
    """
    if isinstance(layer, Recurrent):
        return _of_cell(layer, tensors)
    if not isinstance(layer, Dense | Head | ActivationLayer):
        return ()
    z = tensors["scaled"] if "scaled" in tensors else tensors["pre_activation"]
    trained = tensors.get("prelu_slope") if isinstance(layer.activation, Prelu) else None
    return (Nonlinearity("", layer.activation, trained, z, tensors["activation"], tensors["slope"]),)


def _of_cell(layer: Recurrent, tensors: Mapping[str, NDArray[Any]]) -> tuple[Nonlinearity, ...]:
    z = tensors["pre_activation"]
    if layer.cell == "simple":
        activation = _CELL_ACTIVATIONS[layer.activation]
        slope = activation_pair(activation, z)[1]
        return (Nonlinearity("", activation, None, z, tensors["hidden"], slope),)
    units = layer.units
    found = []
    for label, places in _GATES[layer.cell]:
        activation = Sigmoid() if len(places) > 1 else Tanh()
        columns = np.concatenate([np.arange(place * units, (place + 1) * units) for place in places])
        part = z[..., columns]
        slope = activation_pair(activation, part)[1]
        found.append(Nonlinearity(label, activation, None, part, tensors["gates"][..., columns], slope))
    return tuple(found)
