"""Networks of every kind of layer, alone and nested at random, against PyTorch's autograd."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings

from gradsim.spec import (
    ActivationLayer,
    Dropout,
    Experiment,
    Head,
    Normalization,
    Recurrent,
)
from gradsim.spec.activation import Linear, Prelu, Relu, Sigmoid, Softmax
from gradsim.spec.data import Moons
from gradsim.spec.training import Adam, Sgd
from gradsim.trace import IterationTrace, SampleSet
from tests.engine.nested_nets import (
    FEATURES,
    dense,
    experiment_of,
    nested_experiments,
    residual,
    sequences,
    simulator_of,
)
from tests.engine.small_nets import needs_torch

pytestmark = needs_torch

METHODS = ["batch", "layer", "rms"]
CELLS: dict[str, dict[str, Any]] = {
    "tanh": {"cell": "simple"},
    "relu": {"cell": "simple", "activation": "relu"},
    "linear": {"cell": "simple", "activation": "linear"},
    "lstm": {"cell": "lstm"},
    "gru": {"cell": "gru"},
    "gru, reset before": {"cell": "gru", "reset_after": False},
}
RELATIVE = 1e-10
SHAKEN, RUNS = 4e-15, 3
"""How much the twin is shaken to learn what rounding can do, and how many times."""


def assert_agrees(trace: IterationTrace, relative: float = RELATIVE) -> None:
    """Every tensor within ``relative`` of its largest value, or of what shaking the twin's roundings moves."""
    import torch

    from tests.engine.torch_twin import twin_of

    torch.manual_seed(0)
    loss, twin = twin_of(trace)
    shaken = [twin_of(trace, SHAKEN)[1] for _ in range(RUNS)]
    assert {layer.name for layer in trace.layers} == twin.keys()
    for layer in trace.layers:
        for name, exact in twin[layer.name].items():
            value = layer[name]
            assert value.shape == exact.shape, f"{layer.name}.{name}"
            moved = max(float(np.max(np.abs(other[layer.name][name] - exact))) for other in shaken)
            error = float(np.max(np.abs(value - exact)))
            allowed = relative * float(np.max(np.abs(exact))) + 1000 * moved + 1e-300
            assert error <= allowed, f"{layer.name}.{name} is wrong by {error:.1e}, allowed {allowed:.1e}"
    assert trace.loss == pytest.approx(loss, rel=1e-10)


def record_of(experiment: Experiment, samples: SampleSet | None = None) -> IterationTrace:
    return simulator_of(experiment, samples).record()


def finite_record_of(experiment: Experiment, samples: SampleSet | None = None) -> IterationTrace:
    trace = record_of(experiment, samples)
    assume(np.isfinite(trace.loss) and np.isfinite(trace.gradient_norm))
    return trace


@pytest.mark.parametrize("affine", [True, False])
@pytest.mark.parametrize("method", METHODS)
def test_a_normalization_agrees_at_the_input_inside_a_dense_layer_alone_and_in_the_head(
    method: Any, affine: bool
) -> None:
    norm = Normalization(method=method, affine=affine)
    layers = (norm, dense(6, normalization=norm), norm, dense(4))
    trace = record_of(experiment_of(*layers, head=Head(activation=Linear(), normalization=norm)))
    assert_agrees(trace)


