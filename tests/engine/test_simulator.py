"""Advancing, seeking, recording and steering: always the same bits, whatever the way there."""

from __future__ import annotations

import itertools
import threading
from pathlib import Path
from typing import Any, get_args

import msgspec
import numpy as np
import pytest

from gradsim.engine import Simulator, needed_bytes
from gradsim.engine.tape import BYTE_LIMIT
from gradsim.spec import Dense, Experiment, Network, Optimizer, SpecError, Training, kind_of
from gradsim.spec.activation import Prelu, Rrelu, Sigmoid, Softmax
from gradsim.spec.data import GaussianNoise, Moons
from gradsim.spec.training import (
    Adam,
    CosineSchedule,
    GlobalNormClipping,
    Momentum,
    Sgd,
    StepSchedule,
    ValueClipping,
)
from gradsim.trace import History
from tests.engine.small_nets import assert_same_bits, net, trained

ARRAYS = [field for field in History.__dataclass_fields__ if field not in ("layer_names", "stride")]


def assert_same_history(one: History, other: History) -> None:
    assert (one.layer_names, one.stride) == (other.layer_names, other.stride)
    for field in ARRAYS:
        assert_same_bits(getattr(one, field), getattr(other, field), field)


def assert_same_record(one: Simulator, other: Simulator) -> None:
    first, second = one.record(), other.record()
    assert (first.iteration, first.loss, first.gradient_norm) == (
        second.iteration,
        second.loss,
        second.gradient_norm,
    )
    for a, b in zip(first.layers, second.layers, strict=True):
        assert_same_bits(a.tensors, b.tensors, a.name)


def eventful(optimizer: Any, precision: str = "float64", **options: Any) -> Experiment:
    """Everything whose place in a run could be lost: shuffling, drawn slopes, a schedule, clipping."""
    return net(
        Rrelu(),
        optimizer=optimizer,
        precision=precision,
        schedule=CosineSchedule(iterations=60, warm_up=5),
        clipping=GlobalNormClipping(threshold=0.3),
        **options,
    )


@pytest.mark.parametrize("precision", ["float32", "float64"])
@pytest.mark.parametrize("kind", get_args(Optimizer), ids=kind_of)
def test_seeking_gives_the_bits_of_a_fresh_run(kind: Any, precision: str) -> None:
    experiment = eventful(kind(weight_decay=0.01), precision)
    simulator = trained(experiment, 100)
    end = simulator.parameters()
    for k in (0, 1, 15, 16, 17, 50, 99, 33, 100, 130):
        simulator.seek(k)
        assert simulator.iteration == k
        fresh = trained(experiment, k)
        assert_same_bits(simulator.parameters(), fresh.parameters(), f"iteration {k}")
        assert_same_record(simulator, fresh)
    simulator.seek(100)
    assert_same_bits(simulator.parameters(), end)


@pytest.mark.parametrize("kind", get_args(Optimizer), ids=kind_of)
def test_how_iterations_are_cut_into_calls_changes_no_bit(kind: Any) -> None:
    experiment = eventful(kind())
    whole = trained(experiment, 60)
    cut = Simulator(experiment)
    for n in (1, 2, 3, 0, 7, 1, 30, 16):
        cut.advance(n)
        cut.record()
    assert_same_bits(cut.parameters(), whole.parameters())
    assert_same_history(cut.history(), whole.history())


def test_going_back_and_forth_leaves_the_history_of_a_straight_run() -> None:
    experiment = eventful(Adam(), data=Moons(samples=40), head=Softmax(), loss="cross_entropy")
    simulator = Simulator(experiment)
    for k in (40, 3, 0, 55, 54, 20, 70):
        simulator.seek(k)
    assert simulator.reached == 70
    assert_same_history(simulator.history(), trained(experiment, 70).history())


@pytest.mark.jitless
def test_recording_changes_nothing() -> None:
    experiment = eventful(Adam())
    simulator, untouched = Simulator(experiment), Simulator(experiment)
    for _ in range(3):
        simulator.record()
        simulator.record()
        assert simulator.advance(2) == untouched.advance(2) == 2
    assert len(simulator.history()) == 6
    assert_same_bits(simulator.parameters(), untouched.parameters())
    assert_same_history(simulator.history(), untouched.history())


