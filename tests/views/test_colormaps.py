"""Colours of numbers: ordinary ones along a table, 0, NaN and ∞ beside it."""

from __future__ import annotations

import numpy as np
import pytest

from gradsim.views.colormaps import CIVIDIS, INFINITE, NAN, diverging, extended, image, scaled
from gradsim.views.theme import THEMES


def test_cividis_rises_in_brightness() -> None:
    brightness = CIVIDIS.astype(float) @ [0.2126, 0.7152, 0.0722]
    assert CIVIDIS.shape == (256, 3)
    assert np.all(np.diff(brightness) > -1.0)
    assert brightness[-1] - brightness[0] > 150


@pytest.mark.parametrize("theme", THEMES.values(), ids=THEMES.keys())
def test_the_middle_of_a_diverging_table_is_neutral_and_its_ends_are_not(theme) -> None:
    table = diverging(theme).astype(int)
    assert np.ptp(table[127]) < 25
    assert np.ptp(table[0]) > 100
    assert np.ptp(table[255]) > 100


def test_what_is_not_finite_gets_its_own_rows() -> None:
    values = np.array([-5.0, 0.0, 0.5, 1.0, 7.0, np.nan, np.inf, -np.inf])
    assert scaled(values, 0.0, 1.0).tolist() == [0, 0, 128, 255, 255, NAN, INFINITE, INFINITE]


def test_equal_limits_do_not_divide_by_zero() -> None:
    assert scaled(np.array([3.0, 3.0]), 3.0, 3.0).tolist() == [0, 0]


@pytest.mark.parametrize("theme", THEMES.values(), ids=THEMES.keys())
def test_a_picture_has_the_colour_of_each_row(theme) -> None:
    colors = extended(CIVIDIS, theme)
    assert len(np.unique(colors[[0, 255, 256, 257, 258, 259]])) == 6
    rows = np.array([[0, 255, 256], [257, 258, 259]])
    picture = image(rows, colors)
    found = [[picture.pixel(x, y) for x in range(3)] for y in range(2)]
    assert found == colors[rows].tolist()
