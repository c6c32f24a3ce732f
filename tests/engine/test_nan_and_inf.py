"""NaN and ∞ travel through every kind of layer as IEEE arithmetic says, and a training with them runs on."""

from __future__ import annotations

import dataclasses
import warnings
from typing import Any

import msgspec
import numpy as np
import pytest

from gradsim.engine import Simulator
from gradsim.spec import ActivationLayer, Dropout, Experiment, Normalization, placed_layers
from gradsim.spec.activation import Relu, Sigmoid, Tanh
from gradsim.spec.training import Adam
from gradsim.trace import IterationTrace
from tests.engine.nested_nets import FEATURES, dense, experiment_of, residual, sequences, simulator_of
from tests.engine.small_nets import assert_same_bits, needs_torch
from tests.engine.test_layer_facts import CELLS, EVERY_KIND

SAMPLE = 2
"""Row of the batch whose numbers are broken."""
STEPS = 6
NETS: dict[str, tuple[Any, ...]] = {
    **{name: (dense(6), *layers) for name, layers in EVERY_KIND.items()},
    **{name: (cell, dense(4)) for name, cell in CELLS.items()},
}
BROKEN = [np.nan, np.inf, -np.inf]
PLACES = ["input", "weight", "target"]

broken_numbers = pytest.mark.parametrize("value", BROKEN, ids=str)
places = pytest.mark.parametrize("place", PLACES)


def broken_simulator(name: str, place: str, value: float, **fields: Any) -> Simulator:
    """A simulator in whose first batch one input, one weight or one target is broken."""
    experiment = msgspec.structs.replace(experiment_of(*NETS[name]), **fields)
    has_time = name in CELLS
    clean = simulator_of(experiment, sequences(STEPS, every_step=False) if has_time else None)
    row = int(clean.record().sample_indices[SAMPLE])
    inputs, targets = clean.samples.training_inputs.copy(), clean.samples.training_targets.copy()
    if place == "input":
        inputs[(row, 3, 1) if has_time else (row, 1)] = value
    if place == "target":
        targets[row, 1] = value
    samples = dataclasses.replace(clean.samples, training_inputs=inputs, training_targets=targets)
    simulator = simulator_of(experiment, samples)
    if place == "weight":
        first = next(key for key in simulator.parameters() if key.endswith("weight"))
        weight = simulator.parameters()[first].copy()
        weight[1, 1] = value
        simulator.load_parameters({first: weight})
    return simulator


def same_places(one: Any, other: Any) -> bool:
    """Whether NaN, +∞ and −∞ stand at the same places."""
    tests = (np.isnan, np.isposinf, np.isneginf)
    return all(np.array_equal(test(one), test(other)) for test in tests)


def broken_places(x: Any) -> str:
    return f"{np.isnan(x).sum()} NaN, {np.isposinf(x).sum()} +∞, {np.isneginf(x).sum()} −∞ of {np.size(x)}"


@needs_torch
@places
@broken_numbers
@pytest.mark.parametrize("name", NETS)
def test_every_kind_breaks_the_values_that_autograd_breaks_and_no_others(
    name: str, value: float, place: str
) -> None:
    from tests.engine.torch_twin import StockTwin, twin_of

    trace = broken_simulator(name, place, value).record()
    loss, twin = twin_of(trace, StockTwin)
    differ = [
        f"{layer.name}.{tensor}: {broken_places(layer[tensor])} instead of {broken_places(exact)}"
        for layer in trace.layers
        for tensor, exact in twin[layer.name].items()
        if not same_places(layer[tensor], exact)
    ]
    assert not differ, "\n".join(differ)
    assert same_places(trace.loss, loss)


@places
@broken_numbers
@pytest.mark.parametrize("name", NETS)
def test_a_training_with_broken_numbers_runs_on_and_counts_them(name: str, value: float, place: str) -> None:
    simulator = broken_simulator(name, place, value)
    assert simulator.advance(20) == 20
    trace, history = simulator.record(), simulator.history()
    assert trace.iteration == 20
    assert len(history) == 20
    for layer in trace.layers:
        for tensor, known in layer.statistics.items():
            assert known.nans == np.isnan(layer[tensor]).sum(), f"{layer.name}.{tensor}"
            assert known.infs == np.isinf(layer[tensor]).sum(), f"{layer.name}.{tensor}"
    assert any(known.nans + known.infs for layer in trace.layers for known in layer.statistics.values())


