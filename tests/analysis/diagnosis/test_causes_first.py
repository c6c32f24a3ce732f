"""Gradients of exactly 0: who blocks them is named, told first, and no learning rate is proposed against it."""

import numpy as np
import pytest
from msgspec.structs import replace

import gradsim
from gradsim.analysis.diagnosis import diagnose, diagnose_run
from gradsim.analysis.diagnosis.examples import EXAMPLES
from gradsim.analysis.units import unit_survey
from gradsim.engine import Simulator
from gradsim.spec import Dense, Experiment, Network, Repeat, Training
from gradsim.spec.activation import Relu, Sigmoid, Step, Tanh
from gradsim.spec.data import BreastCancer, Digits, Iris, Moons, Wine
from gradsim.spec.initializer import Constant, HeNormal, Zeros
from gradsim.trace import Run
from tests.conftest import REPOSITORY

RATES = {"higher_rate", "much_higher_rate", "adam"}


def diagnosed(experiment, iterations=0):
    simulator = Simulator(experiment)
    simulator.advance(iterations)
    return diagnose(simulator)


def stack(layer, times=3, **fields):
    return Experiment(
        data=Moons(samples=100),
        network=Network(layers=(Repeat(times=times, layers=(layer,)),)),
        training=Training(batch_size=20),
        **fields,
    )


DEAD = next(example for example in EXAMPLES if example.rule == "dead_units")


def test_the_dead_layer_is_told_before_the_gradient_that_vanishes_in_it():
    diagnosis = diagnosed(DEAD.experiment, DEAD.iterations)
    assert [finding.id for finding in diagnosis.findings][:2] == ["dead_units", "vanishing_gradient"]
    assert diagnosis.sentence.startswith("Dead units")
    finding = diagnosis["vanishing_gradient"]
    assert finding.sentence.startswith("No gradient at all reaches dense_1")
    assert finding.why.startswith("All 16 units of dense_8 are off for every sample")
    assert not {remedy.id for remedy in finding.remedies} & RATES
    assert diagnosis["vanishing_signal"].why.startswith("All 16 units of dense_8 are off")


def test_first_weights_that_are_too_small_come_before_the_units_that_die_of_them():
    diagnosis = diagnosed(
        gradsim.load(REPOSITORY / "resources" / "experiments" / "plain_40.gradsim.json"), 60
    )
    ids = [finding.id for finding in diagnosis.findings]
    assert ids[:3] == ["poor_initialization", "dead_units", "vanishing_gradient"]
    remedies = [remedy.id for remedy in diagnosis["dead_units"].remedies]
    assert remedies == ["batch_normalization", "fitting_weights"]


def test_where_no_gradient_comes_the_signal_tells_by_itself_where_it_vanishes():
    path = REPOSITORY / "resources" / "experiments" / "pretraining.gradsim.json"
    why = diagnosed(gradsim.load(path), 60)["vanishing_signal"].why
    assert (
        why == "Every layer takes its share, most of all dense_2: it leaves 0.23 of what differs in dense_1."
    )


def test_no_sentence_begins_with_a_small_letter():
    for example in EXAMPLES:
        if example.rule == "deeper_but_worse":
            continue
        for finding in diagnosed(example.experiment, example.iterations).findings:
            for words in (finding.sentence, finding.why):
                name = words.split(" ")[0]
                assert words[0].isupper() or name in ("float16", "float32") or words[0].isdigit(), words


SHUT = {
    "dead from the start": stack(
        Dense(units=6, activation=Relu(), initializer=HeNormal(), bias_initializer=Constant(value=-30.0))
    ),
    "weights of 0": stack(Dense(units=6, activation=Tanh(), initializer=Zeros())),
    "a step": stack(Dense(units=6, activation=Step())),
}


@pytest.mark.parametrize("name", SHUT)
def test_no_rate_is_proposed_where_the_gradient_is_exactly_0(name):
    diagnosis = diagnosed(SHUT[name], 100)
    # Weights of 0 have no relative update: there it is the loss that stands still.
    told = diagnosis["stagnating_loss" if name == "weights of 0" else "slow_updates"]
    words = {
        "dead from the start": "are off",
        "weights of 0": "All weights of dense_3 are 0",
        "a step": "(slope exactly 0)",
    }
    assert words[name] in told.why
    if told.id == "slow_updates":
        assert told.value == 0.0
        assert told.sentence == "The weights of dense_1 do not move at all."
    for finding in diagnosis.findings:
        if finding.id in ("slow_updates", "stagnating_loss", "vanishing_gradient"):
            assert finding.remedies
            assert not {remedy.id for remedy in finding.remedies} & RATES, finding.id


