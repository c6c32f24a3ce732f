"""The figures of one run of the benchmarks, as tables at its end."""

from __future__ import annotations

from typing import NamedTuple


class Figure(NamedTuple):
    """One measured number beside what the design asks for."""

    table: str
    row: str
    column: str
    text: str
    target: str = ""
    reached: bool | None = None


def ratio(value: float) -> str:
    """Three digits and a sign of multiplication."""
    return f"{value:,.0f}×" if value >= 100 else f"{value:.3g}×"


def microseconds(seconds: float) -> str:
    """Microseconds or milliseconds in three digits."""
    return f"{1e3 * seconds:.3g} ms" if seconds >= 1e-3 else f"{1e6 * seconds:.3g} µs"


def lines(figures: list[Figure]) -> list[str]:
    """Return the tables as text: one per ``table``, targets in brackets, ``!`` where one is missed."""
    out: list[str] = []
    for table in dict.fromkeys(figure.table for figure in figures):
        mine = [figure for figure in figures if figure.table == table]
        rows = list(dict.fromkeys(figure.row for figure in mine))
        columns = list(dict.fromkeys(figure.column for figure in mine))
        cells = {(figure.row, figure.column): cell(figure) for figure in mine}
        grid = [["", *columns], *([row, *(cells.get((row, c), "") for c in columns)] for row in rows)]
        widths = [max(len(line[i]) for line in grid) for i in range(len(grid[0]))]
        out += ["", table]
        out += [
            "  "
            + line[0].ljust(widths[0])
            + "".join(f"  {value.rjust(width)}" for value, width in zip(line[1:], widths[1:], strict=True))
            for line in grid
        ]
    return out


def cell(figure: Figure) -> str:
    """Return a number with its target."""
    missed = " !" if figure.reached is False else ""
    target = f" ({figure.target})" if figure.target else ""
    return f"{figure.text}{target}{missed}"
