"""How long trainings and surveys are likely to take, from counted operations: the same on every machine."""

from __future__ import annotations

from gradsim.analysis.operations import operations
from gradsim.spec import kind_of
from gradsim.trace import IterationTrace, SampleSet

INSTANT = 0.25
"""Seconds that a part of an instant diagnosis may be estimated to take beyond the recorded iteration."""

PER_CALL, PER_LAYER, PER_OPERATION = 10e-6, 5e-6, 0.2e-9
"""Seconds of an iteration, of each of its layers, and of each operation, on a slow core: of the bundled experiments,
all dense, normalized and recurrent ones are within a factor of 5, most of them faster."""

POPULATION = 10.0
"""How many times as long an operation takes where it is counted once but made for a whole population or phase."""

PER_LOOK = 150e-6
"""Seconds that looking at one batch of one layer takes, its arrays being copied out of the machine."""


def iteration_seconds(trace: IterationTrace) -> float:
    """Return how long an iteration of training is likely to take."""
    seconds = PER_CALL + PER_LAYER * len(trace.layers) + PER_OPERATION * operations(trace).total
    return seconds * (1.0 if kind_of(trace.experiment.training.method) == "backpropagation" else POPULATION)


def survey_seconds(trace: IterationTrace, samples: SampleSet) -> float:
    """Return how long it is likely to take to run the whole training part forwards and look at all units."""
    batches = -(-len(samples.training_inputs) // max(1, len(trace.sample_indices)))
    # Two thirds of the operations of an iteration are those of its way back.
    forward = PER_CALL + PER_OPERATION * operations(trace).total / 3.0
    return batches * (PER_LOOK * len(trace.layers) + forward)
