"""The view of recurrent layers through time."""

from __future__ import annotations

import dataclasses
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from pytestqt.qtbot import QtBot

from gradsim.analysis.through_time import TimeRecord, rms_per_step, time_record
from gradsim.spec import Experiment, Head, Network, Recurrent, Training
from gradsim.spec.activation import Linear
from gradsim.spec.data import Adding
from gradsim.spec.training import Sgd
from gradsim.trace import Cursor, Run
from gradsim.views.plot.heat import Heat
from gradsim.views.plot.options import Choice
from gradsim.views.theme import DARK, LIGHT, PAPER
from gradsim.views.time.passes import RecordedPasses, pass_grid
from gradsim.views.time.recorder import QUESTION, Recorder
from gradsim.views.time_map import TimeMapView
from tests.kind_runs import NETWORKS, SEQUENCES, STEPS, kind_run
from tests.reference import reference_run

FAULTS = {"zeros": 0.0, "NaN": np.nan, "Inf": np.inf}
PAGES = [value for value, _ in TimeMapView.options[0].values]


def broken(fault: float) -> Run:
    """A run whose gradients, gates and states are all one number."""
    run = kind_run("lstm")
    layers = [
        dataclasses.replace(
            layer,
            tensors=MappingProxyType(
                {
                    name: np.full_like(values, fault)
                    if "gradient" in name or name in ("gates", "cell", "hidden")
                    else values
                    for name, values in layer.tensors.items()
                }
            ),
        )
        for layer in run.trace.layers
    ]
    return dataclasses.replace(run, trace=dataclasses.replace(run.trace, layers=tuple(layers)))


@cache
def long_run(cell: str = "lstm", steps: int = 100) -> Run:
    """A run over many steps, trained for a few iterations."""
    return trained(cell, steps, 6)[-1]


@cache
def trained(cell: str, steps: int, iterations: int) -> tuple[Run, ...]:
    from gradsim.engine import Simulator

    simulator = Simulator(
        Experiment(
            seed=3,
            data=Adding(samples=200, steps=steps),
            network=Network(
                layers=(Recurrent(cell=cell, units=20),),  # type: ignore[arg-type]
                head=Head(activation=Linear()),
            ),
            training=Training(loss="mse", batch_size=8, optimizer=Sgd(learning_rate=0.05)),
        )
    )
    runs = []
    for _ in range(iterations):
        runs.append(
            Run("run", simulator.experiment, simulator.samples, simulator.record(), None, simulator.history())
        )
        simulator.advance(1)
    return tuple(runs)


RUNS = {
    **{name: lambda name=name: kind_run(name) for name in NETWORKS},
    **{name: lambda fault=fault: broken(fault) for name, fault in FAULTS.items()},
    "200 layers": lambda: reference_run(layers=200, records=3),
    "one layer": lambda: reference_run(layers=1),
    "100 steps": long_run,
}


def shown(qtbot: QtBot, run: Run | None) -> TimeMapView:
    view = TimeMapView()
    qtbot.addWidget(view)
    view.resize(900, 480)
    view.set_run(run)
    view.show()
    qtbot.waitExposed(view)
    return view


def time_step(run: Run, layer: int, at: int, phase: str = "backward") -> int:
    wanted = (phase, layer, at)
    return next(i for i, s in enumerate(run.trace.steps) if (s.phase, s.layer, s.time) == wanted)


def settled(view: TimeMapView) -> TimeMapView:
    view.canvas.grab()
    return view


@pytest.mark.parametrize("name", RUNS)
def test_every_run_can_be_drawn_told_and_tabulated_on_every_page(qtbot: QtBot, name: str) -> None:
    run = RUNS[name]()
    view = shown(qtbot, run)
    for page in PAGES:
        view.set_option("page", page)
        for tensor in ("hidden_gradient", "cell_gradient"):
            view.set_option("tensor", tensor)
            for size in ((200, 140), (1400, 700)):
                view.resize(*size)
                assert not view.canvas.grab().isNull()
        columns, units = view.table()
        assert len({len(column) for column in columns.values()}) == 1
        assert set(units) == set(columns) or not units
    assert view.text_summary().endswith(".")
    has_time = name in SEQUENCES or name in FAULTS or name == "100 steps"
    assert bool(view.panels(LIGHT)[0].message) != has_time


