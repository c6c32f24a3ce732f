"""The diagnosis as a whole: what gates it, how sure it is, how it ends early, how fast it is, as a document."""

import json
import math
from dataclasses import replace as with_fields

import numpy as np
import pytest
from msgspec.structs import replace

from gradsim.analysis.diagnosis import RULES, Diagnosis, diagnose, diagnose_run, diagnosis_document
from gradsim.analysis.diagnosis.applying import sentence_of
from gradsim.analysis.diagnosis.case import CONVERGED, case_of
from gradsim.analysis.diagnosis.effort import iteration_seconds
from gradsim.analysis.diagnosis.losses import baseline_loss, sample_losses
from gradsim.analysis.diagnosis.thorough import SHORTEST, TRIAL_SEEDS
from gradsim.analysis.remedies import REMEDIES
from gradsim.engine import Simulator
from gradsim.spec import (
    Dense,
    Experiment,
    Head,
    Network,
    Recurrent,
    Repeat,
    Residual,
    Training,
    read_experiment,
)
from gradsim.spec.activation import Linear, Relu, Sigmoid, Tanh
from gradsim.spec.data import CopyMemory, Curve, GaussianNoise, Iris, Moons
from gradsim.spec.initializer import HeNormal, Normal, Zeros
from gradsim.spec.training import Adam, CosineSchedule, Sgd
from gradsim.trace import Run
from tests.kind_runs import NETWORKS, SEQUENCES, kind_run, kind_simulator

DEEP_SIGMOID = Experiment(
    data=Moons(samples=100),
    network=Network(layers=(Repeat(times=6, layers=(Dense(units=8, activation=Sigmoid()),)),)),
    training=Training(batch_size=20),
)


def run_of(simulator):
    return Run("", simulator.experiment, simulator.samples, simulator.record(), None, simulator.history())


@pytest.mark.parametrize("name", NETWORKS)
def test_every_kind_of_network_is_diagnosed_and_every_rule_is_told(name):
    diagnosis = diagnose_run(kind_run(name))
    assert [check.id for check in diagnosis.checks] == [rule.id for rule in RULES]
    assert {check.id for check in diagnosis.checks if check.state == "found"} == {
        f.id for f in diagnosis.findings
    }
    assert all(check.reason for check in diagnosis.checks if check.state == "unknown")
    assert diagnosis.sentence.endswith(".")


def test_a_run_and_its_simulator_give_the_same_findings():
    simulator = Simulator(DEEP_SIGMOID)
    simulator.advance(30)
    assert diagnose_run(run_of(simulator)).findings == diagnose(simulator).findings


@pytest.mark.parametrize("name", sorted(set(NETWORKS) - set(SEQUENCES)))
def test_every_kind_of_network_is_diagnosed_with_its_simulator_and_other_seeds(name):
    simulator = kind_simulator(name)
    simulator.advance(3)
    diagnosis = diagnose(simulator, simulate=Simulator, seeds=1)
    assert {finding.confidence.of for finding in diagnosis.findings} <= {2}
    state = {check.id: (check.state, check.reason) for check in diagnosis.checks}["dead_units"]
    assert state[0] in ("clear", "unknown")


def test_the_simulator_stays_where_it_stands():
    simulator = Simulator(DEEP_SIGMOID)
    simulator.advance(7)
    before = simulator.parameters()
    diagnose(simulator, simulate=Simulator)
    assert simulator.iteration == 7
    assert all(np.array_equal(before[name], value) for name, value in simulator.parameters().items())


def test_a_history_beyond_the_record_is_not_looked_at():
    simulator = Simulator(DEEP_SIGMOID)
    simulator.advance(40)
    history = simulator.history()
    simulator.seek(5)
    case = case_of(simulator.record(), history, simulator.samples)
    assert case.history.iterations.tolist() == [0, 1, 2, 3, 4]
    assert len(case.losses) == 6


