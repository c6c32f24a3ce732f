"""What the stream of a terminal can show: its width, its colours, and which characters it knows."""

from __future__ import annotations

import os
import shutil
import sys
from dataclasses import dataclass
from typing import Literal, TextIO

Style = Literal["plain", "bold", "dim", "shrinking", "growing", "broken", "good"]

_CODES: dict[Style, str] = {
    "plain": "",
    "bold": "1",
    "dim": "2",
    "shrinking": "36",
    "growing": "33",
    "broken": "1;31",
    "good": "32",
}

_ASCII = str.maketrans(
    {
        "×": "x",
        "÷": "/",
        "·": ".",
        "●": "o",
        "…": "...",
        "→": "->",
        "←": "<-",
        "−": "-",
        "–": "-",
        "—": "-",
        "∞": "inf",
        "δ": "delta",
        "Δ": "d",
        "∂": "d",
        "η": "eta",
        "λ": "lambda",
        "φ": "phi",
        "μ": "mu",
        "²": "^2",
        "⁰": "0",
        "₁": "1",
        "₀": "0",
        "±": "+-",
        "≤": "<=",
        "≥": ">=",
        "≈": "~",
        "√": "sqrt ",
        "█": "#",
        "░": ".",
        "─": "-",
        "’": "'",
        "‘": "'",
        "“": '"',
        "”": '"',
        "\N{NO-BREAK SPACE}": " ",
    }
)
_NEEDED = "×·●…→∞δ∂Δ²█░─₁₀−"


@dataclass(frozen=True, slots=True)
class Terminal:
    """A text stream and what it can show.

    Attributes
    ----------
    stream : text stream
        Where text goes.
    width : int or None
        Columns; None where nothing limits a line, as in a file.
    colour : bool
        Whether escape sequences are understood and wanted.
    unicode : bool
        Whether the encoding knows ``×``, ``δ`` and the like.
    interactive : bool
        Whether a person watches.
    """

    stream: TextIO
    width: int | None
    colour: bool
    unicode: bool
    interactive: bool

    def text(self, text: str) -> str:
        """Return a text as this stream can show it.

        Parameters
        ----------
        text : str
            Any text.

        Returns
        -------
        str
            The same, or with ``×`` as ``x`` and so on; what has no likeness is escaped.
        """
        if self.unicode:
            return text
        encoding = getattr(self.stream, "encoding", None) or "ascii"
        return text.translate(_ASCII).encode(encoding, "backslashreplace").decode(encoding)

    def painted(self, text: str, style: Style) -> str:
        """Return a text in a style, or as it is where colours are unknown or unwanted.

        Parameters
        ----------
        text : str
            Any text, already padded.
        style : Style
            Its meaning, not its colour.

        Returns
        -------
        str
            With escape sequences around it.
        """
        code = _CODES[style] if self.colour else ""
        return f"\x1b[{code}m{text}\x1b[0m" if code else text

    def write(self, line: str = "", end: str = "\n") -> None:
        """Write a line.

        Parameters
        ----------
        line : str, default empty
            Text, possibly painted.
        end : str, default a line feed
            What follows it.
        """
        self.stream.write(self.text(line) + end)


def terminal_of(stream: TextIO | None = None) -> Terminal:
    """Find out what a stream can show.

    Parameters
    ----------
    stream : text stream, optional
        Standard output by default.

    Returns
    -------
    Terminal
        Colours only for a person whose environment does not say ``NO_COLOR``.
    """
    stream = sys.stdout if stream is None else stream
    interactive = stream.isatty()
    if interactive or os.environ.get("COLUMNS", "").isdigit():
        width: int | None = shutil.get_terminal_size().columns
    else:
        width = None
    plain = bool(os.environ.get("NO_COLOR")) or os.environ.get("TERM") == "dumb"
    return Terminal(stream, width, interactive and not plain, _knows_unicode(stream), interactive)


def _knows_unicode(stream: TextIO) -> bool:
    try:
        _NEEDED.encode(getattr(stream, "encoding", None) or "ascii")
    except (LookupError, UnicodeEncodeError):
        return False
    return True
