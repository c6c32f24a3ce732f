"""Tables of text that fit the width they are given. What the columns mean is the business of the caller."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from gradsim.cli.terminal import Style, Terminal

_GAP = "  "


@dataclass(frozen=True, slots=True)
class Column:
    """One column.

    Attributes
    ----------
    title : str
        Its heading.
    align : {"left", "right"}
        Numbers to the right.
    rank : int
        Columns of the highest rank are left out first where the width does not suffice; 0 always stays.
    """

    title: str
    align: Literal["left", "right"] = "right"
    rank: int = 0


class Cell(NamedTuple):
    """One cell: its text and what the text means."""

    text: str
    style: Style = "plain"


@dataclass(frozen=True, slots=True)
class Table:
    """A table as lines.

    Attributes
    ----------
    lines : tuple of str
        Heading, rule, rows.
    width : int
        Characters of the rule.
    left_out : tuple of str
        Headings of the columns for which there was no room.
    """

    lines: tuple[str, ...]
    width: int
    left_out: tuple[str, ...]


def laid_out(columns: Sequence[Column], rows: Sequence[Sequence[Cell]], terminal: Terminal) -> Table:
    """Lay out a table in the width of a terminal.

    Parameters
    ----------
    columns : sequence of Column
        Headings.
    rows : sequence of sequences of Cell
        One cell per column.
    terminal : Terminal
        Decides width, colours and characters.

    Returns
    -------
    Table
        Never wider than the terminal, unless the columns of rank 0 alone are.
    """
    titles = [terminal.text(column.title) for column in columns]
    texts = [[terminal.text(cell.text) for cell in row] for row in rows]
    widths = [max([len(title), *(len(row[i]) for row in texts)], default=0) for i, title in enumerate(titles)]
    kept = _kept(columns, widths, terminal.width)
    heading = _GAP.join(_padded(titles[i], widths[i], columns[i].align) for i in kept).rstrip()
    total = sum(widths[i] for i in kept) + len(_GAP) * (len(kept) - 1)
    lines = [terminal.painted(heading, "bold"), terminal.painted(terminal.text("─") * total, "dim")]
    for row, text in zip(rows, texts, strict=True):
        cells = [terminal.painted(_padded(text[i], widths[i], columns[i].align), row[i].style) for i in kept]
        lines.append(_GAP.join(cells).rstrip())
    left_out = tuple(titles[i] for i in range(len(columns)) if i not in kept)
    return Table(tuple(lines), total, left_out)


def _kept(columns: Sequence[Column], widths: Sequence[int], limit: int | None) -> list[int]:
    kept = list(range(len(columns)))
    while limit is not None and sum(widths[i] for i in kept) + len(_GAP) * (len(kept) - 1) > limit:
        last = max(kept, key=lambda i: (columns[i].rank, i))
        if columns[last].rank == 0:
            break
        kept.remove(last)
    return kept


def _padded(text: str, width: int, align: str) -> str:
    return text.rjust(width) if align == "right" else text.ljust(width)


def scientific(value: float | None) -> str:
    """Return a number in the same few characters whatever its size.

    Parameters
    ----------
    value : float or None
        Any number; None where there is none.

    Returns
    -------
    str
        ``0``, ``NaN``, ``∞``, or three digits, with an exponent outside 0.001 to 1,000; ``·`` for None.
    """
    if value is None:
        return "·"
    if value != value:
        return "NaN"
    if value in (float("inf"), float("-inf")):
        return "∞" if value > 0 else "−∞"
    if value == 0.0:
        return "0"
    return f"{value:#.3g}".rstrip(".") if 1e-3 <= abs(value) < 1e3 else f"{value:.2e}"
