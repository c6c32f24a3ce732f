"""The section for the network: quick build, the tree with its buttons and keys, the form of the selected layer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QAction, QKeySequence, QPalette
from PySide6.QtWidgets import QHBoxLayout, QLabel, QMenu, QToolButton, QVBoxLayout, QWidget

from gradsim.spec import Dense, Network, Repeat, Residual
from gradsim.spec.fields import fields_of, summary_of, title_of
from gradsim.views.builder import edits
from gradsim.views.builder.edits import Edited
from gradsim.views.builder.forms import StructForm
from gradsim.views.builder.layer_tree import LayerTree
from gradsim.views.builder.quick_build import QuickBuild
from gradsim.views.builder.whole_network import Place, unrolled_places
from gradsim.views.builder.wording import layer_text
from gradsim.views.icons import icon

_KINDS = next(field.kinds for field in fields_of(Network) if field.name == "layers")


class LayerPanel(QWidget):
    """Edits a network.

    Parameters
    ----------
    parent : QWidget or None
        Owner in the sense of Qt.
    """

    edited = Signal(object, str)
    """The network after an edit, and the words for it."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._network = Network()
        self._select: Place | None = None
        self.quick_build = QuickBuild()
        self.quick_build.edited.connect(self.edited)
        self.tree = LayerTree()
        self.tree.setObjectName("layers")
        self.tree.place_selected.connect(self._show_form)
        self.tree.layers.move_requested.connect(self._drop, Qt.ConnectionType.QueuedConnection)
        self.tree.selectionModel().selectionChanged.connect(self._enable)
        self.form = StructForm("$.network.layers[0]", hidden=("layers",))
        self.form.edited.connect(self._edit_layer)
        self.heading = QLabel(wordWrap=True)
        self.heading.setForegroundRole(QPalette.ColorRole.PlaceholderText)
        self.heading.setTextFormat(Qt.TextFormat.PlainText)
        self.heading.setMinimumWidth(1)  # a long name must not make the builder wider
        self.actions_by_id = {id_: self._action(id_, *row) for id_, row in self._rows().items()}
        self.kinds = QMenu(self)
        self.kinds.setToolTipsVisible(True)
        for kind in _KINDS:
            self.kinds.addAction(self._kind_action(kind))
        buttons_shown = list(self.actions_by_id.values())
        self.actions_by_id |= {action.objectName(): action for action in self.kinds.actions()}
        buttons = QHBoxLayout()
        buttons.setSpacing(2)
        for action in buttons_shown:
            button = QToolButton(autoRaise=True)
            button.setDefaultAction(action)
            if action.objectName() == "layer.add":
                button.setMenu(self.kinds)
                button.setPopupMode(QToolButton.ToolButtonPopupMode.MenuButtonPopup)
            button.setIconSize(QSize(18, 18))
            buttons.addWidget(button)
        buttons.addStretch(1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        layout.addWidget(self.quick_build)
        layout.addLayout(buttons)
        layout.addWidget(self.tree)
        layout.addWidget(self.heading)
        layout.addWidget(self.form)

    def _rows(self) -> dict[str, tuple[str, str, str, Callable[[], None]]]:
        """Id of a command → words, icon, key, what it does."""
        return {
            "layer.add": ("Add a layer", "add", "Ins", lambda: self.add()),
            "layer.duplicate": ("Duplicate the layer", "duplicate", "Ctrl+D", self.duplicate),
            "layer.remove": ("Remove the layer", "remove", "Del", self.remove),
            "layer.up": ("Move the layer up", "up", "Alt+Up", lambda: self._shift(-1)),
            "layer.down": ("Move the layer down", "down", "Alt+Down", lambda: self._shift(1)),
            "layer.wrap": ("Wrap in a repeat", "wrap", "Ctrl+G", self.wrap),
            "layer.residual": ("Wrap in a residual block", "skip", "Ctrl+Alt+G", self.wrap_in_residual),
            "layer.unwrap": ("Write the repeat out", "unwrap", "Ctrl+Shift+G", self.unwrap),
        }

    def _action(self, id_: str, text: str, picture: str, key: str, slot: Callable[[], None]) -> QAction:
        action = QAction(icon(picture), text, self)
        action.setObjectName(id_)
        action.setData("Layer")
        action.setShortcut(QKeySequence(key))
        action.setShortcutContext(Qt.ShortcutContext.WidgetShortcut)
        action.setToolTip(f"{text} ({QKeySequence(key).toString(QKeySequence.SequenceFormat.NativeText)})")
        action.triggered.connect(lambda: slot())
        self.tree.addAction(action)
        return action

    def _kind_action(self, kind: type[Any]) -> QAction:
        title = title_of(kind)
        action = QAction(f"Add {title[:1].lower()}{title[1:]}", self)
        action.setObjectName(f"layer.add.{kind_name(kind)}")
        action.setToolTip(summary_of(kind))
        action.triggered.connect(lambda: self.add(kind))
        return action

    def set_network(self, network: Network) -> None:
        """Show a network."""
        select, self._select = self._select, None
        self._network = network
        self.quick_build.set_network(network)
        self.tree.set_network(network, select)
        place = self.tree.current_place()
        if place is not None:
            self._show_form(place)
        self._enable()

    def show_error(self, path: str, reason: str) -> bool:
        """Select the layer that a path points at and mark its field; False where it is none of a layer."""
        place = _place(path, self._network)
        if place is None:
            return False
        self._select_place(place)
        self.quick_build.show_error(reason)
        self.tree.layers.set_faulty(place)
        return self.form.show_error(path, reason)

    def clear_errors(self) -> None:
        """Take all marks away."""
        self.quick_build.clear_error()
        self.tree.layers.set_faulty(None)
        self.form.clear_errors()

    def select_layer(self, index: int) -> None:
        """Select the layer with an index into ``IterationTrace.layers``, the head being the last."""
        place = place_of_index(self._network, index)
        if place is not None:
            self._select_place(place)

    def _select_place(self, place: Place) -> None:
        if place != self.tree.current_place():
            self.tree.select(place)
            self._show_form(place)

    def _show_form(self, place: Place) -> None:
        is_head = self._is_head(place)
        layer = self._network.head if is_head else edits.layer_at(self._network, place)
        told = layer_text(layer)
        self.heading.setText(told.replace("_", "_\N{ZERO WIDTH SPACE}"))  # lines may end there
        self.heading.setToolTip(told)
        self.form.set_value(layer, "$.network.head" if is_head else _path(place))

    def _is_head(self, place: Place) -> bool:
        return place == (len(self._network.layers),)

    def _edit_layer(self, layer: object, words: str) -> None:
        place = self.tree.current_place() or ()
        title, _, value = words.partition(": ")
        of = layer_text(self.form.value).split(" · ")[0]
        words = f"{title} of {of}: {value}"
        if self._is_head(place):
            self.edited.emit(msgspec.structs.replace(self._network, head=layer), words)
        else:
            self.edited.emit(edits.replaced(self._network, place, layer), words)  # type: ignore[arg-type]

    def _emit(self, edited: Edited, words: str) -> None:
        network, self._select = edited
        if network != self._network:
            self.edited.emit(network, words)
        self._select = None

    def _enable(self) -> None:
        places = self.tree.selected_places()
        for id_ in ("layer.duplicate", "layer.wrap", "layer.residual", "layer.up", "layer.down"):
            self.actions_by_id[id_].setEnabled(bool(places))
        everything = len([p for p in places if len(p) == 1]) >= len(self._network.layers)
        only = len(self._network.layers) == 1 and edits.written_count(self._network) == len(places)
        self.actions_by_id["layer.remove"].setEnabled(bool(places) and not everything and not only)
        is_repeat = len(places) == 1 and isinstance(edits.layer_at(self._network, places[0]), Repeat)
        self.actions_by_id["layer.unwrap"].setEnabled(is_repeat)

    def add(self, kind: type[Any] = Dense) -> None:
        """Add a layer behind the selected one, like it if of its kind; before the head where that is selected."""
        place = self.tree.current_place()
        after = None if place is None or self._is_head(place) else place
        title = title_of(kind)
        words = "Add a layer" if kind is Dense else f"Add {title[:1].lower()}{title[1:]}"
        self._emit(edits.added(self._network, after, kind), words)

    def duplicate(self) -> None:
        """Copy the selected layers."""
        self._emit(edits.duplicated(self._network, self.tree.selected_places()), "Duplicate layers")

    def remove(self) -> None:
        """Remove the selected layers."""
        self._emit(edits.removed(self._network, self.tree.selected_places()), "Remove layers")

    def wrap(self) -> None:
        """Put the selected layers into a repeat."""
        self._emit(edits.wrapped(self._network, self.tree.selected_places()), "Wrap in a repeat")

    def wrap_in_residual(self) -> None:
        """Put the selected layers into a residual block."""
        places = self.tree.selected_places()
        self._emit(edits.wrapped(self._network, places, Residual), "Wrap in a residual block")

    def unwrap(self) -> None:
        """Write the selected repeat out."""
        self._emit(edits.unwrapped(self._network, self.tree.selected_places()[0]), "Write the repeat out")

    def _shift(self, by: int) -> None:
        places = self.tree.selected_places()
        if places:
            self._emit(edits.shifted(self._network, places[0], by), "Move a layer")

    def _drop(self, places: list[Place], parent: Place, row: int) -> None:
        self._emit(edits.moved(self._network, places, parent, row), "Move layers")


def _path(place: Place) -> str:
    return "$.network" + "".join(f".layers[{row}]" for row in place)


def _place(path: str, network: Network) -> Place | None:
    """Place of the innermost layer that a JSON path leads through."""
    if path.startswith("$.network.head"):
        return (len(network.layers),)
    place: list[int] = []
    for part in path.removeprefix("$.network.").split("."):
        name, bracket, row = part.partition("[")
        if name != "layers" or not bracket:
            break
        place.append(int(row.rstrip("]")))
    return tuple(place) or None


def place_of_index(network: Network, index: int) -> Place | None:
    """Return the place of a layer of a trace, the head last; copies share their place."""
    places = unrolled_places(network)
    if index == len(places):
        return (len(network.layers),)
    return places[index] if 0 <= index < len(places) else None


def kind_name(kind: type[Any]) -> str:
    """Return how a kind of layer is called in a document."""
    return str(kind.__struct_config__.tag)
