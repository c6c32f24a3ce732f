"""Tables that fit."""

import io
import math

import pytest

from gradsim.cli.table import Cell, Column, laid_out, scientific
from gradsim.cli.terminal import Terminal

COLUMNS = (Column("layer"), Column("name", "left"), Column("units", rank=2), Column("rms δ", rank=1))
ROWS = [
    [Cell("1"), Cell("dense_1"), Cell("64"), Cell("1.2e-05", "broken")],
    [Cell("10"), Cell("head"), Cell("10"), Cell("0.02")],
]


def terminal(width=None, colour=False, unicode=True):
    return Terminal(io.StringIO(), width, colour, unicode, False)


def test_numbers_stand_to_the_right_and_names_to_the_left():
    assert laid_out(COLUMNS, ROWS, terminal()).lines == (
        "layer  name     units    rms δ",
        "─" * 30,
        "    1  dense_1     64  1.2e-05",
        "   10  head        10     0.02",
    )


def test_the_highest_rank_is_left_out_first_and_named():
    narrow = laid_out(COLUMNS, ROWS, terminal(width=25))
    assert narrow.lines[0] == "layer  name       rms δ"
    assert narrow.left_out == ("units",)
    assert all(len(line) <= 25 for line in narrow.lines)


def test_columns_of_rank_0_stay_however_narrow_the_terminal_is():
    assert laid_out(COLUMNS, ROWS, terminal(width=3)).left_out == ("units", "rms δ")


def test_colours_do_not_move_the_columns():
    painted = laid_out(COLUMNS, ROWS, terminal(colour=True)).lines[2]
    assert painted.endswith("\x1b[1;31m1.2e-05\x1b[0m")
    assert painted.startswith("    1  dense_1     64  ")


def test_widths_are_those_of_the_characters_really_written():
    ascii_only = laid_out(COLUMNS, ROWS, terminal(unicode=False)).lines
    assert ascii_only[0] == "layer  name     units  rms delta"
    assert ascii_only[2] == "    1  dense_1     64    1.2e-05"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, "·"),
        (0.0, "0"),
        (math.nan, "NaN"),
        (math.inf, "∞"),
        (-math.inf, "−∞"),
        (1.0, "1.00"),
        (0.2437, "0.244"),
        (123.0, "123"),
        (999.9, "1.00e+03"),
        (9990.0, "9.99e+03"),
        (0.000999, "9.99e-04"),
        (5e-324, "4.94e-324"),
        (1.0e300, "1.00e+300"),
        (-0.5, "-0.500"),
    ],
)
def test_every_number_is_three_digits_and_a_zero_is_a_zero(value, expected):
    assert scientific(value) == expected
