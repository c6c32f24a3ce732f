"""The picture of all units: layers side by side, in each its units one above the other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtGui import QColor

from gradsim.views.colormaps import CIVIDIS, EMPTY, NAN, ZERO, extended, scaled
from gradsim.views.plot.axis import Axis, layer_axis
from gradsim.views.plot.color_bar import ColorBar
from gradsim.views.plot.heat import Heat
from gradsim.views.plot.marks import Mark, Rule
from gradsim.views.plot.numbers import brief, grouped, percent
from gradsim.views.plot.panel import Panel
from gradsim.views.plot.words import Words
from gradsim.views.theme import Theme

if TYPE_CHECKING:
    from gradsim.analysis.unit_deaths import UnitDeaths
    from gradsim.analysis.units import LayerUnits, UnitSurvey

_SHOWN = ("saturation", "dead")
_ALIVE = EMPTY + 1
"""Row behind an extended table: a unit that is alive, where only the dead have a colour."""


class UnitMap:
    """Colours of all units, by saturation or by the time of their death.

    Parameters
    ----------
    survey : UnitSurvey
        What is known of the units.
    deaths : UnitDeaths or None
        When they died: these are the colours then.
    is_sorted : bool
        Whether the units of a layer stand in the order of what is shown, so that a share can be read as a height.
    """

    def __init__(self, survey: UnitSurvey, deaths: UnitDeaths | None, is_sorted: bool) -> None:
        self.survey, self.deaths, self.is_sorted = survey, deaths, is_sorted
        self.words, self.dead = survey_words(survey), survey.dead
        """How many units are dead, in words and as a number."""
        sizes = [len(layer) for layer in survey.layers]
        self.orders: list[NDArray[np.intp]] = [np.empty(0, dtype=np.intp)] * len(sizes)
        """Which unit stands at which height, from the bottom, for each layer."""
        self._cells = np.full((max(sizes), len(sizes)), EMPTY, dtype=np.intp)
        self._has_nan = False
        for size in set(sizes):
            self._take([place for place, other in enumerate(sizes) if other == size])
        self._heat: Heat | None = None

    def panel(
        self, numbers: tuple[int | None, ...], chosen: int | None, theme: Theme, head: list[Words]
    ) -> Panel:
        """Return the picture.

        Parameters
        ----------
        numbers : tuple of (int or None)
            Of each layer of the survey its number 1…L; None where a layer has none.
        chosen : int or None
            Place of the layer that is marked.
        theme : Theme
            In which colours.
        head : list of Words
            What stands above it.

        Returns
        -------
        Panel
            Layers to the right, units upwards.
        """
        layers, most = self.survey.layers, len(self._cells)
        alive = QColor(theme.grid).rgb()
        colors = np.append(extended(CIVIDIS, theme), np.uint32(alive))
        sides, heights = np.arange(len(layers) + 1.0) + 0.5, np.arange(most + 1.0) + 0.5
        heat = Heat(self._cells, sides, heights, colors, theme, made_from=(self._cells, theme))
        if self._heat is not None:
            heat.take_picture(self._heat)
        self._heat = heat
        marks: list[Mark] = [heat]
        if chosen is not None:
            marks += [
                Rule(chosen + 0.5 + side, theme.color("background"), upright=True, width=2.5)
                for side in (0, 1)
            ]
            marks += [
                Rule(chosen + 0.5 + side, theme.color("accent"), upright=True, width=1.5) for side in (0, 1)
            ]
        names = tuple(layer.name for layer in layers)
        is_numbered = numbers == tuple(range(1, len(numbers) + 1))
        across = layer_axis(
            names, "layer" if is_numbered else "layer with an activation, in the order of the pass"
        )
        upright = "units, most saturated on top" if self.is_sorted else "unit"
        if self.is_sorted and self.deaths is not None:
            upright = "units, the first to die at the bottom"
        return Panel(
            "units",
            across,
            Axis(upright, 0.5, most + 0.5),
            marks,
            headline=head,
            shorter=(head[:-1] or head, head[:1]),
            color_bar=self._color_bar(),
        )

    def unit_at(self, x: float, y: float) -> tuple[int, int] | None:
        """Return place of the layer and index of the unit at a place of the picture."""
        place, height = int(np.floor(x + 0.5)) - 1, int(np.floor(y + 0.5)) - 1
        if not 0 <= place < len(self.orders) or not 0 <= height < len(self.orders[place]):
            return None
        return place, int(self.orders[place][height])

    def hover_text(self, x: float, y: float) -> str:
        """Return what is known of the unit at a place of the picture."""
        from gradsim.analysis.unit_deaths import death_words

        found = self.unit_at(x, y)
        if found is None:
            return ""
        place, unit = found
        layer = self.survey.layers[place]
        lines = [
            f"{layer.name}, unit {unit + 1} of {len(layer)}: {state_of(layer)[unit]}",
            f"saturation {percent(float(layer.saturation[unit]))}",
            f"largest |a| = {brief(float(layer.largest_output[unit]))}, "
            f"largest |φ′| = {brief(float(layer.largest_slope[unit]))}",
        ]
        if self.deaths is not None and layer.dead[unit]:
            words = death_words(int(self.deaths.alive_at[place][unit]), int(self.deaths.dead_at[place][unit]))
            lines.append(f"{words}; a click goes there")
        return "\n".join(lines)

    def _take(self, places: list[int]) -> None:
        """Order and colour the units of layers of one width, all at once."""
        if self.deaths is None:
            layers = [self.survey.layers[place] for place in places]
            saturation, dead = (np.stack([getattr(one, name) for one in layers]) for name in _SHOWN)
            rows, keys = scaled(saturation, 0.0, 1.0), saturation + dead
            self._has_nan |= bool(np.isnan(saturation).any())
            rows[dead] = ZERO
        else:
            dead_at = np.stack([self.deaths.dead_at[place] for place in places])
            with np.errstate(divide="ignore", invalid="ignore"):
                rows = scaled(np.log10(np.maximum(dead_at, 1).astype(np.float64)), 0.0, self._latest())
            rows[dead_at == 0] = ZERO
            rows[dead_at < 0] = _ALIVE
            keys = np.where(dead_at < 0, np.iinfo(np.int64).max, dead_at)
        if not self.is_sorted:
            keys = np.zeros(keys.shape)
        orders = np.argsort(keys, axis=1, kind="stable")
        self._cells[: keys.shape[1], places] = np.take_along_axis(rows, orders, axis=1).T
        for place, order in zip(places, orders, strict=True):
            self.orders[place] = order

    def _latest(self) -> float:
        return max(float(np.log10(max(self.survey.iteration, 1))), 1.0)

    def _color_bar(self) -> ColorBar:
        if self.deaths is not None:
            return ColorBar(Axis("", 0.0, self._latest(), "log10"), CIVIDIS, (("at 0", ZERO),))
        special = [("dead", ZERO)]
        if self._has_nan:
            special.append(("NaN", NAN))
        return ColorBar(Axis("", 0.0, 1.0), CIVIDIS, tuple(special))


def state_of(layer: LayerUnits) -> NDArray[Any]:
    """Return in a word what each unit is.

    Parameters
    ----------
    layer : LayerUnits
        Its units.

    Returns
    -------
    ndarray of str, shape (units,)
        ``dead``, ``slope 0``, ``not a number`` or ``alive``.
    """
    kinds = [layer.dead, layer.stuck, layer.broken]
    return np.select(kinds, ["dead", "slope 0", "not a number"], "alive")


def survey_words(survey: UnitSurvey) -> str:
    """Return how many units are dead or stuck.

    Parameters
    ----------
    survey : UnitSurvey
        What is known of the units.

    Returns
    -------
    str
        A part of a sentence.
    """
    told = f"{grouped(survey.dead)} of {grouped(survey.units)} units dead"
    if stuck := survey.stuck:
        told += f", {grouped(stuck)} more with slope 0 for every sample"
    if broken := survey.broken:
        told += f", {grouped(broken)} not a number"
    return told
