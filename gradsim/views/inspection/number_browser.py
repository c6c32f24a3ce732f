"""A text whose numbers can be copied in all their digits: by a click, by Enter, by Ctrl+C or from the menu."""

from __future__ import annotations

from PySide6.QtCore import QMimeData, QPoint, QUrl, Signal
from PySide6.QtGui import (
    QAction,
    QContextMenuEvent,
    QGuiApplication,
    QKeyEvent,
    QKeySequence,
    QTextCursor,
    QTextTable,
)
from PySide6.QtWidgets import QFrame, QMenu, QTextBrowser, QToolTip, QWidget

from gradsim.views.theme import Theme

_COPY = "copy:"


class NumberBrowser(QTextBrowser):
    """Shows HTML with links as ``marked_number.linked_text`` makes them.

    Wishes: ``wished(word)`` for a link of any other kind.
    """

    wished = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setOpenLinks(False)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setUndoRedoEnabled(False)
        self.document().setDocumentMargin(6)
        self.anchorClicked.connect(self._follow)
        self.highlighted.connect(self._hint)
        self._html = ""
        self._hints: dict[str, str] = {}

    def set_html(self, html: str) -> None:
        """Show another text; the place in it stays where it was."""
        if html == self._html:
            return
        self._html = html
        bar = self.verticalScrollBar()
        place = bar.value()
        self.setHtml(html)
        bar.setValue(place)

    def set_hints(self, hints: dict[str, str]) -> None:
        """Say what a wish is when the mouse is over it."""
        self._hints = hints

    def set_colors(self, theme: Theme, edge: str = "") -> None:
        """Change the colours, and that of a line at the left edge, if there is to be one."""
        left = f" border-left: 3px solid {edge};" if edge else ""
        style = f"QTextBrowser {{ background: {theme.background}; color: {theme.text}; border: none;{left} }}"
        if style != self.styleSheet():
            self.setStyleSheet(style)

    def text(self) -> str:
        """Return the HTML that is shown."""
        return self._html

    def exact_text(self, cursor: QTextCursor | None = None) -> str:
        """Return what is selected, or all of it, with every number in all its digits.

        Parameters
        ----------
        cursor : QTextCursor, optional
            A selection; without one the whole text.

        Returns
        -------
        str
            A line for each block of text, a tab between the cells of a table.
        """
        chosen = QTextCursor(self.document()) if cursor is None else cursor
        if cursor is None:
            chosen.select(QTextCursor.SelectionType.Document)
        first, last = chosen.selectionStart(), chosen.selectionEnd()
        lines: list[str] = []
        row: tuple[int, int] | None = None
        block = self.document().findBlock(first)
        while block.isValid() and block.position() < max(last, first + 1):
            text = "".join(_fragments(block, first, last))
            table: QTextTable | None = QTextCursor(block).currentTable()
            here = None
            if table is not None:
                cell = table.cellAt(QTextCursor(block))
                here = (table.firstPosition(), cell.row())
            if here is not None and here == row:
                lines[-1] += f"\t{text}"
            else:
                lines.append(text)
            row = here
            block = block.next()
        return "\n".join(line for line in lines if line.strip())

    def createMimeDataFromSelection(self) -> QMimeData:
        """Give the clipboard the exact numbers."""
        data = QMimeData()
        data.setText(self.exact_text(self.textCursor()))
        return data

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Copy everything where nothing is selected."""
        if event.matches(QKeySequence.StandardKey.Copy) and not self.textCursor().hasSelection():
            self._copy(self.exact_text())
            return
        super().keyPressEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        self.menu_at(event.pos()).exec(event.globalPos())

    def menu_at(self, place: QPoint) -> QMenu:
        """Return the menu of a place: its number first, where it is one."""
        menu = QMenu(self)
        target = self.anchorAt(place)
        if target.startswith(_COPY):
            exact = target.removeprefix(_COPY)
            menu.addAction(f"Copy {exact}", lambda: self._copy(exact))
        chosen = QAction("Copy the selection", menu)
        chosen.setEnabled(self.textCursor().hasSelection())
        chosen.triggered.connect(self.copy)
        menu.addAction(chosen)
        menu.addAction("Copy everything, in all digits", lambda: self._copy(self.exact_text()))
        return menu

    def _follow(self, url: QUrl) -> None:
        target = url.toString()
        if target.startswith(_COPY):
            self._copy(target.removeprefix(_COPY))
        else:
            self.wished.emit(target)

    def _hint(self, url: QUrl) -> None:
        target = url.toString()
        words = f"{target.removeprefix(_COPY)} (click copies)" if target.startswith(_COPY) else ""
        self.setToolTip(words or self._hints.get(target, ""))

    def _copy(self, text: str) -> None:
        QGuiApplication.clipboard().setText(text)
        if self.isVisible():
            words = f"Copied: {text}" if "\n" not in text else "Copied"
            QToolTip.showText(self.mapToGlobal(self.cursorRect().bottomLeft()), words, self)


def _fragments(block: object, first: int, last: int) -> list[str]:
    texts = []
    step = block.begin()  # type: ignore[attr-defined]
    while not step.atEnd():
        fragment = step.fragment()
        begin, end = fragment.position(), fragment.position() + fragment.length()
        if begin < last and end > first:
            target = fragment.charFormat().anchorHref()
            if target.startswith(_COPY):
                texts.append(target.removeprefix(_COPY))
            else:
                texts.append(fragment.text()[max(first - begin, 0) : last - begin])
        step += 1
    return texts
