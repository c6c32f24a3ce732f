"""What a formula is, and which numbers of a record are filled in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradsim.spec import unrolled_layers
from gradsim.trace import IterationTrace, LayerTrace
from gradsim.views.inspection.marked_number import plain_text

Told = tuple[str, str, str]
"""Symbols, the same with marked numbers, and what it means."""


@dataclass(frozen=True, slots=True)
class Place:
    """The numbers that are filled in.

    Attributes
    ----------
    sample : int
        Row of the batch.
    unit : int
        Unit of the layer.
    source : int
        Unit of the layer before: with ``unit`` it names one weight.
    time : int or None
        Step of a sequence; None for the last.
    """

    sample: int = 0
    unit: int = 0
    source: int = 0
    time: int | None = None

    def step_of(self, layer: LayerTrace) -> int:
        """Return the step of time that is filled in, 0 for a layer without."""
        last = layer.output.shape[1] - 1 if layer.output.ndim == 3 else 0
        return last if self.time is None else min(self.time, last)


@dataclass(frozen=True, slots=True)
class Formula:
    """A formula with its numbers.

    Attributes
    ----------
    symbols : str
        The formula in the letters of the whole program.
    marked : str
        The same with marked numbers.
    told : str
        What it means, in words that may hold marked numbers; may be empty.
    """

    symbols: str
    marked: str
    told: str = ""

    @property
    def filled(self) -> str:
        """The formula with its numbers, each in a few digits."""
        return plain_text(self.marked)

    @property
    def note(self) -> str:
        """What it means, in words; may be empty."""
        return plain_text(self.told)


def number_at(values: NDArray[Any], sample: int, unit: int, time: int = -1) -> float:
    """Return the number of a unit of a sample, of a sequence at a step of time."""
    row = values[sample]
    return float(row[time, unit] if row.ndim == 2 else row[unit])


def row_at(values: NDArray[Any], sample: int, time: int = -1) -> NDArray[Any]:
    """Return the numbers of a sample, of a sequence at a step of time."""
    return np.asarray(values[sample, time] if values.ndim == 3 else values[sample])


def when(layer: LayerTrace, place: Place) -> str:
    """Return a remark on which step of a sequence is filled in; nothing without time."""
    if layer.output.ndim != 3:
        return ""
    return f"; numbers of step {place.step_of(layer) + 1} of {layer.output.shape[1]}"


def spec_of(trace: IterationTrace, layer: LayerTrace) -> Any:
    """Return what was asked for of a layer."""
    return unrolled_layers(trace.experiment.network)[layer.index].layer
