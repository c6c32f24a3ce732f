"""Legends for plots that are low: only what cannot be told from the plot itself keeps its words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from gradsim.views.plot.marks import Mark


def shortened(marks: Sequence[Mark], is_kept: Callable[[str], bool]) -> list[Mark]:
    """Return marks of which only some are named.

    Parameters
    ----------
    marks : sequence of Mark
        Of a panel; those with a name are dataclasses.
    is_kept : callable
        Whether a name stays in the legend.

    Returns
    -------
    list of Mark
        The same marks, the others without a name.
    """

    def nameless(mark: Any) -> Any:
        """Return a mark that is not in the legend."""
        return replace(mark, name="")

    return [nameless(mark) if mark.name and not is_kept(mark.name) else mark for mark in marks]
