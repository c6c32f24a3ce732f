"""The expressions of lessons: what can be written, and what it means on given values.

Arithmetic on numbers and on the arrays of a pass: ``dense_2.weight[0,0] - 0.1 * dense_2.weight_gradient[0,0]``,
``dense_1.delta rms / head.delta rms``, ``sigmoid(0.5)``. A condition compares two of them, several are joined by
``and`` or ``or``. What a name stands for is the business of ``quantities``.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


class ExpressionError(ValueError):
    """An expression that cannot be read, or that asks for what this pass does not have."""


class Values(Protocol):
    """What names stand for."""

    def value(self, path: tuple[str, ...]) -> Array:
        """Return the array of a name such as ``("dense_1", "delta")``; shape () for a single number."""


def _safely(function: Callable[..., Array]) -> Callable[..., Array]:
    def computed(*values: Array) -> Array:
        with np.errstate(all="ignore"):
            return np.asarray(function(*values), dtype=np.float64)

    return computed


def rms_of(x: Array) -> float:
    """Return √(mean x²), right for every size a double can have."""
    most = float(np.max(np.abs(x))) if x.size else math.nan
    if most == 0.0 or not math.isfinite(most):
        return most
    return most * float(np.sqrt(np.mean((x / most) ** 2)))


def angle_between(x: Array, y: Array) -> Array:
    """Return the angle of two arrays of one shape in degrees, seen as vectors; NaN where one is zero."""
    if x.shape != y.shape:
        raise ExpressionError(f"angle needs two arrays of one shape, got {x.shape} and {y.shape}")
    one, two = (v.ravel() / np.max(np.abs(v)) for v in (x, y))
    one, two = one / np.linalg.norm(one), two / np.linalg.norm(two)
    # Kahan's form keeps its digits for small angles, where the arc cosine has lost them.
    return np.asarray(np.degrees(2 * np.arctan2(np.linalg.norm(one - two), np.linalg.norm(one + two))))


STATISTICS: dict[str, Callable[[Array], float]] = {
    "rms": rms_of,
    "l2": lambda x: rms_of(x) * math.sqrt(x.size),
    "mean": lambda x: float(np.mean(x)),
    "sd": lambda x: float(np.std(x)),
    "sum": lambda x: float(np.sum(x)),
    "min": lambda x: float(np.min(x)),
    "max": lambda x: float(np.max(x)),
    "largest": lambda x: float(np.max(np.abs(x))),
    "zeros": lambda x: float(np.count_nonzero(x == 0)),
    "nans": lambda x: float(np.count_nonzero(np.isnan(x))),
    "infs": lambda x: float(np.count_nonzero(np.isinf(x))),
    "count": lambda x: float(x.size),
    "zero_share": lambda x: float(np.mean(x == 0)),
}
"""Words that make one number of an array."""

FUNCTIONS: dict[str, tuple[int, Callable[..., Array]]] = {
    "sigmoid": (1, _safely(lambda x: 1 / (1 + np.exp(-x)))),
    "tanh": (1, _safely(np.tanh)),
    "relu": (1, _safely(lambda x: np.maximum(x, 0))),
    "exp": (1, _safely(np.exp)),
    "ln": (1, _safely(np.log)),
    "log10": (1, _safely(np.log10)),
    "sqrt": (1, _safely(np.sqrt)),
    "abs": (1, _safely(np.abs)),
    "angle": (2, _safely(angle_between)),
}
"""Name → how many arguments, and the function."""

_OPERATORS: dict[str, Callable[[Array, Array], Array]] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.divide,
    "^": np.power,
}
_COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "<": lambda a, b: a < b,
    ">": lambda a, b: a > b,
    "<=": lambda a, b: a <= b,
    ">=": lambda a, b: a >= b,
    "=": lambda a, b: a == b,
}
_LIKENESSES = str.maketrans({"·": "*", "×": "*", "÷": "/", "−": "-"})
_TOKEN = re.compile(
    r"\s*(?:(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)|(?P<name>[A-Za-z_]\w*)|(?P<sign><=|>=|[-+*/^().,\[\]<>=:]))"
)
_JOINTS = ("and", "or")
LONGEST = 300
"""Characters of an expression: what is deeper nested than that allows would exhaust Python's stack."""


@dataclass(frozen=True, slots=True)
class _Node:
    """One operation with its operands: a number, a name, an index, a statistic, a function, an operator."""

    kind: str
    what: object = None
    parts: tuple[_Node, ...] = ()

    def names(self) -> Iterator[tuple[str, ...]]:
        if self.kind == "name":
            assert isinstance(self.what, tuple)
            yield self.what
        for part in self.parts:
            yield from part.names()

    def value(self, values: Values) -> Array:
        inner = [part.value(values) for part in self.parts]
        match self.kind, self.what:
            case "number", float(number):
                return np.asarray(number)
            case "name", tuple(path):
                return np.asarray(values.value(path), dtype=np.float64)
            case "index", tuple(index):
                return _element(inner[0], index)
            case "statistic", str(word):
                with np.errstate(all="ignore"):
                    return np.asarray(STATISTICS[word](inner[0]))
            case "call", str(name):
                return FUNCTIONS[name][1](*inner)
            case _, what:
                with np.errstate(all="ignore"):
                    return np.asarray(_OPERATORS[str(what)](_single(inner[0]), _single(inner[1])))


