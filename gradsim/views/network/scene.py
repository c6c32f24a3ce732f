"""What is painted: the content of a trace, where it stands, and how a person wants it coloured."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PySide6.QtGui import QColor

from gradsim.views.colormaps import CIVIDIS, diverging
from gradsim.views.network.content import NetworkContent, rounded_up
from gradsim.views.network.layout import NetworkLayout
from gradsim.views.network.links import SHADES, Links, magnitude_shades, signed_shades, strongest_links
from gradsim.views.network.scales import SCALES, KeptScales, Scale
from gradsim.views.theme import Theme

UnitColours = Literal["magnitude", "value"]
LinkColours = Literal["weight", "gradient", "none"]

# Room inside a column for what has no place on a logarithmic axis: ∞ and NaN above, 0 below, px.
LANE = 13.0

_MAGNITUDES = tuple(QColor(*rgb) for rgb in CIVIDIS.tolist())


@dataclass(frozen=True, eq=False)
class Scene:
    """One picture of a network; pictures of other steps of the same trace differ only in the pulse.

    Attributes
    ----------
    content : NetworkContent
        The numbers.
    layout : NetworkLayout
        The places.
    theme : Theme
        The colours.
    scales : KeptScales
        By phase.
    unit_colours : {"magnitude", "value"}
        What circles are coloured by: log10 rms, or the signed mean over the batch.
    link_colours : {"weight", "gradient", "none"}
        What links are coloured by.
    """

    content: NetworkContent
    layout: NetworkLayout
    theme: Theme
    scales: KeptScales
    unit_colours: UnitColours = "magnitude"
    link_colours: LinkColours = "weight"

    def scale_of(self, tensor: str) -> Scale:
        """Return the scale a tensor is read on."""
        return self.scales[SCALES[tensor]]

    def height_of(self, log10: float | NDArray[np.float64], scale: Scale) -> NDArray[np.float64]:
        """Return where magnitudes stand in a column, px from above."""
        frame = self.layout.frame
        low, high = frame.bottom - LANE, frame.top + LANE
        place: NDArray[np.float64] = low + (high - low) * scale.position(log10)
        return place

    def share_color(self, share: float) -> QColor:
        """Return the colour of a place on a scale of magnitudes, 0 to 1."""
        return _MAGNITUDES[round(share * 255)]

    def value_color(self, value: float, largest: float) -> QColor:
        """Return the colour of a finite signed value."""
        share = min(max(value / largest, -1.0), 1.0)
        return QColor(*diverging(self.theme)[round((share + 1.0) * 127.5)].tolist())

    @cached_property
    def link_columns(self) -> tuple[int, ...]:
        """Columns whose links from the column before are seen one by one."""
        if self.link_colours == "none" or not self.layout.shows_links:
            return ()
        columns, visible = self.content.columns, self.layout.visible
        return tuple(
            i
            for i in range(max(visible.start, 1), min(visible.stop + 1, len(columns)))
            if columns[i].has_circles
            and columns[i - 1].has_circles
            and self.content.links(i, self.link_tensor) is not None
        )

    @property
    def link_tensor(self) -> str:
        """The tensor that links show."""
        return "weight_gradient" if self.link_colours == "gradient" else "weight"

    @cached_property
    def links(self) -> tuple[Links, ...]:
        """The links drawn into each of ``link_columns``."""
        found = [self.content.links(i, self.link_tensor) for i in self.link_columns]
        return strongest_links([values for values in found if values is not None])

    @cached_property
    def largest_link(self) -> float:
        """End of the signed scale of the links."""
        values = [np.abs(links.values) for links in self.links]
        return rounded_up(max((float(v.max(where=np.isfinite(v), initial=0.0)) for v in values), default=0.0))

    @cached_property
    def link_scale(self) -> Scale:
        """Scale of the links when coloured by their gradient."""
        return self.scales["parameters"]

    def link_shades(self, links: Links) -> NDArray[np.int64]:
        """Return the shade of each link."""
        if self.link_colours == "gradient":
            return magnitude_shades(links.values, self.link_scale.low, self.link_scale.high)
        return signed_shades(links.values, self.largest_link)

    @cached_property
    def shade_colors(self) -> tuple[QColor, ...]:
        """Colour of each shade, ready mixed with the ground: transparent lines are slow.

        Signed shades rise quickly from the middle, where most weights are; the legend shows the same shades.
        """
        share = np.linspace(0.0, 1.0, SHADES)
        if self.link_colours == "gradient":
            table = CIVIDIS[np.rint(share * 255).astype(int)].astype(np.float64)
        else:
            away = 2 * share - 1
            risen = 0.5 + 0.5 * np.sign(away) * np.abs(away) ** 0.6
            table = diverging(self.theme)[np.rint(risen * 255).astype(int)].astype(np.float64)
            # The middle of the diverging table is nearly the ground itself: a weight near 0 stays visible.
            ink = QColor(self.theme.outline)
            rgb = np.array([ink.red(), ink.green(), ink.blue()], dtype=np.float64)
            near = np.clip(0.8 - np.abs(away) * 2.5, 0.0, 0.8)[:, None]
            table = table * (1 - near) + rgb * near
        return tuple(QColor(*(int(c) for c in row)) for row in np.rint(table))
