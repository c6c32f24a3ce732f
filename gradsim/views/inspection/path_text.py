"""Paths through a network as short lines that tell one from the other. Without Qt."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

UnitChain = Sequence[tuple[int, ...]]
"""A path: (layer, unit), −1 for the input of the network, or (layer, unit, step of time)."""

_SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
_PER_LINE = 12

SKIP = "↷"
"""In the place of a layer that a path passes by a skip."""

_Place = tuple[int, int, int]
"""Layer, step of time (−1 without), and how often the path was there before."""


def whole_path_text(path: UnitChain) -> str:
    """Return all units of a path, counted from 1: the input's as x₃, at a step of time as 4@7.

    Parameters
    ----------
    path : sequence of tuple of int
        The path.

    Returns
    -------
    str
        In lines of a dozen units.
    """
    names = [_name(place) for place in path]
    lines = [names[at : at + _PER_LINE] for at in range(0, len(names), _PER_LINE)]
    return " →\n".join(" → ".join(line) for line in lines)


def path_texts(paths: Sequence[UnitChain], most: int = 7) -> list[str]:
    """Return paths as lines that differ wherever the paths do.

    Parameters
    ----------
    paths : sequence of paths
        Those of one list.
    most : int, default 7
        Units of a path that are shown; more where they are needed to tell it from the others.

    Returns
    -------
    list of str
        The ends of each path, the units in which the paths differ, ``↷`` for a layer passed by a skip that
        another path goes through, and ``…`` for what is left out.
    """
    named = _with_skips([_named(path) for path in paths])
    order = sorted({place for names in named for place in names})
    shown = {place for names in named if names for place in (next(iter(names)), list(names)[-1])}
    while (place := _most_telling(named, order, shown)) is not None:
        shown.add(place)
    return [_line(names, _filled(names, shown, most)) for names in named]


def _named(path: UnitChain) -> dict[_Place, str]:
    seen: Counter[tuple[int, int]] = Counter()
    names = {}
    for place in path:
        here = place[0], place[2] if len(place) > 2 else -1
        names[*here, seen[here]] = _name(place)
        seen[here] += 1
    return names


def _with_skips(named: list[dict[_Place, str]]) -> list[dict[_Place, str]]:
    """Return the paths with a mark for every layer that another one goes through and a skip leads past."""
    layers = sorted({place for names in named for place in names if place[1:] == (-1, 0)})
    done = []
    for names in named:
        ends = [place for place in names if place[1:] == (-1, 0)]
        passed = {
            place: SKIP for place in layers if ends and ends[0] < place < ends[-1] and place not in names
        }
        done.append(dict(sorted((names | passed).items())) if passed else names)
    return done


def _name(place: tuple[int, ...]) -> str:
    unit = place[1] + 1
    if place[0] < 0:
        return f"x{str(unit).translate(_SUBSCRIPTS)}"
    return f"{unit}@{place[2] + 1}" if len(place) > 2 else str(unit)


def _most_telling(
    named: Sequence[dict[_Place, str]], order: Sequence[_Place], shown: set[_Place]
) -> _Place | None:
    """Return the place that tells most paths apart; None where all are or can be no more."""
    looks = [tuple(names.get(place) for place in sorted(shown)) for names in named]
    count = len(set(looks))
    if count == len(named):
        return None
    best, most = None, count
    for place in order:
        if place not in shown:
            told = len({(look, names.get(place)) for look, names in zip(looks, named, strict=True)})
            if told > most:
                best, most = place, told
    return best


def _filled(names: dict[_Place, str], shown: set[_Place], most: int) -> set[_Place]:
    """Return what is shown of a path: with its first units, as far as there is room."""
    chosen = [place for place in names if place in shown]
    if len(names) <= most:
        return set(names)
    others = [place for place in names if place not in shown]
    return {*chosen, *others[: max(most - 1 - len(chosen), 0)]}


def _line(names: dict[_Place, str], shown: set[_Place]) -> str:
    parts: list[str] = []
    left_out: list[str] = []
    for place, name in names.items():
        if place not in shown:
            left_out.append(name)
            continue
        if left_out:
            parts.append(left_out[0] if len(left_out) == 1 else "…")
            left_out = []
        parts.append(name)
    return " → ".join(parts)
