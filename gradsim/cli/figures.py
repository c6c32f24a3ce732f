"""Views drawn without a display. How they look is decided in ``gradsim.views``; here they are only called."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gradsim.cli.failure import Failure

if TYPE_CHECKING:
    from PIL.Image import Image
    from PySide6.QtWidgets import QApplication

    from gradsim.engine import Simulator
    from gradsim.trace import IterationTrace, Run, SampleSet
    from gradsim.views.theme import Theme

_VIEWS = {
    "profile": "gradient_profile",
    "network": "network",
    "history": "history_map",
    "loss": "loss",
    "distributions": "distributions",
    "updates": "update_ratio",
    "decision": "decision_map",
}
"""Name on the command line → name in the window."""
_SIZE = (960, 540)
_CAPTION_HEIGHT = 34
_COLOURS = 256
_NEARLY = 8
_MOST_PIXELS = 100_000_000


def application() -> QApplication:
    """Return the running Qt application, or one that draws into memory.

    Returns
    -------
    QApplication
        With the fonts that GradSim ships.
    """
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")  # before Qt is imported: a display is never needed
    from PySide6.QtWidgets import QApplication

    running = QApplication.instance()
    qt = running if isinstance(running, QApplication) else QApplication(["gradsim"])
    from gradsim.views.fonts import install_fonts

    install_fonts()
    return qt


def run_of(simulator: Simulator) -> Run:
    """Return a run as a window would show it, as far as it has come.

    Parameters
    ----------
    simulator : Simulator
        Trained or not.

    Returns
    -------
    Run
        Its trace is the pass at the present iteration.
    """
    from gradsim.app.decision import decision_map
    from gradsim.trace import Run

    return Run(
        label=simulator.experiment.name,
        experiment=simulator.experiment,
        samples=simulator.samples,
        trace=simulator.record(),
        ghost=None,
        history=simulator.history(),
        decision_map=decision_map(simulator),
    )


def check(view: str, path: Path, size: tuple[int, int] | None, scale: float, theme: str) -> None:
    """Refuse a picture that cannot be made, before anything is trained.

    Parameters
    ----------
    view : str
        Name of the view.
    path : Path
        Where to.
    size : (int, int) or None
        Width and height in pixels of 1/96 inch.
    scale : float
        Pixels per such pixel.
    theme : str
        Name of the colours.

    Raises
    ------
    Failure
        For a window that is no PNG or on paper, and for too many pixels.
    """
    if view == "window" and path.suffix.lower() != ".png":
        raise Failure(f"--view window: expected a name that ends in .png, got {str(path)!r}")
    if view == "window" and theme == "paper":
        raise Failure("--view window: expected the theme light or dark, got paper")
    width, height = size or (0, 0)
    if path.suffix.lower() == ".png" and width * height * scale**2 > _MOST_PIXELS:
        raise Failure(
            f"--size {width}x{height} --scale {scale:g}: expected at most {_MOST_PIXELS:,} pixels in all"
        )


def check_drawable(view: str, samples: SampleSet) -> None:
    """Refuse a view that these data do not have, before anything is trained.

    Parameters
    ----------
    view : str
        Name of the view.
    samples : SampleSet
        The data.

    Raises
    ------
    Failure
        For the decision map of data that do not lie in a plane.
    """
    if view == "decision" and samples.features != 2:
        raise Failure(
            f"--view decision: expected data with 2 inputs, got {samples.features} ({samples.title})"
        )


def view_of(name: str, run: Run) -> Any:
    """Return the widget of a view that shows a run.

    Parameters
    ----------
    name : str
        Name of the view.
    run : Run
        What it shows.

    Returns
    -------
    QWidget
        Never shown on a screen; the network at the moment when the last delta is known.
    """
    from gradsim.trace import Cursor

    application()
    from gradsim.app.views_table import VIEWS

    view = next(row for row in VIEWS if row.id == _VIEWS[name]).make()
    view.resize(*_SIZE)
    view.set_run(run)
    if name == "network":
        view.set_cursor(Cursor(run.trace.iteration, telling_step(run.trace)))
    return view


def telling_step(trace: IterationTrace) -> int:
    """Return the moment at which a still picture of an iteration says most.

    Parameters
    ----------
    trace : IterationTrace
        Any iteration.

    Returns
    -------
    int
        Index of the step that makes the last delta: all of them are known, and no update covers them yet.
    """
    return max(place for place, step in enumerate(trace.steps) if step.tensor == "delta")


def write_figure(
    name: str, run: Run, path: Path, size: tuple[int, int] | None, scale: float, theme: str
) -> None:
    """Write a view of a run to a file.

    Parameters
    ----------
    name : str
        Name of the view.
    run : Run
        What it shows.
    path : Path
        Ends in ``.png``, ``.svg``, ``.pdf`` or ``.csv``.
    size : (int, int) or None
        Width and height in pixels of 1/96 inch.
    scale : float
        Pixels of a PNG per such pixel.
    theme : str
        Name of the colours.
    """
    from gradsim.views.export import export_view

    view = view_of(name, run)
    export_view(view, path, size=size or _SIZE, scale=scale, theme=theme, experiment=run.experiment)
    view.deleteLater()


def profile_pictures(run: Run, traces: Sequence[IterationTrace], size: tuple[int, int]) -> list[Image]:
    """Return the gradient profile at several iterations as pictures on one scale.

    Parameters
    ----------
    run : Run
        Whose profile.
    traces : sequence of IterationTrace
        One per picture.
    size : (int, int)
        Width and height in pixels.

    Returns
    -------
    list of Image
        All of the same size.
    """
    from gradsim.views.theme import LIGHT

    view = view_of("profile", run)
    # The axis only ever widens: having shown all iterations once, it is the same in every picture.
    for trace in traces:
        view.set_run(replace(run, trace=trace))
        _painted(view, size, LIGHT)
    pictures = []
    for trace in traces:
        view.set_run(replace(run, trace=trace))
        moment = f"iteration {trace.iteration:,}"
        pictures.append(_painted(view, size, LIGHT, run.experiment.name, moment))
    view.deleteLater()
    return pictures


def pass_pictures(run: Run, most: int, size: tuple[int, int]) -> list[Image]:
    """Return one iteration as it travels through the network: forward, loss, backward, update.

    Parameters
    ----------
    run : Run
        Whose iteration.
    most : int
        How many pictures at most; of a deeper network only some steps are shown.
    size : (int, int)
        Width and height in pixels.

    Returns
    -------
    list of Image
        All of the same size.
    """
    from gradsim.trace import Cursor
    from gradsim.views.theme import LIGHT

    view = view_of("network", run)
    last = len(run.trace.steps) - 1
    count = min(most, last + 1)
    pictures = []
    for picture in range(count):
        step = round(picture * last / max(count - 1, 1))
        view.set_cursor(Cursor(run.trace.iteration, step))
        moment = f"iteration {run.trace.iteration:,}, {run.trace.steps[step].phase:8}"
        pictures.append(_painted(view, size, LIGHT, run.experiment.name, moment))
    view.deleteLater()
    return pictures


def write_gif(pictures: Sequence[Image], seconds: Sequence[float], path: Path) -> None:
    """Write pictures as an animated GIF that repeats for ever.

    Parameters
    ----------
    pictures : sequence of Image
        All of the same size.
    seconds : sequence of float
        How long each is shown.
    path : Path
        The file.
    """
    import io

    from PIL import Image

    from gradsim.formats.files import replace_file

    palette = _palette(pictures[:: max(1, len(pictures) // 8)])
    frames = [picture.quantize(palette=palette, dither=Image.Dither.NONE) for picture in pictures]
    content = io.BytesIO()
    frames[0].save(
        content,
        "GIF",
        save_all=True,
        append_images=frames[1:],
        duration=[round(1000 * each) for each in seconds],
        loop=0,
    )
    replace_file(path, content.getvalue())


def _palette(pictures: Sequence[Image]) -> Image:
    """One palette for all pictures, because one for each would flicker; black and white are exact in it."""
    from PIL import Image

    width, height = pictures[0].size
    samples = Image.new("RGB", (width, height * len(pictures)))
    for place, picture in enumerate(pictures):
        samples.paste(picture, (0, height * place))
    found = samples.quantize(colors=_COLOURS - 2).getpalette() or []
    triples = [found[i : i + 3] for i in range(0, len(found), 3)]
    # What is nearly black or white would be taken in their place.
    between = [triple for triple in triples if max(triple) > _NEARLY and min(triple) < 255 - _NEARLY]
    palette = Image.new("P", (1, 1))
    palette.putpalette([0, 0, 0, 255, 255, 255, *(value for triple in between for value in triple)])
    return palette


def _painted(view: Any, size: tuple[int, int], theme: Theme, left: str = "", right: str = "") -> Image:
    """Picture of a view under a line of words."""
    from PIL import Image
    from PySide6.QtCore import QRectF, Qt
    from PySide6.QtGui import QImage, QPainter

    from gradsim.views.fonts import figure_font

    width, height = size
    image = QImage(width, height, QImage.Format.Format_RGBA8888)
    image.fill(theme.color("background"))
    painter = QPainter(image)
    try:
        line = QRectF(14, 8, width - 28, _CAPTION_HEIGHT - 8)
        painter.setPen(theme.color("text"))
        painter.setFont(figure_font(14, bold=True))
        painter.drawText(line, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, left)
        painter.setFont(figure_font(14, mono=True))
        painter.drawText(line, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, right)
        view.paint_figure(painter, QRectF(0, _CAPTION_HEIGHT, width, height - _CAPTION_HEIGHT), theme)
    finally:
        painter.end()
    return Image.frombytes("RGBA", (width, height), bytes(image.constBits())).convert("RGB")
