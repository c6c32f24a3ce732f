"""Any view as PNG, SVG, PDF or CSV, and on the clipboard.

The protocol of a view that can be exported (structural: nothing to inherit from):

``paint_figure(painter: QPainter, rect: QRectF, theme: Theme) -> None``
    Draw the whole figure, its heading, axes and legends among it, inside ``rect`` in the colours of
    ``theme``. The painter's unit is one logical pixel of 1/96 inch; text is drawn with ``QPainter.drawText``
    in ``fonts.figure_font(pixels)``, never in a font of points, whose size depends on the device; the
    painter's state is saved and restored. The same code paints the widget, or the items of its plots, with its
    own theme, so a figure is what is on the screen: it must not read the widget's palette or device. The
    ground is already filled when it is called. Lines are drawn with pens of a stated width (0.75 to 1.5), not
    cosmetic ones: they must grow in a PNG at 3×. No QPixmap (neither vector nor scaled): QImage for what is
    truly an image. No composition modes.
``figure_size() -> QSizeF``
    Size in logical pixels when the caller names none; usually the widget's own.
``table() -> tuple[Mapping[str, ndarray], Mapping[str, str]]``
    The numbers that are drawn: columns by name, one-dimensional and equally long, and the units by name.
``title: str``, ``view_id: str``
    For the metadata of the file.

Text in an SVG is outlined, so it looks the same in browsers and in Inkscape whatever fonts are installed;
each word stays readable to machines as ``aria-label``. A PDF embeds the fonts and its text can be searched.
"""

from gradsim.views.export.figure import Figure, figure_image, figure_pdf, figure_png, figure_svg
from gradsim.views.export.write import SUFFIXES, copy_view, export_view, figure_extent

__all__ = [
    "SUFFIXES",
    "Figure",
    "copy_view",
    "export_view",
    "figure_extent",
    "figure_image",
    "figure_pdf",
    "figure_png",
    "figure_svg",
]
