"""Classes of points in the plane, drawn from a seed: one function per kind, classes of equal size ±1."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gradsim.data.raw import RawSamples
from gradsim.spec import SpecError
from gradsim.spec.data import Checkerboard, Circles, Gaussians, Moons, Spirals, Xor

Points = NDArray[np.float64]
Classes = NDArray[np.int64]


def moons(spec: Moons, random: np.random.Generator) -> RawSamples:
    """Return two half circles of radius 1, the second turned over and moved by (1, 1/2).

    Parameters
    ----------
    spec : Moons
        How many and how noisy.
    random : numpy.random.Generator
        Draws the points.

    Returns
    -------
    RawSamples
        Features x and y.
    """
    classes = _drawn_classes(spec.samples, 2, random)
    angle = np.pi * random.random(spec.samples)
    sign = 1.0 - 2.0 * classes
    points = np.stack([classes + sign * np.cos(angle), 0.5 * classes + sign * np.sin(angle)], axis=1)
    return _in_the_plane(points, classes, 2, spec.noise, random, "Two moons")


def circles(spec: Circles, random: np.random.Generator) -> RawSamples:
    """Return rings around the origin, class 0 the outermost with radius 1.

    Parameters
    ----------
    spec : Circles
        How many rings, the innermost radius, how noisy.
    random : numpy.random.Generator
        Draws the points.

    Returns
    -------
    RawSamples
        Features x and y.
    """
    classes = _drawn_classes(spec.samples, spec.classes, random)
    radius = np.linspace(1.0, spec.factor, spec.classes)[classes]
    points = _polar(radius, 2 * np.pi * random.random(spec.samples))
    return _in_the_plane(points, classes, spec.classes, spec.noise, random, f"{spec.classes} rings")


def spirals(spec: Spirals, random: np.random.Generator) -> RawSamples:
    """Return the arms of a spiral: the angle grows with the radius, which goes from 0.1 to 1.

    Parameters
    ----------
    spec : Spirals
        How many arms, how far they wind, how noisy.
    random : numpy.random.Generator
        Draws the points.

    Returns
    -------
    RawSamples
        Features x and y.
    """
    classes = _drawn_classes(spec.samples, spec.classes, random)
    radius = 0.1 + 0.9 * np.sqrt(
        random.random(spec.samples)
    )  # the root fills outer turns as densely as inner
    points = _polar(radius, 2 * np.pi * (spec.turns * radius + classes / spec.classes))
    return _in_the_plane(points, classes, spec.classes, spec.noise, random, f"{spec.classes} spiral arms")


def xor(spec: Xor, random: np.random.Generator) -> RawSamples:
    """Return points of the square [−1, 1]²; class 0 where x and y have the same sign.

    Parameters
    ----------
    spec : Xor
        How many and how noisy.
    random : numpy.random.Generator
        Draws the points.

    Returns
    -------
    RawSamples
        Features x and y.
    """
    classes = _drawn_classes(spec.samples, 2, random)
    size = random.random((spec.samples, 2))
    side = np.where(random.random(spec.samples) < 0.5, 1.0, -1.0)
    points = size * np.stack([side, side * (1.0 - 2.0 * classes)], axis=1)
    return _in_the_plane(points, classes, 2, spec.noise, random, "Exclusive or")


def gaussians(spec: Gaussians, random: np.random.Generator) -> RawSamples:
    """Return round clouds with the noise as standard deviation, their centres on a circle of radius 1.

    Parameters
    ----------
    spec : Gaussians
        How many clouds, how wide.
    random : numpy.random.Generator
        Draws the points.

    Returns
    -------
    RawSamples
        Features x and y.
    """
    classes = _drawn_classes(spec.samples, spec.classes, random)
    centres = _polar(np.ones(spec.samples), 2 * np.pi * classes / spec.classes)
    title = f"{spec.classes} Gaussian clouds"
    return _in_the_plane(centres, classes, spec.classes, spec.noise, random, title)


def checkerboard(spec: Checkerboard, random: np.random.Generator) -> RawSamples:
    """Return points of a board on [−1, 1]²; the square in row r and column c has class (r + c) mod classes.

    Parameters
    ----------
    spec : Checkerboard
        How many squares and classes, how noisy.
    random : numpy.random.Generator
        Draws the points.

    Returns
    -------
    RawSamples
        Features x and y.

    Raises
    ------
    SpecError
        If some class would have no square: a board of n × n squares has 2 n − 1 diagonals.
    """
    diagonals = 2 * spec.squares - 1
    if spec.classes > diagonals:
        raise SpecError(
            "$.data.classes",
            f"expected at most {diagonals} classes on a board of {spec.squares} × {spec.squares} squares, "
            f"got {spec.classes}",
        )
    classes = _drawn_classes(spec.samples, spec.classes, random)
    row, column = np.divmod(np.arange(spec.squares**2), spec.squares)
    squares_of = [np.flatnonzero((row + column) % spec.classes == k) for k in range(spec.classes)]
    # One uniform number chooses among the squares of the point's own class, however many these are.
    chosen = random.random(spec.samples)
    square = np.array(
        [squares_of[k][int(u * len(squares_of[k]))] for k, u in zip(classes, chosen, strict=True)]
    )
    corner = np.stack([column[square], row[square]], axis=1)
    points = (corner + random.random((spec.samples, 2))) * (2.0 / spec.squares) - 1.0
    title = f"{spec.squares} × {spec.squares} board"
    return _in_the_plane(points, classes, spec.classes, spec.noise, random, title)


def _drawn_classes(samples: int, classes: int, random: np.random.Generator) -> Classes:
    if samples < classes:
        raise SpecError(
            "$.data.samples", f"expected at least one sample for each of the {classes} classes, got {samples}"
        )
    return random.permutation(np.arange(samples, dtype=np.int64) % classes)


def _polar(radius: NDArray[np.float64], angle: NDArray[np.float64]) -> Points:
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)


def _in_the_plane(
    points: Points, classes: Classes, count: int, noise: float, random: np.random.Generator, title: str
) -> RawSamples:
    return RawSamples(
        inputs=points + noise * random.standard_normal(points.shape),
        feature_names=("x", "y"),
        output_names=tuple(f"class {k}" for k in range(count)),
        title=title,
        origin="drawn from the seed",
        classes=classes,
    )
