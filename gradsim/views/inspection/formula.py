"""What a formula is, and which numbers of a record are filled in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradsim.trace import IterationTrace, LayerTrace
from gradsim.views.inspection.marked_number import plain_text, told

Told = tuple[str, str, str]
"""Symbols, the same with marked numbers, and what it means."""


@dataclass(frozen=True, slots=True)
class Place:
    """The numbers that are filled in.

    Attributes
    ----------
    sample : int or None
        Row of the batch; None for means over all of it.
    unit : int
        Unit of the layer.
    source : int
        Unit of the layer before: with ``unit`` it names one weight.
    time : int or None
        Step of a sequence; None for the last.
    """

    sample: int | None = 0
    unit: int = 0
    source: int = 0
    time: int | None = None

    @property
    def is_mean(self) -> bool:
        """Whether means over the batch are filled in."""
        return self.sample is None

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


def number_at(values: NDArray[Any], sample: int | None, unit: int, time: int = -1) -> float:
    """Return the number of a unit of a sample or its mean over the batch, of a sequence at a step of time."""
    if sample is None:
        return float(mean_of(values[:, time, unit] if values.ndim == 3 else values[:, unit]))
    row = values[sample]
    return float(row[time, unit] if row.ndim == 2 else row[unit])


def row_at(values: NDArray[Any], sample: int | None, time: int = -1) -> NDArray[Any]:
    """Return the numbers of a sample or their means over the batch, of a sequence at a step of time."""
    if sample is None:
        return mean_of(values[:, time] if values.ndim == 3 else values)
    return np.asarray(values[sample, time] if values.ndim == 3 else values[sample])


def mean_of(values: NDArray[Any]) -> NDArray[np.float64]:
    """Return the mean over the first axis in float64."""
    with np.errstate(all="ignore"):
        return np.asarray(values.mean(axis=0, dtype=np.float64))


def ended(text: str, value: float, result: float, place: Place) -> str:
    """Return a formula with its result: of means, with what is missing where they do not simply make it.

    Parameters
    ----------
    text : str
        The formula with its marked numbers.
    value : float
        What the numbers that are filled in make.
    result : float
        The recorded number, or the mean of it.
    place : Place
        Whose numbers they are.

    Returns
    -------
    str
        Marked, such as ``0.5·0.2 + [remainder 0.01] = 0.11``.
    """
    if not place.is_mean:
        return f"{text} = {told(result)}"
    with np.errstate(all="ignore"):
        return f"{text} + [remainder {told(float(np.float64(result) - value))}] = {told(result)}"


def with_scale(trace: IterationTrace, text: str) -> str:
    """Return what makes a gradient of the loss times the loss scale, with which a narrow precision records it."""
    return text if trace.loss_scale == 1 else f"{text}·{told(trace.loss_scale)}"


def without_scale(trace: IterationTrace, text: str) -> str:
    """Return a sum of recorded gradients with the loss scale taken off, as those of parameters have it."""
    return text if trace.loss_scale == 1 else f"({text}) / {told(trace.loss_scale)}"


def means_words(trace: IterationTrace, formula: Formula) -> str:
    """Return the remark that numbers are means, and on what remains."""
    count = len(trace.inputs)
    words = f"mean over {count} sample{'s' * (count > 1)}"
    if "[remainder" in formula.marked:
        words += "; the remainder is what the mean of the whole differs from the formula at the means"
    return words


def when(layer: LayerTrace, place: Place) -> str:
    """Return a remark on which step of a sequence is filled in; nothing without time."""
    if layer.output.ndim != 3:
        return ""
    return f"; numbers of step {place.step_of(layer) + 1} of {layer.output.shape[1]}"
