"""Keras' conventions, typed in: its formulas, written out here in NumPy, give the same numbers.

Its batch normalization adds 1e-3 to the variance and keeps 0.99 of the running values, which is a weight of 0.01 of the
new; it puts the biased variance into them, GradSim the unbiased one, as PyTorch does. Its ``clipnorm`` clips each
variable by its own norm, its ``clipvalue`` each element, its ``global_clipnorm`` all together.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from gradsim.engine import Simulator
from gradsim.spec import Dense, Head, Normalization
from gradsim.spec.activation import Linear, Tanh
from gradsim.spec.training import Adam, GlobalNormClipping, NormClipping, Rmsprop, Sgd, ValueClipping
from tests.engine.nested_nets import dense, experiment_of

Array = NDArray[np.float64]

EPS, MOMENTUM = 1e-3, 0.99
BATCH = 8
KERAS = Normalization(method="batch", eps=EPS, momentum=round(1.0 - MOMENTUM, 12))


def keras_batch_normalization(x: Array, gamma: Array, beta: Array) -> Array:
    """``keras.layers.BatchNormalization`` in training."""
    mean, variance = x.mean(axis=0), x.var(axis=0)
    return gamma * (x - mean) / np.sqrt(variance + EPS) + beta


def keras_moving(before: Array, now: Array) -> Array:
    """How Keras moves ``moving_mean`` and ``moving_variance``."""
    return before * MOMENTUM + now * (1.0 - MOMENTUM)


@pytest.fixture
def simulator() -> Simulator:
    """The Fashion-MNIST way: a normalization before each dense layer, the input included."""
    return Simulator(
        experiment_of(
            KERAS, dense(6), KERAS, dense(5), KERAS, optimizer=Sgd(learning_rate=0.3), batch_size=BATCH
        )
    )


def test_a_batch_is_normalized_as_keras_does(simulator: Simulator) -> None:
    for _ in range(5):
        trace = simulator.record()
        for layer in trace.layers:
            if layer.kind == "normalization":
                wanted = keras_batch_normalization(layer.input, layer.gamma, layer.beta)
                np.testing.assert_allclose(layer.output, wanted, rtol=1e-12, atol=1e-13)
        simulator.advance(1)


def test_an_eps_of_1e_3_shows_in_the_gradient_too(simulator: Simulator) -> None:
    layer = simulator.record()["normalization_2"]
    step = 1e-6
    direction = np.random.default_rng(1).normal(size=layer.input.shape)
    ahead, behind = (
        (
            keras_batch_normalization(layer.input + s * direction, layer.gamma, layer.beta)
            * layer.output_gradient
        ).sum()
        for s in (step, -step)
    )
    assert (layer.input_gradient * direction).sum() == pytest.approx((ahead - behind) / (2 * step), rel=1e-6)


def test_the_running_values_move_as_in_keras_but_for_the_unbiased_variance(simulator: Simulator) -> None:
    names = ("normalization_1", "normalization_2", "normalization_3")
    mean = {name: np.zeros_like(simulator.record()[name].gamma) for name in names}
    variance = {name: np.ones_like(mean[name]) for name in names}
    for _ in range(12):
        trace = simulator.record()
        for name in names:
            x = trace[name].input
            rows = len(x)
            mean[name] = keras_moving(mean[name], x.mean(axis=0))
            variance[name] = keras_moving(variance[name], x.var(axis=0) * rows / (rows - 1))
        simulator.advance(1)
    now = simulator.parameters()
    for name in names:
        np.testing.assert_allclose(now[f"{name}.running_mean"], mean[name], rtol=1e-10, atol=1e-13)
        np.testing.assert_allclose(now[f"{name}.running_variance"], variance[name], rtol=1e-10)


def test_evaluation_uses_the_running_values_with_eps_1e_3(simulator: Simulator) -> None:
    simulator.advance(7)
    known = simulator.parameters()
    batches = list(simulator.observed("training"))
    assert batches
    for batch in batches:
        for name in ("normalization_1", "normalization_2", "normalization_3"):
            scale = known[f"{name}.gamma"] / np.sqrt(known[f"{name}.running_variance"] + EPS)
            wanted = scale * (batch[name]["input"] - known[f"{name}.running_mean"]) + known[f"{name}.beta"]
            np.testing.assert_allclose(batch[name]["output"], wanted, rtol=1e-11, atol=1e-13)


def keras_clipnorm(gradient: Array, limit: float) -> Array:
    """``tf.clip_by_norm``: g · c / max(‖g‖, c), of each variable by itself."""
    return gradient * limit / max(float(np.linalg.norm(gradient)), limit)


def keras_clip(kind: str, gradients: dict[str, Array], limit: float) -> dict[str, Array]:
    if kind == "clipvalue":
        return {name: np.clip(g, -limit, limit) for name, g in gradients.items()}
    if kind == "clipnorm":
        return {name: keras_clipnorm(g, limit) for name, g in gradients.items()}
    norm = float(np.sqrt(sum((g**2).sum() for g in gradients.values())))
    return {name: g * limit / max(norm, limit) for name, g in gradients.items()}


def _gradients(trace: Any, suffix: str) -> dict[str, Array]:
    return {
        f"{layer.name}.{name}": layer.tensors[f"{name}_{suffix}"]
        for layer in trace.layers
        for name in ("weight", "bias", "gamma", "beta")
        # ``weight`` of a normalization is another name of its gamma
        if f"{name}_clipped_gradient" in layer.tensors
    }


@pytest.mark.parametrize("limit", [0.01, 0.2])
@pytest.mark.parametrize(
    ("kind", "rule"),
    [("clipnorm", NormClipping), ("clipvalue", ValueClipping), ("global_clipnorm", GlobalNormClipping)],
)
def test_gradients_are_clipped_as_by_the_arguments_of_a_keras_optimizer(
    kind: str, rule: Any, limit: float
) -> None:
    layers = (KERAS, dense(6), dense(5))
    trace = Simulator(experiment_of(*layers, clipping=rule(threshold=limit), batch_size=BATCH)).record()
    gradients = _gradients(trace, "gradient")
    wanted = keras_clip(kind, gradients, limit)
    clipped = _gradients(trace, "clipped_gradient")
    assert {"normalization_1.gamma", "dense_1.weight", "dense_2.bias", "head.weight"} <= clipped.keys()
    for name, gradient in clipped.items():
        np.testing.assert_allclose(gradient, wanted[name], rtol=1e-12, atol=1e-15, err_msg=name)
    touched = [not np.array_equal(clipped[name], gradients[name]) for name in clipped]
    assert any(touched)


def test_clipnorm_leaves_a_variable_alone_that_is_small_while_others_are_clipped() -> None:
    trace = Simulator(
        experiment_of(dense(6), dense(5), clipping=NormClipping(threshold=0.3), batch_size=BATCH)
    ).record()
    gradients, clipped = _gradients(trace, "gradient"), _gradients(trace, "clipped_gradient")
    small = [name for name, g in gradients.items() if np.linalg.norm(g) < 0.3]
    large = [name for name in gradients if name not in small]
    assert small
    assert large
    for name in small:
        np.testing.assert_array_equal(clipped[name], gradients[name])
    for name in large:
        assert np.linalg.norm(clipped[name]) == pytest.approx(0.3, rel=1e-12)


def keras_adam(w: Array, gradients: list[Array], rate: float, eps: float) -> Array:
    """``keras.optimizers.Adam``: its eps stands beside √v before the bias is corrected (Kingma and Ba, section 2)."""
    m = v = np.zeros_like(w)
    for t, g in enumerate(gradients, 1):
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
        alpha = rate * np.sqrt(1 - 0.999**t) / (1 - 0.9**t)
        w = w - alpha * m / (np.sqrt(v) + eps)
    return w


def keras_rmsprop(w: Array, gradients: list[Array], rate: float, eps: float) -> Array:
    """``keras.optimizers.RMSprop`` with rho 0.9: its eps stands inside the root."""
    s = np.zeros_like(w)
    for g in gradients:
        s = 0.9 * s + 0.1 * g * g
        w = w - rate * g / np.sqrt(s + eps)
    return w


@pytest.mark.parametrize(
    ("optimizer", "keras"),
    [
        (Adam(learning_rate=0.01, eps=0.0), keras_adam),
        (Rmsprop(learning_rate=0.01, alpha=0.9, eps=0.0), keras_rmsprop),
    ],
    ids=["adam", "rmsprop"],
)
def test_optimizers_agree_where_the_place_of_eps_does_not_matter(optimizer: Any, keras: Any) -> None:
    simulator = Simulator(experiment_of(dense(6), optimizer=optimizer, batch_size=BATCH))
    start, gradients = simulator.parameters()["dense_1.weight"].copy(), []
    for _ in range(6):
        gradients.append(simulator.record()["dense_1"].weight_gradient.copy())
        simulator.advance(1)
    wanted = keras(start, gradients, 0.01, 0.0)
    np.testing.assert_allclose(simulator.parameters()["dense_1.weight"], wanted, rtol=1e-9, atol=1e-12)


def test_a_dense_layer_of_keras_is_the_same_z_and_starts_glorot_uniform() -> None:
    layer = Dense(units=40, activation=Tanh())
    simulator = Simulator(experiment_of(layer, head=Head(activation=Linear())))
    record = simulator.record()["dense_1"]
    np.testing.assert_allclose(record.pre_activation, record.input @ record.weight + record.bias, rtol=1e-12)
    limit = np.sqrt(6.0 / sum(record.weight.shape))
    assert np.abs(record.weight).max() <= limit
    assert np.abs(record.weight).max() > 0.9 * limit
    assert not record.bias.any()