@pytest.mark.parametrize("method", METHODS)
def test_the_twins_normalizations_are_pytorchs_own(method: str) -> None:
    import torch
    from torch.nn import functional

    from tests.engine.torch_twin import normalize

    x, gamma, beta = (torch.randn(size, dtype=torch.float64) for size in ((7, 5), (5,), (5,)))
    stock: dict[str, Any] = {
        "batch": lambda: functional.batch_norm(x, None, None, gamma, beta, True, eps=1e-3),
        "layer": lambda: functional.layer_norm(x, (5,), gamma, beta, eps=1e-3),
        "rms": lambda: functional.rms_norm(x, (5,), gamma, eps=1e-3),
    }
    own = normalize(x, method, 1e-3, gamma, None if method == "rms" else beta)
    torch.testing.assert_close(own, stock[method](), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("activation", [Sigmoid(), Relu(), Prelu(per="unit"), Softmax()])
def test_an_activation_of_its_own_agrees(activation: Any) -> None:
    alone = ActivationLayer(activation=activation)
    assert_agrees(record_of(experiment_of(alone, dense(), alone)))


def test_dropout_agrees_under_the_mask_that_was_drawn() -> None:
    trace = record_of(experiment_of(Dropout(rate=0.3), dense(8), Dropout(rate=0.6)))
    assert set(np.unique(trace["dropout_2"].slope)) == {0.0, 1 / (1 - 0.6)}
    assert_agrees(trace)


@pytest.mark.parametrize("train_scale", [True, False])
@pytest.mark.parametrize("scale", [1.0, 0.0, -0.4])
def test_residuals_that_nest_and_project_agree(scale: float, train_scale: bool) -> None:
    options: dict[str, Any] = {"scale": scale, "train_scale": train_scale}
    inner = residual(Normalization(), dense(6), residual(dense(6), **options), **options)
    layers = (residual(dense(6), dense(6), **options), inner, Normalization(method="layer"))
    assert_agrees(record_of(experiment_of(*layers)))


@pytest.mark.parametrize("loss", ["cross_entropy", "binary_cross_entropy"])
@pytest.mark.parametrize("method", METHODS)
def test_a_normalized_head_agrees_under_the_losses_that_are_fused_with_it(method: Any, loss: str) -> None:
    head = Head(
        activation=Softmax() if loss == "cross_entropy" else Sigmoid(),
        normalization=Normalization(method=method, eps=1e-2),
    )
    experiment = Experiment(
        precision="float64",
        data=Moons(samples=40),
        network=experiment_of(residual(dense(4))).network,
        training=experiment_of(dense(), loss="mse").training,
    )
    network = msgspec.structs.replace(experiment.network, head=head)
    training = msgspec.structs.replace(experiment.training, loss=loss)
    assert_agrees(record_of(msgspec.structs.replace(experiment, network=network, training=training)))


@pytest.mark.parametrize("every_step", [True, False])
@pytest.mark.parametrize("cell", CELLS)
def test_stacked_recurrent_layers_agree(cell: str, every_step: bool) -> None:
    below = Recurrent(units=5, return_sequences=True, **CELLS[cell])
    above = Recurrent(units=4, return_sequences=every_step, **CELLS[cell])
    assert_agrees(record_of(experiment_of(below, above, dense()), sequences(9, every_step)))


@pytest.mark.parametrize("cell", CELLS)
def test_the_gradients_of_all_states_agree_over_50_steps(cell: str) -> None:
    trace = record_of(experiment_of(Recurrent(units=6, **CELLS[cell])), sequences(50, False))
    layer = trace["recurrent_1"]
    assert layer.hidden_gradient.shape == (8, 50, 6)
    assert ("cell_gradient" in layer.tensors) == (cell == "lstm")
    assert_agrees(trace, 1e-9)


@pytest.mark.parametrize("truncation", [1, 2, 5, 9, 20])
@pytest.mark.parametrize("cell", CELLS)
def test_truncated_backpropagation_agrees(cell: str, truncation: int) -> None:
    layer = Recurrent(units=4, truncation=truncation, return_sequences=True, **CELLS[cell])
    assert_agrees(record_of(experiment_of(layer), sequences(9, True)))


@pytest.mark.parametrize(
    "after",
    [
        Normalization(),
        Normalization(method="layer"),
        ActivationLayer(activation=Relu()),
        Dropout(rate=0.4),
        residual(dense(4)),
        residual(Recurrent(units=4, cell="lstm", return_sequences=True), Normalization()),
        dense(6, normalization=Normalization(), activation=Prelu(per="unit")),
    ],
    ids=lambda layer: type(layer).__name__,
)
def test_every_kind_agrees_on_time_steps(after: Any) -> None:
    layers = (Recurrent(units=4, return_sequences=True), after, Recurrent(units=3, return_sequences=True))
    assert_agrees(record_of(experiment_of(*layers), sequences(6, True)))


def test_a_dense_layer_before_a_recurrent_one_answers_every_step() -> None:
    trace = record_of(experiment_of(dense(6), Recurrent(units=4)), sequences(6, False))
    assert trace["dense_1"]["activation"].shape == (8, 6, 6)
    assert trace.inputs.shape == (8, 6, FEATURES)
    assert_agrees(trace)


@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(nested_experiments(max_depth=8))
def test_random_nested_networks_agree_with_autograd(experiment: Experiment) -> None:
    assert_agrees(finite_record_of(experiment))


@settings(max_examples=15, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(nested_experiments(steps=True, max_depth=6))
def test_random_nested_recurrent_networks_agree_with_autograd(experiment: Experiment) -> None:
    assert_agrees(finite_record_of(experiment, sequences(5, every_step=False)))


@settings(max_examples=15, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(nested_experiments(steps=True, every_step=True, max_depth=6))
def test_random_nested_recurrent_networks_agree_where_every_step_is_answered(experiment: Experiment) -> None:
    assert_agrees(finite_record_of(experiment, sequences(5, every_step=True)))


@pytest.mark.parametrize(
    "optimizer", [Sgd(learning_rate=0.05), Adam(learning_rate=0.01)], ids=["sgd", "adam"]
)
@pytest.mark.parametrize("recurrent", [None, "lstm", "gru"])
def test_ten_steps_of_training_are_those_of_pytorchs_optimizer(recurrent: Any, optimizer: Any) -> None:
    import torch

    from tests.engine.torch_twin import twin_of

    block = residual(Normalization(method="layer"), dense(4), train_scale=True)
    # Before a batch normalization a bias has no gradient but rounding, which Adam blows up to a whole step.
    normalized = dense(6, normalization=Normalization(), bias=False)
    layers: tuple[Any, ...] = (normalized, block, Dropout(rate=0.2))
    if recurrent is not None:
        layers = (Recurrent(cell=recurrent, units=4), *layers)
    samples = sequences(6, every_step=False) if recurrent else None
    simulator = simulator_of(experiment_of(*layers, optimizer=optimizer), samples)
    own = {
        name: torch.tensor(value, requires_grad=True)
        for name, value in simulator.parameters().items()
        if "running" not in name
    }
    kind = torch.optim.SGD if isinstance(optimizer, Sgd) else torch.optim.Adam
    twin = kind(list(own.values()), lr=optimizer.learning_rate)
    for _ in range(10):
        _, record = twin_of(simulator.record())
        for name, parameter in own.items():
            layer, _, tensor = name.partition(".")
            parameter.grad = torch.tensor(record[layer][f"{tensor}_gradient"])
        twin.step()
        simulator.advance(1)
    found = simulator.parameters()
    for name in own:
        exact = own[name].detach().numpy()
        np.testing.assert_allclose(
            found[name], exact, rtol=1e-9, atol=1e-9 * np.abs(exact).max(), err_msg=name
        )
