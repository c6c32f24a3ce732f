"""The network, animated: its layers as columns, the pulse of the step, colour for magnitude."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from itertools import pairwise
from typing import Any

from numpy.typing import NDArray
from PySide6.QtCore import QRectF, QSizeF, Qt, Signal
from PySide6.QtGui import QPainter, QResizeEvent
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QSizePolicy, QToolButton, QVBoxLayout, QWidget

from gradsim.trace import Cursor, Run
from gradsim.views.network.canvas import NetworkCanvas
from gradsim.views.network.paths import UnitChain
from gradsim.views.network.scene import LinkColours, UnitColours
from gradsim.views.network.telling import network_summary, network_table
from gradsim.views.plot.options import Choice, Option, Toggle, checked
from gradsim.views.theme import LIGHT, Theme

_UNIT_COLOURS: tuple[tuple[str, UnitColours], ...] = (
    ("Units: magnitude", "magnitude"),
    ("Units: mean value", "value"),
)
_LINK_COLOURS: tuple[tuple[str, LinkColours], ...] = (
    ("Links: weight", "weight"),
    ("Links: gradient", "gradient"),
    ("Links: off", "none"),
)


_HINT = "Wheel zooms, drag moves, click selects"


class NetworkView(QWidget):
    """Draws the network of a run at a step of its iteration.

    Wishes: ``layer_selected(layer)``, ``unit_selected(layer, unit)``, and ``seek_requested(Cursor)`` for the
    step of a time in an unrolled layer.
    """

    title = "Network"
    view_id = "network"
    options: tuple[Option, ...] = (
        Choice("units", "Units", tuple((name, words) for words, name in _UNIT_COLOURS), "magnitude"),
        Choice("links", "Links", tuple((name, words) for words, name in _LINK_COLOURS), "weight"),
        Toggle("unrolled", "Unroll through time", False),
    )

    layer_selected = Signal(int)
    unit_selected = Signal(int, int)
    seek_requested = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.canvas = NetworkCanvas(self)
        self.canvas.layer_selected.connect(self.layer_selected)
        self.canvas.unit_selected.connect(self.unit_selected)
        self._theme = LIGHT
        self._run: Run | None = None
        self.unit_colours = self._choice(_UNIT_COLOURS, "What the circles are coloured by")
        self.unit_colours.currentIndexChanged.connect(
            lambda index: self.canvas.set_unit_colours(_UNIT_COLOURS[index][1])
        )
        self.link_colours = self._choice(_LINK_COLOURS, "What the links are coloured by")
        self.link_colours.currentIndexChanged.connect(
            lambda index: self.canvas.set_link_colours(_LINK_COLOURS[index][1])
        )
        self.canvas.time_selected.connect(self._seek_time)
        self.canvas.unroll_requested.connect(self.toggle_unrolled)
        self.unroll_button = QToolButton(self)
        self.unroll_button.setText("Unroll")
        self.unroll_button.setAutoRaise(True)
        self.unroll_button.setCheckable(True)
        self.unroll_button.setToolTip(
            "Time steps as columns: of the selected recurrent layer, else of all (U, or double-click a layer)"
        )
        self.unroll_button.setAccessibleName("Unroll through time")
        self.unroll_button.clicked.connect(lambda: self.toggle_unrolled())
        self.unroll_button.setVisible(False)
        self.fit_button = QToolButton(self)
        self.fit_button.setText("Fit")
        self.fit_button.setAutoRaise(True)
        self.fit_button.setToolTip("Show the whole network and measure its scales anew (F or Home)")
        self.fit_button.setAccessibleName("Fit the network")
        self.fit_button.clicked.connect(self.canvas.fit)
        self._hint = QLabel(self)
        # Where there is no room for it the hint goes first; it never widens the window.
        self._hint.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._hint.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        controls = QHBoxLayout()
        controls.setContentsMargins(8, 4, 8, 4)
        controls.setSpacing(8)
        for widget in (self.unit_colours, self.link_colours):
            controls.addWidget(widget)
        controls.addWidget(self._hint, 1)
        controls.addWidget(self.unroll_button)
        controls.addWidget(self.fit_button)
        rows = QVBoxLayout(self)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(0)
        rows.addLayout(controls)
        rows.addWidget(self.canvas, 1)
        self.setFocusProxy(self.canvas)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        others = [self.unit_colours, self.link_colours, self.fit_button]
        others += [self.unroll_button] if self.unroll_button.isVisibleTo(self) else []
        room = self.width() - sum(widget.sizeHint().width() for widget in others) - 48
        self._hint.setText(_HINT if room >= self._hint.fontMetrics().horizontalAdvance(_HINT) else "")

    def set_run(self, run: Run | None) -> None:
        """Show a run, or nothing."""
        if run is self._run:
            return
        self._run = run
        self.canvas.set_run(run)
        self.unroll_button.setVisible(bool(self._recurrent))
        columns = () if self.canvas.picture.content is None else self.canvas.picture.content.columns
        self.unit_colours.setEnabled(any(column.has_circles for column in columns[1:]))
        self.link_colours.setEnabled(any(a.has_circles and b.has_circles for a, b in pairwise(columns)))
        self._show_unrolled()
        self._describe()

    @property
    def _recurrent(self) -> frozenset[int]:
        layers = () if self._run is None else self._run.trace.layers
        return frozenset(layer.index for layer in layers if layer.kind == "recurrent")

    def choose(self, name: str, value: Any) -> None:
        """Choose what is drawn: a row of ``options``, as its control would."""
        value = checked(self.options, name, value)
        if name == "unrolled":
            self.set_unrolled(self._recurrent if value else ())
        elif name == "units":
            self.unit_colours.setCurrentIndex([known for _, known in _UNIT_COLOURS].index(value))
        else:
            self.link_colours.setCurrentIndex([known for _, known in _LINK_COLOURS].index(value))

    @property
    def unrolled(self) -> frozenset[int]:
        """Recurrent layers whose time steps are columns."""
        return self.canvas.picture.unrolled

    def set_unrolled(self, layers: Collection[int]) -> None:
        """Draw the time steps of some layers as columns; layers that have none stay as they are."""
        self.canvas.set_unrolled(frozenset(layers) & self._recurrent)
        self._show_unrolled()
        self._describe()

    def toggle_unrolled(self, layer: int | None = None) -> None:
        """Unroll a recurrent layer or roll it up: the one given, the selected one, else all of them."""
        chosen = self.canvas.picture.selected if layer is None else layer
        which = frozenset([chosen]) & self._recurrent if chosen is not None else frozenset()
        if not which and layer is None:
            which = self._recurrent
        is_unrolled = bool(which & self.unrolled)
        self.set_unrolled(self.unrolled - which if is_unrolled else self.unrolled | which)

    def _show_unrolled(self) -> None:
        self.unroll_button.setChecked(bool(self.unrolled))

    def _seek_time(self, layer: int, time: int) -> None:
        """Ask for the step of a time: on the way back once it has begun, else forwards."""
        pulse = self.canvas.picture.pulse
        if self._run is None or pulse is None:
            return
        phase = "forward" if pulse.phase in ("forward", "loss") else "backward"
        wanted = (phase, layer, time)
        steps = self._run.trace.steps
        at = next((i for i, step in enumerate(steps) if (step.phase, step.layer, step.time) == wanted), None)
        if at is not None:
            self.seek_requested.emit(Cursor(self._run.trace.iteration, at))

    def set_cursor(self, cursor: Cursor) -> None:
        """Show another step."""
        self.canvas.set_cursor(cursor)
        self._describe()

    def set_selection(self, layer: int | None) -> None:
        """Mark a layer; a unit stays marked while its layer does."""
        selected, unit = self.canvas.picture.selected, self.canvas.picture.unit
        self.canvas.set_selection(layer, unit if layer == selected else None)

    def set_unit(self, layer: int | None, unit: int | None) -> None:
        """Mark a layer and a unit of it."""
        self.canvas.set_selection(layer, unit)

    def set_paths(self, paths: tuple[UnitChain, ...]) -> None:
        """Draw the paths of a weight's chain rule, each as (layer, unit), the first of them marked."""
        self.canvas.set_paths(paths)
        self._describe()

    def set_theme(self, theme: Theme) -> None:
        """Change the colours."""
        self._theme = theme
        self.canvas.set_theme(theme)
        self._hint.setStyleSheet(f"color: {theme.muted}")

    def paint_figure(self, painter: QPainter, rect: QRectF, theme: Theme) -> None:
        """Paint the figure as ``views.export`` wants it."""
        self.canvas.picture.paint_figure(painter, rect, theme)

    def figure_size(self) -> QSizeF:
        """Return the size of the picture on screen, px."""
        return QSizeF(self.canvas.size())

    def text_summary(self) -> str:
        """Return what is seen, in words."""
        content, pulse = self.canvas.picture.content, self.canvas.picture.pulse
        if content is None or pulse is None:
            return "No network yet."
        count = len(self.canvas.picture.paths)
        paths = "" if not count else f" {count} path{'s' * (count > 1)} of a weight's chain rule drawn."
        return network_summary(content, pulse) + paths

    def table(self) -> tuple[Mapping[str, NDArray[Any]], Mapping[str, str]]:
        """Return the numbers behind the picture: columns by name, and their units."""
        content = self.canvas.picture.content
        return ({}, {}) if content is None else network_table(content)

    def _choice(self, options: Sequence[tuple[str, str]], name: str) -> QComboBox:
        choice = QComboBox(self)
        choice.addItems([words for words, _value in options])
        choice.setAccessibleName(name)
        choice.setToolTip(name)
        return choice

    def _describe(self) -> None:
        self.canvas.setAccessibleDescription(self.text_summary())
