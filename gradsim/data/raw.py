"""Samples before they are split and scaled: what every source of data hands over, and how large it may be."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gradsim.spec import SpecError

MAX_BYTES = 2**30
"""What drawn samples may take in float64."""


def check_size(samples: int, numbers: int) -> None:
    """Refuse samples that would take more than ``MAX_BYTES``, before anything is allocated.

    Parameters
    ----------
    samples : int
        How many.
    numbers : int
        Inputs and targets of one of them, over all its time steps.

    Raises
    ------
    SpecError
        If they take more.
    """
    needed = 8 * samples * numbers
    if needed > MAX_BYTES:
        raise SpecError(
            "$.data.samples",
            f"expected samples that take at most {MAX_BYTES:,} bytes, got {samples:,} samples of "
            f"{numbers:,} numbers, which take {needed:,}",
        )


@dataclass(frozen=True, slots=True, eq=False)
class RawSamples:
    """All samples of a source, in the order in which they are trained on without shuffling.

    Attributes
    ----------
    inputs : ndarray of float64, shape (samples, features) or (samples, steps, features)
        Unscaled; sequences have time steps.
    feature_names, output_names : tuple of str
        Names with units; for classes the output names are the names of the classes.
    title, origin : str
        What the data are and where they come from.
    classes : ndarray of int64, shape (samples,) or (samples, steps), or None
        Class numbers from 0, at every step of sequences that are answered there; None where the targets are
        numbers.
    numbers : ndarray of float64, shape (samples, outputs), or None
        Targets of a regression; None where the targets are classes.
    is_series : bool
        Whether the samples are windows of one series in the order of time and the target of each is the next
        value of its feature: then the last are held back, and the targets are scaled as the feature is.
    """

    inputs: NDArray[np.float64]
    feature_names: tuple[str, ...]
    output_names: tuple[str, ...]
    title: str
    origin: str
    classes: NDArray[np.int64] | None = None
    numbers: NDArray[np.float64] | None = None
    is_series: bool = False
