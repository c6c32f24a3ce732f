"""A run that has broken: the same fault as forensics find, and signals judged on the last finite pass."""

import json
import math
from functools import cache

import pytest
from msgspec.structs import replace

import gradsim
from gradsim.analysis.diagnosis import diagnose, diagnose_run
from gradsim.analysis.diagnosis.applying import measurement
from gradsim.analysis.diagnosis.case import case_of
from gradsim.analysis.diagnosis.examples import EXAMPLES
from gradsim.analysis.diagnosis.finite import fault_place
from gradsim.analysis.diagnosis.measuring import other_seed
from gradsim.analysis.diagnosis.rules import RULES
from gradsim.analysis.diagnosis.words import number, percent
from gradsim.analysis.forensics import broken_records, examine, fault_by_counts, first_broken_record
from gradsim.engine import Simulator
from gradsim.spec import read_experiment
from gradsim.spec.method import DynamicLossScale
from gradsim.trace import Run
from tests.conftest import REPOSITORY

GALLERY = REPOSITORY / "resources" / "experiments"
LESSONS = REPOSITORY / "resources" / "lessons"
LESSON = "08_ten_times_three_hundred.lesson.json"


@cache
def broken(name, iterations=60):
    """A simulator of a network that breaks on its way."""
    if name == LESSON:
        simulator = Simulator(
            read_experiment(json.loads(LESSONS.joinpath(name).read_text("utf-8"))["experiment"])
        )
    elif name in ("exploding", "float16_dynamic"):
        simulator = Simulator(gradsim.load(GALLERY / f"{name}.gradsim.json"))
    else:
        experiment = next(e.experiment for e in EXAMPLES if f"{e.rule}: {e.words}" == name)
        simulator = Simulator(experiment)
    simulator.advance(iterations)
    return simulator


def run_of(simulator):
    return Run("", simulator.experiment, simulator.samples, simulator.record(), None, simulator.history())


BREAK = ["exploding", LESSON, *dict.fromkeys(f"{example.rule}: {example.words}" for example in EXAMPLES)]


@pytest.mark.parametrize("name", BREAK)
def test_diagnosis_and_forensics_name_the_same_place(name):
    simulator = broken(name)
    history, trace = simulator.history(), simulator.record()
    diagnosis = diagnose(simulator)
    fault = examine(history, trace, Simulator(simulator.experiment)).broken
    if fault is None:
        assert "not_finite" not in {finding.id for finding in diagnosis.findings}
        return
    finding = diagnosis["not_finite"]
    assert finding.evidence["first iteration"] == fault.iteration
    assert f"at iteration {fault.iteration:,}, in {fault_place(fault)}." in finding.sentence
    # A record alone knows the counts, and tells the same as far as they go.
    bare = diagnose_run(run_of(simulator))["not_finite"]
    record = first_broken_record(history)
    known = fault if record is None else fault_by_counts(history, record)
    assert bare.evidence["first iteration"] == known.iteration
    assert f"in {fault_place(known)}." in bare.sentence
    assert (known.layer, known.tensor) == (fault.layer, fault.tensor)


def test_some_of_these_networks_do_break():
    found = [name for name in BREAK if first_broken_record(broken(name).history()) is not None]
    assert "exploding" in found
    assert len(found) >= 4


@pytest.mark.parametrize("iterations", [0, 1, 2, 3, 100])
def test_an_exploding_network_is_called_exploding_however_long_it_has_been_broken(iterations):
    simulator = broken("exploding", iterations)
    diagnosis = diagnose(simulator)
    for name in ("exploding_gradient", "exploding_signal"):
        finding = diagnosis[name]
        assert finding.value > 1e3
        if iterations > 1:
            assert finding.evidence["judged at iteration"] == 1.0
            assert "at iteration 1, the last one whose numbers were all finite" in finding.sentence
            assert finding.why.startswith("Weights account for")
        else:
            assert "judged at iteration" not in finding.evidence


def test_of_a_record_alone_the_last_finite_pass_is_judged_by_its_statistics():
    simulator = broken("exploding", 100)
    known, bare = diagnose(simulator), diagnose_run(run_of(simulator))
    for name in ("exploding_gradient", "exploding_signal"):
        assert bare[name].value == pytest.approx(known[name].value, rel=1e-6)
        assert bare[name].evidence["judged at iteration"] == 1.0
        assert bare[name].why.startswith("Of iteration 1 only the sizes are known")
    assert {f.id for f in bare.findings} <= {f.id for f in known.findings}


def test_why_it_broke_are_the_numbers_that_made_the_first_bad_one_and_the_causes_before():
    why = diagnose(broken("exploding", 100))["not_finite"].why
    assert why.startswith("Iteration 2, dense_2 pre_activation[0, 2] = −∞ from the sum over x[")
    assert "float32 holds nothing larger than 3.4e+38" in why
    assert "in the last finite pass, iteration 1: weights account for >99 % of the growth" in why
    assert "had grown to 920 times their size since iteration 0" in why


