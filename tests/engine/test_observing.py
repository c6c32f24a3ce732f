"""Whole parts of the samples, Jacobians, and standing at an iteration without having trained there."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gradsim.engine import Simulator
from gradsim.spec import SpecError
from gradsim.spec.method import DynamicLossScale
from tests.engine.small_nets import net
from tests.kind_runs import NETWORKS, kind_simulator


@pytest.mark.parametrize("name", NETWORKS)
def test_standing_at_an_iteration_records_the_pass_of_the_run_that_came_there(name: str) -> None:
    trained = kind_simulator(name)
    trained.advance(5)
    other = kind_simulator(name)
    other.stand_at(5, trained.parameters())
    expected, got = trained.record(), other.record()
    assert (got.iteration, got.loss) == (5, expected.loss)
    for layer, twin in zip(expected.layers, got.layers, strict=True):
        for tensor in ("output", "output_gradient", "input_gradient"):
            assert np.array_equal(layer.tensors[tensor], twin.tensors[tensor], equal_nan=True)


@pytest.mark.parametrize("name", NETWORKS)
def test_the_loss_alone_is_that_of_the_record_and_changes_nothing(name: str) -> None:
    simulator = kind_simulator(name)
    simulator.advance(2)
    before = simulator.parameters()
    assert simulator.loss() == simulator.record().loss
    for key, values in simulator.parameters().items():
        np.testing.assert_array_equal(values, before[key])
    assert simulator.loss() == simulator.record().loss


@pytest.mark.jitless
def test_what_lies_before_the_place_where_one_stands_cannot_be_sought() -> None:
    simulator = kind_simulator("residual")
    simulator.stand_at(7, {})
    simulator.advance(3)
    simulator.seek(7)
    with pytest.raises(ValueError, match="from 7 on, got 6"):
        simulator.seek(6)
    with pytest.raises(SpecError):
        simulator.stand_at(7, {"nothing.weight": np.zeros(1)})


def test_a_dynamic_loss_scale_stands_where_it_is_said_to_and_else_at_its_first_value() -> None:
    simulator = Simulator(net(precision="float16", loss_scale=DynamicLossScale(scale=1024.0, interval=2)))
    simulator.advance(9)
    assert simulator.record().loss_scale > 1024
    for asked_for, stands in ((64.0, 64), (None, 1024)):
        simulator.stand_at(9, {}, asked_for)
        assert simulator.record().loss_scale == stands


@pytest.mark.parametrize("name", NETWORKS)
def test_observations_of_a_part_are_the_outputs_of_the_network(name: str) -> None:
    simulator = kind_simulator(name)
    batches = list(simulator.observed("training"))
    seen = np.concatenate([batch["head"]["activation"] for batch in batches])
    expected = simulator.outputs(simulator.samples.training_inputs)
    assert np.allclose(seen.reshape(expected.shape), expected, rtol=1e-13)
    assert set(batches[0]) == set(simulator.layer_names)


@pytest.mark.parametrize("name", [name for name in NETWORKS if name != "batch normalization"])
def test_the_jacobian_of_the_whole_network_carries_the_gradient_of_the_logits_to_the_input(name: str) -> None:
    simulator = kind_simulator(name)
    trace = simulator.record()
    entry, sample = _entry(trace), 3
    jacobian = simulator.jacobian(sample, entry, "head")
    delta = trace["head"].delta
    if delta.ndim == 3:
        jacobian = jacobian.reshape(*delta.shape[1:], -1)
        arrived = np.einsum("tu,tui->i", delta[sample], jacobian)
    else:
        arrived = delta[sample] @ jacobian
    expected = trace[entry].input_gradient[sample].ravel()
    assert np.allclose(arrived, expected, rtol=1e-11, atol=1e-13 * np.abs(expected).max())


def _entry(trace: Any) -> str:
    """The layer that takes the input of the network: a residual block comes after what is inside it."""
    for layer in reversed(trace.layers):
        if layer.tensors["input"].shape == trace.inputs.shape and np.array_equal(
            layer.tensors["input"], trace.inputs
        ):
            return str(layer.name)
    raise AssertionError("no layer takes the input")


@pytest.mark.jitless
def test_jacobians_refuse_what_has_none() -> None:
    simulator = kind_simulator("residual")
    with pytest.raises(ValueError, match="name of a layer"):
        simulator.jacobian(0, "nothing", "head")
    with pytest.raises(ValueError, match="row of the batch"):
        simulator.jacobian(10**6, "head", "head")
    names = simulator.layer_names
    with pytest.raises(ValueError, match="order of the pass"):
        simulator.jacobian(0, names[-1], names[0])
