"""What theory expects at the start is what real passes measure, over seeds; where it parts, it says why."""

from __future__ import annotations

import dataclasses
import math
from functools import cache
from typing import Any

import numpy as np
import pytest

from gradsim.analysis import profile
from gradsim.analysis.theory import (
    THEORY_UNITS,
    expected_profile,
    mean_field,
    recurrent_bounds,
    theory_sentence,
    theory_table,
    theory_words,
)
from gradsim.analysis.theory.parting import reasons_to_part
from gradsim.engine import Simulator
from gradsim.spec import (
    ActivationLayer,
    Dense,
    Dropout,
    Experiment,
    Head,
    Network,
    Normalization,
    Repeat,
    Residual,
    Training,
    checked,
)
from gradsim.spec.activation import Gelu, Linear, Relu, Sigmoid, Softmax, Step, Tanh
from gradsim.spec.data import GaussianNoise
from gradsim.spec.initializer import (
    Constant,
    GlorotUniform,
    HeNormal,
    LecunNormal,
    Normal,
    Orthogonal,
    VarianceScaling,
)
from gradsim.trace import IterationTrace
from tests.kind_runs import NETWORKS, SEQUENCES, kind_run

SEEDS = 9
DEPTH = 8
HEAD = Head(activation=Linear(), initializer=Normal(std=1e-3))
"""Small, because theory takes the gradient at the end to be independent of the weights it comes back through."""


def experiment_of(
    *layers: Any, seed: int = 0, batch: int = 32, width: int = 64, head: Head = HEAD
) -> Experiment:
    data = GaussianNoise(samples=2 * batch, features=width, outputs=8)
    training = Training(loss="mse", batch_size=batch)
    network = Network(layers=layers, head=head)
    return checked(Experiment(seed=seed, data=data, network=network, training=training))


def dense(units: int, activation: Any, initializer: Any, method: Any = None, **fields: Any) -> Dense:
    norm = Normalization(method=method) if method else None
    return Dense(units=units, activation=activation, initializer=initializer, normalization=norm, **fields)


@cache
def traces_of(name: str) -> tuple[IterationTrace, ...]:
    layers = NETS[name].layers
    width = NETS[name].width
    return tuple(Simulator(experiment_of(*layers, seed=seed, width=width)).record() for seed in range(SEEDS))


@dataclasses.dataclass(frozen=True)
class Net:
    layers: tuple[Any, ...]
    width: int
    band: float
    """By how much ln of the mean factor per layer may lie off, over nine seeds."""


def _plain(width: int, activation: Any, initializer: Any, band: float, method: Any = None) -> Net:
    layer = dense(width, activation, initializer, method)
    return Net((Repeat(times=DEPTH, layers=(layer,)),), width, band)


def _blocks(scale: float, *branch: Any, band: float = 0.02) -> Net:
    first = dense(64, Linear(), LecunNormal())
    return Net((first, Repeat(times=DEPTH, layers=(Residual(scale=scale, layers=branch),))), 64, band)


NETS = {
    "tanh, vanishing, 64": _plain(64, Tanh(), VarianceScaling(scale=0.7), 0.03),
    "tanh, edge, 128": _plain(128, Tanh(), LecunNormal(), 0.02),
    "tanh, exploding, 256": _plain(256, Tanh(), VarianceScaling(scale=2.5), 0.02),
    "relu, He, 64": _plain(64, Relu(), HeNormal(), 0.03),
    "relu, Glorot, 256": _plain(256, Relu(), GlorotUniform(), 0.02),
    "sigmoid, 64": _plain(64, Sigmoid(), GlorotUniform(), 0.03),
    "sigmoid, wide weights, 128": _plain(128, Sigmoid(), VarianceScaling(scale=16.0), 0.03),
    "gelu, 256": _plain(256, Gelu(), HeNormal(), 0.04),
    "gelu, vanishing, 128": _plain(128, Gelu(), VarianceScaling(scale=1.5), 0.05),
    "batch-normalized relu": _plain(64, Relu(), HeNormal(), 0.03, "batch"),
    "layer-normalized sigmoid": _plain(64, Sigmoid(), GlorotUniform(), 0.04, "layer"),
    "rms-normalized tanh": _plain(64, Tanh(), GlorotUniform(), 0.03, "rms"),
    "normalized before each layer": Net(
        (Repeat(times=DEPTH, layers=(Normalization(), dense(64, Relu(), HeNormal()))),), 64, 0.03
    ),
    "dropout": Net(
        (Repeat(times=DEPTH, layers=(dense(64, Tanh(), HeNormal()), Dropout(rate=0.3))),), 64, 0.03
    ),
    "activations of their own": Net(
        (Repeat(times=DEPTH, layers=(dense(64, Linear(), HeNormal()), ActivationLayer(activation=Tanh()))),),
        64,
        0.03,
    ),
    "x + tanh(W x)": _blocks(1.0, dense(64, Tanh(), LecunNormal())),
    "x + W relu(x)": _blocks(1.0, ActivationLayer(activation=Relu()), dense(64, Linear(), HeNormal())),
    "x + W relu(x) / √L": _blocks(
        DEPTH**-0.5, ActivationLayer(activation=Relu()), dense(64, Linear(), HeNormal())
    ),
    "x + branch(layer norm x)": _blocks(
        1.0, Normalization(method="layer"), dense(64, Relu(), HeNormal()), dense(64, Linear(), LecunNormal())
    ),
    "x + branch(batch norm x)": _blocks(1.0, Normalization(), dense(64, Tanh(), LecunNormal())),
    "biases": _plain(128, Tanh(), VarianceScaling(scale=1.7), 0.03),
    "funnel": Net(tuple(dense(n, Tanh(), GlorotUniform()) for n in (128, 96, 64, 48, 32)), 128, 0.06),
}


