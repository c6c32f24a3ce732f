"""The scales that the network is read on: magnitudes in whole decades, the same while a phase lasts."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradsim.views.network.content import NetworkContent
from gradsim.views.network.distribution import quantiles

SCALES = {
    "input": "forward",
    "pre_activation": "forward",
    "activation": "forward",
    "activation_gradient": "backward",
    "delta": "backward",
    "weight_gradient": "parameters",
    "weight_clipped_gradient": "parameters",
    "update": "parameters",
}
"""Tensor → the scale it is read on: one that stays while a phase lasts."""

_SCALE_TENSORS = {
    "forward": ("activation",),
    "backward": ("delta",),
    "parameters": ("weight_gradient", "update"),
}
# The faintest values of each layer may leave the scale (they count in its lowest step): one unit in fifty.
_SHARE_BELOW = 0.02
# A unit of a small layer is seldom more than a decade fainter than the layer.
_BELOW_RMS = 1.0
_LEAST_DECADES = 2


@dataclass(frozen=True, slots=True)
class Scale:
    """An axis and colour scale of magnitudes: log10 from ``low`` to ``high``, whole decades."""

    low: int
    high: int

    def position(self, log10: Any) -> Any:
        """Return where magnitudes stand, 0 at the low end and 1 at the high one, not beyond."""
        return np.clip((np.asarray(log10) - self.low) / (self.high - self.low), 0.0, 1.0)

    def joined(self, other: Scale) -> Scale:
        """Return the scale that holds both."""
        return Scale(min(self.low, other.low), max(self.high, other.high))


class KeptScales:
    """The scales of a trace, widened to those of the traces before: pictures in a row can be compared.

    Parameters
    ----------
    content : NetworkContent
        Whose numbers must fit; measured only when a scale is first asked for.
    before : KeptScales or None, default None
        Scales on screen so far.
    """

    def __init__(self, content: NetworkContent, before: KeptScales | None = None) -> None:
        self._content = content
        self._before: dict[str, Scale] = {} if before is None else {**before._before, **before._known}
        self._known: dict[str, Scale] = {}

    def __getitem__(self, name: str) -> Scale:
        """Return the scale of a phase."""
        if name not in self._known:
            scale = measured_scale(self._content, name)
            self._known[name] = scale.joined(self._before[name]) if name in self._before else scale
        return self._known[name]


def measured_scale(content: NetworkContent, name: str) -> Scale:
    """Return the scale of a phase: whole decades that hold nearly all values of all layers.

    Parameters
    ----------
    content : NetworkContent
        Of one trace.
    name : str
        ``forward``, ``backward`` or ``parameters``.

    Returns
    -------
    Scale
        At least two decades; from 10⁻¹ to 10¹ where no value is finite and other than 0.
    """
    lows, highs, counted = [], [], []
    for index, column in enumerate(content.columns):
        if index == 0:
            continue
        for tensor in _SCALE_TENSORS[name]:
            if column.time is None and not column.has_circles:
                counted.append((index, tensor))
                continue
            measured = _circle_ends if column.time is None else _time_ends
            if ends := measured(content, index, tensor):
                lows.append(ends[0])
                highs.append(ends[1])
    told = [one for one in content.distributions(counted) if one.usable]
    lows += quantiles(told, _SHARE_BELOW).tolist()
    highs += quantiles(told, 1.0).tolist()
    if not lows:
        return Scale(-1, 1)
    low, high = math.floor(min(lows)), math.ceil(max(highs))
    while high - low < _LEAST_DECADES:
        low, high = (low - 1, high) if (high - low) % 2 == 0 else (low, high + 1)
    return Scale(low, high)


def _time_ends(content: NetworkContent, column: int, tensor: str) -> tuple[float, ...]:
    """Return the ends of what a time step can need, from its size alone: there are many of them."""
    size = content.column_rms(column, tensor)
    if not (math.isfinite(size) and size > 0):
        return ()
    return (math.log10(size) - _BELOW_RMS, math.log10(size))


def _circle_ends(content: NetworkContent, column: int, tensor: str) -> tuple[float, ...]:
    """Return the ends of what the units of a small layer can need, from its statistics alone."""
    told = content.statistics(column, tensor)
    if told is None or not (math.isfinite(told.rms) and told.rms > 0):
        return ()
    middle = math.log10(told.rms)
    if told.count == 1:
        return (middle, middle)
    return (middle - _BELOW_RMS, math.log10(max(abs(told.min), abs(told.max))))
