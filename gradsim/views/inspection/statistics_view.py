"""The table of statistics as a widget: numbers aligned, the tensor of the step marked, all of it copyable."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QModelIndex, QPersistentModelIndex, QSignalBlocker, QSize, Qt, QTimer
from PySide6.QtGui import (
    QAction,
    QColor,
    QFontMetrics,
    QGuiApplication,
    QHelpEvent,
    QKeySequence,
    QPalette,
    QResizeEvent,
    QStandardItem,
    QStandardItemModel,
)
from PySide6.QtWidgets import QAbstractButton, QAbstractItemView, QHeaderView, QTableView, QToolTip, QWidget

from gradsim.views.fonts import mono_font, sans_font
from gradsim.views.inspection.tables import ROW_WORDS, ROWS, StatisticsTable
from gradsim.views.theme import LIGHT, Theme

_WIDEST_NUMBER = "−1.234·10⁻¹⁴"
_HEADING_ALIGNMENT = int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter) | int(
    Qt.TextFlag.TextWordWrap
)
_Index = QModelIndex | QPersistentModelIndex


class StatisticsModel(QStandardItemModel):
    """Statistics as rows, tensors as columns: in items of Qt's, which are painted without a call from Python."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._table: StatisticsTable | None = None
        self._cells: list[list[QStandardItem]] = []
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
        before, self._table = self._table, table
        if table is None or before is None or before.tensors != table.tensors:
            with QSignalBlocker(self):
                self._make_items()
            self.beginResetModel()
            self.endResetModel()  # one reset, when all is there
            return
        if before.symbols != table.symbols:
            self.setHorizontalHeaderLabels(table.symbols)
        with QSignalBlocker(self):  # which would otherwise tell of every cell
            for row, cells in enumerate(self._cells):
                for column, cell in enumerate(cells):
                    cell.setText(table.short_text(row, column))
        self._tell_all()

    def mark(self, tensor: str, color: QColor) -> int:
        """Mark the column of a tensor; return it, -1 for none."""
        tensors = () if self._table is None else self._table.tensors
        marked = tensors.index(tensor) if tensor in tensors else -1
        if (marked, color) != (self._marked, self._mark):
            with QSignalBlocker(self):
                self._color_column(self._marked, None)
                self._marked, self._mark = marked, color
                self._color_column(marked, color)
            if tensors:
                self.headerDataChanged.emit(Qt.Orientation.Horizontal, 0, len(tensors) - 1)
                self._tell_all()
        return marked

    def exact_words(self, index: _Index) -> str:
        """Return what a cell holds, and the number in all its digits."""
        if self._table is None or not index.isValid():
            return ""
        row, tensor = ROWS[index.row()], self._table.tensors[index.column()].replace("_", " ")
        return f"{ROW_WORDS.get(row, row)} of {tensor}: {self._table.exact_text(index.row(), index.column())}"

    def _make_items(self) -> None:
        table = self._table
        self.clear()
        self._cells = []
        if table is None:
            return
        self._cells = [
            [self._cell(table.short_text(row, column)) for column in range(len(table.tensors))]
            for row in range(len(ROWS))
        ]
        for cells in self._cells:
            self.appendRow(cells)
        self.setVerticalHeaderLabels([ROW_WORDS.get(row, row) for row in ROWS])
        for column, (tensor, symbol) in enumerate(zip(table.tensors, table.symbols, strict=True)):
            heading = QStandardItem(symbol)
            heading.setToolTip(tensor.replace("_", " "))
            heading.setData(_HEADING_ALIGNMENT, Qt.ItemDataRole.TextAlignmentRole)
            self.setHorizontalHeaderItem(column, heading)
        self._color_column(self._marked, self._mark)

    def _cell(self, text: str) -> QStandardItem:
        cell = QStandardItem(text)
        cell.setFlags(Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemIsEnabled)
        cell.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        cell.setFont(self._font)
        return cell

    def _color_column(self, column: int, color: QColor | None) -> None:
        """Let a column stand out, or let it stand back where no colour is given."""
        if self._table is None or not 0 <= column < len(self._table.tensors):
            return
        tint = None
        if color is not None:
            tint = QColor(color)
            tint.setAlphaF(0.13)
        for cells in self._cells:
            cells[column].setData(tint, Qt.ItemDataRole.BackgroundRole)
        heading = self.horizontalHeaderItem(column)
        heading.setData(None if color is None else self._heading_font, Qt.ItemDataRole.FontRole)
        heading.setData(color, Qt.ItemDataRole.ForegroundRole)

    def _tell_all(self) -> None:
        assert self._table is not None
        last = self.index(len(ROWS) - 1, len(self._table.tensors) - 1)
        self.dataChanged.emit(self.index(0, 0), last)


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
        self.statistics.modelReset.connect(self._begin_anew)
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

    def viewportEvent(self, event: QEvent) -> bool:
        """Tell the exact number of the cell under the pointer; it is written out only when asked for."""
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            index = self.indexAt(event.pos())
            words, cell = self.statistics.exact_words(index), self.visualRect(index)
            QToolTip.showText(event.globalPos(), words, self.viewport(), cell)
            return True
        return super().viewportEvent(event)

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

    def _begin_anew(self) -> None:
        """Fit other columns; a marked one has to be brought into view again."""
        self._marked = -1
        self._fitting.start()

    def mark(self, tensor: str, color: QColor) -> None:
        """Mark the column of a tensor, and bring it into view when it is another one."""
        before, self._marked = self._marked, self.statistics.mark(tensor, color)
        if self._marked >= 0 and self._marked != before:
            self.scrollTo(self.statistics.index(0, self._marked))

    def set_theme(self, theme: Theme = LIGHT) -> None:
        """Change the colours."""
        # Not by a sheet on the whole table, through which every cell is painted half as slowly again.
        palette = self.palette()
        palette.setColor(QPalette.ColorRole.Base, QColor(theme.background))
        palette.setColor(QPalette.ColorRole.Text, QColor(theme.text))
        self.setPalette(palette)
        sheet = (
            f"QHeaderView {{ background: {theme.window}; }}"
            f"QTableCornerButton::section {{ background: {theme.window}; border: none; }}"
            f"QHeaderView::section {{ background: {theme.window}; color: {theme.muted}; border: none;"
            f" padding: 2px 6px; }}"
        )
        for part in (self.horizontalHeader(), self.verticalHeader(), *self.findChildren(QAbstractButton)):
            part.setStyleSheet(sheet)

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
