"""What an iteration costs, and what faster hardware buys."""

import math

import numpy as np
import pytest

from gradsim.analysis import (
    amount_words,
    cost,
    cost_sentences,
    duration_words,
    factor_words,
    iterations_to_move,
    layers_bought,
    measured_speed,
    profile,
)
from tests.kind_runs import kind_run
from tests.reference import reference_run


@pytest.mark.parametrize(
    ("ratio", "straight", "walk"),
    [
        (0.01, 1, 1),
        (0.5, 1, 1),
        (0.001, 10, 100),
        (0.003, 4, 12),
        (1e-6, 1e4, 1e8),
        (0.0, math.inf, math.inf),
        (math.inf, 1, 1),
        (math.nan, math.nan, math.nan),
        (1e-200, 1e198, math.inf),
    ],
)
def test_the_way_to_one_percent_is_straight_at_best_and_a_random_walk_otherwise(ratio, straight, walk):
    np.testing.assert_allclose(iterations_to_move(ratio), (straight, walk), rtol=1e-12)


def test_ten_times_the_speed_buys_1_6_layers_at_0_24_per_layer():
    assert layers_bought(10, 0.24) == pytest.approx(1.6134, abs=1e-4)
    assert layers_bought(1, 0.24) == 0
    assert layers_bought(10, 1.0) == math.inf
    assert layers_bought(10, 0.0) == 0
    assert math.isnan(layers_bought(10, math.nan))


def test_speed_divides_the_time_and_the_layers_come_from_the_measured_factor():
    run = reference_run(layers=6, units=16, activation="sigmoid", records=12)
    found = cost(run.trace, rate=200.0)
    here, ten, *_ = found.machines
    assert found.flops == found.operations.total * 200.0
    assert here.straight == found.first.straight / 200.0
    assert ten.straight == pytest.approx(here.straight / 10)
    assert ten.walk == pytest.approx(here.walk / 10)
    factor = profile(run.trace).backward_fit.factor
    assert ten.layers_bought == pytest.approx(-math.log(10) / math.log(factor))


def test_without_a_measured_speed_there_is_no_time():
    found = cost(kind_run("lstm").trace)
    assert math.isnan(found.rate)
    assert math.isnan(found.machines[0].straight)
    assert not any("Measured" in sentence for sentence in cost_sentences(found))


def test_the_ratio_is_the_median_of_the_last_records():
    run = kind_run("residual")
    found = cost(run.trace, run.history)
    ratios = run.history.series("update", "rms", 0) / run.history.series("weight", "rms", 0)
    assert found.first.ratio == pytest.approx(np.median(ratios), rel=1e-6)
    alone = cost(run.trace).first
    statistics = run.trace.layers[0].statistics
    assert alone.ratio == pytest.approx(statistics["update"].rms / statistics["weight"].rms, rel=1e-6)


@pytest.mark.parametrize("fault", ["nan", "inf"])
def test_broken_updates_lead_nowhere(fault):
    run = reference_run(layers=4, fault=fault)
    found = cost(run.trace, run.history, rate=10.0)
    assert math.isnan(found.first.ratio)
    assert all(math.isnan(machine.straight) for machine in found.machines)
    assert "is not a number" in " ".join(cost_sentences(found))


def test_weights_that_are_all_0_are_told():
    run = reference_run(layers=4, fault="zero")
    found = cost(run.trace, rate=10.0)
    moves = run.trace.layers[0].update.any()
    assert found.first.ratio == (math.inf if moves else 0.0)
    assert ("all 0" if moves else "never moves") in " ".join(cost_sentences(found))


def still(update):
    """Return a record whose first layer has the weights 1 and one update everywhere."""
    import dataclasses
    from types import MappingProxyType

    run = reference_run(layers=3, units=8, records=3)
    first = run.trace.layers[0]
    weight = np.ones_like(first.weight)
    moved = np.full_like(weight, update)
    tensors = MappingProxyType(
        dict(first.tensors) | {"weight": weight, "update": moved, "weight_update": moved}
    )
    statistics = MappingProxyType(
        dict(first.statistics)
        | {
            "weight": dataclasses.replace(first.statistics["weight"], rms=1.0),
            "update": dataclasses.replace(first.statistics["update"], rms=float(abs(np.float64(update)))),
        }
    )
    layer = dataclasses.replace(first, tensors=tensors, statistics=statistics)
    return dataclasses.replace(run.trace, layers=(layer, *run.trace.layers[1:]))


def test_a_layer_whose_update_is_0_never_moves_on_any_machine():
    found = cost(still(0.0), rate=100.0)
    assert found.first.ratio == 0
    assert all(machine.straight == math.inf for machine in found.machines)
    assert "never moves: its update is exactly 0" in " ".join(cost_sentences(found))


def test_updates_that_the_precision_rounds_away_move_nothing():
    found = cost(still(1e-9), rate=100.0)
    assert found.first.standing_still == 1.0
    assert found.first.straight == math.inf
    assert "rounded away" in " ".join(cost_sentences(found))
    assert cost(still(1e-3)).first.standing_still == 0.0


class Counter:
    """A trainer that needs a tenth of a second per iteration and moves by a thousandth."""

    def __init__(self):
        self.iteration, self.time = 7, 0.0

    def advance(self, iterations, should_stop=None):
        for done in range(iterations):
            if should_stop is not None and should_stop():
                return done
            self.iteration += 1
            self.time += 0.1
        return iterations

    def parameters(self):
        return {"dense_1.weight": np.full((2, 3), 1.0 + 0.001 * self.iteration)}


def test_speed_is_measured_after_a_first_iteration_and_so_is_the_distance():
    trainer = Counter()
    speed = measured_speed(trainer, 0.95, clock=lambda: trainer.time)
    assert trainer.iteration == 7 + 1 + speed.iterations
    assert speed.iterations == 10
    assert speed.rate == pytest.approx(10.0)
    assert speed.moved("dense_1") == pytest.approx(0.010 / 1.008)
    assert math.isnan(speed.moved("dropout_1"))


def test_a_measurement_can_be_stopped():
    trainer = Counter()
    assert measured_speed(trainer, 10.0, lambda: True, lambda: trainer.time).iterations == 0


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.0, "0 ns"),
        (3e-9, "3 ns"),
        (0.25, "250 ms"),
        (90.0, "1.5 min"),
        (86_400.0 * 30, "30 days"),
        (31_557_600.0 * 123, "123 years"),
        (1e30, "3.2e+22 years"),
        (math.inf, "never"),
        (math.nan, "not a number"),
    ],
)
def test_durations_have_the_unit_that_suits_them(seconds, words):
    assert duration_words(seconds) == words


def test_amounts_and_factors_have_words():
    assert amount_words(1.234e9, "FLOP/s") == "1.23 GFLOP/s"
    assert amount_words(48, "FLOP") == "48 FLOP"
    assert amount_words(math.nan, "FLOP") == "unknown FLOP"
    assert [factor_words(f) for f in (10.0, 1e3, 1e6)] == ["10×", "1,000×", "10⁶×"]


@pytest.mark.parametrize(
    ("precision", "update", "is_still"),
    [("float16", 4e-4, True), ("float16", 6e-4, False), ("bfloat16", 3e-3, True), ("bfloat16", 5e-3, False)],
)
def test_narrow_precisions_round_more_away(precision, update, is_still):
    import dataclasses

    import msgspec

    trace = still(np.float32(update))
    narrow = msgspec.structs.replace(trace.experiment, precision=precision)
    found = cost(dataclasses.replace(trace, experiment=narrow)).first
    assert found.standing_still == float(is_still)
