"""Every command by a few letters of its name."""

from __future__ import annotations

import re
from collections.abc import Sequence

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QAction, QIcon, QKeyEvent, QKeySequence, QPainter, QPaintEvent, QPalette, QPixmap
from PySide6.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QHeaderView,
    QLabel,
    QLineEdit,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

MOST_ROWS = 18
_MOVES = (Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_PageUp, Qt.Key.Key_PageDown)


def match_cost(query: str, text: str) -> float | None:
    """
    Return how badly a query fits a text, letter by letter in order.

    Parameters
    ----------
    query : str
        A few letters; blanks do not count, except that they part the words of a query.
    text : str
        The name of a command, perhaps with its menu before a colon.

    Returns
    -------
    float or None
        Whole names come first, then beginnings of names, of words, initials of words, then what is written
        anywhere in one piece; letters that lie apart come last, those at the beginning of a word before others.
        None where a letter is missing.
    """
    loose = _letters_cost(query, text)
    return loose if loose is None or not query.strip() else _TIER * _tier(query, text) + loose


_TIER = 100.0


def _tier(query: str, text: str) -> int:
    """Return from 0 to 5: a name, its beginning, beginnings of words, their initials, a piece, scattered letters."""
    wanted, whole = " ".join(query.lower().split()), text.lower()
    name = whole.rpartition(": ")[2]
    if wanted in (whole, name):
        return 0
    if whole.startswith(wanted) or name.startswith(wanted):
        return 1
    words = iter(re.findall(r"\w+", whole))
    if all(any(word.startswith(part) for word in words) for part in wanted.split()):
        return 2
    initials = r"(?:.*\b)?".join(re.escape(letter) for letter in wanted if letter != " ")
    if re.search(rf"\b{initials}", whole):
        return 3
    return 4 if wanted in whole else 5


def _letters_cost(query: str, text: str) -> float | None:
    wanted = [letter for letter in query.lower() if not letter.isspace()]
    text = text.lower()
    if not wanted:
        return 0.0
    # Cheapest way to have matched the letters so far with the last of them at each place.
    costs: dict[int, float] = {-1: 0.0}
    for letter in wanted:
        reached: dict[int, float] = {}
        for place, here in enumerate(text):
            if here != letter:
                continue
            starts_word = place == 0 or not text[place - 1].isalnum()
            before = [
                cost + (0.0 if place == last + 1 and last >= 0 else 0.3 if starts_word else 1.0)
                for last, cost in costs.items()
                if last < place
            ]
            if before:
                reached[place] = min(before)
        if not reached:
            return None
        costs = reached
    return min(cost + 0.001 * place for place, cost in costs.items()) + 0.002 * len(text)


class CommandPalette(QDialog):
    """A line to type into and the commands that fit it.

    Parameters
    ----------
    actions : sequence of QAction
        All commands; those that cannot be used now are shown dimmed.
    parent : QWidget or None
        The window.
    """

    def __init__(self, actions: Sequence[QAction], parent: QWidget | None = None) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("Commands")
        self._actions = list(actions)
        blank = QPixmap(16, 16)
        blank.fill(Qt.GlobalColor.transparent)
        self._no_icon = QIcon(blank)  # keeps the words of all commands in one column
        self.query = QLineEdit(placeholderText="Type a few letters of a command")
        self.query.setAccessibleName("Search commands")
        self.query.textChanged.connect(self._filter)
        self.query.returnPressed.connect(self._run)
        self.query.installEventFilter(self)
        self.list = QTreeWidget()
        self.list.setColumnCount(2)
        self.list.setHeaderHidden(True)
        self.list.setRootIsDecorated(False)
        self.list.setUniformRowHeights(True)
        self.list.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.list.setAccessibleName("Commands")
        self.list.header().setStretchLastSection(False)
        self.list.header().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        self.list.header().setSectionResizeMode(1, QHeaderView.ResizeMode.ResizeToContents)
        self.list.itemClicked.connect(lambda *_: self._run())
        self.nothing = QLabel("No command has these letters in this order.")
        self.nothing.setForegroundRole(QPalette.ColorRole.PlaceholderText)
        self.nothing.setContentsMargins(4, 2, 4, 2)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 8, 8, 8)
        layout.setSpacing(6)
        layout.addWidget(self.query)
        layout.addWidget(self.list)
        layout.addWidget(self.nothing)
        self._filter("")

    def open_over(self, window: QWidget) -> None:
        """Show the palette at the top of a window."""
        top = window.mapToGlobal(window.rect().topLeft())
        width = min(560, window.width() - 40)
        self.setFixedWidth(width)
        self.move(top.x() + (window.width() - width) // 2, top.y() + 60)
        self.show()
        self.query.setFocus()

    def _filter(self, query: str) -> None:
        fitting = []
        for place, action in enumerate(self._actions):
            cost = match_cost(query, _name(action))
            if cost is not None:
                fitting.append((cost if query.strip() else 0.0, place, action))
        self.list.clear()
        for _, _, action in sorted(fitting, key=lambda row: row[:2]):
            keys = action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)
            item = QTreeWidgetItem([_name(action), keys])
            item.setIcon(0, action.icon() if not action.icon().isNull() else self._no_icon)
            item.setData(0, Qt.ItemDataRole.UserRole, action.objectName())
            item.setToolTip(0, action.toolTip())
            item.setDisabled(not action.isEnabled())
            self.list.addTopLevelItem(item)
        items = (self.list.topLevelItem(i) for i in range(self.list.topLevelItemCount()))
        first = next((item for item in items if item is not None and not item.isDisabled()), None)
        if first is not None:
            self.list.setCurrentItem(first)
        self.list.setVisible(bool(fitting))
        self.nothing.setVisible(not fitting)
        rows = min(max(self.list.topLevelItemCount(), 1), MOST_ROWS)
        row_height = max(self.list.sizeHintForRow(0), self.fontMetrics().height() + 4)
        self.list.setFixedHeight(rows * row_height + 2 * self.list.frameWidth() + 2)
        self.setFixedHeight(self.sizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        painter = QPainter(self)
        painter.setPen(self.palette().color(QPalette.ColorRole.Mid))
        painter.drawRect(self.rect().adjusted(0, 0, -1, -1))

    def _run(self) -> None:
        item = self.list.currentItem()
        if item is None or item.isDisabled():
            return
        name = item.data(0, Qt.ItemDataRole.UserRole)
        action = next(action for action in self._actions if action.objectName() == name)
        self.close()
        action.trigger()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        is_press = event.type() == QEvent.Type.KeyPress
        if is_press and isinstance(event, QKeyEvent) and event.key() in _MOVES:
            self.list.keyPressEvent(event)
            return True
        return super().eventFilter(watched, event)


def _name(action: QAction) -> str:
    path = action.data()
    text = action.text().replace("&", "").rstrip("…").strip()
    return f"{path}: {text}" if path else text
