"""Blocks of a lesson as the rich text that Qt draws. Numbers are links, so that they can say where they come from."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from html import escape

from PySide6.QtCore import Qt
from PySide6.QtGui import QCursor
from PySide6.QtWidgets import QApplication, QLabel, QSizePolicy, QToolTip, QWidget

from gradsim.analysis.lessons import Block, Run, Value
from gradsim.views.inspection.number_text import exact_text, number_text, power_of_ten
from gradsim.views.theme import LIGHT, Theme

_PART = re.compile(
    r"(?P<mark>[_^])(?:\{(?P<group>[^{}]*)\}|(?P<one>\w|[−+-]\d))|(?P<word>[A-Za-zΑ-Ωα-ωϕ∂∇][A-Za-zΑ-Ωα-ω]*['′]*)|(?P<rest>.)",
    re.DOTALL,
)
_THIN = "\N{NARROW NO-BREAK SPACE}"


def formula_html(formula: str) -> str:
    """Return a formula as rich text.

    Parameters
    ----------
    formula : str
        Unicode; ``_1``, ``_{ab}``, ``^2`` and ``^{…}`` lower and raise. Single letters become italic, words not.

    Returns
    -------
    str
        HTML that does not break between a sign and its neighbours.
    """
    found = []
    for match in _PART.finditer(formula):
        if match["mark"]:
            tag = "sub" if match["mark"] == "_" else "sup"
            inner = match["group"] if match["group"] is not None else match["one"]
            found.append(f"<{tag}>{formula_html(inner)}</{tag}>")
        elif match["word"]:
            found.append(_word(match["word"]))
        else:
            found.append(_THIN if match["rest"] == " " else escape(match["rest"]))
    return "".join(found)


def _word(word: str) -> str:
    bare = word.rstrip("'′")
    # A hair's breadth, or the prime touches the slanted letter.
    primes = "\N{HAIR SPACE}" * (bare != word) + "′" * (len(word) - len(bare))
    if bare[:1] == "∂":
        return "∂" + (_word(bare[1:]) if bare[1:] else "") + primes
    is_symbol = len(bare) == 1 or (len(bare) == 2 and bare[0] in "Δηδσ")
    return (f"<i>{escape(bare)}</i>" if is_symbol else escape(bare)) + primes


def value_text(value: Value, measured: float | None) -> str:
    """Return a number of a lesson as it is read.

    Parameters
    ----------
    value : Value
        What the lesson says.
    measured : float or None
        What the pass gave; None as long as that is not known.

    Returns
    -------
    str
        The written digits where there are any, else the measured ones, else an ellipsis.
    """
    if value.shown is not None:
        mantissa, e, power = value.shown.partition("e")
        text = f"{mantissa}·{power_of_ten(int(power.replace('−', '-')))}" if e else mantissa
        text = text.removeprefix("1·") if e else text
        return f"{text}{_THIN}%" if value.percent else text
    return "…" if measured is None else number_text(measured, value.digits)


def value_origin(value: Value, measured: float | None) -> str:
    """Return where a number comes from, for its tooltip."""
    if measured is None:
        return f"{value.expression.text}: not measured yet"
    says = {"": "measured", "=": "written and checked", "!=": "printed elsewhere, and not so", "~": "about"}[
        value.how
    ]
    if not value.is_right(measured):
        says = "written, but this is not so"
    if value.expression.names():
        return f"{value.expression.text} = {exact_text(measured)}\n{says}; click to copy"
    return f"{value.expression.text} = {exact_text(measured)}\nclick to copy"


def html_of(
    blocks: Sequence[Block], numbers: Mapping[Value, float], theme: Theme, values: list[Value] | None = None
) -> str:
    """Return blocks as rich text.

    Parameters
    ----------
    blocks : sequence of Block
        A page, or part of one.
    numbers : mapping from Value to float
        What was measured.
    theme : Theme
        Colours of numbers, code and tables.
    values : list of Value, optional
        Gets every number in order; the links are indices into it.

    Returns
    -------
    str
        HTML in the subset that Qt knows.
    """
    values = [] if values is None else values
    return "".join(_block(block, numbers, theme, values) for block in blocks)


def _block(block: Block, numbers: Mapping[Value, float], theme: Theme, values: list[Value]) -> str:
    def cell(runs: Sequence[Run]) -> str:
        return "".join(_run(run, numbers, theme, values) for run in runs)

    if block.kind == "paragraph":
        return f'<p style="margin:0 0 8px 0; line-height:125%">{cell(block.rows[0][0])}</p>'
    if block.kind == "formula":
        return f'<p align="center" style="margin:4px 0 12px 0; font-size:large">{cell(block.rows[0][0])}</p>'
    if block.kind == "list":
        items = "".join(f'<li style="margin-bottom:3px">{cell(row[0])}</li>' for row in block.rows)
        return f'<ul style="margin:0 0 8px 0; -qt-list-indent:0; margin-left:14px">{items}</ul>'
    rows = []
    for place, row in enumerate(block.rows):
        is_head = block.headed and place == 0
        line = theme.outline if is_head else theme.grid
        style = f"border-bottom:1px solid {line}; padding:3px 8px 3px 0; font-size:small"
        cells = (cell(runs) for runs in row)
        rows.append(
            "<tr>"
            + "".join(f'<td style="{style}">{f"<b>{c}</b>" if is_head else c}</td>' for c in cells)
            + "</tr>"
        )
    return (
        '<table cellspacing="0" cellpadding="0" style="margin:6px 0 10px 0; border-collapse:collapse">'
        f"{''.join(rows)}</table>"
    )


def _run(run: Run, numbers: Mapping[Value, float], theme: Theme, values: list[Value]) -> str:
    if run.value is not None:
        values.append(run.value)
        measured = numbers.get(run.value)
        is_wrong = measured is not None and not run.value.is_right(measured)
        color = theme.warn if run.value.how == "!=" or is_wrong else theme.accent
        text = escape(value_text(run.value, measured)).replace(" ", "&nbsp;")
        if is_wrong and measured is not None:  # somebody's own lesson, that was not checked
            text += f" (measured: {escape(number_text(measured, run.value.digits))})"
        return f'<a href="{len(values) - 1}" style="color:{color}; text-decoration:none"><b>{text}</b></a>'
    match run.style:
        case "formula":
            return formula_html(run.text)
        case "bold":
            return f"<b>{escape(run.text)}</b>"
        case "italic":
            return f"<i>{escape(run.text)}</i>"
        case "code":
            return f'<code style="background-color:{theme.grid}">{escape(run.text)}</code>'
        case _:
            return escape(run.text)


class RichLabel(QLabel):
    """Blocks of a lesson. A number tells its origin under the mouse and is copied by a click.

    Parameters
    ----------
    parent : QWidget or None
        Owner in the sense of Qt.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setTextFormat(Qt.TextFormat.RichText)
        self.setWordWrap(True)
        self.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.LinksAccessibleByMouse
        )
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        # Without this a long formula would hold the dock wider than people want it.
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)
        self.linkHovered.connect(self._tell)
        self.linkActivated.connect(self._copy)
        self._values: list[Value] = []
        self._numbers: Mapping[Value, float] = {}
        self._shown: tuple[object, ...] | None = None

    def show_blocks(
        self, blocks: Sequence[Block], numbers: Mapping[Value, float], theme: Theme = LIGHT
    ) -> None:
        """Show blocks with what was measured."""
        wanted = (tuple(blocks), dict(numbers), theme.name)
        self.setVisible(bool(blocks))
        if wanted == self._shown:
            return
        self._shown = wanted
        self._values, self._numbers = [], numbers
        self.setText(html_of(blocks, numbers, theme, self._values))

    def plain_text(self) -> str:
        """Return what is shown, without its form."""
        from PySide6.QtGui import QTextDocumentFragment

        return QTextDocumentFragment.fromHtml(self.text()).toPlainText()

    def _tell(self, link: str) -> None:
        if link:
            value = self._values[int(link)]
            QToolTip.showText(QCursor.pos(), value_origin(value, self._numbers.get(value)), self)
        else:
            QToolTip.hideText()

    def _copy(self, link: str) -> None:
        measured = self._numbers.get(self._values[int(link)])
        if measured is not None:
            QApplication.clipboard().setText(exact_text(measured))
            QToolTip.showText(QCursor.pos(), f"{exact_text(measured)} is on the clipboard", self)
