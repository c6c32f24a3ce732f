"""Colours can be told from their ground, and every theme has every role."""

from __future__ import annotations

import dataclasses

import pytest
from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import QApplication, QSpinBox, QToolBar, QToolTip
from pytestqt.qtbot import QtBot

from gradsim.trace import PHASES, TENSORS
from gradsim.views.theme import THEMES, Theme, apply_theme, palette, phase_color, tensor_color

themes = pytest.mark.parametrize("theme", THEMES.values(), ids=THEMES.keys())


def luminance(color: QColor) -> float:
    parts = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in color.getRgbF()[:3]]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


def contrast(a: QColor, b: QColor) -> float:
    dark, light = sorted((luminance(a), luminance(b)))
    return (light + 0.05) / (dark + 0.05)


@themes
@pytest.mark.parametrize(("role", "least"), [("text", 7.0), ("muted", 4.5), ("ghost", 2.9)])
def test_words_can_be_read(theme: Theme, role: str, least: float) -> None:
    for ground in ("background", "window", "surface") if role != "ghost" else ("background",):
        assert contrast(theme.color(role), theme.color(ground)) >= least


@themes
def test_lines_stand_out_from_their_ground(theme: Theme) -> None:
    roles = ("forward", "backward", "weight", "update", "clip", "loss", "good", "warn", "bad", "accent")
    for color in [*(theme.color(role) for role in roles), *map(QColor, theme.series)]:
        assert contrast(color, theme.color("background")) >= 3.0


@themes
def test_every_phase_and_tensor_has_a_colour(theme: Theme) -> None:
    assert len({phase_color(theme, phase).name() for phase in PHASES}) == len(PHASES)
    assert all(tensor_color(theme, tensor).isValid() for tensor in TENSORS)


@themes
def test_every_role_is_a_colour(theme: Theme) -> None:
    for field in dataclasses.fields(theme):
        if field.name != "name":
            assert QColor(getattr(theme, field.name)).isValid(), field.name


@themes
def test_applying_a_theme_sets_style_palette_and_font(qapp: QApplication, theme: Theme) -> None:
    before = qapp.palette(), qapp.font(), QToolTip.palette()
    try:
        apply_theme(qapp, theme)
        assert qapp.palette().color(QPalette.ColorRole.Window) == QColor(theme.window)
        assert qapp.font().family() == "DejaVu Sans"
        disabled = palette(theme).color(QPalette.ColorGroup.Disabled, QPalette.ColorRole.Text)
        assert disabled == QColor(theme.ghost)
        assert qapp.style().objectName() == "fusion"
        assert not qapp.styleSheet()  # each change of it would polish every widget anew
        assert QToolTip.palette().color(QPalette.ColorRole.ToolTipBase) == QColor(theme.surface)
    finally:
        qapp.setPalette(before[0])
        qapp.setFont(before[1])
        QToolTip.setPalette(before[2])


def test_what_lies_in_a_widget_with_a_style_sheet_of_its_own_gets_the_colours_too(
    qapp: QApplication, qtbot: QtBot
) -> None:
    before = qapp.palette(), qapp.font(), QToolTip.palette()
    bar = QToolBar()
    qtbot.addWidget(bar)
    bar.setStyleSheet("QToolBar { border: none; }")
    inside = QSpinBox()
    bar.addWidget(inside)
    bar.show()
    try:
        for theme in THEMES.values():
            apply_theme(qapp, theme)
            assert inside.palette().color(QPalette.ColorRole.Text) == QColor(theme.text), theme.name
            assert inside.palette().color(QPalette.ColorRole.Base) == palette(theme).color(
                QPalette.ColorRole.Base
            )
    finally:
        qapp.setPalette(before[0])
        qapp.setFont(before[1])
        QToolTip.setPalette(before[2])
