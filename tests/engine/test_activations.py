from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import special

from gradsim import spec
from gradsim.engine import activations
from gradsim.engine.activations import (
    ACTIVATIONS,
    ActivationRow,
    activate,
    activation_code,
    activation_constants,
    maximal_slope,
    prelu_pass,
    prelu_slope_gradient,
    rrelu_pass,
    softmax_backward,
    softmax_pass,
)
from gradsim.engine.random import stream_key
from tests.engine.exact_activations import EXACT, LIMITS, SLOPE_HAS_A_ROOT
from tests.engine.precision import both_dtypes, error_in_eps, spread

pytestmark = pytest.mark.jitless

ELEMENTWISE = [row for row in ACTIVATIONS if row.elementwise]
elementwise = pytest.mark.parametrize("row", ELEMENTWISE, ids=[row.name for row in ELEMENTWISE])
CONSTANTS = (0.25, 0.5)  # exact in both dtypes, allowed for every activation


def value_and_slope(row: ActivationRow, z: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    a, slope = np.full_like(z, 77), np.full_like(z, 77)
    activate(row.opcode, z, a, slope, *CONSTANTS)
    return a, slope


def points(row: ActivationRow, dtype: Any) -> NDArray[Any]:
    """Up to where the last exponential has underflown, for gelu by its square and cube."""
    reach = {"gelu": 15.0, "gelu_tanh": 11.0}.get(row.name, 110.0)
    if dtype == np.float64:
        reach = {"gelu": 39.0, "gelu_tanh": 21.0}.get(row.name, 760.0)
    return spread(dtype, reach)


def test_every_activation_of_the_spec_has_a_row_and_every_row_an_exact_counterpart() -> None:
    kinds = {kind.__struct_config__.tag for kind in spec.Activation.__args__}
    assert {row.name for row in ACTIVATIONS} == kinds
    assert [row.opcode for row in ACTIVATIONS] == list(range(len(ACTIVATIONS)))
    assert {row.name for row in ELEMENTWISE} == set(EXACT) == set(LIMITS)
    for row in ACTIVATIONS:
        assert getattr(activations, row.name.upper()) == row.opcode == activation_code(row.name)


@both_dtypes
@elementwise
def test_the_value_is_right_to_a_few_units_in_the_last_place(row: ActivationRow, dtype: Any) -> None:
    z = points(row, dtype)
    exact = EXACT[row.name][0](z.astype(np.longdouble), *CONSTANTS)
    a, _ = value_and_slope(row, z)
    # z times an exponential that is subnormal already has |z| times the error of that
    forgiven = 3 + 2 * np.abs(z.astype(np.longdouble)) * (row.name in SLOPE_HAS_A_ROOT)
    if row.name == "gelu_tanh":  # the error of a rounded exponent is the exponent times eps
        near = np.abs(z) < 3
        assert error_in_eps(a, exact, forgiven) < (200 if dtype == np.float32 else 1500)
        assert error_in_eps(a[near], exact[near]) < 20
    else:
        assert error_in_eps(a, exact, forgiven) < 6


@both_dtypes
@elementwise
def test_the_slope_keeps_its_relative_accuracy_until_it_underflows(row: ActivationRow, dtype: Any) -> None:
    z = points(row, dtype)
    wide = z.astype(np.longdouble)
    exact = EXACT[row.name][1](wide, *CONSTANTS)
    _, slope = value_and_slope(row, z)
    if row.name in SLOPE_HAS_A_ROOT:
        eps = np.longdouble(np.finfo(dtype).eps)
        moved = [EXACT[row.name][1](wide * (1 + 3 * sign * eps), *CONSTANTS) for sign in (-1, 1)]
        room = np.abs(moved[1] - moved[0]) + 8 * eps * np.abs(exact)
        # the exponential may be subnormal before it is multiplied by z, in gelu_tanh by the cubic's slope
        room += (3 + 2 * np.abs(wide) + np.abs(wide) ** 3) * np.longdouble(np.finfo(dtype).smallest_subnormal)
        assert np.all(np.abs(slope.astype(np.longdouble) - exact) <= room)
    else:
        assert error_in_eps(slope, exact) < 5


@both_dtypes
@pytest.mark.parametrize("name", ["gelu", "silu", "mish"])
def test_the_slope_of_the_left_tail_is_right_to_a_few_units(name: str, dtype: Any) -> None:
    row = next(row for row in ELEMENTWISE if row.name == name)
    z = points(row, dtype)
    z = z[(z < -4) & (z > (-13 if name == "gelu" and dtype == np.float32 else -80))]
    _, slope = value_and_slope(row, z)
    exact = EXACT[name][1](z.astype(np.longdouble), *CONSTANTS)
    normal = np.abs(exact) > 100 * np.finfo(dtype).tiny
    assert np.count_nonzero(normal) > 10
    assert error_in_eps(slope[normal], exact[normal]) < 12


@both_dtypes
def test_tanh_saturates_to_exactly_one_and_its_slope_does_not(dtype: Any) -> None:
    z = np.array([15.0, -15.0, 19.5, -40.0], dtype)
    tanh = next(row for row in ELEMENTWISE if row.name == "tanh")
    a, slope = value_and_slope(tanh, z)
    if dtype == np.float32:
        np.testing.assert_array_equal(a, np.sign(z))
    np.testing.assert_allclose(slope, 1 / np.cosh(z.astype(np.float64)) ** 2, rtol=4 * np.finfo(dtype).eps)
    assert np.all(np.abs(a) <= 1)


@both_dtypes
@elementwise
def test_infinity_gives_the_limits_and_nan_shows_in_value_and_slope(row: ActivationRow, dtype: Any) -> None:
    largest = np.finfo(dtype).max
    z = np.array(
        [-np.inf, np.inf, np.nan, -largest, largest] * 9, dtype
    )  # long enough for vectors and a rest
    a, slope = value_and_slope(row, z)
    left, left_slope, right, right_slope = (dtype(limit) for limit in LIMITS[row.name])
    np.testing.assert_allclose(a[0::5], left, rtol=1e-6)
    np.testing.assert_allclose(slope[0::5], left_slope, rtol=1e-6)
    np.testing.assert_allclose(a[1::5], right, rtol=1e-6)
    np.testing.assert_allclose(slope[1::5], right_slope, rtol=1e-6)
    assert np.all(np.isnan(a[2::5]))
    assert np.all(np.isnan(slope[2::5]))
    np.testing.assert_allclose(slope[3::5], left_slope, rtol=1e-6)
    np.testing.assert_allclose(slope[4::5], right_slope, rtol=1e-6)
    assert not np.any(np.isnan(a[3::5]) | np.isnan(a[4::5]))


KINKS = {
    "step": {0.0: 0},
    "hard_sigmoid": {-3.0: 0, 3.0: 0},
    "hard_tanh": {-1.0: 0, 1.0: 0},
    "relu": {0.0: 0.25},
    "leaky_relu": {0.0: 0.25},
    "rrelu": {0.0: 0.375},
    "elu": {0.0: 0.25},
    "selu": {0.0: 1.7580993408473768},
    "celu": {0.0: 1.0},
    "relu6": {0.0: 0, 6.0: 0},
    "softsign": {0.0: 1.0},
}


@both_dtypes
@pytest.mark.parametrize("name", KINKS)
def test_the_slope_at_a_kink_is_the_one_of_the_convention(name: str, dtype: Any) -> None:
    row = next(row for row in ELEMENTWISE if row.name == name)
    z = np.array(list(KINKS[name]), dtype)
    expected = np.array(list(KINKS[name].values()), dtype)
    for same in (z, np.where(z == 0, dtype(-0.0), z)):
        _, slope = value_and_slope(row, same)
        np.testing.assert_allclose(slope, expected, rtol=np.finfo(dtype).eps)


@both_dtypes
def test_the_step_is_one_at_zero(dtype: Any) -> None:
    a, _ = value_and_slope(ELEMENTWISE[1], np.array([-0.0, 0.0, -1e-30, 1e-30], dtype))
    np.testing.assert_array_equal(a, [1, 1, 0, 1])


@both_dtypes
@elementwise
def test_cutting_a_tensor_into_pieces_changes_no_bit(row: ActivationRow, dtype: Any) -> None:
    z = spread(dtype, 20.0)[:301]
    whole = value_and_slope(row, z)
    for cut in (1, 7, 150):
        pieces = [value_and_slope(row, np.ascontiguousarray(part)) for part in (z[:cut], z[cut:])]
        for index in range(2):
            np.testing.assert_array_equal(np.concatenate([piece[index] for piece in pieces]), whole[index])


@elementwise
def test_no_slope_exceeds_the_maximal_one_and_some_reaches_it(row: ActivationRow) -> None:
    bound = row.maximal_slope(*CONSTANTS)
    z = np.concatenate([np.linspace(-8.0, 8.0, 1601), [0.0, np.sqrt(2.0), 1.4185040087908283, 50.0]])
    z = np.append(z, [2.3993572805154675, 1.4905711794854284]).astype(np.longdouble)
    slope = EXACT[row.name][1](z, *CONSTANTS).astype(np.float64)
    assert slope.max() <= bound * (1 + 4e-16)
    assert slope.max() == pytest.approx(bound, rel=2e-15)


def test_constants_and_maximal_slope_come_from_the_spec() -> None:
    assert activation_constants(spec.activation.Elu(alpha=2.5)) == (2.5, 0.0)
    assert maximal_slope(spec.activation.Elu(alpha=2.5)) == 2.5
    assert activation_constants(spec.activation.Rrelu(lower=0.1, upper=0.4)) == (0.1, 0.4)
    assert activation_constants(spec.activation.Relu(slope_at_zero=1.0)) == (1.0, 0.0)
    assert activation_constants(spec.activation.Tanh()) == (0.0, 0.0)
    assert maximal_slope(spec.activation.Step()) == 0


def batch(dtype: Any, rows: int = 5, units: int = 37, seed: int = 1) -> NDArray[Any]:
    return np.random.default_rng(seed).normal(size=(rows, units)).astype(dtype)


@both_dtypes
@pytest.mark.parametrize("per", ["layer", "unit"])
def test_prelu_multiplies_by_its_slopes_and_sums_their_gradient(per: str, dtype: Any) -> None:
    z, gradient = batch(dtype), batch(dtype, seed=2)
    z[1, 3] = 0
    slopes = batch(dtype, 1, 37 if per == "unit" else 1, seed=3)[0]
    a, slope, out = np.empty_like(z), np.empty_like(z), np.full_like(slopes, 77)
    prelu_pass(z, a, slope, slopes)
    prelu_slope_gradient(z, gradient, out)
    np.testing.assert_array_equal(a, np.where(z > 0, z, slopes * z))
    np.testing.assert_array_equal(slope, np.where(z > 0, dtype(1), np.broadcast_to(slopes, z.shape)))
    terms = np.where(z > 0, 0, gradient.astype(np.float64) * z)
    exact = terms.sum(axis=0) if per == "unit" else terms.sum(keepdims=True)[0]
    np.testing.assert_allclose(out, exact, rtol=20 * np.finfo(dtype).eps, atol=4 * np.finfo(dtype).eps)


@both_dtypes
def test_rrelu_draws_slopes_between_its_limits_the_same_for_the_same_index(dtype: Any) -> None:
    z = -np.linspace(1.0, 2.0, 400).astype(dtype)
    z[7] = 3
    a, slope = np.empty_like(z), np.empty_like(z)
    key = stream_key(3, "rrelu", "dense_1")
    rrelu_pass(z, a, slope, 0.125, 0.375, key, 1000)
    drawn = np.delete(slope, 7)
    assert slope[7] == 1
    assert a[7] == 3
    assert drawn.min() >= 0.125
    assert drawn.max() <= 0.375
    assert np.unique(drawn).size > 390
    assert abs(drawn.mean() - 0.25) < 0.02
    np.testing.assert_array_equal(a, slope * z)
    rest_a, rest_slope = np.empty_like(z[150:]), np.empty_like(z[150:])
    rrelu_pass(z[150:], rest_a, rest_slope, 0.125, 0.375, key, 1150)
    np.testing.assert_array_equal(rest_slope, slope[150:])
    rrelu_pass(z, a, slope, 0.125, 0.375, stream_key(3, "rrelu", "dense_2"), 1000)
    assert not np.any(np.delete(slope, 7) == drawn)


@both_dtypes
def test_softmax_agrees_with_scipy_and_does_not_overflow(dtype: Any) -> None:
    z = 5 * batch(dtype)
    z[2] += dtype(1e30)
    z[3] *= dtype(100)
    a = np.empty_like(z)
    softmax_pass(z, a)
    exact = special.softmax(z.astype(np.float64), axis=1)
    np.testing.assert_allclose(
        a, exact, rtol=30 * np.finfo(dtype).eps, atol=np.finfo(dtype).smallest_subnormal
    )


@both_dtypes
def test_nan_in_a_row_of_softmax_stays_in_its_row(dtype: Any) -> None:
    z = batch(dtype)
    z[1, 4] = np.nan
    z[2, 0] = -np.inf
    a = np.empty_like(z)
    softmax_pass(z, a)
    assert np.all(np.isnan(a[1]))
    assert a[2, 0] == 0
    assert np.all(np.isfinite(np.delete(a, 1, axis=0)))


@both_dtypes
def test_the_backward_pass_of_softmax_is_its_whole_jacobian(dtype: Any) -> None:
    z, gradient = batch(dtype), batch(dtype, seed=2)
    a, delta = np.empty_like(z), np.empty_like(z)
    softmax_pass(z, a)
    softmax_backward(a, gradient, delta)
    for row in range(len(z)):
        probabilities = special.softmax(z[row].astype(np.float64))
        jacobian = np.diag(probabilities) - np.outer(probabilities, probabilities)
        exact = jacobian.T @ gradient[row].astype(np.float64)
        np.testing.assert_allclose(
            delta[row], exact, rtol=0, atol=8 * np.finfo(dtype).eps * np.abs(exact).max()
        )
