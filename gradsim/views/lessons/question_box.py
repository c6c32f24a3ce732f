"""One question of a lesson: where it is answered, its hints, and what was right."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QPalette
from PySide6.QtWidgets import (
    QButtonGroup,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QRadioButton,
    QVBoxLayout,
    QWidget,
)

from gradsim.analysis.lessons import Value
from gradsim.views.lessons.prediction_plot import PredictionPlot
from gradsim.views.lessons.rich_text import RichLabel
from gradsim.views.lessons.state import QuestionState
from gradsim.views.theme import LIGHT, Theme

_MARKS = {"right": "✓", "wrong": "✗", "shown": "→"}
_ROLES = {"right": "good", "wrong": "bad", "shown": "muted"}


class _ChoiceRow(QWidget):
    """A button and its words, which may be long and contain formulas."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.button = QRadioButton()
        self.button.setAccessibleName(f"Choice {number + 1}")
        self._is_fixed = False
        self.words, self.reply = RichLabel(), RichLabel()
        self.reply.setForegroundRole(QPalette.ColorRole.PlaceholderText)
        self.words.setTextInteractionFlags(Qt.TextInteractionFlag.NoTextInteraction)
        column = QVBoxLayout()
        column.setSpacing(0)
        column.addWidget(self.words)
        column.addWidget(self.reply)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 2)
        row.setSpacing(6)
        row.addWidget(self.button, 0, Qt.AlignmentFlag.AlignTop)
        row.addLayout(column, 1)

    def set_fixed(self, is_fixed: bool) -> None:
        """Show what was chosen and take no other choice."""
        self._is_fixed = is_fixed
        self.button.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents, is_fixed)
        self.button.setFocusPolicy(Qt.FocusPolicy.NoFocus if is_fixed else Qt.FocusPolicy.StrongFocus)

    def mousePressEvent(self, event: object) -> None:
        if self.button.isEnabled() and not self._is_fixed:
            self.button.click()
            self.button.setFocus()


