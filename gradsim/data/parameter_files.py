"""Reading the parameters of a network from an ``.npz`` file, one array per parameter. Never pickles."""

from __future__ import annotations

import io
import zipfile
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradsim.data.files import file_bytes
from gradsim.spec import SpecError

MAX_BYTES = 4 * 2**30


def load_parameters(path: str | PathLike[str]) -> dict[str, NDArray[Any]]:
    """Read parameters from a file.

    Parameters
    ----------
    path : str or path-like
        An ``.npz`` file of real arrays, such as ``save_parameters`` or ``numpy.savez`` write.

    Returns
    -------
    dict of str to ndarray of float32 or float64
        By name, such as ``dense_1.weight``; float32 where the file holds it, else float64. Whether names and
        shapes fit a network is known only to the network.

    Raises
    ------
    SpecError
        With the name of the file, and of the array where it is at fault.
    """
    file = Path(path)
    content = file_bytes(file, MAX_BYTES)
    try:
        return _arrays(content, file)
    except SpecError:
        raise
    except Exception as error:
        # zipfile and NumPy raise a dozen different errors at damaged bytes, NotImplementedError among them.
        raise SpecError(
            str(file), "expected an .npz file of NumPy arrays, got a damaged or foreign one"
        ) from error


def _arrays(content: bytes, file: Path) -> dict[str, NDArray[Any]]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        unpacked = sum(entry.file_size for entry in archive.infolist())
    if unpacked > MAX_BYTES:
        raise SpecError(
            str(file), f"expected at most {MAX_BYTES // 2**20} MiB of arrays, got {-(-unpacked // 2**20)} MiB"
        )
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        return {name: _real(arrays, name, file) for name in arrays.files}


def _real(arrays: Any, name: str, file: Path) -> NDArray[Any]:
    try:
        array = arrays[name]
    except ValueError as error:
        raise SpecError(str(file), f"expected real numbers in {name}, got something else") from error
    if not isinstance(array, np.ndarray) or array.dtype.kind not in "fiu":
        raise SpecError(str(file), f"expected real numbers in {name}, got something else")
    return array if array.dtype == np.float32 else array.astype(np.float64)
