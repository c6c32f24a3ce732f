"""The line at the bottom: what has just happened, what is under way, and which network is on screen."""

from __future__ import annotations

import re

from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QLabel, QProgressBar, QStatusBar, QWidget

from gradsim.app.messages import Preparation
from gradsim.spec import Experiment
from gradsim.trace import IterationTrace, Run
from gradsim.views.phases import phase_title

MESSAGE_MILLISECONDS = 0
_PLACE = re.compile(r"(; | – )[^;–]* at iteration ([\d,]+)$")
"""The end of a sentence that tells where one is, as in "Trained 5 iterations; now at iteration 5"."""


class StatusLine(QStatusBar):
    """Says it in one line.

    Parameters
    ----------
    parent : QWidget or None
        Owner in the sense of Qt.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.work = QLabel()
        self.bar = QProgressBar(minimum=0, maximum=1000, textVisible=False)
        self.bar.setFixedSize(120, 10)
        self.network = QLabel()
        self.network.setForegroundRole(QPalette.ColorRole.PlaceholderText)
        for widget in (self.work, self.bar, self.network):
            self.addPermanentWidget(widget)
        self.work.hide()
        self.bar.hide()
        self._news = ""
        self._shown: tuple[Experiment, str] | None = None
        self.messageChanged.connect(self._return_to_news)

    def say(self, text: str) -> None:
        """Show a sentence until the next one."""
        self._news = text
        self.showMessage(text, MESSAGE_MILLISECONDS)

    def show_preparation(self, preparation: Preparation) -> None:
        """Show how far the compilation of the engine is."""
        is_under_way = not preparation.is_done
        self.work.setVisible(is_under_way)
        self.bar.setVisible(is_under_way)
        self.work.setText(f"Preparing the engine: {preparation.what}")
        self.bar.setValue(round(1000 * preparation.share))
        self.bar.setAccessibleName(self.work.text())

    def show_run(self, run: Run) -> None:
        """Say which network is on screen."""
        phase = phase_title(run.experiment, run.trace.iteration)
        if (run.experiment, phase) == self._shown:
            return
        self._shown = (run.experiment, phase)
        weights = parameter_count(run.trace)
        layers = sum(layer.number is not None for layer in run.trace.layers)
        self.network.setText(
            f"{f'{phase} · ' if phase else ''}{layers} layer{'' if layers == 1 else 's'} · {weights:,} parameters · "
            f"{run.samples.title} · {run.experiment.precision}"
        )

    def show_place(self, iteration: int) -> None:
        """Take away where one was, when one has gone elsewhere; what was done there remains true."""
        told = _PLACE.search(self._news)
        if told is not None and int(told[2].replace(",", "")) != iteration:
            self.say(self._news[: told.start()])

    def _return_to_news(self, text: str) -> None:
        if not text and self._news:  # the hint of a menu entry has gone
            self.showMessage(self._news)


def parameter_count(trace: IterationTrace) -> int:
    """Return how many trained numbers a network has: those of every tensor that has an update."""
    return sum(
        array.size
        for layer in trace.layers
        for name, array in layer.tensors.items()
        if f"{name}_update" in layer.tensors
    )