@pytest.mark.parametrize("precision", ["float32", "float16", "bfloat16"])
@pytest.mark.parametrize("name", ["batch", "residual", "lstm", "mixed"])
def test_it_runs_on_in_every_precision_and_with_an_optimizer_that_remembers(
    name: str, precision: Any
) -> None:
    training = experiment_of(*NETS[name], optimizer=Adam(learning_rate=0.01)).training
    simulator = broken_simulator(name, "weight", np.nan, precision=precision, training=training)
    assert simulator.advance(20) == 20
    assert np.isnan(simulator.record().loss)


def test_the_past_of_a_broken_run_can_be_sought_to_the_same_bits() -> None:
    simulator = broken_simulator("mixed", "input", np.nan)
    simulator.advance(3)
    before = simulator.record()
    simulator.advance(9)
    simulator.seek(3)
    for one, other in zip(before.layers, simulator.record().layers, strict=True):
        assert_same_bits(dict(one.tensors), dict(other.tensors), one.name)


def clean_and_broken(
    value: float, *layers: Any, feature: int = 1
) -> tuple[IterationTrace, IterationTrace, int]:
    """The pass of a net, the pass with one number of one sample broken, and the row of that sample in the batch."""
    experiment: Experiment = experiment_of(*layers)
    clean = Simulator(experiment)
    inputs = clean.samples.training_inputs.copy()
    inputs[int(clean.record().sample_indices[SAMPLE]), feature] = value
    broken = simulator_of(experiment, dataclasses.replace(clean.samples, training_inputs=inputs))
    return clean.record(), broken.record(), SAMPLE


