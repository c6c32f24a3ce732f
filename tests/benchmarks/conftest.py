"""One thread for every library, and the tables of ratios at the end of the run."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from gradsim.spec import Experiment
from tests.benchmarks.report import Figure, lines

FIGURES = pytest.StashKey[list[Figure]]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[FIGURES] = []


@pytest.fixture
def figures(request: pytest.FixtureRequest) -> list[Figure]:
    """Where a benchmark puts its numbers for the tables."""
    return request.config.stash[FIGURES]


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    from threadpoolctl import threadpool_limits

    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(1)
    with threadpool_limits(1):
        yield


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    figures = config.stash[FIGURES]
    if figures:
        terminalreporter.section("Speed: measured (target), ! where it is missed")
        for line in lines(figures):
            terminalreporter.write_line(line)


@pytest.fixture
def opened_window(qtbot: Any, monkeypatch: Any, tmp_path: Any) -> Callable[[Experiment], Any]:
    """Return what opens the window of the program, with settings of its own, on an experiment."""
    from gradsim.app.window import MainWindow
    from gradsim.engine import prepare
    from tests.app.conftest import discard_changes

    for module in ("window", "settings"):
        monkeypatch.setattr(f"gradsim.app.{module}.settings_path", lambda: tmp_path / "settings.json")
    for module in ("files", "autosave"):
        monkeypatch.setattr(f"gradsim.app.{module}.autosave_folder", lambda: tmp_path / "unsaved")

    def opened(experiment: Experiment) -> Any:
        prepare("float32")
        window = MainWindow()
        qtbot.addWidget(window, before_close_func=discard_changes)
        window.resize(1440, 900)
        window.show()
        window.session.open(experiment)
        window.start()
        qtbot.waitUntil(lambda: window.session.run is not None, timeout=60_000)
        return window

    return opened