@pytest.mark.parametrize("sample", [None, 3])
@pytest.mark.parametrize("tensor", ["hidden_gradient", "cell_gradient"])
def test_the_table_and_the_pointer_tell_the_recorded_numbers(
    qtbot: QtBot, tensor: str, sample: int | None
) -> None:
    run = kind_run("lstm")
    view = shown(qtbot, run)
    view.set_option("tensor", tensor)
    view.set_sample(sample)
    layer = run.trace.layers[0]
    sizes = rms_per_step(layer.tensors[tensor], sample)
    columns, _ = view.table()
    np.testing.assert_array_equal(columns[f"{tensor}_rms"], sizes)
    told = view.hover_text("units", 3.2, 2.4)
    values = layer.tensors[tensor][:, 2, 1] if sample is None else layer.tensors[tensor][sample, 2, 1]
    assert "t = 3 of" in told
    assert "unit 2" in told
    number = float(told.rsplit(" = ", 1)[1].replace("−", "-").replace("·10⁻", "e-").translate(_DIGITS))
    assert number == pytest.approx(float(np.sqrt(np.mean(np.square(values)))), rel=6e-3)
    assert "∂L/∂hₜ" in view.hover_text("sizes", 1, 0)
    assert view.hover_text("gates", 2, 0.5).count("=") == 4
    assert view.hover_text("kept", STEPS, 0).count(": 1") == 3  # the empty product
    assert view.hover_text("units", -4, 1) == view.hover_text("units", 1, 99) == ""


_DIGITS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")


@pytest.mark.parametrize(("name", "words"), [("zeros", "are 0"), ("NaN", "are NaN"), ("Inf", "are infinite")])
def test_what_has_no_logarithm_is_said(qtbot: QtBot, name: str, words: str) -> None:
    view = shown(qtbot, broken(FAULTS[name]))
    assert f"no slope: all {STEPS} steps {words}" in view.text_summary()
    view.set_option("page", "everything")
    sizes = next(panel for panel in view.panels(LIGHT) if panel.key == "sizes")
    assert list(sizes.lanes) == [{"zeros": "0", "NaN": "NaN", "Inf": "∞"}[name]]


