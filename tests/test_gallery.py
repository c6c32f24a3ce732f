"""The shipped experiments make the points that their titles promise, with more than one seed."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import msgspec
import numpy as np
import pytest

from gradsim import formats
from gradsim.analysis import cost, profile
from gradsim.app.presets import preset_titles
from gradsim.engine import Simulator
from gradsim.resource_files import resource_path
from gradsim.spec import Experiment
from gradsim.spec.method import Backpropagation

SEEDS = (None, 1)
"""None is the seed in the file."""


def shipped(name: str, seed: int | None = None, **training: Any) -> Experiment:
    experiment = formats.load(resource_path("experiments", f"{name}.gradsim.json"))
    return msgspec.structs.replace(
        experiment,
        seed=experiment.seed if seed is None else seed,
        training=msgspec.structs.replace(experiment.training, **training),
    )


def trained(experiment: Experiment, iterations: int) -> Simulator:
    simulator = Simulator(experiment)
    simulator.advance(iterations)
    return simulator


def accuracy(simulator: Simulator) -> float:
    told = simulator.evaluate("validation").accuracy
    assert told is not None
    return told


def factor(simulator: Simulator) -> float:
    return profile(simulator.record()).backward_fit.factor


def _vanishes_and_does_not_learn(name: str, iterations: int) -> Callable[[int | None], None]:
    def check(seed: int | None) -> None:
        assert factor(Simulator(shipped(name, seed))) < 0.75
        assert accuracy(trained(shipped(name, seed), iterations)) < 0.2

    return check


def _flat_and_learns(name: str, iterations: int, least: float) -> Callable[[int | None], None]:
    def check(seed: int | None) -> None:
        assert 0.9 < factor(Simulator(shipped(name, seed))) < 1.1
        assert accuracy(trained(shipped(name, seed), iterations)) > least

    return check


def _keeps_from_learning_by_heart(name: str) -> Callable[[int | None], None]:
    def check(seed: int | None) -> None:
        remedy = shipped(name, seed)
        layers = tuple(layer for layer in remedy.network.layers if type(layer).__name__ != "Dropout")
        plain = msgspec.structs.replace(
            shipped(name, seed, weight_noise=0.0),
            network=msgspec.structs.replace(remedy.network, layers=layers),
        )
        with_it, without = trained(remedy, 600), trained(plain, 600)
        assert with_it.evaluate("validation").loss < 0.75 * without.evaluate("validation").loss
        assert with_it.evaluate("training").loss > 1.5 * without.evaluate("training").loss

    return check


def _learns_where(name: str, iterations: int, least: float, **plain: Any) -> Callable[[int | None], None]:
    def check(seed: int | None) -> None:
        assert accuracy(trained(shipped(name, seed), iterations)) > least
        assert accuracy(trained(shipped(name, seed, **plain), iterations)) < 0.15

    return check


def fashion(seed: int | None) -> None:
    assert accuracy(trained(shipped("fashion_batch_norm", seed), 100)) > 0.93


def prelu(seed: int | None) -> None:
    simulator = trained(shipped("prelu", seed), 400)
    slopes = [value for name, value in simulator.parameters().items() if name.endswith(".slope")]
    assert len(slopes) == 10
    assert np.abs(np.array([slope.mean() for slope in slopes]) - 0.25).max() > 0.15
    assert accuracy(simulator) > 0.85


def truncation(seed: int | None) -> None:
    layer = trained(shipped("truncation", seed), 20).record()["recurrent_1"]
    steps = layer.hidden_gradient.any(axis=(0, 2))
    assert steps.tolist() == [False] * 40 + [True] * 10


def _through_time(name: str, least: float, most: float) -> Callable[[int | None], None]:
    def check(seed: int | None) -> None:
        layer = next(
            layer for layer in Simulator(shipped(name, seed)).record().layers if layer.kind == "recurrent"
        )
        sizes = np.abs(layer.hidden_gradient).mean(axis=(0, 2))
        assert least < sizes[0] / sizes[-1] < most

    return check


def adding_gru(seed: int | None) -> None:
    assert trained(shipped("adding_gru", seed), 400).evaluate("validation").loss < 0.1
    assert trained(shipped("adding_simple", seed), 400).evaluate("validation").loss > 0.14


def float16(seed: int | None) -> None:
    experiment = shipped("float16", seed)
    simulator = Simulator(experiment)
    weights = simulator.parameters()["dense_1.weight"]
    trace = simulator.record()
    assert not trace["dense_1"].delta.any()
    assert trace["head"].delta.all()
    assert sum(layer.rounding.flushed_backward for layer in trace.layers) > 1000
    simulator.advance(200)
    np.testing.assert_array_equal(simulator.parameters()["dense_1.weight"], weights)
    assert Simulator(msgspec.structs.replace(experiment, precision="float32")).record()["dense_1"].delta.any()


def _keeps_the_gradient(name: str, error: float) -> Callable[[int | None], None]:
    def check(seed: int | None) -> None:
        experiment = shipped(name, seed)
        simulator = Simulator(experiment)
        kept = simulator.record()["dense_1"]
        exact = Simulator(msgspec.structs.replace(experiment, precision="float64")).record()["dense_1"]
        lost = np.linalg.norm(kept.weight_gradient - exact.weight_gradient)
        assert lost < error * np.linalg.norm(exact.weight_gradient)
        assert (kept.delta == 0).mean() < 0.01
        simulator.advance(200)
        assert np.isfinite(simulator.record().loss)

    return check


def evolution(seed: int | None) -> None:
    assert accuracy(trained(shipped("evolution", seed), 150)) > 0.95


def evolution_of_steps(seed: int | None) -> None:
    trace = Simulator(shipped("evolution_step", seed)).record()
    assert not any(layer.delta.any() for layer in trace.layers[:-1])
    assert accuracy(trained(shipped("evolution_step", seed), 200)) > 0.9
    plain = shipped("evolution_step", seed, method=Backpropagation())
    assert accuracy(trained(plain, 200)) < 0.85


def hardware(seed: int | None) -> None:
    found = cost(Simulator(shipped("hardware", seed)).record(), rate=5_000.0)
    machines = {machine.factor: machine for machine in found.machines}
    year = 365.25 * 86_400
    assert machines[1].walk > 100 * year
    assert machines[10].walk > 10 * year
    assert machines[1_000].layers_bought < 8


POINTS: dict[str, Callable[[int | None], None]] = {
    "welcome": _vanishes_and_does_not_learn("welcome", 300),
    "hardware": hardware,
    "plain_40": _vanishes_and_does_not_learn("plain_40", 150),
    "residual_40": _flat_and_learns("residual_40", 200, 0.85),
    "sigmoid_batch_norm": _flat_and_learns("sigmoid_batch_norm", 400, 0.85),
    "fashion_batch_norm": fashion,
    "orthogonal": _flat_and_learns("orthogonal", 150, 0.75),
    "prelu": prelu,
    "dropout": _keeps_from_learning_by_heart("dropout"),
    "weight_noise": _keeps_from_learning_by_heart("weight_noise"),
    "adding_simple": _through_time("adding_simple", 0.0, 1e-3),
    "adding_lstm": _through_time("adding_lstm", 1e-12, np.inf),
    "adding_gru": adding_gru,
    "truncation": truncation,
    "float16": float16,
    "float16_loss_scale": _keeps_the_gradient("float16_loss_scale", 0.02),
    "bfloat16": _keeps_the_gradient("bfloat16", 0.1),
    "groups": _learns_where("groups", 800, 0.2, groups=()),
    "pretraining": _learns_where("pretraining", 4500, 0.3, method=Backpropagation()),
    "evolution": evolution,
    "evolution_step": evolution_of_steps,
}
"""Experiment → the check of its point."""


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", POINTS)
def test_an_experiment_makes_its_point(name: str, seed: int | None) -> None:
    POINTS[name](seed)


def test_every_shipped_experiment_stands_once_under_one_topic() -> None:
    topics = json.loads(resource_path("experiments", "topics.json").read_text(encoding="utf-8"))
    listed = [name for topic in topics for name in topic["experiments"]]
    titles = preset_titles()
    assert listed == [row.name for row in titles]
    assert len({row.title for row in titles}) == len(titles)
    assert all(len(row.title) <= 80 for row in titles)


def test_twins_differ_in_nothing_but_the_remedy() -> None:
    plain, scaled = shipped("float16"), shipped("float16_loss_scale")
    assert plain.network == scaled.network == shipped("bfloat16").network
    assert (plain.data, plain.seed) == (scaled.data, scaled.seed)
    plain, blocks = shipped("plain_40"), shipped("residual_40")
    assert (plain.data, plain.seed, plain.training) == (blocks.data, blocks.seed, blocks.training)
