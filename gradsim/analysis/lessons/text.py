"""The text of a lesson: a little Markdown with formulas, and numbers that are measured or checked.

A number in double braces is never taken on trust: ``{{loss}}`` shows what this pass measured, ``{{0.026 = loss}}``
shows the printed digits and says that the measured number rounds to them, ``{{0.027 != loss}}`` that it does not
(what an article printed wrongly), ``{{0.025 ~ loss}}`` that it is within a tenth.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from gradsim.analysis.lessons.expression import expression
from gradsim.analysis.lessons.expression_tree import Expression, ExpressionError

DIGITS = 4
ROUGHLY = 0.1
Style = Literal["plain", "bold", "italic", "code", "formula"]
_STATED = re.compile(
    r"\s*(?P<sign>[-−]?)(?P<number>(?:\d+\.?\d*(?:e[-−+]?\d+)?)|∞|NaN)\s*(?P<percent>%?)\s*(?P<how>!=|=|~|≠|≈)\s*(?P<rest>.+)",
    re.DOTALL,
)
_COMPUTED = re.compile(r"(?P<rest>.+?)\s*(?:;\s*(?P<digits>[1-9]|1[0-7])\s*)?", re.DOTALL)
_INLINE = re.compile(r"\{\{(?P<value>.+?)\}\}|\\(?P<escaped>[*$`\\|])|(?P<mark>\*\*|[*$`])", re.DOTALL)
_UNCHECKED = re.compile(r"(?<![\w.])\d+(?:\.\d+(?:e-?\d+)?|e-?\d+|(?=\s?%))")


@dataclass(frozen=True, slots=True)
class Value:
    """A number in a text.

    Attributes
    ----------
    shown : str or None
        The digits as written; None for a number that is measured.
    how : {"", "=", "!=", "~"}
        What the written number has to do with the measured one; empty where none is written.
    expression : Expression
        What is measured.
    digits : int
        Significant digits of a number that is measured.
    percent : bool
        Whether the written number is in percent.
    """

    shown: str | None
    how: Literal["", "=", "!=", "~"]
    expression: Expression
    digits: int = DIGITS
    percent: bool = False

    def is_right(self, measured: float) -> bool:
        """Return whether what is written is true.

        Parameters
        ----------
        measured : float
            Value of the expression.

        Returns
        -------
        bool
            True for a number that only shows what is measured.
        """
        if self.shown is None:
            return True
        scale = 100.0 if self.percent else 1.0
        rounds = rounds_to(measured * scale, self.shown)
        if self.how == "=":
            return rounds
        if self.how == "!=":
            return not rounds
        stated = _number(self.shown)
        return abs(measured * scale - stated) <= ROUGHLY * abs(stated)


@dataclass(frozen=True, slots=True)
class Run:
    """A piece of text in one style: words or, where ``value`` is given, a number."""

    text: str
    style: Style = "plain"
    value: Value | None = None


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph, a list, a table, or a formula on a line of its own.

    Attributes
    ----------
    kind : {"paragraph", "list", "table", "formula"}
        What it is.
    rows : tuple of tuple of tuple of Run
        Rows of cells of runs: one of each for a paragraph, one cell in every row of a list.
    headed : bool
        Whether the first row of a table is its heading.
    """

    kind: Literal["paragraph", "list", "table", "formula"]
    rows: tuple[tuple[tuple[Run, ...], ...], ...]
    headed: bool = False


def rounds_to(measured: float, shown: str) -> bool:
    """Return whether a number, rounded to as many digits as are shown, is what is shown.

    Parameters
    ----------
    measured : float
        Any number.
    shown : str
        Such as ``0.0261``, ``2.3e-5``, ``−3``, ``∞`` or ``NaN``. A plain ``0`` means exactly 0.

    Returns
    -------
    bool
        By half a unit of the last digit shown.
    """
    stated = _number(shown)
    if math.isnan(stated) or math.isnan(measured):
        return math.isnan(stated) and math.isnan(measured)
    if math.isinf(stated) or math.isinf(measured) or shown == "0":
        return stated == measured
    mantissa, _, power = shown.replace("−", "-").partition("e")
    decimals = len(mantissa.partition(".")[2])
    unit = 10.0 ** (int(power or 0) - decimals)
    # The written digits are not exact doubles either: a few units in the last place of the arithmetic.
    return abs(measured - stated) <= unit * (0.5 + 1e-9) + 4e-16 * abs(stated)


