"""Axes as values: a range, a scale and its ticks. Positions on paper belong to ``panel``.

A log axis holds log10 of what it shows, so 0, NaN and ∞ have no place on it; a panel shows them in lanes of
their own (``marks.LANES``).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Literal

from gradsim.views.plot.numbers import MINUS, brief, grouped, power_of_ten

Scale = Literal["linear", "log10", "layer", "iteration"]

_FEW_DECADES = 1.2
"""Below this ticks of a log axis stand at round values within its decades."""
_ENOUGH = 0.5
"""Two numbers must be at least this share of an axis apart to stand for its ends."""
_SUPERSCRIPTS = "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"
_LEAST_STEP = 24.0
_LEAST_GAP = 2.0
"""Between ticks and between their words, in pixels."""
_LEAST_MINOR = 4.0
"""Between ticks without words, in pixels: nearer ones run together."""


@dataclass(frozen=True, slots=True)
class Tick:
    """A place on an axis, with words at major ones and none at minor ones."""

    at: float
    text: str = ""


@dataclass(frozen=True, slots=True)
class Axis:
    """One side of a panel.

    Attributes
    ----------
    label : str
        What is shown, with its unit.
    low, high : float
        Values at the two ends, low < high; log10 of them on a log axis.
    scale : {"linear", "log10", "layer", "iteration"}
        ``layer`` counts from 1 and calls the last one ``head`` where that is its name; ``iteration`` has
        whole numbers only.
    layers : tuple of str
        Names of the layers on a layer axis.
    """

    label: str
    low: float
    high: float
    scale: Scale = "linear"
    layers: tuple[str, ...] = ()

    def over(self, low: float, high: float) -> Axis:
        """Return the same axis over another range.

        Parameters
        ----------
        low, high : float
            Values at the two ends.

        Returns
        -------
        Axis
            A copy.
        """
        return replace(self, low=low, high=high)

    def ticks(self, length: float, text_length: Callable[[str], float]) -> tuple[Tick, ...]:
        """Return ticks whose words do not touch each other.

        Parameters
        ----------
        length : float
            Of the axis on paper, in pixels.
        text_length : callable
            Room that a word takes along the axis, in pixels.

        Returns
        -------
        tuple of Tick
            Major and minor ones, all within the range.
        """
        found = self._inside(_TICKS[self.scale](self, max(length, 1.0), text_length))
        if self.scale in ("linear", "log10", "iteration") and sum(bool(tick.text) for tick in found) < 2:
            ends = self._inside(_ends(self))
            room = (ends[-1].at - ends[0].at) / (self.high - self.low) * length if len(ends) == 2 else 0.0
            if room > sum(text_length(tick.text) for tick in ends) / 2 + _LEAST_GAP:
                between = [self._beside(tick, ends, length, text_length) for tick in found]
                return tuple(sorted((*between, *ends), key=lambda tick: tick.at))
        return found

    def _beside(
        self, tick: Tick, ends: tuple[Tick, ...], length: float, text_length: Callable[[str], float]
    ) -> Tick:
        """Return a tick between the two ends: with words, written as theirs are, where they touch neither."""
        text = tick.text if self.scale == "log10" else ""
        is_plain = not any(letter in _SUPERSCRIPTS for end in ends for letter in end.text)
        if text and is_plain:
            text = _linear_text(10.0**tick.at, 10.0**tick.at)
        per_unit = length / (self.high - self.low)
        is_clear = all(
            abs(tick.at - end.at) * per_unit > (text_length(text) + text_length(end.text)) / 2 + _LEAST_GAP
            for end in ends
        )
        return Tick(tick.at, text if is_clear else "")

    def labels(self) -> tuple[str, ...]:
        """Return words for the axis from the longest to the shortest, for where there is little room.

        Returns
        -------
        tuple of str
            ``("rms of all values", "rms")``: what explains, qualifies or counts goes first.
        """
        words = [self.label]
        for joint in (", ", " (", " per ", " over ", " of "):
            if joint in words[-1]:
                words.append(words[-1].split(joint)[0])
        return tuple(words)

    def _inside(self, ticks: Iterable[Tick]) -> tuple[Tick, ...]:
        slack = 1e-9 * max(abs(self.low), abs(self.high), self.high - self.low)
        return tuple(t for t in ticks if self.low - slack <= t.at <= self.high + slack)


def layer_axis(layers: tuple[str, ...], label: str = "layer") -> Axis:
    """Return the axis of layers 1…L, each in the middle of a unit.

    Parameters
    ----------
    layers : tuple of str
        Names in forward order.
    label : str, default "layer"
        What stands beside it.

    Returns
    -------
    Axis
        From 0.5 to L + 0.5.
    """
    return Axis(label, 0.5, max(len(layers), 1) + 0.5, "layer", layers)


def _step(span: float, count: float, whole: bool = False) -> float:
    """Return the smallest of 1, 2, 5 times a power of ten that gives at most ``count`` steps."""
    rough = span / max(count, 1.0)
    if rough <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(m * power for m in (1.0, 2.0, 5.0, 10.0) if m * power >= rough * (1 - 1e-9))
    return max(step, 1.0) if whole else step


def _multiples(low: float, high: float, step: float) -> list[float]:
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [n * step for n in range(first, last + 1)]


def _power(value: float) -> int:
    """Return the power of ten of the first digit."""
    return math.floor(math.log10(value) + 1e-9)


def _linear_text(value: float, step: float) -> str:
    if abs(value) < step * 1e-6:
        return "0"
    if step >= 1e5 or step < 1e-4:
        return brief(value, max(1, 1 + _power(abs(value)) - _power(step)))
    digits = max(0, -math.floor(math.log10(step) + 1e-9))
    return f"{value:.{digits}f}".replace("-", MINUS)


def _linear(axis: Axis, length: float, text_length: Callable[[str], float]) -> list[Tick]:
    span = axis.high - axis.low
    room = 44.0
    for _ in range(3):  # wider words need a wider step, which may need other words
        step = _step(span, length / room)
        places = _multiples(axis.low, axis.high, step)
        texts = [_linear_text(at, step) for at in places]
        widest = max((text_length(text) for text in texts), default=0.0) + 14.0
        if step / span * length >= widest:
            break
        room = widest
    return [Tick(at, text) for at, text in zip(places, texts, strict=True)]


def _iteration(axis: Axis, length: float, text_length: Callable[[str], float]) -> list[Tick]:
    widest = max(text_length(grouped(int(end))) for end in (axis.low, axis.high)) + 34.0
    step = _step(axis.high - axis.low, length / widest, whole=True)
    return [Tick(at, grouped(round(at))) for at in _multiples(axis.low, axis.high, step)]


def _log10(axis: Axis, length: float, text_length: Callable[[str], float]) -> list[Tick]:
    span = axis.high - axis.low
    if span < _FEW_DECADES:
        return _within_a_decade(axis, length, text_length)
    room = max(22.0, text_length("10⁻¹⁰") + 8.0)
    step = next((s for s in (1, 2, 3, 5, 10, 20, 50, 100) if s * length / span >= room), 200)
    major = [Tick(at, power_of_ten(round(at))) for at in _multiples(axis.low, axis.high, step)]
    if step > 1:
        apart = (s for s in (1, 2, 3, 5, 10, 20, 50) if s < step and step % s == 0)
        minor = next((s for s in apart if s * length / span >= _LEAST_MINOR), step)
        return major + [Tick(at) for at in _multiples(axis.low, axis.high, minor) if round(at) % step]
    if length / span < 36.0:
        return major
    below = range(math.floor(axis.low), math.ceil(axis.high))
    return major + [Tick(decade + math.log10(digit)) for decade in below for digit in range(2, 10)]


def _within_a_decade(axis: Axis, length: float, text_length: Callable[[str], float]) -> list[Tick]:
    """Less than about a decade: ticks at round values, placed at their logarithms."""
    low, high = 10.0 ** max(axis.low, -300.0), 10.0 ** min(axis.high, 300.0)
    step = _step(high - low, length / max(_LEAST_STEP, text_length("8.88·10⁻¹⁰") + 8.0))
    if step <= 0.0 or not math.isfinite(step) or (high - low) / step > 1000:
        return []
    digits = max(1, 1 + math.floor(math.log10(high) + 1e-9) - math.floor(math.log10(step) + 1e-9))
    found: list[Tick] = []
    edge = -math.inf
    for value in _multiples(low, high, step):
        if value <= 0:
            continue
        at, text = (
            math.log10(value),
            _linear_text(value, step) if 1e-3 <= step < 1e4 else brief(value, digits),
        )
        place, half = (at - axis.low) / (axis.high - axis.low) * length, text_length(text) / 2
        if place - half >= edge:
            found.append(Tick(at, text))
            edge = place + half + 6.0
    return found


def _ends(axis: Axis) -> list[Tick]:
    """Ticks at the roundest values near the two ends: an axis with a single number says nothing."""
    if axis.scale == "log10":
        return _log_ends(axis)
    low, high = axis.low, axis.high
    power = 10.0 ** math.floor(math.log10(high - low))
    for step in (power, power / 2, power / 5, power / 10):
        if axis.scale == "iteration" and step < 1.0:
            break  # whole numbers only
        places = _multiples(low, high, step)
        if len(places) > 1 and places[-1] - places[0] > _ENOUGH * (high - low):
            return [Tick(at, _linear_text(at, step)) for at in (places[0], places[-1])]
    return []


def _log_ends(axis: Axis) -> list[Tick]:
    span = axis.high - axis.low
    first, last = math.ceil(axis.low), math.floor(axis.high)
    if last - first > _ENOUGH * span:
        return [Tick(first, power_of_ten(first)), Tick(last, power_of_ten(last))]
    for digits in (1, 2, 3):
        low, high = _rounded(axis.low, digits, math.ceil), _rounded(axis.high, digits, math.floor)
        if high[0] - low[0] > _ENOUGH * span:
            return [Tick(at, text) for at, text in (low, high)]
    return []


def _rounded(at: float, digits: int, towards: Callable[[float], int]) -> tuple[float, str]:
    """Round a value whose logarithm is given to some digits, and return its logarithm and its words."""
    power = math.floor(at + 1e-12) - digits + 1
    mantissa = towards(10.0 ** (at - power))
    at = math.log10(mantissa) + power
    plain = power >= -4 and at < 5
    return at, _linear_text(mantissa * 10.0**power, 10.0**power) if plain else brief(10.0**at, digits)


def _layer(axis: Axis, length: float, text_length: Callable[[str], float]) -> list[Tick]:
    count = len(axis.layers)
    if not count:
        return []
    pixels = length / (axis.high - axis.low)
    widest = text_length(str(count)) + 8.0
    step = next((s for s in (1, 2, 5, 10, 20, 50, 100, 200, 500) if s * pixels >= widest), 1000)
    last = "head" if axis.layers[-1] == "head" else str(count)
    room = (text_length(last) + text_length(str(count))) / 2 + 6.0
    numbers = [n for n in dict.fromkeys((1, *range(step, count, step))) if n < count]
    numbers = [n for n in numbers if (count - n) * pixels >= room]
    if len(numbers) > 1 and (numbers[1] - 1) * pixels < widest:
        del numbers[1]
    majors = {*numbers, count}
    minor = [Tick(n) for n in range(1, count) if n not in majors] if pixels >= 5.0 else []
    return [*(Tick(n, str(n)) for n in numbers), Tick(count, last), *minor]


_TICKS = {"linear": _linear, "log10": _log10, "layer": _layer, "iteration": _iteration}