@pytest.mark.parametrize("iterations", [0, 5])
def test_where_there_was_no_finite_pass_the_first_one_tells_why_as_far_as_it_goes(iterations):
    diagnosis = diagnose(broken(LESSON, iterations))
    why = diagnosis["not_finite"].why
    assert why.startswith(
        "Iteration 0, dense_261 activation_gradient[0, 0] = ∞ from the sum over δ[0, 0] = 1e+38"
    )
    words = "On the way back in that pass, as far as it is finite, iteration 0: weights account for all of the growth."
    assert why.endswith(words)
    assert diagnosis["exploding_gradient"].value == math.inf
    assert "dense_1 is infinite" in diagnosis["exploding_gradient"].sentence


def test_the_simulator_is_left_where_it_was_and_can_go_on():
    simulator = Simulator(gradsim.load(GALLERY / "exploding.gradsim.json"))
    simulator.advance(30)
    before = simulator.history()
    diagnose(simulator)
    assert simulator.iteration == 30
    assert len(simulator.history()) == len(before)


def test_a_twin_without_a_past_asks_a_fresh_simulator():
    simulator = broken("exploding", 100)
    twin = Simulator(simulator.experiment)
    twin.stand_at(100, simulator.parameters())
    finding = diagnose(twin, simulate=Simulator, history=simulator.history(), effort=0.0)[
        "exploding_gradient"
    ]
    assert finding.why.startswith("Weights account for")
    assert twin.iteration == 100
    alone = diagnose(twin, history=simulator.history())["exploding_gradient"]
    assert alone.why.startswith("Of iteration 1 only the sizes")


def test_a_run_that_was_edited_on_its_way_says_that_it_cannot_be_computed_again():
    simulator = Simulator(gradsim.load(GALLERY / "exploding.gradsim.json"))
    simulator.load_parameters({"dense_1.weight": 2.0 * simulator.parameters()["dense_1.weight"]})
    simulator.advance(20)
    twin = Simulator(simulator.experiment)
    twin.stand_at(20, simulator.parameters())
    diagnosis = diagnose(twin, simulate=Simulator, history=simulator.history(), effort=0.0)
    assert "cannot be computed again from the start" in diagnosis["not_finite"].why
    assert diagnosis["exploding_gradient"].value > 1e3


def test_a_network_whose_first_pass_is_not_finite_is_judged_as_far_as_it_goes():
    example = next(e for e in EXAMPLES if e.words.startswith("20 ReLU layers"))
    layers = example.experiment.network.layers
    wide = replace(layers[0], times=80)
    simulator = Simulator(
        replace(example.experiment, network=replace(example.experiment.network, layers=(wide,)))
    )
    simulator.advance(5)
    diagnosis = diagnose(simulator)
    assert diagnosis["not_finite"].evidence["first iteration"] == 0.0
    assert diagnosis["exploding_signal"].value > 1e3
    assert "at iteration 0, as far as its numbers are finite" in diagnosis["exploding_signal"].sentence


def test_an_update_that_a_dynamic_loss_scale_leaves_out_is_no_fault():
    experiment = gradsim.load(GALLERY / "float16_dynamic.gradsim.json")
    scale = DynamicLossScale(scale=2.0**40)
    simulator = Simulator(replace(experiment, training=replace(experiment.training, loss_scale=scale)))
    simulator.advance(40)
    assert first_broken_record(simulator.history()) is not None
    diagnosis = diagnose(simulator)
    check = next(check for check in diagnosis.checks if check.id == "not_finite")
    assert "judged at iteration" not in diagnosis["vanishing_gradient"].evidence
    assert check.state == "clear"
    assert "dynamic loss scale" in check.reason


def test_a_pass_that_overflows_behind_others_that_did_not_is_judged_by_the_one_before():
    experiment = gradsim.load(GALLERY / "float16_dynamic.gradsim.json")
    scale = DynamicLossScale(scale=2.0**40, interval=2)  # doubled soon, so that it overflows again and again
    simulator = Simulator(replace(experiment, training=replace(experiment.training, loss_scale=scale)))
    simulator.advance(60)
    history = simulator.history()
    bad = broken_records(history)
    broken_at = [int(k) for k in history.iterations[1:][bad[1:] & ~bad[:-1]]]
    simulator.seek(broken_at[-1])
    run = run_of(simulator)
    for diagnosis in (diagnose_run(run), diagnose(simulator)):
        finding = diagnosis["vanishing_gradient"]
        assert finding.evidence["judged at iteration"] == broken_at[-1] - 1


def test_every_rule_can_look_at_a_broken_run_of_every_seed():
    for seed in range(3):
        experiment = other_seed(broken("exploding").experiment, seed)
        simulator = Simulator(experiment)
        simulator.advance(4)
        case = case_of(simulator.record(), simulator.history(), simulator.samples)
        for rule in RULES:
            assert measurement(rule, case) is not None


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (46849.0, "4.7e4"),
        (9775.0, "9,775"),
        (0.0, "0"),
        (99.4, "99"),
        (math.inf, "infinite"),
        (-4117.0, "-4,117"),
    ],
)
def test_numbers_are_told_in_two_digits_or_with_separators(value, words):
    assert number(value) == words


def test_shares_far_above_the_whole_are_told_in_two_digits():
    assert (percent(36940.67), percent(1.02), percent(0.004)) == ("3.7e6 %", "102 %", "0.4 %")
    sentence = diagnose(broken("exploding", 100))["not_finite"].sentence
    assert sentence.startswith("290,561 values")
