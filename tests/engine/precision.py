"""What the tests of elementwise kernels share: dtypes, points that reach every region, errors in units of eps."""

from typing import Any

import numpy as np
import pytest
from numba import config
from numpy.typing import NDArray

both_dtypes = pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=["float32", "float64"])

POINTS = 400 if config.DISABLE_JIT else 4001


def spread(dtype: Any, reach: float) -> NDArray[Any]:
    """Points of both signs: even ones up to ``reach``, and ones in every decade down to the smallest subnormal."""
    even = np.linspace(-reach, reach, POINTS)
    lowest = np.log10(float(np.finfo(dtype).smallest_subnormal))
    decades = 10.0 ** np.linspace(lowest + 0.5, np.log10(reach), POINTS // 4)
    return np.concatenate([even, -decades, decades]).astype(dtype)


def error_in_eps(value: NDArray[Any], exact: NDArray[np.longdouble], forgiven: Any = 3) -> float:
    """Largest relative error in units of eps, where that many of the smallest subnormals are forgiven."""
    info = np.finfo(value.dtype)
    error = np.abs(value.astype(np.longdouble) - exact) - forgiven * np.longdouble(info.smallest_subnormal)
    return float(np.max(error / np.maximum(np.abs(exact), np.longdouble(info.smallest_subnormal)) / info.eps))
