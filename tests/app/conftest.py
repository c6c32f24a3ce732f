"""A session with a real worker, and the real window, both with small networks."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from gradsim.app.session import Session
from gradsim.app.window import MainWindow
from gradsim.app.worker import Worker
from gradsim.spec import Dense, Experiment, Network, Training
from gradsim.spec.activation import Tanh
from gradsim.spec.data import Moons
from gradsim.spec.training import Sgd

SMALL = Experiment(
    name="Small",
    seed=3,
    data=Moons(samples=80),
    network=Network(layers=(Dense(units=6, activation=Tanh()), Dense(units=5, activation=Tanh()))),
    training=Training(batch_size=16, optimizer=Sgd(learning_rate=0.1)),
)


@pytest.fixture
def small() -> Experiment:
    return SMALL


@pytest.fixture
def worker(qapp: Any) -> Iterator[Worker]:
    worker = Worker()
    worker.start()
    yield worker
    worker.shut_down()


@pytest.fixture
def session(worker: Worker, qtbot: Any, small: Experiment) -> Session:
    session = Session(worker)
    session.open(small)
    qtbot.waitUntil(lambda: session.run is not None, timeout=60_000)
    return session


@pytest.fixture(autouse=True)
def own_folders(fresh_user_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give each test its own settings and its own unsaved work: Qt's test mode shares them."""
    for module in ("window", "settings"):
        monkeypatch.setattr(
            f"gradsim.app.{module}.settings_path", lambda: fresh_user_folder / "settings.json"
        )
    for module in ("files", "autosave"):
        monkeypatch.setattr(f"gradsim.app.{module}.autosave_folder", lambda: fresh_user_folder / "unsaved")
    return fresh_user_folder


@pytest.fixture
def window(qtbot: Any, small: Experiment) -> MainWindow:
    """The window with a small network on screen, as after a start with a file."""
    window = MainWindow()
    qtbot.addWidget(window, before_close_func=discard_changes)
    window.resize(1280, 820)
    window.show()
    window.session.open(small)
    window.start()
    qtbot.waitUntil(lambda: window.session.run is not None, timeout=60_000)
    return window


def discard_changes(window: MainWindow) -> None:
    """Let a window close without a question that nobody would answer."""
    window.files.may_be_replaced = lambda: True  # type: ignore[method-assign]


@pytest.fixture
def settled(qtbot: Any) -> Callable[[Session], None]:
    """Wait until the worker has answered the last edit and nothing trains."""

    def wait(session: Session) -> None:
        qtbot.waitUntil(lambda: session.is_settled, timeout=30_000)

    return wait
