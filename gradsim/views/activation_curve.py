"""The diagram of one activation: φ and φ′ over z, and under them where the values of a layer lie."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRectF
from PySide6.QtGui import QColor, QPainter

from gradsim.views.plot.axis import Axis
from gradsim.views.plot.geometry import Geometry
from gradsim.views.plot.line import Line
from gradsim.views.plot.marks import Mark, Rule, VerticalBand
from gradsim.views.plot.numbers import brief, grouped, percent
from gradsim.views.plot.panel import Panel
from gradsim.views.plot.points import Points
from gradsim.views.plot.ranges import finite_range, round_up
from gradsim.views.plot.short_legend import shortened
from gradsim.views.plot.words import Words
from gradsim.views.theme import Theme

if TYPE_CHECKING:
    from gradsim.analysis.nonlinearities import Nonlinearity

LEAST_HALF = 4.0
"""The axis of z shows at least −4 to 4, where the shape of every activation can be seen."""
_MOST_HEIGHT = 2.0
"""φ that grows without end is drawn up to here, so that φ′ beside it does not become a flat line."""
_LINE_POINTS = 161  # more than a plot has pixels would be drawn as a thin line
_MOST_POINTS = 800
_BINS = 60
_BARS_SHARE = 0.55


@dataclass(frozen=True, slots=True, eq=False)
class Backdrop:
    """A histogram behind the lines: its highest bar takes a fixed share of the plot."""

    edges: NDArray[Any]
    shares: NDArray[Any]
    """Of the highest bar, from 0 to 1."""
    color: QColor
    name: str = ""

    def paint(self, painter: QPainter, geometry: Geometry) -> None:
        """Fill the bars from the bottom of the plot."""
        x, plot = np.round(geometry.x_px(self.edges)), geometry.plot
        painter.save()
        painter.setRenderHint(
            QPainter.RenderHint.Antialiasing, False
        )  # bars side by side: no seams, and faster
        for left, right, share in zip(x[:-1].tolist(), x[1:].tolist(), self.shares.tolist(), strict=True):
            if share > 0:
                height = max(1.5, share * _BARS_SHARE * plot.height())
                painter.fillRect(QRectF(left, plot.bottom() - height, right - left, height), self.color)
        painter.restore()

    def paint_sample(self, painter: QPainter, rect: QRectF) -> None:
        """Fill a small rectangle."""
        painter.fillRect(rect.adjusted(5, 1, -5, -1), self.color)


def half_range(part: Nonlinearity) -> float:
    """Return how far the axis of z must reach on both sides.

    Parameters
    ----------
    part : Nonlinearity
        With the values to be shown.

    Returns
    -------
    float
        A round number, at least ``LEAST_HALF``.
    """
    found = finite_range(np.abs(part.z))
    return max(LEAST_HALF, round_up(found[1])) if found and found[1] > LEAST_HALF else LEAST_HALF


def curve_panel(
    key: str,
    name: str,
    part: Nonlinearity,
    half: float,
    theme: Theme,
    shows: tuple[bool, bool],
    is_low: bool = False,
) -> Panel:
    """Return the diagram of one activation of a layer.

    Parameters
    ----------
    key : str
        Of the panel.
    name : str
        Of the layer.
    part : Nonlinearity
        What went through it.
    half : float
        The axis of z reaches from −half to half.
    theme : Theme
        In which colours.
    shows : (bool, bool)
        Whether the distribution of z is drawn, and whether the flat part is shaded.
    is_low : bool, default False
        Whether there is room for one line of a legend only.

    Returns
    -------
    Panel
        With the shares in its legend.
    """
    from gradsim.spec import kind_of

    z = _places(part, half)
    lines = _lines(part, z)
    low, high = _height(lines, part)
    marks: list[Mark] = []
    if shows[1]:
        marks += _shades(part, z, theme, is_low)
    if shows[0]:
        marks += _distribution(part, half, theme)
    marks += _kinks(part, theme)
    marks += _curves(part, z, lines, theme)
    if is_low:
        marks = shortened(marks, lambda name: name.startswith(("φ", "|φ", "a")))
    label = "φ(z), φ′(z)" if lines else "a, a (1 − a)"
    headline = [
        Words(f"{name}  ", bold=True),
        Words(part.label or kind_of(part.activation)),
        Words(f"   saturation {percent(part.saturation)}" if part.maximal_slope else "   no slope anywhere"),
        *_broken(part.z),
    ]
    shorter = ([headline[0], *headline[2:]], [headline[0], *headline[3:]])
    return Panel(key, Axis("z", -half, half), Axis(label, low, high), marks, headline, shorter)


def curve_hover(part: Nonlinearity, z: float) -> str:
    """Return what the diagram says at a place.

    Parameters
    ----------
    part : Nonlinearity
        What went through the activation.
    z : float
        The place.

    Returns
    -------
    str
        A line for value and slope, and one for the share of the layer's values below it.
    """
    from gradsim.analysis.activation_functions import FUNCTIONS, activation_pair
    from gradsim.spec import kind_of

    lines = [f"z = {brief(z)}"]
    if FUNCTIONS[kind_of(part.activation)].is_elementwise:
        slopes = None if part.trained_slopes is None else np.array([np.mean(part.trained_slopes)])
        value, slope = (float(one[0]) for one in activation_pair(part.activation, np.array([z]), slopes))
        told = f"φ(z) = {brief(value)}, φ′(z) = {brief(slope)}"
        if part.maximal_slope:
            told += f" ({percent(abs(slope) / part.maximal_slope)} of its maximum)"
        lines.append(told)
    if part.z.size:
        below = float(np.mean(part.z < z))
        lines.append(f"{percent(below)} of {grouped(part.z.size)} values lie below")
    return "\n".join(lines)


def _places(part: Nonlinearity, half: float) -> NDArray[np.float64]:
    """Evenly spaced z, and on both sides of every kink, so that a jump is upright."""
    kinks = np.array(part.kinks)
    beside = np.concatenate([np.nextafter(kinks, -np.inf), kinks, np.nextafter(kinks, np.inf)])
    return np.unique(np.concatenate([np.linspace(-half, half, _LINE_POINTS), beside[np.abs(beside) <= half]]))


def _lines(
    part: Nonlinearity, z: NDArray[np.float64]
) -> list[tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Value and slope along z, the typical one first; more where the slope differs from unit to unit."""
    from gradsim.analysis.activation_functions import FUNCTIONS, activation_pair
    from gradsim.spec import kind_of
    from gradsim.spec.activation import Rrelu

    if not FUNCTIONS[kind_of(part.activation)].is_elementwise:
        return []
    if isinstance(part.activation, Rrelu):
        found = np.array([part.activation.lower, part.activation.upper])
    elif part.trained_slopes is not None:
        found = np.asarray(part.trained_slopes, dtype=np.float64)
    else:
        return [activation_pair(part.activation, z)]
    chosen = dict.fromkeys([float(found.mean()), float(found.min()), float(found.max())])
    return [activation_pair(part.activation, z, np.array([slope])) for slope in chosen]


