"""The losses and their gradients at single batches, against formulas in float64 and at the edges."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from scipy.special import expit, log_softmax, softmax

from gradsim.engine.losses import (
    BINARY_CROSS_ENTROPY,
    CROSS_ENTROPY,
    HALF_MSE,
    LOSS_CODES,
    MSE,
    SSE,
    correct_share,
    loss_and_gradient,
)

pytestmark = pytest.mark.jitless

both = pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=["float32", "float64"])


def run(kind: int, z: Any, a: Any, t: Any) -> tuple[float, Any, Any]:
    rows, outputs = z.shape
    a_gradient, delta = np.full(z.size, np.nan, z.dtype), np.full(z.size, np.nan, z.dtype)
    loss = loss_and_gradient(
        kind, z.ravel(), a.ravel(), t.astype(z.dtype).ravel(), a_gradient, delta, rows, outputs
    )
    return loss, a_gradient.reshape(z.shape), delta.reshape(z.shape)


def batch(dtype: Any, rows: int = 6, outputs: int = 4, reach: float = 3.0) -> tuple[Any, Any]:
    random = np.random.default_rng(1)
    z = (reach * random.standard_normal((rows, outputs))).astype(dtype)
    return z, np.eye(outputs, dtype=dtype)[random.integers(outputs, size=rows)]


def close(dtype: Any) -> Any:
    return {"rtol": 8 * np.finfo(dtype).eps, "atol": 8 * np.finfo(dtype).eps}


@both
@pytest.mark.parametrize(
    ("kind", "factor"), [(MSE, 1 / 24), (HALF_MSE, 0.5 / 6), (SSE, 1.0)], ids=["mse", "half_mse", "sse"]
)
def test_squared_errors_are_averaged_as_their_names_say(kind: int, factor: float, dtype: Any) -> None:
    a, t = batch(dtype)
    loss, gradient, _ = run(kind, a, a, t)
    error = a.astype(np.float64) - t
    assert loss == pytest.approx(factor * (error**2).sum(), rel=1e-14)
    np.testing.assert_allclose(gradient, 2 * factor * error, **close(dtype))


@both
def test_cross_entropy_is_the_mean_over_the_batch_of_natural_logarithms(dtype: Any) -> None:
    z, t = batch(dtype)
    a = softmax(z, axis=1)
    loss, gradient, delta = run(CROSS_ENTROPY, z, a, t)
    wide = z.astype(np.float64)
    assert loss == pytest.approx(-(t * log_softmax(wide, axis=1)).sum() / 6, rel=1e-13)
    np.testing.assert_allclose(delta, (softmax(wide, axis=1) - t) / 6, **close(dtype))
    np.testing.assert_allclose(gradient, -t / a / 6, **close(dtype))


@both
def test_binary_cross_entropy_is_the_mean_over_all_elements(dtype: Any) -> None:
    z, t = batch(dtype)
    a = expit(z)
    loss, gradient, delta = run(BINARY_CROSS_ENTROPY, z, a, t)
    wide = z.astype(np.float64)
    exact = -(t * np.log(expit(wide)) + (1 - t) * np.log(expit(-wide))).mean()
    assert loss == pytest.approx(exact, rel=1e-13)
    np.testing.assert_allclose(delta, (expit(wide) - t) / 24, **close(dtype))
    np.testing.assert_allclose(
        gradient, (expit(wide) - t) / (expit(wide) * expit(-wide)) / 24, **close(dtype)
    )


@both
def test_soft_targets_are_taken_as_they_are(dtype: Any) -> None:
    z, _ = batch(dtype)
    t = np.random.default_rng(2).uniform(0.1, 0.4, z.shape).astype(dtype)
    wide = z.astype(np.float64)
    loss, _, delta = run(CROSS_ENTROPY, z, softmax(z, axis=1), t)
    mass = t.astype(np.float64).sum(axis=1, keepdims=True)
    assert loss == pytest.approx(-(t * log_softmax(wide, axis=1)).sum() / 6, rel=1e-13)
    np.testing.assert_allclose(delta, (mass * softmax(wide, axis=1) - t) / 6, **close(dtype))
    loss, _, delta = run(BINARY_CROSS_ENTROPY, z, expit(z), t)
    np.testing.assert_allclose(delta, (expit(wide) - t) / 24, **close(dtype))


@both
@pytest.mark.parametrize("kind", [CROSS_ENTROPY, BINARY_CROSS_ENTROPY], ids=["softmax", "sigmoid"])
def test_saturated_outputs_lose_no_digit_and_never_overflow(kind: int, dtype: Any) -> None:
    z = np.array([[800.0, -800.0], [-800.0, 800.0], [60.0, -60.0]], dtype)
    t = np.array([[1, 0], [1, 0], [1, 0]], dtype)
    a = softmax(z, axis=1) if kind == CROSS_ENTROPY else expit(z)
    loss, _, delta = run(kind, z, a, t)
    if kind == CROSS_ENTROPY:
        assert loss == pytest.approx(1600 / 3, rel=1e-12)
        np.testing.assert_allclose(delta[1], [-1 / 3, 1 / 3], rtol=1e-6)
        assert delta[2, 1] == pytest.approx(math.exp(-120) / 3, rel=1e-6 if dtype == np.float64 else 1)
    else:
        assert loss == pytest.approx(1600 / 6, rel=1e-12)
        assert delta[2, 0] == pytest.approx(-math.exp(-60) / 6, rel=1e-6)
        assert delta[2, 1] == pytest.approx(math.exp(-60) / 6, rel=1e-6)
    assert np.isfinite(delta).all()


@both
@pytest.mark.parametrize("kind", LOSS_CODES.values(), ids=LOSS_CODES.keys())
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_broken_output_shows_in_the_loss(kind: int, value: float, dtype: Any) -> None:
    z, t = batch(dtype)
    z[2, int(np.argmax(t[2])) if value < 0 else int(np.argmin(t[2]))] = value
    with np.errstate(all="ignore"):
        a = {CROSS_ENTROPY: softmax(z, axis=1), BINARY_CROSS_ENTROPY: expit(z)}.get(kind, z)
        loss, _, _ = run(kind, z, a, t)
    assert not math.isfinite(loss)


def test_the_largest_output_is_the_class_and_nan_is_never_right() -> None:
    a = np.array([[0.1, 0.7, 0.2], [0.5, 0.5, 0.0], [np.nan, 0.1, 0.2], [0.0, 0.0, 1.0]])
    assert correct_share(a.ravel(), np.array([1, 0, 0, 2]), 3) == 0.75
    assert correct_share(a.ravel(), np.array([0, 1, 2, 0]), 3) in (0.0, 0.25)


def test_one_output_splits_its_classes_at_a_half() -> None:
    a = np.array([0.49, 0.5, 0.51, 0.0])
    assert correct_share(a, np.array([0, 1, 1, 1]), 1) == 0.75


@pytest.mark.parametrize("gap", [1.0, 10.0, 40.0, 300.0])
def test_cross_entropy_keeps_its_digits_where_a_probability_comes_close_to_1(gap: float) -> None:
    z = np.array([[gap, 0.0, -1.0]])
    t = np.array([[1.0, 0.0, 0.0]])
    loss, _, delta = run(CROSS_ENTROPY, z, softmax(z, axis=1), t)
    others = math.exp(-gap) + math.exp(-gap - 1.0)
    assert loss == pytest.approx(math.log1p(others), rel=1e-14)
    expected = np.array([-others, math.exp(-gap), math.exp(-gap - 1.0)]) / (1.0 + others)
    np.testing.assert_allclose(delta[0], expected, rtol=1e-14)
