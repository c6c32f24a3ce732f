"""HTML as the inspector writes it: numbers that are links, colours of factors, tables that fit a narrow dock."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

from gradsim.views.inspection.chain_words import Role
from gradsim.views.inspection.marked_number import linked_text, told
from gradsim.views.theme import Theme

WIDE = 430
"""From this width on, px, more is said of a factor."""

_NARROW_DIGITS = 6
"""So many digits leave room for words beside them in a narrow dock."""


def role_color(theme: Theme, role: Role) -> str:
    """Return the colour of a factor: vermilion, green and blue of Okabe and Ito, as light as the ground asks for."""
    return {
        "loss": theme.series[1],
        "output": theme.series[2],
        "weight": theme.series[0],
        "both": theme.series[1],
    }.get(role, theme.text)


@dataclass(frozen=True, slots=True)
class HtmlWriter:
    """How things are written.

    Attributes
    ----------
    theme : Theme
        Colours.
    digits : int
        Significant digits.
    width : int
        Room, px.
    font : str
        Font of the numbers.
    """

    theme: Theme
    digits: int
    width: int
    font: str

    @property
    def is_tight(self) -> bool:
        """Whether a number leaves no room for words beside it."""
        return self.width < WIDE and self.digits > _NARROW_DIGITS

    @property
    def is_tightest(self) -> bool:
        """Whether two numbers have no room beside one another."""
        return self.width < WIDE and self.digits > 2 * _NARROW_DIGITS

    def number(self, value: float, digits: int = 0) -> str:
        """Return a number that can be clicked."""
        return self.mono(linked_text(told(value), self.theme.text, digits or self.digits), escaped=True)

    def mono(self, text: str, *, escaped: bool = False) -> str:
        """Return a text in the font of the numbers."""
        inner = text if escaped else escape(text)
        return f"<span style='font-family:\"{self.font}\"; font-size:8.5pt'>{inner}</span>"

    def colored(self, role: Role, text: str) -> str:
        """Return a text in the colour of a factor."""
        return f"<b><span style='color:{role_color(self.theme, role)}'>{self.mono(text)}</span></b>"

    def in_color(self, role: Role, value: float) -> str:
        """Return a number that can be clicked in the colour of a factor."""
        return self.mono(linked_text(told(value), role_color(self.theme, role), self.digits), escaped=True)

    def wish(self, target: str, text: str) -> str:
        """Return a link that is a wish."""
        return (
            f"<a href='{target}' style='color:{self.theme.accent}; text-decoration:none'>{escape(text)}</a>"
        )

    def title(self, text: str) -> str:
        """Return a heading."""
        return f"<p style='margin:8px 0 2px 0'><b>{escape(text)}</b></p>"

    def muted(self, text: str) -> str:
        """Return a paragraph that steps back."""
        return f"<p style='margin:2px 0 6px 0; color:{self.theme.muted}'>{escape(text)}</p>"

    def row(self, symbol: str, number: str, words: str) -> str:
        """Return a row of a symbol, its number and what it is."""
        first = f"<td style='padding-right:4px'>{symbol}</td>"
        value = f"<td align='right' style='white-space:nowrap; padding-right:6px'>{number}</td>"
        if self.is_tight:  # the words in a line of their own
            told = f"<tr><td colspan='2' style='color:{self.theme.muted}'>{words}</td></tr>"
            return f"{told}<tr>{first}{value}</tr>"
        return f"<tr>{first}{value}<td style='color:{self.theme.muted}'>{words}</td></tr>"

    def cells(self, cells: list[str], *, header: bool = False, left: int = -1, span: int = 1) -> str:
        """Return a row of cells: numbers to the right, unbroken; one of words to the left. The first may span."""
        color = f"color:{self.theme.muted}" if header else ""
        done = []
        for index, cell in enumerate(cells):
            style = (
                color
                if index == left
                else f"white-space:nowrap; padding-right:{4 if self.width < WIDE else 10}px; {color}"
            )
            aligned = "" if index == left else " align='right'"
            wide = f" colspan='{span}'" if span > 1 and index == 0 else ""
            done.append(f"<td{aligned}{wide} style='{style}'>{cell}</td>")
        return f"<tr>{''.join(done)}</tr>"

    def table(self, rows: list[str]) -> str:
        """Return a table of rows."""
        return f"<table cellspacing='0' cellpadding='1'>{''.join(rows)}</table>"
