"""Proof: backpropagation against differences."""

import dataclasses
import math
from types import MappingProxyType
from unittest import mock

import msgspec
import numpy as np
import pytest

from gradsim.analysis import (
    Difference,
    DirectionCheck,
    GradientCheck,
    TensorCheck,
    check_gradients,
    check_sentences,
)
from gradsim.analysis.check_wording import check_title
from gradsim.engine import Simulator
from gradsim.spec import Dense, Experiment, Head, Network, Recurrent, Residual, Training
from gradsim.spec.activation import Linear, Relu, Sigmoid
from gradsim.spec.data import GaussianNoise
from gradsim.spec.initializer import Constant, Normal
from gradsim.spec.method import Evolution, FixedLossScale, Pretraining
from tests.kind_runs import NETWORKS, SEQUENCES, _sequences, kind_run

pytestmark = pytest.mark.timeout(600)  # the first test ever compiles the machine


def maker(name):
    """Return what makes simulators of one of the networks of every kind."""

    def make(experiment):
        if name not in SEQUENCES:
            return Simulator(experiment)
        with mock.patch("gradsim.engine.simulator.prepare_samples", _sequences):
            return Simulator(experiment)

    return make


def small(*layers, precision="float64", **training):
    return Experiment(
        precision=precision,
        data=GaussianNoise(samples=40, features=5, outputs=3),
        network=Network(layers=layers, head=Head(activation=Linear())),
        training=Training(loss="mse", batch_size=16, **training),
    )


class Falsified:
    """A simulator whose backpropagation has a fault."""

    def __init__(self, simulator, layer, tensor, fault):
        self._simulator, self._place, self._fault = simulator, (layer, tensor), fault

    def __getattr__(self, name):
        return getattr(self._simulator, name)

    def record(self):
        trace = self._simulator.record()
        name, tensor = self._place
        layer = trace[name]
        wrong = self._fault(layer[tensor].copy())
        changed = dataclasses.replace(layer, tensors=MappingProxyType(dict(layer.tensors) | {tensor: wrong}))
        return dataclasses.replace(
            trace, layers=tuple(changed if one is layer else one for one in trace.layers)
        )


@pytest.mark.parametrize("name", NETWORKS)
def test_every_kind_of_layer_passes(name):
    make = maker(name)
    simulator = make(kind_run(name).experiment)
    simulator.advance(11)
    check = check_gradients(simulator, make=make)
    assert check.passed
    assert {t.verdict for t in check.tensors} <= {"agrees", "undecided"}
    assert all(t.error < 1e-6 for t in check.tensors if t.verdict == "agrees")
    assert [t.name for t in check.tensors if t.verdict == "undecided"] == (
        # What a normalization takes out again.
        ["normalization_1.beta", "dense_1.bias", "dense_2.bias", "dense_3.bias"]
        if name == "batch normalization"
        else []
    )
    assert "agrees with differences" in check_sentences(check)[0]


def one_element(gradient):
    gradient.flat[1] += 1e-3 * np.linalg.norm(gradient)
    return gradient


