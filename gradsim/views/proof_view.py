"""Proof and forensics: whether the gradients on screen are right, and where the numbers of the run first broke."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QResizeEvent, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QToolButton, QVBoxLayout

from gradsim.analysis import (
    TOLERANCE,
    GradientCheck,
    check_sentences,
)
from gradsim.analysis.check_wording import check_title
from gradsim.trace import Run
from gradsim.views.asking_view import AskingView
from gradsim.views.plot.axis import Axis, layer_axis
from gradsim.views.plot.lanes import lanes_needed, log10_or_nan
from gradsim.views.plot.marks import Mark, Rule, VerticalBand
from gradsim.views.plot.numbers import typeset
from gradsim.views.plot.options import Toggle
from gradsim.views.plot.panel import Panel
from gradsim.views.plot.plot_view import Table, message_panel
from gradsim.views.plot.points import LanePoints, Points
from gradsim.views.plot.ranges import StickyRange, finite_range
from gradsim.views.plot.words import Words
from gradsim.views.proof.check_numbers import check_table, hover_layer
from gradsim.views.proof.drawn_check import DrawnCheck
from gradsim.views.proof.few_lines import FewLines
from gradsim.views.proof.known_faults import KnownFaults, way_to
from gradsim.views.theme import Theme

CHECK = "gradient_check"
FORENSICS = "forensics"
"""The questions; neither has options."""
_PLOT = 146.0
"""Height of the figure, in pixels, in which it is easy to read: its plot has half of it."""


class ProofView(AskingView):
    """The relative error of every parameter's gradient, and below it the first broken value with a way there."""

    view_id = "proof"
    title = "Proof"
    options = (
        Toggle(
            "own",
            "Own precision",
            True,
            "How far the gradient in the network's own precision is from float64",
        ),
    )

    seek_requested = Signal(object)
    """A wish: show this iteration and step."""
    place_selected = Signal(int, object)
    """A wish: select this layer, and fill in these of its numbers (``inspection.formula.Place``)."""

    def __init__(self) -> None:
        self._is_line_stale = False
        super().__init__()
        self._faults = KnownFaults()
        self._going: int | None = None
        self._drawn: DrawnCheck | None = None
        self._range = StickyRange(step=1.0, margin=0.3, least=6.0)
        self.check_button = QPushButton("Check gradients")
        self.check_button.setToolTip(
            "Compare backpropagation with differences of the loss, for every parameter, in float64"
        )
        self.check_button.clicked.connect(self.check_gradients)
        self.search_button = QToolButton()
        self.search_button.setText("Find what broke")
        self.search_button.setToolTip(
            "Record the iteration in which a value first broke or was lost, and trace it back"
        )
        self.search_button.clicked.connect(self.find_faults)
        for asker in (self.check_button, self.search_button):
            asker.setMinimumWidth(asker.sizeHint().width())  # while it says "Stop" nothing beside it moves
        self.fault_label = QLabel()
        self.fault_label.setWordWrap(True)
        self.fault_label.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self.fault_label.setAccessibleName("First broken value")
        self.go_buttons = {"broken": QToolButton(), "lost": QToolButton()}
        for name, words in (("broken", "Go to broken value"), ("lost", "Go to lost value")):
            self.go_buttons[name].setText(words)
            self.go_buttons[name].clicked.connect(lambda _=False, name=name: self._go(name))
        row = self.bar.layout()
        assert isinstance(row, QHBoxLayout)
        for place, button in enumerate((self.check_button, self.search_button, *self.go_buttons.values())):
            row.insertWidget(place, button)
        self.below = FewLines(self.fault_label)
        column = self.layout()
        assert isinstance(column, QVBoxLayout)
        column.addWidget(self.below)
        self.refresh()
        self._show_fault()

    # -- what comes down -------------------------------------------------------------------------------------

    def set_run(self, run: Run | None) -> None:
        """Show a run, or nothing; a fault on the way to which only its iteration was known is gone to now.

        Parameters
        ----------
        run : Run or None
            As far as it has come.
        """
        is_new = run is not self.run
        super().set_run(run)
        if is_new and self._going is not None:
            if run is not None and run.trace.iteration == self._going:
                QTimer.singleShot(0, self, lambda: self._go("broken"))
            self._going = None

    def refresh(self) -> None:
        """Make the panels and the line below anew."""
        super().refresh()
        self._is_line_stale = True
        if hasattr(self, "go_buttons"):
            self.check_button.setText("Stop" if self.asked(CHECK).is_waiting else "Check gradients")
            self.search_button.setText("Stop" if self.asked(FORENSICS).is_waiting else "Find what broke")
            for button in (self.check_button, self.search_button):
                button.setEnabled(self.run is not None)
            if not self.visibleRegion().isEmpty():
                self._show_fault()

    # -- what a person asks ----------------------------------------------------------------------------------

    def check_gradients(self) -> None:
        """Ask for the proof of the pass on screen, or stop asking."""
        self._toggle(CHECK)

    def find_faults(self) -> None:
        """Ask where the numbers of the run first broke or were lost, or stop asking."""
        self._toggle(FORENSICS)

    # -- what is known ---------------------------------------------------------------------------------------

    @property
    def check(self) -> GradientCheck | None:
        """The proof of the pass on screen; None if there is none."""
        asked = self.asked(CHECK)
        is_here = self.run is not None and asked.answered is self.run.trace
        return asked.answer if is_here else None

    @property
    def faults(self) -> KnownFaults:
        """What is known of the first broken and the first lost value of the run on screen."""
        self._faults.take(self.run, self.asked(FORENSICS))
        return self._faults

    # -- what it shows ---------------------------------------------------------------------------------------

    def fit_ranges(self) -> None:
        """Choose the axis anew from the next numbers."""
        self._range.fit()

    def panels(self, theme: Theme) -> list[Panel]:
        """Return the panel of relative errors, or why there is none."""
        if self.run is None:
            return [message_panel("No run yet")]
        if self.check is None:
            return [message_panel(self._why_nothing())]
        check, trace = self.check, self.run.trace
        drawn_check = self._drawn
        if drawn_check is None or drawn_check.check is not check:
            self._drawn = drawn_check = DrawnCheck.of(check)
        at, errors, own = drawn_check.at, drawn_check.errors, drawn_check.own
        has_own = self.option("own") and check.precision != "float64"
        drawn = [errors, *([own] if has_own else [])]
        limit = np.array([np.log10(TOLERANCE)])
        held = self._range.around(finite_range(limit, *(log10_or_nan(values) for values in drawn)))
        marks: list[Mark] = []
        if self.selected_layer is not None:
            here = self.selected_layer + 1.0
            marks.append(VerticalBand(here - 0.5, here + 0.5, theme.color("accent", 0.14)))
        plate = theme.color("background", 0.8)
        words = "limit 10⁻⁶"
        courses = [(at, log10_or_nan(values)) for values in drawn]
        marks.append(
            Rule(
                float(limit[0]),
                theme.color("muted"),
                words=words,
                plate=plate,
                dash=(4.0, 3.0),
                clear_of=courses,
            )
        )
        if has_own:
            color = theme.color("ghost")
            marks.append(
                Points(at, log10_or_nan(own), color, "square", 4.0, name=f"{check.precision} against float64")
            )
            marks.append(LanePoints(at, own, color, 4.0, dodge=5.0))
        marks += drawn_check.verdict_marks(theme)
        verdict_words = Words(drawn_check.words, "text" if check.passed else "bad")
        names = tuple(layer.name for layer in trace.layers)
        return [
            Panel(
                "errors",
                layer_axis(names, "layer, those without weights counted too"),
                Axis("relative error", *held, "log10"),
                marks,
                [Words(f"{check_title(check)}  ", bold=True), verdict_words],
                lanes=lanes_needed(*drawn),
            )
        ]

    def text_summary(self) -> str:
        """Return the verdict, and the first broken value."""
        if self.run is None:
            return "No run yet."
        told = [self._why_nothing()] if self.check is None else check_sentences(self.check)
        return " ".join([*told, self._fault_words()])

    def table(self) -> Table:
        """Return one row per direction that was compared."""
        return check_table(self.check)

    def act_on_click(self, key: str, x: float, y: float) -> None:
        """Ask for the layer under the pointer."""
        place = round(x) - 1
        if self.run is not None and key == "errors" and 0 <= place < len(self.run.trace.layers):
            self.layer_selected.emit(place)

    def hover_text(self, key: str, x: float, y: float) -> str:
        """Return the errors of the layer at the pointer."""
        return "" if self.check is None else hover_layer(self.check, round(x) - 1)

    # -- inside ----------------------------------------------------------------------------------------------

    def _toggle(self, question: str) -> None:
        if self.asked(question).is_waiting:
            self.cancel(question)
        else:
            self.ask(question)

    def _why_nothing(self) -> str:
        waiting = self.waiting_words(CHECK)
        if waiting:
            return (
                f"Comparing backpropagation with differences of the loss: {waiting[:1].lower()}{waiting[1:]}"
            )
        if self.asked(CHECK).reason:
            return f"The gradients could not be checked: {self.asked(CHECK).reason}"
        return (
            "“Check gradients” compares backpropagation with differences of the loss, for every parameter of the "
            "network on screen, and says how exactly they agree."
        )

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._share_height()

    def _share_height(self) -> None:
        """Give the words below what the plot does not need, and at least two lines: there they scroll."""
        self.below.set_room(self.height() - self.bar.sizeHint().height() - _PLOT, self.width())

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if self._is_line_stale:
            self._show_fault()

    def _panels_now(self, theme: Theme) -> Sequence[Panel]:
        if self._is_line_stale:  # it is painted, which a tab behind others is not
            QTimer.singleShot(0, self, self._show_fault)
        return super()._panels_now(theme)

    def _show_fault(self) -> None:
        self._is_line_stale = False
        self.search_button.setVisible(self.faults.found is None)
        self.fault_label.setText(typeset(self._fault_words()))
        self._share_height()
        for name, button in self.go_buttons.items():
            fault = self.faults.fault(name)
            button.setVisible(fault is not None)
            if fault is not None:
                button.setToolTip(
                    f"Show iteration {fault.iteration:,}, {fault.layer_name} {fault.tensor}".rstrip()
                )

    def _fault_words(self) -> str:
        return self.faults.words(self.waiting_words(FORENSICS))

    def _go(self, name: str) -> None:
        fault = self.faults.fault(name)
        if fault is None:
            return
        assert self.run is not None
        moment, layer, place = way_to(fault, self.run.trace)
        is_here = self.run.trace.iteration == fault.iteration
        self.seek_requested.emit(moment)
        self.place_selected.emit(layer, place)
        if not fault.index and not is_here:
            self._going = fault.iteration
