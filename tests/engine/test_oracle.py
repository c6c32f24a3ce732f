"""Gradients of whole networks against PyTorch's autograd, and against central differences without PyTorch."""

from __future__ import annotations

from typing import Any, get_args

import msgspec
import numpy as np
import pytest
from hypothesis import HealthCheck, assume, event, given, settings

from gradsim.engine import Simulator
from gradsim.spec import (
    Activation,
    Experiment,
    Initializer,
    LossName,
    kind_of,
    unrolled_layers,
)
from gradsim.spec import activation as activations
from gradsim.spec.activation import Prelu, Rrelu, Softmax, Tanh
from gradsim.spec.data import Moons
from gradsim.spec.initializer import GlorotNormal, PytorchLinearDefault
from gradsim.trace import IterationTrace
from tests.engine.small_nets import needs_torch, net
from tests.spec.strategies import HEADS, TIMELESS, experiments

SMOOTH = [
    activations.Linear,
    activations.Sigmoid,
    activations.Tanh,
    activations.Softplus,
    activations.Softmax,
    activations.Gelu,
    activations.GeluTanh,
    activations.Silu,
    activations.Mish,
]
KINKED = [kind for kind in get_args(Activation) if kind not in (*SMOOTH, activations.Step)]

DELTAS = ("activation_gradient", "delta", "weight_gradient", "bias_gradient", "prelu_slope_gradient")
FLOAT32_BAND = 1e-5
"""Of a tensor's largest value: about a hundred roundings of float32."""


def assert_close(name: str, value: Any, exact: Any, relative: float, bound: Any) -> None:
    """Within ``relative`` of the largest value of the tensor, or what rounding of cancelling terms explains."""
    with np.errstate(over="ignore"):  # what the precision cannot hold is Inf there
        exact = np.asarray(exact).astype(value.dtype).astype(np.float64)
    assert value.shape == exact.shape, f"{name}: {value.shape} instead of {exact.shape}"
    both_infinite = np.isinf(exact) & (value == exact)
    value, exact, bound = (np.where(both_infinite, 0.0, x) for x in (value, exact, bound))
    error = np.abs(value - exact)
    allowed = relative * np.max(np.abs(exact)) + bound
    worst = np.argmax(error / np.maximum(allowed, 1e-300))
    assert (error <= allowed).all(), (
        f"{name}: {value.flat[worst]!r} instead of {exact.flat[worst]!r}, "
        f"wrong by {error.flat[worst]:.1e} of at most {allowed.flat[worst]:.1e}"
    )


def assert_agrees_with_autograd(trace: IterationTrace, relative: float) -> None:
    from tests.engine.torch_oracle import rounding_bounds
    from tests.engine.torch_twin import twin_of

    dtype = np.finfo(trace.inputs.dtype)
    loss, twin = twin_of(trace)
    bounds = rounding_bounds(trace, float(dtype.eps), float(dtype.tiny))
    for layer in trace.layers:
        for name, exact in twin[layer.name].items():
            forward = name in ("pre_activation", "activation")
            assert_close(
                f"{layer.name}.{name}",
                layer[name],
                exact,
                0.0 if forward else relative,
                bounds[layer.name][name],
            )
    head = trace.layers[-1]
    size = np.abs(head["activation"].astype(np.float64)) + np.abs(trace.targets)
    terms = float((size * size).sum()) + 1.0 + float(np.abs(head.pre_activation).max())
    assert trace.loss == pytest.approx(loss, rel=relative, abs=64 * float(dtype.eps) * terms)


def recorded(experiment: Experiment) -> IterationTrace:
    trace = Simulator(experiment).record()
    assume(np.isfinite(trace.loss) and np.isfinite(trace.gradient_norm))
    return trace


@needs_torch
@settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow])
@given(experiments(data=TIMELESS, precisions=["float64"]))
def test_random_networks_agree_with_autograd(experiment: Experiment) -> None:
    event(f"{len(unrolled_layers(experiment.network))} layers")
    event(experiment.training.loss)
    assert_agrees_with_autograd(recorded(experiment), 1e-10)


@needs_torch
@settings(max_examples=100, suppress_health_check=[HealthCheck.too_slow])
@given(experiments(data=TIMELESS, precisions=["float32"]))
def test_random_networks_in_float32_agree_with_autograd_in_float64(experiment: Experiment) -> None:
    assert_agrees_with_autograd(recorded(experiment), FLOAT32_BAND)


@needs_torch
@pytest.mark.parametrize("where", ["hidden", "head"])
@pytest.mark.parametrize("kind", get_args(Activation), ids=kind_of)
def test_every_activation_agrees_with_autograd_in_every_place(kind: Any, where: str) -> None:
    assert_agrees_with_autograd(Simulator(net(**{where: kind()})).record(), 1e-10)


@needs_torch
@pytest.mark.parametrize("where", ["hidden", "head"])
def test_a_trained_slope_per_unit_agrees_with_autograd(where: str) -> None:
    assert_agrees_with_autograd(Simulator(net(**{where: Prelu(per="unit")})).record(), 1e-10)


@needs_torch
@pytest.mark.parametrize("kind", get_args(Initializer), ids=kind_of)
def test_every_initializer_agrees_with_autograd(kind: Any) -> None:
    assert_agrees_with_autograd(Simulator(net(initializer=kind())).record(), 1e-10)


@needs_torch
@pytest.mark.parametrize("loss", get_args(LossName))
def test_every_loss_agrees_with_autograd(loss: str) -> None:
    head = HEADS.get(loss, [Tanh])[0]()
    data = Moons(samples=40) if loss in HEADS else None
    assert_agrees_with_autograd(Simulator(net(head=head, loss=loss, data=data)).record(), 1e-10)


