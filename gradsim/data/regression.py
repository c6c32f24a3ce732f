"""Numbers to be predicted, drawn from a seed: curves, surfaces, and pure noise."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from gradsim.data.raw import RawSamples, check_size
from gradsim.spec.data import Curve, GaussianNoise, Plane

Values = NDArray[np.float64]

CURVES: dict[str, tuple[str, Callable[[Values], Values]]] = {
    "sine": ("sin 2πx", lambda x: np.sin(2 * np.pi * x)),
    "cubic": ("4x³ − 3x", lambda x: 4 * x**3 - 3 * x),
    "step": ("1 for x ≥ 0, else −1", lambda x: np.where(x >= 0, 1.0, -1.0)),
    "absolute": ("|x|", np.abs),
    "chirp": ("sin 2π(x + 1)²", lambda x: np.sin(2 * np.pi * (x + 1) ** 2)),
}
"""Curves over −1 ≤ x ≤ 1, with their formula."""

SURFACES: dict[str, tuple[str, Callable[[Values, Values], Values]]] = {
    "linear": ("(x + y) / 2", lambda x, y: (x + y) / 2),
    "product": ("x · y", lambda x, y: x * y),
    "gaussian": ("exp(−4(x² + y²))", lambda x, y: np.exp(-4 * (x**2 + y**2))),
    "ripple": ("cos 3π√(x² + y²)", lambda x, y: np.cos(3 * np.pi * np.hypot(x, y))),
}
"""Surfaces over the square [−1, 1]², with their formula."""


def curve(spec: Curve, random: np.random.Generator) -> RawSamples:
    """Return points of a curve over −1 ≤ x ≤ 1, the noise added to the target.

    Parameters
    ----------
    spec : Curve
        Which curve, how many points, how noisy.
    random : numpy.random.Generator
        Draws the points.

    Returns
    -------
    RawSamples
        Feature x, target y.
    """
    formula, function = CURVES[spec.function]
    x = random.uniform(-1.0, 1.0, (spec.samples, 1))
    y = function(x) + spec.noise * random.standard_normal(x.shape)
    title = f"Curve y = {formula}"
    return RawSamples(x, ("x",), ("y",), title, "drawn from the seed", numbers=y)


def plane(spec: Plane, random: np.random.Generator) -> RawSamples:
    """Return points of a surface over the square [−1, 1]², the noise added to the target.

    Parameters
    ----------
    spec : Plane
        Which surface, how many points, how noisy.
    random : numpy.random.Generator
        Draws the points.

    Returns
    -------
    RawSamples
        Features x and y, target z.
    """
    formula, function = SURFACES[spec.function]
    points = random.uniform(-1.0, 1.0, (spec.samples, 2))
    height = function(points[:, :1], points[:, 1:])
    z = height + spec.noise * random.standard_normal(height.shape)
    title = f"Surface z = {formula}"
    return RawSamples(points, ("x", "y"), ("z",), title, "drawn from the seed", numbers=z)


def noise(spec: GaussianNoise, random: np.random.Generator) -> RawSamples:
    """Return standard normal inputs and targets without any relation.

    Parameters
    ----------
    spec : GaussianNoise
        How many samples, features and outputs.
    random : numpy.random.Generator
        Draws the numbers.

    Returns
    -------
    RawSamples
        Features ``x1``…, targets ``y1``….

    Raises
    ------
    SpecError
        If the samples would take more memory than ``check_size`` allows; nothing has been allocated then.
    """
    check_size(spec.samples, spec.features + spec.outputs)
    return RawSamples(
        inputs=random.standard_normal((spec.samples, spec.features)),
        feature_names=tuple(f"x{i + 1}" for i in range(spec.features)),
        output_names=tuple(f"y{i + 1}" for i in range(spec.outputs)),
        title="Gaussian noise",
        origin="drawn from the seed",
        numbers=random.standard_normal((spec.samples, spec.outputs)),
    )