@broken_numbers
def test_a_dense_layer_breaks_one_sample_forwards_and_all_weights_of_its_feature_backwards(
    value: float,
) -> None:
    clean, broken, row = clean_and_broken(value, dense(6))
    layer = broken["dense_1"]
    with np.errstate(invalid="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        wanted = layer.input @ layer.weight + layer.bias
    np.testing.assert_allclose(layer.pre_activation, wanted, rtol=1e-12)
    others = np.delete(np.arange(len(layer.input)), row)
    np.testing.assert_array_equal(layer.activation[others], clean["dense_1"].activation[others])
    if np.isnan(value):
        assert np.isnan(layer.activation[row]).all()
        assert np.isnan(layer.weight_gradient).all()
    else:
        np.testing.assert_array_equal(layer.activation[row], np.sign(value) * np.sign(layer.weight[1]))
        assert not layer.slope[row].any()
        # ∞ in, slope 0: 0 · ∞ in the gradient of that feature's weights, and nowhere else
        assert np.isnan(layer.weight_gradient[1]).all()
        assert np.isfinite(np.delete(layer.weight_gradient, 1, axis=0)).all()


ACTIVATED: list[tuple[Any, float, float, float]] = [
    (Relu(), np.inf, np.inf, 1.0),
    (Relu(), -np.inf, 0.0, 0.0),
    (Tanh(), np.inf, 1.0, 0.0),
    (Tanh(), -np.inf, -1.0, 0.0),
    (Sigmoid(), np.inf, 1.0, 0.0),
    (Sigmoid(), -np.inf, 0.0, 0.0),
]


@pytest.mark.parametrize(("activation", "value", "out", "slope"), ACTIVATED)
def test_an_activation_takes_infinity_to_its_limit(
    activation: Any, value: float, out: float, slope: float
) -> None:
    _, broken, row = clean_and_broken(value, ActivationLayer(activation=activation), dense(4))
    assert broken["activation_1"].activation[row, 1] == out
    assert broken["activation_1"].slope[row, 1] == slope


@pytest.mark.parametrize("activation", [Relu(), Tanh(), Sigmoid()])
def test_no_activation_swallows_a_nan(activation: Any) -> None:
    _, broken, row = clean_and_broken(np.nan, ActivationLayer(activation=activation), dense(4))
    assert np.isnan(broken["activation_1"].activation).sum() == 1
    assert np.isnan(broken["activation_1"].activation[row, 1])


@broken_numbers
def test_a_batch_normalization_spreads_it_over_the_batch_of_one_unit(value: float) -> None:
    clean, broken, _ = clean_and_broken(value, Normalization(), dense(4))
    out = broken["normalization_1"].output
    assert np.isnan(out[:, 1]).any()
    kept = np.delete(np.arange(FEATURES), 1)
    assert_same_bits(out[:, kept], clean["normalization_1"].output[:, kept])
    if np.isnan(value):
        assert np.isnan(out[:, 1]).all()


@broken_numbers
@pytest.mark.parametrize("method", ["layer", "rms"])
def test_a_layer_normalization_keeps_it_in_its_sample(method: Any, value: float) -> None:
    clean, broken, row = clean_and_broken(value, Normalization(method=method), dense(4))
    out = broken["normalization_1"].output
    assert np.isnan(out[row]).any()
    others = np.delete(np.arange(len(out)), row)
    assert_same_bits(out[others], clean["normalization_1"].output[others])


@broken_numbers
def test_a_skip_hands_it_on_whatever_the_branch_does(value: float) -> None:
    _, broken, row = clean_and_broken(value, residual(dense(FEATURES, activation=Tanh())))
    block = broken["residual_1"]
    assert not np.isfinite(block.output[row, 1])
    others = np.delete(np.arange(FEATURES), 1)
    assert np.isnan(block.output[row, others]).all() == np.isnan(value)


@pytest.mark.parametrize("rate", [0.01, 0.99])
@broken_numbers
def test_a_dropout_hides_nothing_also_where_it_drops(value: float, rate: float) -> None:
    _, broken, row = clean_and_broken(value, Dropout(rate=rate), dense(4))
    layer = broken["dropout_1"]
    assert (layer.slope[row, 1] == 0) == (rate > 0.5)
    found = layer.output[row, 1]
    assert np.isnan(found) if rate > 0.5 or np.isnan(value) else found == value


@needs_torch
@pytest.mark.parametrize("value", BROKEN, ids=str)
@pytest.mark.parametrize("place", ["input", "weight"])
@pytest.mark.parametrize("name", NETS)
def test_every_value_is_that_of_a_pass_by_pytorch_alone(name: str, value: float, place: str) -> None:
    # Nothing is pinned: PyTorch has the parameters, the batch and the masks, and each step of time follows its own.
    import torch

    from tests.engine.torch_oracle import double
    from tests.engine.torch_training import FreeTwin

    simulator = broken_simulator(name, place, value)
    trace = simulator.record()
    masks = {layer.name: layer.slope for layer in trace.layers if layer.kind == "dropout"}
    twin = FreeTwin({key: double(values) for key, values in simulator.parameters().items()}, masks)
    with torch.no_grad():
        twin.through(placed_layers(simulator.experiment.network), double(trace.inputs))
    for layer in trace.layers:
        for tensor, exact in twin.kept[layer.name].computed.items():
            np.testing.assert_allclose(
                layer[tensor], exact.numpy(), rtol=1e-9, atol=1e-12, err_msg=f"{layer.name}.{tensor}"
            )


@pytest.mark.parametrize("cell", CELLS)
def test_a_recurrent_layer_breaks_no_step_before_the_broken_one(cell: str) -> None:
    layer = broken_simulator(cell, "input", np.nan).record()["recurrent_1"]
    assert np.isfinite(layer.hidden[:, :3]).all()
    assert np.isnan(layer.hidden[SAMPLE, 3:]).all()
    others = np.delete(np.arange(len(layer.hidden)), SAMPLE)
    assert np.isfinite(layer.hidden[others]).all()


def test_a_broken_target_breaks_the_loss_and_the_gradient_of_its_output_only() -> None:
    trace = broken_simulator("residual", "target", np.inf).record()
    assert trace.loss == np.inf
    delta = trace["head"].delta
    assert delta[SAMPLE, 1] == -np.inf
    delta = delta.copy()
    delta[SAMPLE, 1] = 0.0
    assert np.isfinite(delta).all()
