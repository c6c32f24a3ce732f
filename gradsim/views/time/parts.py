"""Which diagrams a page shows in how much room. Arithmetic without Qt."""

from __future__ import annotations

PAGES = (
    ("fitting", "What fits"),
    ("everything", "Everything"),
    ("gradient", "Gradient"),
    ("gates", "Gates"),
    ("training", "Training"),
)
"""Pages and their words."""

_PARTS = {
    "everything": ("units", "sizes", "gates", "kept", "passes"),
    "gradient": ("units", "sizes"),
    "gates": ("gates", "kept"),
    "training": ("passes",),
}
_FIRST = ("sizes", "units", "passes", "gates", "kept")
"""What is shown first where there is not room for everything."""

LEAST_WIDTH, LEAST_HEIGHT = 260.0, 160.0
"""Of a diagram with legend and names of axes, px."""


def rows_in(height: float) -> int:
    """Return how many rows of diagrams stand one above the other: two where there is room for them."""
    return 2 if height >= 2 * LEAST_HEIGHT else 1


def parts_of(page: str, has_gates: bool, width: float, height: float) -> tuple[str, ...]:
    """Return the diagrams of a page.

    Parameters
    ----------
    page : str
        One of ``PAGES``; ``fitting`` depends on the room.
    has_gates : bool
        Whether the cell has gates.
    width, height : float
        Of the room, px.

    Returns
    -------
    tuple of str
        ``units``, ``sizes``, ``gates``, ``kept``, ``passes``, as far as they are shown.
    """
    missing = () if has_gates else ("gates", "kept")
    parts = tuple(part for part in _PARTS.get(page, _PARTS["everything"]) if part not in missing)
    if page != "fitting":
        return parts
    room = max(rows_in(height) * int(width // LEAST_WIDTH), 1)
    first = [part for part in _FIRST if part in parts][:room]
    return tuple(part for part in parts if part in first)


def is_low(parts: int, height: float) -> bool:
    """Return whether so many diagrams have so little height that their headlines must do for legends."""
    return height / (rows_in(height) if parts > 2 else 1) < LEAST_HEIGHT
