"""Derivatives from differences."""

import math

import pytest

from gradsim.analysis.differences import difference

SMOOTH = {
    "line": (lambda x: 3.0 * x + 2.0, 3.0),
    "exponential": (math.exp, 1.0),
    "sine of a large angle": (lambda x: math.sin(40.0 * x), 40.0),
    "cubic": (lambda x: 1.0 + 2.0 * x + 5.0 * x**2 - 7.0 * x**3, 2.0),
    "almost flat": (lambda x: 1.0 + 1e-9 * math.sin(x), 1e-9),
}


@pytest.mark.parametrize("name", SMOOTH)
@pytest.mark.parametrize("step", [1e-6, 1e-3, 0.1])
def test_the_error_is_within_its_estimate_and_small_whatever_the_first_step(name, step):
    function, slope = SMOOTH[name]
    found = difference(function, function(0.0), step, 1e-9 * slope, 4e-16)
    assert abs(found.value - slope) <= 2 * found.uncertainty
    assert found.uncertainty <= max(1e-8 * slope, 4e-14)
    assert found.kink is None


def test_a_kink_beside_the_point_is_seen_and_avoided_by_a_smaller_step():
    def function(x):
        return 1.0 + x + max(0.0, x - 0.003)

    found = difference(function, 1.0, 0.05, 1e-9, 4e-16)
    assert found.value == pytest.approx(1.0, abs=1e-9)
    assert 0.001 < found.kink < 0.013
    assert found.step < 0.003


def test_at_a_kink_the_one_sided_slopes_stay_apart():
    found = difference(lambda x: 1.0 + max(0.0, x), 1.0, 0.01, 1e-9, 4e-16)
    assert found.forward == pytest.approx(1.0)
    assert found.backward == pytest.approx(0.0, abs=1e-9)
    assert found.gap == pytest.approx(1.0)


@pytest.mark.parametrize("broken", [math.nan, math.inf])
def test_a_function_that_is_not_finite_nearby_has_no_derivative(broken):
    assert math.isnan(difference(lambda x: broken, 1.0, 0.01, 1e-9, 4e-16).value)


def test_rounding_is_never_underestimated():
    def coarse(x):
        return round(1.0 + 1e-9 * x, 10)

    found = difference(coarse, 1.0, 0.01, 1e-15, 1e-10)
    assert found.uncertainty > 1e-10
