"""The small experiments that the tests of the engine run, and what they compare."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any

import numpy as np
import pytest

from gradsim.engine import Simulator
from gradsim.spec import Dense, Experiment, Head, Network, Training
from gradsim.spec.activation import Tanh
from gradsim.spec.data import GaussianNoise
from gradsim.spec.initializer import Normal

needs_torch = pytest.mark.skipif(
    find_spec("torch") is None, reason="PyTorch is not installed: make install EXTRAS=test,oracle"
)

TANH, NORMAL = Tanh(), Normal(std=0.7)


def net(
    hidden: Any = TANH,
    head: Any = TANH,
    *,
    loss: str = "mse",
    depth: int = 3,
    units: int = 5,
    initializer: Any = NORMAL,
    precision: str = "float64",
    data: Any = None,
    seed: int = 3,
    batch_size: int = 11,
    **training: Any,
) -> Experiment:
    """``depth`` hidden layers of one kind on noise; weights and biases that leave no value at a kink."""
    dense = Dense(units=units, activation=hidden, initializer=initializer, bias_initializer=Normal(std=0.5))
    return Experiment(
        seed=seed,
        precision=precision,
        data=data or GaussianNoise(samples=40, features=4, outputs=3),
        network=Network(
            layers=(dense,) * depth,
            head=Head(activation=head, initializer=Normal(std=0.7), bias_initializer=Normal(std=0.5)),
        ),
        training=Training(loss=loss, batch_size=batch_size, **training),
    )


def assert_same_bits(one: Any, other: Any, what: str = "") -> None:
    """Equal to the last bit, NaN at the same places; mappings key by key."""
    if isinstance(one, Mapping):
        assert one.keys() == other.keys(), what
        for key in one:
            assert_same_bits(one[key], other[key], f"{what} {key}")
        return
    one, other = np.ascontiguousarray(one), np.ascontiguousarray(other)
    assert one.dtype == other.dtype, what
    np.testing.assert_array_equal(one.view(np.uint8), other.view(np.uint8), err_msg=what)


def trained(experiment: Experiment, iterations: int) -> Simulator:
    """A fresh simulator after so many iterations in one call."""
    simulator = Simulator(experiment)
    assert simulator.advance(iterations) == iterations
    return simulator