def _height(
    lines: list[tuple[NDArray[np.float64], NDArray[np.float64]]], part: Nonlinearity
) -> tuple[float, float]:
    if not lines:
        return -0.05, 1.05
    found = finite_range(*(np.clip(one, -_MOST_HEIGHT, _MOST_HEIGHT) for pair in lines for one in pair))
    low, high = found or (0.0, 1.0)
    room = 0.06 * max(high - low, 0.5)
    return low - room, high + room


def _shades(part: Nonlinearity, z: NDArray[np.float64], theme: Theme, is_low: bool) -> list[Mark]:
    """Shade where the slope is a small share of its maximum; the first stretch carries the words."""
    from gradsim.analysis.nonlinearities import SHADED_BELOW

    lines = _lines(part, z)
    name = f"|φ′| below {100 * SHADED_BELOW:.0f} % of its maximum: {percent(part.shaded_share)} of z"
    if is_low:
        name = f"|φ′| < {100 * SHADED_BELOW:.0f} % of max: {percent(part.shaded_share)}"
    elif part.flat_share:
        name += f"; slope 0: {percent(part.flat_share)}"
    color = theme.color("warn", 0.16)
    if not lines:
        return []
    flat = (
        np.abs(lines[0][1]) < SHADED_BELOW * part.maximal_slope
        if part.maximal_slope
        else np.ones(len(z), bool)
    )
    edges = np.flatnonzero(np.diff(np.concatenate(([False], flat, [False])).astype(np.int8)))
    stretches = list(zip(edges[::2].tolist(), (edges[1::2] - 1).tolist(), strict=True))
    marks: list[Mark] = [
        VerticalBand(float(z[first]), float(z[last]), color, name if k == 0 else "")
        for k, (first, last) in enumerate(stretches)
    ]
    return marks


