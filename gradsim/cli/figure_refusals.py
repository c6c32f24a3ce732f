"""Pictures that cannot be made, refused before anything is trained for them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gradsim.cli.animation import MOVING, SIZE
from gradsim.cli.failure import Failure
from gradsim.cli.figures import view_class

if TYPE_CHECKING:
    from gradsim.trace import SampleSet

_WITHOUT_LAYER = ("loss", "decision")

_WITH_UNIT = ("network", "time")

_MOST_PIXELS = 100_000_000
_MOST_MOVING_PIXELS = 4_000_000


def check_picture(view: str, path: Path, size: tuple[int, int] | None, scale: float, theme: str) -> None:
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
        For a window that is no PNG or on paper, for a view that does not move in a GIF, and for too many pixels.
    """
    if view == "window" and path.suffix.lower() != ".png":
        raise Failure(f"--view window: expected a name that ends in .png, got {str(path)!r}")
    if view == "window" and theme == "paper":
        raise Failure("--view window: expected the theme light or dark, got paper")
    moves = path.suffix.lower() == ".gif"
    if moves and view not in MOVING:
        raise Failure(f"--view {view}: expected one of which there is a GIF: {', '.join(MOVING)}")
    width, height = size or (SIZE if moves else (0, 0))
    if moves and width * height * scale**2 > _MOST_MOVING_PIXELS:
        raise Failure(
            f"--size {width}x{height} --scale {scale:g}: expected at most {_MOST_MOVING_PIXELS:,} pixels in a GIF"
        )
    if path.suffix.lower() == ".png" and width * height * scale**2 > _MOST_PIXELS:
        raise Failure(
            f"--size {width}x{height} --scale {scale:g}: expected at most {_MOST_PIXELS:,} pixels in all"
        )


def checked_options(view: str, texts: Sequence[str], layer: str | None, unit: int | None) -> dict[str, Any]:
    """Return the options of a view, and refuse what it does not have, before anything is trained.

    Parameters
    ----------
    view : str
        Name of the view.
    texts : sequence of str
        ``NAME=VALUE`` each.
    layer : str or None
        That is to be selected.
    unit : int or None
        That is to be selected.

    Returns
    -------
    dict
        Values by name.

    Raises
    ------
    Failure
        For options and selections that the view does not have.
    """
    from gradsim.cli.view_options import read_options

    if unit is not None and layer is None:
        raise Failure(f"--unit {unit}: expected --layer NAME, too")
    if view == "window":
        if texts or layer is not None:
            raise Failure(
                "--view window: expected neither --option nor --layer, they belong to a single view"
            )
        return {}
    if layer is not None and view in _WITHOUT_LAYER:
        raise Failure(f"--layer {layer}: expected a view in which a layer can be selected, got {view}")
    if unit is not None and view not in _WITH_UNIT:
        raise Failure(f"--unit {unit}: expected the view {' or '.join(_WITH_UNIT)}, got {view}")
    return read_options(view, view_class(view), texts) if texts else {}


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
        For the decision map of data that do not lie in a plane, and time where the data have none.
    """
    if view == "decision" and samples.map_inputs != 2:
        found = "sequences" if samples.steps else samples.features
        raise Failure(f"--view decision: expected data with 2 inputs, got {found} ({samples.title})")
    if view == "time" and not samples.steps:
        raise Failure(f"--view time: expected sequences, got data without time steps ({samples.title})")
