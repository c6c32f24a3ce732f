"""Loads the library of matrix products alone: the package around it would be a sixth of the engine's start."""

from __future__ import annotations

import importlib
import sys
from importlib.machinery import PathFinder
from importlib.util import module_from_spec
from pathlib import Path

import scipy

_NAME = "scipy.linalg.cython_blas"
"""Where numba takes the addresses of matrix products from."""


def load_matrix_library() -> None:
    """Load what numba multiplies matrices with, and no more of ``scipy.linalg``.

    Whoever imports ``scipy.linalg`` later gets all of it, this same library in it.

    Raises
    ------
    ImportError
        If this SciPy has no such library.
    """
    if _NAME in sys.modules:
        return
    spec = PathFinder.find_spec(_NAME, [str(Path(scipy.__file__).parent / "linalg")])
    if spec is None or spec.loader is None:  # not a folder of files, as in a packed program
        importlib.import_module(_NAME)
        return
    module = module_from_spec(spec)
    sys.modules[_NAME] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[_NAME]
        raise
