"""Where there is little room, words make room for the plot, and not the plot for the words."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QRectF
from PySide6.QtGui import QColor, QImage, QPainter
from PySide6.QtWidgets import QApplication

from gradsim.views.plot.axis import Axis
from gradsim.views.plot.line import Line
from gradsim.views.plot.panel import (
    GIVEN_UP,
    LEAST_PLOT,
    Panel,
    _headline,
    laid_out,
    laid_out_level,
    paint_panel,
)
from gradsim.views.plot.words import Words
from gradsim.views.theme import LIGHT

X = np.arange(4.0)
MARKS = [Line(X, X, QColor("black"), name=f"a curve with a long name, number {k}") for k in range(4)]
PANEL = Panel(
    "p",
    Axis("what is along it", 0.0, 3.0),
    Axis("how large", 0.0, 3.0),
    MARKS,
    headline=[Words("What is to be seen")],
    notes=("A sentence that needs more than a line in here. " * 3, "A sentence that needs more than a line."),
)


@pytest.mark.parametrize("width", [260.0, 500.0, 900.0])
def test_words_give_way_one_after_another_before_the_plot_becomes_too_low(
    qapp: QApplication, width: float
) -> None:
    laid = [laid_out(PANEL, QRectF(0, 0, width, height)) for height in range(60, 700, 5)]
    thinned = [geometry.thinned for geometry in laid]
    assert thinned == sorted(thinned, reverse=True)
    assert (thinned[0], thinned[-1]) == (len(GIVEN_UP), 0)
    for geometry in laid:
        assert geometry.frame.height() >= LEAST_PLOT or geometry.thinned == len(GIVEN_UP)
        assert bool(geometry.x.label) == (geometry.thinned == 0)
    enough = next(g for g in laid if g.frame.height() >= LEAST_PLOT)
    assert enough.rect.height() <= 150.0


def test_a_plot_with_room_gives_up_nothing(qapp: QApplication) -> None:
    geometry = laid_out(PANEL, QRectF(0, 0, 700, 400))
    assert geometry.thinned == 0
    assert geometry.x is PANEL.x


def test_neighbours_give_up_the_same_and_stand_level(qapp: QApplication) -> None:
    plain = Panel("q", Axis("what is along it", 0.0, 3.0), Axis("how large", 0.0, 3.0), MARKS[:1])
    rects = [QRectF(0, 0, 300, 150), QRectF(300, 0, 300, 150)]
    assert laid_out(plain, rects[1]).thinned == 0
    first, second = laid_out_level([PANEL, plain], rects)
    assert first.thinned == second.thinned > 0
    assert (first.frame.top(), first.frame.bottom()) == (second.frame.top(), second.frame.bottom())


def test_nothing_is_written_into_the_plot(qapp: QApplication) -> None:
    """The words of a low panel end above its frame: the frame of an empty plot has only lines of the grid."""
    geometry = laid_out(PANEL, QRectF(0, 0, 500, 140))
    image = QImage(500, 140, QImage.Format.Format_RGB32)
    image.fill(LIGHT.color("background"))
    painter = QPainter(image)
    paint_panel(
        painter,
        Panel(PANEL.key, PANEL.x, PANEL.y, headline=PANEL.headline, notes=PANEL.notes),
        geometry,
        LIGHT,
    )
    painter.end()
    text = LIGHT.color("text").rgb()
    frame = geometry.frame.toRect()
    inside = {
        image.pixel(x, y)
        for x in range(frame.left() + 1, frame.right())
        for y in range(frame.top(), frame.bottom())
    }
    assert text not in inside


@pytest.mark.parametrize("width", [120.0, 180.0, 260.0, 700.0])
def test_a_legend_stays_inside_its_panel(qapp: QApplication, width: float) -> None:
    names = ("input to output", "a_layer_with_a_very_long_name_that_goes_on_and_on")
    panel = Panel(
        "p",
        Axis("", 0.0, 3.0),
        Axis("y", 0.0, 3.0),
        [Line(X, X + 9.0, QColor("black"), name=n) for n in names],
    )
    image = QImage(800, 200, QImage.Format.Format_RGB32)
    image.fill(QColor("white"))
    painter = QPainter(image)
    paint_panel(painter, panel, laid_out(panel, QRectF(0, 0, width, 200)), LIGHT)
    painter.end()
    ink = np.frombuffer(image.constBits(), dtype=np.uint32).reshape(200, 800) & 0xFFFFFF
    assert not (ink[:, int(width) - 1 :] != 0xFFFFFF).any()


def test_a_headline_says_less_where_there_is_less_room(qapp: QApplication) -> None:
    versions = [[Words("seconds " * count)] for count in (12, 4, 1)]
    panel = replace(PANEL, headline=versions[0], shorter=tuple(versions[1:]))
    for width, wanted in ((900.0, 0), (320.0, 1), (90.0, 2), (10.0, 2)):
        assert _headline(panel, QRectF(0, 0, width, 200)) is versions[wanted]
