"""The way between two neighbouring numbered layers: layers without a number, ends of residual blocks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal, NamedTuple

from gradsim.spec import PlacedLayer, placed_layers
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
    found: list[Leg] = []
    between: list[Stop] = []
    lower: Stop | None = None
    for stop in _stops(placed_layers(trace.experiment.network), trace, 0):
        if stop.kind != "layer" or stop.layer.number is None:
            if stop.kind == "leave" and any(_opens(other, stop) for other in between):
                # Nothing numbered inside: what was met in its branch is not met on the way by the skip.
                while not _opens(between.pop(), stop):
                    pass
                stop = stop._replace(kind="across")
            between.append(stop)
            continue
        if lower is not None:
            found.append(Leg(lower, tuple(between), stop))
        lower, between = stop, []
    return tuple(found)


def _opens(stop: Stop, end: Stop) -> bool:
    return stop.kind == "enter" and stop.layer is end.layer


def _stops(placed: tuple[PlacedLayer, ...], trace: IterationTrace, first: int) -> Iterator[Stop]:
    for one in placed:
        if not one.branch:
            yield Stop("layer", trace.layers[first], one.layer)
            first += 1
            continue
        end = trace.layers[first + _count(one.branch)]
        yield Stop("enter", end, one.layer)
        yield from _stops(one.branch, trace, first)
        yield Stop("leave", end, one.layer)
        first = end.index + 1


def _count(placed: tuple[PlacedLayer, ...]) -> int:
    return sum(1 + _count(one.branch) for one in placed)
