"""Counted operations."""

from itertools import pairwise

import numpy as np
import pytest

from gradsim.analysis import operations, operations_until
from gradsim.analysis.layer_operations import ACTIVATION_OPERATIONS, NORMALIZATION_OPERATIONS
from gradsim.analysis.operations import CLIPPING_OPERATIONS, LOSS_OPERATIONS, OPTIMIZER_OPERATIONS
from gradsim.analysis.parameters import parameter_names, stored_name
from gradsim.spec import ActivationLayer, Dense, Dropout, Experiment, Head, Network, Normalization, Training
from gradsim.spec.activation import Linear, Relu, Sigmoid
from gradsim.spec.data import GaussianNoise
from gradsim.spec.training import Momentum, Sgd, ValueClipping
from tests.kind_runs import NETWORKS, STEPS, kind_run

pytestmark = pytest.mark.timeout(600)  # the first test ever compiles the machine
BATCH, FEATURES, OUTPUTS = 16, 5, 3


def counted(*layers, training=None, head=None):
    from gradsim.engine import Simulator

    experiment = Experiment(
        precision="float64",
        data=GaussianNoise(samples=40, features=FEATURES, outputs=OUTPUTS),
        network=Network(layers=layers, head=head or Head(activation=Linear(), bias=False)),
        training=training or Training(loss="mse", batch_size=BATCH, optimizer=Sgd()),
    )
    return operations(Simulator(experiment).record())


def test_a_linear_net_costs_two_operations_per_weight_and_sample_forward_and_four_backward_but_for_the_inputs():
    found = counted(Dense(units=7, activation=Linear(), bias=False))
    first, head = found.layers
    assert (first.forward, first.backward) == (2 * BATCH * FEATURES * 7, 2 * BATCH * FEATURES * 7)
    assert (head.forward, head.backward) == (2 * BATCH * 7 * OUTPUTS, 4 * BATCH * 7 * OUTPUTS)
    assert (first.update, head.update) == (2 * FEATURES * 7, 2 * 7 * OUTPUTS)
    assert found.products == first.forward + first.backward + head.forward + head.backward
    assert (found.loss_forward, found.loss_backward) == (3 * BATCH * OUTPUTS, 2 * BATCH * OUTPUTS)
    assert found.total == found.forward + found.backward + found.update
    assert found.forward_passes == found.total / found.forward


def test_bias_activation_and_optimizer_cost_what_the_tables_say():
    plain = counted(Dense(units=7, activation=Linear(), bias=False)).layers[0]
    training = Training(loss="mse", batch_size=BATCH, optimizer=Momentum(), clipping=ValueClipping())
    full = counted(Dense(units=7, activation=Sigmoid()), training=training).layers[0]
    size = BATCH * 7
    assert full.forward - plain.forward == size * (1 + 4)
    assert full.backward - plain.backward == size * (1 + 2 + 1)
    assert full.update == (FEATURES + 1) * 7 * (4 + 2)
    assert full.products == plain.products


def test_layers_without_weights_and_normalizations_cost_what_the_tables_say():
    dense = Dense(units=7, activation=Linear())
    layers = (
        dense,
        Dropout(rate=0.5),
        ActivationLayer(activation=Relu()),
        Normalization(method="layer"),
    )
    _, dropout, relu, normalization, _ = counted(*layers).layers
    size = BATCH * 7
    assert (dropout.forward, dropout.backward, dropout.update) == (size, size, 0)
    assert (relu.forward, relu.backward, relu.update) == (size, 2 * size, 0)
    assert (normalization.forward, normalization.backward) == (8 * size, 11 * size)
    assert normalization.update == 2 * 14


def test_frozen_layers_are_not_updated():
    assert counted(Dense(units=7, trainable=False)).layers[0].update == 0


@pytest.mark.parametrize(("cell", "gates"), [("simple recurrent", 1), ("lstm", 4), ("gru", 3)])
def test_recurrent_layers_multiply_inputs_and_states_at_every_step_of_time(cell, gates):
    first, second, *_ = operations(kind_run(cell).trace).layers
    rows = BATCH * STEPS
    forward = 2 * rows * 3 * gates * 5 + 2 * rows * 5 * gates * 5
    # From the first layer nothing goes to the data; the state before the first step gets no gradient.
    back = forward + 2 * BATCH * (STEPS - 1) * 5 * gates * 5
    assert first.products == forward + back
    assert second.products == (2 + 2 + 2) * rows * 5 * gates * 4 + (2 + 2) * rows * 4 * gates * 4 + (
        2 * BATCH * (STEPS - 1) * 4 * gates * 4
    )


