"""The expressions of lessons as they are written, and how they are read.

Arithmetic on numbers and on the arrays of a pass: ``dense_2.weight[0,0] - 0.1 * dense_2.weight_gradient[0,0]``,
``dense_1.delta rms / head.delta rms``, ``sigmoid(0.5)``. A condition compares two of them, several are joined by
``and`` or ``or``. What is computed stands in ``expression_tree``, what a name stands for in ``quantities``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from gradsim.analysis.lessons.expression_tree import (
    COMPARISONS,
    FUNCTIONS,
    STATISTICS,
    Condition,
    Expression,
    ExpressionError,
    Node,
)

_LIKENESSES = str.maketrans({"·": "*", "×": "*", "÷": "/", "−": "-"})
_TOKEN = re.compile(
    r"\s*(?:(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)|(?P<name>[A-Za-z_]\w*)|(?P<sign><=|>=|[-+*/^().,\[\]<>=:]))"
)
_JOINTS = ("and", "or")
LONGEST = 300
"""Characters of an expression: what is deeper nested than that allows would exhaust Python's stack."""


@cache
def expression(text: str) -> Expression:
    """Return what a text computes.

    Parameters
    ----------
    text : str
        Such as ``dense_2.delta rms``.

    Returns
    -------
    Expression
        Nothing is looked up yet.

    Raises
    ------
    ExpressionError
        Where it cannot be read.
    """
    reader = _Reader(text)
    try:
        node = reader.sum()
    except RecursionError:
        raise ExpressionError(f"{text[:30]!r} …: nested too deeply") from None
    reader.end()
    return Expression(text, node)


@cache
def condition(text: str) -> Condition:
    """Return what a text demands.

    Parameters
    ----------
    text : str
        Such as ``loss < 0.3 and dense_1.delta zeros = 0``.

    Returns
    -------
    Condition
        Nothing is looked up yet.

    Raises
    ------
    ExpressionError
        Where it cannot be read.
    """
    reader = _Reader(text)
    try:
        choices, here = [], [reader.comparison()]
        while (joint := reader.taken(*_JOINTS)) is not None:
            if joint == "or":
                choices.append(tuple(here))
                here = []
            here.append(reader.comparison())
    except RecursionError:
        raise ExpressionError(f"{text[:30]!r} …: nested too deeply") from None
    reader.end()
    return Condition(text, (*choices, tuple(here)))


class _Reader:
    """Reads a text from left to right, one method per level of binding."""

    def __init__(self, text: str) -> None:
        if len(text) > LONGEST:
            raise ExpressionError(f"{text[:30]!r} …: expected at most {LONGEST} characters, got {len(text)}")
        self.text = text
        self.tokens: list[tuple[str, str]] = []
        plain, position = text.translate(_LIKENESSES).rstrip(), 0
        while position < len(plain):
            match = _TOKEN.match(plain, position)
            if match is None or match.lastgroup is None:
                raise ExpressionError(f"{text!r}: cannot read {plain[position:].strip()[:20]!r}")
            self.tokens.append((match.lastgroup, match[match.lastgroup]))
            position = match.end()
        self.place = 0

    @property
    def next(self) -> tuple[str, str]:
        return self.tokens[self.place] if self.place < len(self.tokens) else ("end", "")

    def taken(self, *words: str) -> str | None:
        word = self.next[1]
        if word not in words or word == "":
            return None
        self.place += 1
        return word

    def demand(self, word: str) -> None:
        if self.taken(word) is None:
            raise self.fault(f"expected {word!r}")

    def fault(self, reason: str) -> ExpressionError:
        found = repr(self.next[1]) if self.next[1] else "the end"
        return ExpressionError(f"{self.text!r}: {reason}, got {found}")

    def end(self) -> None:
        if self.next[0] != "end":
            raise self.fault("expected an operator or the end")

    def comparison(self) -> tuple[Expression, str, Expression]:
        left = self.sum()
        sign = self.taken(*COMPARISONS)
        if sign is None:
            raise self.fault(f"expected one of {', '.join(COMPARISONS)}")
        return Expression(self.text, left), sign, Expression(self.text, self.sum())

    def sum(self) -> Node:
        node = self.product()
        while (sign := self.taken("+", "-")) is not None:
            node = Node("operator", sign, (node, self.product()))
        return node

    def product(self) -> Node:
        node = self.signed()
        while (sign := self.taken("*", "/")) is not None:
            node = Node("operator", sign, (node, self.signed()))
        return node

    def signed(self) -> Node:
        if self.taken("-") is not None:
            return Node("operator", "-", (Node("number", 0.0), self.signed()))
        node = self.primary()
        return Node("operator", "^", (node, self.signed())) if self.taken("^") else node

    def primary(self) -> Node:
        group, word = self.next
        if group == "number":
            self.place += 1
            return Node("number", float(word))
        if self.taken("("):
            node = self.sum()
            self.demand(")")
            return node
        if group != "name" or word in _JOINTS:
            raise self.fault("expected a number, a name or a bracket")
        self.place += 1
        return self.call(word) if self.taken("(") else self.name(word)

    def call(self, name: str) -> Node:
        if name not in FUNCTIONS:
            raise ExpressionError(f"{self.text!r}: no function {name!r}; there are {', '.join(FUNCTIONS)}")
        arguments = [self.sum()]
        while self.taken(","):
            arguments.append(self.sum())
        self.demand(")")
        if len(arguments) != FUNCTIONS[name][0]:
            raise ExpressionError(
                f"{self.text!r}: {name} takes {FUNCTIONS[name][0]} argument(s), got {len(arguments)}"
            )
        return Node("call", name, tuple(arguments))

    def name(self, first: str) -> Node:
        path = [first]
        while self.taken("."):
            if self.next[0] != "name":
                raise self.fault("expected a name after the point")
            path.append(self.next[1])
            self.place += 1
        node = Node("name", tuple(path))
        if self.taken("["):
            node = Node("index", tuple(self.indices()), (node,))
        if self.next[0] == "name" and self.next[1] not in _JOINTS:
            word = self.next[1]
            if word not in STATISTICS:
                raise self.fault(f"expected one of {', '.join(STATISTICS)}")
            self.place += 1
            node = Node("statistic", word, (node,))
        return node

    def indices(self) -> Iterator[int | None]:
        """Yield the indices up to the closing bracket; None for a colon."""
        while True:
            if self.taken(":"):
                yield None
            else:
                sign = -1 if self.taken("-") else 1
                group, word = self.next
                if group != "number" or not word.isdecimal():
                    raise self.fault("expected a whole number or ':'")
                self.place += 1
                yield sign * int(word)
            if self.taken("]"):
                return
            self.demand(",")
