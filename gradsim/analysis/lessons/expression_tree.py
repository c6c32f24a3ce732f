"""What the expressions of lessons compute: the operations they are made of, on numbers and on the arrays of a pass.

How a text becomes such a tree is the business of ``expression``; what a name stands for that of ``quantities``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
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

OPERATORS: dict[str, Callable[[Array, Array], Array]] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.divide,
    "^": np.power,
}

COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "<": lambda a, b: a < b,
    ">": lambda a, b: a > b,
    "<=": lambda a, b: a <= b,
    ">=": lambda a, b: a >= b,
    "=": lambda a, b: a == b,
}


@dataclass(frozen=True, slots=True)
class Node:
    """One operation with its operands: a number, a name, an index, a statistic, a function, an operator."""

    kind: str
    what: object = None
    parts: tuple[Node, ...] = ()

    def names(self) -> Iterator[tuple[str, ...]]:
        """Yield every name in it."""
        if self.kind == "name":
            assert isinstance(self.what, tuple)
            yield self.what
        for part in self.parts:
            yield from part.names()

    def value(self, values: Values) -> Array:
        """Return what it comes to."""
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
                    return np.asarray(OPERATORS[str(what)](_single(inner[0]), _single(inner[1])))


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
    node: Node

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
            all(COMPARISONS[sign](left.value(values), right.value(values)) for left, sign, right in choice)
            for choice in self.choices
        ]
        return any(compared)

    def names(self) -> tuple[tuple[str, ...], ...]:
        """Return every name in it."""
        sides = [side for choice in self.choices for left, _, right in choice for side in (left, right)]
        return tuple(name for side in sides for name in side.names())
