"""Answers about a record that several views ask for: worked out once, and forgotten with the record."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar
from weakref import WeakKeyDictionary

from gradsim.trace import IterationTrace

P = ParamSpec("P")
R = TypeVar("R")

_MOST = 4
"""Records whose answers are kept: the one on screen, what it is compared with, and those before them."""


def kept_for_trace(
    answer: Callable[Concatenate[IterationTrace, P], R],
) -> Callable[Concatenate[IterationTrace, P], R]:
    """Let a function of a record give the answer it has given before; a record never changes.

    Parameters
    ----------
    answer : callable
        Of a trace and of arguments that can be hashed; what it returns is not to be changed either, and must not
        refer to the trace, which would live as long as its answers.

    Returns
    -------
    callable
        The same function. No record is kept alive by it, and the answers about the last few at most are kept.
    """
    known: WeakKeyDictionary[IterationTrace, dict[Any, R]] = WeakKeyDictionary()

    @wraps(answer)
    def kept(trace: IterationTrace, /, *args: P.args, **kwargs: P.kwargs) -> R:
        """Return what is known, or work it out."""
        asked = (args, tuple(kwargs.items()))
        answers = known.get(trace)
        if answers is None:
            for reference in known.keyrefs()[: 1 - _MOST]:
                old = reference()
                if old is not None:
                    known.pop(old, None)
            answers = known.setdefault(trace, {})
        if asked not in answers:
            answers[asked] = answer(trace, *args, **kwargs)
        return answers[asked]

    return kept
