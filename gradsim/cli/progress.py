"""A progress bar on stderr for people. Where nobody watches only what takes minutes is told, in a line of its own."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Self

from gradsim.cli.terminal import Terminal, terminal_of

_SECONDS_BETWEEN_DRAWINGS = 0.05
_SECONDS_BEFORE_THE_FIRST = 0.3
_LONGEST_BAR = 30


class Progress:
    """A bar that is drawn in place and leaves nothing behind.

    Parameters
    ----------
    terminal : Terminal, optional
        Standard error by default.
    """

    def __init__(self, terminal: Terminal | None = None) -> None:
        self._terminal = terminal_of(sys.stderr) if terminal is None else terminal
        self._label = ""
        self._started = self._drawn = time.monotonic()
        self._visible = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.clear()

    def show(self, label: str, share: float, note: str = "") -> None:
        """Draw the bar, unless it has just been drawn or the work has only begun.

        Parameters
        ----------
        label : str
            What is being done.
        share : float
            How much of it is done, from 0 to 1.
        note : str, default empty
            What is known beside the share, such as ``120 of 200 iterations``.
        """
        if not self._terminal.interactive:
            return
        now = time.monotonic()
        if label != self._label:
            self._label, self._started, self._drawn = label, now, now - _SECONDS_BETWEEN_DRAWINGS
        if now - self._started < _SECONDS_BEFORE_THE_FIRST or now - self._drawn < _SECONDS_BETWEEN_DRAWINGS:
            return
        self._drawn = now
        self._terminal.stream.write("\r\x1b[2K" + self.line(label, share, note, now - self._started))
        self._terminal.stream.flush()
        self._visible = True

    def tell(self, line: str) -> None:
        """Write a line where no bar can be drawn, because the output is captured.

        Parameters
        ----------
        line : str
            What a log should hold: the beginning and the end of what takes minutes.
        """
        if not self._terminal.interactive:
            self._terminal.write(self._terminal.text(line))
            self._terminal.stream.flush()

    def line(self, label: str, share: float, note: str, seconds: float) -> str:
        """Return the bar as text, as long as the terminal is wide at most.

        Parameters
        ----------
        label : str
            What is being done.
        share : float
            How much of it is done, from 0 to 1.
        note : str
            What is known beside the share.
        seconds : float
            How long it has taken so far.

        Returns
        -------
        str
            Without line feed.
        """
        share = min(max(share, 0.0), 1.0)
        left = (
            f" · {_duration(seconds * (1 - share) / share)} left"
            if share > 0.01 or (share > 0 and seconds > 3)
            else ""
        )
        words = self._terminal.text(f" {share:4.0%}" + (f" · {note}" if note else "") + left)
        room = (self._terminal.width or 80) - 1
        bar = min(_LONGEST_BAR, room - len(label) - len(words) - 1)
        if bar < 5:
            return self._terminal.text(f"{label}{words}")[:room]
        full = round(bar * share)
        return self._terminal.text(f"{label} {'█' * full}{'░' * (bar - full)}") + words

    def clear(self) -> None:
        """Take the bar away."""
        if self._visible:
            self._terminal.stream.write("\r\x1b[2K")
            self._terminal.stream.flush()
            self._visible = False


def _duration(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"
