"""How parameters start: the variance, the limits and the shape each rule promises, and streams of their own."""

from __future__ import annotations

import math
from typing import Any, get_args

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gradsim.engine import Simulator, calculate_gain, variance_scaling
from gradsim.engine.initializers import TRUNCATED_NORMAL_SD, initial_bias, initial_weight
from gradsim.spec import Dense, Experiment, Head, Initializer, Network, Repeat, Training, initializer, kind_of
from gradsim.spec.activation import Linear, Prelu
from gradsim.spec.data import GaussianNoise
from gradsim.spec.initializer import BiasInitializer

pytestmark = pytest.mark.jitless

SHAPE = (300, 200)
FAN_IN, FAN_OUT = SHAPE


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def drawn(spec: Any, shape: tuple[int, int] = SHAPE) -> Any:
    return initial_weight(spec, shape, rng())


# rule → variance it promises and its distribution
NAMED = [
    (initializer.GlorotNormal(), 2 / (FAN_IN + FAN_OUT), "normal"),
    (initializer.GlorotUniform(), 2 / (FAN_IN + FAN_OUT), "uniform"),
    (initializer.XavierNormal(), 2 / (FAN_IN + FAN_OUT), "normal"),
    (initializer.XavierUniform(), 2 / (FAN_IN + FAN_OUT), "uniform"),
    (initializer.HeNormal(), 2 / FAN_IN, "normal"),
    (initializer.HeNormal(slope=0.5), 2 / 1.25 / FAN_IN, "normal"),
    (initializer.HeUniform(slope=0.2), 2 / 1.04 / FAN_IN, "uniform"),
    (initializer.KaimingNormal(), 2 / FAN_IN, "normal"),
    (initializer.KaimingUniform(), 2 / FAN_IN, "uniform"),
    (initializer.LecunNormal(), 1 / FAN_IN, "normal"),
    (initializer.LecunUniform(), 1 / FAN_IN, "uniform"),
    (initializer.PytorchLinearDefault(), 1 / (3 * FAN_IN), "uniform"),
    (initializer.Normal(std=0.3), 0.09, "normal"),
    (initializer.Uniform(limit=0.3), 0.03, "uniform"),
    *(
        (
            initializer.VarianceScaling(scale=1.7, mode=mode, distribution=distribution),
            1.7 / fan,
            distribution,
        )
        for mode, fan in (("fan_in", FAN_IN), ("fan_out", FAN_OUT), ("fan_avg", (FAN_IN + FAN_OUT) / 2))
        for distribution in ("normal", "truncated_normal", "uniform")
    ),
]


@pytest.mark.parametrize(("spec", "variance", "distribution"), NAMED, ids=lambda v: str(v)[:60])
def test_the_variance_and_the_distribution_are_as_promised(
    spec: Any, variance: float, distribution: str
) -> None:
    values = drawn(spec)
    sd = math.sqrt(variance)
    assert values.shape == SHAPE
    assert values.dtype == np.float64
    assert abs(values.mean()) < 5 * sd / math.sqrt(values.size)
    assert values.var() == pytest.approx(variance, rel=5 * math.sqrt(2 / values.size))
    # share within one standard deviation, and the farthest value
    within = float(np.mean(np.abs(values) < sd))
    largest = float(np.abs(values).max())
    shares = {"normal": 0.6827, "uniform": 1 / math.sqrt(3), "truncated_normal": 0.6508}
    assert within == pytest.approx(shares[distribution], abs=0.01)
    if distribution == "uniform":
        assert 0.99 * math.sqrt(3 * variance) < largest <= math.sqrt(3 * variance)
    elif distribution == "truncated_normal":
        assert 1.99 * sd / TRUNCATED_NORMAL_SD < largest <= 2 * sd / TRUNCATED_NORMAL_SD
    else:
        assert largest > 3.5 * sd


