"""Which samples are held back from training."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gradsim.spec import SpecError

Rows = NDArray[np.int64]


def validation_rows(
    samples: int, share: float, classes: NDArray[np.int64] | None, random: np.random.Generator
) -> Rows:
    """Return the rows to hold back, in ascending order.

    Classes are held back in proportion, and a class of two samples or more is present in both parts. The only
    sample of a class is trained on.

    Parameters
    ----------
    samples : int
        How many there are.
    share : float
        To hold back, from 0 up to but not including 1; more than 0 holds back one sample at least.
    classes : ndarray of int64, shape (samples,), or None
        Class of each sample; None for a regression.
    random : numpy.random.Generator
        Draws the rows.

    Returns
    -------
    ndarray of int64, shape (held back,)
        Empty for share 0.

    Raises
    ------
    SpecError
        If nothing can be held back without emptying the training part of a class.
    """
    if share == 0.0:
        return np.empty(0, dtype=np.int64)
    groups = (
        [np.arange(samples)]
        if classes is None
        else [np.flatnonzero(classes == k) for k in np.unique(classes)]
    )
    sizes = np.array([len(group) for group in groups])
    if sizes.max() < 2:
        what = "1 sample" if samples == 1 else f"{samples} samples, one of each class,"
        raise SpecError("$.data.validation", f"expected 0, because {what} cannot be split, got {share:g}")
    held = _shares(sizes, share)
    rows = [random.permutation(group)[:count] for group, count in zip(groups, held, strict=True)]
    return np.sort(np.concatenate(rows))


def last_rows(samples: int, share: float) -> Rows:
    """Return the rows to hold back where samples follow each other in time: the last ones.

    Parameters
    ----------
    samples : int
        How many there are; two at least.
    share : float
        To hold back, from 0 up to but not including 1; more than 0 holds back one sample at least.

    Returns
    -------
    ndarray of int64, shape (held back,)
        Ascending; empty for share 0.
    """
    held = 0 if share == 0.0 else min(max(round(samples * share), 1), samples - 1)
    return np.arange(samples - held, samples)


def _shares(sizes: NDArray[np.int64], share: float) -> NDArray[np.int64]:
    """Whole numbers near ``share * sizes`` that add up to the nearest whole number, by largest remainder."""
    exact = sizes * share
    held = np.floor(exact).astype(np.int64)
    rest = round(int(sizes.sum()) * share) - int(held.sum())
    held[np.argsort(held - exact, kind="stable")[:rest]] += 1
    bounded: Rows = np.clip(held, np.minimum(1, sizes - 1), sizes - 1)
    return bounded
