"""The clippings as formulas: exact thresholds, kept directions, and gradients at the edge of the precision."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from gradsim.engine.clipping import clip_adaptive, clip_norm, clip_values

pytestmark = pytest.mark.jitless

both = pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=["float32", "float64"])
vectors = arrays.arrays(np.float64, st.integers(1, 30), elements=st.floats(-100, 100, allow_subnormal=False))


def values_clipped(gradient: Any, threshold: float) -> Any:
    out = np.full_like(gradient, np.nan)
    clip_values(gradient, out, threshold)
    return out


def norm_clipped(gradient: Any, norm: float, threshold: float) -> Any:
    out = np.full_like(gradient, np.nan)
    clip_norm(gradient, out, norm, threshold)
    return out


@settings(max_examples=50)
@given(vectors, st.floats(0.01, 200))
def test_values_stay_within_the_threshold_and_inner_ones_are_untouched(g: Any, c: float) -> None:
    np.testing.assert_array_equal(values_clipped(g, c), np.clip(g, -c, c))


@settings(max_examples=50)
@given(vectors, st.floats(0.01, 200))
def test_a_norm_above_the_threshold_becomes_it_and_keeps_its_direction(g: Any, c: float) -> None:
    norm = float(np.linalg.norm(g))
    out = norm_clipped(g, norm, c)
    if norm > c:
        np.testing.assert_allclose(
            out, g * (c / norm), rtol=1e-14, atol=1e-300
        )  # subnormals have fewer digits
        assert np.linalg.norm(out) == pytest.approx(c, rel=1e-14)
    else:
        np.testing.assert_array_equal(out, g)


def test_clipping_lifts_no_small_gradient() -> None:
    g = np.array([1e-9, -2e-9])
    np.testing.assert_array_equal(values_clipped(g, 1.0), g)
    np.testing.assert_array_equal(norm_clipped(g, 3e-9, 1.0), g)


@both
def test_gradients_near_the_largest_number_are_clipped_and_not_lost(dtype: Any) -> None:
    large = float(np.finfo(dtype).max) / 4
    g = np.array([large, -large], dtype)
    np.testing.assert_allclose(
        norm_clipped(g, large * np.sqrt(2.0), 1.0), np.sqrt([0.5, 0.5]) * [1, -1], rtol=1e-6
    )
    np.testing.assert_array_equal(values_clipped(g, 1.0), [1, -1])


@both
def test_nan_stays_and_infinite_values_are_cut(dtype: Any) -> None:
    g = np.array([np.nan, np.inf, -np.inf, 0.5], dtype)
    np.testing.assert_array_equal(values_clipped(g, 1.0), [np.nan, 1, -1, 0.5])
    assert np.isnan(norm_clipped(g, np.nan, 1.0)[0])


@settings(max_examples=50)
@given(
    arrays.arrays(np.float64, (4, 3), elements=st.floats(-10, 10, allow_subnormal=False)),
    arrays.arrays(np.float64, (4, 3), elements=st.floats(-10, 10, allow_subnormal=False)),
    st.floats(0.01, 2),
)
def test_adaptive_clipping_compares_each_unit_with_its_weights(g: Any, w: Any, c: float) -> None:
    eps = 1e-3
    out = np.full(12, np.nan)
    clip_adaptive(g.ravel(), w.ravel(), out, 4, 3, 1, c, eps)
    limit = c * np.maximum(np.linalg.norm(w, axis=0), eps)
    norm = np.linalg.norm(g, axis=0)
    expected = np.where(norm > limit, g * (limit / np.where(norm > 0, norm, 1)), g)
    np.testing.assert_allclose(out.reshape(4, 3), expected, rtol=1e-12, atol=1e-300)


def test_adaptive_clipping_takes_a_bias_as_one_unit() -> None:
    g, w, out = np.array([3.0, 4.0]), np.array([0.6, 0.8]), np.empty(2)
    clip_adaptive(g, w, out, 1, 2, 0, 0.5, 1e-3)
    np.testing.assert_allclose(out, [0.3, 0.4])
    clip_adaptive(g, np.zeros(2), out, 1, 2, 0, 0.5, 1e-3)
    np.testing.assert_allclose(np.linalg.norm(out), 0.5e-3)
