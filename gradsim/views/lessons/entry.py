"""One lesson in the list."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QLabel, QPushButton, QSizePolicy, QVBoxLayout

from gradsim.views.lessons.state import LessonRow
from gradsim.views.theme import Theme


class LessonEntry(QPushButton):
    """One lesson in the list: its number, title, sentence, and what was answered."""

    def __init__(self, number: int, row: LessonRow, theme: Theme) -> None:
        super().__init__()
        self.setFlat(True)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)
        done = f" · {row.answered} of {row.questions} answered" if row.answered else ""
        title = QLabel(f"<b>{number}&nbsp;&nbsp;{row.title}</b>", wordWrap=True)
        summary = QLabel(row.summary, wordWrap=True)
        foot = QLabel(f"{row.steps} steps{done}")
        for label in (summary, foot):
            label.setStyleSheet(f"color: {theme.muted}")
        if row.answered == row.questions > 0:
            foot.setText(f"{row.steps} steps · ✓ all answered")
            foot.setStyleSheet(f"color: {theme.good}")
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 6, 8, 6)
        column.setSpacing(1)
        for label in (title, summary, foot):
            label.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
            column.addWidget(label)
        self.setAccessibleName(f"Lesson {number}: {row.title}")
        self.setAccessibleDescription(f"{row.summary} {foot.text()}")

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        layout = self.layout()
        assert layout is not None
        return layout.totalHeightForWidth(width)

    def sizeHint(self) -> QSize:
        width = max(self.width(), 200)
        return QSize(200, self.heightForWidth(width))

    def minimumSizeHint(self) -> QSize:
        return QSize(120, super().minimumSizeHint().height())

    def resizeEvent(self, event: object) -> None:
        height = self.heightForWidth(self.width())
        if self.minimumHeight() != height:
            self.setMinimumHeight(height)
