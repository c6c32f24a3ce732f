"""The factors multiply to the measured ratio in networks of every kind, and each is what it is called."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from gradsim.analysis import profile
from gradsim.analysis.cause import FACTOR_KINDS, angle_between, causes, layer_cause
from gradsim.analysis.cause.records import Factor, LayerCause
from gradsim.analysis.cause.sizes import rms
from gradsim.engine import Simulator
from gradsim.spec import Dropout, Normalization, SpecError
from gradsim.spec.activation import Linear, Relu
from tests.engine.nested_nets import (
    dense,
    experiment_of,
    nested_experiments,
    residual,
    sequences,
    simulator_of,
)
from tests.kind_runs import NETWORKS, kind_run
from tests.reference import reference_trace
from tests.spec.nested_networks import normalizes_batches

kinds = pytest.mark.parametrize("name", NETWORKS)
directions = pytest.mark.parametrize("direction", ["backward", "forward"])


def plain_rms(values):
    wide = np.abs(np.asarray(values, np.float64))
    most = wide.max(initial=0.0)
    return float(most * np.sqrt(np.mean((wide / most) ** 2))) if 0 < most < np.inf else float(most)


def measured(trace, direction):
    """The ratios by nothing but the arrays themselves."""
    layers = [layer for layer in trace.layers if layer.number is not None]
    tensor = "delta" if direction == "backward" else "activation"
    sizes = np.array([plain_rms(layer[tensor]) for layer in layers])
    with np.errstate(all="ignore"):
        return sizes[:-1] / sizes[1:] if direction == "backward" else sizes[1:] / sizes[:-1]


def assert_explains(trace, tolerance=1e-6):
    for direction in ("backward", "forward"):
        found = causes(trace).of(direction)
        ratios = measured(trace, direction)
        assert len(found) == len(ratios)
        for cause, ratio in zip(found, ratios, strict=True):
            np.testing.assert_allclose(cause.product, ratio, rtol=tolerance, err_msg=f"{direction} {cause}")
            np.testing.assert_allclose(cause.ratio, ratio, rtol=tolerance)
            ends = [cause.before, *(factor.after for factor in cause.factors)]
            starts = [factor.before for factor in cause.factors]
            np.testing.assert_array_equal(ends[:-1], starts, err_msg="factors follow each other")
            np.testing.assert_allclose(ends[-1], cause.after, rtol=1e-12)
            assert {factor.kind for factor in cause.factors} <= set(FACTOR_KINDS)


@kinds
def test_factors_of_every_kind_multiply_to_the_ratio(name):
    trace = kind_run(name).trace
    assert_explains(trace, 1e-12)
    found, known = causes(trace), profile(trace)
    assert [cause.ratio for cause in found.backward] == known.backward_ratio.tolist()
    assert [cause.ratio for cause in found.forward] == known.forward_ratio.tolist()
    assert all(factor.state == "finite" for cause in found.backward for factor in cause.factors)


@pytest.mark.parametrize(
    "steps", [(False, False), (True, False), (True, True)], ids=["no time", "time", "every"]
)
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_factors_of_random_nested_networks_multiply_to_the_ratio(steps, data):
    in_time, every_step = steps
    experiment = data.draw(nested_experiments(steps=in_time, every_step=every_step))
    assume(experiment.training.batch_size > 1 or not normalizes_batches(experiment))
    samples = sequences(4, every_step) if in_time else None
    try:
        simulator = simulator_of(experiment, samples)
    except SpecError:
        assume(False)
    assert_explains(simulator.record())
    simulator.advance(2)
    assert_explains(simulator.record())


@pytest.mark.parametrize("fault", ["zero", "nan", "inf", "mixed"])
@pytest.mark.parametrize("layers", [1, 2, 9])
def test_a_broken_pass_has_causes_too(fault, layers):
    found = causes(reference_trace(layers=layers, fault=fault))
    assert len(found.backward) == len(found.forward) == layers - 1
    if fault == "mixed":
        return
    state = "nothing arrives" if fault == "zero" else "not a number"
    assert {cause.state for cause in (*found.backward, *found.forward)} <= {state}
    assert all(math.isnan(cause.product) for cause in (*found.backward, *found.forward))


def test_each_factor_of_a_chain_is_what_it_is_called():
    trace = Simulator(experiment_of(dense(6), dense(5), Normalization(method="layer"), dense(7))).record()
    lower, upper = trace["dense_2"], trace["dense_3"]
    (weights, normalization, slope) = causes(trace).backward[1].factors
    back = upper.delta @ upper.weight.T
    assert (weights.label, normalization.label, slope.label) == (
        "weights",
        "layer normalization",
        "tanh slope",
    )
    assert weights.value == pytest.approx(rms(back) / rms(upper.delta))
    assert slope.value == pytest.approx(
        rms(lower.activation_gradient * (1 - lower.activation**2)) / slope.before
    )
    assert slope.details["mean_slope"] == pytest.approx(np.mean(1 - lower.activation**2))
    assert slope.details["rms_slope"] * slope.details["correlation"] == pytest.approx(slope.value)
    assert weights.details["typical"] == pytest.approx(rms(upper.weight) * math.sqrt(7))
    assert weights.details["typical"] * weights.details["alignment"] == pytest.approx(weights.value)
    layer = trace["normalization_1"]
    sd = np.sqrt(layer.input.var(axis=-1, keepdims=True) + 1e-5)
    assert normalization.details["gain"] == pytest.approx(rms(layer.gamma / sd))
    assert normalization.layer == "normalization_1"


def test_forward_factors_are_what_they_are_called():
    trace = Simulator(experiment_of(dense(6), dense(5))).record()
    layer = trace["dense_2"]
    weights, slope = causes(trace).forward[0].factors
    assert (weights.label, slope.label) == ("weights", "tanh")
    assert weights.value == pytest.approx(rms(layer.input @ layer.weight) / rms(layer.input))
    simulator = Simulator(experiment_of(dense(6), dense(5)))
    simulator.load_parameters(simulator.parameters() | {"dense_2.bias": np.full(5, 1e9)})
    layer = (trace := simulator.record())["dense_2"]
    weights, bias, _ = causes(trace).forward[0].factors
    assert weights.value == pytest.approx(rms(layer.input @ layer.weight) / rms(layer.input), rel=1e-12)
    assert bias.value == pytest.approx(1e9 / rms(layer.input @ layer.weight))


def test_two_ways_of_a_residual_block_meet_in_one_factor():
    trace = kind_run("wide residual").trace
    block = trace["residual_1"]
    (skip,) = [f for f in causes(trace).backward[0].factors if f.kind == "skip"]
    assert skip.before == pytest.approx(rms(block.branch_input_gradient))
    assert skip.after == pytest.approx(rms(block.output_gradient + block.branch_input_gradient))
    told = skip.details
    s, b, angle = told["skip_rms"], told["branch_rms"], math.radians(told["angle"])
    assert skip.after == pytest.approx(math.sqrt(s**2 + b**2 + 2 * s * b * math.cos(angle)))


def test_a_projected_block_without_weights_inside_is_passed_by_its_skip():
    trace = Simulator(experiment_of(dense(6), residual(Normalization(), Dropout()), dense(5))).record()
    labels = [factor.label for factor in causes(trace).backward[0].factors]
    assert labels == ["weights", "branch added", "tanh slope"]
    block = trace["residual_1"]
    join = causes(trace).backward[0].factors[1]
    assert join.value == pytest.approx(rms(block.input_gradient) / rms(block.output_gradient))


def test_steps_of_time_are_factors():
    trace = kind_run("simple recurrent").trace
    layer = trace["recurrent_2"]
    weights, alone, through, slope = causes(trace).backward[1].factors
    assert alone.value == pytest.approx(1 / 3), "one step of nine gets a gradient from above"
    assert through.after == pytest.approx(rms(layer.hidden_gradient))
    per_step = (rms(layer.hidden_gradient[:, 0]) / rms(layer.hidden_gradient[:, -1])) ** (1 / 8)
    assert through.details["per_step"] == pytest.approx(per_step)
    assert slope.details["mean_slope"] == pytest.approx(np.mean(1 - layer.hidden**2))
    assert weights.label == "weights"


def test_a_linear_layer_has_no_factor_of_a_slope():
    trace = Simulator(experiment_of(dense(activation=Linear()), dense(activation=Linear()))).record()
    assert {factor.kind for cause in causes(trace).backward for factor in cause.factors} == {"weight"}


def test_dead_units_let_nothing_through():
    simulator = Simulator(experiment_of(dense(5), dense(5, activation=Relu()), dense(5)))
    simulator.load_parameters(simulator.parameters() | {"dense_2.bias": np.full(5, -1e3)})
    first, second, _ = causes(simulator.record()).backward
    assert [factor.state for factor in second.factors] == ["finite", "vanishes"]
    assert (second.ratio, second.product) == (0.0, 0.0)
    assert {factor.state for factor in first.factors} == {"nothing arrives"}
    assert math.isnan(first.ratio)
    assert math.isnan(first.product)
    assert first.value_of("slope") is not None
    assert first.value_of("skip") is None


def test_a_branch_that_hands_nothing_back_is_one_factor_with_the_skip():
    """A closed branch between two layers that both have a gradient must not leave 0 · ∞."""
    simulator = Simulator(experiment_of(dense(5), residual(dense(5), dense(5))))
    simulator.load_parameters(simulator.parameters() | {"dense_2.weight": np.zeros((5, 5))})
    trace = simulator.record()
    first = causes(trace).backward[0]
    assert first.state == "finite"
    assert [factor.label for factor in first.factors] == ["weights and skip added", "tanh slope"]
    assert first.product == pytest.approx(first.ratio, rel=1e-12)


@pytest.mark.parametrize("scale", [1e-200, 1e-120, 1e120])
def test_sizes_whose_squares_are_beyond_float64_keep_their_ratio(scale):
    simulator = Simulator(experiment_of(*[dense(5, activation=Linear()) for _ in range(3)]))
    given = simulator.parameters()
    simulator.load_parameters(given | {"dense_2.weight": given["dense_2.weight"] * scale})
    trace = simulator.record()
    assert_explains(trace, 1e-9)
    assert causes(trace).backward[0].state == "finite"


def test_an_exponent_beyond_float64_is_still_a_logarithm():
    cause = LayerCause(
        "backward", 1, 2, "a", 0, 1e300, 1e-300, (Factor("weight", "a", "weights", 1e300, 1e-300),)
    )
    assert cause.log10 == pytest.approx(-600)
    assert cause.product == 0.0
    assert cause.log10_by_kind == {"weight": pytest.approx(-600)}


@directions
@kinds
def test_one_layer_alone_has_the_same_causes(name, direction):
    trace = kind_run(name).trace
    for cause in causes(trace).of(direction):
        assert layer_cause(trace, direction, cause.number) == cause
    last = max(layer.number or 0 for layer in trace.layers)
    assert layer_cause(trace, direction, last if direction == "backward" else 1) is None


def test_without_details_the_factors_are_the_same_numbers():
    trace = kind_run("nested residual").trace
    plain = causes(trace, ("backward",), details=False)
    assert plain.forward == ()
    for cause, full in zip(plain.backward, causes(trace).backward, strict=True):
        assert [f.value for f in cause.factors] == [f.value for f in full.factors]
        assert not any(factor.details for factor in cause.factors)


@pytest.mark.parametrize("size", [1e-200, 1.0, 1e200])
@pytest.mark.parametrize("angle", [0.0, 1e-6, 60.0, 90.0, 179.999999, 180.0])
def test_angles_keep_their_digits_at_any_size(size, angle):
    turned = math.radians(angle)
    found = angle_between(np.array([size, 0.0]), np.array([math.cos(turned), math.sin(turned)]))
    assert found == pytest.approx(angle, abs=1e-12)


@pytest.mark.parametrize("other", [[0.0, 0.0], [np.nan, 1.0], [np.inf, 1.0]])
def test_there_is_no_angle_with_what_has_no_direction(other):
    assert math.isnan(angle_between(np.array([1.0, 0.0]), np.array(other)))
