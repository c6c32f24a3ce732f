"""Moving pictures: a view drawn again and again, and the GIF made of it."""

from __future__ import annotations

import io
import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gradsim.cli.figures import view_of

if TYPE_CHECKING:
    from PIL.Image import Image

    from gradsim.engine import Simulator
    from gradsim.trace import Run, Step
    from gradsim.views.theme import Theme

MOVING = ("profile", "cause", "network", "distributions", "updates", "decision")
"""Views of which an animation can be made; the others show the whole course already, or take long for each pass."""
FRAMES = 41
MOST_STEPS = 80
SIZE = (900, 480)
_LAST_FRAME_SECONDS = 2.0
_CAPTION_HEIGHT = 34
_COLOURS = 256
_NEARLY = 8


def _nothing(share: float) -> None:
    """Tell nobody how far it is."""


def training_pictures(
    view: Any,
    runs: Callable[[], Iterable[Run]],
    size: tuple[int, int],
    theme: Theme | None = None,
    scale: float = 1.0,
) -> list[Image]:
    """Return a view at several iterations as pictures on one scale.

    Parameters
    ----------
    view : QWidget
        From ``view_of``; it is deleted afterwards.
    runs : callable
        Goes through the run from its beginning, one ``Run`` for each picture; called twice.
    size : (int, int)
        Width and height in pixels.
    theme : Theme or None
        Colours; None for light ones.
    scale : float
        Pixels of the picture per such pixel.

    Returns
    -------
    list of Image
        All of the same size.
    """
    from gradsim.views.theme import LIGHT

    colors = theme or LIGHT
    # An axis only ever widens: having shown all iterations once, it is the same in every picture.
    for run in runs():
        view.set_run(run)
        _painted(view, size, colors)
    pictures = []
    for run in runs():
        view.set_run(run)
        moment = f"iteration {run.trace.iteration:,}"
        pictures.append(_painted(view, size, colors, run.experiment.name, moment, scale))
    view.deleteLater()
    return pictures


def pass_pictures(
    run: Run,
    most: int,
    size: tuple[int, int],
    theme: Theme | None = None,
    scale: float = 1.0,
    view: Any = None,
    show: Callable[[float], None] = _nothing,
) -> list[Image]:
    """Return one iteration as it travels through the network: forward, loss, backward, update.

    Parameters
    ----------
    run : Run
        Whose iteration.
    most : int
        How many pictures at most; of a deeper network only some steps are shown.
    size : (int, int)
        Width and height in pixels.
    theme : Theme or None
        Colours; None for light ones.
    scale : float
        Pixels of the picture per such pixel.
    view : QWidget or None
        That of the network, from ``view_of``; it is deleted afterwards. None for one without options.
    show : callable
        Told which share is done.

    Returns
    -------
    list of Image
        All of the same size.
    """
    from gradsim.trace import Cursor
    from gradsim.views.theme import LIGHT

    view, colors = view or view_of("network", run), theme or LIGHT
    pictures = []
    told = told_steps(run.trace.steps, most)
    for place, step in enumerate(told):
        show(place / len(told))
        view.set_cursor(Cursor(run.trace.iteration, step))
        moment = f"iteration {run.trace.iteration:,}, {run.trace.steps[step].phase:8}"
        pictures.append(_painted(view, size, colors, run.experiment.name, moment, scale))
    view.deleteLater()
    return pictures


def runs_of(simulator: Simulator, run: Run) -> Iterator[Run]:
    """Yield a run at its first iteration, at its last, and at some between, evenly spaced.

    Parameters
    ----------
    simulator : Simulator
        Goes there; afterwards it stands where it stood.
    run : Run
        At the last iteration.

    Yields
    ------
    Run
        With the pass of that iteration, at most ``FRAMES`` of them.
    """
    from gradsim.app.decision import decision_map

    end = run.trace.iteration
    for iteration in sorted({round(end * frame / (FRAMES - 1)) for frame in range(FRAMES)}):
        simulator.seek(iteration)
        yield replace(run, trace=simulator.record(), decision_map=decision_map(simulator))


def write_animation(
    name: str,
    simulator: Simulator,
    run: Run,
    path: Path,
    size: tuple[int, int] = SIZE,
    theme: str = "light",
    scale: float = 1.0,
    view: Any = None,
    show: Callable[[float], None] = _nothing,
) -> None:
    """Write a view as an animated GIF: of the network one iteration, of the others the training.

    Parameters
    ----------
    name : str
        One of ``MOVING``.
    simulator : Simulator
        After its training.
    run : Run
        The same, as a view takes it.
    path : Path
        The file.
    size : (int, int)
        Width and height in pixels.
    theme : str
        Name of the colours.
    scale : float
        Pixels of the picture per such pixel.
    view : QWidget or None
        From ``view_of``, with what is chosen in it; it is deleted afterwards. None for one as it opens.
    show : callable
        Told which share is done.
    """
    from gradsim.views.theme import THEMES

    colors, drawn, done = THEMES[theme], view or view_of(name, run), itertools.count()
    total = 2 * min(FRAMES, run.trace.iteration + 1)

    def counted() -> Iterator[Run]:
        """Yield the runs, and tell how many have been drawn."""
        for shown in runs_of(simulator, run):
            show(next(done) / total)
            yield shown

    if name == "network":
        pictures, seconds = pass_pictures(run, MOST_STEPS, size, colors, scale, drawn, show), 0.2
    else:
        pictures, seconds = (
            training_pictures(drawn, counted, size, colors, scale),
            0.1,
        )
    write_gif(pictures, [seconds] * (len(pictures) - 1) + [_LAST_FRAME_SECONDS], path)


def told_steps(steps: Sequence[Step], most: int) -> list[int]:
    """Return the steps of an iteration that are shown, evenly spread over the time that playing them takes.

    Parameters
    ----------
    steps : sequence of Step
        All of them.
    most : int
        How many at most.

    Returns
    -------
    list of int
        Rising, the first and the last among them; all where they are no more than that, else a long sequence
        is swept as in the window.
    """
    from gradsim.views.playback import timetable

    if len(steps) <= most:
        return list(range(len(steps)))
    times = timetable(steps)
    ends = times.begin(0), times.begin(len(steps) - 1)
    # A hair later, so that rounding does not lead to the step before.
    moments = (ends[0] + place * (ends[1] - ends[0]) / max(most - 1, 1) + 1e-9 for place in range(most))
    return list(dict.fromkeys(times.step_at(moment) for moment in moments))


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


def _painted(
    view: Any, size: tuple[int, int], theme: Theme, left: str = "", right: str = "", scale: float = 1.0
) -> Image:
    """Picture of a view under a line of words."""
    from PIL import Image
    from PySide6.QtCore import QRectF, Qt
    from PySide6.QtGui import QImage, QPainter

    from gradsim.views.fonts import figure_font

    width, height = size
    pixels = round(width * scale), round(height * scale)
    image = QImage(*pixels, QImage.Format.Format_RGBA8888)
    image.fill(theme.color("background"))
    painter = QPainter(image)
    painter.scale(scale, scale)
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
    return Image.frombytes("RGBA", pixels, bytes(image.constBits())).convert("RGB")
