"""Numbers and names of layers as they stand in the sentences of findings."""

from __future__ import annotations

import math
from collections.abc import Sequence


def number(value: float) -> str:
    """Two digits; what is not finite in words."""
    if math.isnan(value):
        return "not a number"
    if math.isinf(value):
        return "infinite"
    if value != 0 and not 1e-3 <= abs(value) < 1e4:
        mantissa, exponent = f"{value:.1e}".split("e")
        return f"{mantissa.removesuffix('.0')}e{int(exponent)}"
    return f"{value:.2g}" if abs(value) < 100 else f"{value:,.0f}"


def percent(share: float) -> str:
    """Whole percents, with a digit below 1; two digits of very many."""
    if not math.isfinite(share):
        return number(share)
    if share >= 100:
        return f"{number(100 * share)} %"
    return f"{100 * share:.0f} %" if share >= 0.01 or share == 0 else f"{100 * share:.2g} %"


def named(layers: Sequence[str], most: int = 3) -> str:
    """Return the names of some layers: the first few, and how many more."""
    if len(layers) <= most + 1:
        return ", ".join(layers)
    return f"{', '.join(layers[:most])} and {len(layers) - most} more"


def lower(words: str) -> str:
    """Return a sentence as it stands after a colon."""
    return f"{words[:1].lower()}{words[1:]}"
