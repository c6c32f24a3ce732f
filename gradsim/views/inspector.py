"""The layer looked at, in formulas with their numbers and in a table of statistics."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QLabel,
    QScrollArea,
    QSpinBox,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from gradsim.trace import Cursor, IterationTrace, LayerTrace, Run, Step
from gradsim.views.fonts import install_fonts
from gradsim.views.inspection.formulas import WEIGHTS, Formula, Place, formulas_at
from gradsim.views.inspection.number_text import number_text, shape_text
from gradsim.views.inspection.statistics_view import StatisticsView
from gradsim.views.inspection.tables import ROWS, statistics_table, update_ratio
from gradsim.views.inspection.wording import MEANINGS
from gradsim.views.theme import LIGHT, Theme, phase_color

WITHOUT_SATURATION = ("softmax", "step")
"""Activations without a slope of their own, whose saturation has no meaning."""

_ACTIVATED = ("dense", "recurrent", "activation")


class Inspector(QWidget):
    """Shows the step under the cursor for the selected layer, or for the step's own when none is selected.

    Wishes: ``layer_selected(layer)``, ``follow_requested()`` (no layer selected: follow the step) and
    ``unit_selected(layer, unit)``.
    """

    title = "Inspector"
    view_id = "inspector"

    layer_selected = Signal(int)
    follow_requested = Signal()
    unit_selected = Signal(int, int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._run: Run | None = None
        self._cursor = Cursor()
        self._selected: int | None = None
        self._followed = 0
        self._theme = LIGHT
        self._shown: tuple[IterationTrace, int] | None = None
        self._formulas: tuple[Formula, ...] = ()
        self._words = ""
        self.layer_choice = QComboBox(self)
        self.layer_choice.setAccessibleName("Layer")
        self.layer_choice.setToolTip("Layer looked at")
        self.layer_choice.activated.connect(self._choose)
        self.heading = QLabel(self)
        self.heading.setWordWrap(True)
        self.sample = self._spin("sample ", "Sample of the batch whose numbers are filled in")
        self.unit = self._spin("unit ", "Unit of the layer whose numbers are filled in")
        self.source = self._spin("from ", "Unit of the layer before: the weight from there to the unit")
        self.sample.valueChanged.connect(self._refill)
        self.source.valueChanged.connect(self._refill)
        self.unit.valueChanged.connect(self._choose_unit)
        self.formula = QLabel(self)
        self.formula.setWordWrap(True)
        self.formula.setTextFormat(Qt.TextFormat.RichText)
        self.formula.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
        self.formula.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self.formula.setAccessibleName("Formula of the step")
        self.formula.setMargin(10)
        self.ratios = QLabel(self)
        self.ratios.setWordWrap(True)
        self.statistics = StatisticsView(self)
        self._arrange()
        self.set_theme(LIGHT)
        self._show()

    # What is shown

    def set_run(self, run: Run | None) -> None:
        """Show a run, or nothing."""
        if run is not self._run:
            self._run = run
            self._show()

    def set_cursor(self, cursor: Cursor) -> None:
        """Show another step."""
        if cursor != self._cursor:
            self._cursor = cursor
            self._show()

    def set_selection(self, layer: int | None) -> None:
        """Look at a layer, or follow the step."""
        if layer != self._selected:
            self._selected = layer
            self._show()

    def set_unit(self, layer: int | None, unit: int | None) -> None:
        """Fill in the numbers of a unit of a layer."""
        self.set_selection(layer)
        if unit is not None and unit + 1 != self.unit.value():
            with QSignalBlocker(self.unit):
                self.unit.setValue(unit + 1)
            self._refill()

    def set_theme(self, theme: Theme) -> None:
        """Change the colours."""
        self._theme = theme
        self.heading.setStyleSheet(f"color: {theme.muted}")
        self.ratios.setStyleSheet(f"color: {theme.muted}")
        self.statistics.set_theme(theme)
        self._shown = None
        self._show()

    @property
    def layer(self) -> int | None:
        """Index of the layer looked at."""
        if self._run is None:
            return None
        last = len(self._run.trace.layers) - 1
        return min(self._followed if self._selected is None else self._selected, last)

    @property
    def place(self) -> Place:
        """Sample, unit and source that are filled in."""
        return Place(self.sample.value() - 1, self.unit.value() - 1, self.source.value() - 1)

    @property
    def formulas(self) -> tuple[Formula, ...]:
        """The formulas on screen."""
        return self._formulas

    def text_summary(self) -> str:
        """Return what is seen, in words."""
        if self._run is None or self.layer is None:
            return "No run yet."
        lines = [self._words]
        for told in self._formulas:
            lines += [part for part in (told.symbols, told.filled, told.note) if part]
        lines.append(self.ratios.text())
        return "\n".join(lines)

    def table(self) -> tuple[Mapping[str, NDArray[Any]], Mapping[str, str]]:
        """Return the statistics of the layer: a row for each statistic, a column for each tensor."""
        table = self.statistics.statistics.table
        if table is None:
            return {}, {}
        columns: dict[str, NDArray[Any]] = {"statistic": np.array(ROWS)}
        for index, tensor in enumerate(table.tensors):
            columns[tensor] = np.array([table.value(row, index) for row in range(len(ROWS))])
        return columns, {name: "name" if name == "statistic" else "as the tensor; counts" for name in columns}

    # How it is made

    def _spin(self, prefix: str, words: str) -> QSpinBox:
        spin = QSpinBox(self)
        spin.setPrefix(prefix)
        spin.setRange(1, 1)
        spin.setToolTip(words)
        spin.setAccessibleName(words)
        spin.setMinimumWidth(72)  # the numbers of a wide batch must not widen the dock
        return spin

    def _arrange(self) -> None:
        places = QHBoxLayout()
        places.setSpacing(6)
        for spin in (self.sample, self.unit, self.source):
            places.addWidget(spin, 1)
        scroll = QScrollArea(self)
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QScrollArea.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(self.formula)
        scroll.setMinimumHeight(110)
        lower = QWidget(self)
        numbers = QVBoxLayout(lower)
        numbers.setContentsMargins(0, 6, 0, 0)
        numbers.setSpacing(6)
        numbers.addWidget(self.ratios)
        numbers.addWidget(self.statistics, 1)
        # The two share the height by a bar of one's own: a longer formula scrolls, nothing below it moves.
        parts = QSplitter(Qt.Orientation.Vertical, self)
        parts.addWidget(scroll)
        parts.addWidget(lower)
        parts.setChildrenCollapsible(False)
        parts.setStretchFactor(0, 1)
        parts.setStretchFactor(1, 0)
        rows = QVBoxLayout(self)
        rows.setContentsMargins(8, 8, 8, 8)
        rows.setSpacing(6)
        rows.addWidget(self.layer_choice)
        rows.addWidget(self.heading)
        rows.addLayout(places)
        rows.addWidget(parts, 1)
        self._scroll = scroll

    # What happens

    def _step(self) -> Step | None:
        if self._run is None:
            return None
        steps = self._run.trace.steps
        return steps[min(self._cursor.step, len(steps) - 1)]

    def _choose(self, index: int) -> None:
        self._list_layers()  # the choice follows the selection, not the other way round
        if index == 0:
            self.follow_requested.emit()
        elif index > 0:
            self.layer_selected.emit(index - 1)

    def _choose_unit(self, unit: int) -> None:
        self._refill()
        if self.layer is not None:
            self.unit_selected.emit(self.layer, unit - 1)

    def _show(self) -> None:
        step = self._step()
        if step is not None and step.layer is not None:
            self._followed = step.layer
        elif step is not None and step.phase == "loss" and self._run is not None:
            self._followed = len(self._run.trace.layers) - 1
        self._list_layers()
        layer = self.layer
        for widget in (self.layer_choice, self.sample, self.unit, self.source, self.statistics):
            widget.setEnabled(layer is not None)
        if self._run is None or layer is None:
            self._shown = None
            self.heading.setText("No run yet")
            self.ratios.setText("")
            self.statistics.statistics.set_table(None)
        elif self._shown is None or self._shown[0] is not self._run.trace or self._shown[1] != layer:
            self._shown = (self._run.trace, layer)
            self._show_layer(self._run.trace.layers[layer])
        self._refill()

    def _list_layers(self) -> None:
        names = [] if self._run is None else [layer.name for layer in self._run.trace.layers]
        wanted = ["Layer of the step", *names] if names else []
        with QSignalBlocker(self.layer_choice):
            if wanted != [self.layer_choice.itemText(i) for i in range(self.layer_choice.count())]:
                self.layer_choice.clear()
                self.layer_choice.addItems(wanted)
            if wanted:
                chosen = 0 if self._selected is None else min(self._selected, len(names) - 1) + 1
                self.layer_choice.setCurrentIndex(chosen)

    def _show_layer(self, layer: LayerTrace) -> None:
        assert self._run is not None
        count = sum(one.number is not None for one in self._run.trace.layers)
        number = "" if layer.number is None else f" · layer {layer.number} of {count}"
        activation = f" · {layer.activation_kind}" if layer.kind in _ACTIVATED else ""
        self._words = f"{layer.name} · {layer.kind}{number}{activation}"
        weight = f"W {shape_text(layer.weight.shape)} &nbsp; " if "weight" in layer.statistics else ""
        self.heading.setText(
            f"<b style='font-size:11pt; color:{self._theme.text}'>{escape(layer.name)}</b>"
            f" &nbsp;{escape(self._words.partition(' · ')[2])}<br>"
            f"x {shape_text(layer.input.shape)} &nbsp; {weight}"
            f"{'z' if layer.number else 'y'} "
            f"{shape_text((layer.pre_activation if layer.number else layer.output).shape)}"
        )
        sizes = ((self.sample, len(layer.input)), (self.unit, layer.fan_out), (self.source, layer.fan_in))
        for spin, size in sizes:
            with QSignalBlocker(spin):
                spin.setRange(1, size)
                spin.setSuffix(f" of {size}")
        told = []
        if layer.activation_kind not in WITHOUT_SATURATION and (
            layer.saturation == layer.saturation or layer.kind == "dense"
        ):
            told.append(f"saturation {number_text(layer.saturation)}")
        if "weight" in layer.statistics:
            told.append(f"rms ΔW / rms W {number_text(update_ratio(layer))}")
        self.ratios.setText("   ".join([*told, f"η {number_text(self._run.trace.learning_rate)}"]))
        self.statistics.statistics.set_table(statistics_table(self._run.trace, layer.index))

    def _refill(self) -> None:
        step, layer = self._step(), self.layer
        if self._run is None or step is None or layer is None:
            self._formulas = ()
            self.formula.setText("")
            return
        self.source.setEnabled(step.operation in WEIGHTS)
        self._formulas = formulas_at(self._run.trace, step, layer, self.place)
        color = phase_color(self._theme, step.phase)
        self.formula.setStyleSheet(
            f"background: {self._theme.background}; color: {self._theme.text};"
            f"border: none; border-left: 3px solid {color.name()};"
        )
        self.formula.setText(self._rich_text(step, layer, color.name()))
        tensor = "weight_clipped_gradient" if step.phase == "clip" else step.tensor
        self.statistics.mark(tensor, color)

    def _rich_text(self, step: Step, layer: int, color: str) -> str:
        assert self._run is not None
        layers, theme = self._run.trace.layers, self._theme
        mono = install_fonts().mono
        meaning = MEANINGS.get(step.operation, step.operation)
        parts = [
            f"<p style='margin:0 0 8px 0'><b style='color:{color}'>{escape(step.phase)}</b>"
            f" <span style='color:{theme.muted}'>{escape(meaning)}</span></p>"
        ]
        for told in self._formulas:
            filled = escape(told.filled).replace("\n", "<br>")
            parts.append(
                f"<p style='margin:0 0 2px 0; font-family:\"{mono}\"; font-weight:bold'>"
                f"{escape(told.symbols)}</p>"
                f"<p style='margin:0 0 2px 0; font-family:\"{mono}\"'>{filled}</p>"
                f"<p style='margin:0 0 10px 0; color:{theme.muted}'>{escape(told.note)}</p>"
            )
        if step.layer is not None and step.layer != layer:
            words = (
                f"The step is done in {layers[step.layer].name}; these numbers are of {layers[layer].name}."
            )
            parts.append(f"<p style='margin:0; color:{theme.muted}'><i>{escape(words)}</i></p>")
        return "".join(parts)
