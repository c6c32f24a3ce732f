"""What holds for every plot view, on every kind of run."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QAbstractButton, QComboBox
from pytestqt.qtbot import QtBot

from gradsim.trace import Cursor
from gradsim.views.plot.options import LEAST_BOX, Choice
from gradsim.views.plot.plot_view import PlotView
from gradsim.views.theme import DARK, LIGHT, PAPER
from tests.views.plot_views import RUN_NAMES, VIEWS, run_named

views = pytest.mark.parametrize("kind", VIEWS, ids=lambda kind: kind.view_id)


def shown(qtbot: QtBot, kind: type[PlotView], run: str | None = "six layers") -> PlotView:
    view = kind()
    qtbot.addWidget(view)
    view.resize(640, 400)
    view.set_run(run_named(run) if run else None)
    view.show()
    qtbot.waitExposed(view)
    return view


def pixels(view: PlotView) -> np.ndarray:
    image = view.canvas.grab().toImage().convertToFormat(QImage.Format.Format_RGB32)
    raw = np.frombuffer(image.constBits(), dtype=np.uint32)
    return raw.reshape(image.height(), image.bytesPerLine() // 4)[:, : image.width()].copy()


@views
@pytest.mark.parametrize("name", RUN_NAMES)
@pytest.mark.parametrize("size", [(200, 140), (500, 250), (1400, 700)], ids=str)
def test_every_run_can_be_drawn_at_every_size(
    qtbot: QtBot, kind: type[PlotView], name: str, size: tuple[int, int]
) -> None:
    view = shown(qtbot, kind, name)
    view.resize(*size)
    picture = pixels(view)
    assert len(np.unique(picture)) > 5, "something must be drawn"


@views
@pytest.mark.parametrize("name", RUN_NAMES)
def test_every_run_has_a_summary_and_a_table(qtbot: QtBot, kind: type[PlotView], name: str) -> None:
    view = shown(qtbot, kind, name)
    assert view.text_summary().endswith(".")
    columns, units = view.table()
    assert len({len(column) for column in columns.values()}) == 1
    assert set(units) <= set(columns)


@views
def test_without_a_run_a_view_says_so(qtbot: QtBot, kind: type[PlotView]) -> None:
    view = shown(qtbot, kind, None)
    assert view.text_summary()
    assert view.panels(LIGHT)[0].message
    assert all(len(column) == 0 for column in view.table()[0].values())


@views
def test_setters_emit_nothing(qtbot: QtBot, kind: type[PlotView]) -> None:
    view = shown(qtbot, kind, None)
    heard: list[str] = []
    names = [name for name in dir(type(view)) if isinstance(getattr(type(view), name), Signal)]
    own = {"seek_requested", "layer_selected", "option_changed"}
    assert own <= set(names)
    for name in own:
        getattr(view, name).connect(lambda *_, name=name: heard.append(name))
    for run in ("six layers", "mixed", "200 layers"):
        view.set_run(run_named(run))
        view.set_cursor(Cursor(0, 3))
        view.set_selected_layer(1)
        view.set_theme(DARK)
        for option in view.options:
            for value in [key for key, _ in option.values] if isinstance(option, Choice) else (False, True):
                view.set_option(option.name, value)
        pixels(view)
    view.set_run(None)
    assert heard == []


@views
def test_a_setter_called_twice_with_the_same_value_changes_nothing(
    qtbot: QtBot, kind: type[PlotView], monkeypatch: pytest.MonkeyPatch
) -> None:
    view = shown(qtbot, kind)
    run = run_named("six layers")

    def set_all() -> None:
        view.set_run(run)
        view.set_cursor(Cursor(2, 1))
        view.set_selected_layer(2)
        view.set_theme(DARK)
        for option in view.options:
            view.set_option(option.name, view.option(option.name))

    set_all()
    refreshed: list[bool] = []
    monkeypatch.setattr(view, "refresh", lambda: refreshed.append(True))
    set_all()
    assert refreshed == []


@views
def test_a_click_wishes_and_changes_nothing_itself(qtbot: QtBot, kind: type[PlotView]) -> None:
    view = shown(qtbot, kind)
    pixels(view)
    heard: list[tuple[str, int]] = []
    view.layer_selected.connect(lambda layer: heard.append(("layer", layer)))
    view.seek_requested.connect(lambda iteration: heard.append(("iteration", iteration)))
    panels = view.panels(LIGHT)
    for panel in panels:
        middle = view.canvas.geometry_of(panel.key).plot.center().toPoint()
        qtbot.mouseClick(view.canvas.viewport(), Qt.MouseButton.LeftButton, pos=middle)
    assert view.selected_layer is None
    assert view.cursor_at is None
    wishes = {
        "cause": {"layer"},
        "activation": {"layer"},
        "jacobian": {"layer"},
        "proof": {"layer"},
        "cost": {"layer"},
        "gradient_profile": {"layer"},
        "history_map": {"layer", "iteration"},
        "loss": {"iteration"},
    }
    wishes |= {"distributions": {"layer"}, "update_ratio": {"layer", "iteration"}, "decision_map": set()}
    assert {kind_of_wish for kind_of_wish, _ in heard} == wishes[view.view_id]
    layers = len(view.run.trace.layers)
    last = int(view.run.history.iterations[-1])
    assert all(0 <= value < (layers if what == "layer" else last + 1) for what, value in heard)


@views
@pytest.mark.parametrize("name", ["six layers", "mixed", "curve", "surface"])
def test_hovering_tells_numbers(qtbot: QtBot, kind: type[PlotView], name: str) -> None:
    view = shown(qtbot, kind, name)
    pixels(view)
    told = []
    for panel in view.panels(LIGHT):
        if not panel.message:
            middle = view.canvas.geometry_of(panel.key).plot.center()
            geometry = view.canvas.geometry_of(panel.key)
            told.append(view.hover_text(panel.key, geometry.x_at(middle.x()), geometry.y_at(middle.y())))
    assert any(told)


@views
def test_wheel_and_keys_zoom_and_fit_returns(qtbot: QtBot, kind: type[PlotView]) -> None:
    view = shown(qtbot, kind)
    with qtbot.waitActive(view):
        view.activateWindow()
    view.canvas.setFocus()
    pixels(view)
    key = view.panels(LIGHT)[0].key
    before = view.canvas.geometry_of(key).x
    qtbot.keyClick(view.canvas, "+")
    pixels(view)
    nearer = view.canvas.geometry_of(key).x
    assert nearer.high - nearer.low == pytest.approx(0.8 * (before.high - before.low))
    qtbot.keyClick(view.canvas, "A")
    pixels(view)
    assert view.canvas.geometry_of(key).x == before


@views
def test_dragging_moves_the_plot_and_clicks_nothing(qtbot: QtBot, kind: type[PlotView]) -> None:
    view = shown(qtbot, kind)
    pixels(view)
    key = view.panels(LIGHT)[0].key
    before = view.canvas.geometry_of(key)
    heard: list[int] = []
    view.layer_selected.connect(heard.append)
    view.seek_requested.connect(heard.append)
    start = before.plot.center().toPoint()
    qtbot.mousePress(view.canvas.viewport(), Qt.MouseButton.LeftButton, pos=start)
    qtbot.mouseMove(view.canvas.viewport(), start + QPoint(40, 0))
    qtbot.mouseRelease(view.canvas.viewport(), Qt.MouseButton.LeftButton, pos=start + QPoint(40, 0))
    pixels(view)
    assert view.canvas.geometry_of(key).x.low < before.x.low
    assert heard == []
    view.fit()


@views
def test_a_person_who_chooses_is_heard_once(qtbot: QtBot, kind: type[PlotView]) -> None:
    view = shown(qtbot, kind)
    heard: list[tuple[str, object]] = []
    view.option_changed.connect(lambda name, value: heard.append((name, value)))
    for name, action in view.bar.toggles.items():
        heard.clear()
        action.trigger()
        assert heard == [(name, view.option(name))]


@views
def test_an_unknown_option_is_refused_with_the_known_ones(qtbot: QtBot, kind: type[PlotView]) -> None:
    view = shown(qtbot, kind)
    with pytest.raises(ValueError, match="unknown option 'nonsense'"):
        view.set_option("nonsense", True)
    with pytest.raises(ValueError, match="expected one of"):
        view.set_option(view.options[0].name, "nonsense")


@views
def test_themes_change_the_picture_and_a_figure_leaves_the_screen_alone(
    qtbot: QtBot, kind: type[PlotView]
) -> None:
    view = shown(qtbot, kind)
    light = pixels(view)
    view.set_theme(DARK)
    assert not np.array_equal(pixels(view), light)
    view.set_theme(LIGHT)
    assert np.array_equal(pixels(view), light)
    view.panels(PAPER)
    assert np.array_equal(pixels(view), light)


@views
def test_a_run_that_only_went_on_keeps_the_axes(qtbot: QtBot, kind: type[PlotView]) -> None:
    view = shown(qtbot, kind)
    pixels(view)
    before = [(panel.y.low, panel.y.high) for panel in view.panels(LIGHT)]
    view.set_run(dataclasses.replace(run_named("six layers"), label="later"))
    assert [(panel.y.low, panel.y.high) for panel in view.panels(LIGHT)] == before


@views
def test_nobody_is_computed_for_before_painting(
    qtbot: QtBot, kind: type[PlotView], monkeypatch: pytest.MonkeyPatch
) -> None:
    view = kind()
    qtbot.addWidget(view)
    monkeypatch.setattr(view, "panels", lambda theme: pytest.fail("panels were made for a hidden view"))
    view.set_run(run_named("six layers"))
    view.set_cursor(Cursor(0, 1))


@pytest.mark.parametrize("name", ["six layers", "mixed", "200 layers"])
@views
def test_a_picture_for_people(qtbot: QtBot, kind: type[PlotView], name: str, artefact_folder: Path) -> None:
    view = shown(qtbot, kind, name)
    view.set_selected_layer(1)
    view.resize(900, 420)
    path = artefact_folder / f"view {view.view_id}, {name}.png"
    assert view.grab().save(str(path))


@views
def test_a_view_fits_into_a_narrow_dock(qtbot: QtBot, kind: type[PlotView]) -> None:
    view = shown(qtbot, kind)
    assert view.minimumSizeHint().width() <= 360
    for box in view.findChildren(QComboBox):
        assert box.minimumWidth() <= LEAST_BOX
        assert box.sizeHint().width() >= box.fontMetrics().horizontalAdvance(box.currentText())


@views
def test_without_a_run_no_button_can_be_pressed_that_would_do_nothing(
    qtbot: QtBot, kind: type[PlotView]
) -> None:
    view = shown(qtbot, kind, None)
    buttons = [b for b in view.findChildren(QAbstractButton) if b.text() and "Show" not in b.text()]
    askers = [b for b in buttons if b.isVisible()]
    assert [b.text() for b in askers if b.isEnabled()] == ["Fit"]
    view.set_run(run_named("six layers"))
    assert all(b.isEnabled() for b in askers)
