"""Singular values: how much each layer, and the network from each layer on, shrinks or grows a direction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRectF, QSignalBlocker, Qt
from PySide6.QtGui import QColor, QPainter
from PySide6.QtWidgets import QHBoxLayout, QSpinBox

from gradsim.trace import Run
from gradsim.views.asking_view import AskingView
from gradsim.views.gradient_profile import marker_size
from gradsim.views.jacobian_words import (
    bound_words,
    condition_words,
    proof_words,
    rounding_words,
    shorter_verdict,
    verdict,
    whole_words,
)
from gradsim.views.plot.axis import Axis, layer_axis
from gradsim.views.plot.geometry import Geometry
from gradsim.views.plot.lanes import lanes_needed, log10_or_nan
from gradsim.views.plot.line import Line, polygon
from gradsim.views.plot.marks import Mark, Rule, VerticalBand
from gradsim.views.plot.numbers import brief, grouped
from gradsim.views.plot.options import Toggle
from gradsim.views.plot.panel import Panel
from gradsim.views.plot.plot_view import Table, message_panel
from gradsim.views.plot.points import LanePoints, LinePoints, Points, Shape
from gradsim.views.plot.ranges import StickyRange, finite_range
from gradsim.views.plot.short_legend import shortened
from gradsim.views.plot.words import Words
from gradsim.views.theme import Theme

if TYPE_CHECKING:
    from gradsim.analysis.jacobian import JacobianSpectrum

JACOBIAN = "jacobian"
"""The question; its option is the row of the batch."""
_MARKERS = 12
_BOUND_ROOM = 3.0
_BELOW_ALL = -1e4
"""Where a ribbon ends that reaches down to 0, in log10."""


@dataclass(frozen=True, slots=True, eq=False)
class Ribbon:
    """The room between two lines; it breaks where either has no number."""

    x: NDArray[Any]
    low: NDArray[Any]
    high: NDArray[Any]
    color: QColor
    name: str = ""

    def paint(self, painter: QPainter, geometry: Geometry) -> None:
        """Fill every unbroken stretch; a single place gets the width of a layer."""
        x, low, high = geometry.x_px(self.x), geometry.y_px(self.low), geometry.y_px(self.high)
        good = np.isfinite(low) & np.isfinite(high)
        edges = np.flatnonzero(np.diff(np.concatenate(([False], good, [False])).astype(np.int8)))
        half = 0.25 * geometry.plot.width() / (geometry.x.high - geometry.x.low)
        painter.save()
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self.color)
        for first, end in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
            at, bottom, top = x[first:end], low[first:end], high[first:end]
            if len(at) == 1:
                painter.drawRect(
                    QRectF(float(at[0]) - half, float(top[0]), 2 * half, float(bottom[0] - top[0]))
                )
            else:
                around = np.concatenate([at, at[::-1]]), np.concatenate([top, bottom[::-1]])
                painter.drawPolygon(polygon(around[0], np.clip(around[1], -1e5, 1e5)))
        painter.restore()

    def paint_sample(self, painter: QPainter, rect: QRectF) -> None:
        """Fill a small rectangle."""
        painter.fillRect(rect.adjusted(2, 1, -2, -1), self.color)


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
        lanes = self._ends[3]
        return [
            self._layers_panel(spectrum, held, lanes, theme),
            self._values_panel(spectrum, held, lanes, theme),
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

    def _layers_panel(
        self, spectrum: JacobianSpectrum, held: tuple[float, float], lanes: list[str], theme: Theme
    ) -> Panel:
        count = len(spectrum.names)
        x = np.arange(1.0, count + 1.0)
        five = self._five_of(spectrum)
        logs = log10_or_nan(five)
        lower = np.where(five[3] == 0, _BELOW_ALL, logs[3])
        onward = np.array([values[0] for values in spectrum.onward])
        least = np.array([values[-1] for values in spectrum.onward])
        own, through = theme.color("forward"), theme.color("backward")
        size = marker_size(count, self.figure_size().width() / 2.0)
        marks: list[Mark] = [Rule(0.0, theme.color("outline"))]
        place = spectrum.block_of(self.selected_layer)
        if place is not None:
            marks.append(VerticalBand(place + 0.5, place + 1.5, theme.color("accent", 0.14)))
        marks += [
            Ribbon(x, lower, logs[1], theme.color("forward", 0.25), "middle half"),
            Line(x, logs[4], own, 1.0, (1.0, 2.5), "smallest"),
            Line(x, logs[2], own, 1.0, (5.0, 3.0), "median"),
            Line(x, logs[0], own, 1.6),
            LanePoints(x, five[4], own, 5.0, dodge=-3.0),
            LanePoints(x, five[0], own, 7.0, dodge=-3.0),
            Points(x, logs[0], own, "square", size, name="layer: largest"),
        ]
        if self.option("bound"):
            bound = np.where(np.isfinite(spectrum.log10_bounds), spectrum.log10_bounds, np.nan)
            marks.append(Line(x, bound, theme.color("muted"), 1.2, (5.0, 3.0), "product of the largest"))
        if self.option("onward_least"):
            marks.append(Line(x, log10_or_nan(least), through, 1.0, (1.0, 2.5), "to the output: smallest"))
            marks.append(LanePoints(x, least, through, 5.0, dodge=3.0))
        marks += [
            Line(x, log10_or_nan(onward), through, 1.6),
            LanePoints(x, onward, through, 7.0, dodge=3.0),
            LinePoints(x, log10_or_nan(onward), through, "circle", size, name="to the output: largest"),
        ]
        if self.is_low:
            marks = shortened(marks, lambda name: name in ("layer: largest", "to the output: largest"))
        numbers = (
            [self.run.trace.layers[held_by[-1]].number for held_by in spectrum.layers] if self.run else []
        )
        label = "layer" if numbers == list(range(1, count + 1)) else "block, in the order of the pass"
        return Panel(
            "layers",
            layer_axis(spectrum.names, label),
            Axis("singular value", *held, "log10"),
            marks,
            headline=(head := self._headline(spectrum)),
            shorter=(head[1:], [Words(shorter_verdict(spectrum))]),
            lanes=lanes,
            weight=1.6,
        )

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

    def _values_panel(
        self, spectrum: JacobianSpectrum, held: tuple[float, float], lanes: list[str], theme: Theme
    ) -> Panel:
        whole = spectrum.whole
        series: list[tuple[str, NDArray[np.float64], QColor, Shape]] = []
        place = spectrum.block_of(self.selected_layer)
        if place is not None:
            own = theme.color("forward")
            series.append((spectrum.names[place], spectrum.blocks[place], own, "square"))
        series.append(("input to output", whole, theme.color("backward"), "circle"))
        most = max(len(values) for _, values, _, _ in series)
        marks: list[Mark] = [Rule(0.0, theme.color("outline"))]
        if ((whole > 0) & (whole < spectrum.eps * whole[0])).any():
            words, plate = "below: rounding", theme.color("background", 0.8)
            floor = np.log10(spectrum.eps * whole[0])
            marks.append(Rule(floor, theme.color("warn"), words=words, plate=plate, dash=(4.0, 3.0)))
        for name, values, color, shape in series:
            x, logs = np.arange(1.0, len(values) + 1.0), log10_or_nan(values)
            marks.append(Line(x, logs, color, 1.2))
            marks.append(LanePoints(x, values, color, 6.0))
            some = np.unique(np.linspace(0, len(x) - 1, min(len(x), _MARKERS)).astype(np.intp))
            marks.append(LinePoints(x[some], logs[some], color, shape, 6.0, name=name))
        ranks = layer_axis(tuple(str(k + 1) for k in range(most)), "rank, the largest first")
        condition = condition_words(whole, spectrum.eps)
        head, short = ([Words(words)] for words in (condition, condition.replace("condition number ", "κ ")))
        return Panel(
            "values", ranks, Axis("", *held, "log10"), marks, head, (short,), lanes=lanes, linked_y="layers"
        )

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
        units = {
            "block": "layer, or residual block with its branch",
            "rank": "1 is the largest",
            "of_block": "singular value of ∂ output / ∂ input of the block",
            "to_output": "singular value of ∂ logits / ∂ input of the block",
        }
        spectrum = self._spectrum()
        if spectrum is None:
            return {name: np.array([]) for name in units}, units
        names: list[NDArray[Any]] = []
        ranks: list[NDArray[Any]] = []
        own: list[NDArray[Any]] = []
        onward: list[NDArray[Any]] = []
        for name, block, beyond in zip(spectrum.names, spectrum.blocks, spectrum.onward, strict=True):
            count = max(len(block), len(beyond))
            names.append(np.repeat(name, count))
            ranks.append(np.arange(1, count + 1))
            for column, values in ((own, block), (onward, beyond)):
                cells = np.full(count, "", dtype=object)
                cells[: len(values)] = ["NaN" if np.isnan(value) else value for value in values.tolist()]
                column.append(cells)
        columns = (names, ranks, own, onward)
        return dict(zip(units, (np.concatenate(column) for column in columns), strict=True)), units

    def act_on_click(self, key: str, x: float, y: float) -> None:
        """Ask for the layer under the pointer."""
        spectrum, place = self._spectrum(), int(np.floor(x + 0.5)) - 1
        if spectrum is not None and key == "layers" and 0 <= place < len(spectrum.names):
            self.layer_selected.emit(spectrum.layers[place][-1])

    def hover_text(self, key: str, x: float, y: float) -> str:
        """Return the numbers at the pointer."""
        spectrum, place = self._spectrum(), int(np.floor(x + 0.5)) - 1
        if spectrum is None or place < 0:
            return ""
        if key == "values":
            chosen = spectrum.block_of(self.selected_layer)
            series = {"input to output": spectrum.whole}
            if chosen is not None:
                series[spectrum.names[chosen]] = spectrum.blocks[chosen]
            told = [
                f"{name}: {brief(values[place])}" for name, values in series.items() if place < len(values)
            ]
            return "\n".join([f"Rank {place + 1}", *told]) if told else ""
        if place >= len(spectrum.names):
            return ""
        values, onward = spectrum.blocks[place], spectrum.onward[place]
        outputs, inputs = spectrum.shapes[place]
        return (
            f"{spectrum.names[place]}: {grouped(outputs)} outputs, {grouped(inputs)} inputs\n"
            f"largest {brief(values[0])}, median {brief(float(np.median(values)))}, smallest {brief(values[-1])}\n"
            f"{condition_words(values, spectrum.eps)}\n"
            f"from here to the logits: largest {brief(onward[0])}, smallest {brief(onward[-1])}"
        )
