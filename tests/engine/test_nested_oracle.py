"""Networks of every kind of layer, alone and nested at random, against PyTorch's autograd."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, assume, event, given, settings
from hypothesis import strategies as st

from gradsim.spec import ActivationLayer, Dropout, Experiment, Head, Normalization, Recurrent
from gradsim.spec.activation import Linear, Prelu, Relu, Sigmoid, Softmax
from gradsim.spec.data import Moons
from gradsim.trace import IterationTrace, SampleSet
from tests.engine.agreement import AGREEMENT, ROUNDING, assert_agrees
from tests.engine.nested_nets import (
    CELLS,
    FEATURES,
    KINDS,
    KINDS_IN_TIME,
    METHODS,
    dense,
    everything_in,
    experiment_of,
    experiments_around,
    residual,
    sequences,
    simulator_of,
)
from tests.engine.small_nets import needs_torch

pytestmark = needs_torch


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


RANDOM = settings(
    max_examples=5,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # so many nets take minutes to be shrunk
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)


def assert_agrees_nested_at_random(
    data: st.DataObject, layer: Any, samples: SampleSet | None = None, **options: Any
) -> None:
    experiment = data.draw(experiments_around(layer, **options))
    assert layer in everything_in(experiment.network.layers)
    found = assert_agrees(finite_record_of(experiment, samples))
    event("something cancels" if found["cancelled"] else "nothing cancels")


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_alone_agrees_with_autograd(kind: str) -> None:
    assert_agrees(record_of(experiment_of(KINDS[kind])))


@RANDOM
@pytest.mark.parametrize("kind", KINDS)
@given(st.data())
def test_a_kind_nested_at_random_agrees_with_autograd(kind: str, data: st.DataObject) -> None:
    assert_agrees_nested_at_random(data, KINDS[kind], max_depth=7)


@RANDOM
@pytest.mark.parametrize("every_step", [True, False], ids=["every step", "last step"])
@pytest.mark.parametrize("kind", KINDS_IN_TIME)
@given(st.data())
def test_a_recurrent_kind_nested_at_random_agrees_with_autograd(
    kind: str, every_step: bool, data: st.DataObject
) -> None:
    samples, layer = sequences(5, every_step), KINDS_IN_TIME[kind]
    assert_agrees_nested_at_random(data, layer, samples, in_time=True, every_step=every_step, max_depth=5)


@pytest.mark.parametrize("own", [True, False], ids=["a layer of its own", "inside"])
def test_a_bias_before_a_batch_normalization_has_no_gradient_but_rounding(own: bool) -> None:
    norm = Normalization()
    pair = (dense(6, activation=Linear()), norm) if own else (dense(6, normalization=norm),)
    trace = record_of(experiment_of(*pair, dense(4)))
    layer = trace["dense_1"]
    terms = np.abs(layer.delta).sum(axis=0)
    assert terms.min() > 1e-6
    assert np.linalg.norm(layer.bias_gradient) <= ROUNDING * np.linalg.norm(terms)
    assert np.linalg.norm(trace["dense_2"].bias_gradient) > 1e-6
    assert assert_agrees(trace)["cancelled"] == 1


@pytest.mark.parametrize(("method", "units", "batch"), [("batch", 5, 2), ("layer", 2, 8), ("rms", 1, 8)])
def test_a_line_too_short_to_vary_leaves_next_to_nothing_of_the_gradient_and_that_agrees(
    method: Any, units: int, batch: int
) -> None:
    # x̂ is ±1 whatever x was but for eps, to which all of the gradient is due.
    norm = Normalization(method=method)
    layers = (dense(units, activation=Linear()), norm, dense(4))
    trace = record_of(experiment_of(*layers, batch_size=batch))
    block = trace["normalization_1"]
    assert 0 < np.linalg.norm(block.delta) < 0.2 * np.linalg.norm(block.activation_gradient)
    assert assert_agrees(trace)["worst"] < AGREEMENT


def test_most_tensors_are_held_to_the_agreement_and_far_below_it() -> None:
    layers = (KINDS["dense with batch inside"], KINDS["residual, projected"], KINDS["rms"], KINDS["prelu"])
    found = assert_agrees(record_of(experiment_of(*layers)))
    assert found["worst"] < 1e-12
    assert found["cancelled"] == 1
