"""Where everything of the network view stands, in pixels. Arithmetic without Qt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gradsim.views.network.column import Column

WIDEST_PITCH = 132.0
"""Distance of columns, in px, beyond which fitting does not stretch a small network."""

DEEPEST_ZOOM = 260.0
"""Distance of columns, in px, at which zooming in ends."""

ARC_RISE = 14.0
"""How far the arcs of nested residual blocks stand one above the other, px."""

MOST_ARCS = 4
"""Levels of arcs that are told apart."""

_AXIS_WIDTH = 62.0
_BADGES_WIDTH = 104.0
_TOP = 34.0
_BOTTOM = 62.0
_NAMES_FROM = 58.0
_NUMBERS_EVERY = 26.0
_TIMES_EVERY = 34.0
_LARGEST_RADIUS = 15.0
_HALF_COLUMN = 22.0
_LEAST_CIRCLE = 3.5
_LEAST_GAP = 4.0


@dataclass(frozen=True, slots=True)
class Frame:
    """The parts of a figure of a given size: axis on the left, columns, badges on the right.

    Attributes
    ----------
    width, height : float
        Of the whole figure, px.
    arcs : int, default 0
        For how many levels of arcs there is room above the columns.
    """

    width: float
    height: float
    arcs: int = 0

    @property
    def left(self) -> float:
        """Left edge of the columns' part."""
        return _AXIS_WIDTH

    @property
    def right(self) -> float:
        """Right edge of the columns' part."""
        return max(self.width - _BADGES_WIDTH, self.left + 40.0)

    @property
    def top(self) -> float:
        """Upper end of the units."""
        return _TOP + (ARC_RISE * self.arcs + 4.0 if self.arcs else 0.0)

    @property
    def bottom(self) -> float:
        """Lower end of the units."""
        return max(self.height - _BOTTOM, self.top + 40.0)


@dataclass(frozen=True, slots=True)
class Viewport:
    """Which part of the network is seen.

    Attributes
    ----------
    pitch : float
        Distance of the columns, px.
    first : float
        Place of the first column's middle, px.
    """

    pitch: float
    first: float


def fitted(frame: Frame, columns: int) -> Viewport:
    """Return the viewport that shows all columns, centred, without stretching a small network.

    Parameters
    ----------
    frame : Frame
        The figure.
    columns : int
        How many, at least 1.

    Returns
    -------
    Viewport
        Half a pitch is left free at either side.
    """
    space = frame.right - frame.left
    pitch = min(space / columns, WIDEST_PITCH)
    return Viewport(pitch, frame.left + 0.5 * (space - pitch * (columns - 1)))


def zoomed(viewport: Viewport, frame: Frame, columns: int, factor: float, about: float) -> Viewport:
    """Return the viewport after zooming about a place that stays where it is.

    Parameters
    ----------
    viewport : Viewport
        Before.
    frame : Frame
        The figure.
    columns : int
        How many.
    factor : float
        Above 1 zooms in.
    about : float
        Place of the mouse, px.

    Returns
    -------
    Viewport
        Between all columns and ``DEEPEST_ZOOM``, never showing only emptiness.
    """
    least = fitted(frame, columns).pitch
    pitch = float(np.clip(viewport.pitch * factor, least, max(DEEPEST_ZOOM, least)))
    return kept_inside(
        Viewport(pitch, about + (viewport.first - about) * pitch / viewport.pitch), frame, columns
    )


def panned(viewport: Viewport, frame: Frame, columns: int, distance: float) -> Viewport:
    """Return the viewport moved by some pixels, as far as there is something to see.

    Parameters
    ----------
    viewport : Viewport
        Before.
    frame : Frame
        The figure.
    columns : int
        How many.
    distance : float
        To the right, px.

    Returns
    -------
    Viewport
        After.
    """
    return kept_inside(Viewport(viewport.pitch, viewport.first + distance), frame, columns)


def kept_inside(viewport: Viewport, frame: Frame, columns: int) -> Viewport:
    """Return the viewport moved so that the network fills the figure, or is centred where it is smaller."""
    space, length = frame.right - frame.left, viewport.pitch * columns
    if length <= space + 1e-6:
        return Viewport(viewport.pitch, frame.left + 0.5 * (space - length + viewport.pitch))
    highest = frame.left + 0.5 * viewport.pitch
    lowest = frame.right - length + 0.5 * viewport.pitch
    return Viewport(viewport.pitch, min(max(viewport.first, lowest), highest))


def revealing(viewport: Viewport, frame: Frame, columns: int, column: int) -> Viewport:
    """Return the viewport moved just so far that a column is wholly seen."""
    x = viewport.first + viewport.pitch * column
    half = 0.5 * min(viewport.pitch, frame.right - frame.left)
    shift = max(frame.left + half - x, 0.0) + min(frame.right - half - x, 0.0)
    return kept_inside(Viewport(viewport.pitch, viewport.first + shift), frame, columns)


@dataclass(frozen=True, slots=True)
class SharedLabel:
    """A label that neighbouring columns of the same shape share: those from ``first`` to ``last``."""

    first: int
    last: int
    text: str
    is_time: bool = False


