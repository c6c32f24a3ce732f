"""What holds for every view on recorded networks with every kind of layer."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor
from pytestqt.qtbot import QtBot

from gradsim.cli.figures import run_of, view_of
from gradsim.engine import Simulator
from gradsim.spec import Dense, Experiment, Head, Network, Residual, Training
from gradsim.spec.activation import Linear
from gradsim.spec.data import GaussianNoise
from gradsim.trace import Cursor
from gradsim.views.gradient_profile import GradientProfileView
from gradsim.views.history_map import HistoryMapView
from gradsim.views.inspection.between import number_at
from gradsim.views.inspection.formulas import Place, formulas_at
from gradsim.views.inspection.number_text import number_text
from gradsim.views.inspection.tables import batch_moments, statistics_table
from gradsim.views.inspection.wording import FORMULAS, MEANINGS, step_text
from gradsim.views.inspector import Inspector
from gradsim.views.network.between_painting import BRANCH_DROP, arc_ends, layer_at, share_words, tag_box
from gradsim.views.network.telling import layer_tooltip
from gradsim.views.network_view import NetworkView
from gradsim.views.theme import DARK, LIGHT
from gradsim.views.update_ratio import UpdateRatioView
from tests.kind_runs import NETWORKS, kind_run

kinds = pytest.mark.parametrize("name", NETWORKS)
ITERATION = 11


def network_view(qtbot: QtBot, name: str) -> NetworkView:
    view = NetworkView()
    qtbot.addWidget(view)
    view.resize(1000, 340)
    view.set_run(kind_run(name))
    return view


@kinds
@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=lambda theme: theme.name)
def test_the_network_is_painted_and_told_at_every_step(qtbot: QtBot, name: str, theme: object) -> None:
    view = network_view(qtbot, name)
    view.set_theme(theme)  # type: ignore[arg-type]
    trace = kind_run(name).trace
    for step in range(len(trace.steps)):
        view.set_cursor(Cursor(ITERATION, step))
        assert not view.canvas.grab().isNull()
        assert step_text(trace.steps[step], trace.layers) in view.text_summary()
    columns, units = view.table()
    assert list(columns["layer"]) == [layer.name for layer in trace.layers]
    assert set(columns) == set(units)


@kinds
def test_columns_are_the_numbered_layers(qtbot: QtBot, name: str) -> None:
    content = network_view(qtbot, name).canvas.picture.content
    assert content is not None
    numbered = [layer for layer in content.trace.layers if layer.number is not None]
    assert [column.layer for column in content.columns[1:]] == [layer.index for layer in numbered]
    between = {tag.layer for tag in content.tags} | {block.index for block in content.blocks}
    assert between == {layer.index for layer in content.trace.layers if layer.number is None}
    for layer in numbered:
        column = content.column_of(layer.index)
        assert column == layer.number
        for tensor in ("pre_activation", "activation", "delta", "weight_gradient", "update"):
            assert content.values(column, tensor).shape[-1] == layer.fan_out


@kinds
def test_a_click_selects_what_stands_between_the_columns(qtbot: QtBot, name: str) -> None:
    view = network_view(qtbot, name)
    view.show()
    scene = view.canvas.picture.scene
    assert scene is not None
    heard: list[int] = []
    view.layer_selected.connect(heard.append)
    for tag in scene.content.tags:
        at = tag_box(scene, tag).center()
        assert layer_at(scene, at.x(), at.y()) == tag.layer
        qtbot.mouseClick(view.canvas, Qt.MouseButton.LeftButton, pos=QPointF(at).toPoint())
        assert heard[-1] == tag.layer
        view.set_selection(tag.layer)
        assert not view.canvas.grab().isNull()


def test_keys_go_from_a_tag_to_the_columns_beside_it(qtbot: QtBot) -> None:
    view = network_view(qtbot, "dropout")
    names = [layer.name for layer in kind_run("dropout").trace.layers]
    heard: list[str] = []
    view.layer_selected.connect(lambda layer: heard.append(names[layer]))
    view.set_selection(names.index("dropout_1"))
    qtbot.keyClick(view.canvas, Qt.Key.Key_PageDown)
    qtbot.keyClick(view.canvas, Qt.Key.Key_PageUp)
    assert heard == ["dense_2", "dense_1"]


def test_arcs_show_the_share_of_the_skip_once_the_gradient_is_back(qtbot: QtBot) -> None:
    view = network_view(qtbot, "residual")
    view.canvas.resize(1000, 300)
    steps = kind_run("residual").trace.steps
    last_of_forward = max(i for i, step in enumerate(steps) if step.phase == "loss")
    view.set_cursor(Cursor(ITERATION, last_of_forward))
    before = view.canvas.grab().toImage()
    view.set_cursor(Cursor(ITERATION, max(i for i, s in enumerate(steps) if s.phase == "backward")))
    after = view.canvas.grab().toImage()
    frame = view.canvas.picture.frame
    assert frame.arcs == 1
    rows = range(int(frame.top) - 20, int(frame.top) - 4)
    xs = range(int(frame.left), int(frame.right))
    assert any(before.pixel(x, y) != after.pixel(x, y) for y in rows for x in xs)


@pytest.mark.parametrize(("scale", "skip"), [(1e-4, 1.0), (1e4, 0.0)], ids=["skip", "branch"])
def test_both_ways_of_a_gradient_have_the_colour_of_their_share(
    qtbot: QtBot, scale: float, skip: float
) -> None:
    block = Residual(layers=(Dense(units=8, activation=Linear()),), scale=scale)
    experiment = Experiment(
        data=GaussianNoise(samples=40, features=5, outputs=3),
        network=Network(layers=(Dense(units=8), block, block), head=Head(activation=Linear())),
        training=Training(loss="mse"),
    )
    view = view_of("network", run_of(Simulator(experiment)))
    qtbot.addWidget(view)
    view.resize(1100, 320)
    picture = view.canvas.grab().toImage()
    scene = view.canvas.picture.scene
    for block in scene.content.blocks:
        assert block.skip_share == pytest.approx(skip, abs=0.02)
        left, right, top = arc_ends(scene, block)
        x = round(left + 0.2 * (right - left))
        ways = {skip: round(top), 1.0 - skip: round(top + BRANCH_DROP)}
        strong, weak = scene.share_color(1.0), scene.share_color(0.0)
        at_strong = [QColor(picture.pixel(x, ways[1.0] + dy)) for dy in (-1, 0, 1)]
        at_weak = [QColor(picture.pixel(x, ways[0.0] + dy)) for dy in (-1, 0, 1)]
        assert min(distance(color, strong) for color in at_strong) < 12
        assert min(distance(color, weak) for color in at_weak) < min(distance(c, strong) for c in at_weak)
        assert min(distance(color, strong) for color in at_weak) > 100
    told = f"skip {100 * skip:.0f} % · branch {100 * (1 - skip):.0f} %"
    assert share_words(skip)[0] == told
    words = layer_tooltip(scene.content, scene.content.blocks[0].index)
    assert "share of the skip" in words
    assert "share of the branch" in words


def distance(color: QColor, other: QColor) -> int:
    """Return how far two colours are from each other, at most 765."""
    pairs = zip(color.getRgb()[:3], other.getRgb()[:3], strict=True)
    return sum(abs(a - b) for a, b in pairs)


@kinds
def test_every_step_of_every_layer_has_a_formula_and_a_table(qtbot: QtBot, name: str) -> None:
    inspector = Inspector()
    qtbot.addWidget(inspector)
    run = kind_run(name)
    inspector.set_run(run)
    for index, step in enumerate(run.trace.steps):
        assert step.operation in FORMULAS
        assert step.operation in MEANINGS
        inspector.set_cursor(Cursor(ITERATION, index))
        for layer in range(len(run.trace.layers)):
            inspector.set_selection(layer)
            assert all(told.symbols for told in inspector.formulas)
            assert not any("NaN" in told.filled for told in inspector.formulas)
        inspector.set_selection(None)
        own = inspector.formulas
        assert own
        assert step.phase == "clip" or any(told.filled for told in own)
    columns, _ = inspector.table()
    assert len(columns) > 5


@kinds
def test_the_table_of_a_layer_has_no_heading_twice(name: str) -> None:
    trace = kind_run(name).trace
    for layer in trace.layers:
        table = statistics_table(trace, layer.index)
        assert len(set(table.symbols)) == len(table.symbols)


@pytest.mark.parametrize("name", ["normalization_1", "dense_2"])
def test_running_values_stand_beside_those_of_the_batch(qtbot: QtBot, name: str) -> None:
    trace = kind_run("batch normalization").trace
    layer = trace[name]
    inspector = Inspector()
    qtbot.addWidget(inspector)
    inspector.set_run(kind_run("batch normalization"))
    inspector.set_selection(layer.index)
    columns, _ = inspector.table()
    rows = columns["statistic"].tolist()
    seen = layer["input" if name == "normalization_1" else "pre_activation"]
    expected = {
        "batch_mean": seen.mean(axis=0),
        "batch_variance": seen.var(axis=0),
        "running_mean": layer["running_mean"],
        "running_variance": layer["running_variance"],
    }
    for tensor, values in expected.items():
        assert columns[tensor][rows.index("mean")] == pytest.approx(values.mean())
        assert columns[tensor][rows.index("max")] == pytest.approx(values.max())
        assert columns[tensor][rows.index("count")] == layer.fan_out
    # What is normalized has mean 0 and variance 1: those of the batch are what was taken out.
    hat = (seen - expected["batch_mean"]) / np.sqrt(expected["batch_variance"] + 1e-5)
    np.testing.assert_allclose(hat, layer["normalized"], rtol=1e-4, atol=1e-6)


def test_only_batch_normalization_has_running_values() -> None:
    trace = kind_run("layer normalization").trace
    assert all(not batch_moments(layer) for layer in trace.layers)


def test_formulas_end_in_the_recorded_number() -> None:
    trace = kind_run("nested residual").trace
    for step in trace.steps:
        if step.phase != "forward" or step.layer is None:
            continue
        layer = trace.layers[step.layer]
        told = formulas_at(trace, step, step.layer, Place(3, 2, 1))
        assert told[-1].filled.endswith(number_text(number_at(layer[step.tensor], 3, 2)))


def test_skip_and_branch_are_added_up_in_the_formula() -> None:
    trace = kind_run("residual").trace
    step = next(s for s in trace.steps if s.operation == "delta" and trace.layers[s.layer].kind == "residual")
    layer = trace.layers[step.layer]
    (told,) = formulas_at(trace, step, step.layer, Place(0, 0, 0))
    assert told.filled.endswith(number_text(float(layer.delta[0, 0])))


@pytest.mark.parametrize("name", [name for name in NETWORKS if "residual" in name])
def test_the_profile_draws_the_residual_stream(qtbot: QtBot, name: str) -> None:
    view = GradientProfileView()
    qtbot.addWidget(view)
    view.resize(700, 400)
    view.set_run(kind_run(name))
    names = [getattr(mark, "name", "") for mark in view.panels(LIGHT)[0].marks]
    assert {"stream ∂L/∂x of a block", "of it through the branch"} <= set(names)
    view.set_option("stream", False)
    names = [getattr(mark, "name", "") for mark in view.panels(LIGHT)[0].marks]
    assert "stream ∂L/∂x of a block" not in names


def test_the_history_map_has_a_row_for_every_numbered_layer_or_for_every_layer(qtbot: QtBot) -> None:
    run = kind_run("nested residual")
    view = HistoryMapView()
    qtbot.addWidget(view)
    view.resize(700, 400)
    view.set_run(run)
    numbered = [layer.name for layer in run.trace.layers if layer.number is not None]
    assert list(view.table()[0]) == ["iteration", *numbered]
    heard: list[int] = []
    view.layer_selected.connect(heard.append)
    view.act_on_click("history", 0.0, 2.0)
    assert run.trace.layers[heard[-1]].name == numbered[1]
    delta = run.history.series("delta", "rms")
    np.testing.assert_array_equal(view.table()[0]["dense_2"], delta[:, run.trace["dense_2"].index])
    view.set_option("every_layer", True)
    assert list(view.table()[0]) == ["iteration", *(layer.name for layer in run.trace.layers)]
    assert "residual_2" in view.hover_text("history", 0.0, 1.0 + run.trace["residual_2"].index)
    assert view.panels(LIGHT)[0].marks


def test_the_update_ratio_in_time_is_that_of_the_numbered_layer(qtbot: QtBot) -> None:
    run = kind_run("batch normalization")
    view = UpdateRatioView()
    qtbot.addWidget(view)
    view.set_run(run)
    columns = view.table()[0]
    update, weight = (run.history.series(name, "rms") for name in ("update", "weight"))
    row = run.trace["dense_2"].index
    np.testing.assert_allclose(columns["dense_2"][: len(run.history)], (update / weight)[:, row])
