"""How many values of a tensor are 0, subnormal, NaN or infinite: a headline in as many words as there is room for."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtGui import QFontMetricsF

from gradsim.trace import TensorStatistics
from gradsim.views.fonts import figure_font
from gradsim.views.plot.axes import LABEL_PIXELS
from gradsim.views.plot.numbers import grouped
from gradsim.views.plot.words import Words


def value_counts(layer: str, known: TensorStatistics, room: float) -> list[Words]:
    """Return the counts of every kind of value that is not ordinary.

    Parameters
    ----------
    layer : str
        Name of the layer, which leads.
    known : TensorStatistics
        Of the tensor.
    room : float
        Width for the headline, in pixels.

    Returns
    -------
    list of Words
        The longest form that fits; the shortest still names every kind that occurs.
    """
    counts = (("zero", known.zeros), ("subnormal", known.subnormals), ("NaN", known.nans), ("∞", known.infs))
    kinds = sorted(counts, key=lambda kind: not kind[1])
    there = [kind for kind in kinds if kind[1]]
    brief = [("sub.", count) if name == "subnormal" else (name, count) for name, count in kinds]
    rest = Words(", no other" if there else "no 0, NaN, ∞", "muted")
    forms = (
        [Words(f"{grouped(known.count)} values: "), *_counted(kinds)],
        [Words(f"{grouped(known.count)}: "), *_counted(brief)],
        [*_counted(there), rest],
        _counted([kind for kind in brief if kind[1]]) or [rest],
    )
    name = Words(f"{layer}  ", bold=True)
    metrics = QFontMetricsF(figure_font(LABEL_PIXELS, bold=True))
    for form in forms:
        if metrics.horizontalAdvance("".join(words.text for words in (name, *form))) <= room:
            return [name, *form]
    return [name, *forms[-1]]


def _counted(kinds: Iterable[tuple[str, int]]) -> list[Words]:
    found = []
    for place, (name, count) in enumerate(kinds):
        role = "muted" if not count else "bad" if name in ("NaN", "∞") else "text"
        found.append(Words(f"{', ' if place else ''}{grouped(count)} {name}", role))
    return found
