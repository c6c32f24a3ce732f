"""A recurrent net in the real window: played through time, unrolled, and recorded all over its training."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from PySide6.QtCore import QPointF, Qt

from gradsim.app.session import Session
from gradsim.app.window import MainWindow
from gradsim.spec import Experiment, Head, Network, Recurrent, Training
from gradsim.spec.activation import Linear
from gradsim.spec.data import Adding
from gradsim.spec.training import Sgd
from gradsim.trace import Cursor

STEPS = 30


@pytest.fixture
def small() -> Experiment:
    return Experiment(
        name="Recurrent",
        seed=3,
        data=Adding(samples=80, steps=STEPS),
        network=Network(layers=(Recurrent(cell="lstm", units=6),), head=Head(activation=Linear())),
        training=Training(loss="mse", batch_size=8, optimizer=Sgd(learning_rate=0.05)),
    )


def cursor_of(window: MainWindow, phase: str, time: int) -> Cursor:
    run = window.session.run
    assert run is not None
    steps = [i for i, s in enumerate(run.trace.steps) if (s.phase, s.time) == (phase, time)]
    return Cursor(run.trace.iteration, steps[0])


def test_playing_sweeps_through_time_and_layers_are_stepped_over(window: MainWindow, qtbot: Any) -> None:
    session, run = window.session, window.session.run
    assert run is not None
    session.seek(Cursor(0, 0))
    window.player.set_speed(8.0)
    seen: list[int | None] = []
    session.cursor_changed.connect(lambda cursor: seen.append(run.trace.steps[cursor.step].time))
    window.actions_.by_id["run.play"].trigger()
    qtbot.waitUntil(lambda: any(time is None for time in seen))
    window.player.pause()
    # The sequence lasts as long as eight steps: a second, in which many of its steps are seen.
    times = seen[: seen.index(None)]
    assert times == sorted(times, key=lambda time: time or 0)
    assert len(times) > 3
    session.seek(Cursor(0, 3))
    window.actions_.by_id["run.layer_on"].trigger()
    step = run.trace.steps[session.cursor.step]
    assert (step.phase, step.layer) == ("forward", 1)
    window.actions_.by_id["run.layer_back"].trigger()
    assert session.cursor == Cursor(0, 0)


def test_time_is_told_alike_by_every_part(window: MainWindow) -> None:
    window.session.seek(cursor_of(window, "backward", 11))
    words = f"t = 12 of {STEPS}"
    assert words in window.transport.step_text.words
    assert words in window.views["network"].text_summary()
    assert window.views["time_map"].time == 11
    assert f"{12} of {STEPS}" in window.views["inspector"].formula.text()


def test_the_command_unrolls_and_a_click_on_a_time_step_leads_there(window: MainWindow, qtbot: Any) -> None:
    view = window.views["network"]
    window.actions_.by_id["view.unroll"].trigger()
    assert view.unrolled == {0}
    window.session.seek(Cursor(0, 0))
    scene = view.canvas.picture.scene
    place = QPointF(scene.layout.centre(8), scene.layout.middle).toPoint()
    qtbot.mouseClick(view.canvas, Qt.MouseButton.LeftButton, pos=place)
    assert window.session.cursor == cursor_of(window, "forward", 7)
    window.actions_.by_id["view.unroll"].trigger()
    assert view.unrolled == frozenset()


def test_the_run_is_recorded_again_in_the_background_to_the_same_bits(
    window: MainWindow, qtbot: Any, settled: Callable[[Session], None]
) -> None:
    window.session.train(40)
    settled(window.session)
    view = window.views["time_map"]
    before = {one.iteration: one for one in view.recorder.passes.records}
    window.docks["time_map"].show()
    window.docks["time_map"].raise_()
    view.record_action.trigger()
    assert view.record_action.text() == "Stop"
    qtbot.waitUntil(lambda: view.record_action.text() == "Record run", timeout=60_000)
    found = [one.iteration for one in view.recorder.passes.records]
    assert found == list(range(41))
    for one in view.recorder.passes.records:
        if one.iteration in before:
            assert one.loss == before[one.iteration].loss
    assert len(view.table()[0]["t"]) == STEPS
    view.set_option("page", "training")
    assert view.table()[0]["iteration"].tolist() == found


def test_the_command_needs_a_recurrent_layer(window: MainWindow, settled: Callable[[Session], None]) -> None:
    assert window.actions_.by_id["view.unroll"].isEnabled()
    window.session.open(Experiment())
    settled(window.session)
    assert not window.actions_.by_id["view.unroll"].isEnabled()
