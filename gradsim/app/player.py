"""The clock of the playback: when which step is due. The arithmetic itself is ``views.playback``."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QElapsedTimer, QObject, Qt, QTimer, Signal

from gradsim.trace import Cursor, Step
from gradsim.views.playback import FASTEST, SLOWEST, Timetable, cursor_at, timetable

TICK_MILLISECONDS = 16


class Player(QObject):
    """Plays the steps of an iteration, then those of the next one, or the same again.

    Parameters
    ----------
    parent : QObject or None
        Owner in the sense of Qt.
    """

    seek_requested = Signal(object)
    """A step is due (Cursor); past the last one it is the first of the next iteration."""
    playing_changed = Signal(bool)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._timer = QTimer(self, interval=TICK_MILLISECONDS, timerType=Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self.tick)
        self._clock = QElapsedTimer()
        self._speed, self._loop = 4.0, False
        self._steps: tuple[Step, ...] = ()
        self._times = Timetable(())
        self._cursor = self._asked = Cursor()
        self._start = 0
        self._is_told = False

    @property
    def is_playing(self) -> bool:
        """Whether the clock runs."""
        return self._timer.isActive()

    def set_speed(self, speed: float) -> None:
        """Take a speed in steps per second; the step on screen begins anew."""
        self._speed = min(max(speed, SLOWEST), FASTEST)
        self._restart()

    def set_loop(self, loop: bool) -> None:
        """Play the same iteration again and again, or go on to the next one."""
        self._loop = loop
        self._restart()

    def set_steps(self, steps: Sequence[Step]) -> None:
        """Take the steps of an iteration: how many there are, and which are shown only shortly."""
        if steps is not self._steps:
            self._steps = tuple(steps)
            self._times = timetable(self._steps)
            self._is_told = False

    def set_cursor(self, cursor: Cursor) -> None:
        """Take the place on screen; one that was not asked for becomes the new beginning."""
        before = self._cursor
        # Somebody who has come forward to here has seen what went before.
        is_same = cursor.iteration == before.iteration
        self._is_told = is_same and (self._is_told or cursor.step > before.step)
        if cursor != self._asked or cursor.iteration != self._cursor.iteration:
            self._cursor = self._asked = cursor
            self._restart()
        self._cursor = cursor

    def play(self) -> None:
        """Start the clock; from the last step the iteration is told, and the next one if that has been done."""
        if self.is_playing or not self._steps:
            return
        if self._cursor.step >= len(self._steps) - 1:
            goes_on = self._is_told and not self._loop
            self._ask(Cursor(self._cursor.iteration + (1 if goes_on else 0), 0))
        self._restart()
        self._timer.start()
        self.playing_changed.emit(True)

    def pause(self) -> None:
        """Stop the clock."""
        if self.is_playing:
            self._timer.stop()
            self.playing_changed.emit(False)

    def toggle(self) -> None:
        """Play or pause."""
        self.pause() if self.is_playing else self.play()

    def tick(self) -> None:
        """Ask for the step that is due by now."""
        if self._asked != self._cursor:
            return  # the pass of the next iteration is still being recorded
        due = cursor_at(self._clock.elapsed() / 1000, self._speed, self._times, self._loop, self._start)
        if due.finished:
            self._ask(Cursor(self._cursor.iteration + 1, 0))
        elif due.step != self._cursor.step:
            self._ask(Cursor(self._cursor.iteration, due.step))

    def _ask(self, cursor: Cursor) -> None:
        self._asked = cursor
        self.seek_requested.emit(cursor)

    def _restart(self) -> None:
        self._start = self._cursor.step
        self._clock.start()
