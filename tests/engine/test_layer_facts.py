"""What holds exactly for every kind of layer, however the arithmetic is done."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gradsim.engine import Simulator
from gradsim.spec import ActivationLayer, Dense, Dropout, Head, Normalization, Recurrent
from gradsim.spec.activation import Linear, Relu
from gradsim.spec.initializer import HeNormal, Orthogonal
from gradsim.spec.training import Adam
from tests.engine.nested_nets import dense, experiment_of, residual, sequences, simulator_of
from tests.engine.small_nets import assert_same_bits

EVERY_KIND: dict[str, tuple[Any, ...]] = {
    "batch": (Normalization(), dense(6, normalization=Normalization())),
    "layer": (Normalization(method="layer"), dense(6, normalization=Normalization(method="layer"))),
    "rms": (Normalization(method="rms"), dense(6, normalization=Normalization(method="rms"))),
    "activation": (dense(6), ActivationLayer(activation=Relu())),
    "dropout": (Dropout(rate=0.4), dense(6), Dropout(rate=0.2)),
    "residual": (residual(dense(6), residual(dense(6), train_scale=True)), residual(dense(6), scale=0.5)),
    "mixed": (residual(Normalization(), dense(4), Dropout(rate=0.3)), Dropout(rate=0.5)),
}
CELLS: dict[str, Any] = {
    "simple": Recurrent(units=4),
    "lstm": Recurrent(cell="lstm", units=4),
    "gru": Recurrent(cell="gru", units=4),
    "gru, reset before": Recurrent(cell="gru", units=4, reset_after=False),
}


def test_a_branch_of_scale_0_passes_the_gradient_through_bit_for_bit_and_learns_nothing() -> None:
    trace = Simulator(experiment_of(dense(6), residual(dense(6), dense(6), scale=0.0), dense(5))).record()
    np.testing.assert_array_equal(trace["residual_1"].delta, trace["residual_1"].activation_gradient)
    np.testing.assert_array_equal(trace["residual_1"].activation, trace["dense_1"].activation)
    assert trace["residual_1"].delta.any()
    for name in ("dense_2", "dense_3"):
        assert not trace[name].weight_gradient.any()
        assert not trace[name].bias_gradient.any()


def test_every_layer_of_a_relu_net_without_biases_has_the_same_product_of_weights_and_gradient() -> None:
    # f is homogeneous of degree 1 in every W, so ⟨W, ∂L/∂W⟩ = ⟨f, ∂L/∂f⟩ for each of them
    layer = Dense(units=9, activation=Relu(), initializer=HeNormal(), bias=False)
    trace = Simulator(experiment_of(*[layer] * 6, head=Head(activation=Linear(), bias=False))).record()
    products = [float((layer.weight * layer.weight_gradient).sum()) for layer in trace.layers]
    assert abs(products[0]) > 1e-6
    np.testing.assert_allclose(products, products[0], rtol=1e-12)


@pytest.mark.parametrize("method", ["batch", "layer", "rms"])
def test_normalized_weights_feel_no_effect_of_their_own_scale(method: Any) -> None:
    norm = Normalization(method=method, eps=0.0)
    simulator = Simulator(experiment_of(dense(6, normalization=norm, bias=False), dense(4)))
    before = simulator.record()
    simulator.load_parameters({"dense_1.weight": 8.0 * simulator.parameters()["dense_1.weight"]})
    after = simulator.record()
    assert after.loss == pytest.approx(before.loss, rel=1e-13)
    one, other = before["dense_1"], after["dense_1"]
    np.testing.assert_allclose(other.weight_gradient, one.weight_gradient / 8, rtol=1e-11, atol=1e-16)
    along = float((one.weight * one.weight_gradient).sum())
    assert (
        abs(along) < 1e-13 * float(np.linalg.norm(one.weight) * np.linalg.norm(one.weight_gradient)) + 1e-16
    )
    np.testing.assert_allclose(after["dense_2"].delta, before["dense_2"].delta, rtol=1e-11, atol=1e-16)


def test_a_linear_net_of_orthogonal_weights_passes_every_norm_unchanged() -> None:
    layer = Dense(units=4, activation=Linear(), initializer=Orthogonal(), bias=False)
    trace = Simulator(experiment_of(*[layer] * 30)).record()
    norms = [np.linalg.norm(layer.activation, axis=1) for layer in trace.layers[:-1]]
    deltas = [np.linalg.norm(layer.delta, axis=1) for layer in trace.layers[:-1]]
    np.testing.assert_allclose(norms, [np.linalg.norm(trace.inputs, axis=1)] * 30, rtol=1e-12)
    np.testing.assert_allclose(deltas, [deltas[-1]] * 30, rtol=1e-12)


def test_a_forget_gate_of_1_and_no_input_pass_the_gradient_of_the_cell_unchanged() -> None:
    layer = Recurrent(cell="lstm", units=4, forget_bias=100.0)
    simulator = simulator_of(experiment_of(layer), sequences(20, False))
    recurrent = {name: 0.0 * value for name, value in simulator.parameters().items() if "_weight" in name}
    simulator.load_parameters(recurrent)
    gradient = simulator.record()["recurrent_1"].cell_gradient
    assert gradient[:, -1].any()
    np.testing.assert_array_equal(gradient, np.broadcast_to(gradient[:, -1:], gradient.shape))


@pytest.mark.parametrize("kind", EVERY_KIND)
def test_seeking_and_advancing_reach_the_same_bits_with_every_kind(kind: str) -> None:
    experiment = experiment_of(*EVERY_KIND[kind], optimizer=Adam(learning_rate=0.01))
    straight = Simulator(experiment)
    straight.advance(60)
    wandering = Simulator(experiment)
    wandering.advance(80)
    wandering.seek(23)
    wandering.record()
    wandering.advance(7)
    wandering.evaluate("training")
    wandering.seek(60)
    assert_same_bits(straight.parameters(), wandering.parameters())
    for one, other in zip(straight.record().layers, wandering.record().layers, strict=True):
        assert_same_bits(one.tensors, other.tensors, one.name)


def test_running_values_move_by_their_momentum_towards_those_of_the_batch() -> None:
    simulator = Simulator(experiment_of(dense(6), Normalization(momentum=0.3)))
    mean, variance = np.zeros(6), np.ones(6)
    for _ in range(10):
        x = simulator.record()["dense_1"].activation
        mean = 0.7 * mean + 0.3 * x.mean(axis=0)
        variance = 0.7 * variance + 0.3 * x.var(axis=0, ddof=1)
        simulator.advance(1)
    found = simulator.parameters()
    np.testing.assert_allclose(found["normalization_1.running_mean"], mean, rtol=1e-12)
    np.testing.assert_allclose(found["normalization_1.running_variance"], variance, rtol=1e-12)


def test_evaluation_uses_the_running_values_and_drops_nothing() -> None:
    simulator = Simulator(experiment_of(dense(6), Normalization(), Dropout(rate=0.5)))
    simulator.advance(20)
    p, x = simulator.parameters(), simulator.samples.training_inputs[:11]
    a = np.tanh(x @ p["dense_1.weight"] + p["dense_1.bias"])
    spread = np.sqrt(p["normalization_1.running_variance"] + 1e-5)
    a = (a - p["normalization_1.running_mean"]) / spread
    a = a * p["normalization_1.gamma"] + p["normalization_1.beta"]
    outputs = a @ p["head.weight"] + p["head.bias"]
    np.testing.assert_allclose(simulator.outputs(x), outputs, rtol=1e-12)
    np.testing.assert_allclose(simulator.outputs(x[:1]), outputs[:1], rtol=1e-12)
    assert_same_bits(p, simulator.parameters())


def test_changing_the_network_never_compiles_whatever_its_layers() -> None:
    from gradsim.engine.machine import run_iterations

    simulator = Simulator(experiment_of(dense(3)))
    simulator.advance(2)
    simulator.record()
    before = len(run_iterations.signatures)
    for layers in EVERY_KIND.values():
        other = Simulator(experiment_of(*layers))
        other.record()
        other.advance(2)
    for layer in CELLS.values():
        other = simulator_of(experiment_of(layer), sequences(4, False))
        other.record()
        other.advance(2)
    assert len(run_iterations.signatures) == before
