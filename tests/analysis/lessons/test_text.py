"""The text of lessons: markup, numbers, and which digits are true."""

import math

import pytest

from gradsim.analysis.lessons import ExpressionError, blocks, rounds_to, unchecked_numbers, values_of


def runs(text):
    (block,) = blocks(text)
    return [(run.text, run.style) for run in block.rows[0][0]]


def test_styles_are_read():
    assert runs("a **b** *c* `d*e` $x_1$ f") == [
        ("a ", "plain"),
        ("b", "bold"),
        (" ", "plain"),
        ("c", "italic"),
        (" ", "plain"),
        ("d*e", "code"),
        (" ", "plain"),
        ("x_1", "formula"),
        (" f", "plain"),
    ]


@pytest.mark.parametrize(
    ("text", "plain"), [(r"a \* b \$", "a * b $"), ("2 * 3 * 4", "2 * 3 * 4"), (r"\`x\`", "`x`")]
)
def test_signs_can_stand_for_themselves(text, plain):
    assert runs(text) == [(plain, "plain")]


@pytest.mark.parametrize("text", ["**a", "*a", "`a", "$a", "a $b$ $c"])
def test_a_mark_that_is_never_closed_is_named(text):
    with pytest.raises(ExpressionError, match="is opened and never closed"):
        blocks(text)


def test_blocks_are_told_apart():
    text = "one\nline\n\n- a\n- b\n  c\n\n| x | y |\n|---|---|\n| 1 | {{2}} |\n\n$$a = b$$"
    kinds = [(block.kind, len(block.rows), block.headed) for block in blocks(text)]
    assert kinds == [("paragraph", 1, False), ("list", 2, False), ("table", 2, True), ("formula", 1, False)]


def test_a_table_with_ragged_rows_is_refused():
    with pytest.raises(ExpressionError, match="rows of"):
        blocks("| a | b |\n| c |")


@pytest.mark.parametrize(
    ("text", "shown", "how", "expression", "digits"),
    [
        ("{{loss}}", None, "", "loss", 4),
        ("{{loss; 7}}", None, "", "loss", 7),
        ("{{0.5 = loss}}", "0.5", "=", "loss", 4),
        ("{{-0.5 = loss}}", "−0.5", "=", "loss", 4),
        ("{{0.5 != loss}}", "0.5", "!=", "loss", 4),
        ("{{0.5 ≠ loss}}", "0.5", "!=", "loss", 4),
        ("{{2e-5 ~ loss}}", "2e-5", "~", "loss", 4),
        ("{{∞ = loss}}", "∞", "=", "loss", 4),
        ("{{12 % = loss}}", "12", "=", "loss", 4),
        ("{{0.5 * loss}}", None, "", "0.5 * loss", 4),
    ],
)
def test_numbers_are_read(text, shown, how, expression, digits):
    (value,) = values_of(text)
    assert (value.shown, value.how, value.expression.text, value.digits) == (shown, how, expression, digits)


@pytest.mark.parametrize(
    ("measured", "shown", "is_so"),
    [
        (0.571651565, "0.5716", False),
        (0.571651565, "0.5717", True),
        (0.026071504, "0.0262", False),
        (0.026071504, "0.0261", True),
        (0.5, "0.5", True),
        (0.45, "0.5", True),
        (0.449, "0.5", False),
        (-0.25, "−0.25", True),
        (0.25, "−0.25", False),
        (2.34e-5, "2.3e-5", True),
        (2.36e-5, "2.3e-5", False),
        (1e-9, "0", False),
        (0.0, "0", True),
        (0.3, "0.0", False),
        (1e-12, "0.0", True),
        (38.6, "39", True),
        (math.inf, "∞", True),
        (-math.inf, "∞", False),
        (math.nan, "NaN", True),
        (math.nan, "0", False),
        (1.0, "NaN", False),
        (1e299, "1e299", True),
    ],
)
def test_digits_are_true_when_the_number_rounds_to_them(measured, shown, is_so):
    assert rounds_to(measured, shown) is is_so


@pytest.mark.parametrize(
    ("text", "measured", "is_right"),
    [
        ("{{loss}}", 7.0, True),
        ("{{0.03 != loss}}", 0.0361, True),
        ("{{0.03 != loss}}", 0.0301, False),
        ("{{100 ~ loss}}", 109.0, True),
        ("{{100 ~ loss}}", 111.0, False),
        ("{{100 ~ loss}}", math.nan, False),
        ("{{38% = loss}}", 0.379, True),
        ("{{38% = loss}}", 0.37, False),
    ],
)
def test_a_number_is_right_or_not(text, measured, is_right):
    (value,) = values_of(text)
    assert value.is_right(measured) is is_right


def test_numbers_that_nothing_checks_are_found():
    text = "0.5 and {{0.25 = loss}} and 3 layers, $1.5·x$, 20 %, `0.75`, dense_1.5, 1e-3"
    assert unchecked_numbers(text) == ("0.5", "1.5", "20", "1e-3")


def test_a_number_that_cannot_be_read_is_refused():
    with pytest.raises(ExpressionError):
        blocks("{{0.5 = }} {{loss +}}")
