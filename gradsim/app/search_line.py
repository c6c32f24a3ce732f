"""A line of text that thins out a page of buttons, and the keys that lead from it to one of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QLabel, QLineEdit, QPushButton, QWidget


@dataclass(frozen=True, slots=True, eq=False)
class Choice:
    """A button that a search finds by its names before it finds it by what else it says."""

    button: QPushButton
    names: str
    words: str

    def cost(self, wanted: Sequence[str]) -> int | None:
        """Return 0 where all wanted words begin a word of the names, up to 2; None where one is nowhere."""
        names, whole = self.names.casefold(), f"{self.names} {self.words}".casefold()
        if not all(word in whole for word in wanted):
            return None
        beginnings = names.replace("_", " ").split()
        if all(any(part.startswith(word) for part in (*beginnings, *names.split())) for word in wanted):
            return 0
        return 1 if all(word in names for word in wanted) else 2


@dataclass(frozen=True, slots=True, eq=False)
class Section:
    """Buttons under a heading that goes with the last of them, unless something else stands below it."""

    heading: QWidget
    choices: Sequence[Choice]
    stays: bool = False


class SearchLine(QLineEdit):
    """Hides what does not hold every typed word; Down goes to what is left, Enter takes the best of it.

    Parameters
    ----------
    sections : sequence of Section
        What is searched, from the top.
    nothing : QLabel
        Says that nothing was found.
    """

    best_changed = Signal()
    """Another button, or none, is the one that Enter takes."""

    def __init__(self, sections: Sequence[Section], nothing: QLabel) -> None:
        super().__init__()
        self._sections, self._nothing = sections, nothing
        self._best: QPushButton | None = None
        self.setClearButtonEnabled(True)
        self.textChanged.connect(self._thin_out)
        self.installEventFilter(self)
        nothing.hide()

    @property
    def best(self) -> QPushButton | None:
        """What Enter takes; None while nothing is typed, and where nothing was found."""
        return self._best

    def found(self) -> list[QPushButton]:
        """Return what is left, from the top."""
        rows = (choice.button for section in self._sections for choice in section.choices)
        return [button for button in rows if not button.isHidden()]

    def _thin_out(self, text: str) -> None:
        wanted = text.casefold().split()
        costs: list[tuple[int, QPushButton]] = []
        for section in self._sections:
            before = len(costs)
            for choice in section.choices:
                cost = choice.cost(wanted)
                choice.button.setVisible(cost is not None)
                if cost is not None:
                    costs.append((cost, choice.button))
            section.heading.setVisible(len(costs) > before or section.stays)
        self._nothing.setText(f"Nothing found for “{text.strip()}”.")
        self._nothing.setVisible(not costs)
        self._best = min(costs, key=lambda row: row[0])[1] if wanted and costs else None
        self.best_changed.emit()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Take the keys that lead to a button: a dialog would give Enter to its first one, whatever is typed."""
        if event.type() != QEvent.Type.KeyPress or not isinstance(event, QKeyEvent):
            return super().eventFilter(watched, event)
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            if self._best is not None:
                self._best.click()
            return True
        if event.key() == Qt.Key.Key_Down:
            target = self._best or next(iter(self.found()), None)
            if target is not None:
                target.setFocus(Qt.FocusReason.TabFocusReason)
            return True
        return super().eventFilter(watched, event)
