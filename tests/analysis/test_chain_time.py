"""The chain rule inside recurrent cells, of numbers that act on outputs, and the means over a batch: all exact."""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import numpy as np
import pytest

import gradsim
from gradsim.analysis.chain_means import mean_product
from gradsim.analysis.chain_rule import WeightChain, weight_chain, weight_tensors
from gradsim.engine import Simulator
from gradsim.resource_files import resource_path
from gradsim.spec import (
    ActivationLayer,
    Dense,
    Experiment,
    Head,
    Network,
    Normalization,
    Recurrent,
    Residual,
    Training,
)
from gradsim.spec.activation import Linear, Prelu, Tanh
from gradsim.spec.data import Adding, GaussianNoise
from gradsim.trace import IterationTrace
from tests.kind_runs import SEQUENCES, kind_run

PRECISE = 1e-12
CELLS: dict[str, dict[str, Any]] = {
    "simple": {"cell": "simple"},
    "relu": {"cell": "simple", "activation": "relu"},
    "lstm": {"cell": "lstm"},
    "gru": {"cell": "gru"},
    "gru, reset before": {"cell": "gru", "reset_after": False},
}


@cache
def sequence_trace(
    name: str, truncation: int = 0, units: int = 3, precision: str = "float64"
) -> IterationTrace:
    experiment = Experiment(
        precision=precision,  # type: ignore[arg-type]
        seed=7,
        data=Adding(samples=24, steps=6),
        network=Network(
            layers=(
                Recurrent(units=units, truncation=truncation, **CELLS[name]),
                Dense(units=2, activation=Tanh()),
            ),
            head=Head(activation=Linear()),
        ),
        training=Training(loss="mse", batch_size=5),
    )
    simulator = Simulator(experiment)
    simulator.advance(3)
    return simulator.record()


def assert_exact(found: WeightChain, gradient: float) -> None:
    size = np.abs(found.terms).sum()
    assert found.total == pytest.approx(gradient, rel=0, abs=PRECISE * size)
    assert found.path_total == pytest.approx(gradient, rel=0, abs=PRECISE * found.path_sizes)
    if found.loss_by_output is not None and found.output_by_preactivation is not None:
        np.testing.assert_allclose(
            found.loss_by_output * found.output_by_preactivation,
            found.loss_by_preactivation,
            rtol=0,
            atol=PRECISE * np.abs(found.loss_by_preactivation).max(),
        )
    if found.search == "all":
        assert math.fsum(path.value for path in found.paths) == pytest.approx(
            gradient, rel=0, abs=PRECISE * found.path_sizes
        )


# Every gate of every cell


@pytest.mark.parametrize("truncation", [0, 2, 4])
@pytest.mark.parametrize("name", CELLS)
def test_factors_and_paths_of_every_gate_make_the_recorded_gradient(name: str, truncation: int) -> None:
    trace = sequence_trace(name, truncation)
    layer = trace.layers[0]
    for tensor in weight_tensors(trace, 0):
        parameter = layer[tensor]
        for column in range(parameter.shape[-1]):
            row = column % parameter.shape[0] if parameter.ndim == 2 else 0
            found = weight_chain(trace, 0, row, column, tensor=tensor)
            assert found.loss_by_output is not None
            assert_exact(found, found.gradient)
            one = weight_chain(trace, 0, row, column, 2, tensor=tensor)
            assert_exact(one, one.total)
            assert one.search in ("all", "largest")


@pytest.mark.parametrize("name", SEQUENCES)
def test_recurrent_layers_below_others_and_in_blocks_are_exact_too(name: str) -> None:
    trace = kind_run(name).trace
    for layer in trace.layers:
        for tensor in weight_tensors(trace, layer.index):
            for column in {0, layer[tensor].shape[-1] - 1}:
                found = weight_chain(trace, layer.index, 1, column, tensor=tensor)
                assert_exact(found, found.gradient)


def test_the_second_bias_of_a_gru_is_told() -> None:
    assert "recurrent_bias" in weight_tensors(sequence_trace("gru"), 0)
    assert "recurrent_bias" not in weight_tensors(sequence_trace("lstm"), 0)