FAULTS = {
    "sign": lambda gradient: -gradient,
    "factor": lambda gradient: 1.0001 * gradient,
    "one element": one_element,
    "forgotten": lambda gradient: 0.0 * gradient,
    "order": lambda gradient: gradient[..., ::-1].copy(),
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize(
    ("name", "layer", "tensor"),
    [
        ("residual", "dense_3", "weight_gradient"),
        ("residual", "dense_1", "bias_gradient"),
        ("lstm", "recurrent_1", "input_weight_gradient"),
        ("layer normalization", "normalization_1", "gamma_gradient"),
    ],
)
def test_a_false_gradient_is_found_and_named(name, layer, tensor, fault):
    make = maker(name)

    def falsified(experiment):
        return Falsified(make(experiment), layer, tensor, FAULTS[fault])

    check = check_gradients(make(kind_run(name).experiment), make=falsified)
    assert not check.passed
    wrong = [t.name for t in check.tensors if t.verdict == "disagrees"]
    assert wrong == [f"{layer}.{tensor.removesuffix('_gradient')}"]
    assert (
        f"FAILED: backpropagation and differences of the loss disagree in {wrong[0]}"
        in (check_sentences(check)[0])
    )


def test_the_check_changes_nothing_and_uses_the_batch_of_the_iteration():
    simulator = Simulator(small(Dense(units=6)))
    simulator.advance(5)
    before, loss = simulator.parameters(), simulator.record().loss
    check = check_gradients(simulator)
    assert (check.iteration, check.loss) == (5, loss)
    assert simulator.iteration == 5
    assert all((before[name] == values).all() for name, values in simulator.parameters().items())


def test_a_network_on_a_kink_is_told_and_passes():
    # All units of the first layer stay at exactly 0: so do the pre-activations of the second.
    dead = Dense(units=4, activation=Relu(), initializer=Constant(value=0.0))
    check = check_gradients(Simulator(small(dead, Dense(units=4, activation=Relu()))))
    assert check.passed
    kinks = [t for t in check.tensors if t.verdict == "kink"]
    assert "dense_2.bias" in [t.name for t in kinks]
    assert "exactly on kinks" in " ".join(check_sentences(check))


DEAD = Dense(
    units=4, activation=Relu(), initializer=Constant(value=-1.0), bias_initializer=Constant(value=-50.0)
)
NOTHING_THROUGH = {
    "dead": ((Dense(units=4), DEAD, Dense(units=4)), "in dense_2 the slope φ'(z) is 0 for every sample", 1),
    "weights 0": (
        (Dense(units=4), Dense(units=4, initializer=Constant(value=0.0)), Dense(units=4)),
        "every weight of dense_2 is 0",
        1,
    ),
    "scale 0": (
        (Dense(units=4), Residual(layers=(Dense(units=4),), scale=0.0)),
        "the branch of residual_1 has the scale 0",
        1,
    ),
    "no input": ((DEAD, Dense(units=4)), "every input of dense_2 is 0", 1),
}


@pytest.mark.parametrize("name", NOTHING_THROUGH)
def test_gradients_that_are_exactly_zero_are_told_with_their_reason(name):
    layers, reason, sentences = NOTHING_THROUGH[name]
    check = check_gradients(Simulator(small(*layers)))
    assert check.passed
    zeros = [t for t in check.tensors if t.verdict == "zero"]
    assert zeros
    assert all(way.difference.value == 0 for t in zeros for way in t.directions)
    told = [words for words in check_sentences(check) if "agree as 0 = 0" in words]
    assert sum(reason in words for words in told) == sentences
    assert all(any(t.zero_reason in words for words in told) for t in zeros)
    assert "the gradient is exactly 0 and the differences of the loss are exactly 0, too" in told[0]
    assert all(t.zero_reason == "" for t in check.tensors if t.verdict == "agrees")


def test_every_tensor_of_a_dead_network_is_accounted_for():
    layers = (Dense(units=4, activation=Relu()), *(DEAD,) * 8)
    check = check_gradients(Simulator(small(*layers)))
    by_verdict = {v: sum(t.verdict == v for t in check.tensors) for v in ("agrees", "zero")}
    assert sum(by_verdict.values()) == len(check.tensors)
    assert by_verdict["agrees"] == 1  # the bias of the head
    told = check_sentences(check)
    assert "in 1 of 20 parameter tensors" in told[0]
    assert "head" not in told[1].split("the gradient is")[0]


def only(**verdicts):
    nothing = Difference(0.0, 0.0, 1e-3, 0.0, 0.0, None, 3)
    ways = {
        name: DirectionCheck("random", 0.0, nothing, 0.0, verdict.replace("_", " "))
        for name, verdict in verdicts.items()
    }
    tensors = tuple(TensorCheck(name, 0, 1, 0.0, (way,), 0.0, 0, 0) for name, way in ways.items())
    return GradientCheck(0, "float64", 0.5, 0.5, ("dense_1",), tensors, 3)


@pytest.mark.parametrize(
    ("check", "conclusion", "title", "words"),
    [
        (only(a="zero", b="undecided"), "nothing compared", "Nothing to compare", "tell from 0"),
        (
            only(a="zero", b="kink"),
            "nothing compared",
            "Nothing to compare",
            "can differences of the loss prove",
        ),
        (only(a="agrees", b="zero", c="kink"), "passed", "Passed", "in 1 of 3 parameter tensors"),
        (
            only(a="agrees", b="not_finite"),
            "not finite",
            "Nothing can be proven",
            "Nothing can be proven: in b",
        ),
        (only(a="disagrees", b="not_finite"), "failed", "Not passed", "FAILED"),
    ],
)
def test_title_sentence_and_exit_code_rest_on_one_conclusion(check, conclusion, title, words):
    assert check.conclusion == conclusion
    assert check_title(check) == title
    assert words in check_sentences(check)[0]
    assert check.passed == (conclusion in ("passed", "nothing compared"))


def test_a_network_without_any_gradient_has_not_passed():
    unbiased = small(DEAD, DEAD)
    network = msgspec.structs.replace(unbiased.network, head=Head(activation=Linear(), bias=False))
    check = check_gradients(Simulator(msgspec.structs.replace(unbiased, network=network)))
    assert {t.verdict for t in check.tensors} == {"zero"}
    assert check_title(check) == "Nothing to compare"


def test_kinks_near_by_are_avoided_and_told():
    simulator = Simulator(small(Dense(units=20, activation=Relu()), Dense(units=20, activation=Relu())))
    check = check_gradients(simulator)
    assert check.passed
    assert "a kink lay within the first step" in " ".join(check_sentences(check))


def test_a_pass_that_is_not_finite_proves_nothing():
    layers = (Dense(units=4, activation=Relu(), initializer=Normal(std=1e200)),) * 3
    check = check_gradients(Simulator(small(*layers)))
    assert not check.passed
    assert {t.verdict for t in check.tensors} == {"not finite"}
    assert "Nothing can be proven" in check_sentences(check)[0]


def test_what_float32_does_is_told_apart_from_what_is_wrong():
    # Through 90 sigmoid layers the gradient falls below the range of float32, not of float64.
    check = check_gradients(
        Simulator(small(*(Dense(units=3, activation=Sigmoid()),) * 90, precision="float32")),
        random_directions=0,
    )
    assert check.passed
    assert sum(t.own_zeros for t in check.tensors) > 0
    assert {t.verdict for t in check.tensors} == {"agrees", "undecided"}
    words = " ".join(check_sentences(check))
    assert "0 only because they are below its range" in words
    assert "the loss changes by less than its own rounding" in words


def test_rounding_of_float32_is_expected():
    check = check_gradients(Simulator(small(Dense(units=6), precision="float32")))
    assert all(1e-9 < t.own_error < 1e-5 for t in check.tensors)
    assert "as its rounding lets expect" in check_sentences(check)[-1]


def test_truncated_backpropagation_is_not_called_a_fault():
    name = "simple recurrent"
    layers = (Recurrent(units=5, truncation=3), Dense(units=4))
    base = kind_run(name).experiment
    experiment = msgspec.structs.replace(base, network=Network(layers=layers, head=base.network.head))
    check = check_gradients(maker(name)(experiment), make=maker(name))
    assert check.passed
    assert check.truncated == ("recurrent_1",)
    assert check.tensors[0].verdict == "deliberate"
    assert check.of_layer(1)[0].verdict == "agrees"
    assert "forgets the gradient of earlier steps on purpose" in " ".join(check_sentences(check))


def test_progress_is_told_before_every_tensor_and_may_end_the_check():
    told = []

    def progress(words, share):
        told.append((words, share))
        if len(told) == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        check_gradients(Simulator(small(Dense(units=6))), progress=progress)
    assert [words for words, _ in told] == [
        "Checking dense_1.weight",
        "Checking dense_1.bias",
        "Checking head.weight",
    ]
    assert told[2][1] == 0.5


def test_layers_without_parameters_have_nothing_to_check():
    make = maker("activation")
    check = check_gradients(make(kind_run("activation").experiment), make=make)
    assert check.of_layer(1) == ()
    assert len(check.of_layer(0)) == 2
    assert math.isfinite(check.loss)


@pytest.mark.parametrize(
    "training",
    [
        {"method": Evolution(population=4)},
        {"method": Pretraining(iterations=3)},
        {"weight_noise": 0.1},
        {"loss_scale": FixedLossScale()},
    ],
    ids=["evolution", "pretraining", "weight noise", "loss scale"],
)
@pytest.mark.parametrize("precision", ["float64", "bfloat16"])
def test_the_gradient_of_the_loss_is_proven_whatever_moves_the_weights(training, precision):
    simulator = Simulator(small(Dense(units=6), Dense(units=6), precision=precision, **training))
    simulator.advance(2)
    check = check_gradients(simulator)
    assert check.passed
    assert {t.verdict for t in check.tensors} == {"agrees"}
    low, high = (0, 1e-10) if precision == "float64" else (1e-4, 0.5)
    assert all(low <= t.own_error < high for t in check.tensors)


def test_smooth_networks_have_no_kinks():
    simulator = Simulator(small(*(Dense(units=8, activation=Sigmoid()),) * 6))
    ways = [d for tensor in check_gradients(simulator).tensors for d in tensor.directions]
    assert {d.difference.kink for d in ways} == {None}