def test_a_converged_network_is_healthy_whatever_its_numbers_are():
    # Glorot weights under ten ReLU layers are too small by a factor of 32: a fault as long as the loss is high.
    layers = (Repeat(times=10, layers=(Dense(units=16, activation=Relu()),)),)
    experiment = Experiment(
        data=Moons(samples=100, noise=0.0),
        network=Network(layers=layers),
        training=Training(optimizer=Adam(learning_rate=0.01), batch_size=20),
    )
    simulator = Simulator(experiment)
    assert not diagnose(simulator).is_healthy
    simulator.advance(300)
    diagnosis = diagnose(simulator)
    assert diagnosis.loss_share < CONVERGED
    assert diagnosis.is_healthy
    assert "poor_initialization" in {check.id for check in diagnosis.checks if check.state == "converged"}
    assert diagnosis.sentence.startswith("Healthy")


@pytest.mark.parametrize(
    ("iteration", "loss", "converged", "words"),
    [
        (9, 0.5, False, "Healthy: nothing was found. The batch loss is 0.5 (recent median), 50 % of "),
        (9, 1.0, False, "Nothing found yet. The batch loss is 1 (recent median), 100 % of "),
        (9, 8.0, False, "Nothing found yet. The batch loss is 8 (recent median), 800 % of "),
        (0, 0.5, False, "Nothing found yet. The batch loss is 0.5, 50 % of "),
        (0, 0.01, True, "Healthy: the batch loss is 0.01, 1 % of "),
    ],
)
def test_nothing_found_is_healthy_only_in_a_trained_network_that_does_better_than_a_constant_answer(
    iteration, loss, converged, words
):
    known = Diagnosis(iteration, "instant", loss, 1.0, converged, (), (), "")
    assert sentence_of(known).startswith(words)


def test_values_that_are_not_finite_are_a_fault_at_any_loss():
    experiment = Experiment(
        data=Curve(samples=60),
        network=Network(layers=(Dense(units=8, activation=Tanh()),), head=Head(activation=Linear())),
        training=Training(loss="mse", batch_size=20, optimizer=Sgd(learning_rate=5.0)),
    )
    simulator = Simulator(experiment)
    simulator.advance(200)
    diagnosis = diagnose(simulator)
    assert diagnosis.findings[0].id == "not_finite"
    assert not diagnosis.is_healthy
    assert not math.isfinite(diagnosis.loss)


def test_an_infinite_slope_of_the_loss_that_nothing_is_computed_from_is_no_finding():
    layers = (Dense(units=8, activation=Relu(), initializer=Normal(std=1000.0)),)
    head = Head(initializer=Normal(std=1000.0))
    simulator = Simulator(Experiment(data=Iris(), network=Network(layers=layers, head=head)))
    trace = simulator.record()
    assert not np.isfinite(trace["head"].activation_gradient).all()
    assert np.isfinite(trace["head"].delta).all()
    assert "not_finite" not in {finding.id for finding in diagnose(simulator).findings}


def test_a_branch_that_starts_at_zero_does_not_hide_the_gradient_of_the_stream():
    block = Residual(
        layers=(Dense(units=8, activation=Relu(), initializer=HeNormal()),), scale=0.0, train_scale=True
    )
    layers = (Dense(units=8, activation=Tanh()), Repeat(times=6, layers=(block,)))
    diagnosis = diagnose(Simulator(replace(DEEP_SIGMOID, network=Network(layers=layers))))
    assert diagnosis.is_healthy, diagnosis.sentence


def test_other_seeds_are_trained_to_the_same_iteration_to_say_how_sure_a_finding_is():
    simulator = Simulator(DEEP_SIGMOID)
    simulator.advance(80)
    told = []
    diagnosis = diagnose(simulator, simulate=Simulator, seeds=4, progress=lambda *words: told.append(words))
    for finding in diagnosis.findings:  # from the present pass, from the first one, and from the history
        assert (finding.confidence.of, finding.confidence.iteration) == (5, 80)
    assert diagnosis["unchanged_first_layers"].confidence.words == "5 of 5 seeds at iteration 80"
    assert told == [(f"Seed {k} of 4", (k - 1) / 4) for k in range(1, 5)]
    assert diagnose(simulator)["unchanged_first_layers"].confidence.words == "this seed only"


def test_another_seed_that_does_not_show_it_lowers_the_count():
    layers = (Repeat(times=4, layers=(Dense(units=8, activation=Tanh()),)),)
    simulator = Simulator(replace(DEEP_SIGMOID, network=Network(layers=layers)))
    simulator.load_parameters({"dense_3.weight": simulator.parameters()["dense_3.weight"] * 1e-4})
    finding = diagnose(simulator, simulate=Simulator)["vanishing_signal"]
    assert finding.confidence.seen == 1
    assert finding.confidence.of == 4


