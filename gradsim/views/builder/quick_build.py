"""One row that changes every layer before the head at once: how many, how wide, which activation and start."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QWidget

from gradsim.spec import Dense, Kind, Network
from gradsim.spec.fields import Field, fields_of, title_of
from gradsim.spec.network import MAX_LAYERS
from gradsim.views.builder.adaptation import of_kind
from gradsim.views.builder.fields import Choice, kind_choice
from gradsim.views.builder.number_field import NumberField
from gradsim.views.builder.whole_network import depth, layers_with, with_all, with_depth
from gradsim.views.builder.wording import edit_text

VARIOUS = "various"


class QuickBuild(QWidget):
    """Depth × width, activation and initializer of all layers in one action each.

    Parameters
    ----------
    parent : QWidget or None
        Owner in the sense of Qt.
    """

    edited = Signal(object, str)
    """The network after the change, and the words for it."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._network = Network()
        self._has_edited = False
        fields = {field.name: field for field in fields_of(Dense)}
        self.number = NumberField(True, 1, MAX_LAYERS)
        self.units = NumberField(True, fields["units"].minimum, fields["units"].maximum)
        self.activation = self._choice(fields["activation"])
        self.initializer = self._choice(fields["initializer"])
        for control, name, title, tip in (
            (self.number, "depth", "Layers", "How many layers stand before the head; new ones are copies"),
            (self.units, "units", "Units of all layers", "Units of every layer before the head"),
            (
                self.activation,
                "activation",
                "Activation of all layers",
                "Activation of every layer before the head",
            ),
            (
                self.initializer,
                "initializer",
                "Weights of all layers",
                "How the weights of every layer before the head start",
            ),
        ):
            control.setObjectName(f"all.{name}")
            control.setAccessibleName(title)
            control.setToolTip(tip)
        self.number.value_changed.connect(self._set_depth)
        self.units.value_changed.connect(lambda n: self._set_all("Units of all layers", units=n))
        self.activation.value_changed.connect(lambda kind: self._set_kind("activation", kind))
        self.initializer.value_changed.connect(lambda kind: self._set_kind("initializer", kind))
        size = QHBoxLayout()
        size.setSpacing(6)
        size.addWidget(self.number, 1)
        size.addWidget(QLabel("×"))
        size.addWidget(self.units, 1)
        grid = QGridLayout(self)
        grid.setContentsMargins(2, 0, 2, 0)
        grid.setHorizontalSpacing(6)
        grid.setVerticalSpacing(4)
        caption = QLabel("All layers: depth × units, activation, start of the weights")
        caption.setForegroundRole(QPalette.ColorRole.PlaceholderText)
        caption.setWordWrap(True)
        grid.addWidget(caption, 0, 0, 1, 2)
        grid.addLayout(size, 1, 0, 1, 2)
        grid.addWidget(self.activation, 2, 0)
        grid.addWidget(self.initializer, 2, 1)
        self.message = QLabel(wordWrap=True)
        self.message.setForegroundRole(QPalette.ColorRole.BrightText)
        self.message.setTextFormat(Qt.TextFormat.PlainText)
        self.message.setVisible(False)
        grid.addWidget(self.message, 3, 0, 1, 2)
        grid.setColumnStretch(0, 1)
        grid.setColumnStretch(1, 1)

    def show_error(self, reason: str) -> None:
        """Say what is wrong with the last edit, if it was made here."""
        if self._has_edited:
            self._say(f"{reason[:1].upper()}{reason[1:]}")

    def clear_error(self) -> None:
        """Take the words away."""
        self._say("")

    def _say(self, words: str) -> None:
        self.message.setText(words)
        self.message.setVisible(bool(words))

    def _edit(self, network: Network, words: str) -> None:
        self._has_edited = True
        try:
            self.edited.emit(network, words)  # a refusal comes back meanwhile
        finally:
            self._has_edited = False

    @staticmethod
    def _choice(field: Field) -> Choice:
        choice = kind_choice(field)
        choice.setPlaceholderText(VARIOUS)
        return choice

    def set_network(self, network: Network) -> None:
        """Show what the layers have in common."""
        self._network = network
        self.clear_error()
        self.number.set_value(depth(network))
        units = {layer.units for layer in layers_with(network, "units")}
        if len(units) == 1:
            self.units.set_value(units.pop())
        else:
            self.units.set_mixed(VARIOUS)
        for control, name in ((self.activation, "activation"), (self.initializer, "initializer")):
            kinds = {type(getattr(layer, name)) for layer in layers_with(network, name)}
            control.setEnabled(bool(kinds))
            control.set_value(kinds.pop() if len(kinds) == 1 else None)
        self.units.setEnabled(bool(layers_with(network, "units")))

    def _set_depth(self, number: Any) -> None:
        if not 1 <= number <= MAX_LAYERS:
            self._say(f"Expected 1 to {MAX_LAYERS:,} layers, got {number:,}")
            return
        self._edit(with_depth(self._network, int(number)), edit_text("Number of layers", number))

    def _set_all(self, title: str, **values: Any) -> None:
        (value,) = values.values()
        self._edit(with_all(self._network, **values), edit_text(title, value))

    def _set_kind(self, name: str, kind: type[Kind]) -> None:
        layers = layers_with(self._network, name)
        old = getattr(layers[0], name) if layers else kind()
        title = {"activation": "Activation of all layers", "initializer": "Weights of all layers"}[name]
        edited = with_all(self._network, **{name: of_kind(kind, old)})
        self._edit(edited, f"{title}: {title_of(kind)}")
