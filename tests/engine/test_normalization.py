from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from numba import config
from numpy.typing import NDArray

from gradsim.engine.normalization import (
    BATCH,
    LAYER,
    RMS,
    normalize_backward,
    normalize_forward,
    work_size,
)
from tests.engine.precision import both_dtypes

pytestmark = pytest.mark.jitless

Array = NDArray[Any]

methods = pytest.mark.parametrize("method", [BATCH, LAYER, RMS], ids=["batch", "layer", "rms"])
row_methods = pytest.mark.parametrize("method", [LAYER, RMS], ids=["layer", "rms"])
affinities = pytest.mark.parametrize("affine", [True, False], ids=["affine", "plain"])

SHAPES = [(2, 3), (8, 6), (9, 5), (200, 1), (7, 1), (5, 67)]
if not config.DISABLE_JIT:
    SHAPES += [(64, 10), (65, 10), (64, 127), (33, 128), (33, 129), (3, 700)]
shapes = pytest.mark.parametrize("shape", SHAPES, ids=[f"{rows}x{units}" for rows, units in SHAPES])


@dataclass
class Case:
    method: int
    x: Array
    output_gradient: Array
    gamma: Array
    beta: Array
    running_mean: Array
    running_variance: Array
    eps: float = 1e-5
    momentum: float = 0.1
    training: bool = True


@dataclass
class Result:
    out: Array
    normalized: Array
    mean: Array
    inverse: Array
    input_gradient: Array
    gamma_gradient: Array
    beta_gradient: Array


def case(
    method: int, shape: tuple[int, int], affine: bool = True, dtype: Any = np.float64, **rest: Any
) -> Case:
    rng = np.random.default_rng(shape)
    rows, units = shape

    def drawn(*size: int) -> Array:
        return rng.normal(size=size).astype(dtype)

    x = (drawn(rows, units) * np.exp(drawn(units)) + 3 * drawn(units)).astype(dtype)
    gamma = drawn(units) if affine else np.empty(0, dtype)
    beta = drawn(units) if affine and method != RMS else np.empty(0, dtype)
    running = drawn(units), np.exp(drawn(units))
    return Case(method, x, drawn(rows, units), gamma, beta, *running, **rest)


def computed(asked: Case) -> Result:
    """Run both passes; the running moments of the case change in place. Nothing may be read that is not given."""
    rows, units = asked.x.shape
    work = np.full(work_size(units), np.nan)
    moments = units if asked.method == BATCH else rows

    def unwritten(size: int) -> Array:
        return np.full(size, 77, asked.x.dtype)

    out, normalized, input_gradient = (unwritten(asked.x.size) for _ in range(3))
    mean, inverse = unwritten(moments), unwritten(moments)
    gamma_gradient, beta_gradient = unwritten(asked.gamma.size), unwritten(asked.beta.size)
    normalize_forward(
        asked.method,
        asked.x.ravel(),
        out,
        normalized,
        asked.gamma,
        asked.beta,
        mean,
        inverse,
        asked.running_mean,
        asked.running_variance,
        units,
        asked.eps,
        asked.momentum,
        asked.training,
        work,
    )
    work[:] = np.nan
    normalize_backward(
        asked.method,
        normalized,
        asked.gamma,
        inverse,
        asked.output_gradient.ravel(),
        input_gradient,
        gamma_gradient,
        beta_gradient,
        units,
        work,
    )
    return Result(
        out.reshape(rows, units),
        normalized.reshape(rows, units),
        mean,
        inverse,
        input_gradient.reshape(rows, units),
        gamma_gradient,
        beta_gradient,
    )


def exact(asked: Case) -> Result:
    """Both passes by their definition in extended precision; the moments of layer and rms are columns."""
    x, gradient = asked.x.astype(np.longdouble), asked.output_gradient.astype(np.longdouble)
    gamma = asked.gamma.astype(np.longdouble) if asked.gamma.size else np.longdouble(1)
    beta = asked.beta.astype(np.longdouble) if asked.beta.size else np.longdouble(0)
    axis = 0 if asked.method == BATCH else 1
    mean = x.mean(axis, keepdims=True) if asked.method != RMS else np.longdouble(0)
    square = ((x - mean) ** 2).mean(axis, keepdims=True)
    inverse = 1 / np.sqrt(square + np.longdouble(asked.eps))
    normalized = (x - mean) * inverse
    # ∂x̂_i/∂x_j = inverse · (δ_ij − centred / n − x̂_i x̂_j / n), along the axis
    arriving = gradient * gamma
    rest = arriving - (asked.method != RMS) * arriving.mean(axis, keepdims=True)
    rest = rest - normalized * (arriving * normalized).mean(axis, keepdims=True)
    return Result(
        normalized * gamma + beta,
        normalized,
        np.ravel(mean),
        inverse.ravel(),
        rest * inverse,
        (gradient * normalized).sum(0),
        gradient.sum(0),
    )


