"""What a person can choose about a view, as rows of a table: the controls above a plot are made from it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QSignalBlocker, Qt
from PySide6.QtGui import QAction, QPaintEvent
from PySide6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QMenu,
    QStyle,
    QStyleOptionComboBox,
    QStylePainter,
    QToolButton,
    QWidget,
)


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several values.

    Attributes
    ----------
    name : str
        By which programs set it.
    label, tip : str
        Words for people.
    values : tuple of (str, str)
        Values and their words.
    default : str
        The value at first.
    """

    name: str
    label: str
    values: tuple[tuple[str, str], ...]
    default: str
    tip: str = ""


@dataclass(frozen=True, slots=True)
class Toggle:
    """Something shown or not shown.

    Attributes
    ----------
    name : str
        By which programs set it.
    label, tip : str
        Words for people.
    default : bool
        Whether it is shown at first.
    """

    name: str
    label: str
    default: bool
    tip: str = ""


Option = Choice | Toggle


def checked(options: tuple[Option, ...], name: str, value: Any) -> Any:
    """Return a value if an option can have it.

    Parameters
    ----------
    options : tuple of Option
        Rows of the table.
    name : str
        Which of them.
    value : str or bool
        What it should become.

    Returns
    -------
    str or bool
        The value.

    Raises
    ------
    ValueError
        If there is no such option, or it cannot have that value.
    """
    row = next((row for row in options if row.name == name), None)
    if row is None:
        known = ", ".join(option.name for option in options) or "none"
        raise ValueError(f"unknown option {name!r}; there are: {known}")
    allowed = [key for key, _ in row.values] if isinstance(row, Choice) else [False, True]
    if value not in allowed:
        raise ValueError(f"option {name!r}: expected one of {', '.join(map(str, allowed))}, got {value!r}")
    return value


LEAST_BOX = 92
"""Width in pixels to which a box with long words shrinks where there is little room."""


class _Box(QComboBox):
    """A box that writes as much of its words as it has room for; where it opens all of them can be read."""

    def paintEvent(self, event: QPaintEvent) -> None:
        painter, option = QStylePainter(self), QStyleOptionComboBox()
        self.initStyleOption(option)
        field = self.style().subControlRect(
            QStyle.ComplexControl.CC_ComboBox, option, QStyle.SubControl.SC_ComboBoxEditField, self
        )
        room = field.width() - 4  # as Fusion indents them
        words = self.fontMetrics().elidedText(self.currentText(), Qt.TextElideMode.ElideRight, room)
        option.currentText = words
        painter.drawComplexControl(QStyle.ComplexControl.CC_ComboBox, option)
        painter.drawControl(QStyle.ControlElement.CE_ComboBoxLabel, option)


class OptionBar(QWidget):
    """A line of controls: a box for each choice, one menu of ticks for all toggles, buttons for actions.

    Parameters
    ----------
    options : tuple of Option
        Rows of the table.
    chosen : callable
        Called with the name and the value when a person changes something; never by ``show``.
    actions : list of QAction
        Shown as buttons at the end.
    """

    def __init__(
        self, options: tuple[Option, ...], chosen: Callable[[str, Any], None], actions: list[QAction]
    ) -> None:
        super().__init__()
        self._row = row = QHBoxLayout(self)
        row.setContentsMargins(8, 4, 8, 0)
        row.setSpacing(6)
        self._boxes: dict[str, QComboBox] = {}
        self._ticks: dict[str, QAction] = {}
        for option in options:
            if isinstance(option, Choice):
                self._add_choice(option, chosen)
        toggles = [option for option in options if isinstance(option, Toggle)]
        if toggles:
            self._add_toggles(toggles, chosen)
        row.addStretch(1)
        for action in actions:
            button = QToolButton()
            button.setDefaultAction(action)
            button.setAutoRaise(True)
            row.addWidget(button)

    def show_value(self, name: str, value: Any) -> None:
        """Let a control show a value without telling anybody.

        Parameters
        ----------
        name : str
            Of the option.
        value : str or bool
            As it is now.
        """
        control = self._boxes.get(name) or self._ticks[name]
        with QSignalBlocker(control):
            if isinstance(control, QComboBox):
                control.setCurrentIndex(control.findData(value))
            else:
                control.setChecked(value)

    @property
    def toggles(self) -> Mapping[str, QAction]:
        """Actions that show and hide, by name; they fit in any menu."""
        return self._ticks

    def _add_choice(self, option: Choice, chosen: Callable[[str, Any], None]) -> None:
        box = _Box()
        box.setObjectName(option.name)
        box.setAccessibleName(option.label)
        box.setToolTip(option.tip or option.label)
        for value, words in option.values:
            box.addItem(words, value)
        box.setCurrentIndex(box.findData(option.default))
        box.currentIndexChanged.connect(lambda _, name=option.name: chosen(name, box.currentData()))
        box.setMinimumWidth(min(LEAST_BOX, box.sizeHint().width()))  # a narrow dock must not grow for it
        self._boxes[option.name] = box
        self._row.addWidget(box)

    def _add_toggles(self, toggles: list[Toggle], chosen: Callable[[str, Any], None]) -> None:
        menu = QMenu(self)
        menu.setToolTipsVisible(True)
        for option in toggles:
            tick = QAction(option.label, self, checkable=True, checked=option.default)
            tick.setObjectName(option.name)
            tick.setToolTip(option.tip or option.label)
            tick.toggled.connect(lambda on, name=option.name: chosen(name, on))
            menu.addAction(tick)
            self._ticks[option.name] = tick
        button = QToolButton()
        button.setText("Show ▾")
        button.setStyleSheet("QToolButton::menu-indicator { image: none; }")
        button.setToolTip("Choose what is drawn")
        button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        button.setMenu(menu)
        self._row.addWidget(button)
