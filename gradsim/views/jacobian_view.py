"""Singular values: how much each layer, and the network from each layer on, shrinks or grows a direction."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QSignalBlocker
from PySide6.QtWidgets import QHBoxLayout, QSpinBox

from gradsim.trace import Run
from gradsim.views.asking_view import AskingView
from gradsim.views.jacobian.numbers import hover_block, hover_rank, spectrum_table
from gradsim.views.jacobian.panels import Look, layers_panel, values_panel
from gradsim.views.jacobian.words import (
    bound_words,
    condition_words,
    proof_words,
    rounding_words,
    verdict,
    whole_words,
)
from gradsim.views.plot.lanes import lanes_needed, log10_or_nan
from gradsim.views.plot.numbers import grouped
from gradsim.views.plot.options import Toggle
from gradsim.views.plot.panel import Panel
from gradsim.views.plot.plot_view import Table, message_panel
from gradsim.views.plot.ranges import StickyRange, finite_range
from gradsim.views.plot.words import Words
from gradsim.views.theme import Theme

if TYPE_CHECKING:
    from gradsim.analysis.jacobian import JacobianSpectrum

JACOBIAN = "jacobian"
"""The question; its option is the row of the batch."""
_BOUND_ROOM = 3.0


class JacobianView(AskingView):
    """The spectrum of every layer as a band, beside the largest value from there to the output; and one in full."""

    view_id = "jacobian"
    title = "Jacobian"
    options = (
        Toggle(
            "bound", "Product of the largest", True, "The bound that the layers’ largest values set together"
        ),
        Toggle(
            "onward_least",
            "Smallest to the output",
            False,
            "Also the smallest value from a layer to the output",
        ),
    )

    def __init__(self) -> None:
        super().__init__()
        self._range = StickyRange(step=1.0, margin=0.25, least=3.0)
        self._ends: tuple[JacobianSpectrum, float, float, list[str]] | None = None
        self._five: tuple[JacobianSpectrum, NDArray[np.float64]] | None = None
        self.sample = 0
        """Row of the batch."""
        self.sample_box = QSpinBox()
        self.sample_box.setPrefix("Sample ")
        self.sample_box.setRange(1, 1)
        self.sample_box.setAccessibleName("Sample of the batch")
        self.sample_box.setToolTip("Which sample of the batch: a Jacobian is that of one sample")
        self.sample_box.setKeyboardTracking(False)
        self.sample_box.valueChanged.connect(lambda number: self._choose_sample(number - 1))
        row = self.bar.layout()
        assert isinstance(row, QHBoxLayout)
        row.insertWidget(0, self.sample_box)

    # -- what it asks ----------------------------------------------------------------------------------------

    def standing_questions(self) -> Mapping[str, Any]:
        """Return the one about the sample chosen."""
        return {JACOBIAN: self.sample}

    def set_run(self, run: Run | None) -> None:
        """Take a run, and offer the samples of its batch."""
        if run is not None:
            batch = len(run.trace.inputs)
            self.sample = min(self.sample, batch - 1)
            with QSignalBlocker(self.sample_box):
                self.sample_box.setRange(1, batch)
                self.sample_box.setSuffix(f" of {grouped(batch)}")
                self.sample_box.setValue(self.sample + 1)
        super().set_run(run)

    def set_sample(self, sample: int) -> None:
        """Choose a sample of the batch; asked about at the next run.

        Parameters
        ----------
        sample : int
            Row of the batch, from 0.
        """
        if sample != self.sample:
            self.sample = sample
            with QSignalBlocker(self.sample_box):
                self.sample_box.setValue(sample + 1)

    def _choose_sample(self, sample: int) -> None:
        self.sample = sample
        self.ask(JACOBIAN, sample)

    def fit_ranges(self) -> None:
        """Choose the axis anew from the next numbers."""
        self._range.fit()

    # -- what is known ---------------------------------------------------------------------------------------

    def _spectrum(self) -> JacobianSpectrum | None:
        """Return the last answer, perhaps of another iteration, if it is about the present network."""
        known = self.asked(JACOBIAN).answer
        if known is None or self.run is None:
            return None
        trace = self.run.trace
        held = [index for block in known.layers for index in block]
        is_present = len(held) == len(trace.layers) and all(
            trace.layers[block[-1]].name == name
            for block, name in zip(known.layers, known.names, strict=True)
        )
        return known if is_present else None

    def _reason(self) -> str:
        asked = self.asked(JACOBIAN)
        return asked.reason or (
            f"Jacobian of sample {self.sample + 1}: {self.waiting_words(JACOBIAN) or 'not asked for yet'}"
        )

    # -- what is drawn ---------------------------------------------------------------------------------------

    def panels(self, theme: Theme) -> list[Panel]:
        """Return the panel over layers and the one over ranks, or why there are none."""
        if self.run is None:
            return [message_panel("No run yet")]
        spectrum = self._spectrum()
        if spectrum is None:
            return [message_panel(self._reason())]
        held = self._range.around(self._reach(spectrum))
        assert self._ends is not None
        look = Look(
            theme,
            held,
            self._ends[3],
            spectrum.block_of(self.selected_layer),
            self.figure_size().width(),
            self.is_low,
            self.option("bound"),
            self.option("onward_least"),
        )
        numbers = [self.run.trace.layers[block[-1]].number for block in spectrum.layers]
        five = self._five_of(spectrum)
        return [
            layers_panel(spectrum, five, numbers, self._headline(spectrum), look),
            values_panel(spectrum, look),
        ]

    def _reach(self, spectrum: JacobianSpectrum) -> tuple[float, float]:
        """Return log10 of the least and the greatest value that mean something, and a piece of the bound."""
        if self._ends is None or self._ends[0] is not spectrum:
            every = (*spectrum.blocks, *spectrum.onward)
            found = [values[values >= 0.1 * spectrum.eps * values[0]] for values in every]
            ends = finite_range(np.array([0.0]), log10_or_nan(np.concatenate(found)))
            self._ends = (spectrum, *(ends or (0.0, 0.0)), lanes_needed(*every))
        _, low, high, _ = self._ends
        if not self.option("bound"):
            return low, high
        # Deep down the bound is far off: a plot that held all of it would show nothing else.
        bound = np.clip(spectrum.log10_bounds, low - _BOUND_ROOM, high + _BOUND_ROOM)
        return finite_range(np.array([low, high]), bound) or (low, high)

    def _five_of(self, spectrum: JacobianSpectrum) -> NDArray[np.float64]:
        """Return largest, quartiles and smallest of every block, shape (5, K), counted out once."""
        if self._five is None or self._five[0] is not spectrum:
            five = [np.quantile(values, (1.0, 0.75, 0.5, 0.25, 0.0)) for values in spectrum.blocks]
            self._five = (spectrum, np.array(five).T)
        return self._five[1]

    def _headline(self, spectrum: JacobianSpectrum) -> list[Words]:
        assert self.run is not None
        head = [Words(f"Sample {spectrum.sample + 1}", bold=True)]
        if spectrum.iteration != self.run.trace.iteration:
            head.append(Words(f", at iteration {grouped(spectrum.iteration)}", "muted"))
        waiting = self.waiting_words(JACOBIAN)
        if waiting and self.asked(JACOBIAN).words:
            head.append(Words(f"   {waiting}", "muted"))
        else:
            head.append(Words(f"   {verdict(spectrum)}"))
        return head

    # -- what is said ----------------------------------------------------------------------------------------

    def text_summary(self) -> str:
        """Return what passes from the input to the output, and what its numbers can be trusted for."""
        if self.run is None:
            return "No run yet."
        spectrum = self._spectrum()
        if spectrum is None:
            reason = self._reason()
            return reason if reason.endswith(".") else f"{reason}."
        condition = condition_words(spectrum.whole, spectrum.eps)
        told = [
            f"Sample {spectrum.sample + 1} at iteration {grouped(spectrum.iteration)}.",
            whole_words(spectrum),
            f"{condition[:1].upper()}{condition[1:]}.",
            rounding_words(spectrum),
            bound_words(spectrum),
            proof_words(spectrum),
        ]
        return " ".join(part for part in told if part)

    def table(self) -> Table:
        """Return one row per singular value: of each block alone, and from it to the output."""
        return spectrum_table(self._spectrum())

    def act_on_click(self, key: str, x: float, y: float) -> None:
        """Ask for the layer under the pointer."""
        spectrum, place = self._spectrum(), int(np.floor(x + 0.5)) - 1
        if spectrum is not None and key == "layers" and 0 <= place < len(spectrum.names):
            self.layer_selected.emit(spectrum.layers[place][-1])

    def hover_text(self, key: str, x: float, y: float) -> str:
        """Return the numbers at the pointer."""
        spectrum, place = self._spectrum(), int(np.floor(x + 0.5)) - 1
        if spectrum is None:
            return ""
        if key == "values":
            return hover_rank(spectrum, spectrum.block_of(self.selected_layer), place)
        return hover_block(spectrum, place)
