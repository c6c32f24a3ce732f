"""From nothing to a painted window; the engine is loaded only afterwards, in its thread."""

from __future__ import annotations

import gc
import sys
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

import PySide6

BROKEN_BELOW_312 = (6, 12)
"""From this version on Qt for Python loses a reference to None in every call, and aborts under Python < 3.12."""


def refusal(qt: str = PySide6.__version__, python: tuple[int, ...] = sys.version_info[:2]) -> str | None:
    """
    Return why the window cannot be opened here.

    Parameters
    ----------
    qt : str
        Version of Qt for Python.
    python : tuple of int
        Version of Python.

    Returns
    -------
    str or None
        One sentence that says what to do; None where all is well.
    """
    version = tuple(int(part) for part in qt.split(".")[:2])
    if version >= BROKEN_BELOW_312 and python < (3, 12):
        return (
            f"PySide6 {qt} crashes under Python {'.'.join(map(str, python))}: "
            "install an older one (pip install 'PySide6-Essentials<6.12') or use Python 3.12."
        )
    return None


def open_window(argv: Sequence[str]) -> int:
    """
    Open the window with a file, or with the welcome, and run until it is closed.

    Parameters
    ----------
    argv : sequence of str
        At most one file.

    Returns
    -------
    int
        Exit code of Qt.
    """
    from PySide6.QtCore import QTimer
    from PySide6.QtWidgets import QApplication

    app = QApplication.instance() or QApplication(["gradsim"])
    assert isinstance(app, QApplication)
    app.setApplicationName("GradSim")
    app.setApplicationDisplayName("GradSim")
    app.setDesktopFileName("gradsim")
    from gradsim.app.window import MainWindow

    window = MainWindow()
    pass_over_what_is_loaded(window)
    sys.excepthook = lambda *fault: tell_fault(window, *fault)
    window.show()
    # Two rounds of the event loop: the first one paints, and only then the engine is imported.
    QTimer.singleShot(0, window, lambda: QTimer.singleShot(0, window, lambda: begin_and_greet(window, argv)))
    return app.exec()


def pass_over_what_is_loaded(window: object) -> None:
    """
    Let Python's collector of cycles pass over all that the program has loaded, once the first pass is on screen.

    Some 200,000 objects of Qt, numba and this program live until the end. To go through them again and again, as it
    does when some more have come, stops the window for a tenth of a second.

    Parameters
    ----------
    window : MainWindow
        Nothing has been shown in it yet.
    """
    from PySide6.QtCore import Qt

    from gradsim.app.window import MainWindow

    assert isinstance(window, MainWindow)
    window.session.run_changed.connect(lambda _: gc.freeze(), Qt.ConnectionType.SingleShotConnection)


def tell_fault(
    window: object, kind: type[BaseException], fault: BaseException, trace: TracebackType | None
) -> None:
    """
    Tell a fault of the program in the window, which goes on, and print where it happened.

    Parameters
    ----------
    window : MainWindow
        Shows the sentence.
    kind : type of BaseException
        As Python hands it to ``sys.excepthook``.
    fault : BaseException
        The fault itself.
    trace : TracebackType or None
        Where it happened.
    """
    from gradsim.app.window import MainWindow

    sys.__excepthook__(kind, fault, trace)
    if isinstance(window, MainWindow) and issubclass(kind, Exception):
        window.banners.show_fault(
            f"Something in GradSim went wrong ({kind.__name__}: {fault}). Your work is still here; save it."
        )


def begin_and_greet(window: object, argv: Sequence[str]) -> None:
    """
    Begin, and open the welcome page where nothing else was asked for.

    Parameters
    ----------
    window : MainWindow
        On screen.
    argv : sequence of str
        At most one file; with one there is no welcome page.
    """
    from PySide6.QtCore import QTimer

    from gradsim.app.window import MainWindow

    assert isinstance(window, MainWindow)
    begin(window, argv)
    if not argv:
        QTimer.singleShot(0, window, window.greeting.greet)


def begin(window: object, argv: Sequence[str]) -> None:
    """
    Load what the window opens with and begin to compute.

    Parameters
    ----------
    window : MainWindow
        On screen.
    argv : sequence of str
        At most one file, an experiment or a lesson; one that cannot be read is told, and the welcome opened.
    """
    from gradsim.app.presets import welcome
    from gradsim.app.window import MainWindow
    from gradsim.formats.lessons import ENDING as LESSON

    assert isinstance(window, MainWindow)
    is_lesson = bool(argv) and argv[0].endswith(LESSON)
    if not argv or is_lesson or not window.files.open(Path(argv[0])):
        window.session.open(welcome())
    window.start()
    if is_lesson:
        window.begin_lesson(Path(argv[0]))
