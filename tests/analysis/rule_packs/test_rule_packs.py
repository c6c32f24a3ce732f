"""Each published rule on both sides of its cut, and all of them on networks that broke down."""

import json
from dataclasses import replace

import numpy as np
import pytest

from gradsim.analysis.rule_packs import (
    PUBLISHED_RULES,
    apply_published_rules,
    contradictions,
    rules_document,
)
from tests.analysis.rule_packs.made_runs import made_layer, made_run
from tests.kind_runs import NETWORKS, kind_run
from tests.reference import reference_run

SMD, AUTO, DEEP, KARPATHY, DL4J = (
    "SageMaker Debugger",
    "AutoTrainer",
    "TheDeepChecker",
    "CS231n / Karpathy",
    "Deeplearning4j",
)
UNITS = np.arange(4)


def units(dead, first=0.0, others=1.0):
    """One row for all samples: the first units have one value, the others another one."""
    return np.where(dead > UNITS, first, others)


def inactive(share, units_=3):
    """Activations in which some units are active in a share of the samples."""
    a = np.ones((200, 4))
    a[round(share * 200) :, :units_] = 0.0
    return a


def layer(**fields):
    return made_run(made_layer(**fields))


def course(*sizes):
    """A run whose weight gradients had these sizes in the last iterations."""
    head = made_layer("head", 2, activation="softmax", gradient=sizes[-1])
    run = made_run(made_layer(gradient=sizes[-1]), gradients=sizes[:-1])
    return replace(run, trace=replace(run.trace, layers=(run.trace.layers[0], head)))


def first_against_last(first, last):
    run = made_run(made_layer(gradient=first))
    head = made_layer("head", 2, activation="softmax", gradient=last)
    return replace(run, trace=replace(run.trace, layers=(run.trace.layers[0], head)))


def zeros(count):
    """A run of which so many of 40 gradients are exactly 0: 16 weights and 4 biases in each of 2 layers."""
    gradient, bias = np.ones(16), np.ones(4)
    gradient[: min(count, 16)] = 0
    other = np.ones(16)
    other[: max(count - 16, 0)] = 0
    head = made_layer("head", 2, activation="softmax", gradient=other.reshape(4, 4), bias_gradient=bias)
    run = made_run(made_layer(gradient=gradient.reshape(4, 4), bias_gradient=bias))
    return replace(run, trace=replace(run.trace, layers=(run.trace.layers[0], head)))


def swings(count, epochs=20, by=0.0301):
    """A run whose accuracy falls and rises again so often, by so much each time."""
    accuracy = np.linspace(0.5, 0.5 + 1e-6, epochs)
    for number in range(count):
        accuracy[2 + 3 * number] += by
    return made_run(made_layer(), iteration=4 * epochs, accuracies=accuracy)


def spread(sd):
    return layer(activation_values=np.where(np.arange(200)[:, None] % 2, sd, -sd), activation="relu")