def test_a_gradient_too_small_for_float32_is_called_that():
    experiment = stack(Dense(units=6, activation=Sigmoid()), times=80)
    finding = diagnosed(experiment)["vanishing_gradient"]
    assert finding.value == 0.0
    assert "numbers so small are 0 in float32" in finding.why
    assert "Sigmoid slopes account" in finding.why
    assert "relu_he" in {remedy.id for remedy in finding.remedies}


def test_a_gradient_that_float16_has_rounded_to_0_is_called_that():
    path = REPOSITORY / "resources" / "experiments" / "float16.gradsim.json"
    diagnosis = diagnosed(gradsim.load(path), 10)
    ids = [finding.id for finding in diagnosis.findings]
    assert ids.index("vanishing_gradient") == 0  # what is rounded away had become small before
    lost = diagnosis["lost_to_rounding"]
    assert lost.evidence["flushed to 0 on the way back"] > 1000
    assert lost.evidence["share of the iterations before in which values were lost"] == 1.0
    assert [remedy.id for remedy in lost.remedies] == [
        "dynamic_loss_scale",
        "loss_scale",
        "float32",
        "bfloat16",
    ]
    assert diagnosis["vanishing_gradient"].why.startswith("Rounding to float16 takes what is left")
    assert not {remedy.id for remedy in diagnosis["slow_updates"].remedies} & RATES


def test_what_is_native_loses_nothing_to_rounding():
    check = next(c for c in diagnosed(stack(Dense(units=4))).checks if c.id == "lost_to_rounding")
    assert (check.state, check.reason) == ("unknown", "float32 is not rounded")


def test_dead_is_who_is_silent_for_the_whole_training_part_not_for_one_batch():
    layer = Dense(units=64, activation=Relu(), initializer=HeNormal(), bias_initializer=Constant(value=-0.9))
    experiment = replace(stack(layer, times=2), training=Training(batch_size=1))
    simulator = Simulator(experiment)
    run = Run("", experiment, simulator.samples, simulator.record(), None, simulator.history())
    bare = next(c for c in diagnose_run(run).checks if c.id == "dead_units")
    whole = next(c for c in diagnose(simulator).checks if c.id == "dead_units")
    assert (bare.state, whole.state) == ("found", "clear")
    survey = {units.name: units for units in unit_survey(simulator).layers}
    assert whole.value == np.mean(survey[whole.layer].dead)
    assert "batch" in diagnose_run(run)["dead_units"].sentence


def test_a_finding_says_how_many_samples_were_looked_at():
    sentence = diagnosed(DEAD.experiment, DEAD.iterations)["dead_units"].sentence
    assert sentence.endswith("0 for all 160 training samples.")


INPUTS = ("unscaled_inputs", "uneven_inputs", "offset_inputs")


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (Iris(scaling="none"), ()),
        (Iris(), ()),
        (Digits(scaling="minmax"), ()),
        (Digits(scaling="standard"), ()),
        (BreastCancer(scaling="minmax"), ()),
        (Wine(scaling="none"), INPUTS),
        (BreastCancer(scaling="none"), INPUTS[:2]),
    ],
)
def test_inputs_are_judged_by_their_size_their_evenness_and_their_centre(data, found):
    experiment = Experiment(data=data, network=Network(layers=(Dense(units=4),)))
    assert tuple(f.id for f in diagnosed(experiment).findings if f.id in INPUTS) == found


def test_inputs_that_a_batch_normalization_scales_are_no_fault():
    from gradsim.spec import Normalization

    layers = (Normalization(method="batch"), Dense(units=4))
    diagnosis = diagnosed(Experiment(data=Wine(scaling="none"), network=Network(layers=layers)))
    reasons = {check.id: (check.state, check.reason) for check in diagnosis.checks}
    for name in INPUTS:
        assert reasons[name] == ("clear", "the batch normalization before the first layer scales them")
