"""Tabs in which there is nothing to see for the present experiment step aside, and come back by themselves."""

from __future__ import annotations

from PySide6.QtWidgets import QDockWidget

from gradsim.app.views_table import VIEWS, ViewRow
from gradsim.trace import Run


class SteppingAside:
    """Hides the docks of views that suit no run like the present one; what a person opens stays open.

    Parameters
    ----------
    docks : dict from str to QDockWidget
        By the ids of the table of views.
    rows : tuple of ViewRow, default VIEWS
        What suits which run.
    """

    def __init__(self, docks: dict[str, QDockWidget], rows: tuple[ViewRow, ...] = VIEWS) -> None:
        self._docks = docks
        self._rows = rows
        # Until there is a run nothing is known to suit, and a tab that comes disturbs less than one that goes.
        self._suiting = {row.id: row.suits is None for row in rows if row.id in docks}
        self._aside: set[str] = set()
        for id_, suits in self._suiting.items():
            if not suits:
                self._put_aside(id_)

    @property
    def hidden(self) -> frozenset[str]:
        """Ids of the views that have been put aside and not opened since."""
        return frozenset(id_ for id_ in self._aside if self._docks[id_].isHidden())

    def set_run(self, run: Run) -> None:
        """Take the run on screen; nothing moves as long as the same views suit it."""
        for row in self._rows:
            if row.suits is None or row.id not in self._docks:
                continue
            suits = row.suits(run)
            if suits != self._suiting[row.id]:
                self._suiting[row.id] = suits
                self._bring_back(row.id) if suits else self._put_aside(row.id)

    def bring_all_back(self) -> None:
        """Show what was put aside, as before a layout is saved: that it is hidden is no wish of anybody."""
        for id_ in tuple(self._aside):
            self._bring_back(id_)

    def _put_aside(self, id_: str) -> None:
        if not self._docks[id_].isHidden():
            self._docks[id_].hide()
            self._aside.add(id_)

    def _bring_back(self, id_: str) -> None:
        if id_ in self._aside:
            self._aside.discard(id_)
            self._docks[id_].show()
