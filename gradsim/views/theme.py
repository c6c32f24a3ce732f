"""Colours of the window and of every figure, by role. No widget and no drawing belongs here.

Series colours are those of Okabe and Ito (2008), told apart by people with any colour vision; on a light
ground the bright ones are darkened until a line keeps a contrast of 3:1. Colour is never the only carrier of
meaning.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import QApplication, QToolTip
from shiboken6 import isValid

from gradsim.trace import Phase
from gradsim.views.fonts import sans_font

ThemeName = Literal["light", "dark", "paper"]


@dataclass(frozen=True, slots=True)
class Theme:
    """Colours by role, each as ``#rrggbb``.

    Attributes
    ----------
    name : {"light", "dark", "paper"}
        ``paper`` is for figures: black on pure white.
    background, window, surface : str
        Ground of a plot or a list; of the window around it; of buttons, tooltips and legends.
    text, muted : str
        Words; words that step back, axis labels among them.
    grid, outline : str
        Lines inside a plot; frames and separators.
    accent, accent_text : str
        Selection and focus; words upon it.
    cursor : str
        The line or outline of the place looked at.
    forward, backward, weight, update, clip, loss : str
        Series: activations, deltas, weights, updates, clipping, loss.
    ghost : str
        What was, for comparison.
    good, warn, bad : str
        Verdicts; ``bad`` also marks NaN and ∞.
    """

    name: ThemeName
    background: str
    window: str
    surface: str
    text: str
    muted: str
    grid: str
    outline: str
    accent: str
    accent_text: str
    cursor: str
    forward: str
    backward: str
    weight: str
    update: str
    clip: str
    loss: str
    ghost: str
    good: str
    warn: str
    bad: str

    @property
    def is_dark(self) -> bool:
        """Whether words are lighter than their ground."""
        return self.name == "dark"

    @property
    def series(self) -> tuple[str, ...]:
        """Colours for things without a role of their own, such as classes or selected layers."""
        return DARK_SERIES if self.is_dark else LIGHT_SERIES

    def color_of_series(self, number: int) -> QColor:
        """Return the colour of one of many things without a role of their own.

        Parameters
        ----------
        number : int
            From 0; the colours repeat after ``len(series)``.

        Returns
        -------
        QColor
            A new one.
        """
        return QColor(self.series[number % len(self.series)])

    def color(self, role: str, opacity: float = 1.0) -> QColor:
        """Return the colour of a role.

        Parameters
        ----------
        role : str
            Name of an attribute such as ``"backward"``.
        opacity : float, default 1
            From 0 (invisible) to 1.

        Returns
        -------
        QColor
            A new one.
        """
        color = QColor(getattr(self, role))
        color.setAlphaF(opacity)
        return color


LIGHT_SERIES = ("#0072b2", "#d55e00", "#008a64", "#b5528c", "#a87400", "#2a8fcf", "#000000", "#7d7500")
DARK_SERIES = ("#56b4e9", "#f0824a", "#1fb98c", "#d98bb5", "#e69f00", "#8fa8ff", "#ffffff", "#f0e442")

LIGHT = Theme(
    name="light",
    background="#ffffff",
    window="#f3f4f6",
    surface="#fafbfc",
    text="#1b1f24",
    muted="#59626d",
    grid="#e6e9ed",
    outline="#c3c9d1",
    accent="#0072b2",
    accent_text="#ffffff",
    cursor="#1b1f24",
    forward="#0072b2",
    backward="#d55e00",
    weight="#008a64",
    update="#b5528c",
    clip="#a87400",
    loss="#3a4048",
    ghost="#8d959f",
    good="#008a64",
    warn="#a87400",
    bad="#c22f00",
)

DARK = Theme(
    name="dark",
    background="#16181c",
    window="#1d2025",
    surface="#262a31",
    text="#e8eaed",
    muted="#a5adb8",
    grid="#2b3037",
    outline="#474e58",
    accent="#56b4e9",
    accent_text="#101215",
    cursor="#f2f4f7",
    forward="#56b4e9",
    backward="#f0824a",
    weight="#1fb98c",
    update="#d98bb5",
    clip="#e69f00",
    loss="#cfd4da",
    ghost="#78818d",
    good="#1fb98c",
    warn="#e69f00",
    bad="#ff7a52",
)

PAPER = Theme(
    name="paper",
    background="#ffffff",
    window="#ffffff",
    surface="#ffffff",
    text="#000000",
    muted="#3d3d3d",
    grid="#e2e2e2",
    outline="#6b6b6b",
    accent="#0072b2",
    accent_text="#ffffff",
    cursor="#000000",
    forward="#0072b2",
    backward="#d55e00",
    weight="#008a64",
    update="#b5528c",
    clip="#a87400",
    loss="#000000",
    ghost="#8d8d8d",
    good="#008a64",
    warn="#a87400",
    bad="#c22f00",
)

THEMES: dict[str, Theme] = {theme.name: theme for theme in (LIGHT, DARK, PAPER)}

_PHASE_ROLES: dict[Phase, str] = {
    "forward": "forward",
    "loss": "loss",
    "backward": "backward",
    "clip": "clip",
    "update": "update",
}

_TENSOR_ROLES = {
    "pre_activation": "forward",
    "activation": "forward",
    "activation_gradient": "backward",
    "delta": "backward",
    "weight_gradient": "weight",
    "update": "update",
    "weight": "loss",
}


def phase_color(theme: Theme, phase: Phase) -> QColor:
    """Return the colour of a part of the iteration.

    Parameters
    ----------
    theme : Theme
        Which colours.
    phase : {"forward", "loss", "backward", "clip", "update"}
        The part.

    Returns
    -------
    QColor
        The same as that of the series it makes.
    """
    return theme.color(_PHASE_ROLES[phase])


def tensor_color(theme: Theme, tensor: str) -> QColor:
    """Return the colour of a tensor.

    Parameters
    ----------
    theme : Theme
        Which colours.
    tensor : str
        One of ``trace.TENSORS``.

    Returns
    -------
    QColor
        That of the series the tensor belongs to.
    """
    return theme.color(_TENSOR_ROLES[tensor])


def palette(theme: Theme) -> QPalette:
    """Return the palette of a theme for the Fusion style.

    Parameters
    ----------
    theme : Theme
        Which colours.

    Returns
    -------
    QPalette
        All roles set, disabled ones dimmed.
    """
    role, group = QPalette.ColorRole, QPalette.ColorGroup
    colors = {
        role.Window: theme.window,
        role.WindowText: theme.text,
        role.Base: theme.background,
        role.AlternateBase: theme.surface,
        role.Text: theme.text,
        role.PlaceholderText: theme.muted,
        role.Button: theme.surface,
        role.ButtonText: theme.text,
        role.BrightText: theme.bad,
        role.Highlight: theme.accent,
        role.HighlightedText: theme.accent_text,
        role.Accent: theme.accent,
        role.Link: theme.accent,
        role.LinkVisited: theme.update,
        role.ToolTipBase: theme.surface,
        role.ToolTipText: theme.text,
        role.Light: theme.surface,
        role.Midlight: theme.grid,
        role.Mid: theme.outline,
        role.Dark: theme.outline,
        role.Shadow: "#000000",
    }
    result = QPalette()
    for which, color in colors.items():
        result.setColor(which, QColor(color))
    for which in (role.WindowText, role.Text, role.ButtonText, role.HighlightedText, role.PlaceholderText):
        result.setColor(group.Disabled, which, QColor(theme.ghost))
    result.setColor(group.Disabled, role.Highlight, QColor(theme.outline))
    result.setColor(group.Disabled, role.Base, QColor(theme.window))
    return result


_FRAMED = (
    "QLineEdit",
    "QAbstractSpinBox",
    "QCheckBox",
    "QRadioButton",
    "QTreeView",
    "QPlainTextEdit",
    "QMenu",
)


def _framed(theme: Theme) -> QPalette:
    """Return a palette in which Fusion draws the frames of fields a little lighter than an outline.

    It makes them 1.4 times as dark as the window: on a dark ground nobody would see where a field or an empty
    box begins.
    """
    result = QPalette()
    result.setColor(QPalette.ColorRole.Window, theme.color("outline").lighter(170))
    return result


def apply_theme(app: QApplication, theme: Theme) -> None:
    """Give the whole application the style, palette and font of a theme.

    ``QStyleHints.setColorScheme`` does nothing without a desktop, so Fusion gets palettes of our own.

    Parameters
    ----------
    app : QApplication
        The running application.
    theme : Theme
        Which colours.
    """
    if app.style().objectName().lower() != "fusion":
        app.setStyle("Fusion")
    app.setPalette(palette(theme))
    if theme.is_dark:
        for kind in _FRAMED:
            app.setPalette(_framed(theme), kind)  # type: ignore[arg-type]  # the stubs want bytes, Qt text
    app.setFont(sans_font())
    tips = palette(theme)
    tips.setColor(QPalette.ColorRole.WindowText, theme.color("outline"))  # of their frame
    QToolTip.setPalette(tips)
    # No style sheet for all: each new one would polish every widget anew, a second and more. Those that have one of
    # their own keep the palette of before, with all that is in them, unless they get it again.
    for widget in app.allWidgets():
        if isValid(widget) and (sheet := widget.styleSheet()):
            widget.setStyleSheet(sheet)
