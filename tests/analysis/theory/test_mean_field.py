"""Means over a normal z, fixed points and the edge of chaos agree with closed forms and independent quadrature."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest
from scipy import integrate

from gradsim.analysis.activation_functions import FUNCTIONS, activation_pair, kinks
from gradsim.analysis.theory import critical_points, mean_field_of, moments, next_q
from gradsim.analysis.theory.gaussian import moment_table
from gradsim.spec import activation as kinds
from gradsim.spec.activation import (
    Elu,
    Gelu,
    HardTanh,
    LeakyRelu,
    Linear,
    Mish,
    Relu,
    Rrelu,
    Selu,
    Sigmoid,
    Silu,
    Softmax,
    Softsign,
    Step,
    Tanh,
)

ACTIVATIONS = [
    kind
    for kind in vars(kinds).values()
    if isinstance(kind, type)
    and getattr(getattr(kind, "__struct_config__", None), "tag", None) in FUNCTIONS
    and kind not in (Softmax, Rrelu)
]
SIZES = [1e-6, 0.3, 7.0, 1e4]


def _by_quad(function: Any, activation: Any, q: float) -> float:
    """E[function(φ, φ')] by SciPy's adaptive rule, piece by piece between kinks."""
    s = math.sqrt(q)
    inner = [0.0, *(at / s for at in kinks(activation)), *(b / s for b in (-80, -20, -6, -2, 2, 6, 20, 80))]
    cuts = sorted({-14.0, -5.0, -1.0, 1.0, 5.0, 14.0, *(c for c in inner if abs(c) < 14.0)})

    def integrand(z: float) -> float:
        value, slope = activation_pair(activation, np.array(s * z))
        return float(function(value, slope)) * math.exp(-0.5 * z * z) / math.sqrt(2.0 * math.pi)

    pieces = itertools.pairwise(cuts)
    return math.fsum(integrate.quad(integrand, a, b, epsabs=0, epsrel=1e-11, limit=100)[0] for a, b in pieces)


@pytest.mark.parametrize("kind", ACTIVATIONS, ids=lambda kind: kind.__name__)
def test_the_means_of_every_activation_agree_with_adaptive_quadrature_to_1e_8(kind: Any) -> None:
    for q in SIZES:
        found = moments(kind(), q)
        assert float(found.square) == pytest.approx(_by_quad(lambda v, d: v * v, kind(), q), rel=1e-8)
        assert float(found.fourth) == pytest.approx(_by_quad(lambda v, d: v**4, kind(), q), rel=1e-8)
        assert float(found.slope_square) == pytest.approx(_by_quad(lambda v, d: d * d, kind(), q), rel=1e-8)


@pytest.mark.parametrize("q", [1e-8, 0.5, 3.0, 1e8])
def test_the_means_of_relu_and_its_leaky_kin_are_those_of_the_closed_form(q: float) -> None:
    for slope in (0.0, 0.01, 0.25):
        found = moments(LeakyRelu(slope=slope), q)
        assert float(found.value) == pytest.approx((1 - slope) * math.sqrt(q / (2 * math.pi)), rel=1e-12)
        assert float(found.square) == pytest.approx(q * (1 + slope**2) / 2, rel=1e-12)
        assert float(found.slope_square) == pytest.approx((1 + slope**2) / 2, rel=1e-12)
        assert float(found.growth) == pytest.approx((1 + slope**2) / 2, rel=1e-10)


@pytest.mark.parametrize("q", [1e-4, 0.5, 3.0, 1e4])
def test_the_means_of_gelu_are_those_of_the_arcsine_law(q: float) -> None:
    # Williams 1998: E[erf²] is an arcsine; E[Φ(z)²] = 1/4 + asin(q / (1 + q)) / 2π, and GELU is z Φ(z). By partial
    # integration E[z² Φ²] = q E[Φ²] + 2 q² E[Φ' Φ' + Φ Φ''], with Φ'' = −z Φ'.
    cdf = 0.25 + math.asin(q / (1 + q)) / (2 * math.pi)
    density = 1 / (2 * math.pi * math.sqrt(1 + 2 * q))
    bent = -q * density / (1 + q)  # E[Φ Φ''] = −E[z Φ Φ'] = −q (E[Φ'²] − E[z Φ Φ'])
    assert float(moments(Gelu(), q).square) == pytest.approx(q * cdf + 2 * q * q * (density + bent), rel=1e-9)


@pytest.mark.parametrize("q", [1e-4, 0.5, 3.0, 1e4])
def test_what_rrelu_draws_is_squared_before_its_mean(q: float) -> None:
    low, high = 0.125, 1 / 3
    share = (1 + (low * low + low * high + high * high) / 3) / 2
    found = moments(Rrelu(lower=low, upper=high), q)
    assert [float(found.square) / q, float(found.slope_square), float(found.growth)] == pytest.approx(
        [share] * 3
    )


@pytest.mark.parametrize("kind", [Tanh, Sigmoid, Gelu, Selu, Softsign, HardTanh])
def test_the_growth_of_the_mean_square_is_its_derivative(kind: Any) -> None:
    for q in (0.01, 1.0, 30.0):
        step = 1e-4 * q
        change = moments(kind(), q + step).square - moments(kind(), q - step).square
        assert float(moments(kind(), q).growth) == pytest.approx(float(change) / (2 * step), rel=1e-5)


@pytest.mark.parametrize("kind", [Tanh, Relu, Gelu, Sigmoid, Step])
def test_the_table_reads_what_the_quadrature_gives(kind: Any) -> None:
    sizes = np.array([1e-9, 3e-6, 0.0123, 0.77, 5.0, 3e4, 1e9])
    read, exact = moment_table((kind(),)).at(sizes), moments(kind(), sizes)
    for one, other in zip(read, exact, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-9)


def test_a_gradient_behind_two_activations_has_the_product_of_both_slopes() -> None:
    nodes, weights = np.polynomial.hermite_e.hermegauss(120)
    z = np.sqrt(0.7) * nodes
    inner, slope = np.tanh(z), 1 / np.cosh(z) ** 2
    outer = 1 / (1 + np.exp(-inner))
    wanted = (weights * (slope * outer * (1 - outer)) ** 2).sum() / np.sqrt(2 * np.pi)
    assert float(moments((Tanh(), Sigmoid()), 0.7).slope_square) == pytest.approx(wanted, rel=1e-9)


SETTLED = [
    (Tanh(), 1.5**2, 0.05**2),
    (Tanh(), 3.0**2, 0.0),
    (Sigmoid(), 1.0, 0.0),
    (Relu(), 1.5, 0.1),
    (Selu(), 1.0, 0.0),
    (Elu(), 1.2, 0.2),
]


@pytest.mark.parametrize(("activation", "weight", "bias"), SETTLED)
def test_the_signal_settles_where_iterating_the_map_leads(
    activation: Any, weight: float, bias: float
) -> None:
    found = mean_field_of(activation, weight, bias)
    q = weight + bias
    for _ in range(300):
        q = next_q(activation, weight, bias, q)
    assert found.q_star == pytest.approx(q, rel=1e-8)
    assert next_q(activation, weight, bias, found.q_star) == pytest.approx(found.q_star, rel=1e-8)
    assert found.is_stable
    assert found.chi == pytest.approx(weight * float(moments(activation, q).slope_square), rel=1e-8)


@pytest.mark.parametrize(("activation", "weight", "bias"), SETTLED)
def test_the_fixed_point_and_chi_are_those_of_adaptive_quadrature(
    activation: Any, weight: float, bias: float
) -> None:
    found = mean_field_of(activation, weight, bias)
    again = weight * _by_quad(lambda v, d: v * v, activation, found.q_star) + bias
    # An error of the quadrature is 1 / (1 − slope) as large in q*.
    assert again == pytest.approx(found.q_star, rel=1e-8 * (1.0 - found.q_slope))
    chi = weight * _by_quad(lambda v, d: d * d, activation, found.q_star)
    assert found.chi == pytest.approx(chi, rel=1e-8)


def test_another_start_finds_the_same_place_or_the_other_one() -> None:
    for start in (1e-6, 0.03, 1.0, 40.0):
        assert mean_field_of(Tanh(), 2.25, 0.0025, start).q_star == pytest.approx(
            mean_field_of(Tanh(), 2.25, 0.0025).q_star, rel=1e-10
        )
    assert mean_field_of(Silu(), 3.0, 0.0, 0.01).q_star == 0.0
    assert mean_field_of(Silu(), 3.0, 0.0, 400.0).q_star == math.inf


def test_the_fixed_point_of_selu_is_the_one_it_was_made_for() -> None:
    found = mean_field_of(Selu(), 1.0)
    assert found.q_star == pytest.approx(1.0, rel=1e-9)
    assert found.chi == pytest.approx(1.0715749924557993, rel=1e-9)
    assert found.regime == "exploding"


def test_a_signal_may_die_out_keep_its_size_or_grow_for_ever() -> None:
    assert mean_field_of(Tanh(), 0.81).q_star == 0.0
    assert mean_field_of(Tanh(), 0.81).chi == pytest.approx(0.81)
    assert mean_field_of(Tanh(), 0.81).depth_scale == pytest.approx(-1 / math.log(0.81))
    kept = mean_field_of(Relu(), 2.0, start=3.7)
    assert (kept.q_star, kept.is_stable, kept.regime) == (3.7, False, "edge of chaos")
    assert kept.chi == pytest.approx(1.0)
    assert mean_field_of(Relu(), 2.2).q_star == math.inf
    assert mean_field_of(Relu(), 2.2).chi == pytest.approx(1.1)
    assert mean_field_of(Silu(), 4.0).q_star == math.inf
    assert mean_field_of(Step(), 1.0).chi == 0.0
    assert mean_field_of(Step(), 1.0).depth_scale == 0.0
    assert mean_field_of(Linear(), 1.0).depth_scale == math.inf


@pytest.mark.parametrize("activation", [Tanh(), HardTanh(), Sigmoid(), Selu(), Silu(), Gelu(), Mish()])
def test_at_the_edge_of_chaos_chi_is_1_at_a_fixed_point(activation: Any) -> None:
    points = critical_points(activation, 0.04)
    assert points
    for point in points:
        assert next_q(activation, point.weight_variance, 0.04, point.q_star) == pytest.approx(
            point.q_star, rel=1e-8
        )
        slope = float(moments(activation, point.q_star).slope_square)
        assert point.weight_variance * slope == pytest.approx(1.0, rel=1e-8)


def test_the_edge_of_tanh_without_biases_is_1_and_of_relu_2() -> None:
    assert [point.weight_variance for point in critical_points(Tanh())] == [pytest.approx(1.0)]
    (relu,) = critical_points(Relu())
    assert relu.weight_variance == pytest.approx(2.0)
    assert relu.q_slope == pytest.approx(1.0)
    assert critical_points(Relu(), 0.04) == ()


@pytest.mark.parametrize("activation", [Silu(), Gelu(), Mish()])
def test_silu_gelu_and_mish_do_not_settle_at_their_edge(activation: Any) -> None:
    assert not any(point.is_stable for point in critical_points(activation, 0.04))
    assert all(point.is_stable for point in critical_points(Tanh(), 0.04))


def test_what_no_theory_takes_is_refused() -> None:
    with pytest.raises(ValueError, match="softmax"):
        mean_field_of(Softmax(), 1.0)
    with pytest.raises(ValueError, match="weight_variance"):
        mean_field_of(Tanh(), -1.0)
    with pytest.raises(ValueError, match="bias_variance"):
        mean_field_of(Tanh(), 1.0, math.nan)
