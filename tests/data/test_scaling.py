import numpy as np
import pytest

from gradsim.data.scaling import fitted_scaling


def scaled(column, scaling):
    inputs = np.array(column, dtype=np.float64)[:, None]
    offset, factor = fitted_scaling(inputs, scaling)
    return ((inputs - offset) * factor)[:, 0]


def test_none_changes_nothing():
    assert scaled([3.0, -1.0, 5.0], "none").tolist() == [3.0, -1.0, 5.0]


def test_standard_gives_mean_0_and_population_sd_1():
    np.testing.assert_allclose(scaled([1.0, 3.0], "standard"), [-1.0, 1.0], rtol=1e-15)


def test_min_max_gives_0_to_1():
    assert scaled([2.0, 6.0, 3.0], "min_max").tolist() == [0.0, 1.0, 0.25]


@pytest.mark.parametrize("scaling", ["standard", "min_max"])
@pytest.mark.parametrize("value", [0.0, 0.1, -7.3, 1e300, 5e-324])
def test_a_constant_column_becomes_exactly_0(scaling, value):
    assert scaled([value] * 7, scaling).tolist() == [0.0] * 7


@pytest.mark.parametrize("size", [1e-300, 1e-160, 1.0, 1e160, 1e300])
def test_standard_holds_at_any_size(size):
    np.testing.assert_allclose(scaled([-size, size], "standard"), [-1.0, 1.0], rtol=1e-14)


@pytest.mark.parametrize("scaling", ["standard", "min_max"])
def test_a_spread_too_small_to_divide_by_stays_finite(scaling):
    assert np.isfinite(scaled([0.0, 5e-324], scaling)).all()


@pytest.mark.parametrize("scaling", ["none", "standard", "min_max"])
def test_a_feature_of_sequences_is_scaled_as_one_column_of_all_its_steps(scaling):
    sequences = np.random.default_rng(0).normal(size=(5, 4, 3))
    sequences[:, :, 2] = np.arange(4)  # constant at each step, but not over the steps
    for whole, rows in zip(
        fitted_scaling(sequences, scaling), fitted_scaling(sequences.reshape(20, 3), scaling), strict=True
    ):
        assert np.array_equal(whole, rows)
        assert whole.shape == (3,)