class QuestionBox(QWidget):
    """Shows a question and says what was answered; whether that is right is not decided here.

    Parameters
    ----------
    parent : QWidget or None
        Owner in the sense of Qt.
    """

    answered = Signal(object)
    """The text typed, the number of a choice, the points of a profile, or None to look again at a goal."""
    prediction_changed = Signal(object)
    hint_requested = Signal()
    answer_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = LIGHT
        self._state: QuestionState | None = None
        self.prompt, self.explanation = RichLabel(), RichLabel()
        self.number = QLineEdit()
        self.number.setPlaceholderText("a number, such as −0.25 or 2e-5")
        self.number.setAccessibleName("Your answer")
        self.number.returnPressed.connect(self._answer)
        self.plot = PredictionPlot()
        self.plot.prediction_changed.connect(self.prediction_changed)
        self.choices = QVBoxLayout()
        self.choices.setSpacing(2)
        self.rows: list[_ChoiceRow] = []
        self.group = QButtonGroup(self)
        self.remark = QLabel(wordWrap=True)
        self.hints: list[RichLabel] = []
        self.hint_column = QVBoxLayout()
        self.check = QPushButton("Check")
        self.check.clicked.connect(self._answer)
        self.hint = QPushButton("Hint")
        self.hint.clicked.connect(self.hint_requested)
        self.show_answer = QPushButton("Show the answer")
        self.show_answer.clicked.connect(self.answer_requested)
        buttons = QHBoxLayout()
        buttons.setSpacing(6)
        for button in (self.check, self.hint):
            buttons.addWidget(button)
        buttons.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(14, 10, 8, 8)
        column.setSpacing(6)
        for part in (self.prompt, self.number, self.plot):
            column.addWidget(part)
        column.addLayout(self.choices)
        column.addLayout(self.hint_column)
        column.addLayout(buttons)
        # On a line of its own: three buttons side by side are wider than a narrow dock.
        column.addWidget(self.show_answer, 0, Qt.AlignmentFlag.AlignLeft)
        column.addWidget(self.remark)
        column.addWidget(self.explanation)

    def set_theme(self, theme: Theme) -> None:
        """Take the colours."""
        self._theme = theme
        self.plot.set_theme(theme)
        self.update()

    def set_state(self, state: QuestionState, numbers: Mapping[Value, float], *, is_busy: bool) -> None:
        """Show a question as far as it is answered."""
        is_same = self._state is not None and self._state.prompt == state.prompt
        self._state = state
        self.prompt.show_blocks(state.prompt, numbers, self._theme)
        self.explanation.show_blocks(state.explanation, state.late_numbers, self._theme)
        self.number.setVisible(state.kind == "number")
        if not is_same:
            self.number.setText("" if state.given is None else str(state.given))
        self.number.setReadOnly(state.is_over)
        self.plot.setVisible(state.drawing is not None)
        if state.drawing is not None:
            self.plot.set_drawing(state.drawing)
        self._show_choices(state, numbers, is_same=is_same, is_busy=is_busy)
        self._show_hints(state, numbers)
        self.check.setText({"predict": "Reveal", "goal": "Check"}.get(state.kind, "Check"))
        # A goal is looked at after every pass by itself: there is nothing to press.
        self.check.setVisible(not state.is_over and state.kind != "goal")
        self.check.setEnabled(not is_busy)
        self.hint.setVisible(not state.is_over and state.hints_left > 0)
        self.hint.setText("Hint" if not state.hints else "Another hint")
        self.show_answer.setVisible(
            not state.is_over and (state.verdict == "wrong" or self._may_be_shown(state))
        )
        self.show_answer.setText("Do it for me" if state.kind == "goal" else "Show the answer")
        self.show_answer.setEnabled(not is_busy)
        self._show_remark(state)

    @staticmethod
    def _may_be_shown(state: QuestionState) -> bool:
        return state.kind in ("goal", "number", "choice") and state.hints_left == 0 and bool(state.hints)

    def _show_remark(self, state: QuestionState) -> None:
        self.remark.setVisible(bool(state.remark))
        mark = f"{_MARKS[state.verdict]} " if state.verdict else ""
        self.remark.setText(mark + state.remark)
        role = _ROLES[state.verdict] if state.verdict else "muted"
        self.remark.setStyleSheet(f"color: {self._theme.color(role).name()}; font-weight: bold")
        self.update()

    def _show_choices(
        self, state: QuestionState, numbers: Mapping[Value, float], *, is_same: bool, is_busy: bool
    ) -> None:
        if not is_same or len(self.rows) != len(state.choices):
            for row in self.rows:
                self.group.removeButton(row.button)
                self.choices.removeWidget(row)
                row.hide()
                row.deleteLater()
            self.rows = [_ChoiceRow(number) for number in range(len(state.choices))]
            for number, row in enumerate(self.rows):
                self.group.addButton(row.button, number)
                self.choices.addWidget(row)
        for number, (row, (words, reply)) in enumerate(zip(self.rows, state.choices, strict=True)):
            row.words.show_blocks(words, numbers, self._theme)
            is_told = state.given == number or (state.is_over and state.right_choice == number)
            row.reply.show_blocks(reply if is_told else (), state.late_numbers, self._theme)
            row.button.setAccessibleDescription(row.words.plain_text())
            # Not disabled when it is over: a grey mark in a grey circle would hide what was chosen.
            row.button.setEnabled(state.is_over or not is_busy)
            row.set_fixed(state.is_over)
            if state.is_over:
                row.button.setChecked(number == state.right_choice)
            elif not is_same and state.given == number:
                row.button.setChecked(True)

    def _show_hints(self, state: QuestionState, numbers: Mapping[Value, float]) -> None:
        while len(self.hints) > len(state.hints):
            label = self.hints.pop()
            self.hint_column.removeWidget(label)
            label.hide()
            label.deleteLater()
        while len(self.hints) < len(state.hints):
            self.hints.append(RichLabel())
            self.hint_column.addWidget(self.hints[-1])
        for label, hint in zip(self.hints, state.hints, strict=True):
            label.show_blocks(hint, numbers, self._theme)

    def _answer(self) -> None:
        state = self._state
        if state is None or state.is_over or not self.check.isEnabled():
            return
        match state.kind:
            case "number":
                self.answered.emit(self.number.text())
            case "choice":
                if self.group.checkedId() >= 0:
                    self.answered.emit(self.group.checkedId())
            case "predict":
                self.answered.emit(self.plot.points)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw a ground, and at its side a stripe that says whether it is answered."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._theme.color("surface"))
        painter.drawRoundedRect(QRectF(self.rect()), 4, 4)
        verdict = self._state.verdict if self._state else None
        painter.fillRect(
            QRectF(0, 0, 4, self.height()), self._theme.color(_ROLES[verdict] if verdict else "accent")
        )
