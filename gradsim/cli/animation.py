"""Moving pictures: a view drawn again and again, and the GIF made of it."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gradsim.cli.figures import view_of

if TYPE_CHECKING:
    from PIL.Image import Image

    from gradsim.trace import IterationTrace, Run, Step
    from gradsim.views.theme import Theme

_CAPTION_HEIGHT = 34
_COLOURS = 256
_NEARLY = 8


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
    pictures = []
    for step in told_steps(run.trace.steps, most):
        view.set_cursor(Cursor(run.trace.iteration, step))
        moment = f"iteration {run.trace.iteration:,}, {run.trace.steps[step].phase:8}"
        pictures.append(_painted(view, size, LIGHT, run.experiment.name, moment))
    view.deleteLater()
    return pictures


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
