"""A ribbon fills between its curves and nowhere else; notes are the longest for which there is room."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtGui import QFontMetricsF
from PySide6.QtWidgets import QApplication

from gradsim.views.fonts import figure_font
from gradsim.views.plot.axes import TICK_PIXELS
from gradsim.views.plot.notes import NOTE_LINE, note_lines
from gradsim.views.plot.ribbon import Ribbon
from tests.views.plot.test_marks import RED, painted


def ribbon(x: list[float], low: list[float], middle: list[float], high: list[float]) -> np.ndarray:
    return painted(Ribbon(*(np.array(values) for values in (x, low, middle, high)), RED))


def test_a_ribbon_fills_from_low_to_high_and_nothing_else(qapp: QApplication) -> None:
    inked = ribbon([0, 10], [2, 4], [3, 5], [4, 8])
    assert not inked[:, :9].any()
    assert not inked[:, 112:].any()
    column = np.flatnonzero(inked[:, 60])  # the middle: low 3, high 6, upwards from the bottom at 130
    assert column.min() == pytest.approx(130 - 60, abs=1)
    assert column.max() == pytest.approx(130 - 30, abs=1)


def test_a_ribbon_breaks_where_one_of_its_curves_is_missing(qapp: QApplication) -> None:
    missing = [2.0, 2.0, np.nan, 2.0, 2.0]
    inked = ribbon([0, 4, 5, 6, 10], missing, [3.0, 3.0, np.nan, 3.0, 3.0], [4.0] * 5)
    assert inked[100, 15]
    assert inked[100, 100]
    assert not inked[:, 54:66].any()


def test_a_single_place_gets_a_bar_and_a_dash(qapp: QApplication) -> None:
    inked = ribbon([5], [2], [3], [4])
    assert inked[92:109, 58:63].all()
    assert not inked[:, :45].any()
    assert not inked[:, 75:].any()


@pytest.mark.parametrize("far", [1e300, 400.0])
def test_what_lies_far_out_is_drawn_to_the_edge(qapp: QApplication, far: float) -> None:
    inked = ribbon([0, 10], [-far, -far], [5, 5], [far, far])
    assert inked[30:129, 12:108].all()


@pytest.mark.parametrize("nothing", [np.nan, np.inf, -np.inf])
def test_nothing_is_drawn_of_nothing(qapp: QApplication, nothing: float) -> None:
    values = [nothing, nothing]
    assert not ribbon([0, 10], values, values, values).any()


NOTES = ("one two three four five six seven eight nine ten " * 6, "one two three four five", "one two")


@pytest.mark.parametrize(("width", "height"), [(60.0, 60.0), (60.0, 400.0), (200.0, 150.0), (700.0, 400.0)])
def test_a_note_is_the_longest_that_takes_at_most_a_fifth(
    qapp: QApplication, width: float, height: float
) -> None:
    lines = note_lines(NOTES, width, height)
    most = max(int(0.2 * height / NOTE_LINE), 1)
    assert 1 <= len(lines) <= most
    metrics = QFontMetricsF(figure_font(TICK_PIXELS))
    assert all(metrics.horizontalAdvance(line) <= width for line in lines)
    chosen = next(k for k, note in enumerate(NOTES) if note.split() == " ".join(lines).split())
    for longer in NOTES[:chosen]:
        assert len(note_lines((longer,), width, 1e9)) > min(most, 8)


def test_where_even_the_shortest_is_too_long_its_end_is_cut(qapp: QApplication) -> None:
    lines = note_lines(("one two three four five six seven eight nine",), 60.0, 150.0)
    assert len(lines) == 2
    assert lines[-1].endswith("…")


def test_without_words_there_are_no_lines(qapp: QApplication) -> None:
    assert note_lines(("",), 100.0, 100.0) == ()
