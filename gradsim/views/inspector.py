"""The microscope: the step as formulas with their numbers, the chain rule of a weight, statistics of a layer."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import (
    QComboBox,
    QLabel,
    QSplitter,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from gradsim.trace import Cursor, IterationTrace, LayerTrace, Run, Step
from gradsim.views.fonts import install_fonts
from gradsim.views.inspection.chain_view import WeightChainView, usual_digits
from gradsim.views.inspection.formula import Formula, Place
from gradsim.views.inspection.formulas import WEIGHTS, formulas_at
from gradsim.views.inspection.heading import layer_heading, layer_ratios, layer_words
from gradsim.views.inspection.marked_number import linked_text, plain_text
from gradsim.views.inspection.number_browser import NumberBrowser
from gradsim.views.inspection.place_choice import PlaceChoice
from gradsim.views.inspection.statistics_view import StatisticsView
from gradsim.views.inspection.tables import ROWS, statistics_table
from gradsim.views.inspection.wording import MEANINGS
from gradsim.views.rounding import pass_notes
from gradsim.views.theme import LIGHT, Theme, phase_color

_DIGITS = (("digits: auto", 0), ("4 digits", 4), ("6 digits", 6), ("10 digits", 10), ("all digits", 17))


class Inspector(QWidget):
    """Shows the step under the cursor for the selected layer, or for the step's own when none is selected.

    Wishes: ``layer_selected(layer)``, ``follow_requested()`` (no layer selected: follow the step),
    ``unit_selected(layer, unit)`` and ``paths_selected(chains)``: the paths of the chain rule on screen, each a
    tuple of (layer, unit), the marked one first; none when it is not on screen.
    """

    title = "Inspector"
    view_id = "inspector"

    layer_selected = Signal(int)
    follow_requested = Signal()
    unit_selected = Signal(int, int)
    paths_selected = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._run: Run | None = None
        self._cursor = Cursor()
        self._selected: int | None = None
        self._followed = 0
        self._theme = LIGHT
        self._shown: tuple[IterationTrace, int] | None = None
        self._formulas: tuple[Formula, ...] = ()
        self._listed: list[str] = []
        self._words = self._ratios = ""
        self.layer_choice = QComboBox(self)
        self.layer_choice.setAccessibleName("Layer")
        self.layer_choice.setToolTip("Layer looked at")
        self.layer_choice.activated.connect(self._choose)
        self.heading = QLabel(self)
        self.heading.setWordWrap(True)
        self.places = PlaceChoice(self)
        self.sample, self.source, self.unit = self.places.sample, self.places.source, self.places.unit
        self.places.place_changed.connect(self._refill)
        self.unit.valueChanged.connect(self._choose_unit)
        self.digits = QComboBox(self)
        for words, count in _DIGITS:
            self.digits.addItem(words, count)
        self.digits.setAccessibleName("Digits of the numbers")
        self.digits.setToolTip("Significant digits; a click on a number copies all of them")
        self.digits.currentIndexChanged.connect(self._refill)
        self.formula = NumberBrowser(self)
        self.formula.setAccessibleName("Formula of the step")
        self.formula.setMinimumHeight(96)
        self.chain = WeightChainView(self)
        self.chain.paths_changed.connect(self.paths_selected)
        self.chain.sample_wished.connect(self.places.set_sample)
        self.chain.weight_wished.connect(self._choose_weight)
        self.ratios = QLabel(self)
        self.ratios.setWordWrap(True)
        self.ratios.setTextFormat(Qt.TextFormat.RichText)
        self.ratios.setTextInteractionFlags(Qt.TextInteractionFlag.TextBrowserInteraction)
        self.ratios.linkActivated.connect(
            lambda target: QGuiApplication.clipboard().setText(target.removeprefix("copy:"))
        )
        self.notes = QLabel(self, wordWrap=True)
        self.notes.setTextFormat(Qt.TextFormat.PlainText)
        self.notes.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
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
        before, self._cursor = self._cursor, cursor
        if cursor.step != before.step:  # which iteration it is of, the run tells
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

    def set_weight(self, layer: int, source: int, unit: int) -> None:
        """Look at the weight from a unit of the layer before to a unit of a layer."""
        with QSignalBlocker(self.source):
            self.set_unit(layer, unit)
            self.source.setValue(source + 1)
        self._refill()

    def set_theme(self, theme: Theme) -> None:
        """Change the colours."""
        self._theme = theme
        self.heading.setStyleSheet(f"color: {theme.muted}")
        self.ratios.setStyleSheet(f"color: {theme.muted}")
        self.places.set_theme(theme)
        self.statistics.set_theme(theme)
        self.chain.set_theme(theme)
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
        return self.places.place

    @property
    def formulas(self) -> tuple[Formula, ...]:
        """The formulas on screen."""
        return self._formulas

    def text_summary(self) -> str:
        """Return what is seen, in words."""
        if self._run is None or self.layer is None:
            return "No run yet."
        lines = [self._words]
        digits = self._shown_digits()
        for formula in self._formulas:
            parts = (formula.symbols, plain_text(formula.marked, digits), plain_text(formula.told, digits))
            lines += [part for part in parts if part]
        lines.append(plain_text(self._ratios))
        lines += [self.notes.text()] if self.notes.text() else []
        if self.tabs.currentWidget() is self.chain:
            lines.append(self.chain.text_summary())
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

    def _arrange(self) -> None:
        lower = QWidget(self)
        numbers = QVBoxLayout(lower)
        numbers.setContentsMargins(0, 6, 0, 0)
        numbers.setSpacing(6)
        numbers.addWidget(self.notes)
        numbers.addWidget(self.ratios)
        numbers.addWidget(self.statistics, 1)
        # The two share the height by a bar of one's own: a longer formula scrolls, nothing below it moves.
        parts = QSplitter(Qt.Orientation.Vertical, self)
        parts.addWidget(self.formula)
        parts.addWidget(lower)
        parts.setChildrenCollapsible(False)
        parts.setStretchFactor(0, 1)
        parts.setStretchFactor(1, 0)
        self.tabs = QTabWidget(self)
        self.tabs.setDocumentMode(True)
        self.tabs.addTab(parts, "Step")
        self.tabs.addTab(self.chain, "Chain rule")
        self.tabs.setTabToolTip(0, "The step under the cursor as a formula, and the statistics of the layer")
        self.tabs.setTabToolTip(1, "∂L/∂w of one weight, factor by factor: ∂L/∂a · ∂a/∂z · ∂z/∂w")
        corner = QWidget()  # keeps the box off the page below it
        above = QVBoxLayout(corner)
        above.setContentsMargins(0, 0, 0, 3)
        above.addWidget(self.digits)
        self.tabs.setCornerWidget(corner)
        self.tabs.currentChanged.connect(self._refill)
        rows = QVBoxLayout(self)
        rows.setContentsMargins(8, 8, 8, 8)
        rows.setSpacing(6)
        rows.addWidget(self.layer_choice)
        rows.addWidget(self.heading)
        rows.addWidget(self.places)
        rows.addWidget(self.tabs, 1)

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

    def _choose_weight(self, source: int, unit: int) -> None:
        with QSignalBlocker(self.source):
            self.source.setValue(source + 1)
        with QSignalBlocker(self.unit):
            self.unit.setValue(unit + 1)
        self._choose_unit(unit + 1)

    def _show(self) -> None:
        step = self._step()
        if step is not None and step.layer is not None:
            self._followed = step.layer
        elif step is not None and step.phase == "loss" and self._run is not None:
            self._followed = len(self._run.trace.layers) - 1
        self._list_layers()
        layer = self.layer
        for widget in (self.layer_choice, self.places, self.statistics):
            widget.setEnabled(layer is not None)
        if self._run is None or layer is None:
            self._shown = None
            self.heading.setText("No run yet")
            self.ratios.setText("")
            self.notes.hide()
            self.statistics.statistics.set_table(None)
        elif self._shown is None or self._shown[0] is not self._run.trace or self._shown[1] != layer:
            self._shown = (self._run.trace, layer)
            self._show_layer(self._run.trace.layers[layer])
        self._refill()

    def _list_layers(self) -> None:
        names = [] if self._run is None else [layer.name for layer in self._run.trace.layers]
        wanted = ["Layer of the step", *names] if names else []
        with QSignalBlocker(self.layer_choice):
            if wanted != self._listed:
                self._listed = wanted
                self.layer_choice.clear()
                self.layer_choice.addItems(wanted)
            if wanted:
                chosen = 0 if self._selected is None else min(self._selected, len(names) - 1) + 1
                self.layer_choice.setCurrentIndex(chosen)

    def _show_layer(self, layer: LayerTrace) -> None:
        assert self._run is not None
        self._words = layer_words(self._run.trace, layer)
        self.heading.setText(layer_heading(self._words, layer, self._theme))
        self.places.set_sizes(layer)
        self.notes.setText(pass_notes(self._run.trace, layer))
        self.notes.setVisible(bool(self.notes.text()))
        self._ratios = layer_ratios(self._run.trace, layer)
        self.ratios.setText(linked_text(self._ratios, self._theme.muted).replace("   ", " &nbsp; "))
        self.statistics.statistics.set_table(statistics_table(self._run.trace, layer.index))

    def _shown_digits(self) -> int:
        """Return how many digits numbers have: as chosen, or as fits the network."""
        chosen: int = self.digits.currentData()
        return chosen or (4 if self._run is None else usual_digits(self._run.trace))

    def _refill(self) -> None:
        step, layer = self._step(), self.layer
        if self._run is None or step is None or layer is None:
            self._formulas = ()
            self.formula.set_html("")
            self.chain.set_place(None, 0, self.place)
            return
        self._limit_source(step)
        self._formulas = formulas_at(self._run.trace, step, layer, self.place)
        color = phase_color(self._theme, step.phase)
        self.formula.set_colors(self._theme, color.name())
        self.formula.set_html(self._rich_text(step, layer, color.name()))
        tensor = "weight_clipped_gradient" if step.phase == "clip" else step.tensor
        self.statistics.mark(tensor, color)
        self.chain.set_digits(self._shown_digits())
        self.chain.set_place(self._run.trace, layer, self.place)

    def _limit_source(self, step: Step) -> None:
        """Let the source be chosen where it matters: for the chain rule always, for a step about weights."""
        is_chain = self.tabs.currentWidget() is self.chain
        self.source.setEnabled(is_chain or step.operation in WEIGHTS)

    def _rich_text(self, step: Step, layer: int, color: str) -> str:
        assert self._run is not None
        layers, theme = self._run.trace.layers, self._theme
        mono = install_fonts().mono
        meaning = MEANINGS.get(step.operation, step.operation)
        parts = [
            f"<p style='margin:0 0 8px 0'><b style='color:{color}'>{escape(step.phase)}</b>"
            f" <span style='color:{theme.muted}'>{escape(meaning)}</span></p>"
        ]
        digits = self._shown_digits()
        parts += [
            f"<p style='margin:0 0 2px 0; font-family:\"{mono}\"; font-weight:bold'>{escape(formula.symbols)}</p>"
            f"<p style='margin:0 0 2px 0; font-family:\"{mono}\"'>"
            f"{linked_text(formula.marked, theme.text, digits)}</p>"
            f"<p style='margin:0 0 10px 0; color:{theme.muted}'>"
            f"{linked_text(formula.told, theme.muted, digits)}</p>"
            for formula in self._formulas
        ]
        if step.layer is not None and step.layer != layer:
            words = (
                f"The step is done in {layers[step.layer].name}; these numbers are of {layers[layer].name}."
            )
            parts.append(f"<p style='margin:0; color:{theme.muted}'><i>{escape(words)}</i></p>")
        return "".join(parts)