@pytest.mark.parametrize("name", NETS)
def test_theory_expects_what_is_measured_at_the_start(name: str) -> None:
    parted, parted_forward, outside, outside_forward = [], [], 0, 0
    for trace in traces_of(name):
        expected = expected_profile(trace)
        assert expected.applies
        forward = (expected.log10_activation_measured - expected.log10_activation)[-2]
        parted_forward.append(forward * math.log(10.0) / (len(expected.numbers) - 1))
        outside_forward += len(expected.outside_forward)
        per_layer = (expected.log10_measured[0] - expected.log10_delta[0]) / (len(expected.numbers) - 2)
        parted.append(per_layer * math.log(10.0))
        outside += len(expected.outside)
    assert abs(float(np.mean(parted))) < NETS[name].band
    layers = SEEDS * (len(expected.numbers) - 2)
    assert outside <= 0.25 * layers
    assert abs(float(np.mean(parted_forward))) < 0.02
    assert outside_forward <= 0.1 * layers


def test_the_band_is_as_wide_as_the_spread_over_draws_of_the_weights() -> None:
    ratios = []
    for trace in traces_of("relu, He, 64"):
        expected = expected_profile(trace)
        ratios.append((expected.log10_measured - expected.log10_delta)[0])
        half = (expected.log10_high - expected.log10_delta)[0]
    # Seven layers of 64 units with 5 / 64 each; over a batch some of that averages out.
    assert half == pytest.approx(2 * 0.5 * math.sqrt(7 * 5 / 64) / math.log(10.0), rel=1e-3)
    assert 0.1 < float(np.std(ratios, ddof=1)) / (half / 2) < 1.5


def test_the_band_of_the_activations_grows_by_what_each_layer_draws() -> None:
    expected = expected_profile(traces_of("relu, He, 64")[0])
    half = (expected.log10_activation_high - expected.log10_activation)[:-1]
    # ReLU: E[φ⁴] / E[φ²]² = 6. The size of the first z is measured, which explains 2 of the 5 there.
    variances = (3 + 5 * np.arange(DEPTH)) / 64
    np.testing.assert_allclose(half, np.sqrt(variances) / math.log(10.0), rtol=1e-4)
    spread = [
        (e.log10_activation_measured - e.log10_activation)[DEPTH - 1]
        for e in map(expected_profile, traces_of("relu, He, 64"))
    ]
    assert 0.3 < float(np.std(spread, ddof=1)) / (half[-1] / 2) < 1.5


def test_a_normalization_ends_what_finite_width_has_done_to_the_activations() -> None:
    expected = expected_profile(traces_of("layer-normalized sigmoid")[0])
    half = (expected.log10_activation_high - expected.log10_activation)[:-1]
    np.testing.assert_allclose(half, half[0], rtol=0.05)
    assert np.isnan(expected.log10_activation[-1])


