"""Numbers inside a text that keep all their digits: shown short or long, clicked and copied exactly.

A marked number is its exact value, the digits it is shown with at least, and its short text, between characters that no
text has (of Unicode's private use area). Formulas are put together from such texts as from any others.
"""

from __future__ import annotations

import re
from html import escape

from gradsim.views.inspection.number_text import exact_text, number_text

_MARKED = re.compile("\ue000([^;]*);(\\d+)\ue001([^\ue002]*)\ue002")


def told(value: float, digits: int = 4) -> str:
    """Return a marked number.

    Parameters
    ----------
    value : float
        Any number.
    digits : int, default 4
        Significant digits it is shown with at least.

    Returns
    -------
    str
        For ``plain_text`` and ``linked_text``.
    """
    return f"\ue000{exact_text(value)};{digits}\ue001{number_text(value, digits)}\ue002"


def plain_text(text: str, digits: int = 0) -> str:
    """Return a text with its numbers written out.

    Parameters
    ----------
    text : str
        With marked numbers or without.
    digits : int, default 0
        Significant digits of every number, unless it asks for more.

    Returns
    -------
    str
        Without marks.
    """
    return _MARKED.sub(lambda found: _shown(found, digits), text)


def exact_plain_text(text: str) -> str:
    """Return a text whose marked numbers are written so that they give the same double back."""
    return _MARKED.sub(lambda found: found[1], text)


def linked_text(text: str, color: str, digits: int = 0) -> str:
    """Return a text as HTML in which every number is a link to its exact value.

    Parameters
    ----------
    text : str
        With marked numbers or without.
    color : str
        Of the numbers; a link in Qt does not take that of its surroundings.
    digits : int, default 0
        As of ``plain_text``.

    Returns
    -------
    str
        Links of the form ``copy:0.5716515655…``; lines end in ``<br>``.
    """
    parts, end = [], 0
    for found in _MARKED.finditer(text):
        parts.append(escape(text[end : found.start()]))
        parts.append(_link(_shown(found, digits), found[1], color))
        end = found.end()
    return "".join([*parts, escape(text[end:])]).replace("\n", "<br>")


def _link(text: str, exact: str, color: str) -> str:
    return f"<a href='copy:{exact}' style='color:{color}; text-decoration:none'>{escape(text)}</a>"


def _shown(found: re.Match[str], digits: int) -> str:
    return found[3] if digits <= int(found[2]) else number_text(float(found[1]), digits)
