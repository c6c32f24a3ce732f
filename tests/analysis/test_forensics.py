"""Where numbers first broke or were lost, and what made them so."""

import dataclasses
import math
from types import MappingProxyType

import msgspec
import numpy as np
import pytest

from gradsim.analysis import (
    broken_in,
    examine,
    fault_by_counts,
    fault_words,
    first_broken_record,
    forensic_sentences,
    lost_to_zero_in,
)
from gradsim.engine import Simulator
from gradsim.spec import Dense, Experiment, Head, Network, Normalization, Training
from gradsim.spec.activation import Linear, Relu, Sigmoid
from gradsim.spec.data import GaussianNoise
from gradsim.spec.initializer import Normal
from gradsim.spec.training import Sgd
from tests.kind_runs import NETWORKS, kind_run

pytestmark = pytest.mark.timeout(600)  # the first test ever compiles the machine


def deep(depth, activation, rate=0.1, precision="float32", std=None, seed=1):
    initializer = {} if std is None else {"initializer": Normal(std=std)}
    return Experiment(
        seed=seed,
        precision=precision,
        data=GaussianNoise(samples=40, features=5, outputs=3),
        network=Network(
            layers=(Dense(units=6, activation=activation, **initializer),) * depth,
            head=Head(activation=Linear()),
        ),
        training=Training(loss="mse", batch_size=16, optimizer=Sgd(learning_rate=rate)),
    )


def found_by_running(experiment, iterations):
    simulator = Simulator(experiment)
    simulator.advance(iterations)
    trace, history = simulator.record(), simulator.history()
    return examine(history, trace, Simulator(experiment)), history


def test_the_first_broken_value_is_found_with_the_term_that_made_it():
    experiment = deep(4, Relu(), rate=1e12)
    found, history = found_by_running(experiment, 20)
    fault = found.broken
    record = first_broken_record(history)
    assert fault.iteration == history.iterations[record]
    assert record > 0
    simulator = Simulator(experiment)
    simulator.seek(fault.iteration)
    trace = simulator.record()
    layer = trace[fault.layer_name]
    value = layer[fault.tensor][fault.index]
    assert not np.isfinite(value)
    assert trace.steps[fault.step].layer == fault.layer
    for source in fault.sources:
        owner = trace[source.layer] if source.layer else None
        assert owner is None or float(owner[source.tensor][source.index]) == pytest.approx(
            source.value, nan_ok=True
        )
    # Everything that was computed before that step is sound.
    for step in trace.steps[: fault.step]:
        if step.layer is not None and step.tensor in trace.layers[step.layer].tensors:
            assert np.isfinite(trace.layers[step.layer][step.tensor]).all()
    assert fault_words(fault).startswith(f"iteration {fault.iteration}, {fault.layer_name} {fault.tensor}[")


@pytest.mark.parametrize("seed", [1, 3])  # the first infinite value is ∞ with one, −∞ with the other
def test_counts_leave_a_sign_open_that_the_search_then_finds(seed):
    found, history = found_by_running(deep(4, Relu(), rate=1e12, seed=seed), 3)
    known = fault_by_counts(history, first_broken_record(history))
    assert "pre_activation = ±∞ (" in fault_words(known)
    assert (known.layer, known.tensor, known.count) == (
        found.broken.layer,
        found.broken.tensor,
        found.broken.count,
    )
    sign = "∞" if seed == 1 else "−∞"
    assert f"] = {sign} from" in fault_words(found.broken)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ([1.0, math.inf, 2.0], "= ∞"),
        ([1.0, -math.inf, 2.0], "= −∞"),
        ([math.inf, -math.inf, 2.0], "= ±∞ (2 of 3 values)"),
        ([math.nan, 1.0, 2.0], "= NaN"),
        ([-math.inf, math.nan, 1.0], "= NaN or ±∞ (2 of 3 values)"),
    ],
)
def test_a_value_is_told_by_counts_as_far_as_they_know_it(values, words):
    simulator = Simulator(deep(2, Relu()))
    simulator.advance(1)
    history = simulator.history()
    tensor = np.array(values)
    stored, counts, sizes = history.values.copy(), history.counts.copy(), history.sizes.copy()
    with np.errstate(invalid="ignore"):
        stored[0, 1, 0, 3:] = tensor.min(), tensor.max()
    counts[0, 1, 0] = 0, 0, np.isnan(tensor).sum(), np.isinf(tensor).sum()
    sizes[1, 0] = tensor.size
    fault = fault_by_counts(dataclasses.replace(history, values=stored, counts=counts, sizes=sizes), 0)
    assert fault_words(fault) == f"iteration 0, dense_2 pre_activation {words}"


def test_the_term_named_first_is_the_one_that_overflows():
    experiment = deep(3, Linear(), std=1e15)
    trace = Simulator(experiment).record()
    found = broken_in(trace)
    assert (found.tensor, found.kind) == ("pre_activation", "inf")
    x, w = found.sources[:2]
    layer = trace[found.layer_name]
    terms = np.abs(layer.input[found.index[0]].astype(float) * layer.weight[:, found.index[1]].astype(float))
    assert abs(x.value * w.value) == pytest.approx(terms.max())
    assert x.index[1] == w.index[0] == terms.argmax()


