"""All views as one: what a view has a setter for, it is told; none of them is known here by name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from PySide6.QtCore import QObject, Qt, QTimer

from gradsim.trace import Cursor, Run
from gradsim.views.theme import Theme

TURN_MILLISECONDS = 6
"""From one view's turn to the next: long enough that Qt paints the one before the other is told."""


class Audience(QObject):
    """Hands the state of the session down. A setter is all that a view needs in order to be told.

    While a network trains, records come faster than all views together can be painted between two frames of the
    screen. They may then be told in turns: each is painted alone, and between them the window answers. What a view
    shows is always one record, never parts of two.

    Parameters
    ----------
    views : mapping from str to QWidget
        The views of the table, by id.
    transport : QWidget
        The bar at the bottom, which is told of place and look as views are.
    parent : QObject or None, default None
        Owner in the sense of Qt, with whom the turns end.
    """

    def __init__(self, views: Mapping[str, Any], transport: Any, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._views = tuple(views.values())
        self._all = (*self._views, transport)
        self._run: Run | None = None
        self._cursor: Cursor | None = None
        self._waiting: list[Any] = []
        self._turn = QTimer(self, interval=TURN_MILLISECONDS, timerType=Qt.TimerType.PreciseTimer)
        self._turn.timeout.connect(self._tell_next)

    def set_run(self, run: Run, *, in_turns: bool = False) -> None:
        """Tell of another trace, history or network, and of the place in it that ``set_cursor`` says next.

        ``in_turns`` lets views that are seen wait for their turn; it holds only from iteration to iteration of one
        network. Those that still wait are first, so all have their turn however fast runs come.
        """
        if not in_turns or self._run is None or run.experiment != self._run.experiment:
            self._run = run
            self._end_turns()
            _tell(self._all, "set_run", run)
            return
        self._run = run
        seen = [view for view in self._views if not view.visibleRegion().isEmpty()]
        first = [view for view in self._waiting if view in seen]
        self._waiting = first + [view for view in seen if view not in first]
        _tell(self._at_hand(), "set_run", run)
        if not self._waiting:  # nobody sees anything, as in a window that has just been closed
            self._turn.stop()
        elif not self._turn.isActive():
            self._turn.start()

    def set_cursor(self, cursor: Cursor) -> None:
        """Tell of another place."""
        self._cursor = cursor
        _tell(self._at_hand(), "set_cursor", cursor)

    def catch_up(self) -> None:
        """Tell those who wait for their turn now."""
        while self._waiting:
            self._tell_next()

    def set_theme(self, theme: Theme) -> None:
        """Tell of other colours."""
        _tell(self._all, "set_theme", theme)

    def set_training_rate(self, rate: float) -> None:
        """Tell how fast the training is, in iterations per second."""
        _tell(self._views, "set_training_rate", rate)

    def set_selection(self, layer: int | None, unit: int | None) -> None:
        """Tell of another selection: the unit too, or for a view that knows only layers the layer."""
        for view in self._views:
            if hasattr(view, "set_unit"):
                view.set_unit(layer, unit)
            elif hasattr(view, "set_selected_layer"):
                view.set_selected_layer(layer)

    def _at_hand(self) -> list[Any]:
        return [listener for listener in self._all if listener not in self._waiting]

    def _tell_next(self) -> None:
        view = (self._waiting.pop(0),)
        if not self._waiting:
            self._end_turns()
        _tell(view, "set_run", self._run)
        _tell(view, "set_cursor", self._cursor)

    def _end_turns(self) -> None:
        self._waiting = []
        self._turn.stop()


def _tell(listeners: Iterable[Any], setter: str, value: Any) -> None:
    for listener in listeners:
        if hasattr(listener, setter):
            getattr(listener, setter)(value)
