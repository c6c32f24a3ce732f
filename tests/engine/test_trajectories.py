"""Twenty updates of every optimizer, schedule and clipping, against PyTorch's optimizers in float64."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, get_args

import msgspec
import numpy as np
import pytest

from gradsim.engine import Simulator
from gradsim.spec import Clipping, Experiment, Head, Network, Optimizer, Schedule, kind_of
from gradsim.spec.activation import Gelu, Prelu, Sigmoid, Softmax
from gradsim.spec.data import Moons
from gradsim.spec.training import (
    Adam,
    AdaptiveClipping,
    ConstantSchedule,
    CosineSchedule,
    GlobalNormClipping,
    Momentum,
    NoClipping,
    NormClipping,
    Sgd,
    StepSchedule,
    ValueClipping,
)
from tests.engine.small_nets import needs_torch, net

pytestmark = needs_torch

STEPS = 20
AGREEMENT = 1e-9

SCHEDULES = (
    ConstantSchedule(),
    ConstantSchedule(warm_up=7),
    StepSchedule(every=3, factor=0.7),
    StepSchedule(every=4, factor=0.5, warm_up=5),
    CosineSchedule(iterations=12, lowest=0.1),
    CosineSchedule(iterations=30, warm_up=4),
)
# each low enough to act on most iterations and high enough to leave some tensors alone
CLIPPINGS = (
    NoClipping(),
    ValueClipping(threshold=0.01),
    NormClipping(threshold=0.03),
    GlobalNormClipping(threshold=0.1),
    AdaptiveClipping(threshold=0.02),
)


def assert_follows_pytorch(experiment: Experiment) -> None:
    from tests.engine.torch_training import TrainingTwin

    simulator = Simulator(experiment)
    twin = TrainingTwin(experiment, simulator.parameters())
    samples = simulator.samples
    for iteration in range(STEPS):
        rows = simulator.record().sample_indices
        loss = twin.step(samples.training_inputs[rows], samples.training_targets[rows])
        simulator.advance(1)
        assert simulator.history().loss[-1] == pytest.approx(loss, rel=AGREEMENT)
        for name, value in simulator.parameters().items():
            exact = twin.parameters[name].detach().numpy()
            error = np.max(np.abs(value - exact)) / np.max(np.abs(exact))
            assert error <= AGREEMENT, f"{name} after {iteration + 1} updates: off by {error:.1e}"


def with_decay(kind: Any, decay: float) -> Any:
    return (
        kind(weight_decay=decay) if kind_of(kind) != "adam" else Adam(learning_rate=0.01, weight_decay=decay)
    )


@pytest.mark.parametrize("decay", [0.0, 0.03])
@pytest.mark.parametrize("kind", get_args(Optimizer), ids=kind_of)
@pytest.mark.parametrize("schedule", SCHEDULES, ids=lambda s: f"{kind_of(s)}-warm-{s.warm_up}")
def test_every_optimizer_under_every_schedule(kind: Any, schedule: Any, decay: float) -> None:
    assert_follows_pytorch(net(optimizer=with_decay(kind, decay), schedule=schedule, depth=2))


@pytest.mark.parametrize("kind", get_args(Optimizer), ids=kind_of)
@pytest.mark.parametrize("clipping", CLIPPINGS, ids=kind_of)
def test_every_clipping_before_every_optimizer(kind: Any, clipping: Any) -> None:
    assert_follows_pytorch(net(optimizer=with_decay(kind, 0.01), clipping=clipping, depth=2))


def test_the_tables_of_this_file_miss_no_kind() -> None:
    assert {type(clipping) for clipping in CLIPPINGS} == set(get_args(Clipping))
    assert {type(schedule) for schedule in SCHEDULES} == set(get_args(Schedule))


@pytest.mark.parametrize("clipping", CLIPPINGS[1:], ids=kind_of)
def test_the_thresholds_of_this_file_clip_some_iterations(clipping: Any) -> None:
    simulator = Simulator(net(optimizer=Sgd(), clipping=clipping, depth=2))
    simulator.advance(STEPS)
    assert (simulator.history().clipped < 1).any()


def changed(experiment: Experiment, change: Callable[[Any, int], Any]) -> Experiment:
    """The experiment with every hidden layer, and the head, put through ``change`` with its number."""
    layers = tuple(change(layer, i) for i, layer in enumerate(experiment.network.layers))
    head = change(experiment.network.head, len(layers))
    return msgspec.structs.replace(experiment, network=Network(layers=layers, head=head))


@pytest.mark.parametrize("clipping", CLIPPINGS, ids=kind_of)
@pytest.mark.parametrize("kind", get_args(Optimizer), ids=kind_of)
def test_frozen_layers_stay_and_do_not_count_in_the_norm(kind: Any, clipping: Any) -> None:
    def frozen(layer: Any, i: int) -> Any:
        return msgspec.structs.replace(layer, trainable=i != 1)

    experiment = changed(net(optimizer=with_decay(kind, 0.05), clipping=clipping), frozen)
    start = Simulator(experiment).parameters()
    simulator = Simulator(experiment)
    simulator.advance(3)
    for name, value in simulator.parameters().items():
        assert (value == start[name]).all() == name.startswith("dense_2.")
    assert_follows_pytorch(experiment)


@pytest.mark.parametrize("kind", get_args(Optimizer), ids=kind_of)
def test_a_layers_factor_multiplies_its_learning_rate(kind: Any) -> None:
    def scaled(layer: Any, i: int) -> Any:
        return msgspec.structs.replace(layer, learning_rate_scale=(0.0, 0.1, 3.0, 1.0)[i])

    assert_follows_pytorch(changed(net(optimizer=with_decay(kind, 0.05), schedule=SCHEDULES[3]), scaled))


@pytest.mark.parametrize("per", ["layer", "unit"])
def test_trained_slopes_move_as_in_pytorch(per: Any) -> None:
    assert_follows_pytorch(net(Prelu(per=per), optimizer=Momentum(), clipping=CLIPPINGS[3]))


@pytest.mark.parametrize(
    ("loss", "head"),
    [
        ("cross_entropy", Softmax()),
        ("binary_cross_entropy", Sigmoid()),
        ("half_mse", Sigmoid()),
        ("sse", Gelu()),
    ],
)
@pytest.mark.parametrize("shuffle", [True, False])
def test_every_loss_in_shuffled_and_plain_batches(loss: str, head: Any, shuffle: bool) -> None:
    rate = 0.01 if loss == "sse" else 0.1
    assert_follows_pytorch(
        net(head=head, loss=loss, data=Moons(samples=40), shuffle=shuffle, optimizer=Sgd(learning_rate=rate))
    )


def test_head_and_hidden_layers_take_their_own_settings() -> None:
    experiment = net(optimizer=Sgd(learning_rate=0.2))
    head = msgspec.structs.replace(experiment.network.head, trainable=False)
    assert isinstance(head, Head)
    network = msgspec.structs.replace(experiment.network, head=head)
    assert_follows_pytorch(msgspec.structs.replace(experiment, network=network))
