"""The two panels of singular values: one over the layers, one over the ranks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PySide6.QtGui import QColor

from gradsim.views.gradient_profile import marker_size
from gradsim.views.jacobian.words import condition_words, shorter_verdict
from gradsim.views.plot.axis import Axis, layer_axis
from gradsim.views.plot.lanes import log10_or_nan
from gradsim.views.plot.line import Line
from gradsim.views.plot.marks import Mark, Rule, VerticalBand
from gradsim.views.plot.panel import Panel
from gradsim.views.plot.points import LanePoints, LinePoints, Points, Shape
from gradsim.views.plot.ribbon import Band
from gradsim.views.plot.short_legend import shortened
from gradsim.views.plot.words import Words
from gradsim.views.theme import Theme

if TYPE_CHECKING:
    from gradsim.analysis.jacobian import JacobianSpectrum

_MARKERS = 12
_BELOW_ALL = -1e4
"""Where a band ends that reaches down to 0, in log10."""
_BAR = 24.0
"""Width of the band of a network of one layer, in pixels."""


@dataclass(frozen=True, slots=True)
class Look:
    """What both panels share, and what was chosen.

    Attributes
    ----------
    theme : Theme
        Its colours.
    held : tuple of float
        Ends of the axis of singular values, in log10.
    lanes : list of str
        The lanes both have for what a log axis cannot show.
    block : int or None
        Place of the block of the selected layer.
    width : float
        Of the figure, in logical pixels.
    is_low : bool
        Whether only the most telling names of the legend have room.
    has_bound, has_least : bool
        Whether the product of the largest values and the smallest value to the output are drawn.
    """

    theme: Theme
    held: tuple[float, float]
    lanes: list[str]
    block: int | None
    width: float
    is_low: bool
    has_bound: bool
    has_least: bool


def layers_panel(
    spectrum: JacobianSpectrum,
    five: NDArray[np.float64],
    numbers: Sequence[int | None],
    headline: list[Words],
    look: Look,
) -> Panel:
    """Return the panel of every block's values and of those from it to the output.

    Parameters
    ----------
    spectrum : JacobianSpectrum
        Of K blocks.
    five : ndarray of float64, shape (5, K)
        Largest, quartiles and smallest of every block.
    numbers : sequence of int or None, length K
        Of the last layer of each block; None where it has none.
    headline : list of Words
        Above it.
    look : Look
        What was chosen.

    Returns
    -------
    Panel
        Called "layers".
    """
    theme, count = look.theme, len(spectrum.names)
    x = np.arange(1.0, count + 1.0)
    logs = log10_or_nan(five)
    lower = np.where(five[3] == 0, _BELOW_ALL, logs[3])
    onward = np.array([values[0] for values in spectrum.onward])
    least = np.array([values[-1] for values in spectrum.onward])
    own, through = theme.color("forward"), theme.color("backward")
    size = marker_size(count, look.width / 2.0)
    marks: list[Mark] = [Rule(0.0, theme.color("outline"))]
    if look.block is not None:
        marks.append(VerticalBand(look.block + 0.5, look.block + 1.5, theme.color("accent", 0.14)))
    marks += [
        Band(x, lower, logs[1], theme.color("forward", 0.25), _BAR, "middle half"),
        Line(x, logs[4], own, 1.0, (1.0, 2.5), "smallest"),
        Line(x, logs[2], own, 1.0, (5.0, 3.0), "median"),
        Line(x, logs[0], own, 1.6),
        LanePoints(x, five[4], own, 5.0, dodge=-3.0),
        LanePoints(x, five[0], own, 7.0, dodge=-3.0),
        Points(x, logs[0], own, "square", size, name="layer: largest"),
    ]
    if look.has_bound:
        bound = np.where(np.isfinite(spectrum.log10_bounds), spectrum.log10_bounds, np.nan)
        marks.append(Line(x, bound, theme.color("muted"), 1.2, (5.0, 3.0), "product of the largest"))
    if look.has_least:
        marks.append(Line(x, log10_or_nan(least), through, 1.0, (1.0, 2.5), "to the output: smallest"))
        marks.append(LanePoints(x, least, through, 5.0, dodge=3.0))
    marks += [
        Line(x, log10_or_nan(onward), through, 1.6),
        LanePoints(x, onward, through, 7.0, dodge=3.0),
        LinePoints(x, log10_or_nan(onward), through, "circle", size, name="to the output: largest"),
    ]
    if look.is_low:
        marks = shortened(marks, lambda name: name in ("layer: largest", "to the output: largest"))
    label = "layer" if list(numbers) == list(range(1, count + 1)) else "block, in the order of the pass"
    return Panel(
        "layers",
        layer_axis(spectrum.names, label),
        Axis("singular value", *look.held, "log10"),
        marks,
        headline=headline,
        shorter=(headline[1:], [Words(shorter_verdict(spectrum))]),
        lanes=look.lanes,
        weight=1.6,
    )


def values_panel(spectrum: JacobianSpectrum, look: Look) -> Panel:
    """Return the panel of all values of the whole, by rank, and of those of the selected block.

    Parameters
    ----------
    spectrum : JacobianSpectrum
        Any.
    look : Look
        What was chosen.

    Returns
    -------
    Panel
        Called "values"; its axis is that of "layers".
    """
    theme, whole = look.theme, spectrum.whole
    series: list[tuple[str, NDArray[np.float64], QColor, Shape]] = []
    if look.block is not None:
        own = theme.color("forward")
        series.append((spectrum.names[look.block], spectrum.blocks[look.block], own, "square"))
    series.append(("input to output", whole, theme.color("backward"), "circle"))
    most = max(len(values) for _, values, _, _ in series)
    marks: list[Mark] = [Rule(0.0, theme.color("outline"))]
    if ((whole > 0) & (whole < spectrum.eps * whole[0])).any():
        words, plate = "below: rounding", theme.color("background", 0.8)
        floor = np.log10(spectrum.eps * whole[0])
        marks.append(Rule(floor, theme.color("warn"), words=words, plate=plate, dash=(4.0, 3.0)))
    for name, values, color, shape in series:
        x, logs = np.arange(1.0, len(values) + 1.0), log10_or_nan(values)
        marks.append(Line(x, logs, color, 1.2))
        marks.append(LanePoints(x, values, color, 6.0))
        some = np.unique(np.linspace(0, len(x) - 1, min(len(x), _MARKERS)).astype(np.intp))
        marks.append(LinePoints(x[some], logs[some], color, shape, 6.0, name=name))
    ranks = layer_axis(tuple(str(k + 1) for k in range(most)), "rank, the largest first")
    condition = condition_words(whole, spectrum.eps)
    head, short = ([Words(words)] for words in (condition, condition.replace("condition number ", "κ ")))
    return Panel(
        "values",
        ranks,
        Axis("", *look.held, "log10"),
        marks,
        headline=head,
        shorter=(short,),
        lanes=look.lanes,
        linked_y="layers",
    )
