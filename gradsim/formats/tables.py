"""Tables of numbers as CSV, with a header that says where they come from."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any, TextIO

import numpy as np
from numpy.typing import ArrayLike

from gradsim import __version__
from gradsim.formats.files import replace_file
from gradsim.spec import Experiment


def write_table(
    destination: str | PathLike[str] | TextIO,
    columns: Mapping[str, ArrayLike],
    units: Mapping[str, str],
    experiment: Experiment,
    iteration: int | None = None,
) -> None:
    """Write columns as CSV.

    The lines before the headings begin with ``#`` and name the program and its version, the experiment, its
    seed and precision, the iteration, and the units. Every number is written with the digits that give it back exactly;
    what is not finite is written as ``NaN``, ``inf`` and ``-inf``.

    Parameters
    ----------
    destination : str, path-like or text stream
        A file, replaced as a whole or not at all, or an open stream.
    columns : mapping of str to array, each of shape (rows,)
        Numbers, truth values or texts, by heading.
    units : mapping of str to str
        Unit or scale of a column, such as ``log10`` or ``iterations``; one without is left out.
    experiment : Experiment
        What the numbers were computed from.
    iteration : int or None
        Where in the training the pass was that they describe; None for no single one.

    Raises
    ------
    ValueError
        If the columns are not of one length, or a unit belongs to no column.
    SpecError
        With the name of the file, if it cannot be written.
    """
    text = _table(columns, units, experiment, iteration)
    if isinstance(destination, str | PathLike):
        replace_file(Path(destination), text.encode())
    else:
        destination.write(text)


def _table(
    columns: Mapping[str, ArrayLike],
    units: Mapping[str, str],
    experiment: Experiment,
    iteration: int | None,
) -> str:
    arrays = {name: np.asarray(column) for name, column in columns.items()}
    lengths = {array.shape for array in arrays.values()}
    if len(lengths) > 1 or any(len(shape) != 1 for shape in lengths):
        raise ValueError(f"columns must be of one length, got the shapes {sorted(lengths)}")
    if strange := sorted(set(units) - set(arrays)):
        raise ValueError(f"there is no column for the unit of {', '.join(strange)}")
    lines = io.StringIO()
    for line in _header(units, experiment, iteration):
        lines.write(f"# {' '.join(line.split())}\n")
    writer = csv.writer(lines, lineterminator="\n")
    writer.writerow(arrays)
    writer.writerows(zip(*(_cells(array) for array in arrays.values()), strict=True))
    return lines.getvalue()


def _header(units: Mapping[str, str], experiment: Experiment, iteration: int | None) -> list[str]:
    return [
        f"GradSim {__version__}",
        f"experiment: {experiment.name}",
        f"seed: {experiment.seed}",
        f"precision: {experiment.precision}",
        *([] if iteration is None else [f"iteration: {iteration}"]),
        *(f"unit of {name}: {unit}" for name, unit in units.items()),
    ]


def _cells(column: np.ndarray[Any, Any]) -> Sequence[str]:
    match column.dtype.kind:
        case "f":
            return [_number(value) for value in column]
        case "b":
            return ["true" if value else "false" for value in column]
        case _:
            return [str(value) for value in column]


def _number(value: np.floating[Any]) -> str:
    # The shortest digits that give back this number in its own precision: 0.1, not 0.10000000149, in float32.
    return "NaN" if np.isnan(value) else str(value)
