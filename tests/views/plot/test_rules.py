"""Lines across a plot have their words where they can be read: beside curves, and beside each other."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from PySide6.QtCore import QRectF
from PySide6.QtGui import QColor, QImage, QPainter
from PySide6.QtWidgets import QApplication

from gradsim.views.plot import marks, rules
from gradsim.views.plot.axis import Axis
from gradsim.views.plot.geometry import Geometry
from gradsim.views.plot.marks import Mark, Rule, boxes_at, crossings
from gradsim.views.plot.rules import LEAST_APART, Rules

BLACK, WHITE = QColor("#000000"), QColor("#ffffff")
TIMES = (
    (-3.0, "1 ms"),
    (0.0, "1 s"),
    (1.8, "1 min"),
    (3.6, "1 h"),
    (4.9, "1 day"),
    (17.6, "age of the universe"),
)
X = np.arange(0.0, 11.0)


def geometry(height: float, low: float = -4.0, high: float = 18.0, width: float = 300.0) -> Geometry:
    plot = QRectF(40.0, 30.0, width, height)
    return Geometry(plot, plot, plot, Axis("", 0.0, 10.0), Axis("", low, high, "log10"), {})


def tags_of(mark: Mark, where: Geometry, monkeypatch: pytest.MonkeyPatch) -> dict[str, QRectF]:
    """Paint a mark, and return where it writes what."""
    tags: dict[str, QRectF] = {}

    def note(painter: QPainter, text: str, box: QRectF, plate: QColor | None) -> None:
        tags[text] = box

    for module in (marks, rules):
        monkeypatch.setattr(module, "paint_tag", note)
    image = QImage(400, 700, QImage.Format.Format_RGB32)
    painter = QPainter(image)
    mark.paint(painter, where)
    painter.end()
    return tags


@pytest.mark.parametrize("height", [30.0, 60.0, 80.0, 120.0, 300.0, 600.0])
def test_words_of_lines_near_each_other_do_not_overlap_nor_are_crossed_by_them(
    qapp: QApplication, monkeypatch: pytest.MonkeyPatch, height: float
) -> None:
    where, mark = geometry(height), Rules(TIMES, BLACK, WHITE)
    shown = [place for place, _ in mark.shown(where)]
    assert all(below - above >= LEAST_APART for below, above in itertools.pairwise(shown))
    boxes = list(tags_of(mark, where, monkeypatch).values())
    assert boxes
    for place, box in enumerate(boxes):
        assert where.plot.contains(box)
        assert not any(box.intersects(other) for other in boxes[:place])
        assert not any(box.top() <= y <= box.bottom() for y in shown)


@pytest.mark.parametrize(
    ("y", "is_left", "is_above"),
    [
        (X * 0.0 - 3.5, False, True),  # nothing in the way
        (0.5 + X * 0.0, False, False),  # a curve just above all along
        (np.where(X > 5, 0.0, 9.0), True, True),  # and one on the line to the right
        (np.full(11, np.nan), False, True),
    ],
    ids=["free", "above", "right", "no number"],
)
def test_words_stand_where_no_curve_runs_through_them(
    qapp: QApplication, monkeypatch: pytest.MonkeyPatch, y: np.ndarray, is_left: bool, is_above: bool
) -> None:
    where = geometry(200.0, -10.0, 10.0)
    rule = Rule(0.0, BLACK, words="a rule", clear_of=[(X, y)])
    (box,) = tags_of(rule, where, monkeypatch).values()
    assert (box.center().x() < where.plot.center().x()) == is_left
    assert (box.center().y() < where.y_place(0.0)) == is_above
    assert not crossings(box, rule.clear_of, where)


def test_a_long_curve_is_kept_clear_of_like_a_short_one(qapp: QApplication) -> None:
    where = geometry(200.0, -10.0, 10.0)
    x = np.linspace(0.0, 10.0, 5000)
    y = np.where(x > 5, 0.0, 9.0)
    y[::2] = np.nan
    right, left = (QRectF(at, where.y_place(0.0) - 8.0, 80.0, 15.0) for at in (240.0, 50.0))
    assert crossings(right, [(x, np.where(x > 5, 0.0, 9.0))], where) == 9
    assert crossings(left, [(x, y)], where) == 0
    assert crossings(right, [(x[:100], y[:100])], where) == 0  # it ends before


def test_a_line_at_the_edge_has_its_words_inside(qapp: QApplication) -> None:
    where = geometry(100.0)
    for place in (where.plot.top(), where.plot.bottom(), where.plot.center().y()):
        assert all(where.plot.contains(box) for box in boxes_at(place, 50.0, where))
