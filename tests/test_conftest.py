"""The guards of conftest.py catch what they promise to catch, and only that."""

from pathlib import Path

import pytest

from tests import conftest

pytest_plugins = ["pytester"]


@pytest.fixture
def guarded(pytester):
    """Run test code in a pytest of its own, under our conftest; returns its counts and what it printed."""
    pytester.makeconftest(Path(conftest.__file__).read_text(encoding="utf-8"))

    def run(code):
        pytester.makepyfile(code)
        result = pytester.runpytest_subprocess("-q", "-o", "qt_api=pyside6", "-p", "no:xdist", "-p", "no:cov")
        return result.parseoutcomes(), result.stdout.str()

    return run


def test_a_window_left_open_fails_its_test_with_advice(guarded):
    outcomes, printed = guarded("""
        windows = []
        def test_careless(qapp):
            from PySide6.QtWidgets import QWidget
            windows.append(QWidget(windowTitle="forgotten"))
            windows[0].show()
        def test_innocent(qapp):
            pass
    """)
    assert outcomes == {"passed": 2, "errors": 1}
    assert (
        "left a window open: QWidget 'forgotten'. Hand every top-level widget to qtbot.addWidget" in printed
    )


def test_a_window_given_to_qtbot_is_closed_and_passes(guarded):
    outcomes, printed = guarded("""
        def test_careful(qtbot):
            import pyqtgraph
            plot = pyqtgraph.PlotWidget()
            qtbot.addWidget(plot)
            plot.show()
    """)
    assert outcomes == {"passed": 1}, printed


@pytest.mark.parametrize(
    ("start", "end"),
    [
        (
            "from PySide6.QtCore import QThread; thread = QThread(); thread.start()",
            "thread.quit(); thread.wait()",
        ),
        (
            "import threading; go = threading.Event(); threading.Thread(target=go.wait, name='lost').start()",
            "go.set()",
        ),
    ],
    ids=["QThread", "threading.Thread"],
)
def test_a_thread_left_running_fails_its_test_with_advice(guarded, start, end):
    outcomes, printed = guarded(f"""
        import pytest
        @pytest.fixture(scope="module", autouse=True)
        def finish():
            yield
            exec({end!r}, names)
        names = {{}}
        def test_careless(qapp):
            exec({start!r}, names)
    """)
    assert outcomes == {"passed": 1, "errors": 1}, printed
    assert "left a thread running" in printed
    assert "wait for it" in printed


def test_each_test_has_empty_folders_for_settings(guarded):
    outcomes, printed = guarded("""
        import platformdirs, pathlib
        seen = set()
        def check():
            folder = pathlib.Path(platformdirs.user_config_dir("GradSim", ensure_exists=True))
            assert folder not in seen and not list(folder.iterdir())
            seen.add(folder)
        def test_one(): check()
        def test_two(): check()
    """)
    assert outcomes == {"passed": 2}, printed


def test_benchmarks_run_only_when_they_are_named(pytester):
    pytester.makeconftest(Path(conftest.__file__).read_text(encoding="utf-8"))
    folder = pytester.mkdir("benchmarks")
    (folder / "test_speed.py").write_text("def test_speed(): pass", encoding="utf-8")
    assert "test_speed" not in pytester.runpytest_subprocess("--collect-only", "-q").stdout.str()
    assert "test_speed" in pytester.runpytest_subprocess("--collect-only", "-q", "benchmarks").stdout.str()


def test_collecting_the_tests_loads_neither_qt_nor_numba(pytester):
    pytester.makeconftest(Path(conftest.__file__).read_text(encoding="utf-8"))
    pytester.makepyfile("""
        import sys
        def test_light():
            assert not {"numba", "numpy", "PySide6.QtWidgets", "pyqtgraph"} & set(sys.modules)
    """)
    result = pytester.runpytest_subprocess("-q", "-p", "no:pytest-qt", "-p", "no:cov")
    assert result.parseoutcomes() == {"passed": 1}, result.stdout.str()
