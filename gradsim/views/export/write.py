"""A view to a file or to the clipboard."""

from __future__ import annotations

import math
from os import PathLike
from pathlib import Path
from typing import Literal

from PySide6.QtCore import QSizeF
from PySide6.QtGui import QGuiApplication

from gradsim.formats import write_table
from gradsim.formats.files import replace_file
from gradsim.spec import Experiment
from gradsim.views.export.figure import (
    MILLIMETRES_PER_INCH,
    PIXELS_PER_INCH,
    Figure,
    figure_image,
    figure_pdf,
    figure_png,
    figure_svg,
)
from gradsim.views.theme import LIGHT, THEMES, Theme

SUFFIXES = (".png", ".svg", ".pdf", ".csv")
_LEAST, _MOST = 80.0, 20_000.0
Unit = Literal["px", "mm"]


def export_view(
    view: Figure,
    path: str | PathLike[str],
    *,
    size: tuple[float, float] | None = None,
    unit: Unit = "px",
    scale: float = 1.0,
    theme: Theme | str | None = None,
    experiment: Experiment | None = None,
) -> None:
    """Write a view to a file; its suffix says how.

    Parameters
    ----------
    view : Figure
        What to write; see the package's docstring.
    path : str or path-like
        Ends in ``.png``, ``.svg``, ``.pdf`` or ``.csv``. Replaced as a whole or not at all.
    size : tuple of float or None
        Width and height; None for those on the screen. A CSV has none.
    unit : {"px", "mm"}
        Of ``size``: logical pixels of 1/96 inch, or millimetres on paper.
    scale : float, default 1
        Of a PNG: pixels per logical pixel; 3.125 gives 300 dots per inch.
    theme : Theme, str or None
        Colours, by themselves or by name (``"paper"``); None for those of the view.
    experiment : Experiment or None
        Named in the header of a CSV; None for that of the view's run.

    Raises
    ------
    ValueError
        If the suffix, the size, the scale or the theme is impossible, or a CSV has no experiment.
    SpecError
        With the name of the file, if it cannot be written.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise ValueError(f"expected a file that ends in {', '.join(SUFFIXES)}, got {path.name!r}")
    if suffix == ".csv":
        run = getattr(view, "run", None)
        of = experiment or (run.experiment if run is not None else None)
        if of is None:
            raise ValueError("there is no run whose numbers could be written")
        columns, units = view.table()
        write_table(path, columns, units, of, None if run is None else run.trace.iteration)
        return
    extent, colors = figure_extent(view, size, unit), _theme(view, theme)
    if suffix == ".png":
        if not (math.isfinite(scale) and 0.1 <= scale <= 32.0):
            raise ValueError(f"scale: expected a number from 0.1 to 32, got {scale}")
        content = figure_png(view, extent, scale, colors)
    else:
        content = (figure_svg if suffix == ".svg" else figure_pdf)(view, extent, colors)
    replace_file(path, content)


def copy_view(view: Figure, *, scale: float = 2.0, theme: Theme | str | None = None) -> None:
    """Copy a view to the clipboard, as a picture and as an SVG: the receiver takes what it knows.

    Parameters
    ----------
    view : Figure
        What to copy.
    scale : float, default 2
        Pixels per logical pixel of the picture.
    theme : Theme, str or None
        Colours; None for those of the view.
    """
    extent, colors = figure_extent(view, None, "px"), _theme(view, theme)
    clipboard = QGuiApplication.clipboard()
    # Qt's own QMimeData, extended: one made in Python is called after Python's end and crashes at exit.
    clipboard.setImage(figure_image(view, extent, scale, colors))
    clipboard.mimeData().setData("image/svg+xml", figure_svg(view, extent, colors))


def figure_extent(view: Figure, size: tuple[float, float] | None, unit: Unit) -> QSizeF:
    """Return the size of a figure.

    Parameters
    ----------
    view : Figure
        Whose own size is taken when none is given.
    size : tuple of float or None
        Width and height.
    unit : {"px", "mm"}
        Of ``size``.

    Returns
    -------
    QSizeF
        In logical pixels of 1/96 inch.

    Raises
    ------
    ValueError
        If a side is too short to hold a figure, too long or no number.
    """
    if size is None:
        return view.figure_size()
    if unit not in ("px", "mm"):
        raise ValueError(f"unit: expected px or mm, got {unit!r}")
    per_unit = PIXELS_PER_INCH / MILLIMETRES_PER_INCH if unit == "mm" else 1.0
    sides = [side * per_unit for side in size]
    for name, given, side in zip(("width", "height"), size, sides, strict=True):
        if not (math.isfinite(side) and _LEAST <= side <= _MOST):
            low, high = _LEAST / per_unit, _MOST / per_unit
            raise ValueError(f"{name}: expected {low:.0f} to {high:.0f} {unit}, got {given}")
    return QSizeF(*sides)


def _theme(view: Figure, theme: Theme | str | None) -> Theme:
    if theme is None:
        return getattr(view, "theme", LIGHT)
    if isinstance(theme, Theme):
        return theme
    if theme not in THEMES:
        raise ValueError(f"theme: expected one of {', '.join(THEMES)}, got {theme!r}")
    return THEMES[theme]
