"""A form for any struct of the spec, made from the struct's own fields; faults are marked where they are."""

from __future__ import annotations

from typing import Any

import msgspec
from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QPalette, QPen
from PySide6.QtWidgets import QGridLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from gradsim.spec import Kind, Normalization, Spec
from gradsim.spec.fields import Field, fields_of, summary_of, title_of
from gradsim.views.builder.adaptation import of_kind
from gradsim.views.builder.fields import CONTROLS
from gradsim.views.builder.idle import idle_fields
from gradsim.views.builder.records import RecordAdder, RecordsForm
from gradsim.views.builder.wording import edit_text

LABEL_WIDTH = 122
INDENT = 10
_INSIDE_ANOTHER = ("trainable", "learning_rate_scale", "name")
"""Fields of a normalization that the layer it is inside decides."""


class MarkedField(QWidget):
    """A control that can be outlined, with a sentence below that says what is wrong.

    Parameters
    ----------
    control : QWidget
        The control.
    parent : QWidget or None
        Owner in the sense of Qt.
    """

    def __init__(self, control: Any, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.control: Any = control
        self.message = QLabel(wordWrap=True)
        self.message.setVisible(False)
        self.message.setForegroundRole(QPalette.ColorRole.BrightText)
        self.message.setTextFormat(Qt.TextFormat.PlainText)
        self.message.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.MinimumExpanding)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(2, 2, 2, 2)
        layout.setSpacing(3)
        layout.addWidget(control)
        layout.addWidget(self.message)

    def set_message(self, text: str) -> None:
        """Say what is wrong; nothing where all is well."""
        self.message.setText(text)
        self.message.setVisible(bool(text))
        self.control.setAccessibleDescription(text)
        self.updateGeometry()
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if not self.message.text():
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(self.palette().color(QPalette.ColorRole.BrightText), 1.5))
        painter.drawRoundedRect(QRectF(self.control.geometry()).adjusted(-1, -1, 1, 1), 3, 3)


