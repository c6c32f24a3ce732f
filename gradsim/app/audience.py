"""All views as one: what a view has a setter for, it is told; none of them is known here by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gradsim.trace import Cursor, Run
from gradsim.views.theme import Theme


class Audience:
    """Hands the state of the session down. A setter is all that a view needs in order to be told.

    Parameters
    ----------
    views : mapping from str to QWidget
        The views of the table, by id.
    transport : QWidget
        The bar at the bottom, which is told of place and look as views are.
    """

    def __init__(self, views: Mapping[str, Any], transport: Any) -> None:
        self._views = tuple(views.values())
        self._all = (*self._views, transport)

    def set_run(self, run: Run) -> None:
        """Tell of another trace, history or network."""
        _tell(self._all, "set_run", run)

    def set_cursor(self, cursor: Cursor) -> None:
        """Tell of another place."""
        _tell(self._all, "set_cursor", cursor)

    def set_theme(self, theme: Theme) -> None:
        """Tell of other colours."""
        _tell(self._all, "set_theme", theme)

    def set_training_rate(self, rate: float) -> None:
        """Tell how fast the training is, in iterations per second."""
        _tell(self._views, "set_training_rate", rate)

    def set_selection(self, layer: int | None, unit: int | None) -> None:
        """Tell of another selection: the unit too, or for a view that knows only layers the layer."""
        for view in self._views:
            if hasattr(view, "set_unit"):
                view.set_unit(layer, unit)
            elif hasattr(view, "set_selected_layer"):
                view.set_selected_layer(layer)


def _tell(listeners: tuple[Any, ...], setter: str, value: Any) -> None:
    for listener in listeners:
        if hasattr(listener, setter):
            getattr(listener, setter)(value)
