"""Pictures of many numbers at once: one image for layers × anything, never one item per layer."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRectF
from PySide6.QtGui import QColor, QImage, QPainter
from PySide6.QtWidgets import QWidget

from gradsim.views.colormaps import INFINITE, NAN, ZERO
from gradsim.views.plot.geometry import Geometry
from gradsim.views.theme import Theme

_DOTS = "#59626d"
VECTOR_SCALE = 3
"""Pixels per logical pixel of a picture inside a vector file: sharp, for viewers smooth what they enlarge."""


def hatched(
    rows: NDArray[Any], colors: NDArray[np.uint32], theme: Theme, scale: int, ordinary: int = ZERO
) -> QImage:
    """Return a picture whose cells for 0, NaN and ∞ carry a pattern: dots, and lines falling or rising.

    Parameters
    ----------
    rows : ndarray of int, shape (height, width)
        Rows of an extended table, one per pixel.
    colors : ndarray of uint32
        The extended table.
    theme : Theme
        Decides the colour of the pattern.
    scale : int
        Pixels per logical pixel, so that the pattern is as coarse everywhere.
    ordinary : int, default 256
        How many colours come before the special ones.

    Returns
    -------
    QImage
        Of that size.
    """
    pixels = colors[rows]
    places = np.arange(rows.shape[0])[:, None] // scale, np.arange(rows.shape[1])[None, :] // scale
    _hatch(pixels, rows, places, theme, ordinary)
    return _picture_of(pixels)


def _hatch(
    pixels: NDArray[np.uint32],
    rows: NDArray[Any],
    places: tuple[NDArray[Any], NDArray[Any]],
    theme: Theme,
    ordinary: int,
) -> None:
    """Draw the patterns over the pixels that need one; ``places`` are theirs down and right, in logical pixels."""
    zero, nan, infinite = (special - ZERO + ordinary for special in (ZERO, NAN, INFINITE))
    down, right = places
    pattern = ((rows == nan) & ((down + right) % 6 < 2)) | ((rows == infinite) & ((down - right) % 6 < 2))
    pixels[pattern] = QColor("#000000" if theme.is_dark else "#ffffff").rgb()
    pixels[(rows == zero) & (down % 5 == 2) & (right % 5 == 2)] = QColor(_DOTS).rgb()


def _picture_of(pixels: NDArray[np.uint32]) -> QImage:
    pixels = np.ascontiguousarray(pixels)
    height, width = pixels.shape
    return QImage(pixels.data, width, height, width * 4, QImage.Format.Format_RGB32).copy()


@dataclass(slots=True, eq=False)
class Heat:
    """A grid of colours between the edges of its cells.

    Attributes
    ----------
    rows : ndarray of int, shape (cells along y, cells along x)
        Rows of an extended table; the first row lies at the least y.
    x_edges, y_edges : ndarray of float, shape (cells + 1,)
        Sides of the cells in the units of the axes, rising.
    colors : ndarray of uint32
        The extended table.
    theme : Theme
        For the pattern of special cells.
    merge : bool, default False
        When several columns share a pixel: NaN and ∞ in any of them win; else the one in the middle is shown.
    ordinary : int, default 256
        How many colours come before the special ones.
    made_from : tuple
        What decides the colours, so that the next one can take over the picture.
    """

    rows: NDArray[Any]
    x_edges: NDArray[np.float64]
    y_edges: NDArray[np.float64]
    colors: NDArray[np.uint32]
    theme: Theme
    merge: bool = False
    ordinary: int = ZERO
    name: str = ""
    made_from: tuple[Any, ...] = ()
    _key: tuple[Any, ...] = field(default=(), init=False)
    _picture: QImage = field(default_factory=QImage, init=False)

    def paint(self, painter: QPainter, geometry: Geometry) -> None:
        """Draw the picture, made at the resolution of the device."""
        device = painter.device()
        raster = isinstance(device, QImage | QWidget)
        scale = max(1, round(device.devicePixelRatioF())) if raster else VECTOR_SCALE
        plot = geometry.plot
        width, height = int(plot.width()) * scale, int(plot.height()) * scale
        if width < 1 or height < 1:
            return
        x, y = geometry.x, geometry.y
        key = (width, height, scale, x.low, x.high, y.low, y.high)
        if key != self._key:
            self._key, self._picture = key, self._made(geometry, width, height, scale)
        painter.drawImage(QRectF(plot.left(), plot.top(), width / scale, height / scale), self._picture)

    def take_picture(self, before: Heat) -> None:
        """Take over the picture of another one if both were made from the same things.

        Parameters
        ----------
        before : Heat
            What was painted last.
        """
        pairs = list(zip(self.made_from, before.made_from, strict=False))
        if pairs and all(a is b or (isinstance(a, float) and a == b) for a, b in pairs):
            self._key, self._picture = before._key, before._picture

    def paint_sample(self, painter: QPainter, rect: QRectF) -> None:
        """Draw nothing: a colour bar explains a picture."""

    def _made(self, geometry: Geometry, width: int, height: int, scale: int) -> QImage:
        x_at = geometry.x.low + (np.arange(width) + 0.5) / width * (geometry.x.high - geometry.x.low)
        y_at = geometry.y.high - (np.arange(height) + 0.5) / height * (geometry.y.high - geometry.y.low)
        columns = np.searchsorted(self.x_edges, x_at, side="right") - 1
        lines = np.searchsorted(self.y_edges, y_at, side="right") - 1
        inside_x = (columns >= 0) & (columns < self.rows.shape[1])
        inside_y = (lines >= 0) & (lines < self.rows.shape[0])
        # In the smallest numbers that can tell the colours apart: there is one for each pixel of a line.
        rows = self.rows.astype(np.min_scalar_type(len(self.colors)), copy=False)
        cells = rows[:, np.clip(columns, 0, self.rows.shape[1] - 1)]
        if self.merge and self.rows.shape[1] > width and (self.rows >= NAN).any():
            cells = np.maximum(cells, self._special_per_pixel(columns))
        lines = np.clip(lines, 0, self.rows.shape[0] - 1)
        picture = QImage(width, height, QImage.Format.Format_RGB32)
        pixels = np.frombuffer(picture.bits(), np.uint32).reshape(height, width)
        # Colours of few cells, then whole lines of pixels, written where Qt keeps them: a tenth of the time of a
        # colour for every pixel. No line is beyond the cells, but only clipping needs no second copy.
        np.take(self.colors[cells], lines, axis=0, out=pixels, mode="clip")
        last = self.ordinary + INFINITE - ZERO
        special: NDArray[np.bool_] = (cells >= self.ordinary) & (cells <= last)
        down = np.flatnonzero(np.logical_or.reduce(special, axis=1)[lines])
        right = np.flatnonzero(np.logical_or.reduce(special, axis=0))
        if len(down) and len(right):
            part = pixels[np.ix_(down, right)]
            places = down[:, None] // scale, right[None, :] // scale
            _hatch(part, cells[lines[down]][:, right], places, self.theme, self.ordinary)
            pixels[np.ix_(down, right)] = part
        ground = QColor(self.theme.background).rgb()
        for outside, beside in ((~inside_x, pixels.T), (~inside_y, pixels)):
            if outside.any():
                beside[outside] = ground
        return picture

    def _special_per_pixel(self, columns: NDArray[Any]) -> NDArray[Any]:
        """NaN or ∞ where any column from this pixel to the next has it, else 0."""
        starts = np.clip(columns, 0, self.rows.shape[1] - 1)
        special = np.where((self.rows == NAN) | (self.rows == INFINITE), self.rows, 0)
        return np.maximum.reduceat(special, starts, axis=1)