@pytest.mark.jitless
def test_the_recorded_update_is_the_one_that_follows() -> None:
    simulator = Simulator(eventful(Momentum()))
    simulator.advance(4)
    trace, before = simulator.record(), simulator.parameters()
    simulator.advance(1)
    for layer in trace.layers:
        for tensor in ("weight", "bias"):
            name = f"{layer.name}.{tensor}"
            assert_same_bits(layer[tensor], before[name])
            assert_same_bits(layer[tensor] + layer[f"{tensor}_update"], simulator.parameters()[name])


def test_evaluating_and_asking_for_outputs_change_nothing() -> None:
    experiment = eventful(Adam(), data=Moons(samples=40), head=Softmax(), loss="cross_entropy")
    simulator = Simulator(experiment)
    for _ in range(6):
        simulator.advance(3)
        simulator.evaluate("training")
        simulator.evaluate("validation")
        simulator.outputs(np.zeros((50, 2)))
        simulator.record()
    straight = trained(experiment, 18)
    assert_same_bits(simulator.parameters(), straight.parameters())
    assert_same_history(simulator.history(), straight.history())


def test_the_validation_part_is_evaluated_before_its_iterations() -> None:
    experiment = net(head=Softmax(), loss="cross_entropy", data=Moons(samples=40))
    history = trained(experiment, 25).history()
    assert list(history.validation_iterations) == [0, 10, 20]
    for i, iteration in enumerate(history.validation_iterations):
        result = trained(experiment, iteration).evaluate("validation")
        assert history.validation_loss[i] == result.loss
        assert history.validation_accuracy[i] == result.accuracy


def test_a_negative_iteration_is_refused() -> None:
    with pytest.raises(ValueError, match="expected an iteration from 0 on, got -1"):
        Simulator(net()).seek(-1)


def test_training_is_stopped_between_calls_and_publishes_every_place_it_reaches() -> None:
    simulator, places = Simulator(net()), []
    asked = itertools.count(1)
    done = simulator.advance(10**9, should_stop=lambda: next(asked) > 5, publish=places.append)
    assert done == simulator.iteration == places[-1]
    assert len(places) == 5
    assert places == sorted(set(places))
    assert_same_bits(simulator.parameters(), trained(net(), done).parameters())
    assert simulator.advance(10, should_stop=lambda: True) == 0
    assert simulator.advance(-3) == 0


def test_another_thread_can_stop_the_training() -> None:
    simulator, stop = Simulator(net()), threading.Event()
    results: list[int] = []
    started = threading.Event()
    thread = threading.Thread(
        target=lambda: results.append(
            simulator.advance(10**9, should_stop=stop.is_set, publish=lambda _: started.set())
        )
    )
    thread.start()
    assert started.wait(30)
    stop.set()
    thread.join(30)
    assert results == [simulator.iteration]


def retrained(experiment: Experiment, **changes: Any) -> Experiment:
    training = msgspec.structs.replace(experiment.training, **changes)
    return msgspec.structs.replace(experiment, training=training)


CONTINUING = [
    {"optimizer": Adam()},
    {"optimizer": Sgd(learning_rate=0.01)},
    {"clipping": ValueClipping(threshold=0.1)},
    {"schedule": StepSchedule(every=3)},
    {"loss": "sse"},
    {"shuffle": False},
]


@pytest.mark.parametrize("changes", CONTINUING, ids=lambda c: "-".join(c))
def test_other_training_settings_go_on_from_here(changes: dict[str, Any]) -> None:
    experiment = net(optimizer=Momentum())
    edited = retrained(experiment, **changes)
    simulator = trained(experiment, 20)
    before = simulator.parameters()
    assert simulator.can_continue(edited)
    simulator.change_training(edited)
    assert (simulator.iteration, simulator.experiment) == (20, edited)
    assert_same_bits(simulator.parameters(), before)
    simulator.advance(10)
    assert not all(np.array_equal(simulator.parameters()[name], before[name]) for name in before)
    assert len(simulator.history()) == 30


@pytest.mark.parametrize("changes", CONTINUING, ids=lambda c: "-".join(c))
@pytest.mark.parametrize("border", [0, 16, 20])
def test_seeking_across_a_change_of_training_gives_the_same_bits(
    changes: dict[str, Any], border: int
) -> None:
    experiment = net(Rrelu(), optimizer=Momentum())
    simulator = trained(experiment, border)
    simulator.change_training(retrained(experiment, **changes))
    at: dict[int, Any] = {}
    losses = {}
    for k in (border, border + 5, border + 40):
        simulator.seek(k)
        at[k], losses[k] = simulator.parameters(), simulator.record().loss
    history = simulator.history()
    assert list(history.iterations) == list(range(border + 40))
    for k in (border + 5, max(0, border - 3), border + 40, border, 0, border + 5, border):
        simulator.seek(k)
        if k in at:
            assert_same_bits(simulator.parameters(), at[k], f"iteration {k}")
            assert simulator.record().loss == losses[k]
            assert simulator.experiment == retrained(experiment, **changes)
        else:
            assert_same_bits(simulator.parameters(), trained(experiment, k).parameters(), f"iteration {k}")
            assert simulator.experiment == experiment
    simulator.seek(border + 40)
    assert_same_history(simulator.history(), history)


