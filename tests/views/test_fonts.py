"""The shipped fonts are there and have the letters that formulas need."""

from __future__ import annotations

import pytest
from PySide6.QtGui import QFontInfo, QRawFont
from PySide6.QtWidgets import QApplication

from gradsim.resource_files import resource_path
from gradsim.views.fonts import figure_font, install_fonts, mono_font, sans_font

NEEDED = "δφσηλμ∂∇Δ∞×−⁻⁰¹²³⁴⁵⁶⁷⁸⁹₀₁₂→←▾≤≥‖√ᵀ′…“”’"


def test_the_families_are_those_of_the_files(qapp: QApplication) -> None:
    assert install_fonts() == ("DejaVu Sans", "DejaVu Sans Mono")


@pytest.mark.parametrize("file", ["DejaVuSans.ttf", "DejaVuSans-Bold.ttf", "DejaVuSansMono.ttf"])
def test_every_letter_of_a_formula_is_in_the_font(qapp: QApplication, file: str) -> None:
    raw = QRawFont(str(resource_path("fonts", file)), 12.0)
    assert [letter for letter in NEEDED if not raw.supportsCharacter(ord(letter))] == []


def test_fonts_are_what_was_asked_for(qapp: QApplication) -> None:
    assert QFontInfo(sans_font(10.0, bold=True)).bold()
    assert QFontInfo(mono_font()).fixedPitch()
    assert figure_font(13).pixelSize() == 13
