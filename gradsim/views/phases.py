"""Phases of a training over its iterations, such as the pretraining of a layer: in words, and as labelled bands."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QLineF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter

from gradsim.spec import Experiment, phase_at, training_phases
from gradsim.spec.method import Evolution
from gradsim.views.plot.geometry import Geometry
from gradsim.views.plot.marks import Courses, Mark, crossings, pen
from gradsim.views.plot.numbers import grouped
from gradsim.views.theme import Theme

_LABEL_HEIGHT = 15.0
_LEAST_LABEL = 30.0


@dataclass(frozen=True, slots=True, eq=False)
class PhaseBand:
    """A stretch of the x axis that belongs to a phase: a tint, an edge where it begins, its name at the top."""

    low: float
    high: float
    words: str
    short: str
    """What is written where the words have no room."""
    tint: QColor | None
    """None where there is a picture underneath."""
    ink: QColor
    plate: QColor
    clear_of: Courses = ()
    """Curves that its name keeps clear of where it can: at the bottom where they run along the top."""
    name: str = ""

    def paint(self, painter: QPainter, geometry: Geometry) -> None:
        """Draw the band as far as it is in sight."""
        frame = geometry.frame
        left, right = geometry.x_px(np.array([self.low, self.high])).tolist()
        begins = left > frame.left() + 1.0
        left, right = max(left, frame.left()), min(right, frame.right())
        if not left < right:
            return
        if self.tint is not None:
            painter.fillRect(QRectF(left, frame.top(), right - left, frame.height()), self.tint)
        if begins:
            painter.setPen(pen(self.ink, 1.0, (2.0, 2.0)))
            edge = math.floor(left) + 0.5
            painter.drawLine(QLineF(edge, frame.top(), edge, frame.bottom()))
        metrics = painter.fontMetrics()
        room = right - left - 8.0
        text = self.words if metrics.horizontalAdvance(self.words) <= room else self.short
        if room < min(_LEAST_LABEL, metrics.horizontalAdvance(self.short)):
            return
        text = metrics.elidedText(text, Qt.TextElideMode.ElideRight, int(room))
        top, bottom = geometry.plot.top() + 2.0, geometry.plot.bottom() - 2.0 - _LABEL_HEIGHT
        width = metrics.horizontalAdvance(text) + 4.0
        boxes = [QRectF(left + 3.0, at, width, _LABEL_HEIGHT) for at in (top, bottom)]
        box = min(boxes, key=lambda box: crossings(box, self.clear_of, geometry))
        painter.fillRect(box, self.plate)
        painter.setPen(self.ink)
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)

    def paint_sample(self, painter: QPainter, rect: QRectF) -> None:
        """Draw nothing: the name stands in the plot."""


def phase_marks(
    experiment: Experiment,
    end: float,
    theme: Theme,
    *,
    over_picture: bool = False,
    clear_of: Courses = (),
    place: Callable[[NDArray[Any]], NDArray[Any]] = lambda iterations: iterations,
) -> list[Mark]:
    """Return the bands of the phases of a training; none where it has but one.

    Parameters
    ----------
    experiment : Experiment
        What is trained.
    end : float
        Last iteration on the axis: later phases are left out.
    theme : Theme
        The colours.
    over_picture : bool, default False
        Leave the tints out, for marks above a heat map.
    clear_of : Courses, default none
        Curves that the names keep clear of where they can.
    place : callable, default identity
        From iterations to places on the axis, both ndarray of float, shape (n,).

    Returns
    -------
    list of Mark
        In order; the last phase reaches to the end of the axis.
    """
    phases = training_phases(experiment)
    if len(phases) == 1:
        return []
    marks: list[Mark] = []
    for number, phase in enumerate(phases):
        if phase.start > end:
            break
        edges = np.array([phase.start, end if phase.stop is None else phase.stop], dtype=np.float64)
        low, high = place(edges).tolist()
        marks.append(
            PhaseBand(
                low,
                high if phase.stop is not None else math.inf,
                phase.title,
                phase.layer or phase.title,
                None if over_picture else theme.color("accent", 0.10 if number % 2 else 0.04),
                theme.color("muted"),
                theme.color("background", 0.8),
                clear_of,
            )
        )
    return marks


def phase_words(experiment: Experiment, iteration: int) -> str:
    """Return what is trained at an iteration, and what its loss is.

    Parameters
    ----------
    experiment : Experiment
        What is trained.
    iteration : int
        From 0 on.

    Returns
    -------
    str
        Such as ``pretraining of dense_2 (phase 2 of 7): loss of restoring its input``; empty for
        backpropagation alone.
    """
    method = experiment.training.method
    if isinstance(method, Evolution):
        return f"evolution: loss of the present weights; {grouped(method.population)} passes forward each"
    phases = training_phases(experiment)
    if len(phases) == 1:
        return ""
    phase = phase_at(experiment, iteration)
    told = f"{phase.title} (phase {phases.index(phase) + 1} of {len(phases)})"
    return f"{told}: loss of restoring its input" if phase.layer else told


def phase_title(experiment: Experiment, iteration: int) -> str:
    """Return the name of the phase at an iteration; empty for backpropagation alone.

    Parameters
    ----------
    experiment : Experiment
        What is trained.
    iteration : int
        From 0 on.

    Returns
    -------
    str
        Such as ``pretraining of dense_2``, ``fine-tuning`` or ``evolution``.
    """
    title = phase_at(experiment, iteration).title
    return "" if title == "backpropagation" else title
