"""The network view as a widget: real painting, mouse and keys."""

import dataclasses
import functools
import sys

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, Qt
from PySide6.QtGui import QFontMetricsF, QImage, QKeyEvent, QPainter, QWheelEvent
from PySide6.QtTest import QTest

from gradsim.spec.training import GlobalNormClipping
from gradsim.trace import Cursor
from gradsim.views.fonts import figure_font
from gradsim.views.network import overlay, painting
from gradsim.views.network.paths import path_points
from gradsim.views.network.telling import column_tooltip
from gradsim.views.network_view import NetworkView
from gradsim.views.theme import DARK, LIGHT, PAPER
from tests.kind_runs import NETWORKS, kind_run
from tests.reference import reference_run
from tests.views.method_runs import method_run

SHAPES = {
    "one unit": {"layers": 1, "units": 1},
    "three small layers": {"layers": 3, "units": 8},
    "ten wide layers": {"layers": 10, "units": 64, "activation": "sigmoid"},
    "two hundred layers": {"layers": 200, "units": 16, "activation": "relu"},
    "zero": {"layers": 4, "units": 8, "fault": "zero"},
    "NaN": {"layers": 4, "units": 8, "fault": "nan"},
    "infinite": {"layers": 4, "units": 32, "fault": "inf"},
    "mixed": {"layers": 8, "units": 32, "fault": "mixed"},
    "mixed, two hundred": {"layers": 200, "units": 8, "fault": "mixed"},
    "clipped": {"layers": 3, "units": 8, "clipping": GlobalNormClipping(threshold=0.01)},
}


@functools.cache
def run_of(name):
    return reference_run(records=2, **SHAPES[name])


@pytest.fixture
def view(qtbot):
    view = NetworkView()
    qtbot.addWidget(view)
    view.resize(900, 380)
    view.show()
    return view


@pytest.fixture
def wishes(view):
    heard = []
    view.layer_selected.connect(lambda layer: heard.append(("layer", layer)))
    view.unit_selected.connect(lambda layer, unit: heard.append(("unit", layer, unit)))
    return heard


def picture(view):
    image = QImage(view.canvas.size(), QImage.Format.Format_RGB32)
    view.canvas.render(image)
    return image


def pixels(image):
    image = image.convertToFormat(QImage.Format.Format_RGB32)
    return np.frombuffer(image.constBits(), np.uint32).reshape(image.height(), -1)[:, : image.width()].copy()


