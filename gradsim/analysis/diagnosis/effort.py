"""How long trainings and surveys are likely to take, from counted operations: the same on every machine."""

from __future__ import annotations

from gradsim.analysis.operations import operations
from gradsim.spec import kind_of
from gradsim.trace import IterationTrace, SampleSet

INSTANT = 0.25
"""Seconds that a part of an instant diagnosis may be estimated to take beyond the recorded iteration."""

PER_CALL, PER_LAYER, PER_OPERATION = 10e-6, 10e-6, 0.06e-9
"""Seconds of an iteration, of each of its layers, and of each operation: with them all but two bundled experiments
are met within a factor of 3; weights with noise take six times as long, a narrow recurrent layer three."""

POPULATION = 10.0
"""How many times as long an operation takes in evolution, where it is made for every member of a population."""

PER_LOOK = 150e-6
"""Seconds that looking at one batch of one layer takes, its arrays being copied out of the machine."""


def iteration_seconds(trace: IterationTrace) -> float:
    """Return how long an iteration of training is likely to take."""
    seconds = PER_CALL + PER_LAYER * len(trace.layers) + PER_OPERATION * operations(trace).total
    return seconds * (POPULATION if kind_of(trace.experiment.training.method) == "evolution" else 1.0)


def survey_seconds(trace: IterationTrace, samples: SampleSet) -> float:
    """Return how long it is likely to take to run the whole training part forwards and look at all units."""
    batches = -(-len(samples.training_inputs) // max(1, len(trace.sample_indices)))
    # Two thirds of the operations of an iteration are those of its way back.
    forward = PER_CALL + PER_OPERATION * operations(trace).total / 3.0
    return batches * (PER_LOOK * len(trace.layers) + forward)
