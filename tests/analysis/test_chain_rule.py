"""The chain rule of a weight: factors multiply, paths sum and samples add up to the recorded gradient."""

from __future__ import annotations

import math
from functools import cache
from itertools import product
from typing import Any, get_args

import numpy as np
import pytest

import gradsim
from gradsim.analysis import chain_rule, chain_search
from gradsim.analysis.chain_graph import Rows, chain_graph
from gradsim.analysis.chain_paths import product as product_of
from gradsim.analysis.chain_rule import WeightChain, weight_chain, weight_tensors
from gradsim.engine import Simulator
from gradsim.resource_files import resource_path
from gradsim.spec import Activation, Dense, Experiment, Head, Network, Residual, Training, kind_of
from gradsim.spec.activation import Linear, Prelu, Sigmoid, Softmax, Tanh
from gradsim.spec.data import GaussianNoise, Moons
from gradsim.trace import IterationTrace
from tests.kind_runs import NETWORKS, kind_run
from tests.reference import reference_trace

ALL_ACTIVATIONS = {kind_of(kind()): kind() for kind in get_args(Activation)}
PRECISE = 1e-12


@cache
def chain() -> IterationTrace:
    path = resource_path("experiments", "chain.gradsim.json")
    return Simulator(gradsim.load(path), path.parent).record()


def trace_of(*layers: Any, loss: str = "mse", head: Any = None, units: int = 3) -> IterationTrace:
    experiment = Experiment(
        precision="float64",
        seed=3,
        data=GaussianNoise(samples=12, features=4, outputs=units) if loss == "mse" else Moons(samples=40),
        network=Network(layers=layers, head=Head(activation=head or Linear())),
        training=Training(loss=loss, batch_size=6),  # type: ignore[arg-type]
    )
    simulator = Simulator(experiment)
    simulator.advance(3)
    return simulator.record()