def test_the_derivative_of_the_loss_by_a_weight_through_time_is_that_of_differences() -> None:
    trace = sequence_trace("lstm")
    simulator = Simulator(trace.experiment)
    simulator.seek(trace.iteration)
    parameters = dict(simulator.parameters())
    name = next(key for key in parameters if key.endswith("recurrent_weight"))
    row, column = 1, 2 * 3 + 2
    found = weight_chain(trace, 0, row, column)
    losses = []
    for step in (1e-5, -1e-5):
        changed = {key: np.array(value) for key, value in parameters.items()}
        changed[name][row, column] += step
        simulator.stand_at(trace.iteration, changed)
        losses.append(simulator.record().loss)
    assert found.path_total == pytest.approx((losses[0] - losses[1]) / 2e-5, rel=1e-5)


# Paths of time, tried one by one


def every_way(trace: IterationTrace, row: int, column: int, sample: int) -> list[float]:
    """Return the products of all paths of a simple cell by brute force: along time, then through the layers above."""
    layer, dense, head = trace.layers
    hidden, slope = layer.hidden[sample], 1 - layer.hidden[sample] ** 2
    steps, units = hidden.shape
    above = dense.weight * dense.slope[sample] @ (head.weight * head.delta[sample])
    each = [
        float(above_path)
        for above_path in (
            (dense.weight * dense.slope[sample])[:, :, None] * (head.weight * head.delta[sample])
        ).ravel()
    ]
    assert sum(each) == pytest.approx(float(above.sum()))
    by_unit = np.array(each).reshape(units, -1)
    found = []
    for start in range(1, steps):
        ways = [(column, hidden[start - 1, row] * slope[start, column])]
        for step in range(start + 1, steps):
            ways = [
                (k, value * layer.recurrent_weight[j, k] * slope[step, k])
                for j, value in ways
                for k in range(units)
            ]
        found += [value * end for unit, value in ways for end in by_unit[unit]]
    return sorted(found, key=lambda value: -abs(value))


def test_the_largest_paths_through_time_are_those_of_all_tried_one_by_one() -> None:
    trace = sequence_trace("simple")
    expected = every_way(trace, 1, 2, 3)
    found = weight_chain(trace, 0, 1, 2, 3, most=40)
    # Before the first step there is no state: its paths are 0, and there are as many as of the longest.
    first = weight_chain(trace, 0, 1, 2, 3, time=0)
    assert found.path_count == len(expected) + first.path_count
    assert [path.value for path in found.paths] == pytest.approx(expected[:40], rel=1e-9)
    assert math.fsum(expected) == pytest.approx(found.total, rel=1e-9)


def test_a_path_tells_its_steps_of_time() -> None:
    trace = sequence_trace("simple")
    for path in weight_chain(trace, 0, 1, 2, 3).paths:
        times = [place[2] for place in path.units if len(place) == 3]
        assert times == list(range(times[0], 6))
        assert path.units[0] == (0, 2, times[0])
        assert [len(place) for place in path.units[-2:]] == [2, 2]
        assert [factor.part for factor in path.factors[:2]] == ["input", "slope"]


@pytest.mark.parametrize("name", ["simple recurrent", "lstm", "gru", "gru, reset before"])
def test_a_path_goes_on_through_the_recurrent_layer_above(name: str) -> None:
    trace = kind_run(name).trace
    for path in weight_chain(trace, 0, 1, 2, 3).paths:
        assert [layer for layer, *_ in path.units] == sorted(layer for layer, *_ in path.units)
        assert {layer for layer, *_ in path.units} == {0, 1, 2, 3}
        times = [place[2] for place in path.units if len(place) == 3]
        assert times == sorted(times)
        assert times[-1] == 8
        assert path.factors[-1].part == "loss"


def test_a_path_leaves_a_layer_at_a_step_where_what_is_above_is_no_recurrent_one() -> None:
    found = weight_chain(kind_run("every step to the loss").trace, 0, 1, 2, 3)
    assert {path.factors[-1].part for path in found.paths} == {"handed"}
    assert all(path.factors[-1].time is not None for path in found.paths)
    assert any("hands on every step" in remark for remark in found.remarks)


def test_no_path_goes_past_where_the_state_is_detached() -> None:
    trace = sequence_trace("simple", 3)
    found = weight_chain(trace, 0, 0, 1, 1, most=1000)
    assert found.search == "all"
    assert {factor.time for path in found.paths for factor in path.factors if factor.part == "recurrent"} == {
        4,
        5,
    }
    assert_exact(found, found.total)


def test_a_single_step_of_a_sample_is_one_product_of_three() -> None:
    trace = sequence_trace("gru")
    found = weight_chain(trace, 0, 1, 7, 3, time=4)
    assert found.time == 4
    assert found.steps.tolist() == [4]
    assert found.loss_by_output is not None
    assert found.output_by_preactivation is not None
    product = found.loss_by_output * found.output_by_preactivation * found.preactivation_by_weight
    assert product[0] == pytest.approx(found.total, rel=1e-12)
    assert all(path.factors[0].time == 4 for path in found.paths)


