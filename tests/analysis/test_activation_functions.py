from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from gradsim import spec
from gradsim.analysis.activation_functions import FUNCTIONS, activation_pair, kinks, largest_slope
from gradsim.engine.activations import (
    ACTIVATIONS,
    activate,
    activation_constants,
    maximal_slope,
    prelu_pass,
    softmax_pass,
)
from gradsim.spec.activation import Elu, LeakyRelu, Prelu, Relu, Rrelu, Softmax

KINDS = {kind.__struct_config__.tag: kind for kind in spec.Activation.__args__}
ELEMENTWISE = [row for row in ACTIVATIONS if row.elementwise]
HAVE_A_ROOT = {"gelu", "gelu_tanh", "silu", "mish"}
rows = pytest.mark.parametrize("row", ELEMENTWISE, ids=lambda row: row.name)


def points() -> NDArray[np.float64]:
    """From the subnormal to where the last exponential has underflown, both signs, with kinks and limits."""
    magnitude = np.concatenate(
        [np.logspace(-300, -2, 120), np.linspace(0.01, 40.0, 4001), np.linspace(41.0, 800.0, 300)]
    )
    special = [0.0, 1.0, 3.0, 6.0, np.inf]
    both = np.concatenate([magnitude, special])
    return np.concatenate([-both[::-1], both])


def by_the_engine(name: str, z: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    row = next(row for row in ACTIVATIONS if row.name == name)
    a, slope = np.empty_like(z), np.empty_like(z)
    activate(row.opcode, z, a, slope, *activation_constants(KINDS[name]()))
    return a, slope


def test_every_activation_of_the_spec_has_a_row() -> None:
    assert set(FUNCTIONS) == set(KINDS)


@rows
def test_value_and_slope_are_those_of_the_engine(row: Any) -> None:
    z = points()
    a, slope = by_the_engine(row.name, z)
    value, derivative = activation_pair(KINDS[row.name](), z)
    # Where both have underflown to subnormal numbers no relative accuracy is left to compare.
    tiny = 1e-305
    if row.name in HAVE_A_ROOT:  # near the root of the slope only its absolute error can be small
        near = (np.abs(slope) < 0.01) & (np.abs(z) < 2.0)
        assert near.any()
        np.testing.assert_allclose(derivative[near], slope[near], rtol=0, atol=1e-15)
        z, a, slope, value, derivative = z[~near], a[~near], slope[~near], value[~near], derivative[~near]
    np.testing.assert_allclose(value, a, rtol=1e-12, atol=tiny)
    np.testing.assert_allclose(derivative, slope, rtol=1e-12, atol=tiny)


@pytest.mark.parametrize("kind", KINDS)
def test_nan_stays_nan(kind: str) -> None:
    value, slope = activation_pair(KINDS[kind](), np.array([np.nan, 1.0]))
    assert np.isnan(value[0])
    assert np.isnan(slope[0])


@pytest.mark.parametrize("name", KINDS)
def test_the_largest_slope_is_the_engines_and_is_reached(name: str) -> None:
    activation = KINDS[name]()
    assert largest_slope(activation) == maximal_slope(activation)
    if FUNCTIONS[name].is_elementwise:
        _, slope = activation_pair(activation, np.linspace(-40, 40, 400_001))
        assert slope.max() == pytest.approx(largest_slope(activation), rel=1e-8)


def test_parameters_of_an_activation_are_heeded() -> None:
    z = np.array([-2.0, 0.0, 3.0])
    assert activation_pair(LeakyRelu(slope=0.3), z)[1].tolist() == [0.3, 0.3, 1.0]
    assert activation_pair(Relu(slope_at_zero=1.0), z)[1].tolist() == [0.0, 1.0, 1.0]
    assert activation_pair(Elu(alpha=2.0), z)[0][0] == pytest.approx(2.0 * np.expm1(-2.0), rel=1e-15)
    assert activation_pair(Rrelu(lower=0.1, upper=0.3), z)[1][0] == pytest.approx(0.2)
    assert largest_slope(Elu(alpha=2.0)) == 2.0


@pytest.mark.parametrize("slopes", [np.array([0.4]), np.array([0.1, -0.2, 1.5])], ids=["layer", "unit"])
def test_a_prelu_takes_its_trained_slopes(slopes: NDArray[Any]) -> None:
    z = np.random.default_rng(1).normal(size=(7, 3))
    a, slope = np.empty_like(z), np.empty_like(z)
    prelu_pass(z, a, slope, slopes)
    value, derivative = activation_pair(Prelu(), z, slopes)
    np.testing.assert_array_equal(value, a)
    np.testing.assert_array_equal(derivative, slope)
    assert largest_slope(Prelu(), slopes) == max(1.0, slopes.max())


def test_softmax_is_that_of_the_engine_over_the_units_of_a_sample() -> None:
    z = 5.0 * np.random.default_rng(2).normal(size=(6, 4))
    a = np.empty_like(z)
    softmax_pass(z, a)
    value, slope = activation_pair(Softmax(), z)
    np.testing.assert_allclose(value, a, rtol=1e-13)
    np.testing.assert_allclose(slope, a * (1 - a), rtol=1e-12)


@pytest.mark.parametrize("name", [name for name, row in FUNCTIONS.items() if row.is_elementwise])
def test_the_slope_jumps_exactly_at_the_kinks(name: str) -> None:
    activation = KINDS[name]()
    at = np.array([*kinks(activation), 0.25, -2.0])
    before = activation_pair(activation, np.nextafter(at, -np.inf))
    behind = activation_pair(activation, np.nextafter(at, np.inf))
    jumps = np.abs(behind[1] - before[1]) > 1e-3
    if name == "step":  # its value jumps
        jumps = behind[0] != before[0]
    assert jumps.tolist() == [True] * len(kinks(activation)) + [False, False]
