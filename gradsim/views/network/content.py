"""What the network view shows of an iteration: columns, and the numbers of each.

Everything is taken from the trace itself, only when it is first needed, and kept. Without Qt.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradsim.analysis import residual_blocks
from gradsim.analysis.magnitude import rms, rms_over
from gradsim.trace import IterationTrace, LayerTrace, TensorStatistics
from gradsim.views.network.between import arc_levels, layer_words, tags_between
from gradsim.views.network.column import Column, Places, columns_of
from gradsim.views.network.distribution import Distribution, distributions
from gradsim.views.network.time_numbers import TimeNumbers, has_time

SYMBOLS = {
    "input": "x",
    "pre_activation": "z",
    "activation": "a",
    "activation_gradient": "∂L/∂a",
    "delta": "δ",
    "weight_gradient": "∂L/∂W",
    "weight_clipped_gradient": "g",
    "update": "ΔW",
}


@dataclass(frozen=True, slots=True, eq=False)
class UnitNumbers:
    """The numbers of the units of one small layer: over the batch, or over the weights into the unit.

    Attributes
    ----------
    rms : ndarray of float64, shape (units,)
        Root mean square of each unit; 0, NaN and Inf stay what they are.
    mean : ndarray of float64, shape (units,)
        Signed mean of each unit.
    """

    rms: NDArray[np.float64]
    mean: NDArray[np.float64]


class NetworkContent:
    """Everything the network view needs to know of one trace.

    Parameters
    ----------
    trace : IterationTrace
        The iteration; its arrays are read only when first needed.
    unrolled : collection of int, default none
        Recurrent layers of which every time step is a column.
    """

    def __init__(self, trace: IterationTrace, unrolled: Collection[int] = ()) -> None:
        self.trace = trace
        words = layer_words(trace)
        self.columns: tuple[Column, ...] = columns_of(trace, words, unrolled)
        places = Places(self.columns)
        self._first, self._last = places.first, places.last
        self.tags = places.tags(tags_between(trace.layers, words))
        self.blocks = places.blocks(residual_blocks(trace))
        self.arc_levels = arc_levels(self.blocks)
        self._places = {layer: float(place) for layer, place in places.last.items()}
        self._places |= {tag.layer: tag.place for tag in self.tags}
        self._places |= {block.index: block.end for block in self.blocks}
        self._distributions: dict[tuple[object, ...], Distribution] = {}
        self._units: dict[tuple[object, ...], UnitNumbers] = {}
        self._rms: dict[tuple[object, ...], float] = {}
        self._times = TimeNumbers()

    @property
    def same_picture(self) -> tuple[object, ...]:
        """What two traces share whose pictures differ in their numbers alone."""
        spans = tuple((block.start, block.end, block.index) for block in self.blocks)
        return self.columns, self.tags, spans

    def place_of(self, layer: int, time: int | None = None) -> float:
        """Return where a layer stands, in columns: a whole number for one that is a column.

        An unrolled layer stands at one of its time steps, the last if no other is asked for.
        """
        column = self.column_of(layer, time)
        return self._places[layer] if column is None else float(column)

    def column_of(self, layer: int, time: int | None = None) -> int | None:
        """Return the column of a layer, or of one of its time steps; None for one between the columns."""
        if layer not in self._last:
            return None
        is_unrolled = self.columns[self._last[layer]].time is not None
        return self._first[layer] + time if is_unrolled and time is not None else self._last[layer]

    def first_column(self, layer: int) -> int | None:
        """Return the first column of a layer: of an unrolled one its first time step."""
        return self._first.get(layer)

    @property
    def layer_count(self) -> int:
        """How many layers there are that carry weights."""
        return len(self._last)

    def time_of(self, column: int, tensor: str, time: int | None = None) -> int | None:
        """Return the time step that a column shows: its own, or the one asked for where it has none.

        Parameters
        ----------
        column : int
            Index into ``columns``.
        tensor : str
            What it shows; parameters belong to no step.
        time : int or None, default None
            Wanted of a recurrent layer that is not unrolled.

        Returns
        -------
        int or None
            None for all steps together.
        """
        here = self.columns[column]
        if here.layer is None or not has_time(self.trace.layers[here.layer], tensor):
            return None
        return time if here.time is None else here.time

    def _key(self, column: int, tensor: str, time: int | None) -> tuple[object, ...]:
        return self.columns[column].layer, tensor, self.time_of(column, tensor, time)

    def layer_of(self, column: int) -> LayerTrace:
        """Return the layer of a column other than the input."""
        layer = self.columns[column].layer
        assert layer is not None
        return self.trace.layers[layer]

    def links(self, column: int, tensor: str) -> NDArray[Any] | None:
        """Return the weights (or their gradient) into a column, shape (units before, units).

        Parameters
        ----------
        column : int
            Index into ``columns``, from 1.
        tensor : str
            ``weight`` or ``weight_gradient``.

        Returns
        -------
        ndarray or None
            None where there is more than one weight between two units, as into the gates of an LSTM.
        """
        layer = self.layer_of(column)
        name = tensor
        if layer.kind == "recurrent":
            # From one time step to the next it is the recurrent weights that the state goes through.
            name = f"recurrent_{tensor}" if self.columns[column].time else f"input_{tensor}"
        values = layer.tensors[name]
        shape = (self.columns[column - 1].units, self.columns[column].units)
        return values if values.shape == shape else None

    def values(self, column: int, tensor: str, time: int | None = None) -> NDArray[Any]:
        """Return the array behind a column: units on the last axis.

        Parameters
        ----------
        column : int
            Index into ``columns``; 0 is the input, which has only its values.
        tensor : str
            One of ``scales.SCALES``.
        time : int or None, default None
            A time step of a recurrent layer that is not unrolled.

        Returns
        -------
        ndarray, shape (…, units)
            The trace's own array; gates of a recurrent layer on an axis before that of the units.
        """
        if column == 0:
            return self.trace.inputs
        layer = self.layer_of(column)
        at = self.time_of(column, tensor, time)
        if at is not None:
            return self._times.values(layer, tensor)[:, at]
        if tensor == "weight_clipped_gradient" and tensor not in layer.tensors:
            tensor = "clipped_gradient"
        values = layer.tensors[tensor]
        if layer.kind == "recurrent" and values.shape[-1] != layer.fan_out:
            return values.reshape(*values.shape[:-1], -1, layer.fan_out)
        return values

    def statistics(self, column: int, tensor: str) -> TensorStatistics | None:
        """Return the recorded statistics of a tensor; None where the trace keeps none, as of a time step."""
        if self.time_of(column, tensor) is not None:
            return None
        return None if column == 0 else self.layer_of(column).statistics.get(tensor)

    def column_rms(self, column: int, tensor: str, time: int | None = None) -> float:
        """Return the rms of a whole column (the recorded one where there is one)."""
        at = self.time_of(column, tensor, time)
        if at is not None:
            return float(self._times.sizes(self.layer_of(column), tensor)[at])
        key = self._key(column, tensor, time)
        if key not in self._rms:
            told = self.statistics(column, tensor)
            self._rms[key] = rms(self.values(column, tensor)) if told is None else told.rms
        return self._rms[key]

    def distributions(
        self, columns: Iterable[tuple[int, str]], time: int | None = None
    ) -> list[Distribution]:
        """Return the distributions of the magnitudes of columns, each with the tensor that it shows."""
        keyed = [(self._key(*one, time), one) for one in columns]
        new = {key: self.values(*one, time) for key, one in keyed if key not in self._distributions}
        self._distributions.update(zip(new, distributions(list(new.values())), strict=True))
        return [self._distributions[key] for key, _ in keyed]

    def unit_numbers(self, column: int, tensor: str, time: int | None = None) -> UnitNumbers:
        """Return rms and mean of each unit of a small layer."""
        at = self.time_of(column, tensor, time)
        if at is not None:
            sizes, means = self._times.units(self.layer_of(column), tensor)
            return UnitNumbers(sizes[at], means[at])
        key = self._key(column, tensor, time)
        if key not in self._units:
            values = self.values(column, tensor)
            flat = values.reshape(-1, values.shape[-1])
            with np.errstate(invalid="ignore"):
                mean = flat.mean(axis=0, dtype=np.float64)
            self._units[key] = UnitNumbers(rms_over(flat, 0), mean)
        return self._units[key]

    def largest_mean(self, tensor: str) -> float:
        """Return the largest finite |mean| of a unit of the small layers, or of the input, rounded up (1, 2, 5 …)."""
        largest = 0.0
        for index, column in enumerate(self.columns):
            if (index == 0) == (tensor == "input") and column.has_circles:
                means = np.abs(self.unit_numbers(index, tensor).mean)
                largest = max(largest, float(np.max(means, where=np.isfinite(means), initial=0.0)))
        return rounded_up(largest)


def rounded_up(value: float) -> float:
    """Return the next round number (1, 1.5, 2, 3, 4, 5, 6, 8 or 10 …) at or above a positive value; 1 for 0."""
    if not value > 0:
        return 1.0
    decade = math.floor(math.log10(value))
    for step in (1, 1.5, 2, 3, 4, 5, 6, 8, 10):
        # Powers below 10^-308 are subnormal: division keeps what multiplication by 10**-320 would lose.
        candidate = float(f"{step}e{decade}")
        if candidate >= value:
            return candidate
    return float(f"1e{decade + 1}")
