"""The figure that the commands write: the view with a picture that had the focus last."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gradsim.app.window import MainWindow


class Figures:
    """Exports and copies views of a window.

    Parameters
    ----------
    window : MainWindow
        Has the views, and knows what was chosen last time.
    """

    def __init__(self, window: MainWindow) -> None:
        self._window = window

    def export(self) -> None:
        """Open the dialog that writes figures to files."""
        from gradsim.app.export_dialog import ExportDialog  # not before the first paint: 30 ms

        window = self._window
        figures = {id_: view for id_, view in window.views.items() if hasattr(view, "paint_figure")}
        dialog = ExportDialog(figures, window.focus.figure, window.session.experiment, window)
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