def gradient_scale(asked: Case, got: Result) -> float:
    """Size of what is subtracted in ∂L/∂x: in short groups nearly all of it cancels."""
    gamma = np.max(np.abs(asked.gamma), initial=0) or 1.0
    return float(np.max(np.abs(asked.output_gradient)) * gamma * np.max(got.inverse))


def assert_close(value: Array, truth: Array, tolerance: float, scale: float | None = None) -> None:
    scale = float(np.max(np.abs(truth), initial=0)) if scale is None else scale
    np.testing.assert_allclose(
        value.astype(np.longdouble), truth, rtol=tolerance, atol=tolerance * scale, equal_nan=False
    )


@both_dtypes
@shapes
@affinities
@methods
def test_both_passes_are_right_to_rounding_at_every_width(
    method: int, affine: bool, shape: tuple[int, int], dtype: Any
) -> None:
    asked = case(method, shape, affine, dtype)
    truth, got = exact(asked), computed(asked)
    # in float64 the mean is rounded like x: what is far from 0, seen from its own sd, has lost digits before
    distance = float(np.max(np.abs(truth.mean * truth.inverse), initial=1)) if dtype == np.float64 else 1.0
    tolerance = 40 * float(np.finfo(dtype).eps) * distance
    assert_close(got.normalized, truth.normalized, tolerance)
    assert_close(got.out, truth.out, tolerance)
    assert_close(got.inverse, truth.inverse, tolerance)
    if method != RMS:
        assert_close(got.mean, truth.mean, tolerance)
    assert_close(got.input_gradient, truth.input_gradient, tolerance, gradient_scale(asked, got))
    if affine:
        assert_close(got.gamma_gradient, truth.gamma_gradient, tolerance)
        if method != RMS:
            assert_close(got.beta_gradient, truth.beta_gradient, tolerance)


@methods
def test_the_input_gradient_is_what_central_differences_say(method: int) -> None:
    asked = case(method, (4, 3))
    got = computed(asked)
    step = 1e-5
    for i in range(asked.x.size):
        loss = []
        for sign in (1, -1):
            x = asked.x.copy()
            x.flat[i] += sign * step
            loss.append(np.sum(computed(replace(asked, x=x)).out * asked.output_gradient))
        assert got.input_gradient.flat[i] == pytest.approx(
            (loss[0] - loss[1]) / (2 * step), rel=1e-6, abs=1e-8
        )


@pytest.mark.parametrize("eps", [1e-5, 1e-3])  # PyTorch's own and Keras'
@shapes
@affinities
@methods
def test_outputs_and_all_gradients_agree_with_pytorch(
    method: int, affine: bool, shape: tuple[int, int], eps: float
) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is the oracle of this test")
    functional = torch.nn.functional
    asked = case(method, shape, affine, eps=eps)
    got = computed(asked)
    x = torch.tensor(asked.x, requires_grad=True)
    gamma = torch.tensor(asked.gamma, requires_grad=True) if affine else None
    beta = torch.tensor(asked.beta, requires_grad=True) if affine and method != RMS else None
    if method == BATCH:
        out = functional.batch_norm(x, None, None, gamma, beta, training=True, eps=eps)
    elif method == LAYER:
        out = functional.layer_norm(x, [shape[1]], gamma, beta, eps)
    else:
        out = functional.rms_norm(x, [shape[1]], gamma, eps)
    out.backward(torch.tensor(asked.output_gradient))
    assert_close(got.out, out.detach().numpy(), 1e-10)
    assert_close(got.input_gradient, x.grad.numpy(), 1e-10, gradient_scale(asked, got))
    if gamma is not None:
        assert_close(
            got.gamma_gradient, gamma.grad.numpy(), 1e-10, float(np.max(np.abs(asked.output_gradient)))
        )
    if beta is not None:
        assert_close(got.beta_gradient, beta.grad.numpy(), 1e-10)


