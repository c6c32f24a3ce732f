"""Sample, source and unit whose numbers are filled in, as three fields."""

from __future__ import annotations

from PySide6.QtCore import QSignalBlocker
from PySide6.QtWidgets import QGridLayout, QLabel, QSpinBox, QWidget

from gradsim.trace import LayerTrace
from gradsim.views.inspection.formula import Place
from gradsim.views.theme import Theme


class PlaceChoice(QWidget):
    """Three numbers, counted from 1: a sample of the batch, and a weight by the units it leads from and to."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.sample = self._spin("Sample of the batch whose numbers are filled in")
        self.source = self._spin("Unit of the layer before: the weight from there to the unit")
        self.unit = self._spin("Unit of the layer whose numbers are filled in")
        self._labels: list[QLabel] = []
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(6)
        grid.setVerticalSpacing(1)
        named = (("sample", self.sample), ("from", self.source), ("to unit", self.unit))
        for column, (name, spin) in enumerate(named):
            label = QLabel(name, self)
            label.setBuddy(spin)
            self._labels.append(label)
            grid.addWidget(label, 0, column)
            grid.addWidget(spin, 1, column)
            grid.setColumnStretch(column, 1)

    @property
    def place(self) -> Place:
        """What is chosen."""
        return Place(self.sample.value() - 1, self.unit.value() - 1, self.source.value() - 1)

    def set_sizes(self, layer: LayerTrace) -> None:
        """Let only be chosen what a layer has; what is beyond becomes the last. Emits nothing."""
        # A weight of a recurrent layer leads from its input or from its own units.
        sources = max(layer.fan_in, layer.fan_out) if layer.kind == "recurrent" else layer.fan_in
        sizes = ((self.sample, len(layer.input)), (self.source, sources), (self.unit, layer.fan_out))
        for spin, size in sizes:
            with QSignalBlocker(spin):
                spin.setRange(1, size)
                spin.setSuffix(f" / {size}")

    def set_theme(self, theme: Theme) -> None:
        """Change the colours."""
        for label in self._labels:
            label.setStyleSheet(f"color: {theme.muted}")

    def _spin(self, words: str) -> QSpinBox:
        spin = QSpinBox(self)
        spin.setRange(1, 1)
        spin.setToolTip(words)
        spin.setAccessibleName(words)
        spin.setMinimumWidth(72)  # the numbers of a wide batch must not widen the dock
        return spin
