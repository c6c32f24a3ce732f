"""From the words of the command line to values, or a sentence that says what was expected."""

from __future__ import annotations

import argparse
from pathlib import Path

FORMATS = ("png", "svg", "pdf", "csv", "gif")
_IN_THE_WINDOW = {
    "gradient_profile": "profile",
    "history_map": "history",
    "activation": "activations",
    "update_ratio": "updates",
    "decision_map": "decision",
    "time_map": "time",
}
"""What lessons call a view, where the terminal has a shorter name."""


def view(text: str) -> str:
    """Return the name of a view.

    Parameters
    ----------
    text : str
        A word of the command line; what lessons call a view is understood too.

    Returns
    -------
    str
        As the terminal calls it; any other word as it is.
    """
    return _IN_THE_WINDOW.get(text, text)


def whole(text: str) -> int:
    """Return a whole number from 0 on.

    Parameters
    ----------
    text : str
        A word of the command line.

    Returns
    -------
    int
        None is too large.

    Raises
    ------
    ArgumentTypeError
        For anything else.
    """
    try:
        number = int(text)
    except ValueError:
        number = -1
    if number < 0:
        raise argparse.ArgumentTypeError(f"expected a whole number from 0 on, got {text!r}")
    return number


def scale(text: str) -> float:
    """Return a scale of pictures.

    Parameters
    ----------
    text : str
        A word of the command line.

    Returns
    -------
    float
        From 0.1 to 16.

    Raises
    ------
    ArgumentTypeError
        For anything else.
    """
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0.1 <= number <= 16:
        raise argparse.ArgumentTypeError(f"expected a number from 0.1 to 16, got {text!r}")
    return number


def size(text: str) -> tuple[int, int]:
    """Return width and height in pixels.

    Parameters
    ----------
    text : str
        A word of the command line.

    Returns
    -------
    tuple of int
        Each side from 100 to 8000.

    Raises
    ------
    ArgumentTypeError
        For anything else.
    """
    width, _, height = text.lower().partition("x")
    if not (width.isdecimal() and height.isdecimal()):
        raise argparse.ArgumentTypeError(f"expected a size such as 800x500, got {text!r}")
    size = int(width), int(height)
    if not all(100 <= side <= 8000 for side in size):
        raise argparse.ArgumentTypeError(f"expected sides from 100 to 8000 pixels, got {text!r}")
    return size


def picture(text: str) -> Path:
    """Return the path of a picture.

    Parameters
    ----------
    text : str
        A word of the command line.

    Returns
    -------
    Path
        Its ending is one of ``FORMATS``.

    Raises
    ------
    ArgumentTypeError
        For anything else.
    """
    path = Path(text)
    if path.suffix.lower().removeprefix(".") not in FORMATS:
        raise argparse.ArgumentTypeError(f"expected a name that ends in .{', .'.join(FORMATS)}, got {text!r}")
    return path


def npz(text: str) -> Path:
    """Return the path of a NumPy archive.

    Parameters
    ----------
    text : str
        A word of the command line.

    Returns
    -------
    Path
        Its ending is ``.npz``.

    Raises
    ------
    ArgumentTypeError
        For anything else.
    """
    path = Path(text)
    if path.suffix.lower() != ".npz":
        raise argparse.ArgumentTypeError(f"expected a name that ends in .npz, got {text!r}")
    return path
