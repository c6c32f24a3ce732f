"""Headlines that make room: their parts keep their order, become shorter from the end on, and then drop out there."""

from __future__ import annotations

from collections.abc import Sequence

from gradsim.views.plot.words import Words, headline_width

Part = Sequence[Sequence[Words]]
"""A part of a headline in several versions, the longest first; none of them is empty."""

GAP = "     "


def fitting(parts: Sequence[Part], room: float) -> list[Words]:
    """Return a headline for which there is room.

    Parameters
    ----------
    parts : sequence of Part
        The most important first, in the order in which they are read.
    room : float
        In pixels.

    Returns
    -------
    list of Words
        The parts in their order: all of them as long as can be, the last ones shortened first; where even the
        shortest versions are too wide the last parts are missing. The first one always stays.
    """
    kept = [part for part in parts if part]
    chosen = [0] * len(kept)
    line = _joined(kept, chosen)
    while headline_width(line) > room and len(chosen) > 1:
        longer = [place for place, version in enumerate(chosen) if version < len(kept[place]) - 1]
        if longer:
            chosen[longer[-1]] += 1
        else:
            chosen.pop()
        line = _joined(kept, chosen)
    while chosen and headline_width(line) > room and chosen[0] < len(kept[0]) - 1:
        chosen[0] += 1
        line = _joined(kept, chosen)
    if len(chosen) < len(kept):
        return _lengthened(kept, chosen, room)
    return line


def _lengthened(kept: Sequence[Part], chosen: Sequence[int], room: float) -> list[Words]:
    """Give what a part that dropped out has left to the others, the most important first."""
    versions = list(chosen)
    for place in range(len(versions)):
        while versions[place] > 0:
            versions[place] -= 1
            if headline_width(_joined(kept, versions)) > room:
                versions[place] += 1
                break
    return _joined(kept, versions)


def _joined(kept: Sequence[Part], versions: Sequence[int]) -> list[Words]:
    line: list[Words] = []
    for part, version in zip(kept, versions, strict=False):
        if line:
            line.append(Words(GAP))
        line += part[version]
    return line