def test_it_starts_at_the_last_layer_before_the_head() -> None:
    expected = expected_profile(traces_of("sigmoid, 64")[0])
    assert expected.log10_delta[-2] == expected.log10_measured[-2]
    assert expected.log10_low[-2] == expected.log10_high[-2] == expected.log10_delta[-2]
    assert np.isnan(expected.log10_delta[-1])
    assert (np.diff(expected.log10_high - expected.log10_low)[:-1] < 0).all()


def test_an_orthogonal_linear_net_has_no_band_and_no_change() -> None:
    trace = Simulator(experiment_of(Repeat(times=6, layers=(dense(64, Linear(), Orthogonal()),)))).record()
    expected = expected_profile(trace)
    np.testing.assert_allclose(expected.log10_delta[:-1], expected.log10_measured[:-1], atol=1e-5)
    np.testing.assert_allclose(expected.log10_high[:-1], expected.log10_low[:-1], atol=1e-12)
    forward = expected.log10_activation[:-1]
    np.testing.assert_allclose(forward, expected.log10_activation_measured[:-1], atol=1e-5)
    np.testing.assert_allclose(expected.log10_activation_high[:-1], forward, atol=1e-7)
    assert len(expected.outside) == len(expected.outside_forward) == 0


def test_a_net_of_any_depth_stays_in_the_reach_of_numbers() -> None:
    layer = dense(4, Sigmoid(), Normal(std=0.1))
    trace = Simulator(experiment_of(Repeat(times=400, layers=(layer,)), width=4)).record()
    expected = expected_profile(trace)
    if not expected.applies:
        assert "is 0" in expected.why_not
    else:
        assert np.isfinite(expected.log10_delta[:-1]).all()
        assert expected.log10_delta[0] < -300


@pytest.mark.parametrize("name", NETWORKS)
def test_every_kind_of_network_has_its_theory_or_a_reason_why_not(name: str) -> None:
    trace = kind_run(name).trace
    expected = expected_profile(trace)
    told = theory_sentence(expected)
    assert told.endswith(".")
    columns = theory_table(expected)
    assert columns.keys() == THEORY_UNITS.keys()
    assert {len(column) for column in columns.values()} == {len(profile(trace).layer_names)}
    if expected.applies:
        assert theory_words(expected) in told[0].lower() + told[1:]
        assert any("trained for 11 iterations" in reason for reason in expected.reasons)
    else:
        assert told == expected.why_not
        assert np.isnan(columns["theory_delta_rms"]).all()
    if name in SEQUENCES and len(expected.numbers) > 2:
        assert "goes through time" in told


REFUSED = [
    ((dense(8, Tanh(), Constant(value=0.1)),) * 3, "the weights of dense_1 start constant"),
    ((dense(8, Softmax(), HeNormal()),) * 3, "softmax, whose units depend on each other"),
    ((dense(8, Tanh(), HeNormal()),), "at least two layers before the head"),
    ((dense(8, Step(), HeNormal()),) * 3, "δ of dense_3, from which it would go back, is 0"),
    ((ActivationLayer(), dense(8, Tanh(), HeNormal())) * 2, "an activation with no dense layer before it"),
]


@pytest.mark.parametrize(("layers", "why"), REFUSED)
def test_where_theory_does_not_apply_it_says_why(layers: tuple[Any, ...], why: str) -> None:
    expected = expected_profile(Simulator(experiment_of(*layers, width=8)).record())
    assert why in expected.why_not
    assert np.isnan(expected.log10_delta).all()
    assert expected.fit is None
    assert theory_words(expected) == "no theory here"


REASONS: list[tuple[Any, Any, str]] = [
    (dense(8, Tanh(), HeNormal()), {}, "width 8: "),
    (dense(64, Relu(), VarianceScaling(scale=2.6)), {}, "grows without end"),
    (dense(64, Tanh(), VarianceScaling(scale=0.5)), {}, "its q* is 0"),
    (dense(64, Gelu(), HeNormal()), {}, "its q* is 0"),
    (dense(64, Tanh(), LecunNormal()), {}, "q* = 0 is neared ever more slowly"),
    (dense(64, Sigmoid(), GlorotUniform()), {}, "q* is not reached at once"),
    (Residual(layers=(dense(64, Relu(), HeNormal()),)), {}, "a branch whose output is positive on average"),
    (dense(64, Tanh(), HeNormal(), "batch"), {"batch": 6}, "a batch of 6"),
]


