"""Theory in the gradient profile: the expected curves with their band, in words and in numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradsim.analysis import (
    THEORY_UNITS,
    ExpectedProfile,
    MeanField,
    power_words,
    theory_sentence,
    theory_sentences,
    theory_table,
)
from gradsim.trace import IterationTrace
from gradsim.views.plot.marks import Mark
from gradsim.views.plot.numbers import brief
from gradsim.views.plot.points import LanePoints
from gradsim.views.plot.ribbon import Ribbon
from gradsim.views.plot.words import Words
from gradsim.views.theme import Theme

THEORY = "theory"
"""The question a view asks, and the name of its option: fixed points and quadratures take longer than a frame."""
_SERIES = 7
"""Among the colours for things without a role: neither that of a signal nor that of the ghost."""
_OPACITY = 0.2
_SYMBOLS = {"delta": "δ", "activation": "a"}
_DASHES = {"delta": (5.0, 2.5), "activation": (2.0, 2.0)}


@dataclass(frozen=True, slots=True, eq=False)
class Overlay:
    """What is known of theory for the pass on screen.

    Attributes
    ----------
    expected : ExpectedProfile or None
        The last answer; None if it is of another network, or there is none yet.
    iteration : int or None
        Of the pass the answer belongs to, where that is another one than the one on screen.
    told : str
        Why there is no answer.
    """

    expected: ExpectedProfile | None = None
    iteration: int | None = None
    told: str = ""
    _lines: dict[str, tuple[NDArray[np.float64], ...]] = field(init=False)

    def __post_init__(self) -> None:
        """Gather the curves by the tensor they stand beside."""
        e = self.expected
        rows: dict[str, tuple[NDArray[np.float64], ...]] = {}
        if e is not None and e.applies:
            rows = {
                "delta": (e.log10_low, e.log10_delta, e.log10_high),
                "activation": (e.log10_activation_low, e.log10_activation, e.log10_activation_high),
            }
        object.__setattr__(self, "_lines", rows)

    def curves(self, tensors: Sequence[str]) -> list[NDArray[np.float64]]:
        """Return log10 of what is drawn, to find room for it; the bands may reach beyond.

        Parameters
        ----------
        tensors : sequence of str
            Those shown.

        Returns
        -------
        list of ndarray of float64
            One for each that theory speaks of; nothing expected is −∞.
        """
        return [self._lines[name][1] for name in tensors if name in self._lines]

    def marks(
        self, tensors: Sequence[str], positions: NDArray[np.float64], theme: Theme, is_brief: bool
    ) -> list[Mark]:
        """Return the expected curves with their bands.

        Parameters
        ----------
        tensors : sequence of str
            Those shown.
        positions : ndarray of float64, shape (L,)
            Of the layers on the axis.
        theme : Theme
            In which colours.
        is_brief : bool
            Whether the legend has little room.

        Returns
        -------
        list of Mark
            None where theory has nothing to say.
        """
        color = theme.color_of_series(_SERIES)
        found: list[Mark] = []
        of = "" if self.iteration is None else f", iteration {self.iteration:,}"
        for tensor in tensors:
            if tensor not in self._lines:
                continue
            low, middle, high = self._lines[tensor]
            symbol = _SYMBOLS[tensor]
            name = f"{symbol} theory" if is_brief else f"{symbol} of theory ±2 sd{of}"
            places = positions[: len(middle)]
            found.append(Ribbon(places, low, middle, high, color, _OPACITY, _DASHES[tensor], name=name))
            nothing = np.isneginf(middle)
            found.append(LanePoints(places[nothing], np.zeros(int(nothing.sum())), color))
        return found

    def headlines(self) -> list[list[Words]]:
        """Return χ, the depth scale and the slope to expect, for less and less room; else why there are none."""
        e = self.expected
        if e is None:
            return [[Words("theory ", bold=True), Words(self.told or "…")]]
        if not e.applies:
            return [[Words("no theory here", bold=True)]]
        of = "" if self.iteration is None else f" of iteration {self.iteration:,}"
        told: Sequence[str] = (e.fit.words,) if e.fit is not None else ("",)
        if e.mean_field is not None:
            told = field_words(e.mean_field)
        return [[Words(f"theory{of} ", bold=True), Words(words)] for words in told]

    def notes(self) -> tuple[str, ...]:
        """Return the sentence about theory and measurement, the longest first."""
        if self.expected is None:
            return (self.told,) if self.told else ()
        return theory_sentences(self.expected)

    def sentence(self) -> str:
        """Return the sentence; empty as long as there is no answer."""
        return self.told if self.expected is None else theory_sentence(self.expected)

    def hover_lines(self, number: int) -> list[str]:
        """Return the numbers of a layer.

        Parameters
        ----------
        number : int
            Of the layer, from 1.

        Returns
        -------
        list of str
            One line for each signal, one for χ here.
        """
        e = self.expected
        if e is None or not e.applies or number > len(e.numbers):
            return [self.sentence().split(". ")[0]] if self.sentence() else []
        of = "" if self.iteration is None else f" (of iteration {self.iteration:,})"
        lines = []
        for tensor, curves in self._lines.items():
            low, value, high = (power_words(float(curve[number - 1])) for curve in curves)
            if value != "NaN":
                lines.append(f"theory{of}: rms {_SYMBOLS[tensor]} = {value} ({low} to {high})")
        if number <= len(e.backward_ratio):
            lines.append(
                f"theory{of}: δ here / δ in layer {number + 1} = {brief(float(e.backward_ratio[number - 1]))}"
            )
        return lines

    def columns(self) -> tuple[dict[str, NDArray[Any]], dict[str, str]]:
        """Return the numbers as columns of a table and their units; none as long as the answer is of another pass."""
        if self.expected is None or self.iteration is not None:
            return {}, {}
        table = theory_table(self.expected)
        return {name: np.array(values, dtype=np.float64) for name, values in table.items()}, dict(
            THEORY_UNITS
        )


def overlay_of(answer: object, answered: IterationTrace | None, shown: IterationTrace, told: str) -> Overlay:
    """Return what the last answer says of the pass on screen.

    Parameters
    ----------
    answer : ExpectedProfile or None
        The last one.
    answered : IterationTrace or None
        The pass it belongs to.
    shown : IterationTrace
        The pass on screen.
    told : str
        Why there is no answer, or how far it is.

    Returns
    -------
    Overlay
        Of an earlier pass of the same network it stays until the next answer comes: while training goes on none does.
    """
    if not isinstance(answer, ExpectedProfile) or answered is None:
        return Overlay(told=told)
    if answered is shown:
        return Overlay(answer)
    before, now = answered.experiment.network, shown.experiment.network
    if before is not now and before != now:
        return Overlay(told=told)
    return Overlay(answer, answered.iteration)


def field_words(found: MeanField) -> tuple[str, ...]:
    """Return the mean field of a layer in symbols.

    Parameters
    ----------
    found : MeanField
        Of one layer repeated for ever.

    Returns
    -------
    tuple of str
        The longest first, such as ``"χ 0.0557, ξ 0.35 layers, √χ ×0.236 per layer"``.
    """
    chi, scale, factor = f"χ {found.chi:.3g}", found.depth_scale, f"√χ ×{found.factor:.3g}"
    # Within half a percent of the edge the scale is longer than any network, and its digits say nothing.
    is_long = scale == float("inf") or found.regime == "edge of chaos"
    depth = "ξ ∞" if is_long else f"ξ {scale:.2g}"
    whole = f"{chi}, {depth}{'' if is_long else ' layers'}, {factor} per layer"
    return whole, f"{chi}, {depth}, {factor}", f"{chi}, {factor}"
