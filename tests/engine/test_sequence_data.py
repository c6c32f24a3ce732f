"""Every kind of sequence runs through any recurrent network, and comes out with the steps its targets have."""

from __future__ import annotations

from typing import get_args

import numpy as np
from hypothesis import HealthCheck, given, settings

from gradsim.engine import Simulator
from gradsim.spec import Data, Experiment
from gradsim.spec.activation import Linear
from gradsim.spec.data import Adding
from gradsim.spec.network import Head, Network, Recurrent
from gradsim.spec.training import Adam, Training
from tests.spec.strategies import experiments

SEQUENCES = [kind for kind in get_args(Data) if kind.is_sequence]


@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(experiments(data=SEQUENCES, max_depth=3))
def test_drawn_sequences_run_and_are_answered_where_they_have_targets(experiment: Experiment) -> None:
    simulator = Simulator(experiment)
    samples = simulator.samples
    trace = simulator.record()
    answers = samples.training_targets.shape[1:]
    assert trace.inputs.shape[1:] == (samples.steps, samples.features)
    assert trace.targets.shape[1:] == answers
    assert trace["head"].activation.shape[1:] == answers
    assert trace["recurrent_1"].hidden.shape[1] == samples.steps
    outputs = simulator.outputs(samples.training_inputs)
    assert outputs.shape == samples.training_targets.shape
    assert simulator.advance(2) == 2
    accuracy = simulator.evaluate("training").accuracy
    assert (accuracy is None) == (samples.task == "regression")


def test_an_lstm_learns_to_add_two_of_ten_numbers() -> None:
    simulator = Simulator(
        Experiment(
            data=Adding(samples=1000, steps=10),
            network=Network(layers=(Recurrent(cell="lstm", units=16),), head=Head(activation=Linear())),
            training=Training(loss="mse", optimizer=Adam(learning_rate=0.01), batch_size=50),
        )
    )
    before = simulator.evaluate().loss
    simulator.advance(600)
    after = simulator.evaluate().loss
    # Always answering 1 has an error of 1/6; what has been learned is far below it.
    assert np.isfinite(before)
    assert after < 0.1 / 6
