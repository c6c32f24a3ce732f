"""The builder: the whole experiment as forms. It edits a draft and says what it wishes; it owns nothing."""

from __future__ import annotations

import secrets
from collections.abc import Sequence

import msgspec
from PySide6.QtCore import QEvent, QObject, QSize, Qt, Signal
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QFrame, QLabel, QMenu, QScrollArea, QToolButton, QVBoxLayout, QWidget

from gradsim.spec import Experiment, Network, SpecError
from gradsim.views.builder.adaptation import adapted
from gradsim.views.builder.forms import StructForm
from gradsim.views.builder.layer_panel import LayerPanel
from gradsim.views.builder.section import Section
from gradsim.views.builder.whole_network import index_of_place
from gradsim.views.icons import icon


class Builder(QScrollArea):
    """Asks for everything that an experiment says.

    Parameters
    ----------
    parent : QWidget or None
        Owner in the sense of Qt.
    """

    edit_requested = Signal(object, str)
    """The experiment that is wished for, valid or not, and the words for the edit."""
    preset_requested = Signal(str)
    """The name of a shipped experiment."""
    layer_selected = Signal(int)
    """Index of the first layer that the selected row stands for, the head being the last."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._experiment = Experiment()
        self._draft = self._experiment
        self.name_form = StructForm("$", hidden=tuple({*_names()} - {"name"}))
        self.data_kind = StructForm("$", hidden=tuple({*_names()} - {"data"}))
        self.layers = LayerPanel()
        self.training_form = StructForm("$.training")
        self.seed_form = StructForm("$", hidden=tuple({*_names()} - {"seed", "precision", "parameters"}))
        for form in (self.name_form, self.data_kind, self.seed_form):
            form.edited.connect(self._edit)
        self.layers.edited.connect(self._edit_network)
        self.layers.tree.place_selected.connect(self._tell_layer)
        self.training_form.edited.connect(
            lambda value, words: self._edit(msgspec.structs.replace(self._draft, training=value), words)
        )
        self.presets = QToolButton(autoRaise=True)
        self.presets.setText("Start from ▾")
        self.presets.setStyleSheet("QToolButton::menu-indicator { image: none; }")  # which stands too low
        self.presets.setIcon(icon("presets"))
        self.presets.setObjectName("presets")
        self.presets.setToolTip("Replace everything by an experiment that comes with GradSim (can be undone)")
        self.presets.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.presets.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.presets.setMenu(QMenu(self.presets))
        self.message = QLabel(wordWrap=True)
        self.message.setMinimumWidth(1)  # it may quote a word that is longer than the builder is wide
        self.message.setVisible(False)
        self.message.setForegroundRole(QPalette.ColorRole.BrightText)
        self.message.setTextFormat(Qt.TextFormat.PlainText)
        self._lay_out()
        self.set_experiment(self._experiment)

    def _lay_out(self) -> None:
        self._least = 0
        body = self._body = QWidget()
        layout = QVBoxLayout(body)
        layout.setContentsMargins(8, 6, 8, 12)
        layout.setSpacing(8)
        layout.addWidget(self.presets, 0, Qt.AlignmentFlag.AlignLeft)
        layout.addWidget(self.message)
        layout.addWidget(self.name_form)
        for title, content in (
            ("Data", self.data_kind),
            ("Network", self.layers),
            ("Training", self.training_form),
            ("Seed and precision", self._seed_part()),
        ):
            layout.addWidget(Section(title, content))
        layout.addStretch(1)
        self.setWidget(body)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)

    def _seed_part(self) -> QWidget:
        part = QWidget()
        layout = QVBoxLayout(part)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        layout.addWidget(self.seed_form)
        draw = QToolButton(autoRaise=True)
        draw.setText("Another seed")
        draw.setIcon(icon("seed"))
        draw.setObjectName("seed.draw")
        draw.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        draw.setToolTip("Draw another seed: other initial weights, other samples, another order")
        draw.clicked.connect(self.draw_seed)
        layout.addWidget(draw, 0, Qt.AlignmentFlag.AlignLeft)
        return part

    def sizeHint(self) -> QSize:
        return QSize(318, 640)

    def minimumSizeHint(self) -> QSize:
        bar = self.verticalScrollBar().sizeHint().width()
        return QSize(self._body.minimumSizeHint().width() + bar, 160)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Tell the dock when the fields need another width: a scrolling area keeps that to itself."""
        if watched is self._body and event.type() == QEvent.Type.LayoutRequest:
            least = self._body.minimumSizeHint().width()
            if least != self._least:
                self._least = least
                self.updateGeometry()
        return super().eventFilter(watched, event)

    @property
    def draft(self) -> Experiment:
        """What the forms show: the experiment, or the edit that was refused."""
        return self._draft

    def set_experiment(self, experiment: Experiment) -> None:
        """Show an experiment."""
        self._experiment = experiment
        self._show(experiment)
        self.set_error(None)
        self.updateGeometry()  # other fields may need more room

    def set_error(self, error: SpecError | None) -> None:
        """Say at its field what is wrong with the draft; None where nothing is."""
        for form in (self.name_form, self.data_kind, self.training_form, self.seed_form):
            form.clear_errors()
        self.layers.clear_errors()
        self.message.setVisible(False)
        if error is None:
            return
        self.layers.show_error(error.path, error.reason)
        for form in (self.training_form, self.data_kind, self.name_form, self.seed_form):
            form.show_error(error.path, error.reason)
        # Its field may be far down: here it is said that later edits wait for it, and how to get out.
        self.message.setText(
            f"Not applied: {error.reason}. Later edits wait until this is right; undo takes it back."
        )
        self.message.setVisible(True)

    def set_presets(self, presets: Sequence[tuple[str, str, str]]) -> None:
        """Offer shipped experiments: the name that is asked for, the title that is shown, and its topic."""
        menu = self.presets.menu()
        menu.clear()
        topics: dict[str, QMenu] = {}
        for name, title, topic in presets:
            if topic not in topics:
                topics[topic] = menu.addMenu(topic)
            action = topics[topic].addAction(title)
            action.setObjectName(f"preset.{name}")
            action.triggered.connect(lambda *_, name=name: self.preset_requested.emit(name))

    def select_layer(self, index: int) -> None:
        """Select the row of a layer by its index, 0 being the first."""
        self.layers.select_layer(index)

    def draw_seed(self) -> None:
        """Ask for another seed."""
        seed = secrets.randbelow(1_000_000)
        self._edit(msgspec.structs.replace(self._draft, seed=seed), f"Seed: {seed}")

    def _show(self, experiment: Experiment) -> None:
        self._draft = experiment
        for form in (self.name_form, self.data_kind, self.seed_form):
            form.set_value(experiment)
        self.layers.set_network(experiment.network)
        self.training_form.set_value(experiment.training)

    def _edit_network(self, network: Network, words: str) -> None:
        self._edit(msgspec.structs.replace(self._draft, network=network), words)

    def _edit(self, experiment: Experiment, words: str) -> None:
        experiment = adapted(self._draft, experiment)
        self._show(experiment)
        self.edit_requested.emit(experiment, words)

    def _tell_layer(self, place: tuple[int, ...]) -> None:
        index = index_of_place(self._draft.network, place)
        if index is not None:
            self.layer_selected.emit(index)


def _names() -> tuple[str, ...]:
    return tuple(field.name for field in msgspec.structs.fields(Experiment))
