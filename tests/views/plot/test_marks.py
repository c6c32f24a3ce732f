"""Marks put numbers where the axes say, and lose none."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QRectF
from PySide6.QtGui import QColor, QImage, QPainter
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from gradsim.views.plot.axis import Axis
from gradsim.views.plot.geometry import Geometry
from gradsim.views.plot.lanes import LANES, in_lane, lanes_needed, log10_or_nan
from gradsim.views.plot.line import Line, _dashes
from gradsim.views.plot.marks import Bars, Mark
from gradsim.views.plot.points import LANE_SHAPES, LanePoints, Points, Shape, paint_markers

RED = QColor("#ff0000")
SHAPES: tuple[Shape, ...] = Shape.__args__


def geometry(lanes: dict[str, float] | None = None) -> Geometry:
    plot = QRectF(10, 30, 100, 100)
    return Geometry(plot, plot.adjusted(0, -20, 0, 20), plot, Axis("", 0, 10), Axis("", 0, 10), lanes or {})


def painted(mark: Mark, lanes: dict[str, float] | None = None) -> np.ndarray:
    image = QImage(120, 160, QImage.Format.Format_RGB32)
    image.fill(QColor("#ffffff"))
    painter = QPainter(image)
    mark.paint(painter, geometry(lanes))
    painter.end()
    return np.frombuffer(image.constBits(), dtype=np.uint32).reshape(160, 120) != 0xFFFFFFFF


def test_places_and_numbers_are_inverse() -> None:
    g = geometry()
    assert g.x_place(5.0) == 60.0
    assert g.y_place(5.0) == 80.0
    assert g.x_at(g.x_place(3.3)) == pytest.approx(3.3)
    assert g.y_at(g.y_place(3.3)) == pytest.approx(3.3)
    np.testing.assert_allclose(g.y_px(np.array([0.0, 10.0])), [130.0, 30.0])


def test_lanes_and_logarithms_share_all_numbers() -> None:
    values = np.array([0.0, -0.0, np.nan, np.inf, 1e-300, 5e-324])
    places = {lane: np.flatnonzero(in_lane(values, lane)).tolist() for lane in LANES}
    assert places == {"0": [0, 1], "NaN": [2], "∞": [3]}
    assert np.isfinite(log10_or_nan(values)).tolist() == [False] * 4 + [True] * 2


def test_only_lanes_that_somebody_needs_are_there() -> None:
    assert lanes_needed(np.array([1.0, 2.0]), np.array([])) == []
    assert lanes_needed(np.array([1.0, np.inf]), np.array([0.0])) == ["0", "∞"]


def test_a_line_is_not_drawn_across_a_gap(qapp: QApplication) -> None:
    x = np.array([0.0, 4.0, 5.0, 6.0, 10.0])
    inked = painted(Line(x, np.array([5.0, 5.0, np.nan, 5.0, 5.0]), RED))
    assert inked[80, 15]
    assert inked[80, 100]
    assert not inked[:, 56:65].any()


def test_a_single_peak_among_very_many_points_is_drawn(qapp: QApplication) -> None:
    y = np.full(20_000, 1.0)
    y[7_777] = 9.0
    inked = painted(Line(np.linspace(0, 10, 20_000), y, RED))
    assert inked[42:60].any()


@pytest.mark.parametrize("points", [3, 40])
def test_dashes_on_the_screen_are_where_those_of_a_figure_are(qtbot: QtBot, points: int) -> None:
    x = np.linspace(0.5, 9.5, points)
    line = Line(x, 5.0 + 3.0 * np.sin(x), RED, width=2.0, dash=(6.0, 4.0))

    class Screen(QWidget):
        def paintEvent(self, _event: object) -> None:
            painter = QPainter(self)
            painter.fillRect(self.rect(), QColor("#ffffff"))
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            line.paint(painter, geometry())

    screen = Screen()
    qtbot.addWidget(screen)
    screen.resize(120, 160)
    figure = QImage(120, 160, QImage.Format.Format_RGB32)
    figure.fill(QColor("#ffffff"))
    painter = QPainter(figure)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    line.paint(painter, geometry())
    painter.end()
    grey = [
        np.frombuffer(image.constBits(), dtype=np.uint8).reshape(160, 120, 4)[:, :, 0].astype(float)
        for image in (screen.grab().toImage().convertToFormat(QImage.Format.Format_RGB32), figure)
    ]
    assert (grey[1] < 128).sum() > 60
    # Where a dash ends may differ by a fraction of a pixel, nowhere more.
    assert np.abs(grey[0] - grey[1]).sum() < 0.12 * (255.0 - grey[1]).sum()


def test_a_dashed_line_keeps_its_gaps_and_its_single_points() -> None:
    x = np.array([10.0, 20.0, 30.0, 40.0])
    x, y, dashes = _dashes(x, x, [(0, 1), (2, 4)], np.array([4.0, 2.0]))
    assert dashes[0] == (0, 1)
    lengths = [np.hypot(x[end - 1] - x[first], y[end - 1] - y[first]) for first, end in dashes]
    assert lengths == pytest.approx([0.0, 4.0, 4.0, np.hypot(10.0, 10.0) - 12.0])
    assert _dashes(np.array([0.0, 1e6]), np.zeros(2), [(0, 2)], np.array([4.0, 2.0])) is None


@pytest.mark.parametrize("low", [0.0, 4.999])
def test_a_line_whose_ends_lie_far_outside_is_still_drawn(qapp: QApplication, low: float) -> None:
    x, y = np.array([0.0, 10.0]), np.array([0.0, 10.0])
    plot = QRectF(10, 30, 100, 100)
    axis = Axis("", low, 10.0 - low)
    image = QImage(120, 160, QImage.Format.Format_RGB32)
    image.fill(QColor("#ffffff"))
    painter = QPainter(image)
    Line(x, y, RED).paint(painter, Geometry(plot, plot, plot, axis, axis, {}))
    painter.end()
    inked = np.frombuffer(image.constBits(), dtype=np.uint32).reshape(160, 120) != 0xFFFFFFFF
    assert all(inked[130 - k, 8 + k : 13 + k].any() for k in range(5, 95))


def test_a_gap_among_very_many_points_stays_a_gap(qapp: QApplication) -> None:
    y = np.full(20_000, 5.0)
    y[9_000:11_000] = np.nan
    inked = painted(Line(np.linspace(0, 10, 20_000), y, RED))
    assert not inked[:, 57:63].any()
    assert inked[:, 20:50].any()


@pytest.mark.parametrize("lane", LANES)
def test_a_lane_shows_its_own_kind_only(qapp: QApplication, lane: str) -> None:
    values = np.array([{"0": 0.0, "NaN": np.nan, "∞": np.inf}[lane], 1.0])
    centres = {"0": 140.0, "NaN": 25.0, "∞": 15.0}
    inked = painted(LanePoints(np.array([5.0, 7.0]), values, RED), centres)
    rows = np.flatnonzero(inked.any(axis=1))
    assert abs(rows.mean() - centres[lane]) < 2.0
    assert inked[:, 50:70].any()
    assert not inked[:, 74:90].any()


def test_lanes_differ_in_shape() -> None:
    assert len(set(LANE_SHAPES.values())) == len(LANES)


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_is_drawn_and_looks_like_no_other(qapp: QApplication, shape: Shape) -> None:
    def drawn(which: Shape) -> np.ndarray:
        image = QImage(20, 20, QImage.Format.Format_RGB32)
        image.fill(QColor("#ffffff"))
        painter = QPainter(image)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        paint_markers(painter, np.array([10.0]), np.array([10.0]), which, 10.0, RED, None)
        painter.end()
        return np.frombuffer(image.constBits(), dtype=np.uint32).copy()

    own = drawn(shape)
    assert (own != 0xFFFFFFFF).any()
    assert all((drawn(other) != own).any() for other in SHAPES if other != shape)


def test_a_count_of_one_is_seen_beside_a_million(qapp: QApplication) -> None:
    bars = Bars(np.array([0.0, 5.0, 10.0]), np.array([1.0, 0.0]) * 1e-6, RED)
    inked = painted(bars)
    assert inked[127:131, 20:50].any()
    assert not inked[:, 65:].any()


def test_points_outside_the_plot_are_left_out(qapp: QApplication) -> None:
    assert not painted(Points(np.array([-50.0, 50.0]), np.array([5.0, 5.0]), RED)).any()