def test_setters_emit_nothing_and_twice_the_same_changes_nothing(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    view = shown(qtbot, None)
    heard: list[Any] = []
    for signal in (view.seek_requested, view.layer_selected, view.option_changed, view.question_asked):
        signal.connect(lambda *args: heard.append(args))

    def set_all(run: Run) -> None:
        view.set_run(run)
        view.set_cursor(Cursor(run.trace.iteration, 4))
        view.set_unit(1, 2)
        view.set_sample(3)
        view.set_theme(DARK)
        for option in view.options:
            assert isinstance(option, Choice)
            for value, _ in option.values:
                view.set_option(option.name, value)

    for name in ("lstm", "gru", "batch normalization", "simple recurrent"):
        set_all(kind_run(name))
        settled(view)
    view.set_run(None)
    view.set_run(kind_run("lstm"))
    assert heard == []
    set_all(kind_run("lstm"))
    refreshed: list[bool] = []
    monkeypatch.setattr(view, "refresh", lambda: refreshed.append(True))
    view.set_run(kind_run("lstm"))
    view.set_cursor(Cursor(11, 4))
    view.set_unit(1, 2)
    view.set_sample(3)
    view.set_theme(DARK)
    assert refreshed == []


@pytest.mark.parametrize(
    ("panel", "phase"), [("units", "backward"), ("sizes", "backward"), ("gates", "forward")]
)
def test_a_click_on_a_time_asks_for_its_step(qtbot: QtBot, panel: str, phase: str) -> None:
    run = kind_run("lstm")
    view = shown(qtbot, run)
    view.resize(1200, 600)
    view.set_cursor(Cursor(11, 0))
    settled(view)
    heard: list[Cursor] = []
    view.seek_requested.connect(heard.append)
    for at in (0, 4, STEPS - 1):
        place = view.canvas.geometry_of(panel).plot.center().toPoint()
        place.setX(round(view.canvas.geometry_of(panel).x_place(at + 1.0)))
        qtbot.mouseClick(view.canvas.viewport(), Qt.MouseButton.LeftButton, pos=place)
        assert heard[-1] == Cursor(11, time_step(run, 0, at, phase))


def test_a_click_on_a_pass_asks_for_its_iteration_and_time(qtbot: QtBot) -> None:
    runs = trained("gru", 12, 5)
    view = TimeMapView()
    qtbot.addWidget(view)
    for run in runs:
        view.set_run(run)
    view.set_option("page", "training")
    view.resize(700, 400)
    view.show()
    settled(view)
    heard: list[Cursor] = []
    view.seek_requested.connect(heard.append)
    geometry = view.canvas.geometry_of("passes of hidden_gradient")
    place = QPoint(round(geometry.x_place(2.0)), round(geometry.y_place(7.0)))
    qtbot.mouseClick(view.canvas.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert heard == [Cursor(2, time_step(runs[0], 0, 6))]
    told = view.hover_text("passes of hidden_gradient", 2.1, 7.0)
    assert "iteration 2" in told
    assert "t = 7" in told


def test_the_time_of_the_cursor_is_marked_in_its_own_layer_only(qtbot: QtBot) -> None:
    run = kind_run("lstm")
    view = shown(qtbot, run)
    view.set_cursor(Cursor(11, time_step(run, 0, 3)))
    assert view.time == 3
    view.set_selected_layer(1)
    assert view.layer is run.trace.layers[1]
    assert view.time is None
    view.set_cursor(Cursor(11, time_step(run, 1, 5, "forward")))
    assert view.time == 5
    view.set_selected_layer(2)
    assert view.layer is run.trace.layers[0]


def test_the_cell_is_offered_only_where_there_is_one(qtbot: QtBot) -> None:
    view = shown(qtbot, kind_run("gru"))
    view.set_option("tensor", "cell_gradient")
    assert view.tensor == "hidden_gradient"
    assert "∂L/∂cₜ" not in str([w.text for panel in view.panels(LIGHT) for w in panel.headline])
    view.set_run(kind_run("lstm"))
    assert view.tensor == "cell_gradient"
    assert "∂L/∂cₜ" in view.panels(LIGHT)[0].headline[0].text


def test_a_moving_cursor_keeps_the_pictures(qtbot: QtBot) -> None:
    run = long_run()
    view = shown(qtbot, run)
    view.set_cursor(Cursor(5, 3))
    settled(view)

    def pictures() -> list[int]:
        marks = [mark for panel in view.panels(LIGHT) for mark in panel.marks]
        return [mark._picture.cacheKey() for mark in marks if isinstance(mark, Heat)]

    before = pictures()
    view.set_cursor(Cursor(5, 9))
    settled(view)
    assert before == pictures()
    assert len(before) == 2


@pytest.mark.parametrize("theme", [LIGHT, DARK, PAPER], ids=lambda theme: theme.name)
def test_pictures_for_people(qtbot: QtBot, theme: Any, artefact_folder: Path) -> None:
    view = shown(qtbot, long_run())
    view.resize(1100, 560)
    view.set_theme(theme)
    view.set_cursor(Cursor(5, time_step(long_run(), 0, 60)))
    assert view.grab().save(str(artefact_folder / f"view time_map, {theme.name}.png"))


def test_panels_are_not_made_for_a_view_nobody_sees(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    view = TimeMapView()
    qtbot.addWidget(view)
    monkeypatch.setattr(view, "panels", lambda theme: pytest.fail("panels were made for a hidden view"))
    view.set_run(kind_run("lstm"))
    view.set_cursor(Cursor(11, 3))


def test_where_there_is_little_room_the_most_telling_panels_stay(qtbot: QtBot) -> None:
    view = shown(qtbot, kind_run("lstm"))
    told = {}
    for size in ((510, 250), (560, 250), (900, 250), (1400, 700)):
        view.resize(*size)
        told[size] = [panel.key for panel in view.panels(LIGHT)]
    assert list(map(len, told.values())) == [1, 2, 3, 5]
    assert told[510, 250] == ["sizes"]
    view.set_option("page", "everything")
    view.resize(510, 250)
    assert len(view.panels(LIGHT)) == 5


# -- the recorded passes -------------------------------------------------------------------------------------


def record(iteration: int, loss: float = 0.5) -> TimeRecord:
    return TimeRecord(iteration, loss, {(0, "hidden_gradient"): np.full(4, float(iteration + 1))})


def test_passes_that_come_by_are_kept_also_while_nobody_looks(qtbot: QtBot) -> None:
    runs = trained("simple", 10, 6)
    view = TimeMapView()
    qtbot.addWidget(view)
    for run in runs:
        view.set_run(run)
    assert [one.iteration for one in view.recorder.passes.records] == list(range(6))
    for one, run in zip(view.recorder.passes.records, runs, strict=True):
        expected = rms_per_step(run.trace.layers[0].hidden_gradient)
        np.testing.assert_array_equal(one.rms[0, "hidden_gradient"], expected)


def test_kept_passes_are_bounded_and_evenly_thinned() -> None:
    run = trained("simple", 10, 6)[-1]
    passes = RecordedPasses(most=16)
    passes._turn_to(run)
    passes._put([record(k) for k in range(200)])
    kept = [one.iteration for one in passes.records]
    assert len(kept) <= 16
    assert kept[0] == 0
    assert len(set(np.diff(kept))) == 1


def test_passes_of_another_network_or_of_an_abandoned_training_are_dropped() -> None:
    runs = trained("simple", 10, 6)
    passes = RecordedPasses()
    for run in runs:
        passes.take(run)
    changed = dataclasses.replace(
        runs[2], history=runs[2].history, trace=dataclasses.replace(runs[2].trace, loss=7.0)
    )
    passes.take(changed)  # the training was changed before iteration 2, whose pass is another one now
    assert [one.iteration for one in passes.records] == [0, 1, 2]
    assert passes.records[-1].loss == 7.0
    other = trained("gru", 12, 5)[0]
    passes.take(other)
    assert [one.iteration for one in passes.records] == [0]


def test_passes_recorded_again_are_taken_only_where_they_agree(qtbot: QtBot) -> None:
    runs = trained("simple", 10, 6)
    view = shown(qtbot, runs[-1])
    strangers = [dataclasses.replace(time_record(runs[3].trace), loss=9.0)]
    view.set_answer(QUESTION, (*(time_record(run.trace) for run in runs[:3]), *strangers))
    assert [one.iteration for one in view.recorder.passes.records] == [0, 1, 2, 5]
    headline = next(panel for panel in view.panels(LIGHT) if panel.key.startswith("passes")).headline
    assert "1 passes differ" in headline[1].text or "differ" in headline[1].text


def test_the_question_names_evenly_spread_iterations_that_are_missing(qtbot: QtBot) -> None:
    runs = trained("simple", 10, 6)
    view = shown(qtbot, runs[-1])
    heard: list[tuple[str, Any]] = []
    cancelled: list[str] = []
    view.question_asked.connect(lambda question, options: heard.append((question, options)))
    view.question_cancelled.connect(cancelled.append)
    view.record_action.trigger()
    assert heard == [(QUESTION, (0, 1, 2, 3, 4))]
    view.set_answer_progress(QUESTION, "iteration 3 of 4", 0.75)
    assert view.record_action.text() == "Stop"
    headline = next(panel for panel in view.panels(LIGHT) if panel.key.startswith("passes")).headline
    assert "75%" in headline[1].text
    view.record_action.trigger()
    assert cancelled == [QUESTION]
    assert view.record_action.text() == "Record run"
    view.set_answer_failed(QUESTION, "no memory")
    assert view.record_action.isEnabled()


def test_a_recording_ends_with_its_experiment_for_no_answer_will_come(qtbot: QtBot) -> None:
    view = shown(qtbot, trained("simple", 10, 6)[-1])
    view.record_action.trigger()
    view.set_run(dataclasses.replace(trained("simple", 10, 6)[-1], label="the same, later"))
    assert view.record_action.text() == "Stop"
    view.set_run(trained("gru", 12, 5)[-1])
    assert view.record_action.text() == "Record run"
    assert "recording" not in view.recorder.words


def test_a_run_that_is_recorded_evenly_is_not_recorded_again(qtbot: QtBot) -> None:
    view = TimeMapView()
    qtbot.addWidget(view)
    for run in trained("simple", 10, 6):
        view.set_run(run)
    heard: list[Any] = []
    view.question_asked.connect(lambda *args: heard.append(args))
    view.record_action.trigger()
    assert heard == []
    assert view.record_action.text() == "Record run"
    assert "evenly already" in view.recorder.words


def test_few_recorded_passes_say_how_to_get_more() -> None:
    runs = trained("simple", 10, 15)
    recorder = Recorder()
    recorder.take(runs[-1])
    assert "“Record run” adds" in recorder.headline(runs[-1])
    for run in runs:
        recorder.take(run)
    assert recorder.headline(runs[-1]) == ""


def test_the_grid_stands_for_what_was_recorded_and_leaves_gaps_where_nothing_was() -> None:
    records = tuple(record(k) for k in (0, 10, 20, 30, 200, 210))
    grid = pass_grid(records, 0, "hidden_gradient")
    assert grid.recorded.tolist() == [0, 10, 20, 30, -1, 200, 210]
    assert (np.diff(grid.edges) > 0).all()
    assert grid.edges[4:6].tolist() == [35.0, 195.0]
    assert np.isnan(grid.values[:, 4]).all()
    for column, iteration in enumerate(grid.recorded):
        if iteration >= 0:
            assert grid.edges[column] <= iteration <= grid.edges[column + 1]
            assert (grid.values[:, column] == iteration + 1).all()


def test_a_pass_beside_which_one_is_kept_is_not_even_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    run = long_run()
    passes = RecordedPasses()
    passes.take(run)
    before = passes.records
    monkeypatch.setattr("gradsim.views.time.passes.time_record", lambda trace: pytest.fail("measured again"))
    passes.take(dataclasses.replace(run, label="later"))
    assert passes.records is before