class NetworkLayout:
    """Where the columns, units and labels stand.

    Parameters
    ----------
    frame : Frame
        The figure.
    viewport : Viewport
        The part seen.
    columns : sequence of Column
        What is drawn, the input first.
    """

    def __init__(self, frame: Frame, viewport: Viewport, columns: Sequence[Column]) -> None:
        self.frame = frame
        self.viewport = viewport
        self.columns = tuple(columns)
        self.half_column = float(min(max(0.34 * viewport.pitch, 1.0), _HALF_COLUMN))
        radius = min(0.36 * viewport.pitch, _LARGEST_RADIUS)
        most = max((c.units for c in columns if c.has_circles), default=1)
        # One radius for the whole network: units of equal importance look equal.
        self.radius = float(max(min(radius, 0.40 * (frame.bottom - frame.top) / most), 1.0))
        # Half the height of a unit: a circle's radius, more where columns are too narrow for circles.
        self.half_unit = self.radius
        if self.has_cells:
            self.half_unit = float(max(min(0.42 * self._spacing(most), _LARGEST_RADIUS), self.radius))

    @property
    def centres(self) -> NDArray[np.float64]:
        """Middles of the columns, px."""
        return self.viewport.first + self.viewport.pitch * np.arange(len(self.columns), dtype=np.float64)

    def centre(self, column: float) -> float:
        """Middle of a column, or of a place between two, px."""
        return self.viewport.first + self.viewport.pitch * column

    @property
    def middle(self) -> float:
        """Height of the middle of all columns, px."""
        return 0.5 * (self.frame.top + self.frame.bottom)

    def unit_heights(self, column: int) -> NDArray[np.float64]:
        """Middles of the units of a small layer, from above, px."""
        units = self.columns[column].units
        places = np.arange(units, dtype=np.float64) - 0.5 * (units - 1)
        return self.middle + self._spacing(units) * places

    def _spacing(self, units: int) -> float:
        return min((self.frame.bottom - self.frame.top) / units, 3.0 * _LARGEST_RADIUS)

    @property
    def has_cells(self) -> bool:
        """Whether units are cells as high as there is room, columns being too narrow for circles."""
        return self.radius < _LEAST_CIRCLE

    @property
    def shows_links(self) -> bool:
        """Whether there is room to see anything between two columns of circles."""
        return self.viewport.pitch - 2 * self.radius >= _LEAST_GAP

    def half_width(self, column: int) -> float:
        """Half of what a column takes in width, px."""
        return self.radius if self.columns[column].has_circles else self.half_column

    @property
    def visible(self) -> range:
        """Columns of which something is seen."""
        first = np.floor((self.frame.left - self.viewport.first) / self.viewport.pitch + 0.5)
        last = np.ceil((self.frame.right - self.viewport.first) / self.viewport.pitch - 0.5)
        return range(max(int(first), 0), min(int(last) + 1, len(self.columns)))

    def span(self, column: int) -> tuple[float, float]:
        """Left and right end of the strip that belongs to a column, px, inside the columns' part."""
        x, half = self.centre(column), 0.5 * self.viewport.pitch
        return max(x - half, self.frame.left), min(x + half, self.frame.right)

    def column_at(self, x: float) -> int | None:
        """Return the column at a place, or None beside the network."""
        if not self.frame.left <= x <= self.frame.right:
            return None
        column = int(np.floor((x - self.viewport.first) / self.viewport.pitch + 0.5))
        return column if 0 <= column < len(self.columns) else None

    def unit_at(self, column: int, y: float) -> int | None:
        """Return the unit of a small layer at a height, or None between units and for wide layers."""
        if not self.columns[column].has_circles:
            return None
        distances = np.abs(self.unit_heights(column) - y)
        unit = int(np.argmin(distances))
        return unit if distances[unit] <= 1.3 * self.half_unit else None

    @property
    def shows_names(self) -> bool:
        """Whether every column has room for its name."""
        return self.viewport.pitch >= _NAMES_FROM

    @property
    def numbered(self) -> tuple[int, ...]:
        """Visible columns with a label of their own: all, or as many round numbers as there is room for."""
        last = len(self.columns) - 1
        if self.shows_names:
            return tuple(self.visible)
        if any(column.time is not None for column in self.columns):
            return self._numbered_times
        pitch = self.viewport.pitch
        every = next((n for n in (1, 2, 5, 10, 20, 50, 100, 200, 500) if n * pitch >= _NUMBERS_EVERY), 1000)
        # "head" is a longer word than "in".
        after, before = 0.999 * _NUMBERS_EVERY / pitch, 1.3 * _NUMBERS_EVERY / pitch
        return tuple(
            c
            for c in self.visible
            if c in (0, last) or ((c % every == 0 or (every > 1 and c == 1)) and after < c < last - before)
        )

    @property
    def _numbered_times(self) -> tuple[int, ...]:
        """Visible columns with a label among time steps: ends of a sequence and layers before round times."""
        room = _TIMES_EVERY / self.viewport.pitch
        every = next((n for n in (1, 2, 5, 10, 20, 50, 100, 200, 500) if n >= room), 1000)
        last = len(self.columns) - 1
        ranks: list[tuple[int, int]] = []
        for c in self.visible:
            column = self.columns[c]
            if c in (0, last):
                ranks.append((0, c))
            elif column.time is None:
                ranks.append((1, c))
            elif column.time in (0, column.steps - 1):
                ranks.append((2, c))
            elif (column.time + 1) % every == 0:
                ranks.append((3, c))
        chosen: list[int] = []
        for _rank, c in sorted(ranks):
            if all(abs(c - other) >= room for other in chosen):
                chosen.append(c)
        return tuple(sorted(chosen))

    @property
    def shared_labels(self) -> tuple[SharedLabel, ...]:
        """Labels under runs of equal layers, for columns too narrow for one each."""
        labels: list[SharedLabel] = []
        for index, column in enumerate(self.columns[1:], start=1):
            text, is_time = f"{column.units} {column.activation}", column.time is not None
            if is_time:
                text = f"{column.name}: {text}, {column.steps} steps"
            if labels and labels[-1].text == text and index < len(self.columns) - 1:
                labels[-1] = SharedLabel(labels[-1].first, index, text, is_time)
            else:
                labels.append(SharedLabel(index, index, text, is_time))
        return tuple(labels)
