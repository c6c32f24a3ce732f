"""Recurrent layers in the network view: as one column that tells its time step, or unrolled."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QImage
from pytestqt.qtbot import QtBot

from gradsim.analysis.chain_rule import weight_chain
from gradsim.trace import Cursor, Run
from gradsim.views.inspection.chain_words import unit_chain
from gradsim.views.network import kept_pictures
from gradsim.views.network.column import Column
from gradsim.views.network.content import NetworkContent
from gradsim.views.network.layout import Frame, NetworkLayout, Viewport, fitted
from gradsim.views.network.overlay import place_of
from gradsim.views.network.paths import path_points
from gradsim.views.network.pulse import pulse_at
from gradsim.views.network.telling import column_tooltip, network_summary
from gradsim.views.network_view import NetworkView
from gradsim.views.theme import DARK, LIGHT
from tests.kind_runs import SEQUENCES, STEPS, kind_run
from tests.reference import reference_run
from tests.views.test_time_map import FAULTS, broken, long_run, time_step

sequences = pytest.mark.parametrize("name", SEQUENCES)


def shown(qtbot: QtBot, run: Run) -> NetworkView:
    view = NetworkView()
    qtbot.addWidget(view)
    view.resize(1000, 340)
    view.set_run(run)
    view.show()
    qtbot.waitExposed(view)
    return view


def unrolled(run: Run) -> frozenset[int]:
    return frozenset(layer.index for layer in run.trace.layers if layer.kind == "recurrent")


def pixels(view: NetworkView) -> np.ndarray:
    image = view.canvas.grab().toImage().convertToFormat(QImage.Format.Format_RGB32)
    raw = np.frombuffer(image.constBits(), dtype=np.uint32)
    return raw.reshape(image.height(), image.bytesPerLine() // 4)[:, : image.width()].copy()


@sequences
def test_every_time_step_of_an_unrolled_layer_is_a_column(name: str) -> None:
    run = kind_run(name)
    content = NetworkContent(run.trace, unrolled(run))
    for layer in run.trace.layers:
        if layer.number is None:
            continue
        columns = [column for column in content.columns if column.layer == layer.index]
        times = [column.time for column in columns]
        assert times == (list(range(STEPS)) if layer.kind == "recurrent" else [None])
        last = content.column_of(layer.index)
        assert last is not None
        assert content.columns[last].time == times[-1]
        if layer.kind == "recurrent":
            for time in range(STEPS):
                at = content.column_of(layer.index, time)
                assert at is not None
                assert (content.columns[at].layer, content.columns[at].time) == (layer.index, time)
    places = [content.place_of(layer.index) for layer in run.trace.layers]
    assert places == sorted(places)


@sequences
def test_a_column_of_a_time_step_holds_the_numbers_of_that_step(name: str) -> None:
    run = kind_run(name)
    content = NetworkContent(run.trace, unrolled(run))
    for index, column in enumerate(content.columns):
        if column.time is None:
            continue
        layer = content.layer_of(index)
        for tensor, told in (("activation", "hidden"), ("delta", "hidden_gradient")):
            values = layer.tensors[told][:, column.time]
            np.testing.assert_array_equal(content.values(index, tensor), values)
            assert content.column_rms(index, tensor) == pytest.approx(np.sqrt(np.mean(np.square(values))))
            numbers = content.unit_numbers(index, tensor)
            np.testing.assert_allclose(numbers.rms, np.sqrt(np.mean(np.square(values), axis=0)))
            np.testing.assert_allclose(numbers.mean, values.mean(axis=0))
            assert content.distributions([(index, tensor)])[0].count == values.size
        whole = NetworkContent(run.trace)
        place = whole.column_of(layer.index)
        assert place is not None
        for tensor in ("weight_gradient", "update"):  # shared by all steps
            np.testing.assert_array_equal(content.values(index, tensor), whole.values(place, tensor))
            assert content.column_rms(index, tensor) == whole.column_rms(place, tensor)


def test_between_time_steps_lie_the_recurrent_weights_and_before_the_first_those_of_the_input() -> None:
    run = kind_run("simple recurrent")
    content = NetworkContent(run.trace, unrolled(run))
    layer = run.trace.layers[0]
    first, second = content.links(1, "weight"), content.links(2, "weight")
    assert first is not None
    assert second is not None
    np.testing.assert_array_equal(first, layer.input_weight)
    np.testing.assert_array_equal(second, layer.recurrent_weight)
    gradient = content.links(2, "weight_gradient")
    assert gradient is not None
    np.testing.assert_array_equal(gradient, layer.recurrent_weight_gradient)


def test_blocks_and_tags_stand_where_their_layers_are() -> None:
    run = kind_run("residual recurrent")
    content = NetworkContent(run.trace, unrolled(run))
    (block,) = content.blocks
    assert content.columns[int(block.start)].layer == 0
    assert content.columns[int(block.end)].layer == 1
    assert content.columns[int(block.start)].time == content.columns[int(block.end)].time == STEPS - 1


@sequences
def test_the_pulse_goes_through_time_forwards_and_backwards(name: str) -> None:
    run = kind_run(name)
    content = NetworkContent(run.trace, unrolled(run))
    for layer in sorted(unrolled(run)):
        for phase in ("forward", "backward"):
            for at in range(STEPS):
                pulse = pulse_at(run.trace, time_step(run, layer, at, phase))
                assert (pulse.active, pulse.time, pulse.phase) == (layer, at, phase)
                assert pulse.into_weights == (phase == "forward")
                assert pulse.from_above == (phase == "backward")
                told = [c.time for c in content.columns if c.layer == layer and pulse.has(c)]
                expected = range(at + 1) if phase == "forward" else range(at, STEPS)
                assert told == list(expected)
                for column in content.columns:
                    if column.layer is not None and column.layer != layer:
                        before = column.layer < layer if phase == "forward" else column.layer > layer
                        assert pulse.has(column) == before


@sequences
@pytest.mark.parametrize("is_unrolled", [False, True])
@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=lambda theme: theme.name)
def test_the_network_is_painted_at_every_step(qtbot: QtBot, name: str, is_unrolled: bool, theme: Any) -> None:
    run = kind_run(name)
    view = shown(qtbot, run)
    view.set_theme(theme)
    view.set_unrolled(unrolled(run) if is_unrolled else ())
    for step in range(0, len(run.trace.steps), 3):
        view.set_cursor(Cursor(11, step))
        assert len(np.unique(pixels(view))) > 5
    assert ("unrolled over" in view.text_summary()) == is_unrolled


@pytest.mark.parametrize("name", FAULTS)
def test_zeros_nan_and_infinity_can_be_unrolled(qtbot: QtBot, name: str) -> None:
    run = broken(FAULTS[name])
    view = shown(qtbot, run)
    view.set_unrolled([0])
    for step in range(0, len(run.trace.steps), 4):
        view.set_cursor(Cursor(11, step))
        assert not view.canvas.grab().isNull()
    content = view.canvas.picture.content
    assert content is not None
    assert np.array_equal(content.column_rms(3, "delta"), FAULTS[name], equal_nan=True)


def test_a_layer_that_is_one_column_shows_the_step_in_work(qtbot: QtBot) -> None:
    run = kind_run("lstm")
    view = shown(qtbot, run)
    pictures = []
    for at in (0, 4, STEPS - 1):
        view.set_cursor(Cursor(11, time_step(run, 0, at, "forward")))
        pictures.append(pixels(view))
    assert not np.array_equal(pictures[0], pictures[1])
    assert not np.array_equal(pictures[1], pictures[2])
    content = view.canvas.picture.content
    assert content is not None
    for at in (0, 5):
        told = content.unit_numbers(1, "activation", at)
        np.testing.assert_allclose(told.mean, run.trace.layers[0].hidden[:, at].mean(axis=0))


@pytest.mark.parametrize("is_unrolled", [False, True])
def test_the_mark_of_progress_moves_on_with_time_and_back(qtbot: QtBot, is_unrolled: bool) -> None:
    run = kind_run("lstm")
    view = shown(qtbot, run)
    view.set_unrolled([0] if is_unrolled else [])
    scene = view.canvas.picture.scene
    assert scene is not None
    for phase, order in (("forward", range(STEPS)), ("backward", reversed(range(STEPS)))):
        places = [place_of(scene, pulse_at(run.trace, time_step(run, 0, at, phase))) for at in order]
        steps = np.diff(places)
        assert (steps > 0).all() if phase == "forward" else (steps < 0).all()


def test_a_step_through_time_paints_the_one_column_it_reaches_and_none_anew(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = long_run()
    view = shown(qtbot, run)
    view.set_unrolled([0])
    view.set_cursor(Cursor(5, time_step(run, 0, 50)))
    pixels(view)
    before = view.canvas.picture.kept
    painted: list[list[int]] = []
    paint = kept_pictures.paint_computed

    def noted(painter: Any, scene: Any, tensor: str, columns: list[int]) -> None:
        painted.append(columns)
        paint(painter, scene, tensor, columns)

    monkeypatch.setattr(kept_pictures, "paint_computed", noted)
    for time in (49, 50, 49, 48):
        view.set_cursor(Cursor(5, time_step(run, 0, time)))
        pixels(view)
    columns = [view.canvas.picture.content.column_of(0, time) for time in (49, 48)]  # type: ignore[union-attr]
    assert painted == [[column] for column in columns]
    assert view.canvas.picture.kept["ground"] == before["ground"]


@pytest.mark.parametrize("units", [6, 40])
def test_a_picture_stepped_to_is_the_one_gone_to_at_once(qtbot: QtBot, units: int) -> None:
    """Columns are painted as they are reached, on whatever way, and those of another record not at all."""
    runs = [reference_run(layers=8, units=units, seed=seed) for seed in (0, 1)]
    last = len(runs[0].trace.steps) - 1
    stepped = shown(qtbot, runs[0])
    for step in (3, 1, 9, last // 2, 9, last):
        stepped.set_cursor(Cursor(0, step))
        pixels(stepped)
    for run, steps in ((runs[0], (last // 2, 9)), (runs[1], (last // 3, last))):
        stepped.set_run(run)
        stepped.canvas.fit()
        for step in steps:
            stepped.set_cursor(Cursor(0, step))
            at_once = shown(qtbot, run)
            at_once.set_cursor(Cursor(0, step))
            np.testing.assert_array_equal(pixels(stepped), pixels(at_once))


# -- what a person does ---------------------------------------------------------------------------------------


def test_the_button_is_there_only_for_recurrent_layers(qtbot: QtBot) -> None:
    view = shown(qtbot, kind_run("dropout"))
    assert not view.unroll_button.isVisible()
    assert view.toggle_unrolled() is None
    assert view.unrolled == frozenset()
    view.set_run(kind_run("gru"))
    assert view.unroll_button.isVisible()


@pytest.mark.parametrize("way", ["button", "key", "double click"])
def test_a_layer_is_unrolled_and_rolled_up_again(qtbot: QtBot, way: str) -> None:
    run = kind_run("gru")
    view = shown(qtbot, run)
    view.set_selection(1)
    for expected in ({1}, set()):
        if way == "button":
            view.unroll_button.click()
        elif way == "key":
            qtbot.keyClick(view.canvas, Qt.Key.Key_U)
        else:
            scene = view.canvas.picture.scene
            assert scene is not None
            x = scene.layout.centre(scene.content.place_of(1))
            place = QPointF(x, scene.layout.middle).toPoint()
            qtbot.mouseDClick(view.canvas, Qt.MouseButton.LeftButton, pos=place)
        assert view.unrolled == expected
        assert view.unroll_button.isChecked() == bool(expected)


def test_without_a_selection_all_recurrent_layers_are_unrolled(qtbot: QtBot) -> None:
    view = shown(qtbot, kind_run("gru"))
    view.unroll_button.click()
    assert view.unrolled == {0, 1}
    view.set_selection(0)
    view.unroll_button.click()
    assert view.unrolled == {1}


def test_unrolled_layers_stay_so_while_the_network_is_trained_and_not_in_another(qtbot: QtBot) -> None:
    run = kind_run("lstm")
    view = shown(qtbot, run)
    view.set_unrolled([0])
    assert run.ghost is not None
    view.set_run(dataclasses.replace(run, trace=run.ghost))
    assert view.unrolled == {0}
    view.set_run(kind_run("dropout"))
    assert view.unrolled == frozenset()
    assert not view.unroll_button.isChecked()


@pytest.mark.parametrize(("phase", "expected"), [("forward", "forward"), ("backward", "backward")])
def test_a_click_on_a_time_step_asks_for_it(qtbot: QtBot, phase: str, expected: str) -> None:
    run = kind_run("lstm")
    view = shown(qtbot, run)
    view.set_unrolled([0])
    view.set_cursor(Cursor(11, time_step(run, 1, 3, phase)))
    heard: list[Any] = []
    view.seek_requested.connect(heard.append)
    view.layer_selected.connect(heard.append)
    scene = view.canvas.picture.scene
    assert scene is not None
    place = QPointF(scene.layout.centre(7), scene.layout.middle).toPoint()
    qtbot.mouseClick(view.canvas, Qt.MouseButton.LeftButton, pos=place)
    assert heard == [0, Cursor(11, time_step(run, 0, 6, expected))]


def test_keys_go_from_layer_to_layer_over_all_time_steps(qtbot: QtBot) -> None:
    run = kind_run("gru")
    view = shown(qtbot, run)
    view.set_unrolled([0, 1])
    heard: list[int] = []
    view.layer_selected.connect(heard.append)
    view.layer_selected.connect(lambda layer: view.set_selection(layer))
    for _ in range(3):
        qtbot.keyClick(view.canvas, Qt.Key.Key_PageDown)
    for _ in range(2):
        qtbot.keyClick(view.canvas, Qt.Key.Key_PageUp)
    assert heard == [0, 1, 2, 1, 0]


def test_setters_emit_nothing(qtbot: QtBot) -> None:
    view = shown(qtbot, kind_run("lstm"))
    heard: list[Any] = []
    for signal in (view.seek_requested, view.layer_selected, view.unit_selected):
        signal.connect(lambda *args: heard.append(args))
    view.set_unrolled([0, 1])
    view.set_cursor(Cursor(11, 4))
    view.set_unit(0, 2)
    view.toggle_unrolled(0)
    pixels(view)
    assert heard == []


def test_a_time_step_is_told_by_its_state_and_gradient() -> None:
    run = kind_run("lstm")
    content = NetworkContent(run.trace, [0])
    told = column_tooltip(content, 4, unit=2)
    assert f"recurrent_1 · t = 4 of {STEPS}" in told
    for symbol in ("hₜ", "cₜ", "∂L/∂hₜ", "∂L/∂cₜ"):
        assert f"rms {symbol}" in told
        assert f"unit 3: mean {symbol}" in told
    assert "from xₜ and hₜ₋₁" in told
    summary = network_summary(content, pulse_at(run.trace, len(run.trace.steps) - 1))
    assert "Network of 4 layers" in summary
    assert f"recurrent_1 is unrolled over {STEPS} time steps" in summary


# -- where it stands ------------------------------------------------------------------------------------------


def sequence_columns(steps: int) -> list[Column]:
    times = [Column("recurrent_1", 0, 1, 8, "LSTM", time, steps) for time in range(steps)]
    return [
        Column("input", None, None, 2, ""),
        *times,
        Column("dense_1", 1, 2, 8, "tanh"),
        Column("head", 2, 3, 1, "linear"),
    ]


@pytest.mark.parametrize("width", [500, 1000, 2400])
@pytest.mark.parametrize("steps", [1, 2, 9, 40, 100, 150, 400])
def test_labels_of_time_steps_never_touch_and_name_both_ends(steps: int, width: int) -> None:
    columns = sequence_columns(steps)
    frame = Frame(width, 300)
    layout = NetworkLayout(frame, fitted(frame, len(columns)), columns)
    labels = layout.numbered
    assert {0, len(columns) - 1} <= set(labels)
    if not layout.shows_names:
        assert np.diff(labels).min() * layout.viewport.pitch >= 34 - 1e-9
    (shared,) = (label for label in layout.shared_labels if label.is_time)
    assert (shared.first, shared.last) == (1, steps)
    assert shared.text == f"recurrent_1: 8 LSTM, {steps} steps"


def test_zoomed_in_every_time_step_has_its_label() -> None:
    columns = sequence_columns(150)
    layout = NetworkLayout(Frame(900, 300), Viewport(60.0, -2000.0), columns)
    assert layout.numbered == tuple(layout.visible)


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=lambda theme: theme.name)
def test_pictures_for_people(qtbot: QtBot, theme: Any, artefact_folder: Path) -> None:
    run = long_run()
    view = shown(qtbot, run)
    view.set_theme(theme)
    view.set_unrolled([0])
    view.set_cursor(Cursor(5, time_step(run, 0, 40)))
    assert view.grab().save(str(artefact_folder / f"view network, 100 time steps, {theme.name}.png"))


def test_a_path_through_time_lies_on_the_steps_of_an_unrolled_layer(qtbot: QtBot) -> None:
    run = kind_run("simple recurrent")
    trace = run.trace
    chain = weight_chain(trace, 0, 1, 2, 3)
    path = unit_chain(trace, chain, chain.paths[0])
    times = [place[2] for place in path if len(place) == 3]
    view = shown(qtbot, run)
    view.set_paths((path,))
    scene, pulse = view.canvas.picture.scene, view.canvas.picture.pulse
    assert scene is not None
    assert pulse is not None
    folded = path_points(scene, path, pulse.tensor)
    assert len({point.x() for point in folded}) == len({place[0] for place in path})
    content = NetworkContent(trace, unrolled(run))
    layout = NetworkLayout(Frame(1000, 340), fitted(Frame(1000, 340), len(content.columns)), content.columns)
    points = path_points(dataclasses.replace(scene, content=content, layout=layout), path, pulse.tensor)
    for place, point in zip(path, points, strict=True):
        column = content.column_of(*place[:1], *place[2:])
        assert column is not None
        assert point.x() == pytest.approx(layout.centre(column))
        assert point.y() == pytest.approx(layout.unit_heights(column)[place[1]])
    assert len(times) >= 2
    # A step that another run does not have is left out.
    assert (
        len(path_points(dataclasses.replace(scene, content=content, layout=layout), ((0, 1, 99),), "delta"))
        == 0
    )
