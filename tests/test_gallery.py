"""The shipped experiments make the points that their titles and sentences promise, as they are run, with two seeds."""

from __future__ import annotations

import contextlib
import functools
import io
import json
import math
from collections.abc import Callable
from typing import Any

import msgspec
import numpy as np
import pytest

from gradsim import formats
from gradsim.analysis import cost
from gradsim.app.presets import preset_advice, preset_titles
from gradsim.app.views_table import view_named_by
from gradsim.cli import main
from gradsim.engine import Simulator
from gradsim.resource_files import resource_path
from gradsim.spec import Experiment

pytestmark = pytest.mark.timeout(300)

Document = dict[str, Any]


def shipped(name: str, other_seed: bool = False) -> Experiment:
    experiment = formats.load(resource_path("experiments", f"{name}.gradsim.json"))
    return msgspec.structs.replace(experiment, seed=seed_of(name)) if other_seed else experiment


@functools.cache
def seed_of(name: str) -> int:
    """Another seed than that in the file."""
    return 2 if shipped(name).seed == 1 else 1


@functools.cache
def told(
    name: str, other_seed: bool, *changes: str, iterations: int | None = None, beside: bool = False
) -> Document:
    """Return what ``gradsim run NAME --json`` prints; without a number it trains as long as the example asks."""
    words = ["run", name, "--json", *(word for change in changes for word in ("--set", change))]
    words += ["--seed", str(seed_of(name))] if other_seed else []
    words += [] if iterations is None else ["--iterations", str(iterations)]
    words += ["--beside", "backpropagation"] if beside else []
    stream = io.StringIO()
    with contextlib.redirect_stdout(stream):
        assert main(words) == 0
    document: Document = json.loads(stream.getvalue())
    if iterations is None:
        advice = preset_advice(name)
        assert advice is not None
        assert document["iterations"] == advice.iterations
    return document


def accuracy(document: Document) -> float:
    return float(document["after"]["validation_accuracy"])


def loss(document: Document, part: str = "validation") -> float:
    return float(document["after"][f"{part}_loss"])


def factor(document: Document, when: str = "profile_before") -> float:
    return float(document[when]["backward"]["factor_per_layer"])


def layer(document: Document, name: str) -> Document:
    found: Document = next(one for one in document["layers"] if one["name"] == name)
    return found


def held(document: Document) -> float:
    """Return dL/dh_1 / dL/dh_T of the recurrent layer."""
    return float(layer(document, "recurrent_1")["time"]["hidden_gradient"]["first_over_last"])


def moons(other: bool) -> None:
    assert accuracy(told("moons", other)) > 0.95


def curve(other: bool) -> None:
    noise = shipped("curve").data.noise  # type: ignore[union-attr]
    assert 0.5 * noise**2 < loss(told("curve", other)) < 2 * noise**2


def chain(other: bool) -> None:
    end = told("chain", other)
    one, two, _ = end["layers"]
    slope = one["activation_rms"] * (1 - one["activation_rms"])
    assert slope <= 0.25
    assert one["backward_ratio"] == pytest.approx(two["weight_rms"] * slope, rel=1e-12)
    assert loss(end, "training") < 0.5 * end["before"]["training_loss"]
    assert len(shipped("chain").data.inputs) == 1  # type: ignore[union-attr]


def _vanishes_and_does_not_learn(name: str) -> Callable[[bool], None]:
    def check(other: bool) -> None:
        assert factor(told(name, other)) < 0.75
        assert accuracy(told(name, other)) < 0.2

    return check


def hardware(other: bool) -> None:
    found = cost(Simulator(shipped("hardware", other)).record(), rate=5_000.0)
    machines = {machine.factor: machine for machine in found.machines}
    year = 365.25 * 86_400
    assert machines[1].walk > 100 * year
    assert machines[10].walk > 10 * year
    assert machines[1_000].layers_bought < 8


def exploding(other: bool) -> None:
    end = told("exploding", other)
    assert factor(end) > 1.5
    assert end["first_non_finite"]["iteration"] <= 5
    assert end["after"]["training_loss"] == "NaN"


def _flat_and_learns(name: str, least: float, within: float = 0.1) -> Callable[[bool], None]:
    def check(other: bool) -> None:
        assert 1 - within < factor(told(name, other)) < 1 + within
        assert accuracy(told(name, other)) > least

    return check


def prelu(other: bool) -> None:
    end = told("prelu", other)
    slopes = [
        one["parameters"]["prelu_slope"]["value"]["mean"]
        for one in end["layers"]
        if "prelu_slope" in one["parameters"]
    ]
    assert len(slopes) == 10
    assert np.abs(np.array(slopes) - 0.25).max() > 0.15
    assert accuracy(end) > 0.85


def fashion(other: bool) -> None:
    assert accuracy(told("fashion_batch_norm", other)) > 0.93


