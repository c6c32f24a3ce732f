"""The library of matrix products is loaded without the package around it, and limited to one thread."""

import subprocess
import sys

import pytest

from gradsim.engine.compilation import IS_COMPILED

PROGRAM = """
import sys
import gradsim.engine
import numpy as np
from threadpoolctl import threadpool_info

assert "scipy.linalg" not in sys.modules, "the whole package was loaded"
libraries = [info for info in threadpool_info() if info["user_api"] == "blas"]
assert any("scipy" in info["filepath"] for info in libraries), libraries
assert all(info["num_threads"] == 1 for info in libraries), libraries
before = sys.modules["scipy.linalg.cython_blas"]

import scipy.linalg
from scipy.linalg import cython_blas

assert cython_blas is before
assert np.allclose(scipy.linalg.svdvals(np.diag([3.0, 2.0])), [3.0, 2.0])
"""


@pytest.mark.skipif(not IS_COMPILED, reason="as plain Python numba asks for no matrix product")
def test_only_the_matrix_products_are_loaded_and_the_rest_when_it_is_asked_for() -> None:
    subprocess.run([sys.executable, "-W", "error", "-c", PROGRAM], check=True, timeout=100)
