import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradsim.analysis.fit import factor_words, fitted_factor


def fit(values, direction="forward", numbers=None):
    values = np.array(values, dtype=np.float64)
    numbers = np.arange(1, len(values) + 1) if numbers is None else np.array(numbers)
    return fitted_factor(values, numbers, direction, among=len(values))


@given(st.floats(-3.0, 3.0), st.integers(2, 60), st.sampled_from(["forward", "backward"]))
def test_a_geometric_row_gives_its_factor_and_r_squared_1(log10_factor, layers, direction):
    index = np.arange(layers) if direction == "forward" else np.arange(layers)[::-1]
    found = fit(10.0 ** (log10_factor * index), direction)
    assert math.log10(found.factor) == pytest.approx(log10_factor, abs=1e-9)
    assert found.r_squared == pytest.approx(1.0, abs=1e-6)
    assert found.used.tolist() == list(range(layers))
    assert found.note == ""


def test_two_hundred_layers_give_their_factor():
    found = fit(0.24 ** np.arange(200.0)[::-1], "backward")
    assert found.factor == pytest.approx(0.24, rel=1e-12)
    assert found.words == "×0.24 per layer"
    assert len(found.used) == 200


def test_the_line_runs_through_the_values_it_was_fitted_to():
    values = 3e-5 * 2.0 ** np.arange(7)
    np.testing.assert_allclose(10 ** fit(values, "backward").log10_at(np.arange(7)), values, rtol=1e-12)


def test_least_squares_and_r_squared_are_those_of_the_closed_form():
    # log10 = 0, 1, 1, 2 over 0…3: slope 0.6, residual sum 0.2 of 2.
    found = fit([1.0, 10.0, 10.0, 100.0])
    assert found.slope == pytest.approx(0.6)
    assert found.intercept == pytest.approx(0.1)
    assert found.r_squared == pytest.approx(0.9)


@pytest.mark.parametrize("value", [1.0, 0.1, 1e-300, 1e300, 5e-324])
def test_constant_values_are_flat_and_explained_by_the_line(value):
    found = fit([value] * 30)
    assert (found.factor, found.r_squared, found.words) == (pytest.approx(1.0), 1.0, "flat")


def test_values_that_rise_and_fall_are_not_called_flat_without_a_word():
    found = fit([1.0, 1e6, 1e6, 1.0])
    assert found.words == "flat on average, but uneven"
    assert found.r_squared == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize(
    ("factor", "steps", "words"),
    [
        (0.24, 19, "×0.24 per layer"),
        (0.5, 1, "×0.5 per layer"),
        (3.14, 5, "grows ×3.1 per layer"),
        (10.0, 5, "grows ×10 per layer"),
        (125.0, 5, "grows ×125 per layer"),
        (1.0, 500, "flat"),
        (1.004, 10, "flat"),
        (1.004, 200, "grows ×1.004 per layer"),
        (0.996, 200, "×0.996 per layer"),
        (0.95, 10, "×0.95 per layer"),
        (0.0015, 3, "×1.5e-03 per layer"),
        (99999.0, 3, "grows ×1.0e+05 per layer"),
    ],
)
def test_factors_are_told_in_two_digits_and_near_1_in_as_many_as_it_takes(factor, steps, words):
    assert factor_words(math.log10(factor), steps) == words


def test_a_factor_beyond_float64_is_still_told():
    found = fit([1e-300, 1e300])
    assert found.factor == math.inf
    assert found.words == "grows ×1.0e+600 per layer"
    assert fit([1e-300, 1e300], "backward").factor == 0.0


def test_zeros_stand_outside_the_fit_and_are_counted():
    found = fit([0.0, 0.0, 0.0, *(0.1 ** np.arange(17.0)[::-1])], "backward")
    assert found.factor == pytest.approx(0.1)
    assert found.r_squared == pytest.approx(1.0)
    assert found.used.tolist() == list(range(3, 20))
    assert found.note == "3 of 20 layers are 0 and stand outside the fit"


def test_one_zero_is_told_in_the_singular():
    assert fit([0.0, 1.0, 2.0]).note == "1 of 3 layers is 0 and stands outside the fit"


def test_gaps_do_not_shift_the_layers_behind_them():
    assert fit([1.0, math.nan, 4.0, 8.0]).factor == pytest.approx(2.0)


def test_layers_that_are_not_a_number_or_infinite_are_named_by_their_numbers():
    found = fit([1.0, 2.0, math.nan, math.nan, math.nan, 32.0, math.inf, math.nan])
    assert found.factor == pytest.approx(2.0)
    assert found.note == "not a number in layers 3–5, 8; infinite in layer 7"


def test_numbers_for_people_may_differ_from_indices():
    found = fit([1.0, 2.0, math.nan], numbers=[2, 5, 9])
    assert found.note == "not a number in layer 9"
    assert found.used.tolist() == [0, 1]


@pytest.mark.parametrize(
    ("values", "words", "note"),
    [
        ([], "no slope: no layer takes part", ""),
        ([0.5], "no slope: a single layer takes part", ""),
        ([math.nan], "no slope: a single layer takes part, and its value is not a number", ""),
        ([0.0] * 4, "no slope: all 4 layers are 0", ""),
        ([math.nan] * 4, "no slope: all 4 layers are NaN", ""),
        ([math.inf] * 4, "no slope: all 4 layers are infinite", ""),
        (
            [0.0, math.nan],
            "no slope: no layer of 2 has a finite value other than 0",
            "1 of 2 layers is 0 and stands outside the fit; not a number in layer 2",
        ),
        (
            [0.0, 0.5, 0.0],
            "no slope: only layer 2 of 3 has a finite value other than 0",
            "2 of 3 layers are 0 and stand outside the fit",
        ),
    ],
)
def test_fewer_than_two_usable_layers_have_no_factor_and_the_words_say_why(values, words, note):
    found = fit(values)
    assert math.isnan(found.factor)
    assert math.isnan(found.r_squared)
    assert math.isnan(found.slope)
    assert found.words == words
    assert found.note == note


@given(st.lists(st.floats(min_value=0.0) | st.just(math.nan), max_size=30))
def test_any_values_give_a_fit_or_a_reason(values):
    found = fit(values)
    usable = [i for i, v in enumerate(values) if math.isfinite(v) and v > 0]
    assert found.used.tolist() == usable
    assert math.isnan(found.factor) == (len(usable) < 2)
    assert found.words
    assert math.isnan(found.r_squared) or 0.0 <= found.r_squared <= 1.0
