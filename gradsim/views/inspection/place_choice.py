"""Sample, source and unit whose numbers are filled in, as three fields; or the mean over the batch."""

from __future__ import annotations

from PySide6.QtCore import QSignalBlocker, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QComboBox, QGridLayout, QLabel, QSpinBox, QWidget

from gradsim.trace import LayerTrace
from gradsim.views.inspection.formula import Place
from gradsim.views.theme import Theme

_WIDE = 276
"""From this width on, px, there is room for two words."""


class PlaceChoice(QWidget):
    """A sample of the batch or the mean over it, and a weight by the units it leads from and to, counted from 1.

    Wishes: ``place_changed()`` when a person chooses another sample or source, or the mean.
    """

    place_changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.scope = QComboBox(self)
        self.scope.addItems(["sample", "batch mean"])
        self.scope.setAccessibleName("One sample or the mean over the batch")
        self.scope.setToolTip("Fill in the numbers of one sample, or their means over the batch")
        self.scope.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.scope.setMinimumContentsLength(4)
        self.sample = self._spin("Sample of the batch whose numbers are filled in")
        self.source = self._spin("Unit of the layer before: the weight from there to the unit")
        self.unit = self._spin("Unit of the layer whose numbers are filled in")
        self.over = QLabel(self)
        self.over.setToolTip("Every number is a mean over so many samples")
        self.over.hide()
        self._labels = [self.over]
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(6)
        grid.setVerticalSpacing(1)
        grid.addWidget(self.scope, 0, 0)
        grid.addWidget(self.sample, 1, 0)
        grid.addWidget(self.over, 1, 0)
        for column, (name, spin) in enumerate((("from", self.source), ("to unit", self.unit)), start=1):
            label = QLabel(name, self)
            label.setBuddy(spin)
            self._labels.append(label)
            grid.addWidget(label, 0, column)
            grid.addWidget(spin, 1, column)
        for column, stretch in enumerate((4, 3, 3)):
            grid.setColumnStretch(column, stretch)
        self.scope.currentIndexChanged.connect(self._show_scope)
        self.sample.valueChanged.connect(lambda _: self.place_changed.emit())
        self.source.valueChanged.connect(lambda _: self.place_changed.emit())

    @property
    def is_mean(self) -> bool:
        """Whether the numbers are means over the batch."""
        return self.scope.currentIndex() == 1

    @property
    def place(self) -> Place:
        """What is chosen."""
        sample = None if self.is_mean else self.sample.value() - 1
        return Place(sample, self.unit.value() - 1, self.source.value() - 1)

    def set_sample(self, sample: int) -> None:
        """Choose one sample, counted from 0."""
        with QSignalBlocker(self.scope):
            self.scope.setCurrentIndex(0)
        with QSignalBlocker(self.sample):
            self.sample.setValue(sample + 1)
        self._show_scope()

    def set_sizes(self, layer: LayerTrace) -> None:
        """Let only be chosen what a layer has; what is beyond becomes the last. Emits nothing."""
        # A weight of a recurrent layer leads from its input or from its own units.
        sources = max(layer.fan_in, layer.fan_out) if layer.kind == "recurrent" else layer.fan_in
        samples = len(layer.input)
        sizes = ((self.sample, samples), (self.source, sources), (self.unit, layer.fan_out))
        for spin, size in sizes:
            suffix = f" / {size}"
            if spin.suffix() == suffix:  # setting it again would lay out and paint everything around it
                continue
            with QSignalBlocker(spin):
                spin.setRange(1, size)
                spin.setSuffix(suffix)
        self.over.setText(f"of {samples} sample{'s' * (samples > 1)}")

    def set_theme(self, theme: Theme) -> None:
        """Change the colours."""
        for label in self._labels:
            label.setStyleSheet(f"color: {theme.muted}")

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Name the mean in as many words as there is room for."""
        super().resizeEvent(event)
        with QSignalBlocker(self.scope):
            self.scope.setItemText(1, "batch mean" if event.size().width() >= _WIDE else "mean")

    def _show_scope(self) -> None:
        self.over.setVisible(self.is_mean)
        self.sample.setVisible(not self.is_mean)
        self.over.setMinimumHeight(self.sample.sizeHint().height())  # nothing below it moves
        self.place_changed.emit()

    def _spin(self, words: str) -> QSpinBox:
        spin = QSpinBox(self)
        spin.setRange(1, 1)
        spin.setToolTip(words)
        spin.setAccessibleName(words)
        spin.setMinimumWidth(72)  # the numbers of a wide batch must not widen the dock
        return spin
