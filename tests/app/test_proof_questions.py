"""Questions of proof, forensics and cost, answered by the real engine."""

from __future__ import annotations

import dataclasses

import pytest

from gradsim.analysis import broken_in
from gradsim.app.inquiries import answer_now
from gradsim.app.questions import QUESTIONS
from gradsim.cli.figures import run_of
from gradsim.engine import Simulator
from tests.cli.conftest import BROKEN, SMALL

pytestmark = pytest.mark.timeout(600)  # the first test ever compiles the machine


def run_after(experiment, iterations):
    simulator = Simulator(experiment)
    simulator.advance(iterations)
    return run_of(simulator)


def test_the_pass_on_screen_is_proven():
    run = run_after(SMALL, 4)
    check = answer_now(QUESTIONS["gradient_check"], None, run)
    assert check.passed
    assert (check.iteration, check.own_loss) == (4, run.trace.loss)


def test_the_first_broken_value_of_the_run_is_found_from_another_iteration():
    run = run_after(BROKEN, 6)
    found = answer_now(QUESTIONS["forensics"], None, run)
    first = Simulator(BROKEN).record()
    assert found.broken == broken_in(first)
    assert found.broken.sources
    assert run.trace.iteration == 6
    here = dataclasses.replace(run, trace=first)
    assert answer_now(QUESTIONS["forensics"], None, here).broken == found.broken


def test_the_speed_is_that_of_training_from_the_pass_on_screen():
    speed = answer_now(QUESTIONS["speed"], 0.02, run_after(SMALL, 4))
    assert speed.iterations > 0
    assert speed.rate > 0
    assert speed.moved("dense_1") > 0