def test_an_optimizer_of_the_same_kind_keeps_its_memory_and_another_starts_anew() -> None:
    experiment = net(optimizer=Adam(learning_rate=0.01))
    same = trained(experiment, 10)
    same.change_training(retrained(experiment, optimizer=Adam(learning_rate=0.01)))
    same.advance(5)
    assert_same_bits(same.parameters(), trained(experiment, 15).parameters())

    other = trained(net(optimizer=Sgd()), 10)
    fresh = Simulator(experiment)
    other.change_training(experiment)
    fresh.load_parameters(other.parameters())
    # iteration 10 of one and iteration 0 of the other see different batches, so only the rule is compared
    update = other.record()["head"].weight_update
    gradient = other.record()["head"].weight_gradient
    np.testing.assert_allclose(update, -0.01 * gradient / (np.abs(gradient) + 1e-8), rtol=1e-9)


def test_a_change_forgets_what_came_after_it() -> None:
    experiment = net()
    simulator = trained(experiment, 50)
    simulator.seek(20)
    simulator.change_training(retrained(experiment, optimizer=Sgd(learning_rate=0.5)))
    assert simulator.reached == 20
    assert list(simulator.history().iterations) == list(range(20))
    simulator.advance(5)
    straight = trained(experiment, 20)
    straight.change_training(retrained(experiment, optimizer=Sgd(learning_rate=0.5)))
    straight.advance(5)
    assert_same_bits(simulator.parameters(), straight.parameters())
    assert_same_history(simulator.history(), straight.history())


def test_many_changes_can_be_rewound_one_by_one() -> None:
    simulator = Simulator(net(optimizer=Sgd()))
    expected: dict[int, Any] = {0: simulator.parameters()}
    for i, changes in enumerate(CONTINUING):
        simulator.advance(7)
        expected[simulator.iteration] = simulator.parameters()
        simulator.change_training(retrained(simulator.experiment, **changes))
        if i == 2:
            simulator.load_parameters({"head.bias": np.full(3, 0.5)})
            expected[simulator.iteration] = simulator.parameters()
    simulator.advance(9)
    expected[simulator.iteration] = simulator.parameters()
    for k in (*reversed(expected), *expected):
        simulator.seek(k)
        assert_same_bits(simulator.parameters(), expected[k], f"iteration {k}")


def test_changes_that_need_a_new_run_are_refused() -> None:
    experiment = net()
    replace = msgspec.structs.replace
    simulator = trained(experiment, 5)
    before = simulator.parameters()
    for edited in (
        replace(experiment, seed=4),
        replace(experiment, precision="float32"),
        replace(experiment, data=GaussianNoise(samples=41, features=4, outputs=3)),
        replace(experiment, network=Network(layers=(Dense(units=5),), head=experiment.network.head)),
        retrained(experiment, batch_size=12),
        replace(experiment, parameters="other.npz"),
    ):
        assert not simulator.can_continue(edited)
        with pytest.raises(SpecError, match="this change needs a new run"):
            simulator.change_training(edited)
    assert (simulator.experiment, simulator.iteration) == (experiment, 5)
    assert_same_bits(simulator.parameters(), before)


def test_the_name_of_an_experiment_may_change_while_it_runs() -> None:
    experiment = net()
    assert trained(experiment, 5).can_continue(msgspec.structs.replace(experiment, name="other"))


def test_a_loss_that_changes_the_shape_of_the_outputs_needs_a_new_run() -> None:
    experiment = net(head=Sigmoid(), loss="mse", data=Moons(samples=40))
    assert not Simulator(experiment).can_continue(retrained(experiment, loss="binary_cross_entropy"))


