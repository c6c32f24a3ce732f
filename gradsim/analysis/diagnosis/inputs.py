"""Findings about the inputs as the network sees them: too large, columns of unlike scale, far from 0."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gradsim.analysis.diagnosis.case import Case, Measurement, Unknown
from gradsim.analysis.diagnosis.words import number
from gradsim.spec import Normalization, placed_layers

LARGE = 10.0
"""rms at which the curvature along a column is a hundred times that of a column of rms 1: inputs enter it squared."""

UNEVEN = 30.0
"""Ratio of two columns' scales, at which their curvatures are nearly a thousand to one. Iris as it is has 4, digits
scaled to 0…1 have 16."""

OFFSET = 10.0
"""|mean| / sd at which the curvature along the mean is a hundred times that of what varies. Iris as it is has 7 and
learns, what is scaled to 0…1 has up to 4."""


def unscaled_inputs(case: Case) -> Measurement | Unknown:
    """Largest rms of an input column over the training samples, as the network sees it (LeCun et al. 1998, 4.3)."""
    values = _columns(case)
    if isinstance(values, Unknown):
        return values
    sizes = np.sqrt(np.square(values).mean(axis=0))
    worst = int(np.argmax(sizes))
    name = case.samples.feature_names[worst]
    return Measurement(
        float(sizes[worst]),
        f"The input “{name}” has an rms of {number(float(sizes[worst]))} over the training samples.",
        f"{_scaling(case)} The first layer's gradient grows with them, its curvature with their square.",
        {},
        {
            f"mean of {name}": float(values[:, worst].mean()),
            f"standard deviation of {name}": float(values[:, worst].std()),
        },
        excuse=_excuse(case),
    )


def uneven_inputs(case: Case) -> Measurement | Unknown:
    """Scale of the largest input column / that of the smallest one that is not constant.

    The scale is the standard deviation, or the rms distance from the median of those samples that are not at the
    median, whichever makes the columns more alike: a pixel at the border that is 0 but for a few samples has a small
    standard deviation, and yet its values are as large as others.
    """
    values = _columns(case)
    if isinstance(values, Unknown):
        return values
    spreads = values.std(axis=0)
    varying = np.flatnonzero(spreads > 0)
    if len(varying) < 2:
        return Unknown("there are not two input columns that vary")
    spreads = spreads[varying]
    away = np.array([_distance_from_median(values[:, column]) for column in varying])
    scale = min((spreads, away), key=lambda sizes: float(sizes.max() / sizes.min()))
    large, small = int(np.argmax(scale)), int(np.argmin(scale))
    names = [case.samples.feature_names[int(column)] for column in varying]
    ratio = float(scale[large] / scale[small])
    return Measurement(
        ratio,
        f"The input “{names[large]}” is {number(ratio)} times as large as “{names[small]}”.",
        f"{_scaling(case)} One learning rate serves both: what is small for the large column does next to nothing for "
        "the small one.",
        {},
        {
            f"standard deviation of {names[large]}": float(spreads[large]),
            f"standard deviation of {names[small]}": float(spreads[small]),
        },
        excuse=_excuse(case),
    )


def offset_inputs(case: Case) -> Measurement | Unknown:
    """Largest |mean| / standard deviation of an input column that varies (LeCun et al. 1998, 4.3)."""
    values = _columns(case)
    if isinstance(values, Unknown):
        return values
    spreads = values.std(axis=0)
    varying = np.flatnonzero(spreads > 0)
    if not len(varying):
        return Unknown("no input column varies")
    offsets = np.abs(values.mean(axis=0)[varying]) / spreads[varying]
    worst = int(np.argmax(offsets))
    column, name = int(varying[worst]), case.samples.feature_names[int(varying[worst])]
    return Measurement(
        float(offsets[worst]),
        f"The mean of the input “{name}” is {number(float(offsets[worst]))} times its standard deviation away from 0.",
        f"{_scaling(case)} What all samples have in common drowns in the gradient what tells them apart.",
        {},
        {
            f"mean of {name}": float(values[:, column].mean()),
            f"standard deviation of {name}": float(spreads[column]),
        },
        excuse=_excuse(case),
    )


def _columns(case: Case) -> NDArray[np.float64] | Unknown:
    """Return the training inputs, shape (samples · time steps, features)."""
    values = np.asarray(case.samples.training_inputs, np.float64).reshape(-1, case.samples.features)
    return values if len(values) else Unknown("there are no samples")


def _distance_from_median(column: NDArray[np.float64]) -> float:
    distance = column - np.median(column)
    distance = distance[distance != 0]
    return float(np.sqrt(np.square(distance).mean()))


def _scaling(case: Case) -> str:
    kind = case.experiment.data.scaling
    return "The inputs enter as they are." if kind == "none" else f"The scaling “{kind}” leaves them so."


def _excuse(case: Case) -> str:
    """Say where a batch normalization before the first layer scales every column all the same."""
    first = next(iter(placed_layers(case.experiment.network))).layer
    if isinstance(first, Normalization) and first.method == "batch":
        return "the batch normalization before the first layer scales them"
    return ""
