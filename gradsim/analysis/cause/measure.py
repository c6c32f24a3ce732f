"""The causes of a record: the sizes a signal passes through between two layers, as factors."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from gradsim.analysis.cause.details import details_of
from gradsim.analysis.cause.passages import Passage, backward_passages, forward_passages
from gradsim.analysis.cause.records import Causes, Factor, LayerCause, category, is_size, quotient
from gradsim.analysis.cause.route import Leg, legs
from gradsim.analysis.cause.sizes import size_of
from gradsim.analysis.fit import Direction
from gradsim.analysis.kept import kept_for_trace
from gradsim.trace import IterationTrace


def causes(
    trace: IterationTrace,
    directions: Sequence[Direction] = ("backward", "forward"),
    *,
    details: bool = True,
) -> Causes:
    """Return why the signals shrink or grow from layer to layer, as factors that multiply to the measured ratios.

    rms of the tensors that the record holds, one after the other on the way of the signal: of δ of the upper layer,
    of the gradient that its weights make of it, …, of δ of the lower layer. The quotient of neighbours is the
    factor of what lies between them, so the product telescopes to the ratio whatever the layers are.

    Parameters
    ----------
    trace : IterationTrace
        Any record.
    directions : sequence of {"backward", "forward"}, default both
        Which ways; the other one is left empty.
    details : bool, default True
        Also tell what each factor is made of, which takes a few more passes over the tensors.

    Returns
    -------
    Causes
        One entry per pair of neighbouring numbered layers and direction.
    """
    return _causes(trace, tuple(directions), details)


@kept_for_trace
def _causes(trace: IterationTrace, directions: tuple[Direction, ...], details: bool) -> Causes:
    ways = legs(trace)
    names = tuple(layer.name for layer in trace.layers if layer.number is not None)
    backward = (_backward(leg, details) for leg in ways) if "backward" in directions else ()
    forward = (_forward(leg, details) for leg in ways) if "forward" in directions else ()
    return Causes(trace.iteration, names, tuple(backward), tuple(forward))


def layer_cause(trace: IterationTrace, direction: Direction, number: int) -> LayerCause | None:
    """Return why the signal of one layer is so much larger or smaller than its neighbour's, with all details.

    Parameters
    ----------
    trace : IterationTrace
        Any record.
    direction : {"backward", "forward"}
        Which way.
    number : int
        Number of the layer, from 1.

    Returns
    -------
    LayerCause or None
        None for the layer the signal begins with: the last one backward, the first one forward.
    """
    for leg in legs(trace):
        here = leg.lower if direction == "backward" else leg.upper
        if here.layer.number == number:
            return (_backward if direction == "backward" else _forward)(leg, True)
    return None


def _backward(leg: Leg, details: bool) -> LayerCause:
    before, after = size_of(leg.upper.layer, "delta"), size_of(leg.lower.layer, "delta")
    return _cause(leg, "backward", before, after, list(backward_passages(leg)), details)


def _forward(leg: Leg, details: bool) -> LayerCause:
    before, after = size_of(leg.lower.layer, "activation"), size_of(leg.upper.layer, "activation")
    return _cause(leg, "forward", before, after, list(forward_passages(leg)), details)


def _cause(
    leg: Leg, direction: Direction, before: float, after: float, passages: list[Passage], details: bool
) -> LayerCause:
    here, there = (leg.lower, leg.upper) if direction == "backward" else (leg.upper, leg.lower)
    assert here.layer.number is not None
    assert there.layer.number is not None
    return LayerCause(
        direction=direction,
        number=here.layer.number,
        other=there.layer.number,
        name=here.layer.name,
        index=here.layer.index,
        before=before,
        after=after,
        factors=tuple(_factors(direction, before, passages, details)),
    )


def _factors(direction: Direction, start: float, passages: list[Passage], details: bool) -> list[Factor]:
    """One factor per passage; those on either side of a size that says nothing about the ends are one."""
    sizes = [start, *(passage.size for passage in passages)]
    if not details and all(map(is_size, sizes)):  # the ordinary case, of which there is one for every layer
        return [
            Factor(passage.kind, passage.stop.layer.name, passage.label, before, passage.size)
            for passage, before in zip(passages, sizes, strict=False)
        ]
    last = len(sizes) - 1
    inside = range(1, last)
    kept = [0, *(inside if all(map(is_size, sizes)) else (i for i in inside if _tells(sizes, i))), last]
    found = []
    for first, end in pairwise(kept):
        joined, before, after = passages[first:end], sizes[first], sizes[end]
        main = joined[-1]
        label = main.label if len(joined) == 1 else " and ".join(dict.fromkeys(p.label for p in joined))
        told = details_of(main, direction, quotient(after, before)) if details and len(joined) == 1 else {}
        found.append(Factor(main.kind, main.stop.layer.name, label, before, after, told))
    return found


def _tells(sizes: list[float], i: int) -> bool:
    """Whether the quotients on both sides of a size between the ends mean something.

    A 0 or ∞ that is gone again at the end (a branch that hands back nothing beside a skip; an infinite z whose
    tanh is 1) would leave ∞ · 0. It tells only as part of an unbroken row from the start or to the end.
    """
    here = category(sizes[i])
    return (
        here == "size"
        or all(category(size) == here for size in sizes[i + 1 :])
        or all(category(size) == here for size in sizes[:i])
    )
