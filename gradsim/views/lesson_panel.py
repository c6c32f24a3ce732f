"""The lessons: a list to choose from, and the page of the lesson that runs. It asks; others carry out and judge."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt, QTimer, Signal
from PySide6.QtGui import QPaintEvent, QShowEvent
from PySide6.QtWidgets import QLabel, QPushButton, QStackedLayout, QVBoxLayout, QWidget

from gradsim.views.icons import icon
from gradsim.views.lessons.entry import LessonEntry
from gradsim.views.lessons.page import Page, scrolled
from gradsim.views.lessons.state import LessonRow, LessonState
from gradsim.views.theme import LIGHT, Theme


class LessonPanel(QWidget):
    """List and page.

    Parameters
    ----------
    parent : QWidget or None
        Owner in the sense of Qt.
    """

    list_wanted = Signal()
    """The list is to be seen and there is none yet."""
    lesson_requested = Signal(object)
    """The key of a row of the list."""
    file_requested = Signal()
    """Open a lesson from a file."""
    step_requested = Signal(int)
    """Go some steps on (positive) or back."""
    again_requested = Signal()
    """Put the window back to what the page tells."""
    leave_requested = Signal()
    answered = Signal(object)
    prediction_changed = Signal(object)
    hint_requested = Signal()
    answer_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = LIGHT
        self._rows: tuple[LessonRow, ...] = ()
        self._state: LessonState | None = None
        self._list: QWidget | None = None
        self._page: Page | None = None
        self._stack = QStackedLayout(self)
        self._stack.setContentsMargins(0, 0, 0, 0)
        self._is_list_old = True
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setAccessibleName("Lessons")

    def sizeHint(self) -> QSize:
        return QSize(320, 500)

    def minimumSizeHint(self) -> QSize:
        return QSize(220, 160)

    # -- down -------------------------------------------------------------------------------------------

    def set_theme(self, theme: Theme) -> None:
        """Take the colours."""
        if theme is not self._theme:
            self._theme = theme
            if self._page is not None:
                self._page.set_theme(theme)
                if self._state is not None:
                    self._page.set_state(self._state)
            self._is_list_old = True
            self._refresh()

    def set_lessons(self, rows: Sequence[LessonRow]) -> None:
        """Take the list of lessons."""
        if tuple(rows) != self._rows:
            self._rows = tuple(rows)
            self._is_list_old = True
            self._refresh()

    def set_state(self, state: LessonState | None) -> None:
        """Show a page; None for the list."""
        if state is self._state:
            return
        self._state = state
        self._refresh()

    def text_summary(self) -> str:
        """Return what is shown in one sentence."""
        state = self._state
        if state is None:
            return f"{len(self._rows)} lessons to choose from."
        return f"{state.lesson}, step {state.index + 1} of {state.count}: {state.title}."

    # -- inside -----------------------------------------------------------------------------------------

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._show_list()

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if self._state is None and self._list is None:  # a tab behind others has come to the front
            QTimer.singleShot(0, self, self._show_list)

    def _show_list(self) -> None:
        """Have the lessons read once a person can see the panel: a tab behind others counts as visible."""
        if self.visibleRegion().isEmpty() and not self.testAttribute(Qt.WidgetAttribute.WA_DontShowOnScreen):
            return
        if not self._rows:
            self.list_wanted.emit()
        self._refresh()

    def _refresh(self) -> None:
        """Build what is shown, when it is shown: a window without lessons costs nothing."""
        if self._state is not None:
            if self._page is None:
                self._page = self._made_page()
                self._page.set_theme(self._theme)
                self._stack.addWidget(self._page)
            self._page.set_state(self._state)
            self._stack.setCurrentWidget(self._page)
        elif self.isVisible():
            if self._is_list_old or self._list is None:
                self._build_list()
            assert self._list is not None
            self._stack.setCurrentWidget(self._list)

    def _made_page(self) -> Page:
        page = Page(self)
        page.step_requested.connect(self.step_requested)
        page.again_requested.connect(self.again_requested)
        page.leave_requested.connect(self.leave_requested)
        page.question.answered.connect(self.answered)
        page.question.prediction_changed.connect(self.prediction_changed)
        page.question.hint_requested.connect(self.hint_requested)
        page.question.answer_requested.connect(self.answer_requested)
        return page

    def _build_list(self) -> None:
        if self._list is not None:
            self._stack.removeWidget(self._list)
            self._list.deleteLater()
        self._is_list_old = False
        content = QWidget()
        column = QVBoxLayout(content)
        column.setContentsMargins(8, 8, 8, 8)
        column.setSpacing(4)
        intro = QLabel(
            "A lesson builds its own experiment and leads through it. Your own work waits and comes back when you "
            "leave.",
            wordWrap=True,
        )
        intro.setStyleSheet(f"color: {self._theme.muted}")
        column.addWidget(intro)
        for number, row in enumerate(self._rows, 1):
            entry = LessonEntry(number, row, self._theme)
            entry.clicked.connect(lambda *_, key=row.key: self.lesson_requested.emit(key))
            column.addWidget(entry)
        other = QPushButton("Open a lesson file…")
        other.setIcon(icon("open"))
        other.clicked.connect(self.file_requested)
        column.addWidget(other)
        column.addStretch(1)
        self._list = scrolled(content)
        self._stack.addWidget(self._list)
