"""What moves a parameter, and which of its changes are lost numbers."""

import math

import msgspec
import numpy as np
import pytest

from gradsim.analysis import lost_to_zero_in
from gradsim.analysis.fault_sources import sources_of
from gradsim.analysis.lost_numbers import SMALLEST, lost_changes
from gradsim.analysis.parameters import parameter_names
from gradsim.analysis.update_rule import update_rule
from gradsim.engine import Simulator
from gradsim.spec import Dense, Experiment, Head, Network, Training
from gradsim.spec.activation import Linear, Relu, Tanh
from gradsim.spec.data import GaussianNoise
from gradsim.spec.method import DynamicLossScale, Evolution, ParameterGroup, Pretraining
from gradsim.spec.training import Adagrad, Adam, Adamw, Momentum, Nesterov, Rmsprop, Sgd

pytestmark = pytest.mark.timeout(600)  # the first test ever compiles the machine

TANH = Tanh()
TINY = 1e-46
"""A rate with which gradients that are far from 0 change nothing in float32."""


def net(activation=TANH, **training):
    training = {"optimizer": Sgd(learning_rate=TINY), "batch_size": 8} | training
    return Experiment(
        seed=3,
        data=GaussianNoise(samples=24, features=4, outputs=2),
        network=Network(
            layers=(Dense(units=3, activation=activation), Dense(units=3, activation=activation)),
            head=Head(activation=Linear()),
        ),
        training=Training(loss="mse", **training),
    )


def lost_counts(experiment, iteration=0):
    simulator = Simulator(experiment)
    simulator.seek(iteration)
    trace = simulator.record()
    least = SMALLEST[experiment.precision]
    return trace, {
        f"{layer.name}.{name}": int(lost_changes(trace, layer, name, least).sum())
        for layer in trace.layers
        for name in parameter_names(layer)
    }


@pytest.mark.parametrize(
    "optimizer",
    [Sgd, Momentum, Nesterov, Rmsprop, Adagrad, Adam, Adamw],
    ids=lambda kind: kind.__name__.lower(),
)
def test_changes_below_the_smallest_number_are_lost_with_every_optimizer(optimizer):
    options = {"weight_decay": 0.0} if optimizer is Adamw else {}
    # Where the size of the gradient falls out of the change, only the rate makes it small.
    trace, counts = lost_counts(net(optimizer=optimizer(learning_rate=1e-46, **options)))
    assert counts == {
        f"{layer.name}.{name}": int(np.count_nonzero(layer[f"{name}_gradient"]))
        for layer in trace.layers
        for name in parameter_names(layer)
    }
    assert lost_to_zero_in(trace).tensor == "weight_update"


@pytest.mark.parametrize(
    "rules",
    [
        {"groups": (ParameterGroup(parameters="*", trainable=False),)},
        {"groups": (ParameterGroup(parameters="*", learning_rate_scale=0.0),)},
        {"method": Evolution(population=4, selection=1.0, mutation=1e-46)},
    ],
    ids=["frozen by its group", "rate 0 of its group", "evolution"],
)
def test_what_is_not_moved_by_its_gradient_has_lost_nothing(rules):
    trace, counts = lost_counts(net(**rules))
    assert all(np.all(layer.weight_update == 0) for layer in trace.layers)
    assert np.count_nonzero(trace["dense_1"].weight_gradient)
    assert not any(counts.values())
    assert lost_to_zero_in(trace) is None


def test_only_the_parameters_that_a_group_does_not_freeze_can_lose_their_change():
    _, counts = lost_counts(net(groups=(ParameterGroup(parameters="dense_*", trainable=False),)))
    assert {name for name, count in counts.items() if count} == {"head.weight", "head.bias"}


def test_the_rate_of_a_group_decides_whether_a_change_is_lost():
    groups = (ParameterGroup(parameters="*.bias", learning_rate_scale=1e6),)
    trace, counts = lost_counts(net(groups=groups, optimizer=Sgd(learning_rate=1e-45)))
    assert {name for name, count in counts.items() if count} == {
        "dense_1.weight",
        "dense_2.weight",
        "head.weight",
    }
    assert update_rule(trace, trace["head"], "bias").rate == pytest.approx(1e-39)


def test_a_weight_that_decays_is_not_lost_because_its_gradient_is_small():
    decaying = Sgd(learning_rate=1e-5, weight_decay=0.1)
    trace, counts = lost_counts(net(activation=Relu(), optimizer=decaying))
    assert not any(counts.values())
    assert np.count_nonzero(trace["dense_1"].weight_update)
    shown = [one.symbol for one in sources_of(trace, 0, "weight_update", "update", (0, 0))]
    assert shown == ["g", "η", "λ", "w"]


def test_an_update_left_out_by_a_dynamic_loss_scale_has_lost_nothing():
    scale = DynamicLossScale(scale=2.0**60)
    experiment = msgspec.structs.replace(net(loss_scale=scale), precision="float16")
    trace, counts = lost_counts(experiment)
    assert not math.isfinite(trace.gradient_norm)
    assert update_rule(trace, trace["head"], "weight").mover == "left out"
    assert not any(counts.values())
    fault = lost_to_zero_in(trace)
    assert fault is None or not fault.tensor.endswith("_update")


def test_in_a_phase_of_pretraining_only_its_layer_can_lose_a_change():
    method = Pretraining(iterations=2, learning_rate=TINY)
    for iteration, name in ((0, "dense_1"), (2, "dense_2")):
        trace, counts = lost_counts(net(method=method), iteration)
        assert {key.split(".")[0] for key, count in counts.items() if count} == {name}
        assert (
            sources_of(trace, trace[name].index, "activation_gradient", "activation_gradient", (0, 0)) == ()
        )


def test_what_an_optimizer_remembers_is_not_guessed():
    experiment = net(optimizer=Momentum(learning_rate=TINY))
    assert any(lost_counts(experiment, 0)[1].values())
    assert not any(lost_counts(experiment, 1)[1].values())
    assert any(lost_counts(net(), 1)[1].values())


def test_an_evolution_names_no_gradient_and_no_rate():
    trace, _ = lost_counts(net(method=Evolution(population=4, mutation=0.25)))
    weight, noise = sources_of(trace, 0, "weight_update", "update", (1, 2))
    assert (weight.symbol, noise.symbol) == ("w", "σ")
    assert (weight.value, noise.value) == (trace["dense_1"].weight[1, 2], 0.25)