@dataclass(frozen=True, slots=True)
class Expression:
    """A number that is computed from a pass.

    Attributes
    ----------
    text : str
        As it was written.
    node : object
        How it is computed.
    """

    text: str
    node: _Node

    def value(self, values: Values) -> float:
        """Return the number.

        Parameters
        ----------
        values : Values
            What the names stand for.

        Returns
        -------
        float
            Possibly NaN or infinite.

        Raises
        ------
        ExpressionError
            If the pass has no such thing, or it is not one number.
        """
        return float(_single(self.node.value(values)))

    def names(self) -> tuple[tuple[str, ...], ...]:
        """Return every name in it, such as ``("dense_1", "delta")``."""
        return tuple(self.node.names())


@dataclass(frozen=True, slots=True)
class Condition:
    """Comparisons joined by ``and`` and ``or``; ``and`` binds closer.

    Attributes
    ----------
    text : str
        As it was written.
    choices : tuple of tuples
        It holds where every comparison (left, sign, right) of one of these holds.
    """

    text: str
    choices: tuple[tuple[tuple[Expression, str, Expression], ...], ...]

    def holds(self, values: Values) -> bool:
        """Return whether it holds; a comparison with NaN never does.

        Parameters
        ----------
        values : Values
            What the names stand for.

        Returns
        -------
        bool
            Of the whole condition.

        Raises
        ------
        ExpressionError
            As ``Expression.value``.
        """
        compared = [
            all(_COMPARISONS[sign](left.value(values), right.value(values)) for left, sign, right in choice)
            for choice in self.choices
        ]
        return any(compared)

    def names(self) -> tuple[tuple[str, ...], ...]:
        """Return every name in it."""
        sides = [side for choice in self.choices for left, _, right in choice for side in (left, right)]
        return tuple(name for side in sides for name in side.names())


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
        sign = self.taken(*_COMPARISONS)
        if sign is None:
            raise self.fault(f"expected one of {', '.join(_COMPARISONS)}")
        return Expression(self.text, left), sign, Expression(self.text, self.sum())

    def sum(self) -> _Node:
        node = self.product()
        while (sign := self.taken("+", "-")) is not None:
            node = _Node("operator", sign, (node, self.product()))
        return node

    def product(self) -> _Node:
        node = self.signed()
        while (sign := self.taken("*", "/")) is not None:
            node = _Node("operator", sign, (node, self.signed()))
        return node

    def signed(self) -> _Node:
        if self.taken("-") is not None:
            return _Node("operator", "-", (_Node("number", 0.0), self.signed()))
        node = self.primary()
        return _Node("operator", "^", (node, self.signed())) if self.taken("^") else node

    def primary(self) -> _Node:
        group, word = self.next
        if group == "number":
            self.place += 1
            return _Node("number", float(word))
        if self.taken("("):
            node = self.sum()
            self.demand(")")
            return node
        if group != "name" or word in _JOINTS:
            raise self.fault("expected a number, a name or a bracket")
        self.place += 1
        return self.call(word) if self.taken("(") else self.name(word)

    def call(self, name: str) -> _Node:
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
        return _Node("call", name, tuple(arguments))

    def name(self, first: str) -> _Node:
        path = [first]
        while self.taken("."):
            if self.next[0] != "name":
                raise self.fault("expected a name after the point")
            path.append(self.next[1])
            self.place += 1
        node = _Node("name", tuple(path))
        if self.taken("["):
            node = _Node("index", tuple(self.indices()), (node,))
        if self.next[0] == "name" and self.next[1] not in _JOINTS:
            word = self.next[1]
            if word not in STATISTICS:
                raise self.fault(f"expected one of {', '.join(STATISTICS)}")
            self.place += 1
            node = _Node("statistic", word, (node,))
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


def _element(array: Array, index: tuple[int | None, ...]) -> Array:
    if len(index) > array.ndim:
        raise ExpressionError(f"an array of shape {array.shape} has {array.ndim} indices, got {len(index)}")
    try:
        return np.asarray(array[tuple(slice(None) if i is None else i for i in index)])
    except IndexError:
        raise ExpressionError(f"index {list(index)} is outside an array of shape {array.shape}") from None


def _single(value: Array) -> Array:
    if value.size != 1:
        raise ExpressionError(
            f"expected one number, got {value.size} of shape {value.shape}: say which, as in [0,0], or how they "
            f"become one: {', '.join(STATISTICS)}"
        )
    return value.reshape(())