def test_only_as_many_seeds_are_trained_as_the_effort_allows():
    simulator = Simulator(DEEP_SIGMOID)
    simulator.advance(200)
    each = 200 * iteration_seconds(simulator.record())
    made = []

    def simulate(experiment):
        made.append(Simulator(experiment))
        return made[-1]

    for effort, count in ((math.inf, 3), (2.5 * each, 2), (1.01 * each, 1), (0.0, 0)):
        made.clear()
        diagnosis = diagnose(simulator, simulate=simulate, effort=effort)
        assert diagnosis["unchanged_first_layers"].confidence.of == 1 + count
        assert [other.iteration for other in made] == [200] * count


def test_where_trainings_take_too_long_that_is_said_and_the_first_passes_judge_the_first_weights():
    simulator = Simulator(DEEP_SIGMOID)
    simulator.advance(200)
    effort = 100 * iteration_seconds(simulator.record())
    diagnosis = diagnose(simulator, simulate=Simulator, effort=effort)
    words = diagnosis["unchanged_first_layers"].confidence.words
    assert words == "this seed only: another takes about 1 s to train to iteration 200"
    assert diagnosis["poor_initialization"].confidence.words == "4 of 4 seeds at iteration 0"


def test_weights_from_a_file_have_no_other_seeds(tmp_path):
    simulator = Simulator(DEEP_SIGMOID)
    np.savez(tmp_path / "weights.npz", **simulator.parameters())
    given = Simulator(replace(DEEP_SIGMOID, parameters="weights.npz"), tmp_path)
    words = diagnose(given, simulate=Simulator)["vanishing_gradient"].confidence.words
    assert words == "this seed only: its weights come from a file"


def test_asked_to_stop_it_keeps_the_seeds_that_are_there():
    left = iter(range(3))
    simulator = Simulator(DEEP_SIGMOID)
    simulator.advance(5)
    finding = diagnose(simulator, simulate=Simulator, should_stop=lambda: next(left, None) is None).findings[
        0
    ]
    assert finding.confidence.of < 4


def test_a_thorough_diagnosis_tries_every_remedy_and_puts_the_best_first():
    told = []
    simulator = Simulator(DEEP_SIGMOID)
    simulator.advance(60)
    diagnosis = diagnose(
        simulator,
        simulate=Simulator,
        thorough=True,
        seeds=2,
        progress=lambda words, share: told.append((words, share)),
    )
    assert diagnosis.depth == "thorough"
    for finding in diagnosis.findings:
        assert all(remedy.effect is not None for remedy in finding.remedies)
        first = finding.remedies[0].effect
        assert first.loss_after == min(remedy.effect.loss_after for remedy in finding.remedies)
        assert (first.iterations, first.seeds) == (SHORTEST, TRIAL_SEEDS)
    assert diagnosis["unchanged_first_layers"].confidence.of == 3
    assert {check.id: check.state for check in diagnosis.checks}["deeper_but_worse"] != "unknown"
    shares = [share for _, share in told]
    assert shares == sorted(shares)
    assert shares[-1] == 1.0


@pytest.mark.parametrize("calls", [0, 2, 5, 40])
def test_a_thorough_diagnosis_that_is_stopped_ends_with_what_is_known(calls):
    left = iter(range(calls))
    simulator = Simulator(DEEP_SIGMOID)
    diagnosis = diagnose(
        simulator, simulate=Simulator, thorough=True, should_stop=lambda: next(left, None) is None
    )
    assert diagnosis.depth == "instant"
    assert diagnosis["vanishing_gradient"].remedies


def test_a_thorough_diagnosis_without_a_way_to_train_is_refused():
    with pytest.raises(ValueError, match="simulate"):
        diagnose(Simulator(DEEP_SIGMOID), thorough=True)


def test_the_document_is_json_and_its_remedies_can_be_run():
    document = json.loads(json.dumps(diagnosis_document(diagnose(Simulator(DEEP_SIGMOID))), allow_nan=False))
    assert document["is_healthy"] is False
    finding = document["findings"][0]
    assert finding["id"] == "vanishing_gradient"
    assert finding["value"] < finding["cut"]
    for remedy in finding["remedies"]:
        assert read_experiment(remedy["experiment"]) != DEEP_SIGMOID
    unknown = next(check for check in document["checks"] if check["state"] == "unknown")
    assert unknown["value"] == "NaN"


