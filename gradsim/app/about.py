"""Who made this, in which version."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version

import PySide6
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMessageBox, QWidget

import gradsim
from gradsim.views.icons import icon


class AboutBox(QMessageBox):
    """Version, purpose, licences.

    Parameters
    ----------
    parent : QWidget or None
        The window.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("About GradSim")
        self.setIconPixmap(icon("gradsim").pixmap(64, 64))
        self.setText(f"<b>GradSim {gradsim.__version__}</b>")
        self.setInformativeText(
            "Why does the gradient of a deep network vanish or explode, and what cures it? "
            "Every number on the screen is computed by a real pass.<br><br>"
            f"MIT licence. Python {platform.python_version()}, Qt {PySide6.__version__} (LGPL), "
            f"NumPy {_version('numpy')}, numba {_version('numba')}, SciPy {_version('scipy')}; "
            "fonts DejaVu."
        )
        self.setStandardButtons(QMessageBox.StandardButton.Close)


def _version(package: str) -> str:
    """Return the version of a package without importing it."""
    try:
        return version(package)
    except PackageNotFoundError:
        return "?"
