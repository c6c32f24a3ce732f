"""Light, dark, or as the system is."""

from __future__ import annotations

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication

from gradsim.app.settings import ThemeChoice
from gradsim.views.theme import DARK, LIGHT, Theme, apply_theme


class Appearance(QObject):
    """Gives the application its theme and says when it is another one.

    Parameters
    ----------
    choice : {"system", "light", "dark"}
        What was chosen last.
    parent : QObject or None
        Owner in the sense of Qt.
    """

    theme_changed = Signal(object)
    choice_changed = Signal(str)

    def __init__(self, choice: ThemeChoice, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._choice: ThemeChoice = choice
        self.theme = _theme_of(choice)
        QGuiApplication.styleHints().colorSchemeChanged.connect(self._apply)
        self._apply()

    def choose(self, choice: ThemeChoice) -> None:
        """Take a choice of the person."""
        if choice != self._choice:
            self._choice = choice
            self.choice_changed.emit(choice)
            self._apply()

    def toggle(self) -> None:
        """Change between light and dark."""
        self.choose("light" if self.theme.is_dark else "dark")

    def _apply(self) -> None:
        theme = _theme_of(self._choice)
        app = QApplication.instance()
        assert isinstance(app, QApplication)
        apply_theme(app, theme)
        if theme is not self.theme:
            self.theme = theme
            self.theme_changed.emit(theme)


def _theme_of(choice: ThemeChoice) -> Theme:
    if choice == "system":
        is_dark = QGuiApplication.styleHints().colorScheme() is Qt.ColorScheme.Dark
        return DARK if is_dark else LIGHT
    return DARK if choice == "dark" else LIGHT