def blocks(text: str) -> tuple[Block, ...]:
    """Return a text as blocks.

    Parameters
    ----------
    text : str
        Markup.

    Returns
    -------
    tuple of Block
        In order.

    Raises
    ------
    ExpressionError
        Where a mark is never closed or a number cannot be read.
    """
    found = []
    for part in re.split(r"\n\s*\n", text.strip()):
        lines = [line.strip() for line in part.splitlines() if line.strip()]
        if not lines:
            continue
        if lines[0].startswith("|"):
            found.append(_table(lines))
        elif lines[0].startswith("- "):
            items = re.split(r"(?:^|\n)- ", "\n".join(lines))[1:]
            found.append(Block("list", tuple((_runs(" ".join(item.split())),) for item in items)))
        elif part.strip().startswith("$$") and part.strip().endswith("$$") and len(part.strip()) > 4:
            inner = " ".join(part.strip()[2:-2].split())
            found.append(Block("formula", ((_runs(f"${inner}$"),),)))
        else:
            found.append(Block("paragraph", ((_runs(" ".join(lines)),),)))
    return tuple(found)


def values_of(text: str) -> Iterator[Value]:
    """Yield the numbers of a text that are measured or checked.

    Parameters
    ----------
    text : str
        Markup.

    Yields
    ------
    Value
        In order.

    Raises
    ------
    ExpressionError
        As ``blocks``.
    """
    for block in blocks(text):
        for row in block.rows:
            for cell in row:
                yield from (run.value for run in cell if run.value is not None)


def unchecked_numbers(text: str) -> tuple[str, ...]:
    """Return the decimals and percentages of a text that nothing checks.

    Parameters
    ----------
    text : str
        Markup.

    Returns
    -------
    tuple of str
        As they are written. Whole numbers are left alone: most of them count things.
    """
    words = [
        run.text
        for block in blocks(text)
        for row in block.rows
        for cell in row
        for run in cell
        if run.value is None and run.style != "code"
    ]
    return tuple(match[0] for word in words for match in _UNCHECKED.finditer(word))


def _table(lines: list[str]) -> Block:
    rows, headed = [], False
    for place, line in enumerate(lines):
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip().strip("|"))]
        if place == 1 and all(re.fullmatch(r":?-+:?", cell) for cell in cells):
            headed = True
        else:
            rows.append(tuple(_runs(cell) for cell in cells))
    if len({len(row) for row in rows}) > 1:
        raise ExpressionError(f"a table has rows of {' and '.join(str(len(row)) for row in rows)} cells")
    return Block("table", tuple(rows), headed)


def _runs(text: str) -> tuple[Run, ...]:
    runs: list[Run] = []
    style: Style = "plain"
    words, position = "", 0
    styles: dict[str, Style] = {"**": "bold", "*": "italic", "`": "code", "$": "formula"}

    def close() -> None:
        nonlocal words
        if words:
            runs.append(Run(words, style))
        words = ""

    for match in _INLINE.finditer(text):
        words += text[position : match.start()]
        position = match.end()
        mark = match["mark"]
        if match["escaped"]:
            words += match["escaped"]
        elif match["value"] is not None:
            if style == "code":
                words += match[0]
                continue
            close()
            runs.append(Run(match[0], style, _value(match["value"])))
        elif style == "plain" and not _stands_alone(text, match):
            close()
            style = styles[mark]
        elif styles[mark] == style:
            close()
            style = "plain"
        else:
            words += mark
    words += text[position:]
    if any("{{" in run.text for run in (*runs, Run(words)) if run.value is None and run.style != "code"):
        raise ExpressionError(f"{{{{ is opened and never closed, or holds nothing, in {text[:60]!r}")
    if style != "plain":
        mark = next(mark for mark, name in styles.items() if name == style)
        raise ExpressionError(f"{mark} is opened and never closed in {text[:60]!r}")
    close()
    for run in runs:
        command = (
            re.search(r"\\[A-Za-z]+", run.text) if run.style == "formula" and run.value is None else None
        )
        if command:
            raise ExpressionError(
                f"{command[0]} is TeX; a formula is written as it reads: a/b, √x, δ_1, x^2, σ'(z)"
            )
    return tuple(runs)


def _stands_alone(text: str, match: re.Match[str]) -> bool:
    """Whether a star has blanks on both sides: then it is a star."""
    around = text[max(match.start() - 1, 0) : match.start()] + text[match.end() : match.end() + 1]
    return match["mark"] == "*" and around.strip() == ""


def _value(text: str) -> Value:
    stated = _STATED.fullmatch(text)
    if stated is not None:
        how = {"≠": "!=", "≈": "~"}.get(stated["how"], stated["how"])
        shown = stated["sign"].replace("-", "−") + stated["number"]
        return Value(shown, how, expression(stated["rest"].strip()), percent=bool(stated["percent"]))  # type: ignore[arg-type]
    computed = _COMPUTED.fullmatch(text)
    assert computed is not None  # it matches everything
    return Value(None, "", expression(computed["rest"].strip()), int(computed["digits"] or DIGITS))


def _number(shown: str) -> float:
    plain = shown.replace("−", "-")
    return float(plain.replace("∞", "inf"))
