import numpy as np
import pytest

from gradsim.data.regression import CURVES, SURFACES, curve, noise, plane
from gradsim.spec import SpecError
from gradsim.spec.data import Curve, GaussianNoise, Plane


def random():
    return np.random.default_rng(0)


@pytest.mark.parametrize("name", CURVES)
def test_points_lie_on_their_curve(name):
    raw = curve(Curve(function=name, noise=0.0), random())
    assert np.array_equal(raw.numbers, CURVES[name][1](raw.inputs))
    assert np.abs(raw.inputs).max() <= 1.0
    assert CURVES[name][0] in raw.title


@pytest.mark.parametrize("name", SURFACES)
def test_points_lie_on_their_surface(name):
    raw = plane(Plane(function=name, noise=0.0), random())
    assert np.array_equal(raw.numbers[:, 0], SURFACES[name][1](*raw.inputs.T))
    assert raw.inputs.shape == (500, 2)


@pytest.mark.parametrize(("table", "kind"), [(CURVES, Curve), (SURFACES, Plane)])
def test_every_function_that_can_be_asked_for_is_in_the_table(table, kind):
    import msgspec

    asked = msgspec.json.schema(kind)["$defs"][kind.__name__]["properties"]["function"]["enum"]
    assert sorted(table) == sorted(asked)


@pytest.mark.parametrize(
    ("name", "x", "y"),
    [("sine", 0.25, 1.0), ("cubic", 0.5, -1.0), ("step", 0.0, 1.0), ("absolute", -0.5, 0.5)],
)
def test_curves_have_the_values_of_their_formula(name, x, y):
    assert CURVES[name][1](np.array([x]))[0] == pytest.approx(y, abs=1e-15)


def test_noise_of_a_curve_is_in_the_target():
    still, moved = (curve(Curve(samples=4000, noise=s), random()) for s in (0.0, 0.5))
    assert np.array_equal(still.inputs, moved.inputs)
    assert (moved.numbers - still.numbers).std() == pytest.approx(0.5, rel=0.05)


def test_gaussian_noise_is_standard_normal_and_unrelated():
    raw = noise(GaussianNoise(samples=20_000, features=3, outputs=2), random())
    both = np.hstack([raw.inputs, raw.numbers])
    np.testing.assert_allclose(np.cov(both.T), np.eye(5), atol=0.05)


def test_noise_that_would_not_fit_is_refused_with_its_bytes_before_anything_is_allocated():
    with pytest.raises(SpecError, match=r"^\$\.data\.samples: .*1,073,741,824 bytes.*65,536,000,000$"):
        noise(GaussianNoise(samples=1_000_000, features=4096, outputs=4096), random())
