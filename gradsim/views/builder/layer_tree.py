"""The tree of layers: a model over a network, and the view that reorders it by drag and keys."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import (
    QAbstractItemModel,
    QItemSelectionModel,
    QMimeData,
    QModelIndex,
    QPersistentModelIndex,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTreeView, QWidget

from gradsim.spec import Head, Network, Repeat, Residual
from gradsim.spec.fields import summary_of
from gradsim.views.builder.whole_network import Place
from gradsim.views.builder.wording import layer_numbers, layer_text

MIME = "application/x-gradsim-layers"
ROW_HEIGHT = 22
LEAST_ROWS, MOST_ROWS = 5, 11
Index = QModelIndex | QPersistentModelIndex


class _Item:
    def __init__(self, layer: Any, place: Place, parent: _Item | None) -> None:
        self.layer, self.place, self.parent = layer, place, parent
        inner = layer.layers if isinstance(layer, Repeat | Residual | Network) else ()
        self.children = [_Item(child, (*place, row), self) for row, child in enumerate(inner)]


class LayerModel(QAbstractItemModel):
    """Layers as rows, repeats and residual blocks with children, the head last. It never changes anything itself."""

    move_requested = Signal(object, object, int)
    """Places that were dropped, the repeat or block they were dropped into, and the row there."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._numbers: dict[Place, str] = {}
        self._faulty: Place | None = None
        self._root = _Item(Network(), (), None)

    def set_network(self, network: Network) -> None:
        """Show a network."""
        self.beginResetModel()
        self._root = _Item(network, (), None)
        self._root.children.append(_Item(network.head, (len(network.layers),), self._root))
        self._numbers = layer_numbers(network)
        self._faulty = None
        self.endResetModel()

    def set_faulty(self, place: Place | None) -> None:
        """Mark the layer in which something is wrong."""
        self._faulty = place
        self.layoutChanged.emit()

    def index_of(self, place: Place) -> QModelIndex:
        """Return the index of a place; invalid where there is none."""
        index = QModelIndex()
        for row in place:
            index = self.index(row, 0, index)
        return index

    def place_of(self, index: Index) -> Place:
        """Return the place of an index."""
        return self._item(index).place

    def is_head(self, index: Index) -> bool:
        """Whether a row is the head, which cannot be moved or removed."""
        return isinstance(self._item(index).layer, Head)

    def _item(self, index: Index) -> _Item:
        item = index.internalPointer() if index.isValid() else self._root
        assert isinstance(item, _Item)
        return item

    def index(self, row: int, column: int, parent: Index = QModelIndex()) -> QModelIndex:  # noqa: B008  # numpydoc ignore=GL08
        children = self._item(parent).children
        return self.createIndex(row, column, children[row]) if 0 <= row < len(children) else QModelIndex()

    def parent(self, index: Any = None) -> Any:  # numpydoc ignore=GL08
        if index is None:
            return super().parent()
        above = self._item(index).parent if index.isValid() else None
        if above is None or above is self._root:
            return QModelIndex()
        return self.createIndex(above.place[-1], 0, above)

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.column() > 0 else len(self._item(parent).children)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 2

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:  # numpydoc ignore=GL08
        item = self._item(index)
        is_faulty = self._faulty is not None and self._faulty[: len(item.place)] == item.place
        match role:
            case Qt.ItemDataRole.DisplayRole:
                text = layer_text(item.layer)
                return text if index.column() == 0 else self._numbers.get(item.place, "")
            case Qt.ItemDataRole.ToolTipRole:
                return f"{layer_text(item.layer)}\n{summary_of(type(item.layer))}"
            case Qt.ItemDataRole.AccessibleTextRole:
                return f"{layer_text(item.layer)}{', has a fault' if is_faulty else ''}"
            case Qt.ItemDataRole.TextAlignmentRole if index.column() == 1:
                return int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            case Qt.ItemDataRole.SizeHintRole:
                return QSize(0, ROW_HEIGHT) if index.column() == 0 else None
            case Qt.ItemDataRole.ForegroundRole if is_faulty:
                return self._palette().color(QPalette.ColorRole.BrightText)
            case Qt.ItemDataRole.ForegroundRole if index.column() == 1:
                return self._palette().color(QPalette.ColorRole.PlaceholderText)
        return None

    def _palette(self) -> QPalette:
        owner = super().parent()
        return owner.palette() if isinstance(owner, QWidget) else QPalette()

    def flags(self, index: Index) -> Qt.ItemFlag:  # numpydoc ignore=GL08
        flags = Qt.ItemFlag.ItemIsEnabled
        if not index.isValid():
            return flags | Qt.ItemFlag.ItemIsDropEnabled
        flags |= Qt.ItemFlag.ItemIsSelectable
        if not self.is_head(index):
            flags |= Qt.ItemFlag.ItemIsDragEnabled
        if isinstance(self._item(index).layer, Repeat | Residual):
            flags |= Qt.ItemFlag.ItemIsDropEnabled
        return flags

    def supportedDropActions(self) -> Qt.DropAction:
        return Qt.DropAction.MoveAction

    def mimeTypes(self) -> list[str]:
        return [MIME]

    def mimeData(self, indexes: Sequence[QModelIndex]) -> QMimeData:
        data = QMimeData()
        places = [self.place_of(index) for index in indexes if index.column() == 0]
        data.setData(MIME, json.dumps(places).encode())
        return data

    def dropMimeData(
        self, data: QMimeData, action: Qt.DropAction, row: int, column: int, parent: Index
    ) -> bool:
        if not data.hasFormat(MIME):
            return False
        places = [tuple(place) for place in json.loads(bytes(data.data(MIME).data()))]
        into = self.place_of(parent)
        if not into:
            row = min(row, len(self._root.children) - 1) if row >= 0 else len(self._root.children) - 1
        self.move_requested.emit(places, into, row)
        return False  # the view must not take rows away: the new network comes through set_network