def _distribution(part: Nonlinearity, half: float, theme: Theme) -> list[Mark]:
    finite = part.z[np.isfinite(part.z)].astype(np.float64)
    counts, edges = np.histogram(finite, bins=_BINS, range=(-half, half))
    if not finite.size:
        return []
    top = max(int(counts.max()), 1)
    name = f"{grouped(part.z.size)} values of z, at most {percent(top / max(part.z.size, 1))} per bar"
    return [Backdrop(edges, counts / top, theme.color("ghost", 0.45), name)]


def _kinks(part: Nonlinearity, theme: Theme) -> list[Mark]:
    marks: list[Mark] = []
    for at, count in zip(part.kinks, part.at_kinks, strict=True):
        name = f"kink at {brief(at)}" + (f": {grouped(count)} values exactly there" if count else "")
        marks.append(Rule(at, theme.color("muted", 0.8), upright=True, dash=(3.0, 3.0), name=name))
    return marks


def _curves(
    part: Nonlinearity,
    z: NDArray[np.float64],
    lines: list[tuple[NDArray[np.float64], NDArray[np.float64]]],
    theme: Theme,
) -> list[Mark]:
    value_color, slope_color = theme.color("forward"), theme.color("backward")
    if not lines:  # softmax: a value depends on its neighbours, too
        every = max(1, -(-part.z.size // _MOST_POINTS))
        at, a, slope = (
            one.reshape(-1)[::every].astype(np.float64) for one in (part.z, part.value, part.slope)
        )
        return [
            Points(at, slope, slope_color, "triangle", 4.5, name="a (1 − a), its slope by its own z"),
            Points(at, a, value_color, "circle", 4.5, name="a, of all z of its sample"),
        ]
    marks: list[Mark] = []
    for k, (value, slope) in reversed(list(enumerate(lines))):
        thin, end = k > 0, ""
        if len(lines) > 1:
            end = " with the mean slope" if k == 0 else ""
        width = 1.0 if thin else 2.0
        if thin:
            marks += [
                Line(z, slope, theme.color("backward", 0.6), width, (2.0, 2.0)),
                Line(z, value, theme.color("forward", 0.6), width),
            ]
            continue
        marks += [
            Line(z, slope, slope_color, width, (5.0, 3.0), f"φ′, at most {brief(part.maximal_slope)}"),
            Line(z, value, value_color, width, name=f"φ{end}"),
        ]
    return marks


def _broken(z: NDArray[Any]) -> list[Words]:
    found = [(int(np.count_nonzero(np.isnan(z))), "NaN"), (int(np.count_nonzero(np.isinf(z))), "∞")]
    words = ", ".join(f"{grouped(count)} {what}" for count, what in found if count)
    return [Words(f"   {words}", "bad")] if words else []