@pytest.mark.parametrize("border", [0, 16, 20])
def test_given_parameters_hold_from_here_on_and_not_before(border: int) -> None:
    experiment = net(Prelu(), optimizer=Momentum())
    simulator = trained(experiment, border)
    given = {"dense_2.weight": np.full((5, 5), 0.25), "dense_1.slope": [0.125]}
    simulator.load_parameters(given)
    assert_same_bits(simulator.parameters()["dense_2.weight"], given["dense_2.weight"])
    there = simulator.parameters()
    simulator.advance(30)
    end = simulator.parameters()
    if border:
        simulator.seek(border - 1)
        assert_same_bits(simulator.parameters(), trained(experiment, border - 1).parameters())
    simulator.seek(border)
    assert_same_bits(simulator.parameters(), there)
    simulator.seek(border + 30)
    assert_same_bits(simulator.parameters(), end)


def test_parameters_are_copies() -> None:
    simulator = Simulator(net())
    simulator.parameters()["head.bias"][:] = 7
    given = np.ones(3)
    simulator.load_parameters({"head.bias": given})
    given[:] = 9
    assert (simulator.parameters()["head.bias"] == 1).all()


@pytest.mark.parametrize(
    ("given", "path", "reason"),
    [
        ({"dense_9.weight": [[1.0]]}, "dense_9.weight", "no such parameter; the network has dense_1.weight"),
        ({"head.bias": [1.0]}, "head.bias", r"expected the shape \(3,\), got \(1,\)"),
        ({"head.weight": np.zeros((3, 5))}, "head.weight", r"expected the shape \(5, 3\), got \(3, 5\)"),
    ],
)
def test_wrong_parameters_are_refused_by_name_and_change_nothing(given: Any, path: str, reason: str) -> None:
    simulator = trained(net(), 3)
    before = simulator.parameters()
    with pytest.raises(SpecError, match=reason) as refused:
        simulator.load_parameters({"dense_1.bias": np.zeros(5)} | given)
    assert refused.value.path == path
    assert_same_bits(simulator.parameters(), before)


def test_infinite_and_huge_parameters_are_taken_as_the_precision_holds_them() -> None:
    simulator = Simulator(net(precision="float32"))
    simulator.load_parameters({"head.bias": np.array([np.inf, np.nan, 1e300])})
    assert_same_bits(simulator.parameters()["head.bias"], np.array([np.inf, np.nan, np.inf], np.float32))
    assert not np.isfinite(simulator.record().loss)


def test_initial_parameters_come_from_the_file_beside_the_experiment(tmp_path: Path) -> None:
    start = trained(net(), 8).parameters()
    np.savez(tmp_path / "weights.npz", **start)
    experiment = msgspec.structs.replace(net(), parameters="weights.npz")
    simulator = Simulator(experiment, tmp_path)
    assert_same_bits(simulator.parameters(), start)
    simulator.advance(3)
    simulator.seek(0)
    assert_same_bits(simulator.parameters(), start)
    with pytest.raises(SpecError):
        Simulator(experiment, tmp_path / "elsewhere")


def test_a_network_that_does_not_fit_is_refused_with_bytes_and_limit_before_anything_is_allocated() -> None:
    import tracemalloc

    huge = Experiment(
        data=GaussianNoise(samples=10, features=4, outputs=3),
        network=Network(layers=(Dense(units=4096),) * 200),
        training=Training(loss="mse", batch_size=10),
    )
    tracemalloc.start()
    try:
        with pytest.raises(
            SpecError, match=rf"expected a network that fits into {BYTE_LIMIT:,} bytes"
        ) as error:
            Simulator(huge)
        assert tracemalloc.get_traced_memory()[1] < 20e6
    finally:
        tracemalloc.stop()
    assert error.value.path == "$.network"
    told = int(str(error.value).split("needs ")[1].split(" ")[0].replace(",", ""))
    assert told > BYTE_LIMIT
    assert told > 199 * 4096**2 * 4 * 5  # parameters, gradients, clipped, updates of a run and of its record
    with pytest.raises(SpecError, match="bytes"):
        needed_bytes(huge)


def test_the_needed_bytes_grow_with_width_batch_precision_and_optimizer() -> None:
    small = needed_bytes(net())
    for larger in (
        net(units=50),
        net(batch_size=30),
        net(depth=9),
        net(optimizer=Adam()),
    ):
        assert needed_bytes(larger) > small
    assert needed_bytes(net(precision="float32", units=50)) < needed_bytes(net(units=50))


def test_networks_of_one_sample_one_feature_and_one_unit_run() -> None:
    data = GaussianNoise(samples=2, features=1, outputs=1)
    simulator = trained(net(units=1, depth=1, data=data, batch_size=1), 10)
    assert np.isfinite(simulator.history().loss).all()
