"""One line for a number, whole or real: it takes ``1e-3`` as well as ``0,001`` and steps sensibly."""

from __future__ import annotations

import math

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent, QValidator, QWheelEvent
from PySide6.QtWidgets import QAbstractSpinBox, QWidget

from gradsim.views.builder.wording import number_text

_LADDER = (1.0, 2.0, 5.0)


class NumberField(QAbstractSpinBox):
    """Asks for a number; whether it is allowed is for the spec to say.

    Parameters
    ----------
    is_whole : bool
        Whether it is an integer.
    minimum, maximum : float or None
        Where the arrows end.
    parent : QWidget or None
        Owner in the sense of Qt.
    """

    value_changed = Signal(object)
    """A number was entered (int or float)."""
    refused = Signal(str)
    """What was entered is no number; the text itself."""

    def __init__(
        self,
        is_whole: bool,
        minimum: float | None = None,
        maximum: float | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._is_whole = is_whole
        self._lowest = -math.inf if minimum is None else minimum
        self._highest = math.inf if maximum is None else maximum
        self._value: float = 0
        self._shown = ""
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        # The line inside does not tell of Enter, only the field itself does.
        self.editingFinished.connect(self.commit)

    def minimumSizeHint(self) -> QSize:
        return QSize(64, super().minimumSizeHint().height())

    @property
    def value(self) -> float:
        """The number last set or entered."""
        return self._value

    def set_value(self, value: float) -> None:
        """Show a number."""
        self._value = value
        self._shown = str(value) if self._is_whole else number_text(value)
        if self.lineEdit().text() != self._shown:
            self.lineEdit().setText(self._shown)

    def set_mixed(self, text: str) -> None:
        """Show a word instead of a number: what is asked for has several values."""
        self._shown = ""
        self.lineEdit().setPlaceholderText(text)
        self.lineEdit().clear()

    def commit(self) -> None:
        """Emit what has been typed, if it is new."""
        text = self.lineEdit().text().strip()
        if text == self._shown:
            return
        self._shown = text
        number = self._number(text)
        if number is None:
            self.refused.emit(text)
        else:
            self.set_value(number)
            self.value_changed.emit(number)

    def _number(self, text: str) -> float | None:
        try:
            number = float(text.replace(",", ".").replace("−", "-"))
        except ValueError:
            return None
        if not math.isfinite(number):
            return None
        if not self._is_whole:
            return number
        return int(text) if text.lstrip("+-").isdecimal() else int(number) if number.is_integer() else None

    def _stepped(self, value: float, up: bool) -> float:
        """Neighbour of a number: 1 more or less; for reals beyond a narrow range, along 1, 2, 5, 10."""
        if self._is_whole:
            return value + 1 if up else value - 1
        if self._highest - self._lowest <= 2.0 and abs(value) >= 0.05:
            return round((value + 0.05 if up else value - 0.05) / 0.05) * 0.05
        if value == 0.0:
            return 0.001 if up else -0.001
        if value < 0.0:
            return -self._stepped(-value, not up)
        decade = 10.0 ** math.floor(math.log10(value) + 1e-9)
        rungs = [decade * factor for factor in (*(r / 10 for r in _LADDER), *_LADDER, 10.0)]
        if up:
            return min(rung for rung in rungs if rung > value * (1 + 1e-9))
        return max(rung for rung in rungs if rung < value * (1 - 1e-9))

    def stepBy(self, steps: int) -> None:
        self.commit()
        number = self._value
        for _ in range(abs(steps)):
            number = self._stepped(number, steps > 0)
        number = min(max(number, self._lowest), self._highest)
        number = int(number) if self._is_whole else float(f"{number:.10g}")
        if number != self._value:
            self.set_value(number)
            self.value_changed.emit(number)
        self.selectAll()

    def stepEnabled(self) -> QAbstractSpinBox.StepEnabledFlag:
        flags = QAbstractSpinBox.StepEnabledFlag.StepNone
        if self._value < self._highest:
            flags |= QAbstractSpinBox.StepEnabledFlag.StepUpEnabled
        if self._value > self._lowest:
            flags |= QAbstractSpinBox.StepEnabledFlag.StepDownEnabled
        return flags

    def validate(self, text: str, position: int) -> tuple[QValidator.State, str, int]:  # numpydoc ignore=GL08
        return QValidator.State.Acceptable, text, position

    def fixup(self, text: str) -> str:  # numpydoc ignore=GL08
        return text

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.commit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape and self.lineEdit().text() != self._shown:
            self.lineEdit().setText(self._shown)
            return
        super().keyPressEvent(event)

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()  # scrolling the form must not change numbers under the pointer
