"""The welcome page: experiments by topic, lessons, recent files. It only asks; others open."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

from PySide6.QtCore import QSize, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QKeyEvent, QKeySequence, QPalette
from PySide6.QtWidgets import (
    QCheckBox,
    QDialog,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from gradsim.app.presets import PresetTitle
from gradsim.app.search_line import Choice, SearchLine, Section
from gradsim.views.entry_button import EntryButton, LineButton
from gradsim.views.icons import icon
from gradsim.views.lessons.page import scrolled
from gradsim.views.lessons.state import LessonRow
from gradsim.views.theme import Theme

WIDEST, HIGHEST, MARGIN = 1080, 760, 40
MOST_FILES = 6


class WelcomePage(QDialog):
    """What one can begin with, and a line to search it; whatever is chosen closes it, as do Escape and its button.

    Parameters
    ----------
    presets : sequence of PresetTitle
        The experiments, in the order of their topics.
    lessons : sequence of LessonRow
        The lessons, in order.
    recent_files : sequence of str
        Newest first.
    shows_at_start : bool
        Whether it opens by itself.
    theme : Theme
        Colours.
    parent : QWidget or None
        The window.
    """

    preset_chosen = Signal(str)
    lesson_chosen = Signal(object)
    """The key of the lesson."""
    file_chosen = Signal(object)
    """A recent file (Path)."""
    other_file_wanted = Signal()
    show_at_start_changed = Signal(bool)

    def __init__(
        self,
        presets: Sequence[PresetTitle],
        lessons: Sequence[LessonRow],
        recent_files: Sequence[str],
        shows_at_start: bool,
        theme: Theme,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("Welcome to GradSim")
        self._theme = theme
        self.entries: dict[str, EntryButton] = {}
        self.lessons: list[LineButton] = []
        self.files: list[LineButton] = []
        self._sections: list[Section] = []
        columns = QHBoxLayout()
        columns.setSpacing(18)
        left, right = self._experiments(presets), self._beside(lessons, recent_files)
        self.nothing = QLabel()
        self.nothing.setContentsMargins(8, 6, 0, 6)
        self.search = self._search_line()
        self._areas = scrolled(left), scrolled(right)
        columns.addWidget(self._areas[0], 5)
        columns.addWidget(self._areas[1], 3)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(18, 14, 18, 12)
        layout.setSpacing(10)
        layout.addWidget(self._greeting())
        layout.addWidget(self.search)
        layout.addWidget(self.nothing)
        layout.addLayout(columns, 1)
        layout.addLayout(self._foot(shows_at_start))
        self.resize(self.sizeHint())  # by itself a dialog takes no more than two thirds of the screen
        self.search.setFocus()

    def sizeHint(self) -> QSize:
        """Return a size that leaves something of the window to be seen around it."""
        parent = self.parentWidget()
        room = parent.size() if parent is not None else QSize(WIDEST + MARGIN, HIGHEST + MARGIN)
        return QSize(min(WIDEST, room.width() - MARGIN), min(HIGHEST, room.height() - MARGIN))

    # -- what stands in it ------------------------------------------------------------------------------

    def _greeting(self) -> QLabel:
        words = (
            "Why does the gradient of a deep network vanish or explode, and what cures it? Open an experiment, train "
            "it, and look where its sentence says; or let a lesson lead you."
        )
        return QLabel(words, wordWrap=True)

    def _search_line(self) -> SearchLine:
        search = SearchLine(self._sections, self.nothing)
        search.setPlaceholderText("Search experiments, lessons and files: lstm, clipping, float16 …")
        search.setAccessibleName("Search experiments, lessons and files")
        search.setToolTip("Down goes to what was found, Enter opens the marked one")
        search.best_changed.connect(self._mark_best)
        return search

    def _experiments(self, presets: Sequence[PresetTitle]) -> QWidget:
        content, column = _column()
        for topic, rows in groupby(presets, key=lambda row: row.topic):
            heading, choices = _heading(topic), []
            column.addWidget(heading)
            for row in rows:
                entry = self._entry(row)
                self.entries[row.name] = entry
                look = row.advice.look if row.advice is not None else ""
                choices.append(Choice(entry, f"{row.title} {row.name}", f"{topic} {look}"))
                column.addWidget(entry)
            self._sections.append(Section(heading, choices))
        column.addStretch(1)
        return content

    def _entry(self, row: PresetTitle) -> EntryButton:
        muted, lines, told = self._theme.muted, [], f"In the terminal: gradsim run {row.name}"
        beside = f"<span style='font-family: monospace'>{row.name}</span>"
        if row.advice is not None:
            asked = f"{row.advice.iterations:,} iterations"
            beside += f" · {asked.replace(' ', '&nbsp;')}"
            lines, told = [(row.advice.look, muted)], f"{row.advice.look} {asked}. {told}"
        title = f"{row.title} <span style='font-weight: 400; color: {muted}'>· {beside}</span>"
        entry = EntryButton(title, lines)
        entry.setObjectName(f"welcome.{row.name}")
        entry.setAccessibleName(f"{row.topic}: {row.title}")
        entry.setAccessibleDescription(told)
        entry.setToolTip(f"gradsim run {row.name}")
        entry.clicked.connect(lambda *_: self._choose(self.preset_chosen, row.name))
        return entry

    def _beside(self, lessons: Sequence[LessonRow], recent_files: Sequence[str]) -> QWidget:
        content, column = _column()
        heading, choices = _heading("Lessons"), []
        column.addWidget(heading)
        for number, lesson in enumerate(lessons, 1):
            words = f"Begin: {lesson.title}" if number == 1 else f"{number}  {lesson.title}"
            line = LineButton(words, f"Lesson {number}: {lesson.title}", lesson.summary)
            line.clicked.connect(lambda *_, key=lesson.key: self._choose(self.lesson_chosen, key))
            self.lessons.append(line)
            choices.append(Choice(line, lesson.title, f"Lesson {lesson.summary}"))
            column.addWidget(line)
        self._sections.append(Section(heading, choices))
        heading, choices = _heading("Files"), []
        column.addWidget(heading)
        for name in recent_files[:MOST_FILES]:
            path = Path(name)
            line = LineButton(path.name, f"Open {path.name}", name)
            line.clicked.connect(lambda *_, path=path: self._choose(self.file_chosen, path))
            self.files.append(line)
            choices.append(Choice(line, path.name, name))
            column.addWidget(line)
        self._sections.append(Section(heading, choices, stays=True))
        self.other_file = QPushButton(icon("open"), "Open a file…")
        self.other_file.clicked.connect(lambda: self._choose(self.other_file_wanted))
        row = QHBoxLayout()
        row.setContentsMargins(8, 0, 0, 0)  # in line with the words above it
        row.addWidget(self.other_file)
        row.addStretch(1)
        column.addLayout(row)
        column.addStretch(1)
        return content

    def _foot(self, shows_at_start: bool) -> QHBoxLayout:
        self.at_start = QCheckBox("Show at start")
        self.at_start.setChecked(shows_at_start)
        self.at_start.toggled.connect(self.show_at_start_changed)
        self.back = QPushButton("To the window")
        self.back.setToolTip("Close this page (Esc); Help ▸ Welcome opens it again")
        self.back.setShortcut(QKeySequence("Alt+W"))
        self.back.clicked.connect(self.reject)
        note = QLabel("Type to search; Esc closes this page, Shift+F1 opens it again.")
        muted = note.palette()
        muted.setColor(QPalette.ColorRole.WindowText, QColor(self._theme.muted))
        note.setPalette(muted)
        foot = QHBoxLayout()
        foot.addWidget(self.at_start)
        foot.addStretch(1)
        foot.addWidget(note)
        foot.addWidget(self.back)
        return foot

    # -- the search -------------------------------------------------------------------------------------

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Take letters to the search, wherever the keys are."""
        if (letters := event.text()) and letters.isprintable() and not letters.isspace():
            self.search.setFocus()
            self.search.insert(letters)
            return
        super().keyPressEvent(event)

    def _mark_best(self) -> None:
        """Show which one Enter opens."""
        for button in (*self.entries.values(), *self.lessons, *self.files):
            button.set_marked(button is self.search.best)
        for area in self._areas:
            area.verticalScrollBar().setValue(0)
        best = self.search.best
        if best is not None:
            QTimer.singleShot(0, best, lambda: _bring_to_sight(best))  # once what is left has its place

    def _choose(self, signal: object, *values: object) -> None:
        """Close first, so that a question that follows stands over the window."""
        self.accept()
        signal.emit(*values)  # type: ignore[attr-defined]


def _column() -> tuple[QWidget, QVBoxLayout]:
    content = QWidget()
    column = QVBoxLayout(content)
    column.setContentsMargins(0, 0, 6, 0)
    column.setSpacing(2)
    return content, column


def _heading(words: str) -> QLabel:
    label = QLabel(words)
    font = label.font()
    font.setPointSizeF(font.pointSizeF() * 1.15)
    label.setFont(font)
    label.setContentsMargins(8, 10, 0, 2)
    return label


def _bring_to_sight(button: QWidget) -> None:
    area = button.parentWidget()
    while area is not None and not isinstance(area, QScrollArea):
        area = area.parentWidget()
    if area is not None:
        area.ensureWidgetVisible(button)