@pytest.mark.parametrize("name", NETWORKS)
def test_every_kind_is_counted_and_its_parameters_are_found_once(name):
    from gradsim.spec import unrolled_layers

    trace = kind_run(name).trace
    found = operations(trace)
    assert [layer.name for layer in found.layers] == [layer.name for layer in trace.layers]
    assert all(layer.forward > 0 and layer.backward > 0 for layer in found.layers)
    assert 1.5 < found.forward_passes < 4
    assert len(unrolled_layers(trace.experiment.network)) == len(found.layers)
    parameters = [layer[name] for layer in trace.layers for name in parameter_names(layer)]
    assert len({array.__array_interface__["data"][0] for array in parameters}) == len(parameters)
    assert found.update == sum(array.size for array in parameters) * (2 + 4)


def test_products_are_those_that_pytorch_counts():
    torch = pytest.importorskip("torch", reason="the oracle is not installed")
    from torch.utils.flop_counter import FlopCounterMode

    widths = (FEATURES, 9, 6, OUTPUTS)
    net = torch.nn.Sequential(*(torch.nn.Linear(a, b) for a, b in pairwise(widths)))
    with FlopCounterMode(display=False) as counter:
        net(torch.zeros(BATCH, FEATURES)).sum().backward()
    assert counted(Dense(units=9), Dense(units=6)).products == counter.get_total_flops()


def test_there_is_a_rule_for_every_activation_optimizer_clipping_loss_and_normalization():
    from typing import get_args

    from gradsim.spec import Activation, kind_of
    from gradsim.spec.training import Clipping, LossName, Optimizer

    def kinds(union):
        return {kind_of(one()) for one in get_args(union)}

    assert set(ACTIVATION_OPERATIONS) == kinds(Activation)
    assert set(OPTIMIZER_OPERATIONS) == kinds(Optimizer)
    assert set(CLIPPING_OPERATIONS) == kinds(Clipping)
    assert set(LOSS_OPERATIONS) == set(get_args(LossName))
    assert set(NORMALIZATION_OPERATIONS) == {"batch", "layer", "rms"}


def test_stored_names_are_those_of_the_simulator():
    from gradsim.engine import Simulator

    trace = kind_run("nested residual").trace
    names = {stored_name(layer.name, name) for layer in trace.layers for name in parameter_names(layer)}
    assert names == set(Simulator(trace.experiment).parameters())
    assert stored_name("dense_1", "prelu_slope") == "dense_1.slope"
    assert all(np.isfinite(layer.total) for layer in operations(trace).layers)


def test_an_evolution_costs_a_pass_forward_for_every_child():
    from gradsim.spec.method import Evolution

    layers = (Dense(units=7, activation=Linear(), bias=False),)
    plain = counted(*layers)
    training = Training(
        loss="mse", batch_size=BATCH, optimizer=Sgd(), method=Evolution(population=20, selection=0.25)
    )
    found = counted(*layers, training=training)
    parameters = FEATURES * 7 + 7 * OUTPUTS
    assert found.forward == 20 * plain.forward
    assert (found.backward, found.one_pass) == (0, plain.forward)
    assert found.update == parameters * (2 * 20 + 5 + 2)
    assert 20 < found.forward_passes < 30


def test_a_phase_of_pretraining_costs_the_layers_below_and_a_decoder():
    from gradsim.engine import Simulator
    from gradsim.spec.method import Pretraining

    training = Training(loss="mse", batch_size=BATCH, optimizer=Sgd(), method=Pretraining(iterations=10))
    experiment = Experiment(
        data=GaussianNoise(samples=40, features=FEATURES, outputs=OUTPUTS),
        network=Network(
            layers=(Dense(units=7, activation=Linear()), Dense(units=6, activation=Linear())),
            head=Head(activation=Linear()),
        ),
        training=training,
    )
    trace = Simulator(experiment).record()
    first, second, tuned = (operations(trace, at) for at in (0, 10, 20))
    product = 2 * BATCH * FEATURES * 7
    assert first.products == product + product + 3 * product  # forward, weights, decoder
    assert [layer.total > 0 for layer in first.layers] == [True, False, False]
    assert [layer.update > 0 for layer in second.layers] == [False, True, False]
    assert tuned.layers[-1].total > 0
    until = operations_until(trace, np.array([0, 5, 10, 15, 20, 23]))
    assert until.tolist() == [
        0,
        5 * first.total,
        10 * first.total,
        10 * first.total + 5 * second.total,
        10 * (first.total + second.total),
        10 * (first.total + second.total) + 3 * tuned.total,
    ]


def test_groups_that_are_frozen_are_not_updated():
    from gradsim.spec.method import ParameterGroup

    training = Training(
        loss="mse",
        batch_size=BATCH,
        optimizer=Sgd(),
        groups=(ParameterGroup(parameters="*.bias", trainable=False),),
    )
    assert counted(Dense(units=7), training=training).layers[0].update == 2 * FEATURES * 7
