"""A list of equal structs, such as the groups of parameters: one form for each, added and taken away one by one."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import pairwise
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QToolButton, QVBoxLayout, QWidget

from gradsim.spec import Spec
from gradsim.spec.fields import Field, fields_of
from gradsim.views.icons import icon

RecordForm = Any
"""A form of one struct: it has ``set_value``, ``show_error``, ``clear_errors``, ``control`` and ``edited``."""


class RecordAdder(QToolButton):
    """Adds a record; it stands where other fields have their value.

    Parameters
    ----------
    field : Field
        The field that holds the records.
    parent : QWidget or None
        Owner in the sense of Qt.
    """

    value_changed = Signal(object)
    """All records with a new one at their end."""

    def __init__(self, field: Field, parent: QWidget | None = None) -> None:
        super().__init__(parent, autoRaise=True)
        self._kind = field.kinds[0]
        self._records: tuple[Spec, ...] = ()
        self.setText("Add")
        self.setIcon(icon("add"))
        self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.clicked.connect(lambda: self.value_changed.emit((*self._records, _fresh(self._kind))))

    def set_value(self, value: tuple[Spec, ...]) -> None:
        """Keep the records there are."""
        self._records = value


class _Record(QWidget):
    """One struct under its heading."""

    def __init__(self, form: RecordForm, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.form = form
        self.heading = QLabel()
        self.heading.setForegroundRole(QPalette.ColorRole.PlaceholderText)
        self.remove = QToolButton(autoRaise=True)
        self.remove.setIcon(icon("remove"))
        self.remove.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        above = QHBoxLayout()
        above.setContentsMargins(0, 0, 0, 0)
        above.addWidget(self.heading, 1)
        above.addWidget(self.remove)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 2, 0, 2)
        layout.setSpacing(2)
        layout.addLayout(above)
        layout.addWidget(form)

    def stops(self) -> list[QWidget]:
        """Return what the tab key reaches, from the top down."""
        controls = [self.form.control(field.name) for field in _fields(self.form.value)]
        return [self.remove, *controls]


class RecordsForm(QWidget):
    """The forms of all records of a field.

    Parameters
    ----------
    path : str
        Where the records stand in the document, such as ``$.training.groups``.
    field : Field
        The field that holds them.
    form_for : callable
        Makes the form of one record, from its path.
    parent : QWidget or None
        Owner in the sense of Qt.
    """

    edited = Signal(object, str)
    """All records with one changed or left out, and the words for it."""

    def __init__(
        self,
        path: str,
        field: Field,
        form_for: Callable[[str], RecordForm],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.path = path
        self._field = field
        self._form_for = form_for
        self._title = _title(field.kinds[0])
        self._value: tuple[Spec, ...] = ()
        self._rows: list[_Record] = []
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(2)

    @property
    def value(self) -> tuple[Spec, ...]:
        """The records that are shown."""
        return self._value

    @property
    def is_empty(self) -> bool:
        """Whether there is no record."""
        return not self._value

    def control(self, name: str) -> Any:
        """Return the control of a field by its dotted name, such as ``0.learning_rate_scale`` or ``0.remove``."""
        number, _, rest = name.partition(".")
        row = self._rows[int(number)]
        return row.remove if rest == "remove" else row.form.control(rest)

    def set_value(self, value: tuple[Spec, ...]) -> None:
        """Show the records; forms that are there already are used again."""
        self._value = value
        while len(self._rows) > len(value):
            self._drop(self._rows.pop())
        for index, record in enumerate(value):
            if index == len(self._rows):
                self._rows.append(self._row(index))
            self._rows[index].form.set_value(record)
        self._order_tabs()

    def show_error(self, path: str, reason: str) -> bool:
        """Mark the field that a path points at; False where it is in none of the records."""
        found = re.match(re.escape(self.path) + r"\[(\d+)\]", path)
        if found is None or int(found[1]) >= len(self._rows):
            return False
        return bool(self._rows[int(found[1])].form.show_error(path, reason))

    def clear_errors(self) -> None:
        """Take all marks away."""
        for row in self._rows:
            row.form.clear_errors()

    def move_to(self, path: str) -> None:
        """Stand for the records of another place."""
        self.path = path
        for index, row in enumerate(self._rows):
            row.form.move_to(f"{path}[{index}]")

    def focus_last(self) -> None:
        """Bring the keyboard to the first field of the last record."""
        if self._rows:
            self._rows[-1].stops()[1].setFocus(Qt.FocusReason.OtherFocusReason)

    def _row(self, index: int) -> _Record:
        row = _Record(self._form_for(f"{self.path}[{index}]"), self)
        name = f"{self._title} {index + 1}"
        row.heading.setText(name)
        row.heading.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        row.remove.setObjectName(f"{self.path.removeprefix('$.')}[{index}].remove")
        row.remove.setAccessibleName(f"Remove {name[:1].lower()}{name[1:]}")
        row.remove.setToolTip(row.remove.accessibleName())
        row.remove.clicked.connect(lambda: self._remove(index))
        row.form.edited.connect(lambda record, words: self._change(index, record, words))
        self._layout.addWidget(row)
        return row

    def _change(self, index: int, record: Spec, words: str) -> None:
        value = (*self._value[:index], record, *self._value[index + 1 :])
        self.edited.emit(value, f"{self._title} {index + 1}: {words}")

    def _remove(self, index: int) -> None:
        had_focus = self._rows[index].remove.hasFocus()
        value = (*self._value[:index], *self._value[index + 1 :])
        self.edited.emit(value, f"{self._title} {index + 1}: removed")
        if had_focus and self._rows:
            self._rows[min(index, len(self._rows) - 1)].remove.setFocus(Qt.FocusReason.OtherFocusReason)

    def _drop(self, row: _Record) -> None:
        row.hide()
        row.setParent(None)
        row.deleteLater()

    def _order_tabs(self) -> None:
        """Qt goes by the order of creation, in which a later record would come after everything else."""
        for before, after in pairwise(stop for row in self._rows for stop in row.stops()):
            QWidget.setTabOrder(before, after)


def _fields(record: Spec) -> tuple[Field, ...]:
    return fields_of(type(record))


def _fresh(kind: type[Spec]) -> Spec:
    """Return a record that fits everything until a person says what it is for."""
    return kind(**{field.name: "*" for field in fields_of(kind) if field.required})


def _title(kind: type[Spec]) -> str:
    words = re.findall(r"[A-Z][a-z]*", kind.__name__)
    return " ".join(words).capitalize()
