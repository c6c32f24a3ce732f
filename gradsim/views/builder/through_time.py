"""What a network needs so that the time steps of its data go in and come out. Pure functions."""

from __future__ import annotations

from typing import Any

import msgspec

from gradsim.spec.activation import Tanh
from gradsim.spec.network import Dense, Layer, Network, Recurrent, Repeat, Residual
from gradsim.views.builder.whole_network import leaves_of


def recurrent_layers(network: Network) -> tuple[Recurrent, ...]:
    """Return the recurrent layers as they stand in the document, those inside a repeat once."""
    leaves = (leaf for layer in network.layers for leaf in leaves_of(layer))
    return tuple(leaf for leaf in leaves if isinstance(leaf, Recurrent))


def without_time(network: Network) -> Network:
    """Return the network for data without time steps: a dense layer with tanh in place of each recurrent one."""
    return msgspec.structs.replace(network, layers=tuple(map(_dense, network.layers)))


def with_time(network: Network, answers_every_step: bool) -> Network:
    """Return the network for sequences.

    Parameters
    ----------
    network : Network
        Any network; where it has no recurrent layer, one comes first.
    answers_every_step : bool
        Whether the head is compared with a target at every step, or at the end alone.

    Returns
    -------
    Network
        Every recurrent layer hands on every step, but for the last one if the answer comes at the end; that
        one stands by itself, so it is added behind a repeat or residual block with recurrent layers.
    """
    layers = list(network.layers)
    if not recurrent_layers(network):
        layers.insert(0, Recurrent())
    layers = [_every_step(layer) for layer in layers]
    if not answers_every_step:
        last = max(i for i, layer in enumerate(layers) if _is_recurrent(layer))
        if not isinstance(layers[last], Recurrent):
            inner = [leaf for leaf in leaves_of(layers[last]) if isinstance(leaf, Recurrent)]
            last += 1
            layers.insert(last, msgspec.structs.replace(inner[-1], name=None))
        layers[last] = msgspec.structs.replace(layers[last], return_sequences=False)
    return msgspec.structs.replace(network, layers=tuple(layers))


def _is_recurrent(layer: Layer) -> bool:
    return any(isinstance(leaf, Recurrent) for leaf in leaves_of(layer))


def _every_step(layer: Any) -> Layer:
    if isinstance(layer, Repeat | Residual):
        return msgspec.structs.replace(layer, layers=tuple(map(_every_step, layer.layers)))
    return msgspec.structs.replace(layer, return_sequences=True) if isinstance(layer, Recurrent) else layer


def _dense(layer: Layer) -> Layer:
    if isinstance(layer, Repeat | Residual):
        return msgspec.structs.replace(layer, layers=tuple(map(_dense, layer.layers)))
    if not isinstance(layer, Recurrent):
        return layer
    return Dense(units=layer.units, activation=Tanh(), initializer=layer.initializer, name=layer.name)