CASES = [
    (SMD, "VanishingGradient", layer(gradient=0.99e-7), layer(gradient=1.01e-7)),
    (SMD, "VanishingGradient", layer(bias_gradient=0.0), layer(bias_gradient=1.0)),
    (SMD, "ExplodingTensor", layer(gradient=np.inf), layer(gradient=1e300)),
    (SMD, "ExplodingTensor", layer(update=np.nan), layer(update=0.0)),
    (
        SMD,
        "DeadRelu",
        layer(activation="relu", activation_values=inactive(0.005)),
        layer(activation="relu", activation_values=inactive(0.01)),
    ),
    (
        SMD,
        "DeadRelu",
        layer(activation="relu", activation_values=inactive(0.0, units_=3)),
        layer(activation="relu", activation_values=inactive(0.0, units_=2)),
    ),
    (
        SMD,
        "SaturatedActivation",
        layer(pre_activation=units(3, 9.5)),
        layer(pre_activation=units(3, -9.4999)),
    ),
    (
        SMD,
        "SaturatedActivation",
        layer(activation="sigmoid", pre_activation=units(3, -23.1)),
        layer(activation="sigmoid", pre_activation=units(3, 16.9)),
    ),
    (
        SMD,
        "PoorWeightInitialization",
        made_run(made_layer(), weight_sd=np.array([1.0, 3.17])),
        made_run(made_layer(), weight_sd=np.array([1.0, 3.16])),
    ),
    (SMD, "WeightUpdateRatio", layer(update=10.01), layer(update=9.99)),
    (SMD, "WeightUpdateRatio", layer(update=0.99e-8), layer(update=1.01e-8)),
    (
        SMD,
        "LossNotDecreasing",
        made_run(made_layer(), loss=0.9991, losses={10: 1.0}),
        made_run(made_layer(), loss=0.9989, losses={10: 1.0}),
    ),
    (AUTO, "Vanishing gradient", first_against_last(0.99e-5, 1e-2), first_against_last(1.01e-5, 1e-2)),
    (AUTO, "Vanishing gradient", first_against_last(2.4e-5, 1.0), first_against_last(2.6e-5, 1.0)),
    (AUTO, "Exploding gradient", first_against_last(70.1, 1.0), first_against_last(69.9, 1.0)),
    (AUTO, "Dying ReLU", zeros(28), zeros(27)),
    (AUTO, "Oscillating loss", swings(4), swings(3)),
    (AUTO, "Oscillating loss", swings(5, by=0.031), swings(5, by=0.029)),
    (DEEP, "Vanishing gradient, size", layer(gradient=0.99e-6), layer(gradient=1.01e-6)),
    (DEEP, "Vanishing gradient, course", course(16, 8, 4, 2, 1), course(16, 8, 4, 2, 1.01)),
    (DEEP, "Exploding gradient, size", layer(gradient=1.01e6), layer(gradient=0.99e6)),
    (DEEP, "Exploding gradient, course", course(1, 2, 4, 8, 16), course(1, 2, 4, 8, 15.9)),
    (DEEP, "Unstable learning", layer(update=0.101), layer(update=0.099)),
    (DEEP, "Unstable learning", layer(update=0.99e-4), layer(update=1.01e-4)),
    (DEEP, "Unstable learning", layer(update=0.0), layer(update=0.01)),
    (
        DEEP,
        "Dead layer",
        layer(activation="relu", activation_values=units(3, 0.99e-5)),
        layer(activation="relu", activation_values=units(3, 1.01e-5)),
    ),
    (
        DEEP,
        "Dead layer",
        layer(activation="elu", activation_values=units(3)),
        layer(activation="elu", activation_values=units(2)),
    ),
    (DEEP, "Spread of activations", spread(0.49), spread(0.51)),
    (DEEP, "Spread of activations", spread(2.01), spread(1.99)),
    (KARPATHY, "Update ratio", layer(update=10**-2.49), layer(update=10**-2.51)),
    (KARPATHY, "Update ratio", layer(update=10**-3.51), layer(update=10**-3.49)),
    (
        KARPATHY,
        "Saturated tanh",
        layer(activation_values=units(1, 0.971, 0.0)),
        layer(activation_values=units(1, -0.969, 0.0)),
    ),
    (DL4J, "Update ratio", layer(update=0.0101), layer(update=0.0099)),
    (DL4J, "Update ratio", layer(update=0.99e-4), layer(update=1.01e-4)),
]


def result(run, pack, name):
    (found,) = [one for one in apply_published_rules(run) if (one.pack, one.name) == (pack, name)]
    return found


@pytest.mark.parametrize(("pack", "name", "beyond", "short"), CASES, ids=[f"{c[0]} {c[1]}" for c in CASES])
def test_a_rule_fires_just_beyond_its_cut_and_not_just_short_of_it(pack, name, beyond, short):
    fires, quiet = result(beyond, pack, name), result(short, pack, name)
    assert (fires.state, quiet.state) == ("fires", "quiet"), (fires.value, quiet.value)


def test_every_rule_has_a_case_and_says_where_it_comes_from():
    assert {(case[0], case[1]) for case in CASES} == {(rule.pack, rule.name) for rule in PUBLISHED_RULES}
    for rule in PUBLISHED_RULES:
        assert len(rule.source) > 60
        assert rule.read.__module__.endswith(("debugger", "trainer", "checker", "cs231n", "4j"))


