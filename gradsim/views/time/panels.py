"""The diagrams of a recurrent layer through time: units, sizes, gates, their product, and the recorded passes."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from PySide6.QtGui import QColor

from gradsim.views.colormaps import CIVIDIS, EMPTY, INFINITE, NAN, ZERO, extended, scaled
from gradsim.views.plot.axis import Axis
from gradsim.views.plot.color_bar import ColorBar
from gradsim.views.plot.heat import Heat
from gradsim.views.plot.lanes import lanes_needed, log10_or_nan
from gradsim.views.plot.line import Line
from gradsim.views.plot.marks import Mark, Rule
from gradsim.views.plot.numbers import grouped
from gradsim.views.plot.panel import Panel
from gradsim.views.plot.points import LanePoints, LinePoints, Shape
from gradsim.views.plot.words import Words
from gradsim.views.theme import Theme
from gradsim.views.time.passes import PassGrid
from gradsim.views.time.reading import SYMBOLS, Reading
from gradsim.views.time.rug import Rug

SPECIAL = (("0", ZERO), ("NaN", NAN), ("∞", INFINITE))
_SHAPES: tuple[Shape, ...] = ("circle", "square", "triangle", "diamond")
_MARKERS = 7
PASSES = "passes of "
"""Begin of the key of a panel of recorded passes; the tensor follows."""


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """What all panels share.

    Attributes
    ----------
    theme : Theme
        Their colours.
    levels : tuple of float
        log10 of the first and the last colour of the heat maps.
    sizes : tuple of float
        Range of the axis of sizes, log10.
    time : int or None
        Time step of the cursor, from 0.
    unit : int or None
        Unit that is selected.
    is_low : bool
        Whether there is so little room that the headlines must do for legends and names of axes.
    """

    theme: Theme
    levels: tuple[float, float]
    sizes: tuple[float, float]
    time: int | None
    unit: int | None = None
    is_low: bool = False

    def words(self, text: str) -> str:
        """Return the name of an axis or of a line, or nothing where there is no room for it."""
        return "" if self.is_low else text

    def color_bar(self, rows: NDArray[np.intp]) -> ColorBar:
        """Return what the colours of a heat map mean; where room is scarce only what occurs in it."""
        special = tuple(one for one in SPECIAL if not self.is_low or (rows == one[1]).any())
        return ColorBar(Axis("", *self.levels, "log10"), CIVIDIS, special)

    def color_of(self, tensor: str) -> QColor:
        """Return the colour of a gradient's line."""
        return self.theme.color("backward" if tensor == "hidden_gradient" else "update")


def time_axis(steps: int, look: Look) -> Axis:
    """Return the axis of time, 1…T."""
    return Axis(look.words("time step t"), 0.5, steps + 0.5, "iteration")


def units_panel(reading: Reading, tensor: str, look: Look) -> Panel:
    """Return the heat map time × unit."""
    values = reading.units(tensor)
    steps, units = values.shape
    rows = color_rows(values.T, look.levels)
    edges = np.arange(steps + 1.0) + 0.5, np.arange(units + 1.0) + 0.5
    made_from = (values, *look.levels, look.theme)
    colors = extended(CIVIDIS, look.theme)
    heat = Heat(rows, *edges, colors, look.theme, merge=True, made_from=made_from)
    marks: list[Mark] = [heat]
    if look.unit is not None and look.unit < units:
        marks += [Rule(look.unit + side, look.theme.color("accent"), width=1.0) for side in (0.5, 1.5)]
    # An end of the size of a unit is one sample's |value|, not a mean.
    what = f"rms {SYMBOLS[tensor]}" if reading.sample is None else f"|{SYMBOLS[tensor]}|"
    whose = "over the batch" if reading.sample is None else f"of sample {reading.sample + 1}"
    return Panel(
        "units",
        time_axis(steps, look),
        Axis(look.words("unit"), 0.5, units + 0.5, "iteration"),
        [*marks, *_cursor(look)],
        headline=[Words(f"{what} ", bold=True), Words(whose, "muted")],
        color_bar=look.color_bar(rows),
        weight=1.25,
    )


def sizes_panel(reading: Reading, look: Look) -> Panel:
    """Return the sizes over time with the fitted factor per step back."""
    marks: list[Mark] = []
    headline: list[Words] = []
    for place, tensor in enumerate(reversed(reading.tensors)):
        values, fit, color = reading.sizes[tensor], reading.fits[tensor], look.color_of(tensor)
        y = log10_or_nan(values)
        marks.append(Line(reading.times, y, color, 1.6))
        if np.isfinite(fit.slope) and len(fit.used) > 2:
            ends = np.array([fit.used[0], fit.used[-1]])
            marks.append(Line(ends + 1.0, fit.log10_at(ends), look.theme.color("muted"), 1.2, (5.0, 3.0)))
        marks.append(LanePoints(reading.times, values, color, 5.0, dodge=-3.0 * place))
        some = np.unique(np.linspace(0, reading.steps - 1, min(reading.steps, _MARKERS)).astype(np.intp))
        shape = _SHAPES[place]
        marks.append(
            LinePoints(
                reading.times[some], y[some], color, shape, 6.0, name=look.words(f"rms {SYMBOLS[tensor]}")
            )
        )
    for tensor in reading.tensors:
        role = "backward" if tensor == "hidden_gradient" else "update"
        words = reading.fits[tensor].words
        if tensor != reading.tensors[-1]:
            words = words.removesuffix(" per step back")
        headline += [Words(f"{SYMBOLS[tensor]} ", role, bold=True), Words(f"{words}   ")]
    factors = [replace(part, text=part.text.replace("grows ", "")) for part in headline]
    shorter = [replace(part, text=part.text.replace(" per step back", "")) for part in factors]
    return Panel(
        "sizes",
        time_axis(reading.steps, look),
        Axis(look.words(f"rms {reading.whose}"), *look.sizes, "log10"),
        [*marks, *_cursor(look)],
        headline=headline,
        shorter=(factors, shorter, shorter[:2]),
        lanes=lanes_needed(*reading.sizes.values()),
    )


