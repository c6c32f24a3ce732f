"""float16 and bfloat16: every stored value is one of the format, what is lost is counted, loss scaling saves it."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import pytest

from gradsim.engine import Simulator
from gradsim.engine.precision import rounded
from gradsim.spec import Dense, Experiment, Head, Network, Training, checked
from gradsim.spec.activation import Linear, Sigmoid
from gradsim.spec.data import GaussianNoise
from gradsim.spec.initializer import Identity
from gradsim.spec.method import DynamicLossScale, FixedLossScale
from gradsim.spec.training import Adam, Sgd
from gradsim.trace import TENSORS
from tests.kind_runs import NETWORKS, kind_simulator

NARROW = ("float16", "bfloat16")

UNROUNDED = ("slope", "clipped_gradient")
"""Computed again for the record, or in the wide format of clipping."""


@pytest.mark.parametrize("precision", NARROW)
@pytest.mark.parametrize("name", NETWORKS)
def test_every_stored_value_of_every_kind_is_one_of_the_format(name: str, precision: Any) -> None:
    simulator = kind_simulator(name, precision=precision)
    simulator.advance(3)
    trace = simulator.record()
    for layer in trace.layers:
        for tensor, values in layer.tensors.items():
            if not tensor.endswith(UNROUNDED):
                np.testing.assert_array_equal(
                    rounded(values, precision), values, err_msg=f"{layer.name}.{tensor}"
                )
    for values in simulator.parameters().values():
        np.testing.assert_array_equal(rounded(values, precision), values)


@pytest.mark.parametrize("name", NETWORKS)
def test_statistics_are_those_of_what_was_stored(name: str) -> None:
    trace = kind_simulator(name, precision="float16").record()
    for layer in trace.layers:
        for tensor in TENSORS:
            if tensor in layer.statistics and tensor in layer.tensors:
                stored, told = layer.tensors[tensor].astype(np.float64), layer.statistics[tensor]
                place = f"{layer.name}.{tensor}"
                assert told.rms == pytest.approx(np.sqrt((stored**2).mean()), rel=1e-6), place
                assert told.zeros == np.count_nonzero(stored == 0), place


@pytest.mark.jitless
def test_a_linear_layer_stores_the_rounded_product() -> None:
    trace = kind_simulator("activation", precision="float16").record()
    layer = trace["dense_1"]
    exact = layer.input.astype(np.float64) @ layer.weight.astype(np.float64) + layer.bias
    # The product is accumulated in float32, so it may fall on the other side of a tie now and then.
    spacing = np.spacing(np.abs(exact).astype(np.float16)).astype(np.float64)
    assert (np.abs(layer.pre_activation - exact) <= 0.51 * spacing).all()
    assert (layer.pre_activation == exact.astype(np.float16)).mean() > 0.95


def _growing(precision: str, layers: int) -> Experiment:
    """A chain that multiplies by ten in every layer."""
    dense = Dense(units=1, activation=Linear(), initializer=Identity(gain=10.0), bias=False)
    return checked(
        Experiment(
            precision=precision,  # type: ignore[arg-type]
            data=GaussianNoise(samples=4, features=1, outputs=1),
            network=Network(layers=(dense,) * layers, head=Head(activation=Linear())),
            training=Training(loss="mse", batch_size=1),
        )
    )


@pytest.mark.parametrize(
    ("precision", "survived"), [("float16", 4), ("float32", 38), ("bfloat16", 38), ("float64", 308)]
)
def test_ten_times_per_layer_overflows_where_the_format_ends(precision: str, survived: int) -> None:
    simulator = Simulator(_growing(precision, survived + 3))
    trace = simulator.record()
    x = abs(float(trace.inputs[0, 0]))
    sizes = np.array([abs(float(layer.activation[0, 0])) for layer in trace.layers[:-1]])
    with np.errstate(over="ignore"):
        expected = x * 10.0 ** np.arange(1, len(sizes) + 1)
    largest = {"float16": 65504.0, "float64": np.finfo(np.float64).max}.get(precision, 3.4e38)
    assert np.isinf(sizes).any()
    # Every product is rounded, in bfloat16 by up to 0.4 %, so the edge itself may lie a layer off.
    near = np.abs(np.log10(expected) - np.log10(largest)) < 0.1
    assert np.array_equal(np.isinf(sizes) | near, ~(expected < largest) | near)
    first = trace.layers[int(np.isinf(sizes).argmax())]
    # bfloat16 ends where float32 does, in which the product itself is already infinite: it counts all the same.
    assert first.rounding.overflowed_forward == (1 if precision in ("float16", "bfloat16") else 0)
    later = trace.layers[int(np.isinf(sizes).argmax()) + 1]
    assert np.isinf(later.pre_activation).any()
    assert later.rounding.overflowed_forward == 0


def _deep_sigmoid(**training: Any) -> Experiment:
    dense = Dense(units=8, activation=Sigmoid())
    settings = {"loss": "mse", "batch_size": 16, "optimizer": Sgd(learning_rate=0.5)} | training
    return checked(
        Experiment(
            precision="float16",
            data=GaussianNoise(samples=64, features=4, outputs=2),
            network=Network(layers=(dense,) * 10, head=Head(activation=Linear())),
            training=Training(**settings),
        )
    )


def test_the_gradient_of_a_deep_sigmoid_net_flushes_to_zero_and_loss_scaling_saves_it() -> None:
    plain = Simulator(_deep_sigmoid()).record()
    scaled = Simulator(_deep_sigmoid(loss_scale=FixedLossScale(scale=2.0**14))).record()
    wide = Simulator(msgspec.structs.replace(_deep_sigmoid(), precision="float64")).record()
    assert plain["dense_1"].rounding.flushed_backward > 0
    assert (plain["dense_1"].delta == 0).mean() > 0.5
    assert scaled["dense_1"].rounding.flushed_backward < plain["dense_1"].rounding.flushed_backward
    assert scaled.loss_scale == 2.0**14
    expected = np.linalg.norm(wide["dense_1"].weight_gradient)
    lost = np.linalg.norm(plain["dense_1"].weight_gradient - wide["dense_1"].weight_gradient)
    saved = np.linalg.norm(scaled["dense_1"].weight_gradient - wide["dense_1"].weight_gradient)
    assert lost > 0.5 * expected
    assert saved < 0.1 * expected
    # The layers hold what is stored, so the scale is in their gradients.
    ratio = scaled["head"].statistics["delta"].rms / plain["head"].statistics["delta"].rms
    assert ratio == pytest.approx(2.0**14, rel=1e-2)


def test_a_dynamic_scale_halves_and_leaves_updates_out_until_nothing_overflows() -> None:
    experiment = _deep_sigmoid(loss_scale=DynamicLossScale(scale=2.0**40, interval=5))
    simulator = Simulator(experiment)
    before = simulator.parameters()
    first = simulator.record()
    assert not np.isfinite(first.gradient_norm)
    simulator.advance(1)
    for name, values in simulator.parameters().items():
        np.testing.assert_array_equal(values, before[name])
    simulator.advance(59)
    history = simulator.history()
    scales, norms = history.loss_scale, history.gradient_norm
    assert scales[0] == 2.0**40
    for now, later, norm in zip(scales, scales[1:], norms, strict=False):
        assert later == now / 2 if not np.isfinite(norm) else later in (now, 2 * now)
    assert np.isfinite(norms[-10:]).any()
    assert (scales[1:] == 2 * scales[:-1]).any()


@pytest.mark.parametrize("precision", NARROW)
def test_a_run_in_a_narrow_format_can_be_sought_bit_for_bit(precision: Any) -> None:
    training = {"loss_scale": DynamicLossScale(scale=2.0**30, interval=7), "optimizer": Adam()}
    experiment = msgspec.structs.replace(_deep_sigmoid(**training), precision=precision)
    simulator = Simulator(experiment)
    simulator.advance(40)
    straight = simulator.record()
    simulator.seek(11)
    simulator.seek(40)
    again = simulator.record()
    assert (straight.loss, straight.loss_scale) == (again.loss, again.loss_scale)
    for layer, twin in zip(straight.layers, again.layers, strict=True):
        np.testing.assert_array_equal(layer.update, twin.update)


def test_the_native_formats_lose_nothing_by_rounding() -> None:
    simulator = kind_simulator("residual")
    simulator.advance(2)
    assert simulator.history().rounded.size == 0
    assert not any(any(layer.rounding) for layer in simulator.record().layers)


def test_the_losses_of_every_iteration_are_kept() -> None:
    simulator = Simulator(_deep_sigmoid())
    flushed = []
    for _ in range(3):
        flushed.append([layer.rounding for layer in simulator.record().layers])
        simulator.advance(1)
    kept = simulator.history().rounded
    np.testing.assert_array_equal(kept, flushed)
    assert kept.any()
