"""The live window while it trains at full speed: how even its frames come, and what they cost the training."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from tests.benchmarks.report import Figure

TABLE = "The window while it trains"
SECONDS = 5.0
FRAME = 1.0 / 60.0


def experiment() -> Any:
    import gradsim
    from gradsim.spec import Dense, Network
    from gradsim.spec.activation import Tanh

    welcome = gradsim.load(Path(__file__).parents[2] / "resources/experiments/welcome.gradsim.json")
    return msgspec.structs.replace(
        welcome, network=Network(layers=(Dense(units=64, activation=Tanh()),) * 20)
    )


def test_live_window(benchmark: Any, figures: list[Figure], qtbot: Any, opened_window: Any) -> None:
    from PySide6.QtCore import Qt, QTimer

    from gradsim.engine import Simulator

    window = opened_window(experiment())

    ticks: list[float] = []
    timer = QTimer()
    timer.setTimerType(Qt.TimerType.PreciseTimer)
    timer.timeout.connect(lambda: ticks.append(time.perf_counter()))

    def live() -> None:
        before = window.session.run.history.iterations.size
        window.session.train(None)
        timer.start(int(1000 * FRAME))
        began = time.perf_counter()
        qtbot.waitUntil(lambda: time.perf_counter() - began > SECONDS, timeout=60_000)
        timer.stop()
        window.session.stop()
        qtbot.waitUntil(lambda: not window.session.training.is_training, timeout=10_000)
        rates.append((window.session.run.history.iterations.size - before) / (time.perf_counter() - began))

    rates: list[float] = []
    benchmark.pedantic(live, rounds=1)

    alone = Simulator(experiment())
    alone.advance(200)
    began = time.perf_counter()
    while time.perf_counter() - began < SECONDS:
        alone.advance(200)
    undisturbed = (alone.iteration - 200) / (time.perf_counter() - began)

    gaps = 1000 * np.diff(ticks)
    p99 = float(np.percentile(gaps, 99))
    share = rates[0] / undisturbed
    figures.append(Figure(TABLE, "timer gap p50", "20×64, 64", f"{np.median(gaps):.1f} ms"))
    figures.append(Figure(TABLE, "timer gap p99", "20×64, 64", f"{p99:.1f} ms", "≤ 17.5 ms", p99 <= 17.5))
    figures.append(Figure(TABLE, "training speed kept", "20×64, 64", f"{share:.0%}", "≥ 80 %", share >= 0.8))
    assert len(ticks) > 10
    assert share > 0.0
