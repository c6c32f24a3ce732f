"""Numbers as people read them."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradsim.views.plot.numbers import brief, grouped, percent, power_of_ten, typeset


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (-0.0, "0"),
        (math.nan, "NaN"),
        (math.inf, "∞"),
        (-math.inf, "−∞"),
        (0.01234, "0.0123"),
        (-1.5, "−1.50"),
        (4.56e-7, "4.56·10⁻⁷"),
        (9.999e-5, "1.00·10⁻⁴"),
        (123456.0, "1.23·10⁵"),
        (12345.0, "12,345"),
        (5e-324, "4.94·10⁻³²⁴"),
    ],
)
def test_a_number_is_written_briefly(value: float, text: str) -> None:
    assert brief(value) == text


@given(st.floats(allow_nan=False, allow_infinity=False).filter(bool))
def test_a_number_that_is_not_zero_is_never_written_as_zero(value: float) -> None:
    assert any(digit in brief(value).split("·")[0] for digit in "123456789")


def test_powers_have_superscripts() -> None:
    assert [power_of_ten(k) for k in (-12, 0, 3)] == ["10⁻¹²", "10⁰", "10³"]


@pytest.mark.parametrize(
    ("told", "text"),
    [
        ("×6.8e-06 in all.", "×6.8·10⁻⁶ in all."),
        ("float32 holds nothing larger than 3.4e+38.", "float32 holds nothing larger than 3.4·10³⁸."),
        ("x[0] = 9.2e+30 · W[2] = -5e+30, so", "x[0] = 9.2·10³⁰ · W[2] = −5·10³⁰, so"),
        ("block_1e5 and dense_1e-5 and 1e5x and 3 e5", "block_1e5 and dense_1e-5 and 1e5x and 3 e5"),
        ("0.5 per layer", "0.5 per layer"),
    ],
)
def test_a_sentence_has_its_powers_of_ten_as_an_axis_writes_them(told: str, text: str) -> None:
    assert typeset(told) == text
    assert typeset(typeset(told)) == typeset(told)


def test_thousands_are_grouped() -> None:
    assert grouped(10000) == "10,000"


@pytest.mark.parametrize(
    ("share", "text"),
    [(0.0, "0.0 %"), (1.0, "100.0 %"), (0.5, "50.0 %"), (0.99999, "99.999 %"), (1e-4, "0.01 %")],
)
def test_a_share_is_never_rounded_to_none_or_all(share: float, text: str) -> None:
    assert percent(share) == text
