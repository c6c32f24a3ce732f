"""The network as it is built: ``repeat`` unrolled and every layer under its stable name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from gradsim.spec.error import SpecError
from gradsim.spec.network import MAX_LAYERS, Dense, Head, Layer, Network, Repeat
from gradsim.spec.struct import kind_of


class PlacedLayer(NamedTuple):
    """One layer of the unrolled network."""

    name: str
    """Stable name: its own, or its kind with a number; ``head`` for the head."""
    layer: Dense | Head
    path: str
    """Where the layer stands in the document, as a JSON path; copies by ``repeat`` share theirs."""


def unrolled_layers(network: Network) -> tuple[PlacedLayer, ...]:
    """Return the layers of a network in forward order, ``repeat`` unrolled, the head last.

    Parameters
    ----------
    network : Network
        The network as it was asked for.

    Returns
    -------
    tuple of PlacedLayer
        Layers that carry weights are numbered 1…L in this order.

    Raises
    ------
    SpecError
        If two layers have the same name, or the network has more than ``MAX_LAYERS`` layers.
    """
    numbers: Counter[str] = Counter()
    copies: Counter[str] = Counter()
    seen: dict[str, str] = {}
    placed: list[PlacedLayer] = []
    for layer, path, repeated in _unrolled(network.layers, "$.network.layers"):
        if layer.name is None:
            numbers[kind_of(layer)] += 1
            name = f"{kind_of(layer)}_{numbers[kind_of(layer)]}"
        elif repeated:
            copies[layer.name] += 1
            name = f"{layer.name}_{copies[layer.name]}"
        else:
            name = layer.name
        if name in seen or name == "head":
            other = "the head" if name == "head" else seen[name]
            raise SpecError(f"{path}.name", f"expected a name of its own, got {name!r}, which is {other}'s")
        seen[name] = path
        placed.append(PlacedLayer(name, layer, path))
        if len(placed) > MAX_LAYERS:
            raise SpecError(
                "$.network.layers", f"expected at most {MAX_LAYERS} layers after repeats, got more"
            )
    placed.append(PlacedLayer("head", network.head, "$.network.head"))
    return tuple(placed)


def _unrolled(
    layers: tuple[Layer, ...], path: str, repeated: bool = False
) -> Iterator[tuple[Dense, str, bool]]:
    for index, layer in enumerate(layers):
        here = f"{path}[{index}]"
        if isinstance(layer, Repeat):
            for _ in range(layer.times):
                yield from _unrolled(layer.layers, f"{here}.layers", repeated=True)
        else:
            yield layer, here, repeated
