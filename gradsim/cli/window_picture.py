"""A picture of the whole window, made by the window itself where nobody sees it."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gradsim.cli import figures
from gradsim.cli.failure import Failure
from gradsim.cli.quiet import quiet
from gradsim.cli.training import stop_wish

if TYPE_CHECKING:
    import threading

    from PySide6.QtGui import QImage

    from gradsim.app.window import MainWindow
    from gradsim.cli.progress import Progress
    from gradsim.cli.source import Source

SIZE = (1440, 900)
_LOOK_AGAIN_MILLISECONDS = 20


def window_picture(
    source: Source, iterations: int, size: tuple[int, int], scale: float, theme: str, progress: Progress
) -> tuple[QImage, bool]:
    """Open an experiment in a window, train it there, and return what the window looks like.

    Parameters
    ----------
    source : Source
        The experiment.
    iterations : int
        How many to train.
    size : (int, int)
        Width and height of the window in its own pixels.
    scale : float
        Pixels of the picture per pixel of the window.
    theme : {"light", "dark"}
        Its colours.
    progress : Progress
        Shows compilation and training.

    Returns
    -------
    picture : QImage
        The window, with the settings of a first start.
    finished : bool
        False if Ctrl+C ended the training early.

    Raises
    ------
    Failure
        If the window refuses the experiment.
    """
    with stop_wish() as wish, progress, _first_start(), quiet():
        figures.application()
        from PySide6.QtWidgets import QApplication

        from gradsim.app.window import MainWindow

        window = MainWindow()
        try:
            window.appearance.choose("dark" if theme == "dark" else "light")
            window.resize(*size)
            window.show()
            QApplication.processEvents()  # its parts say how much room they need
            window.reset_layout()  # it was laid out for the screen, which may be smaller or larger
            window.resize(*size)
            QApplication.processEvents()
            if window.size().toTuple() != tuple(size):
                least = window.size()
                raise Failure(
                    f"--size {size[0]}x{size[1]}: expected at least {least.width()}x{least.height()} "
                    "for the window"
                )
            finished = _train(window, source, iterations, wish, progress)
            return _picture(window, scale), finished
        finally:
            window.close()
            window.deleteLater()
            _let_go()


def write_picture(picture: QImage, path: Path) -> None:
    """Write a picture as PNG.

    Parameters
    ----------
    picture : QImage
        Any picture.
    path : Path
        The file, replaced as a whole or not at all.
    """
    from PySide6.QtCore import QBuffer, QIODevice

    from gradsim.formats.files import replace_file

    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    picture.save(buffer, "PNG")  # type: ignore[call-overload]  # the stubs want bytes, Qt text
    replace_file(path, bytes(buffer.data().data()))


def _train(
    window: MainWindow, source: Source, iterations: int, wish: threading.Event, progress: Progress
) -> bool:
    from gradsim.trace import Cursor

    session = window.session
    faults: list[str] = []
    session.failed.connect(faults.append)
    session.error_raised.connect(lambda error: faults.append(str(error)) if error is not None else None)
    session.preparation_changed.connect(
        lambda note: progress.show("Compiling, once only", note.share, note.what)
    )
    session.training_changed.connect(
        lambda state: progress.show(
            "Training", state.done / max(iterations, 1), f"{state.done:,} of {iterations:,} iterations"
        )
    )
    session.open(source.experiment, source.path)
    window.worker.start()
    _wait(lambda: session.run is not None or bool(faults) or wish.is_set())
    if faults:
        raise Failure(f"{source.label}: {faults[0]}")
    if wish.is_set() or session.run is None:
        raise KeyboardInterrupt
    if iterations:
        session.train(iterations)
        _wait(lambda: not session.training.is_training or wish.is_set())
        session.stop()
        _wait(lambda: not session.training.is_training)
    trace = session.run.trace
    session.seek(Cursor(trace.iteration, figures.telling_step(trace)))
    _wait(lambda: window.inquiries.is_settled or wish.is_set())
    return trace.iteration == iterations


def _wait(over: Callable[[], bool]) -> None:
    """Let the window live until something is over; Ctrl+C is heard whenever it is asked."""
    from PySide6.QtCore import QEventLoop, QTimer

    loop = QEventLoop()
    timer = QTimer(interval=_LOOK_AGAIN_MILLISECONDS)
    timer.timeout.connect(lambda: loop.quit() if over() else None)
    timer.start()
    loop.exec()
    timer.stop()


def _picture(window: MainWindow, scale: float) -> QImage:
    from PySide6.QtCore import QPoint
    from PySide6.QtGui import QImage
    from PySide6.QtWidgets import QApplication

    QApplication.processEvents()  # what the last answer has changed is laid out and painted
    image = QImage(window.size() * scale, QImage.Format.Format_ARGB32_Premultiplied)
    image.setDevicePixelRatio(scale)
    image.fill(window.palette().window().color())
    window.render(image, QPoint(0, 0))
    return image


def _let_go() -> None:
    from PySide6.QtCore import QCoreApplication, QEvent

    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)


@contextmanager
def _first_start() -> Iterator[None]:
    """Keep the settings and the unsaved work of the person out of the picture, and untouched."""
    from PySide6.QtCore import QStandardPaths

    names = [f"XDG_{kind}_HOME" for kind in ("CONFIG", "DATA", "STATE")]
    before: dict[str, Any] = {name: os.environ.get(name) for name in names}
    was_test = QStandardPaths.isTestModeEnabled()
    with tempfile.TemporaryDirectory() as folder:
        if sys.platform in ("win32", "darwin"):  # which know no such variables
            QStandardPaths.setTestModeEnabled(True)
        else:
            os.environ.update(dict.fromkeys(names, folder))
            QStandardPaths.setTestModeEnabled(False)
        try:
            yield
        finally:
            QStandardPaths.setTestModeEnabled(was_test)
            for name, value in before.items():
                if value is None:
                    os.environ.pop(name, None)
                else:
                    os.environ[name] = value
