"""Edits of the tree of layers, each a pure function from network to network.

A place is a tuple of indices from the outside in: ``(2, 0)`` is the first layer inside the third one. Every edit
returns the new network and the place to select afterwards.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from gradsim.spec.network import Dense, Layer, Network, Repeat, Residual
from gradsim.views.builder.whole_network import Place, leaves_of

Edited = tuple[Network, Place]


class _Node:
    """A layer that knows where it stands; equal layers are still different nodes."""

    def __init__(self, layer: Layer | None, layers: Sequence[Layer] | None) -> None:
        self.layer = layer
        self.parent: _Node | None = None
        self.children: list[_Node] | None = None
        if layers is not None:
            self.children = []
            for inner in layers:
                self.insert(len(self.children), _node(inner))

    def insert(self, row: int, node: _Node) -> None:
        assert self.children is not None
        node.parent = self
        self.children.insert(row, node)

    def detach(self) -> None:
        assert self.parent is not None
        assert self.parent.children is not None
        self.parent.children.remove(self)
        self.parent = None

    @property
    def row(self) -> int:
        assert self.parent is not None
        assert self.parent.children is not None
        return self.parent.children.index(self)

    @property
    def place(self) -> Place:
        return () if self.parent is None else (*self.parent.place, self.row)

    def is_within(self, other: _Node) -> bool:
        return self is other or (self.parent is not None and self.parent.is_within(other))

    def prune(self) -> None:
        """Take repeats and residual blocks away in which nothing is left."""
        for child in list(self.children or ()):
            child.prune()
            if child.children is not None and not child.children:
                child.detach()

    def layers(self) -> tuple[Layer, ...]:
        assert self.children is not None
        return tuple(child.written() for child in self.children)

    def written(self) -> Layer:
        assert self.layer is not None
        if self.children is None:
            return self.layer
        return msgspec.structs.replace(self.layer, layers=self.layers())


def _node(layer: Layer) -> _Node:
    return _Node(layer, layer.layers if isinstance(layer, Repeat | Residual) else None)


def _found(root: _Node, place: Place) -> _Node:
    node = root
    for index in place:
        assert node.children is not None
        node = node.children[index]
    return node


def _result(network: Network, root: _Node, selected: _Node | None) -> Edited:
    root.prune()
    edited = msgspec.structs.replace(network, layers=root.layers())
    place = selected.place if selected is not None and selected.is_within(root) else ()
    return edited, place


def layer_at(network: Network, place: Place) -> Layer:
    """Return the layer at a place of the tree."""
    return _found(_Node(None, network.layers), place).written()


def replaced(network: Network, place: Place, layer: Layer) -> Network:
    """Return the network with another layer at a place."""
    root = _Node(None, network.layers)
    old = _found(root, place)
    new = _node(layer)
    parent, row = old.parent, old.row
    assert parent is not None
    old.detach()
    parent.insert(row, new)
    return _result(network, root, new)[0]


def added(network: Network, after: Place | None, kind: type[Layer] = Dense) -> Edited:
    """Return the network with one more layer.

    Parameters
    ----------
    network : Network
        Before.
    after : Place or None
        The layer it follows and, if of the same kind, takes after; None for the last one.
    kind : type of Layer, default Dense
        A repeat or a residual block comes with a dense layer inside.

    Returns
    -------
    tuple of Network and Place
        After a repeat, the new layer follows the repeat.
    """
    root = _Node(None, network.layers)
    if not after:
        after = (len(network.layers) - 1,) if network.layers else None
    if after is None:
        root.insert(0, new := _node(_new(kind, ())))
        return _result(network, root, new)
    here = _found(root, after)
    assert here.parent is not None
    new = _node(_new(kind, (here.written(), *network.layers)))
    here.parent.insert(here.row + 1, new)
    return _result(network, root, new)


def _new(kind: type[Layer], models: Sequence[Layer]) -> Layer:
    """Return a layer like the first model: the model itself if of the kind, else the first inside of one."""
    if kind is Repeat or kind is Residual:
        inner = (_new(Dense, models[:1]),)
        return Repeat(layers=inner) if kind is Repeat else Residual(layers=inner)
    near = models[:1] if kind is not Dense else models
    found = (layer for model in near for layer in leaves_of(model) if type(layer) is kind)
    return msgspec.structs.replace(next(found, None) or kind(), name=None)  # type: ignore[call-arg]


def duplicated(network: Network, places: Sequence[Place]) -> Edited:
    """Return the network with a copy of each of the layers behind it; copies lose their names."""
    root = _Node(None, network.layers)
    new: _Node | None = None
    for node in [_found(root, place) for place in _outermost(places)]:
        assert node.parent is not None
        new = _node(_without_names(node.written()))
        node.parent.insert(node.row + 1, new)
    return _result(network, root, new)


def removed(network: Network, places: Sequence[Place]) -> Edited:
    """Return the network without some layers, and without repeats that this leaves empty."""
    root = _Node(None, network.layers)
    nodes = [_found(root, place) for place in _outermost(places)]
    order = list(_all(root))
    last = max((order.index(node) for node in nodes), default=-1)
    for node in nodes:
        node.detach()
    root.prune()
    neighbours = (node for node in order[last + 1 :] + order[:last][::-1] if node.is_within(root))
    return _result(network, root, next(neighbours, None))


def moved(network: Network, places: Sequence[Place], parent: Place, row: int) -> Edited:
    """Return the network with some layers moved in front of a row.

    Parameters
    ----------
    network : Network
        Before.
    places : sequence of Place
        What is moved, in the order in which it arrives.
    parent : Place
        The repeat it goes into; empty for the outermost list.
    row : int
        The row there, counted before the move; -1 for the end.

    Returns
    -------
    tuple of Network and Place
        The network as it was where a repeat would have to go into itself.
    """
    root = _Node(None, network.layers)
    target = _found(root, parent)
    nodes = [_found(root, place) for place in _outermost(places)]
    if target.children is None or any(target.is_within(node) for node in nodes):
        return network, places[0] if places else ()
    row = len(target.children) if row < 0 else row
    anchor = next((node for node in target.children[row:] if node not in nodes), None)
    for node in nodes:
        node.detach()
    for node in nodes:
        target.insert(anchor.row if anchor is not None else len(target.children), node)
    return _result(network, root, nodes[0] if nodes else None)


def shifted(network: Network, place: Place, by: int) -> Edited:
    """Return the network with a layer one place up (-1) or down (1), into and out of repeats."""
    root = _Node(None, network.layers)
    node = _found(root, place)
    parent = node.parent
    assert parent is not None
    assert parent.children is not None
    row = node.row + by
    if 0 <= row < len(parent.children):
        sibling = parent.children[row]
        if sibling.children is not None and node.children is None:
            return moved(network, [place], sibling.place, -1 if by < 0 else 0)
        return moved(network, [place], parent.place, row if by < 0 else row + 1)
    if parent is root:
        return network, place
    assert parent.parent is not None
    return moved(network, [place], parent.parent.place, parent.row + (0 if by < 0 else 1))


def wrapped(network: Network, places: Sequence[Place], kind: type[Repeat | Residual] = Repeat) -> Edited:
    """Return the network with some layers inside a repeat or a residual block.

    Parameters
    ----------
    network : Network
        Before.
    places : sequence of Place
        What goes inside.
    kind : type of Repeat or Residual, default Repeat
        What goes around it.

    Returns
    -------
    tuple of Network and Place
        In a repeat neighbours that are all equal become one layer repeated as often, so the network stays the same;
        anything else is repeated twice.
    """
    root = _Node(None, network.layers)
    nodes = [_found(root, place) for place in _outermost(places)]
    if not nodes:
        return network, ()
    first = nodes[0]
    parent, row = first.parent, first.row
    assert parent is not None
    inner = tuple(node.written() for node in nodes)
    is_run = [node.parent is parent and node.row == row + i for i, node in enumerate(nodes)]
    same = len(nodes) > 1 and all(is_run) and all(layer == inner[0] for layer in inner)
    if kind is Residual:
        around = _node(Residual(layers=inner))
    else:
        around = _node(Repeat(times=len(inner), layers=inner[:1]) if same else Repeat(times=2, layers=inner))
    parent.insert(row, around)
    for node in nodes:
        node.detach()
    return _result(network, root, around)


def unwrapped(network: Network, place: Place) -> Edited:
    """Return the network with a repeat written out, layer by layer: the network stays the same."""
    root = _Node(None, network.layers)
    node = _found(root, place)
    layer = node.written()
    if not isinstance(layer, Repeat):
        return network, place
    parent, row = node.parent, node.row
    assert parent is not None
    node.detach()
    copies = layer.layers * layer.times
    if layer.times > 1:
        copies = tuple(_without_names(copy) for copy in copies)
    new = [_node(copy) for copy in copies]
    for i, copy in enumerate(new):
        parent.insert(row + i, copy)
    return _result(network, root, new[0])


def written_count(network: Network) -> int:
    """Return the number of rows of the tree, repeats and what is inside them, the head left out."""
    return sum(1 for _ in _all(_Node(None, network.layers)))


def _all(node: _Node) -> Iterator[_Node]:
    for child in node.children or ():
        yield child
        yield from _all(child)


def _without_names(layer: Layer) -> Layer:
    if isinstance(layer, Repeat | Residual):
        inner = tuple(map(_without_names, layer.layers))
        return msgspec.structs.replace(layer, name=None, layers=inner)
    return msgspec.structs.replace(layer, name=None)


def _outermost(places: Sequence[Place]) -> list[Place]:
    """Places in order, without those inside another one of them."""

    def is_inner(place: Place) -> bool:
        return any(place[: len(other)] == other for other in places if len(other) < len(place))

    return sorted({place for place in places if place and not is_inner(place)})