@pytest.mark.parametrize("momentum", [0.1, 0.01, 1.0])
def test_running_moments_and_evaluation_agree_with_pytorch(momentum: float) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is the oracle of this test")
    asked = case(BATCH, (6, 5), momentum=momentum)
    mean, variance = torch.tensor(asked.running_mean), torch.tensor(asked.running_variance)
    rng = np.random.default_rng(1)
    for training in (True, True, True, False):
        asked.x = rng.normal(2, 3, (6, 5))
        asked.training = training
        out = torch.nn.functional.batch_norm(
            torch.tensor(asked.x),
            mean,
            variance,
            torch.tensor(asked.gamma),
            torch.tensor(asked.beta),
            training,
            momentum,
        )
        assert_close(computed(asked).out, out.numpy(), 1e-10)
        assert_close(asked.running_mean, mean.numpy(), 1e-12)
        assert_close(asked.running_variance, variance.numpy(), 1e-12)


@shapes
def test_evaluation_uses_the_running_moments_and_leaves_them_alone(shape: tuple[int, int]) -> None:
    asked = case(BATCH, shape, training=False)
    mean, variance = asked.running_mean.copy(), asked.running_variance.copy()
    got = computed(asked)
    inverse = 1 / np.sqrt(variance + asked.eps)
    assert_close(got.out, (asked.x - mean) * inverse * asked.gamma + asked.beta, 1e-14)
    np.testing.assert_array_equal(got.mean, mean)
    assert_close(got.inverse, inverse, 1e-15)
    np.testing.assert_array_equal(asked.running_mean, mean)
    np.testing.assert_array_equal(asked.running_variance, variance)


def test_the_running_variance_moves_towards_the_unbiased_one() -> None:
    asked = case(BATCH, (5, 3), momentum=0.25)
    mean, variance = asked.running_mean.copy(), asked.running_variance.copy()
    computed(asked)
    assert_close(asked.running_mean, 0.75 * mean + 0.25 * asked.x.mean(0), 1e-14)
    assert_close(asked.running_variance, 0.75 * variance + 0.25 * asked.x.var(0, ddof=1), 1e-14)


@both_dtypes
def test_one_row_in_training_gives_beta_and_nothing_undefined(dtype: Any) -> None:
    asked = case(BATCH, (1, 5), dtype=dtype)
    variance = asked.running_variance.copy()
    got = computed(asked)
    np.testing.assert_array_equal(got.out[0], asked.beta)
    np.testing.assert_array_equal(got.input_gradient, 0)
    assert_close(asked.running_variance, variance * dtype(0.9), 1e-6)


@both_dtypes
@row_methods
def test_layer_and_rms_work_with_one_row_and_one_unit(method: int, dtype: Any) -> None:
    for shape in ((1, 5), (5, 1), (1, 1)):
        asked = case(method, shape, dtype=dtype)
        truth, got = exact(asked), computed(asked)
        assert_close(got.out, truth.out, 1e-5)
        assert_close(got.input_gradient, truth.input_gradient, 1e-5, gradient_scale(asked, got))


@both_dtypes
@pytest.mark.parametrize("constant", [0.0, 0.1, -1e8, 3e30])
@pytest.mark.parametrize("method", [BATCH, LAYER], ids=["batch", "layer"])
def test_equal_values_are_normalized_to_exactly_zero(method: int, constant: float, dtype: Any) -> None:
    asked = case(method, (13, 7), dtype=dtype)
    if method == BATCH:
        asked.x[:, 2] = constant
        part: Any = np.s_[:, 2]
    else:
        asked.x[3] = constant
        part = np.s_[3]
    got = computed(asked)
    np.testing.assert_array_equal(got.normalized[part], 0)
    np.testing.assert_array_equal(got.out[part], np.broadcast_to(asked.beta, (13, 7))[part])
    np.testing.assert_allclose(got.inverse[2 if method == BATCH else 3], asked.eps**-0.5, rtol=1e-6)
    assert np.isfinite(got.input_gradient).all()


@pytest.mark.parametrize("method", [BATCH, LAYER], ids=["batch", "layer"])
def test_a_huge_common_offset_does_not_cancel_in_float32(method: int) -> None:
    asked = case(method, (40, 30), dtype=np.float32)
    asked.x = (1e8 + 100 * np.random.default_rng(0).normal(size=(40, 30))).astype(np.float32)
    truth, got = exact(asked), computed(asked)
    assert_close(got.normalized, truth.normalized, 1e-6)
    assert_close(got.inverse, truth.inverse, 1e-6)
    assert_close(got.input_gradient, truth.input_gradient, 1e-5)


