"""The two panels of the cost: the time until each layer has moved, and the operations it takes."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from gradsim.analysis import Cost, amount_words, factor_words
from gradsim.analysis.cost_wording import AGE_OF_UNIVERSE
from gradsim.trace import IterationTrace
from gradsim.views.gradient_profile import marker_size
from gradsim.views.plot.axis import Axis, layer_axis
from gradsim.views.plot.lanes import lanes_needed, log10_or_nan
from gradsim.views.plot.line import Line
from gradsim.views.plot.marks import Mark, VerticalBand
from gradsim.views.plot.panel import Panel
from gradsim.views.plot.points import LanePoints, Points
from gradsim.views.plot.ranges import StickyRange, finite_range
from gradsim.views.plot.rules import Rules
from gradsim.views.plot.short_legend import shortened
from gradsim.views.plot.words import Words
from gradsim.views.theme import Theme
from gradsim.views.weight_layers import WeightLayers

_YEAR = 31_557_600.0
_TIMES = (
    (1e-3, "1 ms"),
    (1.0, "1 s"),
    (60.0, "1 min"),
    (3600.0, "1 h"),
    (86_400.0, "1 day"),
    (_YEAR, "1 year"),
    (1e3 * _YEAR, "1,000 years"),
    (AGE_OF_UNIVERSE, "age of the universe"),
)
_DASHES: tuple[tuple[float, ...], ...] = ((2.0, 3.0), (7.0, 2.0, 2.0, 2.0), (4.0, 2.0))


@dataclass(frozen=True, slots=True)
class Look:
    """What both panels share, and what was chosen.

    Attributes
    ----------
    theme : Theme
        Its colours.
    layer : int or None
        The selected one, an index into ``IterationTrace.layers``.
    width : float
        Of the figure, in logical pixels.
    is_low : bool
        Whether only the most telling names of the legend have room.
    has_walk, has_machines : bool
        Whether the time of a random walk and that on faster machines are drawn.
    """

    theme: Theme
    layer: int | None
    width: float
    is_low: bool
    has_walk: bool
    has_machines: bool


def time_panel(trace: IterationTrace, found: Cost, told: str, held: StickyRange, look: Look) -> Panel:
    """Return the panel of the time until each layer has moved by 1 %, here and on faster machines.

    Parameters
    ----------
    trace : IterationTrace
        Any of the run.
    found : Cost
        What it costs; without a speed in iterations, not in seconds.
    told : str
        What is said of the first layer, above it; what stands behind a semicolon may be left out.
    held : StickyRange
        Of the upright axis.
    look : Look
        What was chosen.

    Returns
    -------
    Panel
        Called "time".
    """
    theme = look.theme
    layers = WeightLayers(trace)
    known = math.isfinite(found.rate)
    unit = found.rate if known else 1.0
    with np.errstate(all="ignore"):
        straight = np.array([m.straight for m in found.motions]) / unit
        walk = np.array([m.walk for m in found.motions]) / unit
    drawn = [straight, *([walk] if look.has_walk else [])]
    machines = [m for m in found.machines if m.factor > 1 and known and look.has_machines]
    everything = [*drawn, *(straight / m.factor for m in machines)]
    ends = held.around(finite_range(*(log10_or_nan(v) for v in everything)))
    marks: list[Mark] = []
    place = layers.position(look.layer)
    if place is not None:
        marks.append(VerticalBand(place - 0.5, place + 0.5, theme.color("accent", 0.14)))
    at, size = layers.positions, marker_size(len(layers), look.width / 2.0)
    if known:
        rows = [(math.log10(seconds), words) for seconds, words in _TIMES]
        courses = [(at, log10_or_nan(values)) for values in everything]
        plate = theme.color("background", 0.8)
        marks.append(Rules(rows, theme.color("muted"), plate, (2.0, 4.0), courses))
    for number, machine in enumerate(reversed(machines)):
        name, y = f"{factor_words(machine.factor)} as fast", log10_or_nan(straight / machine.factor)
        marks.append(Line(at, y, theme.color("ghost"), 1.4, _DASHES[number % len(_DASHES)], name))
    color = theme.color("update")
    if look.has_walk:
        marks.append(Line(at, log10_or_nan(walk), color, 1.2, (6.0, 3.0), "random walk"))
        marks.append(LanePoints(at, walk, color, dodge=4.0))
    marks.append(
        Line(at, log10_or_nan(straight), color, 1.8, name="straight" if known else "fewest possible")
    )
    marks.append(LanePoints(at, straight, color))
    marks.append(Points(at, log10_or_nan(straight), color, "circle", size))
    if look.is_low:
        marks = shortened(marks, lambda name: name in ("straight", "random walk", "10× as fast"))
    label = f"{'seconds' if known else 'iterations'} (until moved by 1 %)"
    upright = Axis(label, *ends, "log10")
    title = Words("First layer by 1 %: ", bold=True)
    lines = [[title, Words(words)] for words in dict.fromkeys((told, told.partition(";")[0]))]
    return Panel(
        "time",
        layer_axis(layers.names),
        upright,
        marks,
        lines[0],
        (*lines[1:], lines[-1][1:]),
        lanes=lanes_needed(*drawn),
        weight=1.4,
    )


def operations_panel(trace: IterationTrace, found: Cost, held: StickyRange, look: Look) -> Panel:
    """Return the panel of the floating-point operations of each layer.

    Parameters
    ----------
    trace : IterationTrace
        Any of the run.
    found : Cost
        What it costs.
    held : StickyRange
        Of the upright axis.
    look : Look
        What was chosen.

    Returns
    -------
    Panel
        Called "operations".
    """
    theme = look.theme
    rows = found.operations.layers
    at = np.arange(1.0, len(rows) + 1.0)
    names = {"forward": "forward", "backward": "backward", "update": "update"}
    series = {name: np.array([getattr(row, name) for row in rows], dtype=np.float64) for name in names}
    ends = held.around(finite_range(*(log10_or_nan(v) for v in series.values())))
    marks: list[Mark] = []
    if look.layer is not None:
        here = look.layer + 1.0
        marks.append(VerticalBand(here - 0.5, here + 0.5, theme.color("accent", 0.14)))
    size = marker_size(len(rows), look.width / 2.0)
    for name, role in reversed(names.items()):
        color = theme.color(role)
        marks.append(Line(at, log10_or_nan(series[name]), color, 1.4, name=name))
        marks.append(Points(at, log10_or_nan(series[name]), color, "circle", size))
        marks.append(LanePoints(at, series[name], color, 5.0))
    counted = found.operations
    total = amount_words(counted.total, "FLOP")
    told = [f"{total} = {counted.forward_passes:.3g} forward passes", total]
    if math.isfinite(found.rate):
        told.insert(0, f"{told[0]}; {amount_words(found.flops, 'FLOP/s')}")
    title = Words("One iteration: ", bold=True)
    lines = [[title, Words(words)] for words in told]
    axis = layer_axis(tuple(layer.name for layer in trace.layers), "layer, those without weights counted too")
    return Panel(
        "operations",
        axis,
        Axis("FLOP per iteration", *ends, "log10"),
        marks,
        lines[0],
        (*lines[1:], lines[-1][1:]),
        lanes=lanes_needed(*series.values()),
    )
