"""The record of an iteration: complete, read-only, told step by step, and apart from what goes on."""

from __future__ import annotations

from typing import Any, get_args

import numpy as np
import pytest

from gradsim.engine import Simulator
from gradsim.spec import Activation, kind_of
from gradsim.spec.activation import Linear, Prelu, Softmax, Tanh
from gradsim.spec.data import Moons
from gradsim.spec.training import GlobalNormClipping, ValueClipping
from gradsim.trace import PARAMETER_TENSORS, PHASES, TENSORS
from tests.engine.small_nets import net
from tests.reference_functions import ACTIVATIONS
from tests.reference_network import reference_steps

pytestmark = pytest.mark.jitless


def test_a_record_holds_every_tensor_in_its_shape() -> None:
    trace = Simulator(net(Prelu(per="unit"), depth=2, precision="float32")).record()
    widths = [4, 5, 5, 3]
    for i, layer in enumerate(trace.layers):
        fan_in, fan_out = widths[i], widths[i + 1]
        assert (layer.index, layer.number, layer.fan_in, layer.fan_out) == (i, i + 1, fan_in, fan_out)
        for tensor in ("pre_activation", "activation", "output", "slope", "delta", "activation_gradient"):
            assert layer[tensor].shape == (11, fan_out), tensor
        for tensor in ("input", "input_gradient"):
            assert layer[tensor].shape == (11, fan_in)
        for tensor in ("weight", "weight_gradient", "weight_clipped_gradient", "weight_update", "update"):
            assert layer[tensor].shape == (fan_in, fan_out)
        assert layer["bias"].shape == layer["bias_gradient"].shape == (fan_out,)
        assert ("prelu_slope" in layer.tensors) == (i < 2)
        assert set(layer.statistics) == set(TENSORS)
        assert {array.dtype for array in layer.tensors.values()} == {np.dtype(np.float32)}
    assert trace["dense_1"]["prelu_slope_gradient"].shape == (5,)
    assert [layer.name for layer in trace.layers] == ["dense_1", "dense_2", "head"]
    with pytest.raises(KeyError, match="no layer 'dense_9'; there are dense_1, dense_2, head"):
        trace["dense_9"]
    with pytest.raises(AttributeError, match="no tensor 'gamma'; it has"):
        trace["head"].gamma  # noqa: B018


def test_a_record_cannot_be_written_to_and_does_not_change_when_the_training_goes_on() -> None:
    simulator = Simulator(net())
    trace = simulator.record()
    before = {(layer.name, key): a.copy() for layer in trace.layers for key, a in layer.tensors.items()}
    simulator.advance(5)
    simulator.record()
    for layer in trace.layers:
        for key, array in layer.tensors.items():
            np.testing.assert_array_equal(array, before[layer.name, key])
            with pytest.raises(ValueError, match="read-only"):
                array[...] = 0
    for array in (trace.inputs, trace.targets, trace.sample_indices):
        assert not array.flags.writeable


def test_the_layers_of_a_record_hang_together() -> None:
    trace = Simulator(net(Prelu(), depth=3)).record()
    np.testing.assert_array_equal(trace.inputs, trace.layers[0].input)
    for below, above in zip(trace.layers, trace.layers[1:], strict=False):
        np.testing.assert_array_equal(below["activation"], above.input)
        np.testing.assert_array_equal(below.activation_gradient, above.input_gradient)
    for layer in trace.layers:
        np.testing.assert_array_equal(layer["output"], layer["activation"])
        np.testing.assert_array_equal(layer.output_gradient, layer.activation_gradient)
        assert layer["update"] is layer["weight_update"]
        np.testing.assert_allclose(layer.pre_activation, layer.input @ layer.weight + layer.bias, rtol=1e-12)
        np.testing.assert_allclose(layer.delta, layer.activation_gradient * layer.slope, rtol=1e-14)
        np.testing.assert_allclose(layer.weight_gradient, layer.input.T @ layer.delta, rtol=1e-11, atol=1e-17)
        np.testing.assert_allclose(layer.input_gradient, layer.delta @ layer.weight.T, rtol=1e-11, atol=1e-17)


@pytest.mark.parametrize("clipped", [False, True])
def test_the_steps_tell_the_iteration_in_order(clipped: bool) -> None:
    options: Any = {"clipping": GlobalNormClipping()} if clipped else {}
    trace = Simulator(net(depth=2, **options)).record()
    assert trace.steps == reference_steps(3, clips=clipped)
    phases = [PHASES.index(step.phase) for step in trace.steps]
    assert phases == sorted(phases)
    for step in trace.steps:
        if step.layer is not None:
            assert step.tensor in trace.layers[step.layer].tensors
    assert all("clipped_gradient" in layer.tensors for layer in trace.layers)


def test_the_names_of_parameters_are_those_of_the_simulator() -> None:
    simulator = Simulator(net(Prelu()))
    trace = simulator.record()
    told = {
        f"{layer.name}.{short}"
        for layer in trace.layers
        for tensor, short in PARAMETER_TENSORS.items()
        if tensor in layer.tensors
    }
    assert told == simulator.parameters().keys()


def test_without_clipping_the_clipped_gradient_is_the_gradient() -> None:
    for layer in Simulator(net()).record().layers:
        np.testing.assert_array_equal(layer.weight_clipped_gradient, layer.weight_gradient)
    cut = Simulator(net(clipping=ValueClipping(threshold=1e-3))).record()["dense_1"]
    np.testing.assert_array_equal(cut.weight_clipped_gradient, np.clip(cut.weight_gradient, -1e-3, 1e-3))
    np.testing.assert_allclose(cut.update, -0.1 * cut.weight_clipped_gradient)


@pytest.mark.parametrize("kind", get_args(Activation), ids=kind_of)
def test_the_recorded_slope_is_the_derivative(kind: Any) -> None:
    layer = Simulator(net(kind())).record()["dense_1"]
    z = layer.pre_activation
    if kind_of(kind) == "softmax":
        np.testing.assert_allclose(layer.slope, layer["activation"] * (1 - layer["activation"]), rtol=1e-12)
    elif kind_of(kind) == "prelu":
        np.testing.assert_array_equal(layer.slope, np.where(z > 0, 1, 0.25))
    elif kind_of(kind) in ACTIVATIONS:
        np.testing.assert_allclose(layer.slope, ACTIVATIONS[kind_of(kind)].pair(z, kind())[1], rtol=1e-9)
    assert layer.activation_kind == kind_of(kind)


def test_accuracy_is_the_share_of_the_batch_and_none_for_a_regression() -> None:
    assert Simulator(net()).record().accuracy is None
    simulator = Simulator(net(Tanh(), Softmax(), loss="cross_entropy", data=Moons(samples=40)))
    trace = simulator.record()
    found = trace["head"]["activation"].argmax(axis=1)
    assert trace.accuracy == np.mean(found == simulator.samples.training_classes[trace.sample_indices])


def test_the_gradient_of_the_inputs_is_recorded_though_nothing_needs_it() -> None:
    layer = Simulator(net(Linear())).record()["dense_1"]
    assert layer.input_gradient.any()