def residual(other: bool) -> None:
    _flat_and_learns("residual_40", 0.85)(other)
    blocks = [one["block"] for one in told("residual_40", other)["layers"] if one["block"]]
    assert len(blocks) == 39
    assert np.median([block["skip_share"] for block in blocks]) > 0.6


def _keeps_from_learning_by_heart(name: str) -> Callable[[bool], None]:
    def check(other: bool) -> None:
        with_it, without = told(name, other), told("weight_noise", other, "training.weight_noise=0")
        assert loss(with_it) < 0.75 * loss(without)
        assert loss(with_it, "training") > 1.5 * loss(without, "training")

    return check


def adding_simple(other: bool) -> None:
    assert loss(told("adding_simple", other)) > 0.14
    assert held(told("adding_simple", other)) < 1e-6


def adding_lstm(other: bool) -> None:
    """From early on and at the end the gradient reaches decades further than in the simple twin; it learns."""
    for iterations in (None,) if other else (100, None):
        here = held(told("adding_lstm", other, iterations=iterations))
        assert here > 1e-5
        assert here > 1e3 * held(told("adding_simple", other, iterations=iterations))
    assert held(told("adding_lstm", other)) > 0.01
    assert loss(told("adding_lstm", other)) < 0.03


def adding_gru(other: bool) -> None:
    assert loss(told("adding_gru", other)) < 0.03
    assert held(told("adding_gru", other)) > 0.01


def delayed_parity(other: bool) -> None:
    assert accuracy(told("delayed_parity", other)) > 0.98
    assert held(told("delayed_parity", other)) > 1e-3


def truncation(other: bool) -> None:
    end = told("truncation", other)
    norms = layer(end, "recurrent_1")["time"]["hidden_gradient"]["norm"]
    assert [norm > 0 for norm in norms] == [False] * 40 + [True] * 3
    assert accuracy(end) < 0.8
    plain = [shipped(name) for name in ("truncation", "delayed_parity")]
    assert plain[0].data == plain[1].data
    assert plain[0].training == plain[1].training


def copy_memory(other: bool) -> None:
    without_memory = 3 * math.log(4) / 66
    assert loss(told("copy_memory", other)) < 0.5 * without_memory
    simple = told("copy_memory", other, "network.layers[0].cell=simple", iterations=250)
    assert loss(simple) > 0.9 * without_memory


def sunspots(other: bool) -> None:
    samples = Simulator(shipped("sunspots")).samples
    as_this_year = np.mean((samples.validation_inputs[:, -1] - samples.validation_targets) ** 2)
    assert loss(told("sunspots", other)) < as_this_year


def float16(other: bool) -> None:
    start, end = told("float16", other, iterations=0), told("float16", other)
    for document in (start, end):
        assert layer(document, "dense_1")["zero_share"] == 1
        assert layer(document, "head")["zero_share"] == 0
    assert layer(start, "dense_1")["statistics"]["weight"] == layer(end, "dense_1")["statistics"]["weight"]
    assert sum(one["flushed"] for one in start["layers"]) > 1000
    assert layer(told("float16", other, "precision=float32", iterations=0), "dense_1")["delta_rms"] > 0


def _keeps_the_gradient(name: str, error: float) -> Callable[[bool], None]:
    def check(other: bool) -> None:
        experiment = shipped(name, other)
        kept = Simulator(experiment).record()["dense_1"]
        exact = Simulator(msgspec.structs.replace(experiment, precision="float64")).record()["dense_1"]
        lost = np.linalg.norm(kept.weight_gradient - exact.weight_gradient)
        assert lost < error * np.linalg.norm(exact.weight_gradient)
        end = told(name, other)
        assert layer(end, "dense_1")["zero_share"] < 0.01
        assert layer(end, "dense_1")["weight_gradient_rms"] > 0
        # A gradient is not yet a step: in float16 it is smaller than half the gap between two weights.
        assert (layer(end, "dense_1")["update_ratio"] == 0) == (experiment.precision == "float16")
        assert math.isfinite(loss(end))

    return check


def float16_dynamic(other: bool) -> None:
    end = told("float16_dynamic", other)
    scales = end["loss_scale"]["values"]
    assert scales[:21] == [2.0 ** (40 - k) for k in range(21)]
    assert end["loss_scale"]["iterations"][:21] == list(range(21))
    assert 2**14 <= min(scales[21:]) <= max(scales[21:]) <= 2**20
    assert layer(end, "dense_1")["zero_share"] < 0.01
    assert layer(end, "dense_1")["weight_gradient_rms"] > 0
    assert math.isfinite(loss(end))


def groups(other: bool) -> None:
    assert accuracy(told("groups", other)) > 0.2
    assert accuracy(told("groups", other, "training.groups=[]")) < 0.15