@needs_torch
def test_the_twins_functions_are_pytorchs_own_where_those_keep_their_digits() -> None:
    import torch

    from tests.engine.torch_oracle import ACTIVATIONS, STOCK

    for name, stock in STOCK.items():
        spec = next(kind for kind in get_args(Activation) if kind_of(kind) == name)()
        z = torch.linspace(-4.0, 4.0, 401, dtype=torch.float64, requires_grad=True)
        own, theirs = ACTIVATIONS[name](z, spec), stock(z)
        own_slope, their_slope = (torch.autograd.grad(value.sum(), z)[0] for value in (own, theirs))
        torch.testing.assert_close(own, theirs, rtol=1e-11, atol=1e-13, msg=name)
        tolerance = 1e-7 if name == "hard_sigmoid" else 1e-11  # its 1/6 is a float32
        torch.testing.assert_close(own_slope, their_slope, rtol=tolerance, atol=1e-12, msg=name)


@pytest.mark.parametrize("kind", [activations.Tanh, activations.Sigmoid, activations.Gelu], ids=kind_of)
def test_float32_stays_within_its_band_of_the_float64_run(kind: Any) -> None:
    double = net(kind(), depth=6, initializer=GlorotNormal())
    exact = Simulator(double).record()
    single = Simulator(msgspec.structs.replace(double, precision="float32")).record()
    assert single.loss == pytest.approx(exact.loss, rel=1e-6)
    for layer in exact.layers:
        for name in ("pre_activation", "activation", *DELTAS[:4]):
            assert single[layer.name][name].dtype == np.float32
            assert_close(name, single[layer.name][name], layer[name], FLOAT32_BAND, 0.0)


def loss_at(simulator: Simulator, parameters: dict[str, Any]) -> float:
    simulator.load_parameters(parameters)
    return simulator.record().loss


def assert_agrees_with_central_differences(experiment: Experiment, directions: int = 3) -> None:
    """The slope of the loss along random directions through all parameters, by differences of fourth order."""
    simulator = Simulator(experiment)
    trace, start = simulator.record(), simulator.parameters()
    tensor_of = {"weight": "weight", "bias": "bias", "slope": "prelu_slope"}
    gradients = {}
    for name in start:
        layer, _, short = name.rpartition(".")
        gradients[name] = trace[layer][f"{tensor_of[short]}_gradient"]
    random, h = np.random.default_rng(0), 1e-3
    for _ in range(directions):
        direction = {name: random.standard_normal(value.shape) for name, value in start.items()}
        length = np.sqrt(sum(float((value * value).sum()) for value in direction.values()))
        direction = {name: value / length for name, value in direction.items()}

        def moved(steps: int, along: dict[str, Any] = direction) -> float:
            return loss_at(simulator, {name: start[name] + steps * h * along[name] for name in start})

        numeric = (8 * (moved(1) - moved(-1)) - (moved(2) - moved(-2))) / (12 * h)
        exact = sum(float((gradients[name] * direction[name]).sum()) for name in start)
        # 1e-13 of rounding in the loss, divided by h
        assert numeric == pytest.approx(exact, rel=1e-7, abs=1e-9 * (1 + abs(trace.loss)))


@pytest.mark.parametrize("kind", SMOOTH, ids=kind_of)
def test_smooth_activations_agree_with_central_differences(kind: Any) -> None:
    assert_agrees_with_central_differences(net(kind(), depth=2))


@pytest.mark.parametrize("kind", KINKED, ids=kind_of)
def test_activations_with_kinks_agree_with_central_differences_away_from_them(kind: Any) -> None:
    # no value of this net lies as near to a kink as the differences reach
    assert_agrees_with_central_differences(net(kind(), depth=2))


@pytest.mark.parametrize("loss", get_args(LossName))
def test_every_loss_agrees_with_central_differences(loss: str) -> None:
    head = HEADS.get(loss, [Tanh])[0]()
    data = Moons(samples=40) if loss in HEADS else None
    assert_agrees_with_central_differences(net(head=head, loss=loss, data=data))


@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@given(
    experiments(
        data=TIMELESS,
        precisions=["float64"],
        activations=SMOOTH,
        initializers=[GlorotNormal, PytorchLinearDefault],
    )
)
def test_random_smooth_networks_agree_with_central_differences(experiment: Experiment) -> None:
    assume(np.abs(Simulator(experiment).samples.training_inputs).max() < 10)  # a step moves z by so much
    assert_agrees_with_central_differences(experiment, directions=1)


def test_softmax_uses_its_full_jacobian() -> None:
    layer = Simulator(net(Softmax())).record()["dense_2"]
    for a, gradient, delta in zip(layer["activation"], layer.activation_gradient, layer.delta, strict=True):
        jacobian = np.diag(a) - np.outer(a, a)
        np.testing.assert_allclose(delta, jacobian @ gradient, rtol=1e-10, atol=1e-16)


def test_the_slopes_of_an_rrelu_are_drawn_anew_at_every_iteration_and_stay_with_the_record() -> None:
    simulator = Simulator(net(Rrelu()))
    first, again = simulator.record()["dense_1"], simulator.record()["dense_1"]
    np.testing.assert_array_equal(first.slope, again.slope)
    simulator.advance(1)
    later = simulator.record()["dense_1"]
    for layer in (first, later):
        negative = layer.pre_activation <= 0
        assert (layer.slope[~negative] == 1).all()
        assert ((layer.slope[negative] >= 0.125) & (layer.slope[negative] <= 1 / 3)).all()
        assert len(np.unique(layer.slope[negative])) == negative.sum()
        np.testing.assert_array_equal(layer["activation"], layer.pre_activation * layer.slope)
    assert not np.isin(first.slope[first.pre_activation <= 0], later.slope).any()
