"""Limits and findings in words."""

import math
from typing import Annotated, Any, Literal

import pytest
from msgspec import Meta, inspect

from gradsim.spec.limits import expectation, quoted, suggestion


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (int, "an integer"),
        (Annotated[int, Meta(ge=1)], "an integer of at least 1"),
        (Annotated[int, Meta(ge=1, le=3)], "an integer from 1 to 3"),
        (Annotated[float, Meta(gt=0.0)], "a number above 0"),
        (Annotated[float, Meta(gt=0.0, lt=0.5)], "a number above 0 and below 0.5"),
        (Annotated[float, Meta(le=1e30)], "a number of at most 1e30"),
        (bool, "true or false"),
        (None, "null"),
        (str, "text"),
        (Annotated[str, Meta(max_length=5)], "text of at most 5 characters"),
        (Annotated[str, Meta(pattern="^a$", extra={"expected": "the letter a"})], "the letter a"),
        (Literal["a", "b"], 'one of "a", "b"'),
        (tuple[int, ...], "a list"),
        (Annotated[tuple[int, ...], Meta(min_length=1)], "a list of at least one value"),
        (Annotated[tuple[int, ...], Meta(max_length=3)], "a list of at most 3 values"),
        (Annotated[tuple[int, ...], Meta(min_length=2, max_length=3)], "a list of 2 to 3 values"),
        (tuple[int, int], "a list of 2 values"),
        (int | None, "an integer or null"),
    ],
)
def test_a_type_is_said_in_words(kind: Any, words: str) -> None:
    assert expectation(inspect.type_info(kind)) == words


def test_a_type_without_words_is_a_mistake_of_ours() -> None:
    with pytest.raises(TypeError, match="no words"):
        expectation(inspect.type_info(bytes))


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "null"),
        (True, "true"),
        (0, "0"),
        (-(10**40), "an integer of more than 30 digits"),
        (1.0, "1"),
        (0.25, "0.25"),
        (1e-7, "1e-07"),
        (1e30, "1e30"),
        (math.nan, "NaN"),
        (-math.inf, "-infinity"),
        ('say "x"', r'"say \"x\""'),
        ("δ", '"δ"'),
        ("x" * 99, '"' + "x" * 60 + '…"'),
        ([], "an empty list"),
        ([1], "a list of one value"),
        ((1, 2), "a list of 2 values"),
        ({}, "an object"),
        (object(), "a Python object"),
    ],
)
def test_a_finding_is_said_in_a_few_words(value: object, words: str) -> None:
    assert quoted(value) == words


def test_a_suggestion_is_the_nearest_word_or_all_of_them() -> None:
    assert suggestion("Unit", ["units", "bias"]) == 'did you mean "units"?'
    assert suggestion("zzz", ["units", "bias"]) == "known are units, bias"
    assert suggestion("zzz", []) == "none is known here"
