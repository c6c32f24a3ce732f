"""The bar of colours keeps two numbers, and its swatches their places, however low the plot is."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QImage, QPainter
from pytestqt.qtbot import QtBot

from gradsim.views.colormaps import CIVIDIS, NAN, ZERO
from gradsim.views.fonts import figure_font
from gradsim.views.plot.axis import Axis
from gradsim.views.plot.color_bar import COLOR_BAR_WIDTH, ColorBar, _special_places, paint_color_bar
from gradsim.views.theme import LIGHT

SPECIAL = (("0", ZERO), ("NaN", NAN), ("∞", NAN))
AXES = (Axis("", -4.0, -2.0, "log10"), Axis("", 0.0, 0.31, "log10"), Axis("", 0.0, 1.0))


@pytest.mark.parametrize("axis", AXES, ids=str)
@pytest.mark.parametrize("height", [48.0, 60.0, 90.0, 300.0])
def test_a_color_bar_has_at_least_two_numbers(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, axis: Axis, height: float
) -> None:
    image = QImage(300, 400, QImage.Format.Format_ARGB32)
    frame = QRectF(10, 10, 180, height)
    written: list[tuple[QRectF, str]] = []

    class Painter(QPainter):
        def drawText(self, *where: object) -> None:
            written.append((where[0], str(where[-1])))

    painter = Painter(image)
    paint_color_bar(painter, ColorBar(axis, CIVIDIS, SPECIAL), frame, LIGHT)
    painter.end()
    numbers = [words for _, words in written if words not in ("0", "NaN", "∞") or axis.high == 1.0]
    assert len(numbers) - (len(SPECIAL) if axis.high == 1.0 else 0) >= 2
    assert [words for _, words in written[-3:]] == ["0", "NaN", "∞"]


@pytest.mark.parametrize("height", [30.0, 48.0, 60.0, 90.0, 300.0])
def test_swatches_neither_overlap_nor_leave_the_panel(qtbot: QtBot, height: float) -> None:
    metrics = QFontMetricsF(figure_font(11))
    frame = QRectF(0, 0, 100, height)
    places, bar = _special_places(ColorBar(AXES[0], CIVIDIS, SPECIAL), frame, metrics)
    boxes = [
        QRectF(x, bar + y, 18 + metrics.horizontalAdvance(words), 13.0)
        for (words, _), (x, y) in zip(SPECIAL, places, strict=True)
    ]
    assert all(not a.intersects(b) for i, a in enumerate(boxes) for b in boxes[:i])
    assert all(box.right() <= COLOR_BAR_WIDTH for box in boxes)
    assert all(box.bottom() <= max(height + 18.0, 50.0) for box in boxes)


def test_a_swatch_shows_its_colour_whatever_was_painted_before(qtbot: QtBot) -> None:
    pictures = []
    for brush in (Qt.BrushStyle.NoBrush, QColor("#a87400")):
        image = QImage(300, 200, QImage.Format.Format_RGB32)
        image.fill(QColor("#ffffff"))
        painter = QPainter(image)
        painter.setBrush(brush)
        paint_color_bar(painter, ColorBar(AXES[0], CIVIDIS, SPECIAL), QRectF(10, 10, 180, 150), LIGHT)
        painter.end()
        pictures.append(image)
    assert pictures[0] == pictures[1]
