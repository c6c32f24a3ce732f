"""The way between two neighbouring numbered layers: layers without a number, ends of residual blocks."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any, Literal, NamedTuple

from gradsim.spec import Dense, Head, Network, PlacedLayer, Recurrent, placed_layers
from gradsim.trace import IterationTrace, LayerTrace

StopKind = Literal["layer", "enter", "leave", "across"]


class Stop(NamedTuple):
    """What a signal meets, in forward order.

    ``enter`` and ``leave`` are the ends of a residual block whose branch holds one of the two numbered layers; a
    block that lies between them altogether is one stop, ``across``.
    """

    kind: StopKind
    layer: LayerTrace
    spec: Any


class Leg(NamedTuple):
    """Two neighbouring numbered layers and what lies between them."""

    lower: Stop
    between: tuple[Stop, ...]
    upper: Stop


def legs(trace: IterationTrace) -> tuple[Leg, ...]:
    """Return the ways between the numbered layers of a record.

    Parameters
    ----------
    trace : IterationTrace
        Any record.

    Returns
    -------
    tuple of Leg
        One fewer than there are numbered layers, in forward order.
    """
    return tuple(
        Leg(_stop(trace, lower), tuple(_stop(trace, one) for one in between), _stop(trace, upper))
        for lower, between, upper in _plan(trace.experiment.network)
    )


class _Place(NamedTuple):
    """A stop before there is a record."""

    kind: StopKind
    at: int
    spec: Any


@lru_cache(maxsize=16)
def _plan(network: Network) -> tuple[tuple[_Place, tuple[_Place, ...], _Place], ...]:
    found: list[tuple[_Place, tuple[_Place, ...], _Place]] = []
    between: list[_Place] = []
    lower: _Place | None = None
    for place in _places(placed_layers(network), 0):
        if place.kind != "layer" or not isinstance(place.spec, Dense | Recurrent | Head):
            if place.kind == "leave" and any(_opens(other, place) for other in between):
                # Nothing numbered inside: what was met in its branch is not met on the way by the skip.
                while not _opens(between.pop(), place):
                    pass
                place = place._replace(kind="across")
            between.append(place)
            continue
        if lower is not None:
            found.append((lower, tuple(between), place))
        lower, between = place, []
    return tuple(found)


def _stop(trace: IterationTrace, place: _Place) -> Stop:
    return Stop(place.kind, trace.layers[place.at], place.spec)


def _opens(place: _Place, end: _Place) -> bool:
    return place.kind == "enter" and place.at == end.at


def _places(placed: tuple[PlacedLayer, ...], first: int) -> Iterator[_Place]:
    for one in placed:
        if not one.branch:
            yield _Place("layer", first, one.layer)
            first += 1
            continue
        end = first + _count(one.branch)
        yield _Place("enter", end, one.layer)
        yield from _places(one.branch, first)
        yield _Place("leave", end, one.layer)
        first = end + 1


def _count(placed: tuple[PlacedLayer, ...]) -> int:
    return sum(1 + _count(one.branch) for one in placed)
