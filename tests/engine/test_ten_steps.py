"""Ten training steps of every kind of layer, alone and nested at random, beside PyTorch training alone.

PyTorch gets the start parameters, the batches and what was drawn for them (masks of dropouts, random slopes), and
never sees a parameter of ours again. After ten steps all parameters and running values are the same.
"""

from __future__ import annotations

from typing import Any, get_args

import msgspec
import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st

from gradsim.engine import Simulator
from gradsim.spec import Dropout, Experiment, Optimizer, kind_of, unrolled_layers
from gradsim.spec.activation import Rrelu
from gradsim.trace import IterationTrace, SampleSet
from tests.engine.nested_nets import (
    KINDS,
    KINDS_IN_TIME,
    dense,
    everything_in,
    experiment_of,
    experiments_around,
    last_step_only,
    sequences,
    simulator_of,
)
from tests.engine.small_nets import needs_torch

pytestmark = needs_torch

STEPS = 10
AGREEMENT = 1e-9
EPS = 1e-5
"""The least that a normalization adds to a variance."""
WILD = 100.0
"""A gradient so long that the run is chaotic: what rounding takes apart there is no fault of either."""

RANDOM = settings(
    max_examples=2,
    derandomize=True,  # the same nets in every run, so that one that cancels in a new way fails no other's work
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # ten steps of each are too slow to be shrunk
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
OPTIMIZERS = [
    # A gradient that is 0 but for its rounding must stay far below eps, which the adaptive ones divide by.
    kind(learning_rate=0.01, **({"eps": 1e-4} if hasattr(kind, "eps") else {}))
    for kind in get_args(Optimizer)
]
MOMENTUM, ADAM = (next(each for each in OPTIMIZERS if kind_of(each) == name) for name in ("momentum", "adam"))


def shaken(parameters: dict[str, Any], scale: float) -> dict[str, Any]:
    """Start values none of which is 0 or 1 by habit, so that each has a relative error."""
    random = np.random.default_rng(11)
    spread = {"bias": 0.3, "beta": 0.3, "gamma": 0.2, "slope": 0.1, "running_mean": 0.5, "scale": scale}
    moved = {}
    for name, value in parameters.items():
        short = name.rpartition(".")[2].removeprefix("recurrent_")
        moved[name] = value + spread.get(short, 0.0) * random.normal(size=value.shape)
        if short not in spread and np.abs(value).max() < 0.01:  # weights of gain 0
            moved[name] = 0.3 * random.normal(size=value.shape)
        if short == "running_variance":
            moved[name] = value * random.uniform(0.5, 2.0, size=value.shape)
    return moved


def drawn_in(trace: IterationTrace) -> dict[str, Any]:
    """What was drawn at random for an iteration: the masks of dropouts, and the slopes of rrelus."""
    random = {
        place.name
        for place in unrolled_layers(trace.experiment.network)
        if isinstance(place.layer, Dropout) or isinstance(getattr(place.layer, "activation", None), Rrelu)
    }
    return {name: trace[name].slope for name in random}


def ten_steps(
    experiment: Experiment, samples: SampleSet | None = None, scale: float = 0.0
) -> tuple[Simulator, dict[str, Any], list[IterationTrace]]:
    """The simulator after ten steps, the parameters it began with, and the records of the steps."""
    simulator = simulator_of(experiment, samples)
    simulator.load_parameters(shaken(simulator.parameters(), scale))
    start, records = simulator.parameters(), []
    for _ in range(STEPS):
        records.append(simulator.record())
        simulator.advance(1)
    return simulator, start, records


def assert_is_what_pytorch_trains(
    simulator: Simulator, start: dict[str, Any], records: list[IterationTrace]
) -> None:
    from tests.engine.torch_training import TrainingTwin

    twin, data = TrainingTwin(simulator.experiment, start), simulator.samples
    for trace in records:
        rows = trace.sample_indices
        loss = twin.step(data.training_inputs[rows], data.training_targets[rows], drawn_in(trace))
        assert trace.loss == pytest.approx(loss, rel=AGREEMENT)
    exacts = {name: value.detach().numpy() for name, value in twin.parameters.items()}
    for name, value in simulator.parameters().items():
        exact = exacts[name]
        error, size = np.linalg.norm(value - exact), np.linalg.norm(exact)
        if "running_" in name:
            # The mean of what has none, the variance of what has none: 0 but for rounding. What x is divided by tells.
            variance = exacts[name.replace("mean", "variance")] + EPS
            size = max(size, np.linalg.norm(np.sqrt(variance) if name.endswith("mean") else variance))
        assert error <= AGREEMENT * size, f"{name} is off by {error:.1e} of {size:.1e}"


def is_wild(records: list[IterationTrace]) -> bool:
    return not all(np.isfinite(trace.loss) and trace.gradient_norm < WILD for trace in records)


both_optimizers = pytest.mark.parametrize("optimizer", [MOMENTUM, ADAM], ids=kind_of)


@both_optimizers
@pytest.mark.parametrize("kind", KINDS)
def test_ten_steps_of_a_kind_alone_are_pytorchs(kind: str, optimizer: Any) -> None:
    assert_is_what_pytorch_trains(*ten_steps(experiment_of(KINDS[kind], dense(), optimizer=optimizer)))


@pytest.mark.parametrize("every_step", [True, False], ids=["every step", "last step"])
@pytest.mark.parametrize("kind", KINDS_IN_TIME)
def test_ten_steps_of_a_recurrent_kind_alone_are_pytorchs(kind: str, every_step: bool) -> None:
    layers = (KINDS_IN_TIME[kind],)
    if not every_step:
        ends = last_step_only(layers[0])
        layers = (ends,) if ends != layers[0] else (*layers, last_step_only(KINDS_IN_TIME["lstm"]))
    experiment = experiment_of(*layers, optimizer=ADAM if every_step else MOMENTUM)
    assert_is_what_pytorch_trains(*ten_steps(experiment, sequences(5, every_step)))


def assert_nested_at_random_trains_as_pytorch(
    data: st.DataObject, layer: Any, samples: SampleSet | None = None, **options: Any
) -> None:
    experiment = data.draw(experiments_around(layer, max_depth=5, **options))
    assert layer in everything_in(experiment.network.layers)
    training = msgspec.structs.replace(
        experiment.training, optimizer=data.draw(st.sampled_from(OPTIMIZERS)), loss="mse"
    )
    run = ten_steps(msgspec.structs.replace(experiment, training=training), samples, scale=0.1)
    assume(not is_wild(run[2]))
    assert_is_what_pytorch_trains(*run)


@RANDOM
@pytest.mark.parametrize("kind", KINDS)
@given(st.data())
def test_ten_steps_of_a_kind_nested_at_random_are_pytorchs(kind: str, data: st.DataObject) -> None:
    assert_nested_at_random_trains_as_pytorch(data, KINDS[kind])


@settings(RANDOM, max_examples=1)
@pytest.mark.parametrize("every_step", [True, False], ids=["every step", "last step"])
@pytest.mark.parametrize("kind", KINDS_IN_TIME)
@given(st.data())
def test_ten_steps_of_a_recurrent_kind_nested_at_random_are_pytorchs(
    kind: str, every_step: bool, data: st.DataObject
) -> None:
    samples, layer = sequences(4, every_step), KINDS_IN_TIME[kind]
    assert_nested_at_random_trains_as_pytorch(data, layer, samples, in_time=True, every_step=every_step)
