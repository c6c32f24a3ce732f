"""What goes to Qt as arrays is drawn as if it had been handed over as objects."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPen, QPolygonF
from pytestqt.qtbot import QtBot

from gradsim.views.plot.primitives import Outline, draw_lines, draw_rects


class Paper:
    """An image to compare, painted with a pen and a brush."""

    def __enter__(self) -> QPainter:
        self.image = QImage(80, 60, QImage.Format.Format_RGB32)
        self.image.fill(Qt.GlobalColor.white)
        self._painter = QPainter(self.image)
        self._painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._painter.setPen(QPen(QColor("#0072b2"), 1.5))
        self._painter.setBrush(QColor("#e69f00"))
        return self._painter

    def __exit__(self, *_: object) -> None:
        self._painter.end()


NUMBERS = np.random.default_rng(3).uniform(3, 50, (12, 4))


@pytest.mark.parametrize(
    "rows", [NUMBERS, NUMBERS[::2], NUMBERS[:, ::-1], NUMBERS[:0]], ids=["all", "apart", "turned", "none"]
)
def test_lines_and_rectangles_are_those_of_their_numbers(qtbot: QtBot, rows: np.ndarray) -> None:
    for draw, kind, by_objects in (
        (draw_lines, QLineF, QPainter.drawLines),
        (draw_rects, QRectF, QPainter.drawRects),
    ):
        by_numbers, as_ever = Paper(), Paper()
        with by_numbers as painter:
            draw(painter, rows)
        with as_ever as painter:
            by_objects(painter, [kind(*row) for row in rows.tolist()])
        assert by_numbers.image == as_ever.image


def test_an_outline_takes_one_shape_after_the_other(qtbot: QtBot) -> None:
    shapes = [NUMBERS[:5, :2], NUMBERS[5:8, :2], NUMBERS[:6, 2:], NUMBERS[:1, :2]]
    outline = Outline(6)
    together, alone = Paper(), Paper()
    with together as painter:
        for shape in shapes:
            painter.drawPolygon(outline.over(shape))
    with alone as painter:
        for shape in shapes:
            painter.drawPolygon(QPolygonF([QPointF(*corner) for corner in shape.tolist()]))
    assert together.image == alone.image
