"""A table of rules with their states, grouped; what is selected can be copied."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QBrush, QColor, QGuiApplication, QKeySequence, QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTreeWidget, QTreeWidgetItem, QWidget

from gradsim.views.theme import LIGHT, Theme

HEADINGS = ("Rule", "", "Measured", "Cut", "Layer")
"""The second is the state, which needs no heading."""
_STATE_COLUMN = 1
_LEAST_NAME = 120
_MOST = (10_000, 90, 110, 130, 10_000)
"""Widths in pixels that columns have at most until somebody moves them; the names get what the others leave."""


@dataclass(frozen=True, slots=True)
class Row:
    """One rule.

    Attributes
    ----------
    name : str
        Of the rule.
    state : str
        A word or two.
    role : str
        Colour of the state: a role of the theme.
    measured, cut, layer : str
        As they are shown.
    tip : str
        All there is to say of it.
    """

    name: str
    state: str
    role: str
    measured: str
    cut: str
    layer: str
    tip: str


Group = tuple[str, tuple[Row, ...]]


class RowsView(QTreeWidget):
    """Groups of rows under their names; groups stay open or closed when the rows change."""

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = LIGHT
        self._groups: tuple[Group, ...] = ()
        self._is_sharing = self._is_moved = False
        self.setAccessibleName(name)
        self.setColumnCount(len(HEADINGS))
        self.setHeaderLabels(HEADINGS)
        self.setFrameShape(QTreeWidget.Shape.NoFrame)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setIndentation(10)
        self.setUniformRowHeights(True)
        self.header().setStretchLastSection(True)
        self.header().setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        self.header().sectionResized.connect(self._note_moved)
        copy = QAction("Copy", self)
        copy.setShortcut(QKeySequence(QKeySequence.StandardKey.Copy))
        copy.setShortcutContext(Qt.ShortcutContext.WidgetShortcut)
        copy.triggered.connect(self.copy)
        self.addAction(copy)

    def set_groups(self, groups: tuple[Group, ...]) -> None:
        """Show other rows."""
        if groups == self._groups:
            return
        closed = {item.text(0) for item in self._tops() if not item.isExpanded()}
        is_first = not self._groups
        scrolled = self.verticalScrollBar().value()
        self._groups = groups
        self.clear()
        for name, rows in groups:
            top = QTreeWidgetItem(self, [name])
            top.setFirstColumnSpanned(True)
            for row in rows:
                item = QTreeWidgetItem(top, [row.name, row.state, row.measured, row.cut, row.layer])
                for column in range(len(HEADINGS)):
                    item.setToolTip(column, row.tip)
            top.setExpanded(name not in closed)
        self._paint()
        if is_first:
            self._share_width()
        self.verticalScrollBar().setValue(scrolled)

    def set_theme(self, theme: Theme) -> None:
        """Change the colours."""
        self._theme = theme
        self._paint()

    def copy(self) -> None:
        """Put the selected rows on the clipboard, as text with tabs."""
        lines = [
            "\t".join(item.text(column) for column in range(len(HEADINGS))) for item in self.selectedItems()
        ]
        QGuiApplication.clipboard().setText("\n".join(line.rstrip("\t") for line in lines))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._share_width()

    def _share_width(self) -> None:
        """Give every column what its words need, and the names the rest, until somebody moves a column."""
        if self._is_moved or not self._groups:
            return
        self._is_sharing = True
        wanted = [
            min(max(self.sizeHintForColumn(column), self.header().sectionSizeHint(column)), most)
            for column, most in enumerate(_MOST)
        ]
        left = self.viewport().width() - sum(wanted[1:])
        wanted[0] = min(wanted[0], max(left, _LEAST_NAME, self.viewport().width() // 2))
        for column, width in enumerate(wanted):
            self.setColumnWidth(column, width)
        self._is_sharing = False

    def _note_moved(self, column: int, before: int, now: int) -> None:
        last = len(HEADINGS) - 1
        self._is_moved |= not self._is_sharing and column != last and self.isVisible()

    def _tops(self) -> list[QTreeWidgetItem]:
        return [item for item in map(self.topLevelItem, range(self.topLevelItemCount())) if item is not None]

    def _paint(self) -> None:
        for top, (_, rows) in zip(self._tops(), self._groups, strict=True):
            font = top.font(0)
            font.setBold(True)
            top.setFont(0, font)
            for place, row in enumerate(rows):
                brush = QBrush(QColor(getattr(self._theme, row.role)))
                item = top.child(place)
                assert item is not None
                item.setForeground(_STATE_COLUMN, brush)