def pretraining(other: bool) -> None:
    end = told("pretraining", other)
    assert accuracy(end) > 0.3
    assert accuracy(told("pretraining", other, 'training.method="backpropagation"')) < 0.15
    phases = end["phases"]
    assert [phase["layer"] for phase in phases] == [*(f"dense_{k}" for k in range(1, 7)), None]
    assert all(phase["last_loss"] < 0.5 * phase["first_loss"] for phase in phases[:-1])
    assert {phase["loss"] for phase in phases[:-1]} == {"mse of restoring the layer's input"}
    assert phases[-1]["loss"] == "cross_entropy"


def evolution(other: bool) -> None:
    end = told("evolution", other, beside=True)
    beside = end["beside"]
    assert accuracy(end) > 0.95
    assert beside["method"] == "backpropagation"
    assert beside["course"]["loss"][0] == beside["course_beside"]["loss"][0]
    assert beside["operations"] == pytest.approx(beside["operations_beside"], rel=1e-3)
    assert beside["iterations"] > 10 * end["iterations"]
    assert np.mean(beside["course_beside"]["loss"][-100:]) < np.mean(beside["course"]["loss"][-10:])


def evolution_of_steps(other: bool) -> None:
    end = told("evolution_step", other)
    assert all(one["zero_share"] == 1 for one in end["layers"][:-1])
    assert accuracy(end) > 0.9
    assert accuracy(told("evolution_step", other, 'training.method="backpropagation"')) < 0.85


POINTS: dict[str, Callable[[bool], None]] = {
    "moons": moons,
    "curve": curve,
    "chain": chain,
    "welcome": _vanishes_and_does_not_learn("welcome"),
    "hardware": hardware,
    "exploding": exploding,
    "hundred_layers": _flat_and_learns("hundred_layers", 0.25),
    "plain_40": _vanishes_and_does_not_learn("plain_40"),
    "deep_relu": _flat_and_learns("deep_relu", 0.8, within=0.3),
    "orthogonal": _flat_and_learns("orthogonal", 0.75),
    "prelu": prelu,
    "sigmoid_batch_norm": _flat_and_learns("sigmoid_batch_norm", 0.85),
    "fashion_batch_norm": fashion,
    "residual_40": residual,
    "dropout": _keeps_from_learning_by_heart("dropout"),
    "weight_noise": _keeps_from_learning_by_heart("weight_noise"),
    "adding_simple": adding_simple,
    "adding_lstm": adding_lstm,
    "adding_gru": adding_gru,
    "delayed_parity": delayed_parity,
    "truncation": truncation,
    "copy_memory": copy_memory,
    "sunspots": sunspots,
    "float16": float16,
    "float16_loss_scale": _keeps_the_gradient("float16_loss_scale", 0.02),
    "float16_dynamic": float16_dynamic,
    "bfloat16": _keeps_the_gradient("bfloat16", 0.1),
    "groups": groups,
    "pretraining": pretraining,
    "evolution": evolution,
    "evolution_step": evolution_of_steps,
}
"""Experiment → the check of its point."""


@pytest.mark.parametrize("other_seed", [False, True], ids=["its own seed", "another seed"])
@pytest.mark.parametrize("name", POINTS)
def test_an_experiment_makes_its_point_in_the_iterations_that_it_asks_for(
    name: str, other_seed: bool
) -> None:
    POINTS[name](other_seed)


def test_every_shipped_experiment_stands_once_under_one_topic_with_its_iterations_and_its_sentence() -> None:
    topics = json.loads(resource_path("experiments", "topics.json").read_text(encoding="utf-8"))
    listed = [row["name"] for topic in topics for row in topic["experiments"]]
    titles = preset_titles()
    assert listed == [row.name for row in titles]
    assert set(listed) == set(POINTS)
    assert len({row.title for row in titles}) == len(titles)
    assert all(len(row.title) <= 80 for row in titles)
    for row in titles:
        assert row.advice is not None
        assert row.advice.iterations >= 1
        assert 40 <= len(row.advice.look) <= 150
        assert row.advice.look.endswith(".")
        assert view_named_by(row.advice.look) is not None  # it is brought up with the experiment


def test_twins_differ_in_nothing_but_the_remedy() -> None:
    plain, scaled = shipped("float16"), shipped("float16_loss_scale")
    assert plain.network == scaled.network == shipped("bfloat16").network
    assert plain.network == shipped("float16_dynamic").network
    assert (plain.data, plain.seed) == (scaled.data, scaled.seed)
    plain, blocks = shipped("plain_40"), shipped("residual_40")
    assert (plain.data, plain.seed, plain.training) == (blocks.data, blocks.seed, blocks.training)
    cells = [shipped(f"adding_{cell}") for cell in ("simple", "lstm", "gru")]
    assert len({(one.data, one.seed, one.training) for one in cells}) == 1
