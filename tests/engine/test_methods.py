"""Other ways to the weights: layer-wise pretraining, evolution, weight noise, parameter groups."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from gradsim.engine import Simulator
from gradsim.engine.random import counter_normal, stream_key
from gradsim.spec import (
    Dense,
    Experiment,
    Head,
    Network,
    Normalization,
    SpecError,
    Training,
    checked,
    phase_at,
    training_phases,
)
from gradsim.spec.activation import Softmax, Tanh
from gradsim.spec.data import GaussianNoise, Moons
from gradsim.spec.method import Evolution, ParameterGroup, Pretraining
from gradsim.spec.training import Adam, GlobalNormClipping, Momentum, Sgd
from tests.engine.small_nets import assert_same_bits


def experiment_of(*layers: Any, **training: Any) -> Experiment:
    settings = {"loss": "cross_entropy", "batch_size": 16, "optimizer": Sgd(learning_rate=0.3)} | training
    return checked(
        Experiment(
            precision="float64",
            seed=3,
            data=Moons(samples=80),
            network=Network(
                layers=layers or (Dense(units=6, activation=Tanh()),) * 3, head=Head(activation=Softmax())
            ),
            training=Training(**settings),
        )
    )


OPTIMIZERS = {
    "sgd": Sgd(learning_rate=0.3),
    "momentum": Momentum(learning_rate=0.1),
    "adam": Adam(learning_rate=0.01),
}


@pytest.mark.jitless
@pytest.mark.parametrize("phase", [0, 1, 2])
def test_a_phase_trains_one_layer_to_restore_its_input_and_no_other(phase: int) -> None:
    simulator = Simulator(experiment_of(method=Pretraining(iterations=20, learning_rate=0.2)))
    simulator.advance(20 * phase + 7)
    trace = simulator.record()
    layer = trace.layers[phase]
    rows, width = layer.input.shape
    restored = layer.activation @ layer.decoder_weight + layer.decoder_bias
    error = restored - layer.input
    assert trace.loss == pytest.approx((error**2).mean(), rel=1e-13)
    direct = 2 * error / (rows * width)
    delta = direct @ layer.decoder_weight.T * (1 - layer.activation**2)
    np.testing.assert_allclose(layer.delta, delta, rtol=1e-10, atol=1e-16)
    np.testing.assert_allclose(layer.weight_gradient, layer.input.T @ delta, rtol=1e-10, atol=1e-15)
    np.testing.assert_allclose(
        layer.decoder_weight_gradient, layer.activation.T @ direct, rtol=1e-10, atol=1e-15
    )
    np.testing.assert_allclose(layer.decoder_bias_gradient, direct.sum(0), rtol=1e-10, atol=1e-15)
    np.testing.assert_allclose(layer.update, -0.2 * layer.weight_gradient, rtol=1e-12)
    for other in trace.layers:
        if other is not layer:
            assert not other.delta.any()
            assert not other.weight_gradient.any()
            assert not other.update.any()


def test_pretraining_restores_better_and_better_and_fine_tuning_moves_every_layer() -> None:
    experiment = experiment_of(method=Pretraining(iterations=150, learning_rate=0.3))
    simulator = Simulator(experiment)
    simulator.advance(600)
    loss = simulator.history().loss
    for phase in training_phases(experiment)[:-1]:
        assert loss[phase.start : phase.start + 10].mean() > 1.5 * loss[phase.start + 100 : phase.stop].mean()
    last = simulator.record()
    assert all(layer.update.any() for layer in last.layers)
    assert not last["dense_1"].decoder_weight_update.any()
    assert loss[-20:].mean() < 0.6


def test_phases_are_told_by_title_layer_and_iterations() -> None:
    experiment = experiment_of(method=Pretraining(iterations=10))
    titles = [(phase.title, phase.layer, phase.start, phase.stop) for phase in training_phases(experiment)]
    assert titles[1:] == [
        ("pretraining of dense_2", "dense_2", 10, 20),
        ("pretraining of dense_3", "dense_3", 20, 30),
        ("fine-tuning", None, 30, None),
    ]
    assert phase_at(experiment, 9).layer == "dense_1"
    assert phase_at(experiment, 10).layer == "dense_2"
    assert phase_at(experiment, 10**6).title == "fine-tuning"


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_fine_tuning_is_plain_backpropagation_from_the_pretrained_weights(optimizer: str) -> None:
    settings: dict[str, Any] = {"optimizer": OPTIMIZERS[optimizer], "shuffle": False}
    pretrained = Simulator(experiment_of(method=Pretraining(iterations=5), **settings))
    pretrained.advance(15)
    plain = Simulator(experiment_of(**settings))
    ours = pretrained.parameters()
    plain.stand_at(15, {name: ours[name] for name in plain.parameters()})
    pretrained.advance(6)
    plain.advance(6)
    for name, values in plain.parameters().items():
        np.testing.assert_array_equal(pretrained.parameters()[name], values)


@pytest.mark.parametrize(
    "method",
    [Pretraining(iterations=13), Evolution(population=6, mutation=0.05, decay=0.99)],
    ids=["pretraining", "evolution"],
)
def test_a_run_by_another_method_can_be_sought_bit_for_bit(method: Any) -> None:
    layers = (Normalization(), Dense(units=5, activation=Tanh()), Dense(units=5, activation=Tanh()))
    experiment = experiment_of(
        *layers, method=method, optimizer=Adam(), clipping=GlobalNormClipping(threshold=0.5)
    )
    simulator = Simulator(experiment)
    simulator.advance(45)
    straight, cut = simulator.record(), Simulator(experiment)
    for target in (3, 20, 14, 45):
        cut.seek(target)
    for layer, twin in zip(straight.layers, cut.record().layers, strict=True):
        assert_same_bits(layer.tensors, twin.tensors, layer.name)


def test_pretraining_refuses_what_it_cannot_pretrain() -> None:
    from gradsim.spec import Residual

    with pytest.raises(SpecError, match="dense layers one after the other"):
        experiment_of(Residual(layers=(Dense(units=2),)), method=Pretraining())


@pytest.mark.jitless
@pytest.mark.parametrize(
    ("population", "selection", "best"), [(8, 0.25, 2), (7, 0.5, 4), (6, 1.0, 6), (5, 1e-6, 1)]
)
def test_the_step_of_evolution_is_the_mean_of_the_best_children(
    population: int, selection: float, best: int
) -> None:
    """Every child is drawn again from its counters and tried by a pass of its own; σ falls by its decay."""
    method = Evolution(population=population, mutation=0.3, decay=0.9, selection=selection)
    frozen = Dense(units=4, activation=Tanh(), trainable=False)
    layers = (Dense(units=6, activation=Tanh()), frozen, Dense(units=3, activation=Tanh()))
    simulator = Simulator(experiment_of(*layers, method=method))
    twin = Simulator(experiment_of(*layers))  # the same batches, no evolution
    simulator.advance(3)
    for iteration in (3, 4):
        before, deviation = simulator.parameters(), 0.3 * 0.9**iteration
        children = [
            child_of(simulator, before, deviation, iteration * population + number)
            for number in range(population)
        ]
        losses = []
        for child in children:
            twin.stand_at(iteration, child)
            losses.append(twin.record().loss)
        assert len(set(losses)) == population
        parents = np.argsort(losses)[:best]
        trace = simulator.record()
        simulator.advance(1)
        for name, values in simulator.parameters().items():
            wanted = np.mean([children[parent][name] for parent in parents], axis=0)
            np.testing.assert_allclose(values, wanted, rtol=1e-12, atol=1e-15, err_msg=name)
            assert (values == before[name]).all() == name.startswith("dense_2.")
        step = simulator.parameters()["dense_1.weight"] - before["dense_1.weight"]
        np.testing.assert_allclose(step, trace["dense_1"].update, rtol=1e-12, atol=1e-15)


def child_of(simulator: Simulator, parents: dict[str, Any], deviation: float, number: int) -> dict[str, Any]:
    """The weights with the noise of child ``number`` of the run: one stream, a place in it for every parameter."""
    tape = simulator._network.tape
    key, size = stream_key(simulator.experiment.seed, "weights", "mutation"), tape.parameter_size
    child = {}
    for parameter in tape.parameters:
        values = parents[parameter.name].copy()
        if not parameter.name.startswith("dense_2."):
            first = number * size + parameter.part.start
            noise = [counter_normal(key, first + i) for i in range(values.size)]
            values += deviation * np.reshape(noise, values.shape)
        child[parameter.name] = values
    return child


def test_selected_children_have_the_smallest_losses() -> None:
    """With one parent the step leads to the best child itself: no child of the same noise has a smaller loss."""
    seen = []
    for population in (1, 2, 4, 8, 16, 32):
        method = Evolution(population=max(2, population), mutation=0.2, selection=1e-6)
        simulator = Simulator(experiment_of(method=method, shuffle=False))
        simulator.advance(1)
        moved = simulator.parameters()
        plain = Simulator(experiment_of(shuffle=False))
        plain.load_parameters(moved)
        seen.append(plain.record().loss)
    assert all(later <= earlier + 1e-12 for earlier, later in pairwise(seen))
    assert seen[-1] < seen[0]


def test_evolution_finds_weights_without_a_gradient() -> None:
    simulator = Simulator(experiment_of(method=Evolution(population=30, mutation=0.1)))
    start = simulator.evaluate("training").loss
    simulator.advance(150)
    assert simulator.evaluate("training").loss < 0.4 * start


@pytest.mark.jitless
def test_weight_noise_is_seen_by_the_pass_and_not_kept_by_the_weights() -> None:
    experiment = experiment_of(Dense(units=60, activation=Tanh()), weight_noise=0.05, shuffle=False)
    simulator = Simulator(experiment)
    simulator.advance(2)
    clean = simulator.parameters()
    trace = simulator.record()
    layer = trace["dense_1"]
    noise = layer.weight - clean["dense_1.weight"]
    assert noise.std() == pytest.approx(0.05, rel=0.2)
    np.testing.assert_array_equal(layer.bias, clean["dense_1.bias"])
    np.testing.assert_allclose(
        layer.pre_activation, layer.input @ layer.weight + layer.bias, rtol=1e-12, atol=1e-14
    )
    simulator.advance(1)
    moved = simulator.parameters()["dense_1.weight"]
    np.testing.assert_allclose(moved, clean["dense_1.weight"] + layer.update, rtol=1e-14)
    other = simulator.record()["dense_1"].weight - moved
    assert abs(np.corrcoef(noise.ravel(), other.ravel())[0, 1]) < 0.4


@pytest.mark.jitless
def test_groups_multiply_rates_and_decay_and_freeze() -> None:
    optimizer = Sgd(learning_rate=0.1, weight_decay=0.5)
    groups = (
        ParameterGroup(parameters="*.bias", learning_rate_scale=3.0, weight_decay_scale=0.0),
        ParameterGroup(parameters="dense_2.*", learning_rate_scale=0.5),
        ParameterGroup(parameters="head.weight", trainable=False),
    )
    trace = Simulator(experiment_of(optimizer=optimizer, groups=groups)).record()
    first, second, head = trace["dense_1"], trace["dense_2"], trace["head"]
    np.testing.assert_allclose(first.bias_update, -0.3 * first.bias_gradient, rtol=1e-12)
    decayed = second.weight_gradient + 0.5 * second.weight
    np.testing.assert_allclose(second.update, -0.05 * decayed, rtol=1e-12)
    np.testing.assert_allclose(second.bias_update, -0.15 * second.bias_gradient, rtol=1e-12)
    assert not head.update.any()
    assert head.bias_update.any()


def test_a_group_that_fits_no_parameter_is_refused_with_the_names_there_are() -> None:
    experiment = experiment_of(groups=(ParameterGroup(parameters="conv.*"),))
    with pytest.raises(SpecError, match=r"groups\[0\].parameters: .*'conv\.\*'.*dense_1\.weight"):
        Simulator(experiment)


def test_other_methods_stand_for_noise_data_too() -> None:
    experiment = checked(
        Experiment(
            data=GaussianNoise(samples=20, features=3, outputs=2),
            network=Network(layers=(Dense(units=4),), head=Head()),
            training=Training(loss="mse", method=Pretraining(iterations=4), batch_size=5),
        )
    )
    simulator = Simulator(experiment)
    simulator.advance(12)
    assert np.isfinite(simulator.history().loss).all()
