"""A sum of products over a batch by the means of its factors: what the means explain, and what remains.

The mean of a product is the product of the means and what the factors do together: for two factors their covariance,
mean((x − x̄)(y − ȳ)); for more every group of at least two of them, times the means of the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from gradsim.analysis.chain_paths import product

_MOST_GROUPED = 3
"""Of more factors than this the groups are not told one by one."""


@dataclass(frozen=True, slots=True)
class Together:
    """What some factors add because they rise and fall together.

    Attributes
    ----------
    factors : tuple of int
        Which ones, at least two.
    value : float
        Rows × mean of the product of their deviations × means of the other factors.
    """

    factors: tuple[int, ...]
    value: float


@dataclass(frozen=True, slots=True)
class MeanProduct:
    """A sum over rows of products of factors, told by means.

    Attributes
    ----------
    count : int
        How many rows there are.
    means : tuple of float
        Of each factor over the rows.
    product : float
        ``count`` times the product of all means.
    remainder : float
        ``total − product``.
    total : float
        Sum over the rows of the products of the factors.
    together : tuple of Together
        The remainder in parts, pairs first; their sum differs from it by rounding. Empty for more than three
        factors.
    """

    count: int
    means: tuple[float, ...]
    product: float
    remainder: float
    total: float
    together: tuple[Together, ...]


def mean_product(factors: Sequence[NDArray[np.float64]], total: float | None = None) -> MeanProduct:
    """Return a sum of products by the means of its factors.

    Parameters
    ----------
    factors : sequence of ndarray, shape (rows,) or (1,)
        At least one; (1,) where the factor is the same in every row.
    total : float, optional
        The sum, where it is known already.

    Returns
    -------
    MeanProduct
        ``product + remainder`` is ``total`` to the last digit that a sum can have; NaN and ∞ are kept.
    """
    count = max(len(values) for values in factors)
    with np.errstate(all="ignore"):
        columns = np.array([np.broadcast_to(values, (count,)) for values in factors], dtype=np.float64)
        if total is None:
            total = float(product(columns).sum())
        means = [_mean(column) for column in columns]
        whole = float(product(np.array([[float(count)], *([mean] for mean in means)]))[0])
        parts: list[Together] = []
        if 1 < len(columns) <= _MOST_GROUPED:
            away = columns - np.array(means)[:, None]
            for size in range(2, len(columns) + 1):
                for group in combinations(range(len(columns)), size):
                    others = [means[i] for i in range(len(means)) if i not in group]
                    value = float(away[list(group)].prod(axis=0).sum() * np.prod(others))
                    parts.append(Together(group, value))
        return MeanProduct(count, tuple(means), whole, float(np.float64(total) - whole), total, tuple(parts))


def _mean(values: NDArray[np.float64]) -> float:
    """Return a mean that is exact for equal values: the same weight in every row has itself as its mean."""
    if (values == values[0]).all():
        return float(values[0])
    return float(values.mean())
