"""What the machine is handed: settings, tape, buffers, samples and room for statistics, as named tuples.

All arrays are flat (or one row per sample), so that the machine addresses them by offsets and no shape is
part of a compiled type. No computation here.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gradsim.engine.compilation import inline_kernel
from gradsim.engine.memory import stretch
from gradsim.trace import COUNTS, TENSORS, VALUES

# Places of the tensors in the statistics.
PRE_ACTIVATION = TENSORS.index("pre_activation")
ACTIVATION = TENSORS.index("activation")
ACTIVATION_GRADIENT = TENSORS.index("activation_gradient")
DELTA = TENSORS.index("delta")
WEIGHT_GRADIENT = TENSORS.index("weight_gradient")
UPDATE = TENSORS.index("update")
WEIGHT_VALUES = TENSORS.index("weight")
TENSOR_COUNT = len(TENSORS)
VALUE_COUNT = len(VALUES)
COUNT_COUNT = len(COUNTS)
RMS = VALUES.index("rms")

# Columns of ``Statistics.scalars``.
LOSS = 0
CORRECT = 1
RATE = 2
GRADIENT_NORM = 3
CLIPPED_NORM = 4
LOSS_SCALE = 5
SCALARS = 6

BACKPROPAGATION, PRETRAINING, EVOLUTION = range(3)
METHOD_CODES = {"backpropagation": BACKPROPAGATION, "pretraining": PRETRAINING, "evolution": EVOLUTION}

ROUNDED = 4
"""Counts of a layer: flushed to zero and overflowed, on the way forward and on the way back."""


class Choices(NamedTuple):
    """Whole-number settings of a run.

    The pass backwards runs over the instructions from ``last_op`` down to ``first_op``, normally all of them.
    Where ``seed`` is not negative it begins, instead of at the loss, with the unit vector whose element
    ``seed`` is 1 in the tensor of ``seed_size`` values at ``seed_offset`` of the work buffer. The first
    ``operations`` instructions are the network; behind them stand the decoders of pretraining, one a phase.
    """

    batch: int
    sample_count: int
    features: int
    outputs: int
    steps: int
    target_steps: int
    loss: int
    optimizer: int
    clipping: int
    schedule: int
    warm_up: int
    schedule_length: int
    shuffle: int
    is_classification: int
    optimizer_start: int
    input_gradient: int
    measure: int
    histogram_every: int
    validate_every: int
    first_op: int
    last_op: int
    seed_offset: int
    seed_size: int
    seed: int
    operations: int
    format: int
    loss_scaling: int
    scaling_interval: int
    method: int
    phases: int
    phase_length: int
    population: int
    parents: int


class Amounts(NamedTuple):
    """Real settings of a run."""

    rate: float
    beta_1: float
    beta_2: float
    eps: float
    weight_decay: float
    threshold: float
    clipping_eps: float
    schedule_share: float
    weight_noise: float
    phase_rate: float
    mutation: float
    mutation_decay: float


class Functions(NamedTuple):
    """What the machine calls without containing it."""

    normalize_forward: Any
    normalize_backward: Any
    recurrent_forward: Any
    recurrent_backward: Any


class Program(NamedTuple):
    """The tables of a tape, row after row, and the keys of the random streams, one per layer."""

    instructions: NDArray[np.int64]
    constants: NDArray[np.float64]
    parameter_table: NDArray[np.int64]
    rate_scales: NDArray[np.float64]
    decay_scales: NDArray[np.float64]
    measured: NDArray[np.int64]
    addresses: NDArray[np.int64]
    functions: Functions
    stream_keys: NDArray[np.uint64]
    shuffle_key: NDArray[np.uint64]
    noise_key: NDArray[np.uint64]
    mutation_key: NDArray[np.uint64]
    phase_table: NDArray[np.int64]


class Buffers(NamedTuple):
    """Flat arrays in the precision of the experiment, and the batch's places among the samples.

    ``clean`` and ``noisy`` are the parameters without and with weight noise, ``candidate`` a child of
    evolution; empty where not used. ``scaling`` is the loss scale and the good iterations since it changed.
    """

    work: NDArray[Any]
    parameters: NDArray[Any]
    gradients: NDArray[Any]
    clipped: NDArray[Any]
    updates: NDArray[Any]
    moment_1: NDArray[Any]
    moment_2: NDArray[Any]
    clean: NDArray[Any]
    noisy: NDArray[Any]
    candidate: NDArray[Any]
    scaling: NDArray[np.float64]
    targets: NDArray[Any]
    typed: NDArray[Any]
    scratch: NDArray[np.float64]
    classes: NDArray[np.int64]
    rows: NDArray[np.int64]
    order: NDArray[np.int64]
    order_epoch: NDArray[np.int64]


class Samples(NamedTuple):
    """Samples of one part, training or validation, row after row, in the precision of the experiment."""

    inputs: NDArray[Any]
    targets: NDArray[Any]
    classes: NDArray[np.int64]


class Statistics(NamedTuple):
    """Where the statistics of successive iterations go: rows, and frames for what is not taken every time."""

    values: NDArray[np.float64]
    counts: NDArray[np.int32]
    saturation: NDArray[np.float32]
    rounded: NDArray[np.int64]
    scalars: NDArray[np.float64]
    histograms: NDArray[np.int32]
    histogram_iterations: NDArray[np.int64]
    validations: NDArray[np.float64]
    validation_iterations: NDArray[np.int64]


class Measures(NamedTuple):
    """Where the statistics of one iteration go, flat, with two accumulators and scratch to take them."""

    values: NDArray[np.float64]
    counts: NDArray[np.int32]
    saturation: NDArray[np.float32]
    rounded: NDArray[np.int64]
    format: int
    first: NDArray[np.float64]
    second: NDArray[np.float64]
    scratch: NDArray[np.float64]


@inline_kernel
def values_of(measures: Any, layer: Any, tensor: Any) -> Any:
    """Return the place (5,) of the values of a tensor of a layer."""
    return stretch(measures.values, (layer * TENSOR_COUNT + tensor) * VALUE_COUNT, VALUE_COUNT)


@inline_kernel
def counts_of(measures: Any, layer: Any, tensor: Any) -> Any:
    """Return the place (4,) of the counts of a tensor of a layer."""
    return stretch(measures.counts, (layer * TENSOR_COUNT + tensor) * COUNT_COUNT, COUNT_COUNT)
