"""The network as it is built: ``repeat`` unrolled and every layer under its stable name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from gradsim.spec.error import SpecError
from gradsim.spec.network import (
    MAX_LAYERS,
    ActivationLayer,
    Dense,
    Dropout,
    Head,
    Layer,
    Network,
    Normalization,
    Recurrent,
    Repeat,
    Residual,
)
from gradsim.spec.struct import kind_of

InnerLayer = Dense | Recurrent | Normalization | ActivationLayer | Dropout | Residual
BuiltLayer = InnerLayer | Head


class PlacedLayer(NamedTuple):
    """One layer of the unrolled network."""

    name: str
    """Stable name: its own, or its kind with a number; ``head`` for the head."""
    layer: BuiltLayer
    path: str
    """Where the layer stands in the document, as a JSON path; copies by ``repeat`` share theirs."""
    branch: tuple[PlacedLayer, ...] = ()
    """What is inside a residual."""


def placed_layers(network: Network) -> tuple[PlacedLayer, ...]:
    """Return the layers of a network in forward order, ``repeat`` unrolled, branches nested, the head last.

    Parameters
    ----------
    network : Network
        The network as it was asked for.

    Returns
    -------
    tuple of PlacedLayer
        A residual holds the layers of its branch.

    Raises
    ------
    SpecError
        If two layers have the same name, or the network has more than ``MAX_LAYERS`` layers.
    """
    naming = _Naming()
    placed = tuple(naming.placed(network.layers, "$.network.layers", repeated=False))
    return (*placed, PlacedLayer("head", network.head, "$.network.head"))


def unrolled_layers(network: Network) -> tuple[PlacedLayer, ...]:
    """Return all layers of a network one after the other, as they compute: a residual after its branch.

    Parameters
    ----------
    network : Network
        The network as it was asked for.

    Returns
    -------
    tuple of PlacedLayer
        Those that carry weights forward (dense, recurrent, the head) are numbered 1…L in this order.

    Raises
    ------
    SpecError
        As ``placed_layers``.
    """
    return tuple(_flat(placed_layers(network)))


def _flat(layers: tuple[PlacedLayer, ...]) -> Iterator[PlacedLayer]:
    for placed in layers:
        yield from _flat(placed.branch)
        yield placed


class _Naming:
    """Hands out the names in the order in which the layers stand in the document."""

    def __init__(self) -> None:
        self.numbers: Counter[str] = Counter()
        self.copies: Counter[str] = Counter()
        self.owners: dict[str, str] = {}

    def placed(self, layers: tuple[Layer, ...], path: str, *, repeated: bool) -> Iterator[PlacedLayer]:
        for index, layer in enumerate(layers):
            here = f"{path}[{index}]"
            if isinstance(layer, Repeat):
                for _ in range(layer.times):
                    yield from self.placed(layer.layers, f"{here}.layers", repeated=True)
            else:
                name = self._name(layer, here, repeated)
                branch: tuple[PlacedLayer, ...] = ()
                if isinstance(layer, Residual):
                    branch = tuple(self.placed(layer.layers, f"{here}.layers", repeated=repeated))
                yield PlacedLayer(name, layer, here, branch)

    def _name(self, layer: InnerLayer, path: str, repeated: bool) -> str:
        own = layer.name
        if own is None:
            kind = kind_of(layer)
            self.numbers[kind] += 1
            name = f"{kind}_{self.numbers[kind]}"
        elif repeated:
            self.copies[own] += 1
            name = f"{own}_{self.copies[own]}"
        else:
            name = own
        if name in self.owners or name == "head":
            other = "the head" if name == "head" else self.owners[name]
            raise SpecError(f"{path}.name", f"expected a name of its own, got {name!r}, which is {other}'s")
        self.owners[name] = path
        if len(self.owners) > MAX_LAYERS:
            raise SpecError(
                "$.network.layers", f"expected at most {MAX_LAYERS} layers after repeats, got more"
            )
        return name
