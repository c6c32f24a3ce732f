"""Expressions of lessons: what they mean, and what is said about those that cannot be read."""

import math
from contextlib import suppress

import numpy as np
import pytest

from gradsim.analysis.lessons import ExpressionError, condition, expression
from gradsim.analysis.lessons.expression_tree import STATISTICS, rms_of

NAMES = {
    ("loss",): 0.25,
    ("dense_1", "delta"): [[3.0, -4.0]],
    ("dense_1", "weight"): [[1.0, 2.0], [3.0, 4.0]],
    ("huge",): [3e300, 4e300],
    ("tiny",): [3e-300, 4e-300],
    ("odd",): [math.nan, math.inf, 0.0],
    ("up",): [0.0, 1.0],
}


class Given:
    def value(self, path):
        if path not in NAMES:
            raise ExpressionError("no such thing")
        return np.array(NAMES[path])


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2", 2.0),
        ("1.5e-3", 0.0015),
        (".5", 0.5),
        ("1 + 2 * 3", 7.0),
        ("(1 + 2) * 3", 9.0),
        ("2 - 3 - 4", -5.0),
        ("2 ^ 3 ^ 2", 512.0),
        ("-2 ^ 2", -4.0),
        ("2^-1", 0.5),
        ("0.2·0.15×0.05", 0.0015),
        ("6÷3−1", 1.0),
        ("loss", 0.25),
        ("-loss", -0.25),
        ("dense_1.delta[0,1]", -4.0),
        ("dense_1.delta[0,-1]", -4.0),
        ("dense_1.weight[:,0] sum", 4.0),
        ("dense_1.weight[1] mean", 3.5),
        ("dense_1.delta l2", 5.0),
        ("dense_1.delta rms", math.sqrt(12.5)),
        ("dense_1.delta largest / dense_1.delta max", 4 / 3),
        ("dense_1.delta min", -4.0),
        ("dense_1.weight sd", math.sqrt(1.25)),
        ("dense_1.weight count", 4.0),
        ("odd nans + odd infs + odd zeros", 3.0),
        ("odd zero_share", 1 / 3),
        ("sigmoid(0)", 0.5),
        ("relu(-3) + tanh(0) + abs(-2)", 2.0),
        ("ln(exp(2)) + log10(1000) + sqrt(16)", 9.0),
        ("angle(dense_1.delta, dense_1.delta)", 0.0),
        ("angle(up, up)", 0.0),
        ("1 / 0", math.inf),
    ],
)
def test_an_expression_means(text, value):
    assert expression(text).value(Given()) == pytest.approx(value, rel=1e-12)


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("loss < 0.3", True),
        ("loss > 0.3", False),
        ("loss >= 0.25 and loss <= 0.25", True),
        ("loss = 0.25", True),
        ("loss < 0.1 or loss > 0.2", True),
        ("loss > 0.2 and loss < 0.1 or loss = 0.25", True),
        ("loss < 0.1 or loss > 0.2 and loss > 0.3", False),
        ("0/0 < 1", False),
        ("0/0 >= 1", False),
    ],
)
def test_a_condition_holds(text, holds):
    assert condition(text).holds(Given()) is holds


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "expected a number, a name or a bracket"),
        ("1 +", "expected a number, a name or a bracket"),
        ("(1", r"expected '\)'"),
        ("1 2", "expected an operator or the end"),
        ("dense_1.delta rmss", "expected one of rms, l2"),
        ("dense_1.", "expected a name after the point"),
        ("sin(1)", "no function 'sin'; there are sigmoid"),
        ("angle(1)", r"angle takes 2 argument\(s\), got 1"),
        ("x[a]", "expected a whole number or ':'"),
        ("x[1.5]", "expected a whole number or ':'"),
        ("loss ; 3", "cannot read"),
        ("__import__('os')", "cannot read"),
        ("1+" * 200 + "1", "at most 300 characters, got 401"),
    ],
)
def test_an_expression_that_cannot_be_read_says_why(text, words):
    with pytest.raises(ExpressionError, match=words):
        expression(text)


@pytest.mark.parametrize("text", ["loss", "loss <", "loss < 1 and", "and loss < 1"])
def test_a_condition_that_cannot_be_read_says_why(text):
    with pytest.raises(ExpressionError):
        condition(text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("dense_1.delta", "expected one number, got 2"),
        ("dense_1.delta + 1", "expected one number, got 2"),
        ("dense_1.delta[0,2]", "outside an array"),
        ("dense_1.delta[0,1,0]", "has 2 indices, got 3"),
        ("nowhere", "no such thing"),
        ("angle(dense_1.delta, dense_1.weight)", "two arrays of one shape"),
    ],
)
def test_an_expression_that_a_pass_cannot_answer_says_why(text, words):
    with pytest.raises(ExpressionError, match=words):
        expression(text).value(Given())


def test_rms_and_norm_survive_the_range_of_a_double():
    assert expression("huge l2").value(Given()) == pytest.approx(5e300)
    assert expression("tiny l2").value(Given()) == pytest.approx(5e-300)
    assert rms_of(np.zeros(3)) == 0.0
    assert math.isnan(rms_of(np.array([math.nan, 1.0])))


def test_small_angles_keep_their_digits():
    class Two:
        def value(self, path):
            return np.array([1.0, 0.0]) if path == ("a",) else np.array([1.0, 1e-9])

    assert expression("angle(a, b)").value(Two()) == pytest.approx(math.degrees(1e-9), rel=1e-9)


def test_names_are_all_found():
    found = condition("dense_1.delta rms / loss < sigmoid(head.bias[0])").names()
    assert set(found) == {("dense_1", "delta"), ("loss",), ("head", "bias")}


@pytest.mark.parametrize("word", STATISTICS)
def test_every_statistic_makes_a_number(word):
    assert math.isfinite(expression(f"dense_1.weight {word}").value(Given()))


@pytest.mark.parametrize(
    "text", ["(" * 149 + "1" + ")" * 149, "-" * 299 + "1", "1" + "^1" * 149, "+".join("1" * 150)]
)
def test_deep_nesting_is_read_or_refused(text):
    with suppress(ExpressionError):
        assert expression(text).value(Given()) in (1.0, -1.0, 150.0)
