"""Whole iterations: exact digits of a chain, statistics of the record, edges, and nothing that compiles anew."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal, localcontext
from typing import Any, get_args

import msgspec
import numpy as np
import pytest

from gradsim.engine import Simulator
from gradsim.engine.compilation import IS_COMPILED
from gradsim.spec import (
    Activation,
    Clipping,
    Dense,
    Experiment,
    Head,
    Initializer,
    LossName,
    Network,
    Optimizer,
    Repeat,
    Schedule,
    Training,
    kind_of,
)
from gradsim.spec.activation import Linear, Relu, Sigmoid, Softmax, Tanh
from gradsim.spec.data import GaussianNoise, Inline, Moons
from gradsim.spec.initializer import Constant, GlorotUniform, Normal, VarianceScaling, Zeros
from gradsim.spec.training import GlobalNormClipping, Sgd
from gradsim.trace import TENSORS, IterationTrace
from tests.engine.small_nets import net, trained
from tests.reference_functions import histogram, tensor_statistics
from tests.spec.strategies import HEADS

LAYERS = ("dense_1", "dense_2", "head")


def chain(precision: str = "float64") -> Experiment:
    """The worked example 1-1-1-1: sigmoid, every weight 0.5, x = 1, target 0.8, learning rate 0.1."""
    half = {"activation": Sigmoid(), "initializer": Constant(value=0.5)}
    return Experiment(
        precision=precision,
        data=Inline(inputs=((1.0,),), targets=((0.8,),)),
        network=Network(layers=(Dense(units=1, **half), Dense(units=1, **half)), head=Head(**half)),
        training=Training(loss="half_mse", optimizer=Sgd(learning_rate=0.1), batch_size=1),
    )


def exact_chain() -> dict[str, list[Decimal]]:
    """The chain rule of the example, in decimal numbers of 40 digits."""
    half, rate, target, one = Decimal("0.5"), Decimal("0.1"), Decimal("0.8"), Decimal(1)
    a = [one]
    for _ in LAYERS:
        a.append(one / (one + (-half * a[-1]).exp()))
    slope = [y * (one - y) for y in a[1:]]
    delta = [(a[3] - target) * slope[2]]
    for i in (1, 0):
        delta.insert(0, delta[0] * half * slope[i])
    gradient = [d * x for d, x in zip(delta, a, strict=False)]
    return {
        "activation": a[1:],
        "slope": slope,
        "delta": delta,
        "weight_gradient": gradient,
        "bias_gradient": delta,
        "update": [-rate * g for g in gradient],
        "weight_after": [half - rate * g for g in gradient],
        "loss": [half * (a[3] - target) ** 2],
    }


@pytest.mark.jitless
@pytest.mark.parametrize(("precision", "digits"), [("float64", 1e-15), ("float32", 5e-7)])
def test_the_chain_gives_its_exact_digits(precision: str, digits: float) -> None:
    with localcontext(prec=40):
        exact = {name: [float(x) for x in values] for name, values in exact_chain().items()}
    simulator = Simulator(chain(precision))
    trace = simulator.record()
    assert trace.loss == pytest.approx(exact["loss"][0], rel=4 * digits)
    for i, name in enumerate(LAYERS):
        for tensor in ("activation", "slope", "delta", "weight_gradient", "bias_gradient", "update"):
            assert trace[name][tensor].item() == pytest.approx(exact[tensor][i], rel=4 * digits), tensor
    simulator.advance(1)
    for i, name in enumerate(LAYERS):
        weight = simulator.parameters()[f"{name}.weight"].item()
        assert weight == pytest.approx(exact["weight_after"][i], rel=digits)


@pytest.mark.jitless
def test_the_chain_shows_where_the_printed_digits_slipped() -> None:
    trace = Simulator(chain()).record()
    output = trace["head"]["activation"].item()
    assert f"{output:.9f}" == "0.571651565"
    assert f"{output:.4f}" == "0.5717"  # printed as 0.5716
    assert f"{trace.loss:.9f}" == "0.026071504"
    assert f"{trace.loss:.4f}" == "0.0261"  # printed as 0.0262


def assert_statistics_match(trace: IterationTrace) -> None:
    for layer in trace.layers:
        for tensor in TENSORS:
            told, exact = layer.statistics[tensor], tensor_statistics(layer[tensor])
            for count in ("zeros", "subnormals", "nans", "infs", "count"):
                assert getattr(told, count) == getattr(exact, count), f"{layer.name} {tensor} {count}"
            size = max(abs(exact.min), abs(exact.max))
            if not np.isfinite(size):
                assert not np.isfinite(told.rms), f"{layer.name} {tensor}"
                continue
            assert (told.min, told.max) == (exact.min, exact.max), f"{layer.name} {tensor}"
            for value in ("mean", "sd", "rms"):
                assert getattr(told, value) == pytest.approx(
                    getattr(exact, value), rel=1e-10, abs=1e-12 * size
                ), f"{layer.name} {tensor} {value}"


@pytest.mark.parametrize("precision", ["float32", "float64"])
@pytest.mark.parametrize("units", [1, 3, 5, 64, 300])
@pytest.mark.parametrize("hidden", [Tanh(), Relu(), Softmax()], ids=kind_of)
def test_the_statistics_of_a_record_are_those_of_its_tensors(hidden: Any, units: int, precision: str) -> None:
    simulator = trained(net(hidden, units=units, precision=precision, batch_size=37), 2)
    assert_statistics_match(simulator.record())


def test_the_statistics_of_thousands_of_rows_are_those_of_the_tensors() -> None:
    data = GaussianNoise(samples=3000, features=7, outputs=2)
    assert_statistics_match(Simulator(net(units=9, data=data, batch_size=3000, precision="float32")).record())


@pytest.mark.jitless
def test_what_the_history_keeps_is_what_the_record_says() -> None:
    simulator = Simulator(net(precision="float32"))
    traces = []
    for _ in range(3):
        traces.append(simulator.record())
        simulator.advance(1)
    history = simulator.history()
    for record, trace in enumerate(traces):
        assert history.loss[record] == trace.loss
        assert history.gradient_norm[record] == trace.gradient_norm
        assert history.learning_rate[record] == trace.learning_rate
        for index, layer in enumerate(trace.layers):
            for tensor in TENSORS:
                assert history.statistics(record, index, tensor) == layer.statistics[tensor]
            assert history.saturation[record, index] == np.float32(layer.saturation)


@pytest.mark.jitless
@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_histograms_are_those_of_the_recorded_tensors(precision: str) -> None:
    simulator = Simulator(net(Relu(), precision=precision, depth=2))
    for iteration in (0, 10):
        simulator.seek(iteration)
        trace = simulator.record()
        simulator.advance(1)
        history = simulator.history()
        frame = history.histograms[list(history.histogram_iterations).index(iteration)]
        for index, layer in enumerate(trace.layers):
            for t, tensor in enumerate(TENSORS):
                np.testing.assert_array_equal(frame[index, t], histogram(layer[tensor]), err_msg=tensor)
                assert frame[index, t].sum() == layer[tensor].size == history.sizes[index, t]


def test_the_gradient_norm_is_over_all_parameters_and_the_ratio_tells_the_clipping() -> None:
    simulator = Simulator(net(clipping=GlobalNormClipping(threshold=0.05)))
    trace = simulator.record()
    gradients = [layer[f"{p}_gradient"].ravel() for layer in trace.layers for p in ("weight", "bias")]
    norm = np.linalg.norm(np.concatenate(gradients))
    assert trace.gradient_norm == pytest.approx(norm, rel=1e-12)
    clipped = [layer[f"{p}_clipped_gradient"].ravel() for layer in trace.layers for p in ("weight", "bias")]
    assert np.linalg.norm(np.concatenate(clipped)) == pytest.approx(0.05, rel=1e-12)
    simulator.advance(1)
    assert simulator.history().clipped[0] == pytest.approx(0.05 / norm, rel=1e-12)


def test_saturation_is_the_missing_share_of_the_slope() -> None:
    trace = Simulator(net(Sigmoid())).record()
    layer = trace["dense_2"]
    assert layer.saturation == pytest.approx(1 - layer.slope.mean() / 0.25, rel=1e-6)
    assert np.isnan(Simulator(net(Softmax())).record()["dense_2"].saturation)


def grown(std: float, precision: str, rate: float = 0.1, hidden: Any = None, depth: int = 12) -> Experiment:
    return net(
        hidden or Linear(),
        Linear(),
        depth=depth,
        initializer=Normal(std=std),
        precision=precision,
        optimizer=Sgd(learning_rate=rate),
    )


@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_values_that_overflow_run_on_and_are_counted(precision: str) -> None:
    simulator = Simulator(grown(1e6, precision, depth=60))
    trace = simulator.record()
    assert not np.isfinite(trace.loss)
    assert_statistics_match(trace)
    lost = [
        layer.statistics["pre_activation"].infs + layer.statistics["pre_activation"].nans
        for layer in trace.layers
    ]
    assert lost[0] == 0
    assert lost[-1] > 0
    assert simulator.advance(20) == 20
    assert simulator.record()["dense_1"].statistics["weight"].nans > 0
    assert simulator.history().counts[-1].sum() > 0


@pytest.mark.parametrize("precision", ["float32", "float64"])
@pytest.mark.parametrize("hidden", get_args(Activation), ids=kind_of)
def test_a_huge_learning_rate_breaks_no_activation(hidden: Any, precision: str) -> None:
    simulator = trained(grown(1.0, precision, rate=1e6, hidden=hidden(), depth=4), 40)
    assert_statistics_match(simulator.record())


@pytest.mark.parametrize("loss", get_args(LossName))
def test_a_huge_learning_rate_breaks_no_loss(loss: str) -> None:
    head = HEADS.get(loss, [Linear])[0]()
    data = Moons(samples=40) if loss in HEADS else None
    optimizer = Sgd(learning_rate=1e6)
    simulator = trained(net(Relu(), head, loss=loss, data=data, optimizer=optimizer), 30)
    assert_statistics_match(simulator.record())


@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_a_gradient_that_vanishes_is_followed_through_subnormals_to_exact_zeros(precision: str) -> None:
    trace = Simulator(grown(1e-6, precision, depth=70)).record()
    assert_statistics_match(trace)
    deltas = [layer.statistics["delta"] for layer in reversed(trace.layers[:-1])]
    rms = [delta.rms for delta in deltas]
    assert all(deeper < nearer or deeper == nearer == 0 for nearer, deeper in itertools.pairwise(rms))
    assert any(delta.subnormals for delta in deltas)
    assert deltas[0].zeros == 0
    assert deltas[-1].zeros == deltas[-1].count


@pytest.mark.jitless
def test_a_relu_net_whose_weights_are_zero_shows_zeros_and_does_not_move() -> None:
    experiment = net(Relu(), Linear(), initializer=Zeros())
    layers = tuple(
        msgspec.structs.replace(layer, bias_initializer=Zeros()) for layer in experiment.network.layers
    )
    network = msgspec.structs.replace(experiment.network, layers=layers)
    simulator = Simulator(msgspec.structs.replace(experiment, network=network))
    trace = simulator.record()
    for layer in trace.layers[:-1]:
        for tensor in TENSORS[:4]:
            if tensor != "activation_gradient":
                assert layer.statistics[tensor].zeros == layer.statistics[tensor].count
        assert not layer.weight_gradient.any()
    before = simulator.parameters()["dense_1.weight"]
    simulator.advance(5)
    assert (simulator.parameters()["dense_1.weight"] == before).all()


def test_a_batch_larger_than_the_samples_is_all_of_them() -> None:
    simulator = Simulator(net(batch_size=1000))
    trace = simulator.record()
    assert sorted(trace.sample_indices) == list(range(len(simulator.samples.training_inputs)))


@pytest.mark.jitless
@pytest.mark.parametrize("shuffle", [True, False])
def test_every_epoch_uses_every_sample_once_in_full_batches(shuffle: bool) -> None:
    simulator = Simulator(net(batch_size=11, shuffle=shuffle, depth=1))
    seen = []
    for _ in range(40):  # 11 epochs of 40 samples in batches of 11
        trace = simulator.record()
        seen.append(trace.sample_indices)
        np.testing.assert_array_equal(trace.inputs, simulator.samples.training_inputs[trace.sample_indices])
        np.testing.assert_array_equal(trace.targets, simulator.samples.training_targets[trace.sample_indices])
        simulator.advance(1)
    stream = np.concatenate(seen)
    epochs = stream.reshape(11, 40)
    assert (np.sort(epochs, axis=1) == np.arange(40)).all()
    assert (np.ptp(epochs, axis=0) > 0).any() == shuffle
    assert (epochs[0] == np.arange(40)).all() == (not shuffle)


def test_a_thousand_layers_run() -> None:
    dense = Dense(units=4, activation=Tanh(), initializer=VarianceScaling(scale=1.5))
    experiment = Experiment(
        data=GaussianNoise(samples=16, features=4, outputs=4),
        network=Network(layers=(Repeat(times=999, layers=(dense,)),), head=Head(activation=Linear())),
        training=Training(loss="mse", batch_size=8),
    )
    simulator = trained(experiment, 3)
    assert len(simulator.record().layers) == 1000
    assert simulator.history().values.shape[:2] == (3, 1000)


def test_outputs_and_evaluation_are_those_of_a_forward_pass_in_batches() -> None:
    simulator = trained(
        net(head=Softmax(), loss="cross_entropy", data=Moons(samples=90), precision="float64"), 7
    )
    samples, parameters = simulator.samples, simulator.parameters()
    a = samples.validation_inputs
    for name in simulator.layer_names:
        z = a @ parameters[f"{name}.weight"] + parameters[f"{name}.bias"]
        a = np.tanh(z)
    p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(simulator.outputs(samples.validation_inputs), p, rtol=1e-12)
    result = simulator.evaluate("validation")
    right = p.argmax(axis=1) == samples.validation_classes
    assert result.accuracy == pytest.approx(right.mean(), rel=1e-12)
    assert result.loss == pytest.approx(-np.log(p[samples.validation_targets == 1]).mean(), rel=1e-12)
    assert np.isnan(Simulator(net()).evaluate("validation").loss)
    assert Simulator(net()).evaluate("training").accuracy is None


def every_kind(*precisions: str) -> Iterator[Experiment]:
    for precision in precisions:
        for activation in get_args(Activation):
            yield net(activation(), activation(), depth=1, units=2, precision=precision)
        for initializer in get_args(Initializer):
            yield net(initializer=initializer(), depth=2, units=4, precision=precision)
        for optimizer in get_args(Optimizer):
            yield net(optimizer=optimizer(weight_decay=0.1), precision=precision)
        for schedule in get_args(Schedule):
            yield net(schedule=schedule(warm_up=1), precision=precision)
        for clipping in get_args(Clipping):
            yield net(clipping=clipping(), precision=precision, shuffle=False, batch_size=1)
        for loss in get_args(LossName):
            head = HEADS.get(loss, [Tanh])[0]()
            data = Moons(samples=40) if loss in HEADS else None
            yield net(head=head, loss=loss, data=data, precision=precision, depth=5, units=40)
        yield net(units=1, depth=1, precision=precision, data=GaussianNoise(samples=2, features=1, outputs=1))
        bare = Dense(units=3, bias=False, trainable=False, initializer=GlorotUniform())
        yield msgspec.structs.replace(
            net(precision=precision),
            network=Network(layers=(bare,), head=Head(activation=Linear(), bias=False)),
        )


@contextmanager
def compilations() -> Iterator[list[str]]:
    """The functions that numba compiles, or loads from its cache, while inside."""
    from numba.core import event

    compiled: list[str] = []

    class Listener(event.Listener):
        def on_start(self, happening: Any) -> None:
            compiled.append(happening.data["dispatcher"].py_func.__name__)

        def on_end(self, happening: Any) -> None:
            pass

    listener = Listener()
    event.register("numba:compile", listener)
    try:
        yield compiled
    finally:
        event.unregister("numba:compile", listener)


def exercise(experiment: Experiment) -> None:
    simulator = trained(experiment, 3)
    simulator.record()
    simulator.seek(1)
    simulator.load_parameters(simulator.parameters())
    simulator.outputs(simulator.samples.training_inputs)
    simulator.evaluate("training")
    simulator.evaluate("validation")
    simulator.history()


@pytest.mark.skipif(not IS_COMPILED, reason="nothing is compiled with NUMBA_DISABLE_JIT")
def test_no_change_of_an_experiment_compiles_anything() -> None:
    from gradsim.engine import prepare

    for precision in ("float32", "float64"):
        prepare(precision)
    with compilations() as compiled:
        for experiment in every_kind("float32", "float64"):
            exercise(experiment)
    assert not compiled


@pytest.mark.jitless
@pytest.mark.skipif(IS_COMPILED, reason="only for the coverage of plain Python")
@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_every_kind_runs_as_plain_python(precision: str) -> None:
    for experiment in every_kind(precision):
        data = msgspec.structs.replace(experiment.data, samples=4)
        layers = tuple(msgspec.structs.replace(layer, units=2) for layer in experiment.network.layers[:2])
        network = msgspec.structs.replace(experiment.network, layers=layers)
        exercise(msgspec.structs.replace(experiment, data=data, network=network))