def test_a_sound_run_has_no_fault():
    found, _ = found_by_running(deep(3, Sigmoid()), 5)
    assert (found.broken, found.lost, found.note) == (None, None, "")
    assert forensic_sentences(found) == [
        "Every value of the run is finite.",
        "No value was found that is 0 only because the precision knows none so small.",
    ]


def test_zeros_of_relu_are_not_lost_numbers():
    found, history = found_by_running(deep(6, Relu()), 5)
    assert history.series("delta", "zeros").any()
    assert found.lost is None


@pytest.mark.parametrize("precision", ["float32", "float16"])
def test_a_vanished_gradient_is_found_where_it_falls_below_the_smallest_number(precision):
    experiment = deep(90 if precision == "float32" else 12, Sigmoid(), precision=precision)
    found, _ = found_by_running(experiment, 2)
    fault = found.lost
    assert fault.kind == "zero"
    assert fault.iteration == 0
    exact = Simulator(msgspec.structs.replace(experiment, precision="float64")).record()
    assert exact[fault.layer_name][fault.tensor][fault.index] != 0
    assert f"below the smallest {precision} number" in forensic_sentences(found, precision)[1]
    product = math.log10(abs(fault.sources[0].value)) + math.log10(abs(fault.sources[1].value))
    assert product < (-44 if precision == "float32" else -7)


def with_broken(trace, layer, tensor, index, value):
    one = trace.layers[layer]
    values = one[tensor].copy()
    values[index] = value
    changed = dataclasses.replace(one, tensors=MappingProxyType(dict(one.tensors) | {tensor: values}))
    layers = tuple(changed if other is one else other for other in trace.layers)
    return dataclasses.replace(trace, layers=layers)


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_any_broken_value_of_any_kind_of_layer_is_found(name, value):
    trace = kind_run(name).trace
    assert broken_in(trace) is None
    names = ("pre_activation", "activation", "delta", "weight_gradient", "bias_gradient", "weight_update")
    for layer in trace.layers:
        for tensor in names:
            if tensor not in layer.tensors:
                continue
            if layer.kind != "dense" and tensor == "pre_activation":
                continue  # it is the output of another layer
            if layer.kind != "dense" and tensor in ("weight_gradient", "weight_update"):
                continue  # it stands for a parameter of another name
            index = tuple(size - 1 for size in layer[tensor].shape)
            fault = broken_in(with_broken(trace, layer.index, tensor, index, value))
            made = {s.tensor for s in trace.steps if s.layer == layer.index and s.operation != "recurrent"}
            if tensor in made or tensor == "bias_gradient":
                assert (fault.layer, fault.tensor) == (layer.index, tensor)
                assert fault.index == index
                assert fault.kind == ("nan" if math.isnan(value) else "inf")


@pytest.mark.parametrize("name", NETWORKS)
def test_sound_float64_nets_have_lost_nothing(name):
    assert lost_to_zero_in(kind_run(name).trace) is None


def test_parameters_that_were_broken_from_the_start_are_named_as_such():
    simulator = Simulator(deep(2, Sigmoid()))
    weight = simulator.parameters()["dense_2.weight"]
    weight[1, 2] = math.nan
    simulator.load_parameters({"dense_2.weight": weight})
    fault = broken_in(simulator.record())
    assert (fault.step, fault.layer_name, fault.tensor, fault.index) == (None, "dense_2", "weight", (1, 2))


def test_a_run_that_was_edited_on_its_way_is_told_by_its_counts():
    simulator = Simulator(deep(4, Relu()))
    simulator.advance(5)
    simulator.change_training(deep(4, Relu(), rate=1e15))
    simulator.advance(15)
    other = Simulator(deep(4, Relu(), rate=1e15))
    found = examine(simulator.history(), simulator.record(), other)
    assert "edited on its way" in found.note
    history = simulator.history()
    told = fault_by_counts(history, first_broken_record(history))
    assert fault_words(found.broken) == fault_words(told)
    assert found.broken.index == ()
    assert found.broken.iteration >= 5


def test_iterations_left_out_of_the_history_are_gone_through_too():
    experiment = deep(4, Relu(), rate=1e5)
    simulator = Simulator(experiment)
    simulator.advance(20)
    history = simulator.history()
    first = int(history.iterations[first_broken_record(history)])
    assert first > 1
    every = [i for i in range(len(history)) if i % (first + 1) == 0 or i > first]
    thin = dataclasses.replace(
        history,
        iterations=history.iterations[every],
        values=history.values[every],
        counts=history.counts[every],
        loss=history.loss[every],
    )
    assert examine(thin, None, Simulator(experiment)).broken.iteration == first


def test_inner_normalizations_are_gone_through_in_order():
    experiment = msgspec.structs.replace(
        deep(1, Sigmoid()),
        network=Network(
            layers=(Dense(units=4, normalization=Normalization(method="batch"), activation=Sigmoid()),),
            head=Head(activation=Linear()),
        ),
    )
    trace = with_broken(Simulator(experiment).record(), 0, "normalized", (3, 1), math.inf)
    fault = broken_in(trace)
    assert (fault.tensor, fault.index) == ("normalized", (3, 1))
    assert fault.sources[0].symbol == "z"
