"""Writing the parameters of a network to an ``.npz`` file, one array per parameter under its name."""

from __future__ import annotations

import io
from collections.abc import Mapping
from os import PathLike
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from gradsim.data.files import file_bytes
from gradsim.data.parameter_files import MAX_BYTES, load_parameters
from gradsim.formats.files import replace_file
from gradsim.spec import SpecError

__all__ = ["bring_parameters", "load_parameters", "save_parameters"]


def save_parameters(parameters: Mapping[str, ArrayLike], path: str | PathLike[str]) -> None:
    """Write parameters to a file, which is replaced as a whole or not at all.

    Parameters
    ----------
    parameters : mapping of str to array of real numbers
        By name, such as ``dense_1.weight``.
    path : str or path-like
        The ``.npz`` file; the name is taken as it is.

    Raises
    ------
    SpecError
        With the name of the file if it cannot be written; a file that was there before is then as it was.
    TypeError
        If an array does not hold real numbers.
    """
    arrays = {name: np.asarray(array) for name, array in parameters.items()}
    for name, array in arrays.items():
        if array.dtype.kind not in "fiu":
            raise TypeError(f"{name} must hold real numbers, got {array.dtype}")
    content = io.BytesIO()
    np.savez(content, allow_pickle=False, **arrays)
    replace_file(Path(path), content.getvalue())


def bring_parameters(name: str | None, source: Path | None, folder: Path) -> Path | None:
    """Copy a file of initial parameters into the folder where an experiment that names it is saved.

    Parameters
    ----------
    name : str or None
        What the experiment calls it; None for one that begins with weights drawn at random.
    source : Path or None
        The folder where it is; None where that is not known.
    folder : Path
        The folder of the saved experiment.

    Returns
    -------
    Path or None
        The copy; None where none was needed or there is nothing to copy.

    Raises
    ------
    SpecError
        If it cannot be copied, or another file of this name is there, with which the experiment would be another.
    """
    if name is None or source is None or not (source / name).is_file():
        return None
    content, copy = file_bytes(source / name, MAX_BYTES), folder / name
    if not copy.exists():
        replace_file(copy, content)
        return copy
    if file_bytes(copy, MAX_BYTES) != content:
        raise SpecError(
            str(copy), "another file of this name is here, and the experiment would begin with it"
        )
    return None