def test_a_schedule_that_has_run_out_is_named_and_cured():
    training = Training(
        schedule=CosineSchedule(iterations=10), optimizer=Sgd(learning_rate=0.1), batch_size=20
    )
    layers = (Repeat(times=2, layers=(Dense(units=8, activation=Tanh()),)),)
    simulator = Simulator(replace(DEEP_SIGMOID, network=Network(layers=layers), training=training))
    simulator.advance(30)
    finding = diagnose(simulator)["slow_updates"]
    assert finding.value == 0.0
    assert "no_schedule" in {remedy.id for remedy in finding.remedies}


@pytest.mark.parametrize(
    ("loss", "expected"),
    [
        ("mse", lambda t: t.var(axis=0).mean()),
        ("half_mse", lambda t: 0.5 * t.var(axis=0).sum()),
        ("sse", lambda t: 16 * t.var(axis=0).sum()),
    ],
)
def test_the_baseline_of_a_regression_is_what_its_mean_costs(loss, expected):
    # A network whose weights are all 0 but for the biases of the head, which are the mean of the targets.
    experiment = Experiment(
        precision="float64",
        data=GaussianNoise(samples=16, features=3, outputs=2),
        network=Network(
            layers=(Dense(units=4, initializer=Zeros()),), head=Head(activation=Linear(), initializer=Zeros())
        ),
        training=Training(loss=loss, batch_size=16),
    )
    simulator = Simulator(experiment)
    targets = simulator.samples.training_targets
    simulator.load_parameters({"head.bias": targets.mean(axis=0)})
    baseline = baseline_loss(loss, simulator.samples, 16)
    assert baseline == pytest.approx(expected(targets))
    assert simulator.record().loss == pytest.approx(baseline)


@pytest.mark.parametrize("loss", ["cross_entropy", "binary_cross_entropy"])
def test_the_baseline_of_a_classification_is_the_entropy_of_its_classes(loss):
    activation = Sigmoid() if loss == "binary_cross_entropy" else Head().activation
    experiment = Experiment(
        precision="float64",
        data=Moons(samples=100, validation=0.25),
        network=Network(layers=(Dense(units=4),), head=Head(activation=activation, initializer=Zeros())),
        training=Training(loss=loss, batch_size=75),
    )
    simulator = Simulator(experiment)
    share = simulator.samples.training_targets.mean(axis=0)
    logits = np.log(share / (1 - share)) if loss == "binary_cross_entropy" else np.log(share)
    simulator.load_parameters({"head.bias": logits})
    assert simulator.record().loss == pytest.approx(baseline_loss(loss, simulator.samples, 75))


@pytest.mark.parametrize("loss", ["mse", "cross_entropy", "binary_cross_entropy"])
def test_the_losses_of_the_samples_add_up_to_the_loss_of_the_batch(loss):
    activation = Sigmoid() if loss == "binary_cross_entropy" else Head().activation
    experiment = Experiment(
        data=Moons(samples=100),
        precision="float64",
        network=Network(layers=(Dense(units=4),), head=Head(activation=activation)),
        training=Training(loss=loss, batch_size=20),
    )
    trace = Simulator(experiment).record()
    per_sample = 1 if loss == "cross_entropy" else trace.targets[0].size
    assert sample_losses(trace).mean() / per_sample == pytest.approx(trace.loss)


def test_sequences_that_are_answered_at_every_step_have_a_baseline():
    samples = Simulator(
        Experiment(
            data=CopyMemory(samples=50, delay=5),
            network=Network(layers=(Recurrent(units=4, return_sequences=True),)),
        )
    ).samples
    assert 0 < baseline_loss("cross_entropy", samples, 10) < math.log(samples.outputs)


def test_every_remedy_of_a_rule_is_known():
    assert {name for rule in RULES for name in rule.remedies} <= set(REMEDIES)


def test_a_finding_is_a_value():
    finding = diagnose(Simulator(DEEP_SIGMOID))["vanishing_gradient"]
    assert with_fields(finding) == finding
    with pytest.raises(AttributeError):
        finding.value = 1.0
