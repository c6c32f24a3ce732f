from typing import Any

import numpy as np
import pytest
from scipy import special

from gradsim.engine.compilation import kernel
from gradsim.engine.elementary import (
    exp_and_expm1_of_negative,
    exp_of_negative,
    exp_of_sum,
    log1p_of_fraction,
    normal_density_and_mills,
)
from tests.engine.precision import POINTS, both_dtypes, error_in_eps, spread

pytestmark = pytest.mark.jitless


@kernel
def exp_each(x: Any, out: Any) -> None:
    for i in range(x.size):
        out[i] = exp_of_negative(x[i])


@kernel
def exp_of_sum_each(x: Any, low: Any, out: Any) -> None:
    for i in range(x.size):
        out[i] = exp_of_sum(x[i], low[i])


@kernel
def exp_and_expm1_each(x: Any, out: Any, less_one: Any) -> None:
    for i in range(x.size):
        out[i], less_one[i] = exp_and_expm1_of_negative(x[i])


@kernel
def log1p_each(x: Any, out: Any) -> None:
    for i in range(x.size):
        out[i] = log1p_of_fraction(x[i])


@kernel
def density_and_mills_each(x: Any, density: Any, mills: Any) -> None:
    for i in range(x.size):
        density[i], mills[i] = normal_density_and_mills(x[i])


def underflow(dtype: Any) -> float:
    return 110.0 if dtype == np.float32 else 760.0


@both_dtypes
def test_exp_is_right_to_a_unit_down_to_the_smallest_subnormal(dtype: Any) -> None:
    x = -np.abs(spread(dtype, underflow(dtype)))
    out = np.empty_like(x)
    exp_each(x, out)
    assert error_in_eps(out, np.exp(x.astype(np.longdouble))) < 1.2
    assert np.any((out > 0) & (out < np.finfo(dtype).tiny)), "no subnormal result was tried"
    assert out[0] == 0


@both_dtypes
def test_exp_of_a_sum_has_no_error_from_rounding_the_sum(dtype: Any) -> None:
    exact = -np.linspace(0.0, underflow(dtype), POINTS).astype(np.longdouble) * np.longdouble(1.000123456789)
    x = exact.astype(dtype)
    low = (exact - x).astype(dtype)
    out = np.empty_like(x)
    exp_of_sum_each(x, low, out)
    assert error_in_eps(out, np.exp(exact)) < 1.5


@both_dtypes
def test_exp_minus_one_keeps_its_digits_near_zero(dtype: Any) -> None:
    x = -np.abs(spread(dtype, underflow(dtype)))
    out, less_one = np.empty_like(x), np.empty_like(x)
    exp_and_expm1_each(x, out, less_one)
    assert error_in_eps(out, np.exp(x.astype(np.longdouble))) < 1.2
    assert error_in_eps(less_one, np.expm1(x.astype(np.longdouble))) < 2


@both_dtypes
def test_log1p_keeps_its_digits_near_zero(dtype: Any) -> None:
    x = np.abs(spread(dtype, 1.0))
    out = np.empty_like(x)
    log1p_each(x, out)
    assert error_in_eps(out, np.log1p(x.astype(np.longdouble))) < 2


@both_dtypes
def test_the_upper_tail_of_the_normal_distribution_is_right_until_it_underflows(dtype: Any) -> None:
    y = np.linspace(0.0, 15.0 if dtype == np.float32 else 45.0, POINTS).astype(dtype)
    density, mills = np.empty_like(y), np.empty_like(y)
    density_and_mills_each(y, density, mills)
    wide = y.astype(np.longdouble)
    root_two_pi = np.sqrt(2 * np.longdouble("3.14159265358979323846"))
    exact_mills = special.erfcx(y.astype(np.float64) / np.sqrt(2.0)) * np.sqrt(np.pi / 2)
    assert error_in_eps(density, np.exp(-wide * wide / 2) / root_two_pi) < 3
    assert error_in_eps(mills, exact_mills.astype(np.longdouble)) < 5
    assert density[-1] == 0


@both_dtypes
def test_minus_infinity_gives_the_limit_and_nan_stays_nan(dtype: Any) -> None:
    x = np.array([-np.inf, np.nan, -0.0, 0.0, -np.finfo(dtype).max], dtype)
    out, less_one, alone = np.empty_like(x), np.empty_like(x), np.empty_like(x)
    exp_and_expm1_each(x, out, less_one)
    exp_each(x, alone)
    np.testing.assert_array_equal(out, np.array([0, np.nan, 1, 1, 0], dtype))
    np.testing.assert_array_equal(alone, out)
    np.testing.assert_array_equal(less_one, np.array([-1, np.nan, 0, 0, -1], dtype))
    log1p_each(x[1:4], out[1:4])
    np.testing.assert_array_equal(out[1:4], np.array([np.nan, 0, 0], dtype))
