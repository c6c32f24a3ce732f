"""The flat buffers of a compiled network, and the samples in its precision."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradsim.data.random_streams import generator
from gradsim.engine.initializers import initial_bias, initial_weight
from gradsim.engine.linkage import addresses
from gradsim.engine.optimizers import STATE_SLOTS
from gradsim.engine.program import SCALARS, Buffers, Program, Samples, Statistics
from gradsim.engine.random import stream_key
from gradsim.engine.tape import ALIGNMENT, Tape
from gradsim.spec import Experiment, kind_of
from gradsim.spec.activation import Prelu
from gradsim.trace import COUNTS, HISTOGRAM_BINS, TENSORS, VALUES, SampleSet

RING_BYTES = 2**20
"""Bytes of statistics written before they are handed over: they should still be in a near cache."""

RING_MOST = 1024


def aligned(size: int, dtype: np.dtype[Any]) -> NDArray[Any]:
    """Return zeros that start on a cache line; NumPy promises only 16 bytes.

    Parameters
    ----------
    size : int
        Elements.
    dtype : numpy.dtype
        Their type.

    Returns
    -------
    ndarray, shape (size,)
        Writable.
    """
    raw = np.zeros(size * dtype.itemsize + ALIGNMENT, np.uint8)
    start = -raw.ctypes.data % ALIGNMENT
    return raw[start : start + size * dtype.itemsize].view(dtype)


def initial_parameters(experiment: Experiment, tape: Tape) -> NDArray[Any]:
    """Return the parameters with which an experiment starts, every tensor from a stream of its own.

    Parameters
    ----------
    experiment : Experiment
        Decides seed, precision and initializers.
    tape : Tape
        Decides where the tensors lie.

    Returns
    -------
    ndarray, shape (tape.parameter_size,)
        In the precision of the experiment.
    """
    flat = aligned(tape.parameter_size, np.dtype(experiment.precision))
    for parameter in tape.parameters:
        layer = tape.layers[parameter.layer]
        rng = generator(experiment.seed, "parameters", parameter.name)
        if parameter.tensor == "weight":
            values = initial_weight(layer.spec.initializer, (layer.fan_in, layer.fan_out), rng)
        elif parameter.tensor == "bias":
            values = initial_bias(layer.spec.bias_initializer, layer.fan_in, layer.fan_out, rng)
        else:
            assert isinstance(layer.spec.activation, Prelu)
            values = np.full(parameter.shape, layer.spec.activation.initial)
        flat[parameter.offset : parameter.offset + parameter.size] = values.ravel()
    return flat


def program_of(experiment: Experiment, tape: Tape) -> Program:
    """Return a tape as the machine reads it, with the keys of its random streams."""
    keys = [stream_key(experiment.seed, "activation", layer.name) for layer in tape.layers]
    return Program(
        tape.instructions.ravel(),
        tape.constants.ravel(),
        tape.parameter_table.ravel(),
        tape.rate_scales,
        addresses(experiment.precision),
        np.array(keys, np.uint64),
        np.array([stream_key(experiment.seed, "order", "epoch")], np.uint64),
    )


def allocate_buffers(experiment: Experiment, tape: Tape, samples: SampleSet) -> Buffers:
    """Return the buffers of a run; parameters are 0 until they are set.

    Parameters
    ----------
    experiment : Experiment
        Decides precision and optimizer state.
    tape : Tape
        Decides the sizes.
    samples : SampleSet
        Decides the number of targets and of samples.

    Returns
    -------
    Buffers
        Owned by one simulator and overwritten at every iteration.
    """
    dtype: np.dtype[Any] = np.dtype(experiment.precision)
    slots = STATE_SLOTS[kind_of(experiment.training.optimizer)]
    size = tape.parameter_size
    return Buffers(
        work=aligned(tape.work_size, dtype),
        parameters=aligned(size, dtype),
        gradients=aligned(size, dtype),
        clipped=aligned(size if kind_of(experiment.training.clipping) != "none" else 0, dtype),
        updates=aligned(size, dtype),
        moment_1=aligned(size if slots > 0 else 0, dtype),
        moment_2=aligned(size if slots > 1 else 0, dtype),
        targets=aligned(tape.batch * samples.outputs, dtype),
        typed=aligned(16, dtype),
        classes=np.zeros(tape.batch, np.int64),
        rows=np.zeros(tape.batch, np.int64),
        order=np.zeros(len(samples.training_inputs), np.int64),
        order_epoch=np.full(1, -1, np.int64),
    )


def samples_of(
    precision: str, inputs: NDArray[Any], targets: NDArray[Any], classes: NDArray[np.int64] | None
) -> Samples:
    """Return one part of the samples in the precision of an experiment, as writable copies.

    The copies are writable because a read-only array is another type to numba and would compile anew.
    """
    dtype = np.dtype(precision)
    with np.errstate(over="ignore"):  # what does not fit becomes Inf, which is then shown
        return Samples(
            np.array(inputs, dtype).ravel(),
            np.array(targets, dtype).ravel(),
            np.array(classes if classes is not None else [], np.int64),
        )


def allocate_statistics(layers: int) -> Statistics:
    """Return room for the statistics of as many iterations as stay near the processor."""
    per_iteration = layers * len(TENSORS) * (8 * len(VALUES) + 4 * len(COUNTS))
    rows = min(RING_MOST, max(4, RING_BYTES // per_iteration))
    frames = rows // 10 + 2
    return Statistics(
        values=np.zeros((rows, layers, len(TENSORS), len(VALUES))),
        counts=np.zeros((rows, layers, len(TENSORS), len(COUNTS)), np.int32),
        saturation=np.zeros((rows, layers), np.float32),
        scalars=np.zeros((rows, SCALARS)),
        histograms=np.zeros((frames, layers, len(TENSORS), HISTOGRAM_BINS), np.int32),
        histogram_iterations=np.zeros(frames, np.int64),
        validations=np.zeros((frames, 2)),
        validation_iterations=np.zeros(frames, np.int64),
    )
