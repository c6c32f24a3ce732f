"""The chain rule of one weight as a widget: what of it is looked at, and the text with its numbers."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from PySide6.QtCore import QSignalBlocker, QTimer, Signal
from PySide6.QtGui import QResizeEvent, QShowEvent
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QVBoxLayout, QWidget

from gradsim.analysis.chain_means import mean_product
from gradsim.analysis.chain_rule import WeightChain, weight_chain, weight_tensors
from gradsim.trace import IterationTrace
from gradsim.views.fonts import install_fonts
from gradsim.views.inspection.chain_shares import rows_words, three_factors
from gradsim.views.inspection.chain_text import ChainText
from gradsim.views.inspection.chain_words import PARAMETER_LETTERS, unit_chain
from gradsim.views.inspection.formula import Place
from gradsim.views.inspection.html_writer import HtmlWriter
from gradsim.views.inspection.marked_number import plain_text, told
from gradsim.views.inspection.number_browser import NumberBrowser
from gradsim.views.inspection.path_text import whole_path_text
from gradsim.views.inspection.recurrent import GATES
from gradsim.views.theme import LIGHT, Theme

_REST = 8.0
"""Between two looks at the paths there is this many times as long a rest: training goes on beside it."""

_LONGEST_REST = 1000
"""Milliseconds."""

_WORDS = {
    "weight": "weight W",
    "bias": "bias b",
    "gamma": "scale γ",
    "beta": "shift β",
    "projection": "projection P",
    "recurrent_weight": "recurrent R",
    "input_weight": "input W",
    "recurrent_bias": "second bias bᵣ",
    "prelu_slope": "slope p",
    "scale": "scale α",
}


class WeightChainView(QWidget):
    """Shows ∂L/∂w of one weight. Nothing is computed while it is hidden.

    Wishes: ``sample_wished(sample)``, ``weight_wished(source, unit)``, and ``paths_changed(chains)`` when other
    paths are listed or marked: a tuple of unit chains, the marked one first; empty when none are shown.
    """

    sample_wished = Signal(int)
    weight_wished = Signal(int, int)
    paths_changed = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._trace: IterationTrace | None = None
        self._layer, self._place, self._digits = 0, Place(), 4
        self._theme = LIGHT
        self._chain: WeightChain | None = None
        self._selected = 0
        self._time: int | None = None
        self._paths: tuple[Any, ...] = ()
        self._cost = 0.0
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._show)
        self.parameter = QComboBox(self)
        self.parameter.setAccessibleName("Parameter")
        self.parameter.setToolTip("Which parameter of the layer")
        self.parameter.activated.connect(self._choose)
        self.gate = QComboBox(self)
        self.gate.setAccessibleName("Gate")
        self.gate.setToolTip("Gate of the recurrent cell whose weight is looked at")
        self.gate.activated.connect(self._choose)
        self.gate.hide()
        for choice in (self.parameter, self.gate):
            choice.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
            choice.setMinimumContentsLength(4)
        self.text = NumberBrowser(self)
        self.text.setAccessibleName("Chain rule of the weight")
        self.text.wished.connect(self._follow)
        choices = QHBoxLayout()
        choices.setSpacing(6)
        choices.addWidget(self.parameter, 1)
        choices.addWidget(self.gate, 0)
        rows = QVBoxLayout(self)
        rows.setContentsMargins(0, 6, 0, 0)
        rows.setSpacing(6)
        rows.addLayout(choices)
        rows.addWidget(self.text, 1)

    # What is shown

    def set_place(self, trace: IterationTrace | None, layer: int, place: Place) -> None:
        """Show a weight of a layer, or nothing."""
        if (trace, layer, place) == (self._trace, self._layer, self._place):
            return
        if (layer, place) != (self._layer, self._place):
            self._selected = 0
        if layer != self._layer:
            self._time = None
        self._trace, self._layer, self._place = trace, layer, place
        self._list_parameters()
        self._forget()

    def set_digits(self, digits: int) -> None:
        """Show every number in so many significant digits."""
        if digits != self._digits:
            self._digits = digits
            self._write_soon()

    def set_theme(self, theme: Theme) -> None:
        """Change the colours."""
        self._theme = theme
        self.text.set_colors(theme)
        self._write_soon()

    @property
    def chain(self) -> WeightChain | None:
        """The chain rule that is shown, computed now if it has not been; None for a layer without parameters."""
        if self._chain is None and self._trace is not None and self.parameter.count():
            here, tensor = self._trace.layers[self._layer], self.parameter.currentData()
            shape, place = here[tensor].shape, self._place
            row = min(place.source, shape[0] - 1) if len(shape) == 2 else 0
            sample = None if place.sample is None else min(place.sample, len(self._trace.inputs) - 1)
            time = (
                None
                if self._time is None or here.output.ndim < 3
                else min(self._time, here.output.shape[1] - 1)
            )
            units = here.fan_out
            column = min(max(self.gate.currentIndex(), 0) * units + min(place.unit, units - 1), shape[-1] - 1)
            self._chain = weight_chain(
                self._trace, self._layer, row, column, sample, tensor=tensor, time=time
            )
        return self._chain

    def text_summary(self) -> str:
        """Return what is seen, in words."""
        chain = self.chain
        if chain is None or self._trace is None:
            return "No weight to tell the chain rule of."
        name, letter = self._trace.layers[chain.layer].name, PARAMETER_LETTERS[chain.tensor]
        whose = "of the batch" if chain.sample is None else f"of sample {chain.sample + 1}"
        paths = f", a sum over {chain.path_count} paths" if 1 < chain.path_count < 10**18 else ""
        means = ""
        if len(chain.terms) > 1:
            factors = three_factors(self._trace, chain)
            found = mean_product([values for _, _, _, values in factors])
            named = ", ".join(
                f"{one[1]} {told(mean)}" for one, mean in zip(factors, found.means, strict=True)
            )
            means = (
                f"; by the means over {rows_words(chain)} ({named}) {told(found.product)}, "
                f"remainder {told(found.remainder)}"
            )
        return plain_text(
            f"∂L/∂w {whose} for {letter} of {name} is {told(chain.total)}{means}{paths}; "
            f"w goes from {told(chain.weight, 8)} to {told(chain.after, 8)}.",
            self._digits,
        )

    # What happens

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._write_soon()

    def hideEvent(self, event: Any) -> None:
        super().hideEvent(event)
        self._tell_paths(())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._write_soon()

    def _list_parameters(self) -> None:
        tensors = () if self._trace is None else weight_tensors(self._trace, self._layer)
        shown = tuple(self.parameter.itemData(i) for i in range(self.parameter.count()))
        if tensors != shown:
            chosen = self.parameter.currentData()
            with QSignalBlocker(self.parameter):
                self.parameter.clear()
                for tensor in tensors:
                    self.parameter.addItem(_WORDS[tensor], tensor)
                self.parameter.setCurrentIndex(max(self.parameter.findData(chosen), 0) if tensors else -1)
        gates = 1
        if self._trace is not None and self._trace.layers[self._layer].kind == "recurrent":
            here = self._trace.layers[self._layer]
            gates = here.recurrent_weight.shape[1] // here.fan_out
        if gates != max(self.gate.count(), 1):
            with QSignalBlocker(self.gate):
                self.gate.clear()
                if gates > 1:
                    names = next(names for names in GATES.values() if len(names) == gates)
                    self.gate.addItems([f"gate {name}" for name in names])
            self.gate.setVisible(gates > 1)
        self.parameter.setEnabled(len(tensors) > 1)

    def _choose(self) -> None:
        self._selected = 0
        self._forget()

    def _forget(self) -> None:
        self._chain = None
        self._write_soon()

    def _write_soon(self) -> None:
        if self.isVisible() and not self._timer.isActive():
            self._timer.start(min(int(1000 * _REST * self._cost), _LONGEST_REST))

    def _follow(self, wish: str) -> None:
        kind, _, number = wish.partition(":")
        if kind == "sample":
            self.sample_wished.emit(int(number))
        elif kind == "weight":
            row, _, column = number.partition(":")
            units = 1 if self._trace is None else self._trace.layers[self._layer].fan_out
            with QSignalBlocker(self.gate):
                self.gate.setCurrentIndex(min(int(column) // units, self.gate.count() - 1))
            self._choose()
            self.weight_wished.emit(int(row), int(column) % units)
        elif kind == "step":
            self._time = None if number == "all" else int(number)
            self._choose()
        else:
            self._selected = int(number)
            self._show()

    def _show(self) -> None:
        begin = time.perf_counter()
        self._write()
        self._cost = time.perf_counter() - begin

    def _write(self) -> None:
        chain, trace = self.chain, self._trace
        if chain is None or trace is None:
            words = "No run yet." if trace is None else f"{trace.layers[self._layer].name} has no weights."
            self.text.set_html(f"<p style='color:{self._theme.muted}'>{words} Choose another layer.</p>")
            self._tell_paths(())
            return
        self._selected = min(self._selected, max(len(chain.paths) - 1, 0))
        room = self.text.viewport().width()
        writer = HtmlWriter(self._theme, self._digits, room, install_fonts().mono)
        self.text.set_html(ChainText(trace, chain, self._selected, writer).html())
        chains = [unit_chain(trace, chain, path) for path in chain.paths]
        self.text.set_hints({f"path:{index}": whole_path_text(one) for index, one in enumerate(chains)})
        if chains:
            chains.insert(0, chains.pop(self._selected))
        self._tell_paths(tuple(chains))

    def _tell_paths(self, paths: tuple[Any, ...]) -> None:
        if paths != self._paths:
            self._paths = paths
            self.paths_changed.emit(paths)


def usual_digits(trace: IterationTrace) -> int:
    """Return how many digits fit a network: ten for a chain of single units, which is calculated by hand, else four."""
    widths = {layer.fan_out for layer in trace.layers} | {int(np.prod(trace.inputs.shape[1:]))}
    return 10 if widths == {1} else 4
