"""Sums and products written out with marked numbers. Text only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradsim.views.inspection.marked_number import plain_text, told

MOST_TERMS = 4
"""So many products of a sum are written out; the rest is added up in words."""


def factor_text(value: float, digits: int = 4) -> str:
    """Return a number as a factor: in brackets when a minus would collide with the sign before it."""
    text = told(value, digits)
    shown = plain_text(text)
    return f"({text})" if shown.startswith("−") or "·" in shown else text


def product_text(*factors: float) -> str:
    """Return a product such as ``0.5·(−0.2)``."""
    return "·".join(factor_text(float(factor)) for factor in factors)


def sum_of_products(
    left: NDArray[Any], right: NDArray[Any] | None, most: int = MOST_TERMS
) -> tuple[str, NDArray[np.intp]]:
    """Return a sum of products written out: the first and the largest terms, and what the others add up to.

    Parameters
    ----------
    left, right : ndarray, shape (terms,)
        The factors; without the second one a plain sum.
    most : int, default ``MOST_TERMS``
        How many terms are written out when there are more than one above it.

    Returns
    -------
    text : str
        Such as ``0.5·1 + 0.2·(−3) + … 61 more terms = 0.113``, without the total.
    written : ndarray of int
        Which terms are written out, in order. NaN and ∞ count as largest.
    """
    first = left.astype(np.float64)
    second = np.ones(len(first)) if right is None else right.astype(np.float64)
    with np.errstate(invalid="ignore", over="ignore"):
        products = first * second
        size = np.abs(products)
        size[np.isnan(size)] = np.inf
        written = np.arange(len(products))
        if len(products) > most + 1:
            largest = [int(i) for i in np.argsort(-size, kind="stable") if i != 0][: most - 1]
            written = np.array(sorted([0, *largest]), dtype=np.intp)
        text = " + ".join(
            product_text(first[i]) if right is None else product_text(first[i], second[i]) for i in written
        )
        rest = np.delete(products, written)
        if rest.size:
            text += f" + [… {rest.size} more terms = {told(float(rest.sum()))}]"
    return text, written


def added(text: str, value: float) -> str:
    """Return a sum with one more number."""
    return f"{text} − {told(-value)}" if value < 0 else f"{text} + {told(value)}"


def rows_of(values: Sequence[float]) -> str:
    """Return numbers side by side, such as ``(0.1, −0.2, …)``."""
    shown = ", ".join(told(float(value), 3) for value in list(values)[:6])
    return f"({shown}{', …' if len(values) > 6 else ''})"
