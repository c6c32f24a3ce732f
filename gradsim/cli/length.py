"""How long to train where nobody says it: an example asks for as many iterations as its point needs."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, NamedTuple

from gradsim.resource_files import EXPERIMENT_ENDING

if TYPE_CHECKING:
    from gradsim.cli.source import Source
    from gradsim.cli.terminal import Terminal

ITERATIONS = 200
"""How many are trained where neither a person nor an example says how many."""
_READABLE = 100


class Length(NamedTuple):
    """How long to train, and who says so."""

    iterations: int
    """How many iterations."""
    words: str
    """One sentence where an example asks for them; else empty."""
    look: str
    """What the example asks to look at; else empty."""


def training_length(source: Source, asked: int | None) -> Length:
    """Return how long to train: what was asked for, else what an example needs for its point, else the usual.

    Parameters
    ----------
    source : Source
        An experiment, maybe one that comes with GradSim.
    asked : int or None
        ``--iterations``; None where it is not given.

    Returns
    -------
    Length
        With words only where an example decides.
    """
    if asked is not None:
        return Length(asked, "", "")
    from gradsim.app.presets import preset_advice, preset_folder

    path = source.path
    try:
        is_example = path is not None and path.parent == preset_folder().resolve()
    except FileNotFoundError:
        is_example = False
    advice = (
        preset_advice(path.name.removesuffix(EXPERIMENT_ENDING)) if is_example and path is not None else None
    )
    if advice is None:
        return Length(ITERATIONS, "", "")
    return Length(advice.iterations, f"{advice.iterations:,} iterations, as this example asks", advice.look)


def print_length(length: Length, terminal: Terminal) -> None:
    """Print what an example asks for; nothing where a person has decided.

    Parameters
    ----------
    length : Length
        How long was trained.
    terminal : Terminal
        Where to print.
    """
    if not length.words:
        return
    width = min(terminal.width or _READABLE, _READABLE)
    for line in textwrap.wrap(f"{length.words}. {length.look}".rstrip(), width):
        terminal.write(terminal.text(line))