def click(view, column, unit=None):
    layout = view.canvas.picture.scene.layout
    y = layout.middle if unit is None else float(layout.unit_heights(column)[unit])
    QTest.mouseClick(
        view.canvas, Qt.MouseButton.LeftButton, pos=QPoint(round(layout.centre(column)), round(y))
    )


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=lambda theme: theme.name)
@pytest.mark.parametrize("name", SHAPES)
def test_every_phase_of_every_network_is_painted(view, name, theme):
    run = run_of(name)
    view.set_theme(theme)
    view.set_run(run)
    pictures = {}
    for phase in {step.phase for step in run.trace.steps}:
        steps = [i for i, step in enumerate(run.trace.steps) if step.phase == phase]
        view.set_cursor(Cursor(0, steps[len(steps) // 2]))
        pictures[phase] = pixels(picture(view))
    assert len({image.tobytes() for image in pictures.values()}) == len(pictures)


@pytest.mark.parametrize("name", SHAPES)
def test_an_exported_figure_is_what_is_on_the_screen(view, name):
    run = run_of(name)
    view.set_run(run)
    view.set_cursor(Cursor(0, len(run.trace.steps) // 2))
    view.set_selection(0)
    on_screen = pixels(picture(view))
    figure = QImage(view.figure_size().toSize(), QImage.Format.Format_RGB32)
    figure.fill(LIGHT.color("background"))
    painter = QPainter(figure)
    view.paint_figure(painter, QRectF(figure.rect()), LIGHT)
    painter.end()
    different = np.count_nonzero(pixels(figure) != on_screen) / on_screen.size
    assert different < 0.01


@pytest.mark.parametrize(("name", "caption"), [("evolution", "mutation σ"), ("plain", "learning rate η")])
def test_the_badge_of_the_update_names_what_its_number_is(view, monkeypatch, name, caption):
    captions = []
    paint = overlay._paint_badge
    monkeypatch.setattr(overlay, "_paint_badge", lambda *told: (captions.append(told[4]), paint(*told)))
    run = method_run(name)
    view.set_run(run)
    view.set_cursor(Cursor(15, len(run.trace.steps) - 1))
    picture(view)
    assert captions[-1] == caption


def test_a_figure_of_another_size_leaves_the_view_as_it_is(view):
    view.set_run(run_of("ten wide layers"))
    before = pixels(picture(view))
    figure = QImage(1600, 500, QImage.Format.Format_RGB32)
    painter = QPainter(figure)
    view.paint_figure(painter, QRectF(100, 50, 1400, 400), PAPER)
    painter.end()
    assert (pixels(picture(view)) == before).all()


def test_without_a_run_it_says_so(view):
    assert view.text_summary() == "No network yet."
    assert view.table() == ({}, {})
    picture(view)


def test_setters_never_emit(view, wishes):
    view.set_run(run_of("three small layers"))
    view.set_cursor(Cursor(0, 3))
    view.set_selection(1)
    view.set_unit(1, 2)
    view.set_theme(DARK)
    view.set_run(None)
    assert wishes == []


def test_the_same_value_again_repaints_nothing(view, qtbot):
    run = run_of("ten wide layers")
    view.set_run(run)
    view.set_cursor(Cursor(0, 3))
    picture(view)
    kept = view.canvas.picture.kept
    view.set_run(run)
    view.set_cursor(Cursor(0, 3))
    view.set_theme(LIGHT)
    assert kept
    assert view.canvas.picture.kept == kept


def test_a_step_paints_only_the_pulse_anew(view):
    view.set_run(run_of("two hundred layers"))
    view.set_cursor(Cursor(0, 100))
    picture(view)
    kept = view.canvas.picture.kept["ground"]
    view.set_cursor(Cursor(0, 101))
    picture(view)
    assert view.canvas.picture.kept["ground"] == kept


def test_a_click_selects_the_layer_and_in_small_nets_the_unit(view, wishes):
    view.set_run(run_of("three small layers"))
    click(view, 2, unit=5)
    assert wishes == [("layer", 1), ("unit", 1, 5)]


def test_a_click_on_a_wide_layer_selects_it_and_on_the_input_nothing(view, wishes):
    view.set_run(run_of("ten wide layers"))
    click(view, 4)
    click(view, 0)
    assert wishes == [("layer", 3)]


def test_dragging_moves_the_network_and_selects_nothing(view, wishes):
    view.set_run(run_of("two hundred layers"))
    view.canvas.zoom(6.0)
    before = view.canvas.picture.scene.layout.centre(0)
    QTest.mousePress(view.canvas, Qt.MouseButton.LeftButton, pos=QPoint(400, 200))
    QTest.mouseMove(view.canvas, QPoint(470, 200))
    QTest.mouseRelease(view.canvas, Qt.MouseButton.LeftButton, pos=QPoint(470, 200))
    assert view.canvas.picture.scene.layout.centre(0) == pytest.approx(before + 70)
    assert wishes == []


def test_the_wheel_zooms_about_the_mouse_and_fit_goes_back(view):
    view.set_run(run_of("two hundred layers"))
    layout = view.canvas.picture.scene.layout
    column, x = layout.column_at(500.0), 500.0
    wheel = QWheelEvent(
        QPointF(x, 200),
        QPointF(x, 200),
        QPoint(),
        QPoint(0, 960),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    view.canvas.wheelEvent(wheel)
    assert view.canvas.picture.scene.layout.viewport.pitch == pytest.approx(4 * layout.viewport.pitch)
    assert view.canvas.picture.scene.layout.column_at(x) == column
    view.fit_button.click()
    assert view.canvas.picture.scene.layout.viewport == layout.viewport


def test_a_key_fits_the_network(view):
    view.set_run(run_of("two hundred layers"))
    fit = view.canvas.picture.scene.layout.viewport
    QTest.keyClick(view.canvas, Qt.Key.Key_Plus)
    assert view.canvas.picture.scene.layout.viewport != fit
    QTest.keyClick(view.canvas, Qt.Key.Key_F)
    assert view.canvas.picture.scene.layout.viewport == fit


def test_page_keys_wish_for_the_neighbour_and_arrows_for_a_unit(view, wishes):
    view.set_run(run_of("three small layers"))
    QTest.keyClick(view.canvas, Qt.Key.Key_PageDown)
    view.set_selection(0)
    QTest.keyClick(view.canvas, Qt.Key.Key_PageUp)
    QTest.keyClick(view.canvas, Qt.Key.Key_PageDown)
    QTest.keyClick(view.canvas, Qt.Key.Key_Down)
    assert wishes == [("layer", 0), ("layer", 1), ("unit", 0, 0)]


def test_with_the_focus_its_own_keys_are_kept_from_the_windows_shortcuts_and_stepping_is_not(view):
    for key, modifier, kept in (
        (Qt.Key.Key_Up, Qt.KeyboardModifier.NoModifier, True),
        (Qt.Key.Key_PageUp, Qt.KeyboardModifier.NoModifier, True),
        (Qt.Key.Key_PageUp, Qt.KeyboardModifier.ShiftModifier, False),
        (Qt.Key.Key_Left, Qt.KeyboardModifier.NoModifier, False),
        (Qt.Key.Key_Home, Qt.KeyboardModifier.NoModifier, False),
    ):
        override = QKeyEvent(QEvent.Type.ShortcutOverride, key, modifier)
        override.ignore()
        view.canvas.event(override)
        assert override.isAccepted() is kept


def test_a_zoomed_view_follows_the_step(view):
    run = run_of("two hundred layers")
    view.set_run(run)
    view.canvas.zoom(10.0)
    for layer in (199, 0, 100):
        step = next(i for i, s in enumerate(run.trace.steps) if (s.operation, s.layer) == ("delta", layer))
        view.set_cursor(Cursor(0, step))
        assert layer + 1 in view.canvas.picture.scene.layout.visible


def test_zoom_and_scales_stay_while_the_network_stays(view):
    run = run_of("ten wide layers")
    view.set_run(run)
    view.canvas.zoom(2.0)
    before = view.canvas.picture.scene.layout.viewport
    view.set_run(dataclasses.replace(run, trace=dataclasses.replace(run.trace, iteration=1)))
    assert view.canvas.picture.scene.layout.viewport == before
    view.set_run(run_of("three small layers"))
    assert view.canvas.picture.scene.layout.viewport.pitch != before.pitch


def test_links_are_coloured_by_weight_by_gradient_or_not_drawn(view):
    view.set_run(run_of("three small layers"))
    pictures = []
    for index in range(3):
        view.link_colours.setCurrentIndex(index)
        pictures.append(pixels(picture(view)).tobytes())
    assert len(set(pictures)) == 3


def test_units_are_coloured_by_magnitude_or_by_value(view):
    view.set_run(run_of("three small layers"))
    view.set_cursor(Cursor(0, 5))
    first = pixels(picture(view))
    view.unit_colours.setCurrentIndex(1)
    assert (pixels(picture(view)) != first).any()


@pytest.mark.parametrize("kind", NETWORKS)
def test_units_of_every_kind_are_coloured_by_value_at_every_operation(view, kind):
    run = kind_run(kind)
    view.set_run(run)
    view.unit_colours.setCurrentIndex(1)
    image = QImage(view.figure_size().toSize(), QImage.Format.Format_RGB32)
    told = {(step.phase, step.operation): place for place, step in enumerate(run.trace.steps)}
    for place in told.values():
        view.set_cursor(Cursor(run.trace.iteration, place))
        painter = QPainter(image)
        try:
            view.paint_figure(painter, QRectF(image.rect()), LIGHT)
        finally:
            painter.end()


def test_values_of_the_inputs_are_coloured_on_a_scale_of_their_own(view):
    run = run_of("three small layers")
    view.set_run(run)
    content = view.canvas.picture.scene.content
    means = np.abs(run.trace.inputs.mean(axis=0, dtype=float))
    assert means.max() <= content.largest_mean("input") <= 2.5 * means.max()


def test_a_fault_in_the_picture_is_told_and_ends_nothing(view, monkeypatch):
    told = []
    monkeypatch.setattr(sys, "excepthook", lambda kind, fault, trace: told.append(str(fault)))
    view.set_run(run_of("three small layers"))

    def fail(painter, ratio):
        np.zeros(3).reshape(2)

    monkeypatch.setattr(view.canvas.picture, "paint", fail)
    view.canvas.repaint()
    assert told
    assert "reshape" in told[0]


def test_what_has_no_effect_cannot_be_chosen(view):
    view.set_run(run_of("ten wide layers"))
    assert not view.link_colours.isEnabled()
    view.set_run(run_of("three small layers"))
    assert view.link_colours.isEnabled()
    assert view.unit_colours.isEnabled()


@pytest.mark.parametrize(("name", "words"), [("zero", "100% 0"), ("NaN", "100% NaN"), ("infinite", "100% ∞")])
def test_hovering_tells_zeros_nan_and_infinity_by_name(view, name, words):
    view.set_run(run_of(name))
    assert words in column_tooltip(view.canvas.picture.content, 1)


def test_hovering_tells_the_numbers_of_layer_and_unit(view):
    run = run_of("three small layers")
    view.set_run(run)
    text = column_tooltip(view.canvas.picture.content, 2, unit=3)
    for words in ("dense_2", "8 tanh", "rms δ", "W from … to", "unit 4"):
        assert words in text


def test_zero_nan_and_infinity_look_different(view):
    looks = set()
    for name in ("zero", "NaN"):
        view.set_run(run_of(name))
        view.set_cursor(Cursor(0, 3))
        layout = view.canvas.picture.scene.layout
        x, y, r = layout.centre(1), layout.unit_heights(1)[0], layout.radius
        area = QRectF(x - r, y - r, 2 * r, 2 * r).toAlignedRect()
        looks.add(pixels(picture(view).copy(area)).tobytes())
    assert len(looks) == 2


def test_the_table_holds_the_numbers_of_every_layer(view):
    run = run_of("ten wide layers")
    view.set_run(run)
    columns, units = view.table()
    assert columns.keys() == units.keys()
    assert columns["delta_rms"].tolist() == [layer.statistics["delta"].rms for layer in run.trace.layers]


def test_the_summary_tells_step_and_progress(view):
    run = run_of("three small layers")
    view.set_run(run)
    view.set_cursor(Cursor(0, 3))
    assert "forward · dense_2 · a = φ(z); 2 of 3 layers computed" in view.text_summary()
    assert view.canvas.accessibleDescription() == view.text_summary()


def test_a_picture_is_kept_for_people(view, artefact_folder):
    run = run_of("ten wide layers")
    view.set_run(run)
    view.set_cursor(Cursor(0, 2 * len(run.trace.steps) // 3))
    assert view.grab().save(str(artefact_folder / "network.png"))


@pytest.mark.parametrize("units", [6, 40])
@pytest.mark.parametrize("fault", [None, "zero", "nan", "mixed"])
def test_paths_lie_on_their_units_and_go_again(qtbot, units, fault):
    view = NetworkView()
    qtbot.addWidget(view)
    view.resize(900, 320)
    run = reference_run(4, units, records=2, fault=fault)
    view.set_run(run)
    view.set_cursor(Cursor(0, len(run.trace.steps) - 1))
    before = view.canvas.grab().toImage()
    paths = (((-1, 0), (0, 2), (1, 5), (2, 1), (3, 0)), ((-1, 1), (0, 3), (3, 1)))
    view.set_paths(paths)
    drawn = view.canvas.grab().toImage()
    assert drawn != before
    assert "2 paths of a weight's chain rule" in view.text_summary()
    scene, pulse = view.canvas.picture.scene, view.canvas.picture.pulse
    points = path_points(scene, paths[0], pulse.tensor)
    assert [point.x() for point in points] == [scene.layout.centre(column) for column in range(5)]
    assert all(scene.layout.frame.top <= point.y() <= scene.layout.frame.bottom for point in points)
    if units == 6:
        assert points[2].y() == scene.layout.unit_heights(2)[5]
    view.set_paths((((-1, 99), (0, 0), (50, 0)),))  # of a larger network
    assert len(path_points(scene, view.canvas.picture.paths[0], pulse.tensor)) == 1
    assert not view.canvas.grab().isNull()
    view.set_paths(())
    assert view.canvas.grab().toImage() == before


@pytest.mark.parametrize("width", [420, 526, 722, 1300])
def test_the_labels_at_both_ends_of_a_deep_network_are_whole(view, monkeypatch, width):
    places = {}
    draw = painting._draw_elided
    monkeypatch.setattr(
        painting,
        "_draw_elided",
        lambda painter, place, text: (places.update({text: place}), draw(painter, place, text)),
    )
    view.resize(width, 230)
    view.set_run(run_of("two hundred layers"))
    picture(view)
    frame = view.canvas.picture.frame
    metrics = QFontMetricsF(figure_font(11))
    for text in ("in", "head"):
        half = 0.5 * metrics.horizontalAdvance(text)
        middle = places[text].center().x()
        assert frame.left <= middle - half
        assert middle + half <= frame.right


@pytest.mark.parametrize(
    ("reason", "is_shown"),
    [
        (Qt.FocusReason.TabFocusReason, True),
        (Qt.FocusReason.ShortcutFocusReason, True),
        (Qt.FocusReason.MouseFocusReason, False),
        (Qt.FocusReason.OtherFocusReason, False),
    ],
)
def test_the_focus_is_seen_where_keys_have_brought_it(qtbot, reason, is_shown):
    view = NetworkView()
    qtbot.addWidget(view)
    view.resize(600, 300)
    view.show()
    view.activateWindow()
    qtbot.waitUntil(view.isActiveWindow)
    view.canvas.clearFocus()
    without = view.canvas.grab().toImage()
    view.canvas.setFocus(reason)
    qtbot.waitUntil(view.canvas.hasFocus)
    assert (view.canvas.grab().toImage() != without) == is_shown
