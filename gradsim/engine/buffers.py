"""The flat buffers of a compiled network, and the samples in its precision."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradsim.data.random_streams import generator
from gradsim.engine.initializers import Values, initial_bias, initial_weight
from gradsim.engine.instructions import LAYER, M_FIELDS
from gradsim.engine.linkage import addresses, functions
from gradsim.engine.memory import ALIGNMENT
from gradsim.engine.normalization import work_size
from gradsim.engine.optimizers import STATE_SLOTS
from gradsim.engine.precision import rounded, storage_type
from gradsim.engine.pretraining import PHASE_FIELDS
from gradsim.engine.program import ROUNDED, SCALARS, Buffers, Program, Samples, Statistics
from gradsim.engine.random import stream_key
from gradsim.engine.tape import LayerLayout, Parameter, Tape
from gradsim.spec import Experiment, Initializer, Recurrent, kind_of
from gradsim.spec.method import NoLossScale
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
    flat = aligned(tape.parameter_size, storage_type(experiment.precision))
    for parameter in (*tape.parameters, *tape.states):
        layer = tape.layers[parameter.layer]
        rng = generator(experiment.seed, "parameters", parameter.name)
        values = FIRST_VALUES[parameter.tensor](layer, parameter, rng)
        flat[parameter.part] = rounded(values.ravel(), experiment.precision)
    return flat


def _bias(layer: LayerLayout, parameter: Parameter, rng: np.random.Generator) -> Values:
    spec: Any = layer.spec
    if isinstance(spec, Recurrent):
        values = np.zeros(parameter.shape)
        if spec.cell == "lstm":  # gates i, f, g, o
            values[spec.units : 2 * spec.units] = spec.forget_bias
        return values
    return initial_bias(spec.bias_initializer, layer.fan_in, layer.fan_out, rng)


def _per_gate(rule: Initializer, parameter: Parameter, units: int, rng: np.random.Generator) -> Values:
    """Each gate is a matrix of its own, so that fans and orthogonality are those of one gate."""
    gates = parameter.shape[1] // units
    return np.hstack([initial_weight(rule, (parameter.shape[0], units), rng) for _ in range(gates)])


FIRST_VALUES: dict[str, Callable[[LayerLayout, Parameter, np.random.Generator], Values]] = {
    "weight": lambda la, p, rng: initial_weight(_spec(la).initializer, (la.fan_in, la.fan_out), rng),
    "bias": _bias,
    "recurrent_bias": lambda la, p, rng: np.zeros(p.shape),
    "input_weight": lambda la, p, rng: _per_gate(_spec(la).initializer, p, la.fan_out, rng),
    "recurrent_weight": lambda la, p, rng: _per_gate(_spec(la).recurrent_initializer, p, la.fan_out, rng),
    "prelu_slope": lambda la, p, rng: np.full(p.shape, _spec(la).activation.initial),
    "gamma": lambda la, p, rng: np.ones(p.shape),
    "beta": lambda la, p, rng: np.zeros(p.shape),
    "running_mean": lambda la, p, rng: np.zeros(p.shape),
    "running_variance": lambda la, p, rng: np.ones(p.shape),
    "projection": lambda la, p, rng: initial_weight(_spec(la).projection, (p.shape[0], p.shape[1]), rng),
    "scale": lambda la, p, rng: np.full(p.shape, _spec(la).scale),
    "decoder_weight": lambda la, p, rng: initial_weight(_spec(la).initializer, (la.fan_out, la.fan_in), rng),
    "decoder_bias": lambda la, p, rng: np.zeros(p.shape),
}
"""How each tensor that is kept between iterations starts."""


def _spec(layer: LayerLayout) -> Any:
    return layer.spec


def program_of(experiment: Experiment, tape: Tape) -> Program:
    """Return a tape as the machine reads it, with the keys of its random streams."""
    keys = [stream_key(experiment.seed, "activation", layer.name) for layer in tape.layers]
    return Program(
        tape.instructions.ravel(),
        tape.constants.ravel(),
        tape.parameter_table.ravel(),
        tape.rate_scales,
        tape.decay_scales,
        _measured(tape).ravel(),
        addresses(storage_type(experiment.precision).name),
        functions(storage_type(experiment.precision).name),
        np.array(keys, np.uint64),
        np.array([stream_key(experiment.seed, "order", "epoch")], np.uint64),
        np.array([stream_key(experiment.seed, "weights", "noise")], np.uint64),
        np.array([stream_key(experiment.seed, "weights", "mutation")], np.uint64),
        _phase_table(tape).ravel(),
    )


def _measured(tape: Tape) -> NDArray[np.int64]:
    """Where the measured tensors of the work buffer lie: layer, tensor, offset, number of values."""
    rows = [
        [index, tensor, layer.tensors[name].offset, layer.measured[name]]
        for index, layer in enumerate(tape.layers)
        for tensor, name in enumerate(TENSORS)
        if name in layer.tensors and name in layer.measured
    ]
    return np.array(rows, np.int64).reshape(-1, M_FIELDS)


def _phase_table(tape: Tape) -> NDArray[np.int64]:
    """First and last instruction and index of the layer of each phase of pretraining."""
    rows = []
    for layer in tape.phases:
        ops = np.flatnonzero(tape.instructions[: tape.operations, LAYER] == layer)
        rows.append([ops[0], ops[-1], layer])
    return np.array(rows, np.int64).reshape(-1, PHASE_FIELDS)


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
    dtype = storage_type(experiment.precision)
    training = experiment.training
    noisy = tape.parameter_size if training.weight_noise > 0 else 0
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
        clean=aligned(noisy, dtype),
        noisy=aligned(noisy, dtype),
        candidate=aligned(size if kind_of(training.method) == "evolution" else 0, dtype),
        scaling=np.array([first_loss_scale(experiment), 0.0]),
        targets=aligned(tape.batch * samples.target_steps * samples.outputs, dtype),
        typed=aligned(16, dtype),
        scratch=np.zeros(max(work_size(layer.fan_out) for layer in tape.layers)),
        classes=np.zeros(tape.batch * samples.target_steps, np.int64),
        rows=np.zeros(tape.batch, np.int64),
        order=np.zeros(len(samples.training_inputs), np.int64),
        order_epoch=np.full(1, -1, np.int64),
    )


def first_loss_scale(experiment: Experiment) -> float:
    """Return the factor on the loss with which an experiment starts: 1 where it is not scaled."""
    scaling = experiment.training.loss_scale
    return 1.0 if isinstance(scaling, NoLossScale) else scaling.scale


def samples_of(
    precision: str, inputs: NDArray[Any], targets: NDArray[Any], classes: NDArray[np.int64] | None
) -> Samples:
    """Return one part of the samples in the precision of an experiment, as writable copies.

    The copies are writable because a read-only array is another type to numba and would compile anew.
    """
    dtype = storage_type(precision)
    with np.errstate(over="ignore"):  # what does not fit becomes Inf, which is then shown
        return Samples(
            rounded(inputs, precision).ravel(),
            np.array(targets, dtype).ravel(),
            np.array(classes if classes is not None else [], np.int64).ravel(),
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
        rounded=np.zeros((rows, layers, ROUNDED), np.int64),
        scalars=np.zeros((rows, SCALARS)),
        histograms=np.zeros((frames, layers, len(TENSORS), HISTOGRAM_BINS), np.int32),
        histogram_iterations=np.zeros(frames, np.int64),
        validations=np.zeros((frames, 2)),
        validation_iterations=np.zeros(frames, np.int64),
    )