@pytest.mark.parametrize(
    ("pack", "name", "run", "reason"),
    [
        (SMD, "DeadRelu", layer(), "no ReLU"),
        (SMD, "SaturatedActivation", layer(activation="relu"), "no tanh, no sigmoid"),
        (SMD, "PoorWeightInitialization", made_run(iteration=0), "one layer"),
        (SMD, "LossNotDecreasing", made_run(made_layer(), iteration=9), "fewer than 10 iterations"),
        (AUTO, "Oscillating loss", layer(), "a regression has no accuracy"),
        (AUTO, "Oscillating loss", swings(0, epochs=2), "fewer than 3 epochs"),
        (DEEP, "Vanishing gradient, course", made_run(made_layer(), iteration=3), "not kept"),
        (DEEP, "Unstable learning", None, "all weights are 0"),
        (DEEP, "Dead layer", layer(), "only sigmoid and tanh"),
        (KARPATHY, "Saturated tanh", layer(activation="relu"), "no tanh"),
    ],
)
def test_a_rule_that_says_nothing_here_says_why(pack, name, run, reason):
    if run is None:
        head = made_layer("head", 2, weight=0.0)
        run = layer(weight=0.0)
        run = replace(run, trace=replace(run.trace, layers=(run.trace.layers[0], head)))
    found = result(run, pack, name)
    assert found.state == "not applicable"
    assert reason in found.detail
    assert np.isnan(found.value)


def test_the_worst_layer_is_named():
    run = made_run(
        made_layer(), made_layer("dense_2", 2, gradient=1e-9, update=5.0), made_layer("dense_3", 3)
    )
    assert result(run, SMD, "VanishingGradient").layer == "dense_2"
    assert result(run, DEEP, "Unstable learning").layer == "dense_2"
    assert result(run, DL4J, "Update ratio").value == pytest.approx(np.log10(5.0))


def test_what_came_after_the_iteration_is_not_read():
    run = made_run(made_layer(), iteration=40, loss=0.5, losses={10: 1.0})
    earlier = replace(run, trace=replace(run.trace, iteration=20, loss=0.9))
    assert result(earlier, SMD, "LossNotDecreasing").value == pytest.approx(10.0)


def test_the_iteration_before_may_have_been_thinned_out():
    run = made_run(made_layer(), iteration=21)
    names = ("iterations", "values", "loss", "accuracy")
    thinned = replace(run.history, **{name: getattr(run.history, name)[::2] for name in names})
    found = result(replace(run, history=thinned), SMD, "LossNotDecreasing")
    assert (found.state, found.detail) == ("not applicable", "the loss 10 iterations ago is not kept")


def test_the_packs_contradict_each_other_and_that_is_said():
    said = contradictions(apply_published_rules(layer(gradient=5e-7)))
    assert "Vanishing gradient: AutoTrainer and TheDeepChecker say yes, SageMaker Debugger says no." in said
    assert not any(words.startswith("Vanishing") for words in contradictions(apply_published_rules(layer())))


@pytest.mark.parametrize("fault", ["zero", "nan", "inf", "mixed"])
@pytest.mark.parametrize("layers", [1, 5])
def test_broken_networks_are_read_without_a_fault(fault, layers):
    results = apply_published_rules(reference_run(layers=layers, units=4, fault=fault, records=12))
    assert len(results) == len(PUBLISHED_RULES)
    found = {(one.pack, one.name): one for one in results}
    assert (found[SMD, "ExplodingTensor"].state == "fires") == (
        fault != "zero" and (layers > 1 or fault != "mixed")
    )
    if fault == "zero":
        assert found[AUTO, "Dying ReLU"].value == 1.0
        assert found[DL4J, "Update ratio"].value == -np.inf
    json.dumps(rules_document(results), allow_nan=False)


@pytest.mark.parametrize("name", NETWORKS)
def test_every_kind_of_layer_can_be_read(name):
    for one in apply_published_rules(kind_run(name)):
        assert one.state == "not applicable" or not np.isnan(one.value)


def test_what_goes_into_an_activation_is_looked_at_after_an_inner_normalization():
    run = kind_run("batch normalization")
    dense = run.trace["dense_1"]
    tensors = dict(dense.tensors, pre_activation=np.full_like(dense.pre_activation, 1e6))
    layers = tuple(replace(one, tensors=tensors) if one is dense else one for one in run.trace.layers)
    found = result(replace(run, trace=replace(run.trace, layers=layers)), SMD, "SaturatedActivation")
    assert (found.state, found.value) == ("quiet", 0.0)
