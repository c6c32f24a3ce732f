"""The table of statistics as a widget: numbers aligned, the tensor of the step marked, all of it copyable."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, QSize, Qt, QTimer
from PySide6.QtGui import QAction, QColor, QFont, QFontMetrics, QGuiApplication, QKeySequence, QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView, QWidget

from gradsim.views.fonts import mono_font, sans_font
from gradsim.views.inspection.tables import ROW_WORDS, ROWS, StatisticsTable
from gradsim.views.theme import LIGHT, Theme

_WIDEST_NUMBER = "−1.234·10⁻¹⁴"
_NO_PARENT = QModelIndex()
_Index = QModelIndex | QPersistentModelIndex


class StatisticsModel(QAbstractTableModel):
    """Statistics as rows, tensors as columns."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._table: StatisticsTable | None = None
        self._marked = -1
        self._mark = QColor()
        self._font = mono_font(8.5)
        self._heading_font = sans_font(9.0, bold=True)

    @property
    def table(self) -> StatisticsTable | None:
        """The numbers."""
        return self._table

    def set_table(self, table: StatisticsTable | None) -> None:
        """Show other numbers; columns stay where they are as long as the tensors are the same."""
        before = () if self._table is None else self._table.tensors
        after = () if table is None else table.tensors
        if before == after and table is not None:
            self._table = table
            self.dataChanged.emit(self.index(0, 0), self.index(len(ROWS) - 1, len(after) - 1))
        else:
            self.beginResetModel()
            self._table = table
            self.endResetModel()

    def mark(self, tensor: str, color: QColor) -> int:
        """Mark the column of a tensor; return it, -1 for none."""
        tensors = () if self._table is None else self._table.tensors
        marked = tensors.index(tensor) if tensor in tensors else -1
        if (marked, color) != (self._marked, self._mark):
            self._marked, self._mark = marked, color
            if tensors:
                self.headerDataChanged.emit(Qt.Orientation.Horizontal, 0, len(tensors) - 1)
                self.dataChanged.emit(self.index(0, 0), self.index(len(ROWS) - 1, len(tensors) - 1))
        return marked

    def rowCount(self, parent: _Index = _NO_PARENT) -> int:
        return 0 if self._table is None or parent.isValid() else len(ROWS)

    def columnCount(self, parent: _Index = _NO_PARENT) -> int:
        return 0 if self._table is None or parent.isValid() else len(self._table.tensors)

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return what Qt asks of a cell."""
        if self._table is None or not index.isValid():
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return self._table.short_text(index.row(), index.column())
        if role == Qt.ItemDataRole.ToolTipRole:
            tensor = self._table.tensors[index.column()].replace("_", " ")
            exact = self._table.exact_text(index.row(), index.column())
            return f"{ROW_WORDS.get(ROWS[index.row()], ROWS[index.row()])} of {tensor}: {exact}"
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        if role == Qt.ItemDataRole.FontRole:
            return self._font
        if role == Qt.ItemDataRole.BackgroundRole and index.column() == self._marked:
            tint = QColor(self._mark)
            tint.setAlphaF(0.13)
            return tint
        return None

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        if self._table is None:
            return None
        if orientation == Qt.Orientation.Vertical:
            if role == Qt.ItemDataRole.DisplayRole:
                return ROW_WORDS.get(ROWS[section], ROWS[section])
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return self._table.symbols[section]
        if role == Qt.ItemDataRole.ToolTipRole:
            return self._table.tensors[section].replace("_", " ")
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter) | int(
                Qt.TextFlag.TextWordWrap
            )
        if section == self._marked:
            if role == Qt.ItemDataRole.FontRole:
                return QFont(self._heading_font)
            if role == Qt.ItemDataRole.ForegroundRole:
                return self._mark
        return None


class StatisticsView(QTableView):
    """Shows a ``StatisticsModel``; Ctrl+C copies the selected numbers in all their digits."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.statistics = StatisticsModel(self)
        self._marked = -1
        self.setModel(self.statistics)
        self.setAccessibleName("Statistics of the layer's tensors")
        self.setSelectionMode(QAbstractItemView.SelectionMode.ContiguousSelection)
        # Column by column, each wholly seen: see _fit_columns.
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerItem)
        self.setTabKeyNavigation(False)  # Tab leaves the table; arrows move in it
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setFrameShape(QTableView.Shape.NoFrame)
        columns = self.horizontalHeader()
        columns.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        # Only once the scroll bars stand: they come and go with the width of the columns.
        self._fitting = QTimer(self, singleShot=True, interval=0)
        self._fitting.timeout.connect(self._fit_columns)
        self.statistics.modelReset.connect(self._fitting.start)
        columns.setHighlightSections(False)
        rows = self.verticalHeader()
        rows.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        rows.setDefaultSectionSize(QFontMetrics(mono_font(8.5)).height() + 5)
        rows.setHighlightSections(False)
        columns.setDefaultAlignment(
            Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextWordWrap
        )
        columns.setFixedHeight(QFontMetrics(sans_font()).height() + 10)
        self._limit_height()
        copy = QAction("Copy the selected numbers", self)
        copy.setShortcut(QKeySequence.StandardKey.Copy)
        copy.setShortcutContext(Qt.ShortcutContext.WidgetShortcut)
        copy.triggered.connect(lambda: QGuiApplication.clipboard().setText(self.selected_text()))
        whole = QAction("Copy the whole table", self)
        whole.triggered.connect(lambda: QGuiApplication.clipboard().setText(self.whole_text()))
        self.addActions([copy, whole])
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.ActionsContextMenu)

    def sizeHint(self) -> QSize:
        return QSize(320, self.maximumHeight())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fitting.start()

    def _fit_columns(self) -> None:
        """Make columns so wide that no number is cut and a whole number of them fits; long headings wrap."""
        table = self.statistics.table
        if table is None:
            return
        needed = QFontMetrics(mono_font(8.5)).horizontalAdvance(_WIDEST_NUMBER) + 8
        room = self.viewport().width()
        fitting = max(min(room // needed, len(table.symbols)), 1)
        header, metrics = self.horizontalHeader(), QFontMetrics(sans_font(9.0, bold=True))
        size = max(room // fitting, 1)
        if fitting == len(table.symbols):  # all are seen: they need not lie far apart
            size = min(size, int(1.4 * needed))
        header.setDefaultSectionSize(size)
        is_long = any(
            metrics.horizontalAdvance(symbol) + 14 > header.defaultSectionSize() for symbol in table.symbols
        )
        height = metrics.height() * (2 if is_long else 1) + 10
        if height != header.height():
            header.setFixedHeight(height)
            self.updateGeometries()  # or the first row lies below the taller heading
        self._limit_height()
        if self._marked >= 0:
            self.scrollTo(self.statistics.index(0, self._marked))
        # The header keeps the place of the first column in px, which its new width has moved.
        header.setOffsetToSectionPosition(self.horizontalScrollBar().value())

    def _limit_height(self) -> None:
        """Be as high as its rows and a scroll bar: what is left belongs to the formula above."""
        height = self.horizontalHeader().height() + len(ROWS) * self.verticalHeader().defaultSectionSize()
        self.setMaximumHeight(height + self.horizontalScrollBar().sizeHint().height() + 8)
        self.setMinimumHeight(3 * height // 8)  # a second line of words above it finds room

    def mark(self, tensor: str, color: QColor) -> None:
        """Mark the column of a tensor and bring it into view."""
        self._marked = self.statistics.mark(tensor, color)
        if self._marked >= 0:
            self.scrollTo(self.statistics.index(0, self._marked))

    def set_theme(self, theme: Theme = LIGHT) -> None:
        """Change the colours."""
        self.setStyleSheet(
            f"QTableView {{ background: {theme.background}; color: {theme.text}; }}"
            f"QHeaderView {{ background: {theme.window}; }}"
            f"QTableCornerButton::section {{ background: {theme.window}; border: none; }}"
            f"QHeaderView::section {{ background: {theme.window}; color: {theme.muted}; border: none;"
            f" padding: 2px 6px; }}"
        )

    def selected_text(self) -> str:
        """Return the selected numbers in all their digits: tabs between columns, a line for each row."""
        table = self.statistics.table
        chosen = sorted((index.row(), index.column()) for index in self.selectedIndexes())
        if table is None or not chosen:
            return ""
        rows = sorted({row for row, _ in chosen})
        columns = sorted({column for _, column in chosen})
        return "\n".join("\t".join(table.exact_text(row, column) for column in columns) for row in rows)

    def whole_text(self) -> str:
        """Return all numbers in all their digits, with the names of rows and columns."""
        table = self.statistics.table
        if table is None:
            return ""
        lines = ["\t".join(("statistic", *table.tensors))]
        for row, name in enumerate(ROWS):
            numbers = (table.exact_text(row, column) for column in range(len(table.tensors)))
            lines.append("\t".join((name, *numbers)))
        return "\n".join(lines)