@pytest.mark.parametrize(("layer", "fields", "why"), REASONS)
def test_what_theory_leaves_out_is_told(layer: Any, fields: dict[str, Any], why: str) -> None:
    layers = (dense(64, Linear(), HeNormal()), *[layer] * 4) if isinstance(layer, Residual) else [layer] * 4
    trace = Simulator(experiment_of(*layers, **fields)).record()
    expected = expected_profile(trace)
    assert any(why in reason for reason in expected.reasons), expected.reasons
    assert why in theory_sentence(expected)


def test_width_and_batch_are_noted() -> None:
    expected = expected_profile(traces_of("funnel")[0])
    assert (expected.widths, expected.batch) == ((32, 128), 32)
    assert "(32 to 128 units, ±2 sd over draws of the weights; rms over a batch of 32)" in theory_sentence(
        expected
    )
    alike = theory_sentence(expected_profile(traces_of("relu, He, 64")[0]))
    assert "(64 units, ±2 sd over draws of the weights; rms over a batch of 32)" in alike


def test_a_healthy_wide_net_at_its_start_needs_no_excuse() -> None:
    assert expected_profile(traces_of("relu, He, 64")[0]).reasons == ()


def test_where_nothing_else_explains_it_chance_is_named_and_what_goes_beyond_it() -> None:
    trace = traces_of("relu, He, 64")[0]
    expected = expected_profile(trace)
    band = expected.log10_high - expected.log10_delta
    field = mean_field(trace)
    for sds, why in ((1.9, ""), (2.5, "chance: one draw in twenty"), (9.0, "up to 9.0 sd: more than chance")):
        measured = expected.log10_delta + sds / 2.0 * band
        reasons = reasons_to_part(trace, (), field, (), expected.log10_delta, measured, band)
        assert [reason[: len(why)] for reason in reasons] == ([why] if why else [])


def test_weights_of_another_size_than_their_initializers_are_named() -> None:
    simulator = Simulator(experiment_of(*[dense(64, Tanh(), HeNormal())] * 4))
    simulator.load_parameters({"dense_2.weight": 3.0 * simulator.parameters()["dense_2.weight"]})
    (reason,) = [r for r in expected_profile(simulator.record()).reasons if "dense_2" in r]
    assert reason.startswith("the weights of dense_2 are ×3")


@pytest.mark.parametrize("broken", [np.nan, np.inf])
def test_numbers_that_are_broken_leave_no_theory_and_no_crash(broken: float) -> None:
    simulator = Simulator(experiment_of(*[dense(8, Tanh(), HeNormal())] * 4, width=8))
    weight = simulator.parameters()["dense_1.weight"].copy()
    weight[0, 0] = broken
    simulator.load_parameters({"dense_1.weight": weight})
    expected = expected_profile(simulator.record())
    assert not expected.applies
    assert "not finite" in theory_sentence(expected)


def test_the_mean_field_of_a_network_is_that_of_most_of_its_plain_layers() -> None:
    wanted = (*[dense(64, Relu(), HeNormal())] * 2, *[dense(64, Tanh(), LecunNormal())] * 3)
    found = mean_field(experiment_of(*wanted))
    assert found is not None
    assert (found.activation, found.weight_variance) == (Tanh(), pytest.approx(1.0))
    assert mean_field(experiment_of(dense(64, Tanh(), HeNormal()))) is None
    assert mean_field(experiment_of(*[dense(8, Tanh(), HeNormal(), "batch")] * 4)) is None


def test_a_recurrent_gradient_is_bounded_by_the_largest_singular_value() -> None:
    trace = kind_run("simple recurrent").trace
    bounds = recurrent_bounds(trace)
    assert [bound.name for bound in bounds] == ["recurrent_1", "recurrent_2"]
    for bound in bounds:
        weight = trace[bound.name]["recurrent_weight"]
        assert bound.singular_value == pytest.approx(np.linalg.norm(weight, 2))
        assert bound.spectral_radius <= bound.singular_value * (1 + 1e-12)
        assert bound.present <= bound.largest == pytest.approx(bound.singular_value)
        assert bound.name in theory_sentence(expected_profile(trace))
    assert recurrent_bounds(kind_run("lstm").trace) == ()


def test_a_record_before_a_pass_of_time_has_one_row_per_layer() -> None:
    expected = expected_profile(traces_of("funnel")[0])
    assert expected.numbers.tolist() == [1, 2, 3, 4, 5, 6]
    assert expected.q[0] == pytest.approx(
        float(np.mean(traces_of("funnel")[0]["dense_1"].pre_activation ** 2))
    )
    assert not expected.log10_delta.flags.writeable