def gates_panel(reading: Reading, look: Look) -> Panel:
    """Return how far the gates are open."""
    marks: list[Mark] = []
    some = np.unique(np.linspace(0, reading.steps - 1, min(reading.steps, _MARKERS)).astype(np.intp))
    names = {"i": "input i", "f": "forget f", "o": "output o", "r": "reset r", "z": "update z (keeps)"}
    for place, (gate, values) in reversed(list(enumerate(reading.gates.items()))):
        color = look.theme.color_of_series(place)
        marks.append(Line(reading.times, values, color, 1.5))
        marks.append(LanePoints(reading.times, np.where(np.isfinite(values), 1.0, values), color, 5.0))
        marks.append(
            LinePoints(
                reading.times[some], values[some], color, _SHAPES[place], 6.0, name=look.words(names[gate])
            )
        )
    broken = [np.where(np.isfinite(values), 1.0, values) for values in reading.gates.values()]
    return Panel(
        "gates",
        time_axis(reading.steps, look),
        Axis(look.words(f"mean {reading.whose}"), -0.02, 1.02),
        [*marks, *_cursor(look)],
        headline=[Words("Gates ", bold=True), Words("0 shut, 1 open", "muted")],
        lanes=lanes_needed(*broken),
    )


def kept_panel(reading: Reading, look: Look, held: tuple[float, float]) -> Panel:
    """Return the product of the gates that keep the state, from each step to the last."""
    kept = reading.kept
    assert kept is not None
    theme = look.theme
    color = theme.color_of_series(list(reading.gates).index(kept.gate))
    marks: list[Mark] = []
    shown: list[NDArray[np.float64]] = []
    rows = (
        (kept.log10_least, theme.color("muted"), (2.0, 2.0), "least"),
        (kept.log10_greatest, theme.color("muted"), (6.0, 3.0), "greatest of a unit"),
        (kept.log10_mean, color, (), "geometric mean"),
    )
    for logs, one, dash, name in rows:
        y = np.where(np.isfinite(logs), logs, np.nan)
        marks.append(Line(reading.times, y, one, 1.2 if dash else 1.8, dash, name=look.words(name)))
        # Only what is exactly 0 stands in the strip of zeros, however far below float64 a product is.
        special = np.where(np.isneginf(logs), 0.0, np.where(np.isfinite(logs), 1.0, logs))
        marks.append(LanePoints(reading.times, special, one, 4.0))
        shown.append(special)
    gate = kept.gate
    return Panel(
        "kept",
        time_axis(reading.steps, look),
        Axis(look.words("product"), *held, "log10"),
        [*marks, *_cursor(look)],
        headline=[
            Words(f"∏ {gate} after t ", bold=True),
            Words(f"what gate {gate} lets back from the end", "muted"),
        ],
        lanes=lanes_needed(*shown),
    )


def passes_panel(
    reading: Reading,
    grid: PassGrid,
    tensor: str,
    look: Look,
    across: tuple[float, float],
    words: str,
) -> Panel:
    """Return the heat map time × iteration of the recorded passes."""
    values, recorded = grid.values, grid.recorded
    rows = color_rows(values, look.levels)
    rows[:, recorded < 0] = EMPTY
    theme = look.theme
    y_edges, made_from = np.arange(len(values) + 1.0) + 0.5, (grid, *look.levels, theme)
    heat = Heat(rows, grid.edges, y_edges, extended(CIVIDIS, theme), theme, merge=True, made_from=made_from)
    marks: list[Mark] = [heat]
    if look.time is not None:
        marks.append(Rule(look.time + 1.0, theme.color("background"), width=3.0))
        marks.append(Rule(look.time + 1.0, theme.color("cursor"), width=1.0))
    at = reading.trace.iteration
    marks.append(Rule(at, theme.color("background"), upright=True, width=3.0))
    marks.append(Rule(at, theme.color("cursor"), upright=True, width=1.0))
    marks.append(
        Rug(recorded[recorded >= 0].astype(np.float64), theme.color("text"), theme.color("background"))
    )
    count = int((recorded >= 0).sum())
    told = words or f"{grouped(count)} recorded pass{'es' if count != 1 else ''}, marked below"
    return Panel(
        f"{PASSES}{tensor}",
        Axis(look.words("iteration"), *across, "iteration"),
        time_axis(len(values), look),
        marks,
        headline=[Words(f"rms {SYMBOLS[tensor]} ", bold=True), Words(told, "muted")],
        color_bar=look.color_bar(rows),
        weight=1.25,
    )


def color_rows(values: NDArray[np.float64], levels: tuple[float, float]) -> NDArray[np.intp]:
    """Return rows of an extended table for sizes on a scale of log10; 0, NaN and ∞ get their own."""
    rows = scaled(log10_or_nan(values), *levels)
    rows[values == 0] = ZERO
    rows[np.isinf(values)] = INFINITE
    return rows


def _cursor(look: Look) -> list[Mark]:
    if look.time is None:
        return []
    ground, ink = look.theme.color("background"), look.theme.color("cursor")
    at = look.time + 1.0
    return [Rule(at, ground, upright=True, width=3.0), Rule(at, ink, upright=True, width=1.0)]
