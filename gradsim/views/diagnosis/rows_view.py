"""A table of rules with their states, grouped; what is selected can be copied."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QBrush, QColor, QGuiApplication, QKeySequence
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTreeWidget, QTreeWidgetItem, QWidget

from gradsim.views.theme import LIGHT, Theme

HEADINGS = ("Rule", "", "Measured", "Cut", "Layer")
"""The second is the state, which needs no heading."""
_STATE_COLUMN = 1


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
        self.setAccessibleName(name)
        self.setColumnCount(len(HEADINGS))
        self.setHeaderLabels(HEADINGS)
        self.setFrameShape(QTreeWidget.Shape.NoFrame)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setIndentation(10)
        self.setUniformRowHeights(True)
        self.header().setStretchLastSection(True)
        self.header().setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
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
            for column in range(len(HEADINGS)):
                self.resizeColumnToContents(column)
            self.setColumnWidth(0, min(self.columnWidth(0), max(120, round(0.42 * self.width()))))
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
