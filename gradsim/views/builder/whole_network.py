"""All layers of a network at once: how many, how wide, with the same values. Pure functions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from gradsim.spec.fields import fields_of
from gradsim.spec.network import ActivationLayer, Dense, Layer, Network, Recurrent, Repeat, Residual

Place = tuple[int, ...]
"""Where a layer stands in the tree: indices from the outside in."""
MOST_TIMES = next(int(field.maximum or 1) for field in fields_of(Repeat) if field.name == "times")
MOST_WRITTEN_OUT = 12
"""Up to so many equal layers stand one by one when their number is changed; more become a repeat."""


def leaves_of(layer: Layer) -> Iterator[Layer]:
    """Yield the layers in a layer that hold no others, those inside a repeat once; a residual block after them."""
    if isinstance(layer, Repeat | Residual):
        for inner in layer.layers:
            yield from leaves_of(inner)
    if not isinstance(layer, Repeat):
        yield layer


def layers_with(network: Network, name: str) -> tuple[Any, ...]:
    """Return the layers that have a field which means the same everywhere, those inside a repeat once.

    Parameters
    ----------
    network : Network
        Any network.
    name : str
        ``units``, ``activation`` or ``initializer``.

    Returns
    -------
    tuple of Layer
        As they stand in the document.
    """
    leaves = (leaf for layer in network.layers for leaf in leaves_of(layer))
    return tuple(leaf for leaf in leaves if isinstance(leaf, _HAVING[name]))


_HAVING: dict[str, tuple[type[Any], ...]] = {
    "units": (Dense, Recurrent),
    "activation": (Dense, ActivationLayer),
    "initializer": (Dense, Recurrent),
}


def with_all(network: Network, **values: Any) -> Network:
    """Return the network with the same values in every layer before the head that has such a field."""

    def change(layer: Layer) -> Layer:  # numpydoc ignore=GL08
        if isinstance(layer, Repeat | Residual):
            return msgspec.structs.replace(layer, layers=tuple(map(change, layer.layers)))
        own = {name: value for name, value in values.items() if isinstance(layer, _HAVING[name])}
        return msgspec.structs.replace(layer, **own)

    return msgspec.structs.replace(network, layers=tuple(map(change, network.layers)))


def numbered_count(layer: Layer) -> int:
    """Return how many numbered layers a layer stands for, repeats unrolled."""
    if isinstance(layer, Repeat | Residual):
        times = layer.times if isinstance(layer, Repeat) else 1
        return times * sum(map(numbered_count, layer.layers))
    return int(isinstance(layer, Dense | Recurrent))


def depth(network: Network) -> int:
    """Return the number of numbered layers before the head, repeats unrolled."""
    return sum(map(numbered_count, network.layers))


def unrolled_places(network: Network) -> list[Place]:
    """Return the place of each layer before the head in the order of a trace: copies share their place."""

    def walk(layers: Sequence[Layer], place: Place) -> list[Place]:  # numpydoc ignore=GL08
        found: list[Place] = []
        for row, layer in enumerate(layers):
            here = (*place, row)
            if isinstance(layer, Repeat):
                found += walk(layer.layers, here) * layer.times
            else:
                found += [*walk(layer.layers, here), here] if isinstance(layer, Residual) else [here]
        return found

    return walk(network.layers, ())


def index_of_place(network: Network, place: Place) -> int | None:
    """Return the index in a trace of the layer at a place: its first copy, the first layer of a repeat."""
    places = unrolled_places(network)
    if place == (len(network.layers),):
        return len(places)
    if place in places:
        return places.index(place)
    return next((i for i, other in enumerate(places) if other[: len(place)] == place), None)


def with_depth(network: Network, number: int) -> Network:
    """Return the network with another number of numbered layers before the head.

    Parameters
    ----------
    network : Network
        Before; layers that are not all equal are kept, from the input on.
    number : int
        How many there shall be, at least 1.

    Returns
    -------
    Network
        New layers are copies of the last one. Residual blocks come and go whole: where they hold several
        layers the number may stay below the wanted one.
    """
    present: list[Layer] = []
    for layer in network.layers:
        present += layer.layers * layer.times if isinstance(layer, Repeat) else (layer,)
    present = [_nameless(layer) for layer in present] or [Dense()]
    counts = [numbered_count(layer) for layer in present]
    if all(layer == present[0] for layer in present) and counts[0]:
        return msgspec.structs.replace(network, layers=_run(present[0], max(number // counts[0], 1)))
    last = max((i for i, count in enumerate(counts) if count), default=0)
    missing = number - sum(counts)
    if missing >= 0:
        copies = missing // counts[last] if counts[last] else 0
        tail = _run(present[last], copies)
        if last == len(present) - 1:  # what is written as a repeat stays one
            return msgspec.structs.replace(network, layers=network.layers + tail)
        return msgspec.structs.replace(network, layers=(*present[: last + 1], *tail, *present[last + 1 :]))
    kept: list[Layer] = []
    rest = number
    for layer, count in zip(present, counts, strict=True):
        if count > rest and kept:
            break
        kept.append(layer)
        rest -= count
    return msgspec.structs.replace(network, layers=tuple(kept))


def _nameless(layer: Layer) -> Layer:
    if isinstance(layer, Repeat | Residual):
        return msgspec.structs.replace(layer, name=None, layers=tuple(map(_nameless, layer.layers)))
    return msgspec.structs.replace(layer, name=None)


def _run(layer: Layer, number: int) -> tuple[Layer, ...]:
    """Return so many copies of a layer, many of them as repeats."""
    if number <= MOST_WRITTEN_OUT:
        return (layer,) * number
    return tuple(
        Repeat(times=min(MOST_TIMES, number - start), layers=(layer,))
        for start in range(0, number, MOST_TIMES)
    )
