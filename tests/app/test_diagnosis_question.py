"""What the window's question runs: how long the instant part takes, and what is left to the part that trains."""

import time

from msgspec.structs import replace

import gradsim
from gradsim.analysis.diagnosis import diagnose
from gradsim.app.inquiries import answer_now
from gradsim.app.questions import QUESTIONS
from gradsim.engine import Simulator
from gradsim.spec import Dense, Experiment, Network, Repeat
from gradsim.spec.activation import Sigmoid
from gradsim.spec.method import DynamicLossScale
from gradsim.trace import Run
from tests.conftest import REPOSITORY

DEEP = Experiment(
    network=Network(layers=(Repeat(times=20, layers=(Dense(units=64, activation=Sigmoid()),)),))
)


def run_at(iteration):
    simulator = Simulator(DEEP)
    simulator.advance(iteration)
    return Run("", DEEP, simulator.samples, simulator.record(), None, simulator.history())


def test_a_network_of_twenty_layers_is_diagnosed_within_a_second_beyond_one_recorded_iteration():
    run = run_at(100)

    def beyond():
        simulator = Simulator(DEEP)
        start = time.perf_counter()
        simulator.record()
        recorded = time.perf_counter() - start
        start = time.perf_counter()
        diagnosis, rules = answer_now(QUESTIONS["diagnosis"], None, run)
        assert diagnosis.findings
        assert rules
        return time.perf_counter() - start - recorded

    assert min(beyond() for _ in range(3)) < 1.0


def test_the_instant_question_makes_no_other_network_and_the_next_one_trains_some(monkeypatch):
    run = run_at(30)
    made = []
    monkeypatch.setattr("gradsim.engine.Simulator.__init__", counted(made))
    instant, _ = answer_now(QUESTIONS["diagnosis"], None, run)
    assert made == [DEEP.seed]  # the twin that stands where the window does
    assert {finding.confidence.of for finding in instant.findings} == {1}
    made.clear()
    known, _ = answer_now(QUESTIONS["diagnosis.seeds"], None, run)
    assert len(made) == 4
    assert {(one.confidence.of, one.confidence.iteration) for one in known.findings} == {(4, 30)}
    assert [one.remedies for one in known.findings] == [one.remedies for one in instant.findings]


def test_the_twin_has_the_loss_scale_of_the_pass_on_screen():
    experiment = gradsim.load(REPOSITORY / "resources" / "experiments" / "float16_dynamic.gradsim.json")
    scale = DynamicLossScale(scale=2.0**40)
    experiment = replace(experiment, training=replace(experiment.training, loss_scale=scale))
    simulator = Simulator(experiment)
    simulator.advance(60)
    run = Run("", experiment, simulator.samples, simulator.record(), None, simulator.history())
    assert run.trace.loss_scale < 2.0**40
    asked, _ = answer_now(QUESTIONS["diagnosis"], None, run)
    assert asked.findings == diagnose(simulator).findings
    assert all("judged at iteration" not in finding.evidence for finding in asked.findings)


def counted(made, make=Simulator.__init__):
    def init(self, experiment, directory=None):
        made.append(experiment.seed)
        make(self, experiment, directory)

    return init