def test_the_constant_of_the_truncated_normal_is_its_standard_deviation() -> None:
    density = math.exp(-2) / math.sqrt(2 * math.pi)
    variance = 1 - 4 * density / math.erf(math.sqrt(2))
    assert pytest.approx(math.sqrt(variance), rel=1e-15) == TRUNCATED_NORMAL_SD


@pytest.mark.parametrize("shape", [(40, 40), (60, 25), (25, 60), (1, 9), (9, 1), (1, 1)])
@pytest.mark.parametrize("gain", [1.0, 1.7])
def test_orthogonal_weights_have_all_singular_values_equal_to_the_gain(
    shape: tuple[int, int], gain: float
) -> None:
    values = drawn(initializer.Orthogonal(gain=gain), shape)
    assert values.shape == shape
    np.testing.assert_allclose(np.linalg.svd(values, compute_uv=False), gain, rtol=1e-12)


def test_orthogonal_weights_prefer_no_direction() -> None:
    corners = [initial_weight(initializer.Orthogonal(), (3, 3), rng(seed))[0, 0] for seed in range(2000)]
    # of a vector uniform on the sphere in three dimensions, any coordinate is uniform on −1 … 1
    assert np.mean(corners) == pytest.approx(0, abs=0.06)
    assert np.var(corners) == pytest.approx(1 / 3, abs=0.03)
    assert np.mean(np.abs(corners) < 0.5) == pytest.approx(0.5, abs=0.05)


@pytest.mark.parametrize("sparsity", [0.0, 0.1, 0.5, 0.9, 1.0])
def test_sparse_weights_leave_every_unit_the_same_number_of_inputs(sparsity: float) -> None:
    values = drawn(initializer.Sparse(sparsity=sparsity, std=0.2))
    zeros = (values == 0).sum(axis=0)
    assert (zeros == math.ceil(sparsity * FAN_IN)).all()
    if 0 < sparsity < 1:
        assert len({tuple(column) for column in (values == 0).T}) > FAN_OUT / 2
    if sparsity < 1:
        assert values[values != 0].std() == pytest.approx(0.2, rel=0.05)


def test_the_rules_without_chance_give_what_they_say() -> None:
    np.testing.assert_array_equal(drawn(initializer.Zeros(), (2, 3)), np.zeros((2, 3)))
    np.testing.assert_array_equal(drawn(initializer.Ones(), (2, 3)), np.ones((2, 3)))
    np.testing.assert_array_equal(drawn(initializer.Constant(value=-0.3), (2, 3)), np.full((2, 3), -0.3))
    np.testing.assert_array_equal(drawn(initializer.Identity(gain=0.7), (2, 3)), 0.7 * np.eye(2, 3))


@pytest.mark.parametrize("kind", get_args(Initializer), ids=kind_of)
@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (7, 1), (5, 4)])
def test_every_rule_fills_every_shape_with_finite_numbers(kind: Any, shape: tuple[int, int]) -> None:
    values = drawn(kind(), shape)
    assert values.shape == shape
    assert np.isfinite(values).all()


@pytest.mark.parametrize("kind", get_args(BiasInitializer), ids=kind_of)
def test_a_bias_starts_with_the_variance_of_its_layers_weights(kind: Any) -> None:
    spec = kind()
    biases = np.concatenate([initial_bias(spec, FAN_IN, FAN_OUT, rng(seed)) for seed in range(50)])
    weights = drawn(spec)
    assert biases.shape == (50 * FAN_OUT,)
    assert biases.std() == pytest.approx(weights.std(), rel=0.05, abs=1e-12)
    assert biases.mean() == pytest.approx(weights.mean(), abs=5 * weights.std() / 100)