# Numbers that act on outputs


@pytest.mark.parametrize("per", ["layer", "unit"])
def test_the_slope_of_a_prelu_has_its_chain_rule(per: Any) -> None:
    prelu = Prelu(per=per)
    experiment = Experiment(
        precision="float64",
        data=GaussianNoise(samples=12, features=4, outputs=3),
        network=Network(
            layers=(
                Dense(units=4, activation=prelu, normalization=Normalization(method="layer")),
                ActivationLayer(activation=prelu),
                Dense(units=5, activation=prelu),
                Residual(layers=(Dense(units=5, activation=Tanh()),), train_scale=True, scale=0.4),
            ),
            head=Head(activation=prelu),
        ),
        training=Training(loss="mse", batch_size=6),
    )
    simulator = Simulator(experiment)
    simulator.advance(3)
    trace = simulator.record()
    seen = []
    for layer in trace.layers:
        for tensor in set(weight_tensors(trace, layer.index)) & {"prelu_slope", "scale"}:
            seen.append(tensor)
            for column in range(len(layer[tensor])):
                found = weight_chain(trace, layer.index, 0, column, tensor=tensor, most=500)
                assert_exact(found, found.gradient)
                assert len(found.terms) == 6 * (layer.fan_out if layer[tensor].shape == (1,) else 1)
                parts = [
                    weight_chain(trace, layer.index, 0, column, s, tensor=tensor).total for s in range(6)
                ]
                assert math.fsum(parts) == pytest.approx(found.gradient, rel=1e-9, abs=1e-15)
    assert sorted(seen) == [*["prelu_slope"] * 4, "scale"]


def test_the_loss_scale_of_a_narrow_precision_is_taken_off() -> None:
    path = resource_path("experiments", "float16_loss_scale.gradsim.json")
    simulator = Simulator(gradsim.load(path), path.parent)
    trace = simulator.record()
    assert trace.loss_scale > 1
    found = weight_chain(trace, len(trace.layers) - 2, 1, 2)
    assert found.gradient != 0
    assert found.total == pytest.approx(found.gradient, rel=0, abs=1e-2 * np.abs(found.terms).sum())
    assert found.path_total == pytest.approx(found.gradient, rel=0, abs=1e-2 * found.path_sizes)
    assert any("loss scale" in remark for remark in found.remarks)


# Means over the batch


@pytest.mark.parametrize("count", [1, 2, 3, 7])
def test_product_of_means_and_remainder_make_the_sum(count: int) -> None:
    random = np.random.default_rng(count)
    factors = [random.normal(size=50) for _ in range(count)]
    factors[0] = np.array([0.7])
    told = mean_product(factors)
    rows = 50 if count > 1 else 1
    whole = np.prod([np.broadcast_to(f, (rows,)) for f in factors], axis=0)
    assert told.count == rows
    assert told.means[0] == 0.7
    assert told.total == pytest.approx(whole.sum(), rel=1e-12)
    assert told.product == pytest.approx(rows * math.prod(f.mean() for f in factors), rel=1e-12)
    assert told.product + told.remainder == pytest.approx(told.total, rel=1e-14, abs=1e-14)
    if count in (2, 3):
        assert math.fsum(part.value for part in told.together) == pytest.approx(
            told.remainder, rel=1e-9, abs=1e-12
        )
        assert len(told.together) == {2: 1, 3: 4}[count]


def test_two_factors_leave_their_covariance() -> None:
    random = np.random.default_rng(0)
    x, y = random.normal(size=(2, 30))
    told = mean_product([x, y])
    assert told.together[0].value == pytest.approx(30 * np.cov(x, y, bias=True)[0, 1], rel=1e-12)


@pytest.mark.parametrize("broken", [np.nan, np.inf])
def test_a_broken_factor_is_kept_in_the_mean(broken: float) -> None:
    told = mean_product([np.array([1.0, broken]), np.array([1.0, 2.0])])
    assert not np.isfinite(told.means[0])
    assert not np.isfinite(told.total)


def test_a_factor_that_is_the_same_in_all_rows_has_itself_as_its_mean() -> None:
    value = 0.1 + 0.2
    assert mean_product([np.full(7, value), np.arange(7.0)]).means[0] == value
