"""One figure as a picture, an SVG or a PDF: bytes in memory. Files are the business of ``write``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Protocol

from numpy.typing import NDArray
from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QMarginsF, QRectF, QSize, QSizeF
from PySide6.QtGui import QImage, QImageWriter, QPageSize, QPainter, QPdfWriter
from PySide6.QtSvg import QSvgGenerator

from gradsim import __version__
from gradsim.views.export.outline import with_outlined_text
from gradsim.views.theme import Theme

PIXELS_PER_INCH = 96.0
MILLIMETRES_PER_INCH = 25.4
MOST_PIXELS = 200_000_000
"""Of a picture: 800 MB in memory."""


class Figure(Protocol):
    """What a view offers to be exported; the package's docstring says how."""

    title: str
    view_id: str

    def paint_figure(self, painter: QPainter, rect: QRectF, theme: Theme) -> None:
        """Draw the figure."""

    def figure_size(self) -> QSizeF:
        """Return its size on the screen."""

    def table(self) -> tuple[Mapping[str, NDArray[Any]], Mapping[str, str]]:
        """Return the numbers drawn and their units."""


def figure_image(figure: Figure, size: QSizeF, scale: float, theme: Theme) -> QImage:
    """Return a figure as a picture.

    Parameters
    ----------
    figure : Figure
        A view.
    size : QSizeF
        In logical pixels of 1/96 inch.
    scale : float
        Pixels per logical pixel; 3.125 gives 300 dots per inch.
    theme : Theme
        In which colours.

    Returns
    -------
    QImage
        With its resolution, title and program in its metadata.

    Raises
    ------
    ValueError
        If it would have more than ``MOST_PIXELS`` pixels.
    """
    width, height = round(size.width() * scale), round(size.height() * scale)
    if width * height > MOST_PIXELS:
        raise ValueError(
            f"a picture of {width:,} × {height:,} pixels is too large; at most {MOST_PIXELS:,} pixels in all"
        )
    image = QImage(width, height, QImage.Format.Format_RGB32)
    image.setDevicePixelRatio(scale)
    _paint(figure, image, QRectF(0, 0, width / scale, height / scale), theme)
    image.setDevicePixelRatio(1.0)
    # After painting: the resolution of a device changes the size of fonts given in points.
    dots_per_metre = round(PIXELS_PER_INCH * scale / MILLIMETRES_PER_INCH * 1000)
    image.setDotsPerMeterX(dots_per_metre)
    image.setDotsPerMeterY(dots_per_metre)
    for key, words in _words(figure).items():
        image.setText(key, words)
    return image


def figure_png(figure: Figure, size: QSizeF, scale: float, theme: Theme) -> bytes:
    """Return a figure as a PNG file.

    Parameters
    ----------
    figure : Figure
        A view.
    size : QSizeF
        In logical pixels of 1/96 inch.
    scale : float
        Pixels per logical pixel.
    theme : Theme
        In which colours.

    Returns
    -------
    bytes
        Of the whole file.
    """
    buffer = _buffer()
    picture = QImageWriter(buffer, QByteArray(b"png"))
    if not picture.write(figure_image(figure, size, scale, theme)):
        raise ValueError(f"the PNG could not be made: {picture.errorString()}")
    return bytes(buffer.data().data())


def figure_svg(figure: Figure, size: QSizeF, theme: Theme) -> bytes:
    """Return a figure as an SVG file whose text is outlined.

    Parameters
    ----------
    figure : Figure
        A view.
    size : QSizeF
        In logical pixels of 1/96 inch.
    theme : Theme
        In which colours.

    Returns
    -------
    bytes
        Of the whole file, UTF-8.
    """
    buffer = _buffer()
    # 1.1, not Tiny 1.2: only there does Qt write clip paths, without which lines leave their plot.
    generator = QSvgGenerator(QSvgGenerator.SvgVersion.Svg11)
    generator.setOutputDevice(buffer)
    generator.setResolution(round(PIXELS_PER_INCH))
    generator.setSize(QSize(round(size.width()), round(size.height())))
    generator.setViewBox(QRectF(0, 0, size.width(), size.height()))
    generator.setTitle(figure.title)
    generator.setDescription(_words(figure)["Description"])
    _paint(figure, generator, QRectF(0, 0, size.width(), size.height()), theme)
    text = bytes(buffer.data().data()).decode()
    # Qt knows whole pixels only; the true size, in the unit that print needs.
    inches = [f"{side / PIXELS_PER_INCH * MILLIMETRES_PER_INCH:.4f}mm" for side in size.toTuple()]
    text = re.sub(r'width="[^"]*" height="[^"]*"', f'width="{inches[0]}" height="{inches[1]}"', text, count=1)
    return with_outlined_text(text).encode()


def figure_pdf(figure: Figure, size: QSizeF, theme: Theme) -> bytes:
    """Return a figure as a PDF file of one page; fonts are embedded.

    Parameters
    ----------
    figure : Figure
        A view.
    size : QSizeF
        In logical pixels of 1/96 inch.
    theme : Theme
        In which colours.

    Returns
    -------
    bytes
        Of the whole file.
    """
    buffer = _buffer()
    writer = QPdfWriter(buffer)
    points = QSizeF(size.width() * 72.0 / PIXELS_PER_INCH, size.height() * 72.0 / PIXELS_PER_INCH)
    match = QPageSize.SizeMatchPolicy.ExactMatch
    writer.setPageSize(QPageSize(points, QPageSize.Unit.Point, "figure", match))
    writer.setPageMargins(QMarginsF(0, 0, 0, 0))
    writer.setResolution(round(PIXELS_PER_INCH))
    writer.setTitle(figure.title)
    writer.setCreator(f"GradSim {__version__}")
    _paint(figure, writer, QRectF(0, 0, size.width(), size.height()), theme)
    return bytes(buffer.data().data())


def _paint(figure: Figure, device: Any, rect: QRectF, theme: Theme) -> None:
    painter = QPainter(device)
    try:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setRenderHint(QPainter.RenderHint.TextAntialiasing)
        painter.fillRect(rect.toAlignedRect(), theme.color("background"))
        figure.paint_figure(painter, rect, theme)
    finally:
        painter.end()


def _buffer() -> QBuffer:
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.ReadWrite)
    return buffer


def _words(figure: Figure) -> dict[str, str]:
    told = getattr(figure, "text_summary", None)
    return {
        "Title": figure.title,
        "Description": told() if told else figure.title,
        "Software": f"GradSim {__version__}",
    }
