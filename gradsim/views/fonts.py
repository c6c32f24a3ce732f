"""The fonts that GradSim ships, so that the window and every exported figure look the same everywhere.

PySide6 brings no fonts: on a machine without any, every glyph would be an empty box.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

from PySide6.QtGui import QFont, QFontDatabase, QFontMetricsF

from gradsim.resource_files import resource_path

UI_POINTS = 9.0
"""Size of ordinary words, in points."""


class FontFamilies(NamedTuple):
    """Names under which Qt knows the shipped fonts."""

    sans: str
    mono: str


@cache
def install_fonts() -> FontFamilies:
    """Register the shipped fonts; needs a running ``QGuiApplication``. Later calls only return the names.

    Returns
    -------
    FontFamilies
        ``sans`` (regular and bold) and ``mono``.

    Raises
    ------
    RuntimeError
        If Qt cannot read one of the files.
    """
    return FontFamilies(
        sans=_installed("DejaVuSans.ttf", "DejaVuSans-Bold.ttf"), mono=_installed("DejaVuSansMono.ttf")
    )


def _installed(*files: str) -> str:
    family = ""
    for file in files:
        number = QFontDatabase.addApplicationFont(str(resource_path("fonts", file)))
        if number < 0:
            raise RuntimeError(f"Qt cannot read the shipped font {file}")
        family = family or QFontDatabase.applicationFontFamilies(number)[0]
    return family


def sans_font(points: float = UI_POINTS, *, bold: bool = False) -> QFont:
    """Return the font of words and axis labels.

    Parameters
    ----------
    points : float, default ``UI_POINTS``
        Size in points.
    bold : bool, default False
        For headings.

    Returns
    -------
    QFont
        A new one; its digits are all of one width.
    """
    font = QFont(install_fonts().sans)
    font.setPointSizeF(points)
    font.setBold(bold)
    return font


def mono_font(points: float = UI_POINTS) -> QFont:
    """Return the font of columns of numbers and of formulas.

    Parameters
    ----------
    points : float, default ``UI_POINTS``
        Size in points.

    Returns
    -------
    QFont
        A new one, every glyph of one width.
    """
    font = QFont(install_fonts().mono)
    font.setPointSizeF(points)
    return font


@cache
def figure_metrics(pixels: int = 12, *, bold: bool = False) -> QFontMetricsF:
    """Return the measures of a font for drawing in a figure.

    Parameters
    ----------
    pixels : int, default 12
        As for ``figure_font``.
    bold : bool, default False
        As for ``figure_font``.

    Returns
    -------
    QFontMetricsF
        Made once: the fonts that are shipped do not change.
    """
    return QFontMetricsF(figure_font(pixels, bold=bold))


def figure_font(pixels: int = 12, *, bold: bool = False, mono: bool = False) -> QFont:
    """Return a font for drawing in a figure; its size does not depend on the device painted on.

    Parameters
    ----------
    pixels : int, default 12
        Size in logical pixels of 1/96 inch.
    bold : bool, default False
        For headings.
    mono : bool, default False
        Every glyph of one width.

    Returns
    -------
    QFont
        A new one.
    """
    families = install_fonts()
    font = QFont(families.mono if mono else families.sans)
    font.setPixelSize(pixels)
    font.setBold(bold)
    return font
