"""The figure that the commands write: the view with a picture that had the focus last."""

from __future__ import annotations

from typing import Any, Protocol

from PySide6.QtWidgets import QWidget

from gradsim.app.appearance import Appearance
from gradsim.app.docking import Docking
from gradsim.app.focus import Focus
from gradsim.app.session import Session
from gradsim.app.settings import Settings
from gradsim.app.status import StatusLine


class Host(Protocol):
    """The window, as far as it is needed here."""

    views: dict[str, Any]
    docking: Docking
    focus: Focus
    session: Session
    settings: Settings
    appearance: Appearance
    status: StatusLine

    def remember(self, **values: Any) -> None:
        """Keep settings for the next start."""


class Figures:
    """Exports and copies views of a window.

    Parameters
    ----------
    window : Host
        Has the views, and knows what was chosen last time.
    parent : QWidget
        The same window as a widget: the dialog stands over it.
    """

    def __init__(self, window: Host, parent: QWidget) -> None:
        self._window = window
        self._parent = parent

    def export(self) -> None:
        """Open the dialog that writes figures to files."""
        from gradsim.app.export_dialog import ExportDialog  # not before the first paint: 30 ms

        window = self._window
        aside = window.docking.aside.hidden  # there is nothing to see in these
        figures = {
            id_: view
            for id_, view in window.views.items()
            if hasattr(view, "paint_figure") and (id_ not in aside or id_ == window.focus.figure)
        }
        dialog = ExportDialog(figures, window.focus.figure, window.session.experiment, self._parent)
        dialog.choose(window.settings.export, window.appearance.theme, window.settings.folder)
        dialog.written.connect(lambda path: window.status.say(f"Wrote {path}"))
        dialog.chosen.connect(lambda choices: window.remember(export=choices))
        dialog.open()

    def copy(self) -> None:
        """Put a picture of the view on the clipboard."""
        from gradsim.views.export import copy_view

        window = self._window
        figure = window.views[window.focus.figure]
        copy_view(figure, theme=window.appearance.theme)
        window.status.say(f"The picture of “{figure.title}” is on the clipboard")