class LayerTree(QTreeView):
    """The tree on screen; selection and opened repeats outlive an edit."""

    place_selected = Signal(object)
    """The place of the layer whose form is wanted."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.layers = LayerModel(self)
        self.setModel(self.layers)
        self.setHeaderHidden(True)
        self.setUniformRowHeights(True)
        self.setIndentation(16)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setDragDropMode(QAbstractItemView.DragDropMode.InternalMove)
        self.setDefaultDropAction(Qt.DropAction.MoveAction)
        self.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setAccessibleName("Layers")
        header = self.header()
        header.setStretchLastSection(False)
        header.setMinimumSectionSize(20)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        header.setSectionResizeMode(1, QHeaderView.ResizeMode.ResizeToContents)
        self.selectionModel().currentChanged.connect(self._tell)
        self._silent = False

    def sizeHint(self) -> QSize:
        rows = min(max(self._row_count(), LEAST_ROWS), MOST_ROWS)
        return QSize(240, rows * ROW_HEIGHT + 2 * self.frameWidth() + 2)

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def _row_count(self) -> int:
        return self.layers.rowCount() + sum(
            self.layers.rowCount(self.layers.index_of(p)) for p in self._repeats()
        )

    def set_network(self, network: Network, select: Place | None = None) -> None:
        """Show a network; without a place the present selection stays where it still makes sense."""
        closed = {place for place in self._repeats() if not self.isExpanded(self.layers.index_of(place))}
        present = self.current_place()
        was_repeat = present is not None and self.layers.rowCount(self.layers.index_of(present)) > 0
        wanted: Place = (0,) if select is None else select
        if select is None:
            wanted = self._first_layer(network, present or ())
            if was_repeat and present is not None:
                wanted = present
        self._silent = True
        self.layers.set_network(network)
        self.expandAll()
        for place in closed:
            self.collapse(self.layers.index_of(place))
        index = self.layers.index_of(wanted)
        while wanted and not index.isValid():
            wanted = wanted[:-1]
            index = self.layers.index_of(wanted)
        if not index.isValid():
            index = self.layers.index(0, 0)
        self._make_current(index)
        self._silent = False
        self.updateGeometry()

    def _make_current(self, index: QModelIndex) -> None:
        """Select a row and nothing else; the view's own way would look at the keys held down."""
        flags = QItemSelectionModel.SelectionFlag
        self.selectionModel().setCurrentIndex(index, flags.ClearAndSelect | flags.Rows)

    @staticmethod
    def _first_layer(network: Network, place: Place) -> Place:
        """Go on from a place to the first layer that is no repeat: its form says more."""
        layer: Any = network
        for row in place:
            inner = getattr(layer, "layers", ())
            if row >= len(inner):
                return place
            layer = inner[row]
        while isinstance(layer, Repeat | Network) and layer.layers:
            place, layer = (*place, 0), layer.layers[0]
        return place

    def select(self, place: Place) -> None:
        """Select a layer without saying so."""
        index = self.layers.index_of(place)
        if index.isValid() and place != self.current_place():
            self._silent = True
            self._make_current(index)
            self._silent = False

    def current_place(self) -> Place | None:
        """Return the place of the layer whose form is shown."""
        index = self.currentIndex()
        return self.layers.place_of(index) if index.isValid() else None

    def selected_places(self) -> list[Place]:
        """Return the places of all selected layers, the head left out."""
        rows = self.selectionModel().selectedRows()
        return [self.layers.place_of(row) for row in rows if not self.layers.is_head(row)]

    def _repeats(self, parent: QModelIndex | None = None) -> list[Place]:
        parent = QModelIndex() if parent is None else parent
        found: list[Place] = []
        for row in range(self.layers.rowCount(parent)):
            index = self.layers.index(row, 0, parent)
            if self.layers.rowCount(index):
                found += [self.layers.place_of(index), *self._repeats(index)]
        return found

    def _tell(self, index: QModelIndex) -> None:
        if not self._silent and index.isValid():
            self.place_selected.emit(self.layers.place_of(index))
