"""The line of an iteration's steps in its phases: shows where the cursor is and asks to move it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from PySide6.QtCore import QEvent, QLineF, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QHelpEvent, QKeyEvent, QMouseEvent, QPainter, QPainterPath, QPen
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from gradsim.trace import IterationTrace, Step
from gradsim.views.fonts import figure_font
from gradsim.views.inspection.wording import step_text
from gradsim.views.phases import phase_words
from gradsim.views.playback import PhaseSpan, Timetable, phase_spans, timetable
from gradsim.views.theme import LIGHT, Theme, phase_color

_MARGIN = 12.0
_GAP = 3.0
_LEAST_PHASE = 46.0
_TICKS_FROM = 5.0
_BAND_TOP, _BAND_HEIGHT = 20.0, 10.0


@dataclass(frozen=True)
class Segment:
    """One phase on the line: its steps from ``left`` to ``right``, px, as wide as they take in time."""

    span: PhaseSpan
    left: float
    right: float
    times: Timetable

    @cached_property
    def ticks(self) -> tuple[float, ...]:
        """Where steps are marked off, px: all that have room on both sides."""
        edges = [self.edge(step) for step in range(self.span.first, self.span.end + 1)]
        return tuple(
            at
            for before, at, after in zip(edges, edges[1:], edges[2:], strict=False)
            if min(at - before, after - at) >= _TICKS_FROM
        )

    @property
    def begin(self) -> float:
        """When its first step begins."""
        return self.times.begin(self.span.first)

    @property
    def scale(self) -> float:
        """Pixels of an ordinary step."""
        return (self.right - self.left) / (self.times.begin(self.span.end) - self.begin)

    def edge(self, step: int) -> float:
        """Return the left end of a step, px."""
        return self.left + self.scale * (self.times.begin(step) - self.begin)

    def centre(self, step: int) -> float:
        """Return the middle of a step, px."""
        return 0.5 * (self.edge(step) + self.edge(step + 1))

    def step_at(self, x: float) -> int:
        """Return the step at a place, or the nearest one of the phase."""
        step = self.times.step_at(self.begin + (x - self.left) / self.scale)
        return min(max(step, self.span.first), self.span.end - 1)


def segments(steps: Sequence[Step], width: float) -> tuple[Segment, ...]:
    """Return where the phases stand on a line of some width.

    Parameters
    ----------
    steps : sequence of Step
        The steps of the iteration.
    width : float
        Of the whole line with its margins, px.

    Returns
    -------
    tuple of Segment
        As wide as their steps take in time, but even a single step has room for its name where that is
        possible.
    """
    spans = phase_spans(steps)
    if not spans:
        return ()
    room = max(width - 2 * _MARGIN - _GAP * (len(spans) - 1), len(spans))
    least = min(_LEAST_PHASE, room / len(spans))
    times = timetable(steps)
    spare = room - least * len(spans)
    placed, left = [], _MARGIN
    for span in spans:
        length = times.begin(span.end) - times.begin(span.first)
        right = left + least + spare * length / times.length
        placed.append(Segment(span, left, right, times))
        left = right + _GAP
    return tuple(placed)


class Scrubber(QWidget):
    """The steps of an iteration on a line.

    Wishes: ``step_selected(step)``.
    """

    step_selected = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._trace: IterationTrace | None = None
        self._placed: tuple[tuple[Step, ...], int, tuple[Segment, ...]] | None = None
        self._step = 0
        self._theme = LIGHT
        self.setFixedHeight(40)
        self.setMinimumWidth(200)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setAccessibleName("Steps of the iteration")

    def sizeHint(self) -> QSize:
        return QSize(900, 40)

    def set_trace(self, trace: IterationTrace | None) -> None:
        """Show the steps of an iteration, or none."""
        if trace is not self._trace:
            self._trace = trace
            self.update()

    def set_step(self, step: int) -> None:
        """Show the cursor at a step."""
        if step != self._step:
            self._step = step
            self.update()

    def set_theme(self, theme: Theme) -> None:
        """Change the colours."""
        if theme != self._theme:
            self._theme = theme
            self.update()

    @property
    def _steps(self) -> tuple[Step, ...]:
        return () if self._trace is None else self._trace.steps

    @property
    def segments(self) -> tuple[Segment, ...]:
        """The phases on the line; placed anew only when the steps or the width have changed."""
        steps, width = self._steps, self.width()
        if self._placed is None or self._placed[0] is not steps or self._placed[1] != width:
            self._placed = (steps, width, segments(steps, width))
        return self._placed[2]

    def place_of(self, step: int) -> float:
        """Return where a step stands, px; the margin where there are none."""
        for segment in self.segments:
            if segment.span.first <= step < segment.span.end:
                return segment.centre(step)
        return _MARGIN

    def step_at(self, x: float) -> int | None:
        """Return the step nearest to a place, None where there are none."""
        placed = self.segments
        if not placed:
            return None
        inside = [s for s in placed if x >= s.left - 0.5 * _GAP]
        return (inside[-1] if inside else placed[0]).step_at(x)

    def paintEvent(self, _event: object) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        placed = self.segments
        if not placed:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(self._theme.color("grid"))
            band = QRectF(_MARGIN, _BAND_TOP, self.width() - 2 * _MARGIN, _BAND_HEIGHT)
            painter.drawRoundedRect(band, 4, 4)
            return
        place = self.place_of(self._step)
        for segment in placed:
            self._paint_segment(painter, segment, place)
        self._paint_handle(painter, place)

    def _paint_segment(self, painter: QPainter, segment: Segment, place: float) -> None:
        theme, span = self._theme, segment.span
        color = phase_color(theme, span.phase)
        band = QRectF(segment.left, _BAND_TOP, segment.right - segment.left, _BAND_HEIGHT)
        outline = QPainterPath()
        outline.addRoundedRect(band, 4, 4)
        painter.save()
        painter.setClipPath(outline)
        faint = theme.color(span.phase, 0.22)
        painter.fillRect(band, faint)
        if span.end <= self._step:
            painter.fillRect(band, color)
        elif span.first <= self._step:
            painter.fillRect(QRectF(band.left(), band.top(), place - band.left(), band.height()), color)
        painter.setPen(QPen(theme.color("window"), 1.0))
        painter.drawLines([QLineF(at, band.top() + 2, at, band.bottom() - 2) for at in segment.ticks])
        painter.restore()
        is_here = span.first <= self._step < span.end
        painter.setFont(figure_font(10, bold=is_here))
        painter.setPen(color if is_here else theme.color("muted"))
        painter.drawText(
            QRectF(band.left() - 4, 2, band.width() + 8, 16), Qt.AlignmentFlag.AlignCenter, span.phase
        )

    def _paint_handle(self, painter: QPainter, place: float) -> None:
        theme = self._theme
        step = self._steps[min(max(self._step, 0), len(self._steps) - 1)]
        middle = QPointF(place, _BAND_TOP + 0.5 * _BAND_HEIGHT)
        if self.hasFocus():
            painter.setPen(QPen(theme.color("accent"), 1.5))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawEllipse(middle, 11, 11)
        painter.setPen(QPen(theme.color("window"), 2.0))
        painter.setBrush(phase_color(theme, step.phase))
        painter.drawEllipse(middle, 8, 8)

    def _select_at(self, x: float) -> None:
        step = self.step_at(x)
        if step is not None and step != self._step:
            self.step_selected.emit(step)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._select_at(event.position().x())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if event.buttons() & Qt.MouseButton.LeftButton:
            self._select_at(event.position().x())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        last = len(self._steps) - 1
        target = {
            Qt.Key.Key_Left: self._step - 1,
            Qt.Key.Key_Right: self._step + 1,
            Qt.Key.Key_Home: 0,
            Qt.Key.Key_End: last,
        }.get(Qt.Key(event.key()))
        if target is None or event.modifiers() != Qt.KeyboardModifier.NoModifier:
            super().keyPressEvent(event)
        elif last >= 0 and min(max(target, 0), last) != self._step:
            self.step_selected.emit(min(max(target, 0), last))

    def event(self, event: QEvent) -> bool:
        """Answer the wish for a tool tip."""
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            step = self.step_at(event.pos().x())
            if self._trace is None or step is None:
                QToolTip.hideText()
            else:
                text = f"Step {step + 1} of {len(self._steps)}: {step_text(self._steps[step], self._trace.layers)}"
                words = phase_words(self._trace.experiment, self._trace.iteration)
                text += f"\n{words[:1].upper()}{words[1:]}" if words else ""
                QToolTip.showText(event.globalPos(), text, self)
            return True
        return super().event(event)
