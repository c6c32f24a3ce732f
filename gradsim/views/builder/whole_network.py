"""All layers of a network at once: how many, how wide, with the same values. Pure functions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from gradsim.spec.fields import fields_of
from gradsim.spec.layout import unrolled_layers
from gradsim.spec.network import Dense, Layer, Network, Repeat

Place = tuple[int, ...]
"""Where a layer stands in the tree: indices from the outside in."""
MOST_TIMES = next(int(field.maximum or 1) for field in fields_of(Repeat) if field.name == "times")
MOST_WRITTEN_OUT = 12
"""Up to so many equal layers stand one by one when their number is changed; more become a repeat."""


def dense_of(layer: Layer) -> Iterator[Dense]:
    """Yield the dense layers in a layer, those inside a repeat once."""
    if isinstance(layer, Repeat):
        for inner in layer.layers:
            yield from dense_of(inner)
    else:
        yield layer


def dense_layers(network: Network) -> tuple[Dense, ...]:
    """Return the dense layers as they stand in the document, those inside a repeat once."""
    return tuple(dense for layer in network.layers for dense in dense_of(layer))


def with_all(network: Network, **values: Any) -> Network:
    """Return the network with the same values in every dense layer before the head."""

    def change(layer: Layer) -> Layer:  # numpydoc ignore=GL08
        if isinstance(layer, Repeat):
            return msgspec.structs.replace(layer, layers=tuple(map(change, layer.layers)))
        return msgspec.structs.replace(layer, **values)

    return msgspec.structs.replace(network, layers=tuple(map(change, network.layers)))


def depth(network: Network) -> int:
    """Return the number of layers before the head, repeats unrolled."""

    def count(layers: Sequence[Layer]) -> int:  # numpydoc ignore=GL08
        inner = (layer.times * count(layer.layers) if isinstance(layer, Repeat) else 1 for layer in layers)
        return sum(inner)

    return count(network.layers)


def unrolled_places(network: Network) -> list[Place]:
    """Return the place of each layer before the head, repeats unrolled: copies share their place."""

    def walk(layers: Sequence[Layer], place: Place) -> list[Place]:  # numpydoc ignore=GL08
        found: list[Place] = []
        for row, layer in enumerate(layers):
            here = (*place, row)
            found += walk(layer.layers, here) * layer.times if isinstance(layer, Repeat) else [here]
        return found

    return walk(network.layers, ())


def with_depth(network: Network, number: int) -> Network:
    """Return the network with another number of layers before the head.

    Parameters
    ----------
    network : Network
        Before; layers that are not all equal are kept, from the input on.
    number : int
        How many there shall be, at least 1.

    Returns
    -------
    Network
        New layers are copies of the last one.
    """
    present = [
        msgspec.structs.replace(placed.layer, name=None)
        for placed in unrolled_layers(network)
        if isinstance(placed.layer, Dense)
    ]
    present = present or [Dense()]
    if all(layer == present[0] for layer in present):
        return msgspec.structs.replace(network, layers=_run(present[0], number))
    if number <= len(present):
        return msgspec.structs.replace(network, layers=tuple(present[:number]))
    tail = _run(present[-1], number - len(present))
    return msgspec.structs.replace(network, layers=network.layers + tail)


def _run(layer: Layer, number: int) -> tuple[Layer, ...]:
    """Return so many copies of a layer, many of them as repeats."""
    if number <= MOST_WRITTEN_OUT:
        return (layer,) * number
    return tuple(
        Repeat(times=min(MOST_TIMES, number - start), layers=(layer,))
        for start in range(0, number, MOST_TIMES)
    )