@settings(max_examples=50)
@given(st.integers(1, 30), st.integers(1, 30), st.floats(0.1, 5), st.integers(0, 2**32))
def test_variance_scaling_never_leaves_its_limits(fan_in: int, fan_out: int, scale: float, seed: int) -> None:
    sd = math.sqrt(scale / fan_in)
    uniform = variance_scaling((fan_in, fan_out), rng(seed), scale, "fan_in", "uniform")
    assert np.abs(uniform).max() <= math.sqrt(3) * sd * (1 + 1e-15)
    cut = variance_scaling((fan_in, fan_out), rng(seed), scale, "fan_in", "truncated_normal")
    assert np.abs(cut).max() <= 2 * sd / TRUNCATED_NORMAL_SD * (1 + 1e-15)


@pytest.mark.parametrize(
    ("activation", "gain"),
    [
        ("linear", 1.0),
        ("sigmoid", 1.0),
        ("tanh", 5 / 3),
        ("relu", math.sqrt(2)),
        ("leaky_relu", math.sqrt(2 / 1.0001)),
        ("selu", 0.75),
    ],
)
def test_the_recommended_gains(activation: str, gain: float) -> None:
    assert calculate_gain(activation) == pytest.approx(gain, rel=1e-15)


def test_the_gain_of_a_leaky_relu_depends_on_its_slope() -> None:
    assert calculate_gain("leaky_relu", 0.5) == pytest.approx(math.sqrt(1.6))


def test_an_activation_without_a_recommended_gain_is_refused_with_those_that_have_one() -> None:
    with pytest.raises(ValueError, match="no recommended gain for 'gelu'; there is one for linear, sigmoid"):
        calculate_gain("gelu")


def network(depth: int, seed: int = 5, units: int = 6, name: str | None = None) -> Experiment:
    dense = Dense(units=units, bias_initializer=initializer.Normal(), activation=Prelu())
    layers: tuple[Any, ...] = (Repeat(times=depth, layers=(dense,)),)
    if name is not None:
        layers += (msgspec.structs.replace(dense, name=name),)
    return Experiment(
        seed=seed,
        data=GaussianNoise(samples=10, features=4, outputs=3),
        network=Network(layers=layers, head=Head(activation=Linear(), bias_initializer=initializer.Normal())),
        training=Training(loss="mse", batch_size=5),
    )


def test_adding_a_layer_leaves_the_others_and_the_head_as_they_were() -> None:
    short, long = (Simulator(network(depth)).parameters() for depth in (3, 6))
    assert set(short) < set(long)
    for name, value in short.items():
        np.testing.assert_array_equal(value, long[name], err_msg=name)


def test_a_renamed_layer_gets_numbers_of_its_own_and_changes_no_other() -> None:
    one, other = (Simulator(network(3, name=name)).parameters() for name in ("this", "that"))
    assert (one["this.weight"] != other["that.weight"]).all()
    for name in one.keys() & other.keys():
        np.testing.assert_array_equal(one[name], other[name])


def test_no_two_tensors_start_with_the_same_numbers() -> None:
    parameters = Simulator(network(6)).parameters()
    weights = [v for name, v in parameters.items() if v.shape == (6, 6)]
    biases = [v for name, v in parameters.items() if name.endswith(".bias") and v.shape == (6,)]
    for tensors in (weights, biases):
        assert len({tensor.tobytes() for tensor in tensors}) == len(tensors) > 4


def test_the_seed_decides_the_numbers() -> None:
    same, again, other = (Simulator(network(3, seed)).parameters() for seed in (5, 5, 6))
    for name, value in same.items():
        np.testing.assert_array_equal(value, again[name])
        if not name.endswith(".slope"):
            assert (value != other[name]).all()


def test_both_precisions_start_with_the_same_numbers_but_for_rounding() -> None:
    single = Simulator(network(3)).parameters()
    double = Simulator(msgspec.structs.replace(network(3), precision="float64")).parameters()
    for name, value in double.items():
        np.testing.assert_array_equal(value.astype(np.float32), single[name])


def test_the_slopes_of_a_prelu_start_at_their_initial_value() -> None:
    assert (Simulator(network(2)).parameters()["dense_1.slope"] == 0.25).all()
