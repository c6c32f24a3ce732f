"""The optimizers one tensor at a time, against their formulas in NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gradsim.engine.optimizers import (
    OPTIMIZER_CODES,
    STATE_SLOTS,
    adagrad_update,
    adam_update,
    momentum_update,
    rmsprop_update,
    sgd_update,
)
from gradsim.spec import Optimizer, kind_of

pytestmark = pytest.mark.jitless

RATE = 0.1


@pytest.fixture
def gradients() -> Any:
    return np.random.default_rng(0).standard_normal((6, 9))


def test_every_optimizer_of_the_spec_has_a_code_and_a_state() -> None:
    from typing import get_args

    kinds = {kind_of(kind) for kind in get_args(Optimizer)}
    assert kinds == OPTIMIZER_CODES.keys() == STATE_SLOTS.keys()
    assert len(set(OPTIMIZER_CODES.values())) == len(kinds)


def test_sgd_goes_against_the_gradient(gradients: Any) -> None:
    update = gradients[0].copy()
    sgd_update(update, RATE)
    np.testing.assert_array_equal(update, -RATE * gradients[0])


@pytest.mark.parametrize("nesterov", [False, True])
def test_momentum_remembers(gradients: Any, nesterov: bool) -> None:
    velocity, v = np.zeros(9), np.zeros(9)
    for g in gradients:
        v = 0.9 * v + g
        update = g.copy()
        momentum_update(update, velocity, RATE, 0.9, nesterov)
        np.testing.assert_allclose(update, -RATE * (g + 0.9 * v if nesterov else v), rtol=1e-13)
    np.testing.assert_allclose(velocity, v, rtol=1e-13)


def test_rmsprop_divides_by_the_root_of_the_mean_square(gradients: Any) -> None:
    square, s = np.zeros(9), np.zeros(9)
    for g in gradients:
        s = 0.99 * s + 0.01 * g**2
        update = g.copy()
        rmsprop_update(update, square, RATE, 0.99, 0.01, 1e-8)
        np.testing.assert_allclose(update, -RATE * g / (np.sqrt(s) + 1e-8), rtol=1e-13)


def test_adagrad_divides_by_the_root_of_the_sum_of_squares(gradients: Any) -> None:
    square, s = np.zeros(9), np.zeros(9)
    for g in gradients:
        s = s + g**2
        update = g.copy()
        adagrad_update(update, square, RATE, 1e-10)
        np.testing.assert_allclose(update, -RATE * g / (np.sqrt(s) + 1e-10), rtol=1e-13)


def test_adam_adds_its_epsilon_after_the_corrected_root(gradients: Any) -> None:
    mean, square, m, s = (np.zeros(9) for _ in range(4))
    eps = 1e-2  # large, so that its place shows
    for t, g in enumerate(gradients, 1):
        m, s = 0.9 * m + 0.1 * g, 0.999 * s + 0.001 * g**2
        update = g.copy()
        root = np.sqrt(1 - 0.999**t)
        adam_update(update, mean, square, RATE / (1 - 0.9**t), 0.9, 1 - 0.9, 0.999, 1 - 0.999, root, eps)
        corrected = m / (1 - 0.9**t), s / (1 - 0.999**t)
        np.testing.assert_allclose(update, -RATE * corrected[0] / (np.sqrt(corrected[1]) + eps), rtol=1e-10)


def test_float32_keeps_its_type() -> None:
    one = np.float32(0.5)
    update, mean, square = (np.ones(3, np.float32) for _ in range(3))
    adam_update(update, mean, square, one, one, one, one, one, one, one)
    assert update.dtype == mean.dtype == square.dtype == np.float32
    assert np.isfinite(update).all()
