"""The columns of the picture: the input, layers with weights, or the time steps of an unrolled layer. Without Qt."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from gradsim.analysis import ResidualBlock
from gradsim.trace import IterationTrace
from gradsim.views.network.between import Tag

MOST_CIRCLES = 16
"""Up to so many units a layer is drawn as circles, above as a column with its distribution."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the picture: the input, a layer or one of its time steps, or the head.

    Attributes
    ----------
    name : str
        Name of the layer; ``input`` for the input.
    layer : int or None
        Index into ``IterationTrace.layers``; None for the input.
    number : int or None
        1…L for layers that carry weights.
    units : int
        How many.
    activation : str
        Kind of the activation, and the normalization before it; empty for the input.
    time : int or None, default None
        The time step of an unrolled layer, from 0.
    steps : int, default 0
        How many time steps there are, of an unrolled layer.
    """

    name: str
    layer: int | None
    number: int | None
    units: int
    activation: str
    time: int | None = None
    steps: int = 0

    @property
    def has_circles(self) -> bool:
        """Whether its units are drawn one by one."""
        return self.units <= MOST_CIRCLES


def columns_of(trace: IterationTrace, words: Sequence[str], unrolled: Collection[int]) -> tuple[Column, ...]:
    """Return the columns of a picture.

    Parameters
    ----------
    trace : IterationTrace
        Any record.
    words : sequence of str
        What each layer does, from ``layer_words``.
    unrolled : collection of int
        Indices of recurrent layers of which every time step is a column.

    Returns
    -------
    tuple of Column
        The input first.
    """
    columns = [Column("input", None, None, trace.inputs.shape[-1], "")]
    for layer in trace.layers:
        if layer.number is None:
            continue
        column = Column(layer.name, layer.index, layer.number, layer.fan_out, words[layer.index])
        if layer.index in unrolled and layer.kind == "recurrent":
            steps = int(layer.hidden.shape[1])
            columns += [replace(column, time=time, steps=steps) for time in range(steps)]
        else:
            columns.append(column)
    return tuple(columns)


class Places:
    """Where numbered layers and what is between them stand, in columns.

    Parameters
    ----------
    columns : sequence of Column
        The input first.
    """

    def __init__(self, columns: Sequence[Column]) -> None:
        self.first: dict[int, int] = {}
        """Index of a layer → its first column."""
        self.last: dict[int, int] = {}
        """Index of a layer → its last column, which is what the next layer gets."""
        self._last_of_number = [0]
        for place, column in enumerate(columns):
            if column.layer is not None:
                self.first.setdefault(column.layer, place)
                if column.layer not in self.last:
                    self._last_of_number.append(place)
                self.last[column.layer] = self._last_of_number[-1] = place

    def place(self, number: float) -> float:
        """Return the place of what stands at a number or between two: 1.5 is between layers 1 and 2."""
        whole = int(number)
        return self._last_of_number[whole] + (number - whole)

    def tags(self, tags: Sequence[Tag]) -> tuple[Tag, ...]:
        """Return the tags at their places."""
        return tuple(replace(tag, place=self.place(tag.place)) for tag in tags)

    def blocks(self, blocks: Sequence[ResidualBlock]) -> tuple[ResidualBlock, ...]:
        """Return the blocks with their ends at their places."""
        return tuple(
            replace(block, start=self.place(block.start), end=self.place(block.end)) for block in blocks
        )
