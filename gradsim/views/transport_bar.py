"""The bar below everything: where one is in the run, how it is played, and training."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QSize, Signal
from PySide6.QtGui import QFontMetrics
from PySide6.QtWidgets import (
    QDoubleSpinBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QSpinBox,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from gradsim.trace import Cursor, Run
from gradsim.views.elided_label import ElidedLabel
from gradsim.views.icons import icon
from gradsim.views.inspection.wording import MEANINGS, step_text
from gradsim.views.iteration_box import IterationBox
from gradsim.views.playback import FASTEST, SLOWEST
from gradsim.views.scrubber import Scrubber
from gradsim.views.theme import LIGHT, Theme

_MOST_TRAINED = 10_000_000
_ICON = QSize(20, 20)


def _width(widget: QWidget, words: str) -> int:
    """Width of a spin box that shows some words: their own and its arrows'."""
    return QFontMetrics(widget.font()).horizontalAdvance(words) + 34


class TransportBar(QWidget):
    """Steps, plays and trains; only asks, changes nothing by itself."""

    title = "Transport"
    view_id = "transport"

    play_toggled = Signal()
    step_requested = Signal(int)
    layer_step_requested = Signal(int)
    iteration_step_requested = Signal(int)
    seek_requested = Signal(object)
    speed_changed = Signal(float)
    loop_changed = Signal(bool)
    train_requested = Signal(int)
    train_toggled = Signal(bool)
    stop_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._run: Run | None = None
        self._cursor = Cursor()
        self._theme = LIGHT
        self._is_playing = False
        self._is_training = False
        self.scrubber = Scrubber(self)
        self.scrubber.step_selected.connect(
            lambda step: self.seek_requested.emit(Cursor(self._cursor.iteration, step))
        )
        self._make_steps()
        self._make_place()
        self._make_training()
        self._arrange()
        self._enable()

    # What is shown

    def set_run(self, run: Run | None) -> None:
        """Show the steps of a run."""
        if run is not self._run:
            self._run = run
            self.scrubber.set_trace(None if run is None else run.trace)
            self._tell()
            self._enable()

    def set_cursor(self, cursor: Cursor) -> None:
        """Show where one is."""
        if cursor != self._cursor:
            self._cursor = cursor
            self.scrubber.set_step(cursor.step)
            self.iteration.show_iteration(cursor.iteration)
            self._tell()

    def set_playing(self, is_playing: bool) -> None:
        """Show whether the steps run by themselves."""
        if is_playing != self._is_playing:
            self._is_playing = is_playing
            self.play.setIcon(icon("pause" if is_playing else "play"))
            self.play.setToolTip(f"{'Pause' if is_playing else 'Play the steps'} (Space)")
            self.play.setAccessibleName("Pause" if is_playing else "Play")

    def set_training(
        self, is_training: bool, done: int = 0, total: int | None = None, rate: float = 0.0
    ) -> None:
        """Show how training goes.

        Parameters
        ----------
        is_training : bool
            Whether it runs.
        done : int, default 0
            Iterations of this training so far.
        total : int or None, default None
            How many were asked for; None or 0 when it runs until stopped.
        rate : float, default 0
            Iterations per second; 0 when not known yet.
        """
        self._is_training = is_training
        until_stopped = is_training and not total
        self.endless.setChecked(until_stopped)
        self.progress.setRange(0, total or 1)
        self.progress.setValue(min(done, total) if total and is_training else 0)
        words = ""
        if is_training:
            words = f"{done:,} of {total:,}" if total else f"{done:,} iterations"
            words += f" · {rate:,.0f}/s" if rate >= 10 else f" · {rate:.1f}/s" if rate > 0 else ""
        self.rate.setText(words)
        self.progress.setVisible(bool(is_training and total))
        self._enable()

    def set_speed(self, speed: float) -> None:
        """Show the speed in steps per second."""
        if speed != self.speed.value():
            self.speed.blockSignals(True)
            self.speed.setValue(speed)
            self.speed.blockSignals(False)

    def set_loop(self, loop: bool) -> None:
        """Show whether the iteration is repeated."""
        self.loop.setChecked(loop)

    def set_theme(self, theme: Theme) -> None:
        """Change the colours."""
        if theme != self._theme:
            self._theme = theme
            self.scrubber.set_theme(theme)
        self.rate.setStyleSheet(f"color: {theme.muted}")
        # A native progress bar is a gradient with a number inside; ours is as thin and plain as the scrubber.
        self.progress.setStyleSheet(
            f"QProgressBar {{ background: {theme.grid}; border: none; border-radius: 3px; }}"
            f"QProgressBar::chunk {{ background: {theme.weight}; border-radius: 3px; }}"
        )

    def text_summary(self) -> str:
        """Return what is seen, in words."""
        if self._run is None:
            return "No run yet."
        trace = self._run.trace
        step = min(self._cursor.step, len(trace.steps) - 1)
        words = f"Iteration {self._cursor.iteration}, step {step + 1} of {len(trace.steps)}: {self.step_text.words}."
        return f"{words} Training: {self.rate.text()}." if self._is_training else words

    def table(self) -> tuple[Mapping[str, NDArray[Any]], Mapping[str, str]]:
        """Return the steps of the iteration: columns by name, and their units."""
        if self._run is None:
            return {}, {}
        trace = self._run.trace
        columns = {
            "step": np.arange(1, len(trace.steps) + 1),
            "phase": np.array([step.phase for step in trace.steps]),
            "layer": np.array(["" if s.layer is None else trace.layers[s.layer].name for s in trace.steps]),
            "operation": np.array([step.operation for step in trace.steps]),
        }
        return columns, {"step": "number", "phase": "name", "layer": "name", "operation": "name"}

    # How it is made

    def _button(self, name: str, words: str, keys: str, *, checkable: bool = False) -> QToolButton:
        button = QToolButton(self)
        button.setIcon(icon(name))
        button.setIconSize(_ICON)
        button.setAutoRaise(True)
        button.setCheckable(checkable)
        button.setToolTip(f"{words} ({keys})" if keys else words)
        button.setAccessibleName(words)
        return button

    def _make_steps(self) -> None:
        self.first = self._button("first", "First step of the iteration", "Home")
        self.layer_back = self._button("layer_back", "Back by a layer", "Shift+←")
        self.back = self._button("step_back", "Back by a step", "←")
        self.play = self._button("play", "Play the steps", "Space")
        self.forward = self._button("step_forward", "On by a step", "→")
        self.layer_forward = self._button("layer_forward", "On by a layer", "Shift+→")
        self.last = self._button("last", "Last step of the iteration", "End")
        self.play.setIconSize(QSize(26, 26))
        self.play.clicked.connect(lambda: self.play_toggled.emit())
        self.first.clicked.connect(lambda: self._seek_step(0))
        self.last.clicked.connect(lambda: self._seek_step(-1))
        for button, signal, delta in (
            (self.back, self.step_requested, -1),
            (self.forward, self.step_requested, 1),
            (self.layer_back, self.layer_step_requested, -1),
            (self.layer_forward, self.layer_step_requested, 1),
        ):
            button.clicked.connect(lambda _checked=False, s=signal, d=delta: s.emit(d))
            button.setAutoRepeat(True)
            button.setAutoRepeatDelay(350)

    def _make_place(self) -> None:
        self.step_text = ElidedLabel(self)
        self.iteration = IterationBox(self)
        self.iteration.setPrefix("iteration ")
        self.iteration.setFixedWidth(_width(self, "iteration 9,999,999"))
        self.iteration.setToolTip("Iteration looked at (Ctrl+← and Ctrl+→); any can be typed")
        self.iteration.setAccessibleName("Iteration")
        self.iteration.iteration_step_requested.connect(self.iteration_step_requested)
        self.iteration.iteration_requested.connect(
            lambda iteration: self.seek_requested.emit(Cursor(iteration, self._cursor.step))
        )
        self.speed = QDoubleSpinBox(self)
        self.speed.setRange(SLOWEST, FASTEST)
        self.speed.setDecimals(1)
        self.speed.setValue(4.0)
        self.speed.setStepType(QDoubleSpinBox.StepType.AdaptiveDecimalStepType)
        self.speed.setSuffix(" steps/s")
        self.speed.setToolTip("Speed of playing, steps per second")
        self.speed.setAccessibleName("Speed")
        self.speed.valueChanged.connect(self.speed_changed)
        self.loop = self._button(
            "loop", "Repeat this iteration; off, playing goes on to the next", "", checkable=True
        )
        self.loop.clicked.connect(self.loop_changed)

    def _make_training(self) -> None:
        self.train_count = QSpinBox(self)
        self.train_count.setRange(1, _MOST_TRAINED)
        self.train_count.setValue(1000)
        self.train_count.setGroupSeparatorShown(True)
        self.train_count.setStepType(QSpinBox.StepType.AdaptiveDecimalStepType)
        self.train_count.setFixedWidth(_width(self, "1,000,000"))
        self.train_count.setToolTip("How many iterations to train")
        self.train_count.setAccessibleName("Iterations to train")
        self.train = QPushButton(icon("train"), "Train", self)
        self.train.setToolTip("Train so many iterations from here (Ctrl+T)")
        self.train.clicked.connect(lambda: self.train_requested.emit(self.train_count.value()))
        self.endless = self._button("endless", "Train until stopped", "Ctrl+Shift+T", checkable=True)
        self.endless.clicked.connect(self._toggle_endless)
        self.stop = self._button("stop", "Stop training", "Esc")
        self.stop.clicked.connect(lambda: self.stop_requested.emit())
        self.progress = QProgressBar(self)
        self.progress.setTextVisible(False)
        self.progress.setFixedHeight(6)
        self.progress.setAccessibleName("Progress of training")
        self.rate = QLabel(self)
        # Of one width whatever the numbers are, so that nothing beside them moves.
        self.rate.setFixedWidth(QFontMetrics(self.font()).horizontalAdvance("10,000 of 10,000 · 10,000/s"))
        kept = self.progress.sizePolicy()
        kept.setRetainSizeWhenHidden(True)
        self.progress.setSizePolicy(kept)
        self.progress.hide()

    def _arrange(self) -> None:
        training = QVBoxLayout()
        training.setSpacing(2)
        training.addStretch(1)
        training.addWidget(self.rate)
        training.addWidget(self.progress)
        training.addStretch(1)
        row = QHBoxLayout()
        row.setContentsMargins(8, 0, 8, 4)
        row.setSpacing(4)
        for widget in (
            self.first,
            self.layer_back,
            self.back,
            self.play,
            self.forward,
            self.layer_forward,
            self.last,
        ):
            row.addWidget(widget)
        row.addSpacing(6)
        row.addWidget(self.step_text, 1)
        row.addSpacing(6)
        row.addWidget(self.iteration)
        row.addWidget(self.speed)
        row.addWidget(self.loop)
        line = QFrame(self)
        line.setFrameShape(QFrame.Shape.VLine)
        line.setFrameShadow(QFrame.Shadow.Plain)
        line.setEnabled(False)
        row.addWidget(line)
        row.addWidget(self.train_count)
        row.addWidget(self.train)
        row.addWidget(self.endless)
        row.addWidget(self.stop)
        row.addLayout(training)
        rows = QVBoxLayout(self)
        rows.setContentsMargins(0, 4, 0, 2)
        rows.setSpacing(2)
        rows.addWidget(self.scrubber)
        rows.addLayout(row)

    # What happens

    def _seek_step(self, step: int) -> None:
        if self._run is not None:
            target = step % len(self._run.trace.steps)
            self.seek_requested.emit(Cursor(self._cursor.iteration, target))

    def _toggle_endless(self, wanted: bool) -> None:
        self.endless.setChecked(not wanted)  # until it really begins or ends
        self.train_toggled.emit(wanted)

    def _tell(self) -> None:
        if self._run is None:
            self.step_text.set_words("")
            return
        trace = self._run.trace
        step = trace.steps[min(self._cursor.step, len(trace.steps) - 1)]
        words = step_text(step, trace.layers)
        rest = words.partition(" · ")[2] or words  # the phase is written above, in its colour
        self.step_text.set_words(words, rest, rest.partition(" · ")[0])
        self.step_text.setToolTip(MEANINGS.get(step.operation, step.operation))
        self.scrubber.setAccessibleDescription(self.text_summary())

    def _enable(self) -> None:
        has_run = self._run is not None
        for widget in (
            self.first,
            self.layer_back,
            self.back,
            self.play,
            self.forward,
            self.layer_forward,
            self.last,
            self.iteration,
        ):
            widget.setEnabled(has_run)
        self.train.setEnabled(has_run and not self._is_training)
        self.train_count.setEnabled(has_run and not self._is_training)
        self.endless.setEnabled(has_run and (not self._is_training or self.endless.isChecked()))
        self.stop.setEnabled(self._is_training)
