"""The page of the lesson that runs: heading, text, question, and the way on at the bottom."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from gradsim.views.icons import icon
from gradsim.views.lessons.question_box import QuestionBox
from gradsim.views.lessons.rich_text import RichLabel
from gradsim.views.lessons.state import LessonState
from gradsim.views.theme import LIGHT, Theme


class ProgressDots(QWidget):
    """One mark per step: filled where its question is answered, a ring where one waits, larger where we are."""

    def __init__(self) -> None:
        super().__init__()
        self._theme, self._index = LIGHT, 0
        self._marks: tuple[str, ...] = ()
        self.setFixedHeight(14)

    def set_state(self, marks: tuple[str, ...], index: int, theme: Theme) -> None:
        """Take the marks of the steps and which is shown."""
        self._marks, self._index, self._theme = marks, index, theme
        answered = sum(mark == "right" for mark in marks)
        self.setAccessibleName(f"Step {index + 1} of {len(marks)}, {answered} questions answered")
        self.setToolTip(self.accessibleName())
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        count = max(len(self._marks), 1)
        gap = min(18.0, (self.width() - 14) / count)
        for place, mark in enumerate(self._marks):
            x, here = 8 + gap * place, place == self._index
            radius = 5.0 if here else 3.2
            color = self._theme.color(
                {"right": "good", "open": "accent", "seen": "muted"}.get(mark, "outline")
            )
            painter.setPen(color)
            painter.setBrush(color if mark in ("right", "seen") else Qt.BrushStyle.NoBrush)
            painter.drawEllipse(QRectF(x - radius, 7 - radius, 2 * radius, 2 * radius))


class Page(QWidget):
    """Shows a page.

    Parameters
    ----------
    parent : QWidget
        Owner in the sense of Qt.
    """

    step_requested = Signal(int)
    again_requested = Signal()
    leave_requested = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = LIGHT
        self.leave = QToolButton(autoRaise=True)
        self.leave.setIcon(icon("close"))
        self.leave.setToolTip("Leave the lesson: your own experiment comes back")
        self.leave.setAccessibleName("Leave the lesson")
        self.leave.clicked.connect(self.leave_requested)
        self.lesson = QLabel(wordWrap=True)
        self.dots = ProgressDots()
        self.title = QLabel(wordWrap=True)
        self.text, self.deeds, self.busy = RichLabel(), QLabel(wordWrap=True), QLabel(wordWrap=True)
        self.note = QLabel(wordWrap=True)
        self.again = QPushButton("Back to this page")
        self.again.setToolTip("Put the experiment, the training and the view back to what the page tells")
        self.again.clicked.connect(self.again_requested)
        self.question = QuestionBox()
        self.back, self.forward = QPushButton("Back"), QPushButton("Next")
        self.back.setIcon(icon("step_back"))
        self.forward.setIcon(icon("step_forward"))
        self.forward.setLayoutDirection(Qt.LayoutDirection.RightToLeft)  # the arrow points away from the word
        self.back.clicked.connect(lambda: self.step_requested.emit(-1))
        self.forward.clicked.connect(lambda: self.step_requested.emit(1))
        self._shown = ("", -1)
        self._lay_out()

    def _lay_out(self) -> None:
        head = QHBoxLayout()
        head.setContentsMargins(10, 6, 4, 0)
        head.addWidget(self.lesson, 1)
        head.addWidget(self.leave, 0, Qt.AlignmentFlag.AlignTop)
        content = QWidget()
        column = QVBoxLayout(content)
        column.setContentsMargins(10, 4, 10, 10)
        column.setSpacing(8)
        for part in (self.title, self.text, self.deeds, self.busy, self.note):
            column.addWidget(part)
        column.addWidget(self.again, 0, Qt.AlignmentFlag.AlignLeft)
        column.addWidget(self.question)
        column.addStretch(1)
        self.area = scrolled(content)
        foot = QHBoxLayout()
        foot.setContentsMargins(10, 4, 10, 6)
        foot.addWidget(self.back)
        foot.addWidget(self.dots, 1)
        foot.addWidget(self.forward)
        page = QVBoxLayout(self)
        page.setContentsMargins(0, 0, 0, 0)
        page.setSpacing(0)
        page.addLayout(head)
        page.addWidget(self.area, 1)
        page.addLayout(foot)

    def set_theme(self, theme: Theme) -> None:
        """Take the colours."""
        self._theme = theme
        self.question.set_theme(theme)

    def set_state(self, state: LessonState) -> None:
        """Show a page."""
        theme = self._theme
        self.lesson.setText(f"{state.lesson} · {state.index + 1} of {state.count}")
        self.lesson.setStyleSheet(f"color: {theme.muted}")
        self.title.setText(state.title)
        self.title.setStyleSheet("font-weight: bold; font-size: 14pt")
        self.dots.set_state(state.marks, state.index, theme)
        self.text.show_blocks(state.text, state.numbers, theme)
        self.deeds.setVisible(bool(state.deeds))
        self.deeds.setText("\n".join(f"▸ {deed}" for deed in state.deeds))
        self.deeds.setStyleSheet(f"color: {theme.muted}")
        self.busy.setVisible(bool(state.busy))
        self.busy.setText(state.busy)
        self.note.setVisible(bool(state.note))
        self.note.setText(state.note)
        self.note.setStyleSheet(f"color: {theme.color('warn').name()}")
        self.again.setVisible(bool(state.note))
        self.question.setVisible(state.question is not None)
        if state.question is not None:
            self.question.set_state(state.question, state.numbers, is_busy=bool(state.busy))
        self.back.setEnabled(state.index > 0)
        is_last = state.index == state.count - 1
        self.forward.setText("Finish" if is_last else "Next")
        self.forward.setToolTip(
            "Leave the lesson: your own experiment comes back" if is_last else "The next page"
        )
        if self._shown != (state.lesson, state.index):
            self._shown = (state.lesson, state.index)
            self.area.verticalScrollBar().setValue(0)


def scrolled(content: QWidget) -> QScrollArea:
    """Return a widget that scrolls up and down and never sideways."""
    area = QScrollArea(widgetResizable=True)
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    area.setWidget(content)
    return area
