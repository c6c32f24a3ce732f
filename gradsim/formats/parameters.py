"""Writing the parameters of a network to an ``.npz`` file, one array per parameter under its name."""

from __future__ import annotations

import io
from collections.abc import Mapping
from os import PathLike
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from gradsim.data.parameter_files import load_parameters
from gradsim.formats.files import replace_file

__all__ = ["load_parameters", "save_parameters"]


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
