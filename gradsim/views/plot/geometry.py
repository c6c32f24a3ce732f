"""Where numbers lie on paper: the mapping between the units of two axes and pixels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRectF

from gradsim.views.plot.axis import Axis


@dataclass(frozen=True, slots=True, eq=False)
class Geometry:
    """A panel laid out.

    Attributes
    ----------
    rect : QRectF
        The whole panel, axes and legend included.
    frame : QRectF
        The plot with its lanes.
    plot : QRectF
        The part of the frame that the axes measure.
    x, y : Axis
        Their ranges belong to the sides of ``plot``.
    lanes : mapping from str to float
        Middle of each lane in pixels, by its name.
    thinned : int
        How many kinds of words have made room for the plot, in the order of ``panel.GIVEN_UP``.
    """

    rect: QRectF
    frame: QRectF
    plot: QRectF
    x: Axis
    y: Axis
    lanes: Mapping[str, float]
    thinned: int = 0

    def x_px(self, values: NDArray[Any]) -> NDArray[np.float64]:
        """Return places along the x axis in pixels.

        Parameters
        ----------
        values : ndarray of float
            In the units of the axis.

        Returns
        -------
        ndarray of float64, the same shape
            May lie outside the plot.
        """
        per_unit = self.plot.width() / (self.x.high - self.x.low)
        return self.plot.left() + (np.asarray(values, dtype=np.float64) - self.x.low) * per_unit

    def y_px(self, values: NDArray[Any]) -> NDArray[np.float64]:
        """Return places along the y axis in pixels.

        Parameters
        ----------
        values : ndarray of float
            In the units of the axis.

        Returns
        -------
        ndarray of float64, the same shape
            May lie outside the plot; greater numbers lie higher.
        """
        per_unit = self.plot.height() / (self.y.high - self.y.low)
        return self.plot.bottom() - (np.asarray(values, dtype=np.float64) - self.y.low) * per_unit

    def x_place(self, value: float) -> float:
        """Return the place of one number along the x axis.

        Parameters
        ----------
        value : float
            In the units of the axis.

        Returns
        -------
        float
            In pixels.
        """
        return self.plot.left() + (value - self.x.low) * self.plot.width() / (self.x.high - self.x.low)

    def y_place(self, value: float) -> float:
        """Return the place of one number along the y axis.

        Parameters
        ----------
        value : float
            In the units of the axis.

        Returns
        -------
        float
            In pixels.
        """
        return self.plot.bottom() - (value - self.y.low) * self.plot.height() / (self.y.high - self.y.low)

    def x_at(self, pixel: float) -> float:
        """Return the number at a place along the x axis.

        Parameters
        ----------
        pixel : float
            Horizontal place.

        Returns
        -------
        float
            In the units of the axis.
        """
        return self.x.low + (pixel - self.plot.left()) / self.plot.width() * (self.x.high - self.x.low)

    def y_at(self, pixel: float) -> float:
        """Return the number at a place along the y axis.

        Parameters
        ----------
        pixel : float
            Vertical place.

        Returns
        -------
        float
            In the units of the axis.
        """
        return self.y.low + (self.plot.bottom() - pixel) / self.plot.height() * (self.y.high - self.y.low)