def every_weight(trace: IterationTrace, layer: int, tensor: str) -> list[tuple[int, int]]:
    """Return the corners and the middle of a parameter."""
    shape = trace.layers[layer][tensor].shape
    rows = {0, shape[0] // 2, shape[0] - 1} if len(shape) == 2 else {0}
    return list(product(sorted(rows), sorted({0, shape[-1] // 2, shape[-1] - 1})))


def assert_exact(trace: IterationTrace, found: WeightChain) -> None:
    assert found.total == pytest.approx(found.gradient, rel=0, abs=PRECISE * np.abs(found.terms).sum())
    if found.path_count:
        assert found.path_total == pytest.approx(found.gradient, rel=0, abs=PRECISE * found.path_sizes)
    if found.search == "all":
        assert sum(path.value for path in found.paths) == pytest.approx(
            found.gradient, rel=0, abs=PRECISE * found.path_sizes
        )
    if found.loss_by_output is not None and found.output_by_preactivation is not None:
        np.testing.assert_allclose(
            found.loss_by_output * found.output_by_preactivation, found.loss_by_preactivation, rtol=PRECISE
        )


# The example by hand


def test_the_chain_of_three_sigmoids_is_told_digit_by_digit() -> None:
    trace = chain()
    found = weight_chain(trace, 0, 0, 0, 0)
    x = sigmoids = 1.0
    outputs = []
    for _ in range(3):
        sigmoids = 1 / (1 + math.exp(-0.5 * sigmoids))
        outputs.append(sigmoids)
    assert f"{outputs[2]:.9f}" == "0.571651565"
    assert trace.layers[2].activation[0, 0] == pytest.approx(outputs[2], rel=1e-15)
    assert trace.loss == pytest.approx(0.5 * (outputs[2] - 0.8) ** 2, rel=1e-14)
    assert f"{trace.loss:.9f}" == "0.026071504"
    (path,) = found.paths
    s1, s2, s3 = (a * (1 - a) for a in outputs)
    expected = [x, s1, 0.5, s2, 0.5, s3, outputs[2] - 0.8]
    assert [factor.part for factor in path.factors] == ["input", *["slope", "weight"] * 2, "slope", "loss"]
    assert [float(factor.values[0]) for factor in path.factors] == pytest.approx(expected, rel=1e-14)
    assert found.is_product
    assert path.value == pytest.approx(math.prod(expected), rel=1e-14)
    assert path.value == pytest.approx(found.gradient, rel=1e-14)
    assert found.after == 0.5 - 0.1 * found.gradient
    assert found.paths[0].units == ((0, 0), (1, 0), (2, 0))


# What must hold for every network


@pytest.mark.parametrize("name", NETWORKS)
def test_samples_and_paths_add_up_to_the_recorded_gradient_of_every_kind(name: str) -> None:
    trace = kind_run(name).trace
    batch = len(trace.inputs)
    for layer in trace.layers:
        for tensor in weight_tensors(trace, layer.index):
            for row, column in every_weight(trace, layer.index, tensor)[
                :: 8 if layer.kind == "recurrent" else 3
            ]:
                whole = weight_chain(trace, layer.index, row, column, tensor=tensor)
                assert_exact(trace, whole)
                shares = [
                    weight_chain(trace, layer.index, row, column, s, tensor=tensor, most=1).total
                    for s in range(batch)
                ]
                assert math.fsum(shares) == pytest.approx(
                    whole.gradient, rel=0, abs=PRECISE * np.abs(whole.terms).sum()
                )


@pytest.mark.parametrize("activation", ALL_ACTIVATIONS.values(), ids=ALL_ACTIVATIONS)
def test_every_activation_keeps_the_chain_exact(activation: Any) -> None:
    dense = Dense(units=4, activation=activation)
    trace = trace_of(dense, dense)
    for row, column in every_weight(trace, 0, "weight"):
        assert_exact(trace, weight_chain(trace, 0, row, column))
        found = weight_chain(trace, 0, row, column, 2, most=200)
        assert found.search == "all"
        assert found.path_count == 12 * (4 if kind_of(activation) == "softmax" else 1) ** 2
        assert found.path_total == pytest.approx(found.total, rel=0, abs=PRECISE * found.path_sizes)


@pytest.mark.parametrize(
    ("loss", "head"),
    [
        ("mse", Linear()),
        ("mse", Softmax()),
        ("cross_entropy", Softmax()),
        ("binary_cross_entropy", Sigmoid()),
    ],
    ids=lambda value: value if isinstance(value, str) else kind_of(value),
)
def test_every_loss_and_head_keep_the_chain_exact(loss: str, head: Any) -> None:
    trace = trace_of(Dense(units=4, activation=Tanh()), loss=loss, head=head)
    for layer in (0, 1):
        found = weight_chain(trace, layer, 0, 0, most=50)
        assert_exact(trace, found)
        is_fused = loss.endswith("entropy")
        assert (found.paths[0].factors[-1].part == "loss_and_slope") == is_fused
        assert any("derived together" in told for told in found.remarks) == is_fused


def test_paths_go_over_the_skip_too() -> None:
    inner = Residual(scale=0.5, layers=(Dense(units=4, activation=Prelu()),))
    trace = trace_of(Dense(units=4, activation=Prelu(per="unit")), inner, inner)
    found = weight_chain(trace, 0, 1, 2, 0, most=10_000)
    assert_exact(trace, weight_chain(trace, 0, 1, 2))
    assert found.search == "all"
    assert found.path_count == 5 * 5 * 3  # 4 units through the branch or 1 by the skip, twice; 3 outputs
    assert {tuple(factor.part for factor in path.factors).count("skip") for path in found.paths} == {0, 1, 2}
    by_skips = next(p for p in found.paths if [f.part for f in p.factors].count("skip") == 2)
    assert [layer for layer, _ in by_skips.units] == [0, 2, 4, 5]


# The largest paths


def brute_force(trace: IterationTrace, row: int, column: int, sample: int | None) -> list[float]:
    """Return what every path of a plain network adds, largest magnitude first."""
    layers = trace.layers
    rows = slice(None) if sample is None else slice(sample, sample + 1)
    sums = []
    for units in product(*(range(layer.fan_out) for layer in layers[1:])):
        term = layers[0].input[rows, row] * layers[0].slope[rows, column]
        before = column
        for layer, unit in zip(layers[1:], units, strict=True):
            slope = layer.slope[rows, unit] if layer is not layers[-1] else 1.0
            term = term * layer.weight[before, unit] * slope
            before = unit
        sums.append(float((term * layers[-1].delta[rows, before]).sum()))
    return sorted(sums, key=lambda value: -abs(value))


@pytest.mark.parametrize("sample", [None, 0, 5])
@pytest.mark.parametrize("activation", ["tanh", "relu"])
def test_the_largest_paths_are_those_of_all_tried_one_by_one(activation: str, sample: int | None) -> None:
    trace = reference_trace(4, 5, activation, precision="float64")
    found = weight_chain(trace, 0, 1, 3, sample, most=9)
    expected = brute_force(trace, 1, 3, sample)
    assert found.path_count == len(expected) == 5 * 5 * 2
    assert found.search == "largest"
    assert [path.value for path in found.paths] == pytest.approx(expected[:9], rel=1e-9, abs=1e-300)
    everything = weight_chain(trace, 0, 1, 3, sample, most=10_000)
    assert [abs(p.value) for p in everything.paths] == pytest.approx(np.abs(expected), rel=1e-9, abs=1e-300)
    assert everything.search == "all"
    if sample is not None:
        assert found.path_sizes == pytest.approx(np.abs(expected).sum())


def test_a_deep_net_has_more_paths_than_numbers_and_its_largest_are_found() -> None:
    trace = reference_trace(200, 8)
    found = weight_chain(trace, 0, 0, 0, 0)
    assert found.path_count == 8**198 * 2
    assert found.search == "largest"
    sizes = [abs(path.value) for path in found.paths]
    assert sizes == sorted(sizes, reverse=True)
    assert len({path.units for path in found.paths}) == 8


def test_in_a_large_net_the_largest_found_are_told_quickly() -> None:
    trace = reference_trace(100, 128, batch=32)
    found = weight_chain(trace, 0, 0, 0)
    assert found.search == "found"
    assert len(found.paths) == 8
    assert found.path_total == pytest.approx(found.gradient, rel=1e-3)


def test_a_net_too_large_to_search_still_has_its_sums(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chain_rule, "_MOST_WEIGHTS", 10)
    found = weight_chain(reference_trace(4, 5, precision="float64"), 0, 0, 0)
    assert (found.search, found.paths) == ("none", ())
    assert found.path_total == pytest.approx(found.gradient, rel=1e-9)


@pytest.mark.parametrize("kept", [8, 40])
@pytest.mark.parametrize("is_judged_by_means", [False, True])
def test_a_short_search_over_a_batch_still_finds_the_largest_or_says_that_it_may_not_have(
    monkeypatch: pytest.MonkeyPatch, kept: int, is_judged_by_means: bool
) -> None:
    monkeypatch.setattr(chain_search, "_MOST_KEPT", kept)
    monkeypatch.setattr(chain_search, "_LEAST_KEPT", kept)
    monkeypatch.setattr(chain_search, "_MOST_AHEAD", 0 if is_judged_by_means else 3_000_000)
    trace = reference_trace(4, 6, "relu", precision="float64", batch=24)
    expected = np.abs(brute_force(trace, 1, 3, None)[:5])
    found = weight_chain(trace, 0, 1, 3, most=5)
    sizes = np.abs([path.value for path in found.paths])
    if found.search == "largest":
        np.testing.assert_allclose(sizes, expected, rtol=1e-9)
    assert sizes.sum() > 0.9 * expected.sum()
    assert (sizes <= expected * (1 + 1e-9)).all()


# Zero, NaN and infinity


def test_a_dead_unit_has_paths_of_0() -> None:
    trace = reference_trace(3, 6, fault="zero")
    found = weight_chain(trace, 0, 0, 0, 0)
    assert found.total == 0
    assert [path.value for path in found.paths] == [0.0] * 8
    assert found.path_count == 12


@pytest.mark.parametrize(("fault", "check"), [("nan", np.isnan), ("inf", lambda v: not np.isfinite(v))])
def test_a_broken_number_is_shown_first(fault: Any, check: Any) -> None:
    trace = reference_trace(3, 6, fault=fault)
    for sample in (None, 1):
        found = weight_chain(trace, 0, 0, 0, sample)
        assert check(found.total)
        assert check(found.paths[0].value)
        assert check(found.path_total)
        assert found.search in ("all", "largest")  # nothing is larger


def test_a_product_of_many_small_and_large_factors_stays_in_range() -> None:
    values = np.array([1e-200] * 3 + [1e200] * 3 + [0.5])[:, None]
    assert product_of(values)[0] == pytest.approx(0.5)
    assert product_of(np.full((2000, 1), 0.9))[0] == pytest.approx(0.9**2000, rel=1e-11)
    assert product_of(np.full((400, 1), 0.1))[0] == 0.0
    assert np.isnan(product_of(np.array([[np.nan], [0.0]]))[0])


# What is said, and what is refused


@pytest.mark.parametrize(
    ("name", "layer", "words"),
    [
        ("batch normalization", "dense_1", "joins all samples"),
        ("layer normalization", "dense_1", "couples the units of a sample"),
        ("lstm", "recurrent_1", "9 steps of time"),
        ("every step to the loss", "recurrent_1", "9 steps of time"),
    ],
)
def test_what_is_no_plain_product_is_said(name: str, layer: str, words: str) -> None:
    trace = kind_run(name).trace
    found = weight_chain(trace, trace[layer].index, 0, 0, 0)
    assert any(words in told for told in found.remarks)


def test_a_step_of_time_can_be_looked_at_alone() -> None:
    trace = kind_run("simple recurrent").trace
    whole = weight_chain(trace, 0, 1, 2, 3)
    single = [weight_chain(trace, 0, 1, 2, 3, time=t) for t in range(9)]
    assert [one.total for one in single] == whole.terms.tolist()
    assert single[0].total == 0  # there is no hidden state before the first step


def test_an_edge_belongs_to_the_rows_asked_for() -> None:
    trace = kind_run("residual").trace
    graph = chain_graph(trace, 0, Rows(trace.layers[0].delta.shape, 4, None))
    assert {edge.values.shape[0] for leaving in graph.edges for edge in leaving} == {1}
    assert graph.size > 0


@pytest.mark.parametrize(
    ("layer", "row", "column", "options", "error"),
    [
        (0, 0, 99, {}, IndexError),
        (0, 99, 0, {}, IndexError),
        (0, 0, -1, {}, IndexError),
        (0, 0, 0, {"sample": 99}, IndexError),
        (0, 0, 0, {"tensor": "gamma"}, ValueError),
        (1, 0, 0, {}, ValueError),
    ],
)
def test_what_does_not_exist_is_refused(
    layer: int, row: int, column: int, options: Any, error: type[Exception]
) -> None:
    with pytest.raises(error):
        weight_chain(kind_run("dropout").trace, layer, row, column, **options)
