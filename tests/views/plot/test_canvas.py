"""The screen: plots of pyqtgraph that own their ranges and agree with the figure in every place."""

from __future__ import annotations

import dataclasses

import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, Qt, QTimer
from PySide6.QtGui import QContextMenuEvent, QImage, QPainter, QWheelEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from gradsim.trace import Cursor
from gradsim.views.gradient_profile import GradientProfileView
from gradsim.views.loss_plot import LossPlotView
from gradsim.views.plot.axes import tick_metrics, ticks_along
from gradsim.views.plot.plot_view import PlotView
from gradsim.views.theme import DARK, LIGHT
from gradsim.views.update_ratio import UpdateRatioView
from tests.views.plot_views import VIEWS, run_named

views = pytest.mark.parametrize("kind", VIEWS, ids=lambda kind: kind.view_id)


def shown(qtbot: QtBot, kind: type[PlotView], run: str = "six layers") -> PlotView:
    view = kind()
    qtbot.addWidget(view)
    view.resize(700, 420)
    view.set_run(run_named(run))
    view.show()
    qtbot.waitExposed(view)
    view.canvas.grab()
    return view


def turn_wheel(view: PlotView, at: QPointF, notches: int = 1, ctrl: bool = False) -> None:
    viewport = view.canvas.viewport()
    keys = Qt.KeyboardModifier.ControlModifier if ctrl else Qt.KeyboardModifier.NoModifier
    turned = QPoint(0, 120 * notches)
    event = QWheelEvent(
        at,
        QPointF(viewport.mapToGlobal(at.toPoint())),
        QPoint(),
        turned,
        Qt.MouseButton.NoButton,
        keys,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(viewport, event)
    view.canvas.grab()


@views
@pytest.mark.parametrize("run", ["six layers", "mixed", "surface"])
def test_view_boxes_and_geometries_put_numbers_at_the_same_places(
    qtbot: QtBot, kind: type[PlotView], run: str
) -> None:
    view = shown(qtbot, kind, run)
    for panel in view.panels(LIGHT):
        if panel.message:
            continue
        box, geometry = view.canvas.plot_of(panel.key).box, view.canvas.geometry_of(panel.key)
        assert box.viewRange() == [[geometry.x.low, geometry.x.high], [geometry.y.low, geometry.y.high]]
        assert box.sceneBoundingRect().contains(geometry.frame)
        for share in (0.0, 0.3, 1.0):
            x = geometry.x.low + share * (geometry.x.high - geometry.x.low)
            y = geometry.y.low + share * (geometry.y.high - geometry.y.low)
            place = box.mapViewToScene(QPointF(x, y))
            assert place.x() == pytest.approx(geometry.x_place(x), abs=1e-6)
            assert place.y() == pytest.approx(geometry.y_place(y), abs=1e-6)


@views
def test_the_axes_of_the_screen_have_the_ticks_of_the_figure(qtbot: QtBot, kind: type[PlotView]) -> None:
    view = shown(qtbot, kind)
    for panel in view.panels(LIGHT):
        geometry = view.canvas.geometry_of(panel.key)
        for side in view.canvas.plot_of(panel.key).sides:
            axis = geometry.y if side.is_upright else geometry.x
            length = geometry.plot.height() if side.is_upright else geometry.plot.width()
            wanted = {t.at: t.text for t in ticks_along(axis, length, side.is_upright, tick_metrics())}
            levels = side.tickValues(axis.low, axis.high, length)
            found = [
                (at, text)
                for spacing, values in levels
                for at, text in zip(values, side.tickStrings(values, 1.0, spacing), strict=True)
            ]
            assert len(found) == len(wanted)
            assert dict(found) == wanted


@views
@pytest.mark.parametrize("run", ["six layers", "mixed"])
def test_the_screen_is_the_figure(qtbot: QtBot, kind: type[PlotView], run: str) -> None:
    view = shown(qtbot, kind, run)
    canvas = view.canvas
    canvas.clearFocus()
    screen = canvas.grab().toImage().convertToFormat(QImage.Format.Format_RGB32)
    figure = QImage(canvas.size(), QImage.Format.Format_RGB32)
    painter = QPainter(figure)
    painter.fillRect(figure.rect(), view.theme.color("background"))
    view.paint_figure(painter, QRectF(figure.rect()), view.theme)
    painter.end()
    # Lines are drawn faster on the screen, but no thing stands elsewhere, and none is missing.
    small = [
        image.scaled(70, 42, Qt.AspectRatioMode.IgnoreAspectRatio, Qt.TransformationMode.SmoothTransformation)
        for image in (screen, figure)
    ]
    for x in range(70):
        for y in range(42):
            colors = [image.pixelColor(x, y) for image in small]
            assert abs(colors[0].lightness() - colors[1].lightness()) <= 12, (x, y)


def test_the_wheel_zooms_about_the_pointer_along_x(qtbot: QtBot) -> None:
    view = shown(qtbot, GradientProfileView)
    before = view.canvas.geometry_of("profile")
    at = QPointF(QPointF(before.x_place(2.0), before.plot.center().y()).toPoint())
    turn_wheel(view, at)
    after = view.canvas.geometry_of("profile")
    assert after.x.high - after.x.low == pytest.approx(0.8 * (before.x.high - before.x.low))
    assert after.x_at(at.x()) == pytest.approx(before.x_at(at.x()))
    assert (after.y.low, after.y.high) == (before.y.low, before.y.high)


@pytest.mark.parametrize("place", ["over the axis", "with Ctrl"])
def test_the_wheel_zooms_along_y(qtbot: QtBot, place: str) -> None:
    view = shown(qtbot, GradientProfileView)
    before = view.canvas.geometry_of("profile")
    at = before.plot.center() if place == "with Ctrl" else QPointF(20.0, before.plot.center().y())
    turn_wheel(view, at, ctrl=place == "with Ctrl")
    after = view.canvas.geometry_of("profile")
    assert after.y.high - after.y.low == pytest.approx(0.8 * (before.y.high - before.y.low))
    assert (after.x.low, after.x.high) == (before.x.low, before.x.high)


def test_panels_of_the_same_iterations_are_zoomed_together(qtbot: QtBot) -> None:
    view = shown(qtbot, LossPlotView)
    before = {key: view.canvas.geometry_of(key) for key in ("loss", "accuracy")}
    for key, notches in (("accuracy", 2), ("loss", 1)):
        turn_wheel(view, view.canvas.geometry_of(key).plot.center(), notches)
        now = {key: view.canvas.geometry_of(key) for key in ("loss", "accuracy")}
        assert now["loss"].x == now["accuracy"].x
        assert now["loss"].x != before["loss"].x
        assert all(now[k].y == before[k].y for k in now)
    view.fit()
    view.canvas.grab()
    assert all(view.canvas.geometry_of(k).x == before[k].x for k in before)
    assert all(view.canvas.plot_of(k).box.held(0) is None for k in before)


def test_panels_of_the_same_ratio_share_their_height(qtbot: QtBot) -> None:
    view = shown(qtbot, UpdateRatioView)
    turn_wheel(view, view.canvas.geometry_of("iterations").plot.center(), ctrl=True)
    left, right = (view.canvas.geometry_of(key) for key in ("layers", "iterations"))
    assert (left.y.low, left.y.high) == (right.y.low, right.y.high)
    view.canvas.zoom(0.5)
    view.canvas.grab()
    nearer = view.canvas.geometry_of("layers").y
    assert nearer.high - nearer.low == pytest.approx(0.5 * (left.y.high - left.y.low))


def test_a_zoomed_plot_stays_where_it_is_while_training_goes_on_and_so_does_its_figure(qtbot: QtBot) -> None:
    view = shown(qtbot, LossPlotView)
    turn_wheel(view, view.canvas.geometry_of("loss").plot.center(), 3)
    held = view.canvas.geometry_of("loss").x
    run = run_named("six layers")
    longer = dataclasses.replace(run.history, iterations=run.history.iterations * 10)
    view.set_run(dataclasses.replace(run, history=longer))
    view.canvas.grab()
    assert view.canvas.geometry_of("loss").x == held
    for panel in view.panels(LIGHT):
        assert view.canvas.over_held(panel).x == held
    view.fit()
    view.canvas.grab()
    assert view.canvas.geometry_of("loss").x.high > held.high


@pytest.mark.parametrize("notches", [5, -5])
def test_nobody_can_zoom_into_nothing_or_away_from_everything(qtbot: QtBot, notches: int) -> None:
    view = shown(qtbot, GradientProfileView)
    before = view.canvas.geometry_of("profile").x
    for _ in range(12):
        turn_wheel(view, view.canvas.geometry_of("profile").plot.center(), notches)
    after = view.canvas.geometry_of("profile").x
    share = (after.high - after.low) / (before.high - before.low)
    assert share == pytest.approx(1e-4 if notches > 0 else 3.0)


def test_a_layer_that_is_zero_can_be_clicked_in_its_lane(qtbot: QtBot) -> None:
    view = shown(qtbot, GradientProfileView, "all zero")
    geometry = view.canvas.geometry_of("profile")
    at = QPointF(geometry.x_place(3.0), geometry.lanes["0"])
    assert not geometry.plot.contains(at)
    with qtbot.waitSignal(view.layer_selected) as heard:
        qtbot.mouseClick(view.canvas.viewport(), Qt.MouseButton.LeftButton, pos=at.toPoint())
    assert heard.args == [2]


def test_words_around_a_plot_are_no_part_of_it(qtbot: QtBot) -> None:
    view = shown(qtbot, GradientProfileView)
    geometry = view.canvas.geometry_of("profile")
    heard: list[int] = []
    view.layer_selected.connect(heard.append)
    below = QPoint(int(geometry.plot.center().x()), int(geometry.frame.bottom()) + 12)
    beside = QPoint(12, int(geometry.plot.center().y()))
    above = QPoint(int(geometry.plot.center().x()), 8)
    for place in (below, beside, above):
        qtbot.mouseClick(view.canvas.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert heard == []


def test_the_pointer_is_told_in_units_of_the_axes_and_when_it_leaves(qtbot: QtBot) -> None:
    view = shown(qtbot, GradientProfileView)
    heard: list[tuple[str, float, float]] = []
    view.canvas.hovered.connect(lambda *at: heard.append(at))
    geometry = view.canvas.geometry_of("profile")
    at = QPointF(geometry.x_place(4.0), geometry.plot.center().y()).toPoint()
    qtbot.mouseMove(view.canvas.viewport(), at)
    key, x, y = heard[-1]
    assert (key, round(x)) == ("profile", 4)
    assert y == pytest.approx(geometry.y_at(at.y()))
    QApplication.sendEvent(view.canvas, QEvent(QEvent.Type.Leave))
    assert heard[-1][0] == ""


@views
def test_many_changes_are_painted_once(qtbot: QtBot, kind: type[PlotView]) -> None:
    view = shown(qtbot, kind)
    QApplication.processEvents()
    painted: list[bool] = []
    view.canvas.scene().sigPrepareForPaint.connect(lambda: painted.append(True))
    view.set_run(dataclasses.replace(run_named("six layers"), label="later"))
    view.set_cursor(Cursor(1, 2))
    view.set_selected_layer(1)
    for _ in range(5):
        QApplication.processEvents()
    assert painted == [True]


def test_the_ground_follows_the_theme(qtbot: QtBot) -> None:
    view = shown(qtbot, GradientProfileView)
    view.set_theme(DARK)
    corner = view.canvas.grab().toImage().pixelColor(3, 3)
    assert corner.name() == DARK.color("background").name()


def test_plots_of_another_depth_lose_the_zoom(qtbot: QtBot) -> None:
    view = shown(qtbot, GradientProfileView)
    turn_wheel(view, view.canvas.geometry_of("profile").plot.center(), 3)
    view.set_run(run_named("mixed"))
    view.canvas.grab()
    axis = view.canvas.geometry_of("profile").x
    assert (axis.low, axis.high) == (0.5, 8.5)


def test_keys_reach_the_plots_when_the_empty_frame_had_the_focus(qtbot: QtBot) -> None:
    view = GradientProfileView()
    qtbot.addWidget(view)
    view.show()
    with qtbot.waitActive(view):
        view.activateWindow()
    view.setFocus()
    assert view.canvas.hasFocus()
    view.set_run(run_named("six layers"))
    assert view.canvas.hasFocus()
    assert view.canvas.accessibleName() == view.title


def test_a_right_click_opens_the_menu_of_the_view_and_a_right_drag_zooms_nothing(qtbot: QtBot) -> None:
    view = shown(qtbot, GradientProfileView)
    before = view.canvas.geometry_of("profile")
    at, viewport = before.plot.center().toPoint(), view.canvas.viewport()
    qtbot.mousePress(viewport, Qt.MouseButton.RightButton, pos=at)
    qtbot.mouseMove(viewport, at + QPoint(60, 40))
    qtbot.mouseRelease(viewport, Qt.MouseButton.RightButton, pos=at + QPoint(60, 40))
    view.canvas.grab()
    assert view.canvas.geometry_of("profile").x == before.x
    offered: list[str] = []

    def look() -> None:
        menu = QApplication.activePopupWidget()
        offered.extend(action.text() for action in menu.actions())
        menu.close()

    QTimer.singleShot(0, look)
    reason = QContextMenuEvent.Reason.Mouse
    QApplication.sendEvent(viewport, QContextMenuEvent(reason, at, viewport.mapToGlobal(at)))
    assert "Fit" in offered


def test_panels_that_share_a_range_still_do_when_it_moves_far_away(qtbot: QtBot) -> None:
    view = shown(qtbot, UpdateRatioView, "Inf")
    for run in ("200 layers", "all zero", "six layers", "mixed"):
        view.set_run(run_named(run))
        view.canvas.grab()
        first, second = (view.canvas.plot_of(key).box.viewRange()[1] for key in ("layers", "iterations"))
        asked = view.panels(LIGHT)[0].y
        assert second == first == pytest.approx([asked.low, asked.high])
