"""The welcome page: experiments by topic, lessons, recent files. It only asks; others open."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QColor, QKeySequence, QPalette
from PySide6.QtWidgets import QCheckBox, QDialog, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from gradsim.app.presets import PresetTitle
from gradsim.views.entry_button import EntryButton, LineButton
from gradsim.views.icons import icon
from gradsim.views.lessons.page import scrolled
from gradsim.views.lessons.state import LessonRow
from gradsim.views.theme import Theme

WIDEST, HIGHEST, MARGIN = 1080, 760, 40
MOST_FILES = 6


class WelcomePage(QDialog):
    """What one can begin with; whatever is chosen closes it, as do Escape and its button.

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
        columns = QHBoxLayout()
        columns.setSpacing(18)
        columns.addWidget(scrolled(self._experiments(presets)), 5)
        columns.addWidget(scrolled(self._beside(lessons, recent_files)), 3)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(18, 14, 18, 12)
        layout.setSpacing(10)
        layout.addWidget(self._greeting())
        layout.addLayout(columns, 1)
        layout.addLayout(self._foot(shows_at_start))
        self.resize(self.sizeHint())  # by itself a dialog takes no more than two thirds of the screen
        if self.lessons:
            self.lessons[0].setFocus()

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

    def _experiments(self, presets: Sequence[PresetTitle]) -> QWidget:
        content, column = _column()
        for topic, rows in groupby(presets, key=lambda row: row.topic):
            column.addWidget(_heading(topic))
            for row in rows:
                entry = self._entry(row)
                self.entries[row.name] = entry
                column.addWidget(entry)
        column.addStretch(1)
        return content

    def _entry(self, row: PresetTitle) -> EntryButton:
        muted, title, lines, told = self._theme.muted, row.title, [], ""
        if row.advice is not None:
            asked = f"{row.advice.iterations:,} iterations"
            title += (
                f"<span style='font-weight: 400; color: {muted}'> · {asked.replace(' ', '&nbsp;')}</span>"
            )
            lines, told = [(row.advice.look, muted)], f"{row.advice.look} {asked}"
        entry = EntryButton(title, lines)
        entry.setObjectName(f"welcome.{row.name}")
        entry.setAccessibleName(f"{row.topic}: {row.title}")
        entry.setAccessibleDescription(told)
        entry.clicked.connect(lambda *_: self._choose(self.preset_chosen, row.name))
        return entry

    def _beside(self, lessons: Sequence[LessonRow], recent_files: Sequence[str]) -> QWidget:
        content, column = _column()
        column.addWidget(_heading("Lessons"))
        for number, lesson in enumerate(lessons, 1):
            words = f"Begin: {lesson.title}" if number == 1 else f"{number}  {lesson.title}"
            line = LineButton(words, f"Lesson {number}: {lesson.title}", lesson.summary)
            line.clicked.connect(lambda *_, key=lesson.key: self._choose(self.lesson_chosen, key))
            self.lessons.append(line)
            column.addWidget(line)
        column.addWidget(_heading("Files"))
        for name in recent_files[:MOST_FILES]:
            path = Path(name)
            line = LineButton(path.name, f"Open {path.name}", name)
            line.clicked.connect(lambda *_, path=path: self._choose(self.file_chosen, path))
            self.files.append(line)
            column.addWidget(line)
        self.other_file = QPushButton(icon("open"), "Open a file…")
        self.other_file.clicked.connect(lambda: self._choose(self.other_file_wanted))
        column.addWidget(self.other_file, 0, Qt.AlignmentFlag.AlignLeft)
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
        note = QLabel("Esc closes this page; Shift+F1 opens it again.")
        muted = note.palette()
        muted.setColor(QPalette.ColorRole.WindowText, QColor(self._theme.muted))
        note.setPalette(muted)
        foot = QHBoxLayout()
        foot.addWidget(self.at_start)
        foot.addStretch(1)
        foot.addWidget(note)
        foot.addWidget(self.back)
        return foot

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
