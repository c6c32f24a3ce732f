"""Samples written into the experiment itself, checked row by row; they keep their order."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gradsim.data.raw import RawSamples
from gradsim.spec import SpecError
from gradsim.spec.data import Inline

_ORIGIN = "written in the experiment"


def inline(spec: Inline, random: np.random.Generator) -> RawSamples:
    """Return the samples of an experiment's own tables.

    Parameters
    ----------
    spec : Inline
        Rows of inputs, and rows of numbers or class numbers.
    random : numpy.random.Generator
        Not used: nothing is drawn.

    Returns
    -------
    RawSamples
        Features ``x1``…; classes ``class 0``… or targets ``y1``….

    Raises
    ------
    SpecError
        If rows differ in length or hold NaN or infinity, if there are not as many targets as inputs, or if
        the classes are not all the numbers 0, 1, … with at least two of them.
    """
    inputs = _table(spec.inputs, "$.data.inputs")
    features = tuple(f"x{i + 1}" for i in range(inputs.shape[1]))
    if len(spec.targets) != len(inputs):
        raise SpecError(
            "$.data.targets",
            f"expected as many targets as rows of inputs, {len(inputs)}, got {len(spec.targets)}",
        )
    if isinstance(spec.targets[0], int):
        classes = _class_numbers(spec.targets)
        names = tuple(f"class {k}" for k in range(int(classes.max()) + 1))
        return RawSamples(inputs, features, names, "Own samples", _ORIGIN, classes=classes)
    for row, target in enumerate(spec.targets):
        if isinstance(target, int):
            raise SpecError(
                f"$.data.targets[{row}]", f"expected a row of numbers as before, got class number {target}"
            )
    numbers = _table([t for t in spec.targets if not isinstance(t, int)], "$.data.targets")
    names = tuple(f"y{i + 1}" for i in range(numbers.shape[1]))
    return RawSamples(inputs, features, names, "Own samples", _ORIGIN, numbers=numbers)


def _table(rows: Sequence[tuple[float, ...]], path: str) -> NDArray[np.float64]:
    if not rows or not rows[0]:
        raise SpecError(path if not rows else f"{path}[0]", "expected at least one number, got none")
    for index, row in enumerate(rows):
        if len(row) != len(rows[0]):
            raise SpecError(
                f"{path}[{index}]", f"expected a row as long as row 0, {len(rows[0])}, got {len(row)}"
            )
    table = np.array(rows, dtype=np.float64)
    if not np.isfinite(table).all():
        row_number, column = np.argwhere(~np.isfinite(table))[0]
        raise SpecError(
            f"{path}[{row_number}][{column}]", f"expected a finite number, got {table[row_number, column]}"
        )
    return table


def _class_numbers(targets: Sequence[int | tuple[float, ...]]) -> NDArray[np.int64]:
    classes: list[int] = []
    for row, target in enumerate(targets):
        if not isinstance(target, int):
            raise SpecError(
                f"$.data.targets[{row}]", "expected a class number as before, got a row of numbers"
            )
        if not 0 <= target < len(targets):
            # Every class needs a sample, so a number beyond the samples cannot be right; nor is it allocated.
            raise SpecError(
                f"$.data.targets[{row}]",
                f"expected a class number from 0, fewer classes than the {len(targets)} samples or as many, "
                f"got {target}",
            )
        classes.append(target)
    present = set(classes)
    if len(present) == 1:
        raise SpecError("$.data.targets", f"expected at least two classes, got only class {classes[0]}")
    missing = sorted(set(range(max(present))) - present)
    if missing:
        raise SpecError(
            "$.data.targets",
            f"expected a sample of every class from 0 to {max(present)}, got none of class {missing[0]}",
        )
    return np.array(classes, dtype=np.int64)