class StructForm(QWidget):
    """Rows of labels and controls for the fields of a struct; a field of a kind has its own form below it.

    Parameters
    ----------
    path : str
        Where the struct stands in the document, such as ``$.training``.
    hidden : tuple of str, default ()
        Fields that are asked for elsewhere.
    depth : int, default 0
        How deeply the form is nested.
    parent : QWidget or None
        Owner in the sense of Qt.
    """

    edited = Signal(object, str)
    """The struct with one field changed, and the words for it."""

    def __init__(
        self, path: str, hidden: tuple[str, ...] = (), depth: int = 0, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.path = path
        self._hidden = hidden
        self._depth = depth
        self._value: Any = None
        self._rows: dict[str, MarkedField] = {}
        self._labels: dict[str, QLabel] = {}
        self._nested: dict[str, StructForm | RecordsForm] = {}
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(INDENT if depth else 0, 0, 0, 0)
        self._grid.setHorizontalSpacing(4)
        self._grid.setVerticalSpacing(2)
        self._grid.setColumnStretch(1, 1)

    @property
    def value(self) -> Any:
        """The struct that is shown."""
        return self._value

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to ask for."""
        return not self._rows

    def control(self, name: str) -> Any:
        """Return the control of a field by its dotted name, such as ``optimizer.learning_rate``."""
        first, _, rest = name.partition(".")
        return self._nested[first].control(rest) if rest else self._rows[first].control

    def set_value(self, value: Spec, path: str | None = None) -> None:
        """Show a struct, maybe one of another place; the rows are made anew only for another class."""
        if path is not None:
            self.move_to(path)
        if type(value) is not type(self._value):
            self._build(type(value))
        self._value = value
        self.clear_errors()
        idle = idle_fields(value)
        for field in self._shown(type(value)):
            present = getattr(value, field.name)
            control, why_idle = self._rows[field.name].control, idle.get(field.name, "")
            more = summary_of(type(present)) if field.form == "kind" and present is not None else ""
            control.setToolTip(_tip(field, f"{more}\n{why_idle}".strip()))
            for part in (self._rows[field.name], self._labels[field.name], self._nested.get(field.name)):
                if part is not None:
                    part.setEnabled(not why_idle)
            if field.form == "kind":
                control.set_value(None if present is None else type(present))
                self._show_nested(field, present)
            else:
                control.set_value(present)
                if field.form == "records":
                    self._show_nested(field, present)

    def move_to(self, path: str) -> None:
        """Stand for a struct of another place."""
        self.path = path
        for name, row in self._rows.items():
            row.control.setObjectName(_object_name(path, name))
        for name, form in self._nested.items():
            form.move_to(f"{path}.{name}")

    def show_error(self, path: str, reason: str) -> bool:
        """Mark the field that a path points at, or that contains it; False where it is not in this form."""
        for name, form in self._nested.items():
            is_shown = getattr(self._value, name) is not None
            inside = path.startswith((f"{self.path}.{name}.", f"{self.path}.{name}["))
            if is_shown and inside and form.show_error(path, reason):
                return True
        for name, row in self._rows.items():
            own = f"{self.path}.{name}"
            if path == own or path.startswith((f"{own}.", f"{own}[")):
                row.set_message(_sentence(reason))
                return True
        return False

    def clear_errors(self) -> None:
        """Take all marks away."""
        for row in self._rows.values():
            row.set_message("")
        for form in self._nested.values():
            form.clear_errors()

    def _shown(self, struct: type[Spec]) -> list[Field]:
        return [f for f in fields_of(struct) if f.name not in self._hidden and f.form in CONTROLS]

    def _build(self, struct: type[Spec]) -> None:
        while (item := self._grid.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.hide()
                widget.setParent(None)  # at once: no search finds it, no tab stops there
                widget.deleteLater()
        self._rows.clear()
        self._labels.clear()
        self._nested.clear()
        self._value = None
        for index, field in enumerate(self._shown(struct)):
            self._add_row(2 * index, field)
        self._grid.setColumnMinimumWidth(0, LABEL_WIDTH - (INDENT if self._depth else 0) * self._depth)

    def _add_row(self, row: int, field: Field) -> None:
        control = CONTROLS[field.form](field)
        control.setObjectName(_object_name(self.path, field.name))
        control.setAccessibleName(field.title)
        control.setToolTip(_tip(field))
        label = QLabel(field.title)
        label.setForegroundRole(QPalette.ColorRole.PlaceholderText)
        label.setBuddy(control)
        label.setToolTip(_tip(field))
        marked = MarkedField(control)
        self._rows[field.name], self._labels[field.name] = marked, label
        # Beside the control, not beside the sentence that may stand below it.
        label.setFixedHeight(
            control.sizeHint().height() + 4 if field.form != "rows" else label.sizeHint().height() + 8
        )
        self._grid.addWidget(label, row, 0, Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
        self._grid.addWidget(marked, row, 1)
        if field.form == "kind":
            control.value_changed.connect(lambda kind: self._change_kind(field, kind))
            hidden = _INSIDE_ANOTHER if field.kinds == (Normalization,) else ()
            nested = StructForm(f"{self.path}.{field.name}", hidden, self._depth + 1)
            nested.edited.connect(lambda value, words: self._change(field.name, value, words))
            self._nested[field.name] = nested
            self._grid.addWidget(nested, row + 1, 0, 1, 2)
        elif field.form == "records":
            self._add_records(row, field, control)
        else:
            control.value_changed.connect(
                lambda value: self._change(field.name, value, edit_text(field.title, value))
            )
        if hasattr(control, "refused"):
            control.refused.connect(
                lambda text: marked.set_message(f"Expected {field.expected}, got “{text[:40]}”")
            )

    def _add_records(self, row: int, field: Field, adder: RecordAdder) -> None:
        path = f"{self.path}.{field.name}"
        records = RecordsForm(path, field, lambda path: StructForm(path, depth=self._depth + 1))
        records.edited.connect(lambda value, words: self._change(field.name, value, words))
        self._nested[field.name] = records
        self._grid.addWidget(records, row + 1, 0, 1, 2)

        def add(value: tuple[Spec, ...]) -> None:  # numpydoc ignore=GL08
            self._change(field.name, value, f"{field.title}: added")
            records.focus_last()

        adder.value_changed.connect(add)

    def _show_nested(self, field: Field, value: Any) -> None:
        form = self._nested[field.name]
        if value is not None:
            form.set_value(value)
        form.setVisible(value is not None and not form.is_empty)

    def _change_kind(self, field: Field, kind: type[Kind] | None) -> None:
        present = getattr(self._value, field.name)
        value = None if kind is None else kind() if present is None else of_kind(kind, present)
        self._change(field.name, value, f"{field.title}: {'none' if kind is None else title_of(kind)}")

    def _change(self, name: str, value: object, words: str) -> None:
        self._rows[name].set_message("")
        self.edited.emit(msgspec.structs.replace(self._value, **{name: value}), words)


def _object_name(path: str, name: str) -> str:
    return f"{path.removeprefix('$.')}.{name}"


def _sentence(reason: str) -> str:
    return reason[:1].upper() + reason[1:]


def _tip(field: Field, more: str = "") -> str:
    lines = [field.title, field.description, more]
    if field.form in ("integer", "real", "pair") and field.expected:
        lines.append(_sentence(field.expected))
    return "\n".join(line for line in lines if line)
