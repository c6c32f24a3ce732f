"""Root mean squares over the whole range of numbers."""

from __future__ import annotations

import math

import numpy as np
import pytest

from gradsim.analysis.magnitude import rms, rms_over


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("size", [1e-35, 1.0, 1e35])
def test_no_finite_magnitude_is_lost(dtype: type[np.floating], size: float) -> None:
    values = np.array([[3.0, -4.0], [0.0, 5.0]], dtype) * dtype(size)
    assert rms(values) == pytest.approx(size * math.sqrt(12.5), rel=1e-6)
    np.testing.assert_allclose(rms_over(values, 0), size * np.sqrt([4.5, 20.5]), rtol=1e-6)


@pytest.mark.parametrize("size", [1e-300, 5e-324, 1e300])
def test_the_ends_of_float64_are_measured_too(size: float) -> None:
    assert rms(np.array([size, size])) == pytest.approx(size)
    np.testing.assert_allclose(rms_over(np.array([[size, 0.0], [size, 0.0]]), 0), [size, 0.0])


def test_zeros_nan_and_infinity_are_told() -> None:
    assert rms(np.zeros(0)) == rms(np.zeros(3)) == 0.0
    assert rms(np.array([1.0, -np.inf])) == math.inf
    assert math.isnan(rms(np.array([1.0, np.nan, np.inf])))
    told = rms_over(np.array([[np.nan, np.inf, 0.0, 2.0]]), 0)
    np.testing.assert_array_equal(told, [np.nan, np.inf, 0.0, 2.0])
