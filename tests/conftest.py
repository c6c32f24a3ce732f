"""What holds for every test: no display, no settings of the person's, no window or thread left behind.

Importing this file imports neither Qt nor numba; the fixtures look at Qt only where a test has loaded it. The
cache of compiled code stays the ordinary one, so that only the first run ever compiles.
"""

import gc
import itertools
import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

# Before anything imports Qt. To watch a test on a real display: QT_QPA_PLATFORM=xcb python -m pytest ...
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

settings.register_profile("local", deadline=None)
settings.register_profile(
    "ci", deadline=None, derandomize=True, print_blob=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("ci" if os.environ.get("CI") else "local")

REPOSITORY = Path(__file__).resolve().parent.parent


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave the benchmarks out unless they are asked for by name: they take minutes and assert nothing."""
    arguments = map(str, config.invocation_params.args)
    asked_for = any("benchmarks" in argument for argument in arguments if not argument.startswith("-"))
    return True if collection_path.name == "benchmarks" and not asked_for else None


@pytest.fixture(scope="session")
def artefact_folder() -> Path:
    """Folder for pictures that people look at; kept after the run, ignored by git."""
    folder = REPOSITORY / "test-artefacts"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def _user_folders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    parent = tmp_path_factory.mktemp("user")
    return (parent / str(number) for number in itertools.count())


@pytest.fixture(autouse=True)
def fresh_user_folder(_user_folders: Iterator[Path], monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give each test empty folders for settings and data, so that nothing of the person's is touched."""
    folder = next(_user_folders)
    for kind in ("CONFIG", "DATA", "STATE"):
        monkeypatch.setenv(f"XDG_{kind}_HOME", str(folder / kind.lower()))
    return folder


@pytest.fixture(scope="session")
def qapp(qapp: Any) -> Any:
    """Keep Qt's own standard paths apart from the person's, too (macOS and Windows know no XDG variables)."""
    from PySide6.QtCore import QStandardPaths

    QStandardPaths.setTestModeEnabled(True)
    return qapp


@pytest.fixture(autouse=True)
def nothing_left_behind(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail a test after which one of its windows is still open or one of its threads still runs."""
    windows_before = _open_windows()
    threads_before = set(threading.enumerate())
    native_threads_before = _native_thread_count()
    yield
    if _open_windows().keys() - windows_before.keys():
        gc.collect()  # a window kept only by a reference cycle is not kept
    windows = [name for key, name in _open_windows().items() if key not in windows_before]
    if windows:
        pytest.fail(
            f"{request.node.name} left a window open: {', '.join(windows)}. Hand every top-level widget to "
            "qtbot.addWidget, or give it a parent; an open dialog must be closed by the test that opened it."
        )
    threads = [
        thread.name
        for thread in set(threading.enumerate()) - threads_before
        if thread.is_alive() and not thread.daemon and not isinstance(thread, threading._DummyThread)
    ]
    if native_threads_before is None or native_threads_before != _native_thread_count():
        threads += _running_qt_threads()
    if threads:
        pytest.fail(
            f"{request.node.name} left a thread running: {', '.join(threads)}. End it and wait for it (quit, "
            "then wait) when its owner closes: a QThread still running at exit aborts the whole process."
        )


def _open_windows() -> dict[int, str]:
    """Windows by their address in C++. Menus and loose widgets that pyqtgraph keeps hidden do not count."""
    widgets = sys.modules.get("PySide6.QtWidgets")
    if widgets is None or widgets.QApplication.instance() is None:
        return {}
    from PySide6.QtCore import QCoreApplication, QEvent
    from shiboken6 import getCppPointer, isValid

    QCoreApplication.sendPostedEvents(
        None, QEvent.Type.DeferredDelete.value
    )  # deleteLater awaits an event loop
    return {
        getCppPointer(widget)[0]: f"{type(widget).__name__} {widget.windowTitle()!r}"
        for widget in widgets.QApplication.topLevelWidgets()
        if isValid(widget)
        and widget.parent() is None
        and not isinstance(widget, widgets.QMenu)
        and type(widget).__name__ != "QTipLabel"  # the one tooltip of the application
        and (widget.isVisible() or isinstance(widget, widgets.QMainWindow | widgets.QDialog))
    }


def _native_thread_count() -> int | None:
    """Threads of the process, those of C++ included; None where the system does not say."""
    try:
        return len(os.listdir("/proc/self/task"))
    except OSError:
        return None


def _running_qt_threads() -> list[str]:
    core = sys.modules.get("PySide6.QtCore")
    if core is None:
        return []
    from shiboken6 import isValid

    main_thread = core.QThread.currentThread()
    return [
        f"{type(thing).__name__} {thing.objectName()!r}"
        for thing in gc.get_objects()
        if issubclass(type(thing), core.QThread)  # isinstance would ask proxies, which may warn or import
        and thing is not main_thread
        and isValid(thing)
        and thing.isRunning()
    ]