@both_dtypes
@methods
def test_squares_that_leave_float32_do_no_harm(method: int, dtype: Any) -> None:
    for scale in (1e-25, 1e30):
        asked = case(method, (9, 8), dtype=dtype, eps=0.0)
        asked.x = (asked.x * dtype(scale)).astype(dtype)
        assert_close(computed(asked).normalized, exact(asked).normalized, 1e-5)


@methods
def test_what_is_scaled_by_a_power_of_two_gives_the_same_bits(method: int) -> None:
    asked = case(method, (20, 12), eps=0.0)
    before = computed(asked)
    after = computed(replace(asked, x=asked.x * 8))
    np.testing.assert_array_equal(after.out, before.out)
    np.testing.assert_array_equal(after.input_gradient, before.input_gradient / 8)


def test_weights_before_a_batch_normalization_feel_no_effect_of_their_own_scale() -> None:
    rng = np.random.default_rng(3)
    samples, weight = rng.normal(size=(32, 10)), rng.normal(size=(10, 6))
    asked = case(BATCH, (32, 6), eps=1e-30)
    before = computed(replace(asked, x=samples @ weight))
    after = computed(replace(asked, x=samples @ (weight * 3.7)))
    assert_close(after.out, before.out, 1e-13)
    gradient = samples.T @ before.input_gradient
    assert_close(samples.T @ after.input_gradient, gradient / 3.7, 1e-12)
    # nothing is gained along the weights of a unit, so their gradient is orthogonal to them
    size = np.linalg.norm(weight, axis=0) * np.linalg.norm(gradient, axis=0)
    assert np.max(np.abs((weight * gradient).sum(0)) / size) < 1e-13


@methods
def test_an_empty_gamma_is_one_and_an_empty_beta_zero(method: int) -> None:
    plain = case(method, (9, 5), affine=False)
    beta = np.empty(0) if method == RMS else np.zeros(5)
    without, given = computed(plain), computed(replace(plain, gamma=np.ones(5), beta=beta))
    for name in ("out", "normalized", "input_gradient"):
        np.testing.assert_array_equal(getattr(without, name), getattr(given, name))


@both_dtypes
@pytest.mark.parametrize("place", [(0, 0), (4, 2)], ids=["first", "later"])
@pytest.mark.parametrize("odd", [np.nan, np.inf, -np.inf])
@methods
def test_nan_and_inf_go_where_ieee_sends_them(
    method: int, odd: float, place: tuple[int, int], dtype: Any
) -> None:
    row, unit = place
    asked = case(method, (9, 5), dtype=dtype)
    clean = computed(replace(asked, running_mean=asked.running_mean.copy()))
    asked.x[row, unit] = odd
    with np.errstate(invalid="ignore"):
        truth = exact(asked)
    got = computed(asked)
    np.testing.assert_array_equal(np.isnan(got.out), np.isnan(truth.out))
    np.testing.assert_array_equal(np.isnan(got.input_gradient), np.isnan(truth.input_gradient))
    for name in ("mean", "inverse") if method != RMS else ("inverse",):
        value, right = getattr(got, name), getattr(truth, name)
        np.testing.assert_array_equal(value[~np.isfinite(right)], right[~np.isfinite(right)].astype(dtype))
    if method == BATCH:
        assert np.isnan(got.out[:, unit]).all()
        assert asked.running_mean[unit] == odd or np.isnan(odd)
        np.testing.assert_array_equal(np.delete(got.out, unit, 1), np.delete(clean.out, unit, 1))
    else:
        np.testing.assert_array_equal(np.delete(got.out, row, 0), np.delete(clean.out, row, 0))
    if method == RMS and not np.isnan(odd):
        np.testing.assert_array_equal(np.isnan(got.out[row]), np.arange(5) == unit)
        np.testing.assert_array_equal(np.delete(got.out[row], unit), 0)


@methods
def test_nan_in_the_arriving_gradient_stays_in_its_group(method: int) -> None:
    asked = case(method, (9, 5))
    asked.output_gradient[4, 2] = np.nan
    spoilt = np.isnan(computed(asked).input_gradient)
    expected = np.zeros((9, 5), bool)
    expected[(slice(None), 2) if method == BATCH else 4] = True
    np.testing.assert_array_equal(spoilt, expected)
