"""The control that asks for one field, chosen by the field's form; each has ``set_value`` and ``value_changed``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QFocusEvent, QWheelEvent
from PySide6.QtWidgets import QCheckBox, QComboBox, QHBoxLayout, QLineEdit, QPlainTextEdit, QWidget

from gradsim.spec.fields import Field, summary_of, title_of
from gradsim.views.builder.number_field import NumberField
from gradsim.views.builder.records import RecordAdder
from gradsim.views.builder.wording import number_text
from gradsim.views.fonts import mono_font

MOST_ROWS_EDITED = 400
"""Longer tables are told by their size: a form is no place to edit them."""


class Choice(QComboBox):
    """A list of words of which one is chosen."""

    value_changed = Signal(object)

    def __init__(self, items: list[tuple[str, object, str]], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        for text, value, tip in items:
            self.addItem(text, value)
            self.setItemData(self.count() - 1, tip, Qt.ItemDataRole.ToolTipRole)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        # Long words must not widen the dock; the list that opens is as wide as they are.
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(5)
        self.setMaxVisibleItems(24)
        self.activated.connect(lambda row: self.value_changed.emit(self.itemData(row)))

    def set_value(self, value: object) -> None:
        """Show a word; one that is not in the list leaves the placeholder."""
        rows = (row for row in range(self.count()) if self.itemData(row) == value)
        self.setCurrentIndex(next(rows, -1))

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()


class Switch(QCheckBox):
    """Yes or no."""

    value_changed = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.clicked.connect(lambda checked: self.value_changed.emit(checked))

    def set_value(self, value: object) -> None:
        """Show yes or no."""
        self.setChecked(bool(value))


class Text(QLineEdit):
    """A line of words; empty stands for None where that is allowed."""

    value_changed = Signal(object)

    def __init__(self, is_optional: bool, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._is_optional = is_optional
        self._shown = ""
        self.editingFinished.connect(self.commit)

    def set_value(self, value: object) -> None:
        """Show the words."""
        self._shown = "" if value is None else str(value)
        if self.text() != self._shown:
            self.setText(self._shown)
            self.setCursorPosition(0)

    def commit(self) -> None:
        """Emit what has been typed, if it is new."""
        if self.text() != self._shown:
            self._shown = self.text()
            self.value_changed.emit(None if self._is_optional and not self._shown else self._shown)


class Pair(QWidget):
    """Two reals beside each other."""

    value_changed = Signal(object)
    refused = Signal(str)

    def __init__(self, field: Field, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        self.numbers = tuple(NumberField(False, field.minimum, field.maximum) for _ in range(2))
        for place, number in enumerate(self.numbers, 1):
            number.setAccessibleName(f"{field.title}, number {place} of 2")
            number.value_changed.connect(self._emit)
            number.refused.connect(self.refused)
            number.setMinimumWidth(52)  # both need no more room than the longest words of a choice
            layout.addWidget(number, 1)
        self.setFocusProxy(self.numbers[0])

    def set_value(self, value: Any) -> None:
        """Show both."""
        for number, one in zip(self.numbers, value, strict=True):
            number.set_value(one)

    def _emit(self) -> None:
        self.value_changed.emit(tuple(float(number.value) for number in self.numbers))


class Rows(QPlainTextEdit):
    """A small table of numbers, one row per line."""

    value_changed = Signal(object)
    refused = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._shown = ""
        self.setFont(mono_font())
        self.setTabChangesFocus(True)
        self.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)

    def sizeHint(self) -> QSize:
        return QSize(120, self.fontMetrics().lineSpacing() * 5 + 12)

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def set_value(self, value: Any) -> None:
        """Show the rows, or how many there are."""
        is_long = len(value) > MOST_ROWS_EDITED
        self.setReadOnly(is_long)
        self._shown = f"{len(value):,} rows" if is_long else "\n".join(map(_row_text, value))
        if self.toPlainText() != self._shown:
            self.setPlainText(self._shown)

    def commit(self) -> None:
        """Emit what has been typed, if it is new."""
        text = self.toPlainText()
        if self.isReadOnly() or text == self._shown:
            return
        self._shown = text
        rows = []
        for line in filter(str.strip, text.splitlines()):
            words = line.replace(",", " ").replace(";", " ").split()
            try:
                rows.append(
                    int(words[0])
                    if len(words) == 1 and words[0].isdecimal() and not _has_fraction(text)
                    else tuple(map(float, words))
                )
            except ValueError:
                self.refused.emit(line.strip())
                return
        self.value_changed.emit(tuple(rows))

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.commit()


def _row_text(row: Any) -> str:
    return str(row) if isinstance(row, int) else " ".join(map(number_text, row))


def _has_fraction(text: str) -> bool:
    return any(mark in text for mark in ".eE-")


def kind_choice(field: Field) -> Choice:
    """Return a list of the kinds of a field, and of none where that is allowed."""
    nothing: list[tuple[str, object, str]] = [("None", None, "")] if field.optional else []
    return Choice([*nothing, *((title_of(kind), kind, summary_of(kind)) for kind in field.kinds)])


CONTROLS: dict[str, Callable[[Field], Any]] = {
    "integer": lambda field: NumberField(True, field.minimum, field.maximum),
    "real": lambda field: NumberField(False, field.minimum, field.maximum),
    "boolean": lambda field: Switch(),
    "choice": lambda field: Choice([(_said(word), word, "") for word in field.choices]),
    "text": lambda field: Text(field.optional),
    "pair": Pair,
    "rows": lambda field: Rows(),
    "records": RecordAdder,
    "kind": kind_choice,
}
"""Form of a field → the control that asks for it. ``layers`` and ``part`` have widgets of their own."""


def _said(word: str) -> str:
    said = {"mse": "MSE", "half_mse": "Half MSE", "sse": "SSE", "fan_in": "fan in", "fan_out": "fan out"}
    said |= {"lstm": "LSTM", "gru": "GRU"}
    text = said.get(word, word.replace("_", " "))
    return text[:1].upper() + text[1:] if not word.startswith("float") else text
