import numpy as np
import pytest

from gradsim.data.plane_classes import checkerboard, circles, gaussians, moons, spirals, xor
from gradsim.spec import SpecError
from gradsim.spec.data import Checkerboard, Circles, Gaussians, Moons, Spirals, Xor

MANY_CLASSES = [(circles, Circles), (spirals, Spirals), (gaussians, Gaussians), (checkerboard, Checkerboard)]
EVERY_KIND = [(moons, Moons), (xor, Xor), *MANY_CLASSES]


def drawn(function, spec, seed=0):
    return function(spec, np.random.default_rng(seed))


@pytest.mark.parametrize(("function", "kind"), EVERY_KIND)
@pytest.mark.parametrize("samples", [10, 101, 500])
def test_classes_are_balanced_to_one_sample(function, kind, samples):
    sizes = np.bincount(drawn(function, kind(samples=samples)).classes)
    assert sizes.sum() == samples
    assert np.ptp(sizes) <= 1


@pytest.mark.parametrize(("function", "kind"), MANY_CLASSES)
@pytest.mark.parametrize("classes", [2, 3, 7])
def test_every_class_is_there(function, kind, classes):
    raw = drawn(function, kind(samples=classes, classes=classes))
    assert sorted(raw.classes) == list(range(classes))
    assert len(raw.output_names) == classes


@pytest.mark.parametrize(("function", "kind"), MANY_CLASSES)
def test_more_classes_than_samples_are_refused(function, kind):
    with pytest.raises(SpecError, match=r"^\$\.data\.samples: .*7 classes, got 3$"):
        drawn(function, kind(samples=3, classes=7))


@pytest.mark.parametrize(("function", "kind"), EVERY_KIND)
def test_noise_moves_the_points_by_its_standard_deviation_and_nothing_else(function, kind):
    still, moved = (drawn(function, kind(samples=4000, noise=noise)) for noise in (0.0, 0.5))
    assert np.array_equal(still.classes, moved.classes)
    np.testing.assert_allclose((moved.inputs - still.inputs).std(axis=0), 0.5, rtol=0.05)


@pytest.mark.parametrize(("function", "kind"), EVERY_KIND)
def test_classes_do_not_stand_in_blocks(function, kind):
    assert len(set(drawn(function, kind(samples=200)).classes[:40])) > 1


def test_moons_lie_on_two_half_circles():
    raw = drawn(moons, Moons(noise=0.0))
    for k, centre, side in ((0, (0.0, 0.0), 1.0), (1, (1.0, 0.5), -1.0)):
        away = raw.inputs[raw.classes == k] - centre
        np.testing.assert_allclose(np.hypot(*away.T), 1.0, rtol=1e-12)
        assert (side * away[:, 1] >= 0).all()


def test_rings_have_radii_from_1_to_the_factor():
    raw = drawn(circles, Circles(noise=0.0, classes=3, factor=0.2))
    np.testing.assert_allclose(np.hypot(*raw.inputs.T), np.array([1.0, 0.6, 0.2])[raw.classes], rtol=1e-12)


def test_spiral_arms_wind_the_asked_turns():
    raw = drawn(spirals, Spirals(noise=0.0, classes=4, turns=1.5))
    radius = np.hypot(*raw.inputs.T)
    assert radius.min() >= 0.1
    assert radius.max() <= 1.0
    angle = np.arctan2(raw.inputs[:, 1], raw.inputs[:, 0]) / (2 * np.pi)
    turns = angle - 1.5 * radius - raw.classes / 4
    np.testing.assert_allclose(turns - np.round(turns), 0.0, atol=1e-12)


def test_xor_classes_tell_whether_the_signs_agree():
    raw = drawn(xor, Xor(noise=0.0))
    assert np.array_equal(raw.inputs.prod(axis=1) < 0, raw.classes == 1)
    assert set(map(tuple, np.sign(raw.inputs))) == {(1, 1), (-1, -1), (1, -1), (-1, 1)}


def test_clouds_stand_on_a_circle():
    raw = drawn(gaussians, Gaussians(samples=30_000, noise=0.3, classes=3))
    for k in range(3):
        cloud = raw.inputs[raw.classes == k]
        centre = np.cos(2 * np.pi * k / 3), np.sin(2 * np.pi * k / 3)
        np.testing.assert_allclose(cloud.mean(axis=0), centre, atol=0.02)
        np.testing.assert_allclose(cloud.std(axis=0), 0.3, rtol=0.05)


@pytest.mark.parametrize(("squares", "classes"), [(4, 2), (5, 3), (2, 3)])
def test_squares_of_the_board_are_coloured_in_turn_and_all_are_used(squares, classes):
    raw = drawn(checkerboard, Checkerboard(samples=3000, classes=classes, squares=squares))
    column, row = np.floor((raw.inputs.T + 1) * squares / 2).astype(int)
    assert np.array_equal((row + column) % classes, raw.classes)
    assert len(set(zip(row, column, strict=True))) == squares**2


def test_a_board_with_fewer_diagonals_than_classes_is_refused():
    with pytest.raises(SpecError, match=r"^\$\.data\.classes: expected at most 3 classes .*2 × 2.*got 4$"):
        drawn(checkerboard, Checkerboard(squares=2, classes=4))
