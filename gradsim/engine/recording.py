"""From the flat buffers of one iteration to the records people read."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradsim.engine.activation_layer import activation_forward
from gradsim.engine.activations import activation_code
from gradsim.engine.program import CORRECT, GRADIENT_NORM, LOSS, RATE, Buffers, Program, Statistics
from gradsim.engine.statistics import ACCUMULATOR_SIZE
from gradsim.engine.tape import PARAMETER_0, PARAMETER_1, DenseLayout, Tape
from gradsim.spec import Experiment, kind_of
from gradsim.trace import TENSORS, IterationTrace, LayerTrace, Step, TensorStatistics


def iteration_trace(
    experiment: Experiment,
    tape: Tape,
    program: Program,
    buffers: Buffers,
    parameters: NDArray[Any],
    statistics: Statistics,
    iteration: int,
) -> IterationTrace:
    """Return the record of the iteration that has just gone through the buffers.

    Parameters
    ----------
    experiment : Experiment
        What was asked for.
    tape : Tape
        Where the tensors lie.
    program : Program
        Constants and random streams, to compute φ' again, whose place the delta has taken.
    buffers : Buffers
        As the machine left them; copied.
    parameters : ndarray, shape (tape.parameter_size,)
        Before the update; taken over.
    statistics : Statistics
        Row 0 describes this iteration.
    iteration : int
        Its number.

    Returns
    -------
    IterationTrace
        Read-only views into one copy of the buffers.
    """
    work = _frozen(buffers.work.copy())
    gradients = _frozen(buffers.gradients.copy())
    clipped = _frozen(buffers.clipped.copy()) if buffers.clipped.size else gradients
    updates = _frozen(buffers.updates.copy())
    slope_work = np.zeros_like(buffers.work)
    sizes = tensor_sizes(tape)
    layers = tuple(
        LayerTrace(
            name=layout.name,
            kind="dense",
            index=index,
            number=index + 1,
            activation_kind=kind_of(layout.spec.activation),
            fan_in=layout.fan_in,
            fan_out=layout.fan_out,
            tensors=MappingProxyType(
                _tensors(tape, index, work, _frozen(parameters), gradients, clipped, updates)
                | {"slope": _slope(tape, program, buffers, parameters, slope_work, index, iteration)}
            ),
            statistics=MappingProxyType(_statistics(sizes, statistics, index)),
            saturation=float(statistics.saturation[0, index]),
        )
        for index, layout in enumerate(tape.layers)
    )
    scalars = statistics.scalars[0]
    first = tape.layers[0]
    return IterationTrace(
        experiment=experiment,
        iteration=iteration,
        loss=float(scalars[LOSS]),
        accuracy=None if np.isnan(scalars[CORRECT]) else float(scalars[CORRECT]),
        learning_rate=float(scalars[RATE]),
        gradient_norm=float(scalars[GRADIENT_NORM]),
        layers=layers,
        steps=steps_of(experiment, len(layers)),
        inputs=_matrix(work, first.input, tape.batch, first.fan_in),
        targets=_frozen(buffers.targets.copy().reshape(tape.batch, -1)),
        sample_indices=_frozen(buffers.rows.copy()),
    )


def steps_of(experiment: Experiment, layers: int) -> tuple[Step, ...]:
    """Return the told moments of an iteration, in order.

    Parameters
    ----------
    experiment : Experiment
        Decides whether there is clipping.
    layers : int
        Number of layers that carry weights.

    Returns
    -------
    tuple of Step
        Forward from the first layer, the loss, backward from the head, clipping where it is asked for, then
        the updates.
    """
    steps: list[Step] = []
    for i in range(layers):
        steps.append(Step("forward", i, "linear", "pre_activation"))
        steps.append(Step("forward", i, "activation", "activation"))
    steps.append(Step("loss", None, "loss", "loss"))
    for i in reversed(range(layers)):
        steps.append(Step("backward", i, "activation_gradient", "activation_gradient"))
        steps.append(Step("backward", i, "delta", "delta"))
        steps.append(Step("backward", i, "weight_gradient", "weight_gradient"))
    if kind_of(experiment.training.clipping) != "none":
        steps.append(Step("clip", None, "clip", "clipped_gradient"))
    steps.extend(Step("update", i, "update", "update") for i in range(layers))
    return tuple(steps)


def _frozen(array: NDArray[Any]) -> NDArray[Any]:
    array.flags.writeable = False
    return array


def _matrix(flat: NDArray[Any], offset: int, rows: int, columns: int) -> NDArray[Any]:
    return flat[offset : offset + rows * columns].reshape(rows, columns)


def _tensors(
    tape: Tape,
    index: int,
    work: NDArray[Any],
    parameters: NDArray[Any],
    gradients: NDArray[Any],
    clipped: NDArray[Any],
    updates: NDArray[Any],
) -> dict[str, NDArray[Any]]:
    layout, batch = tape.layers[index], tape.batch
    tensors = {
        "input": _matrix(work, layout.input, batch, layout.fan_in),
        "pre_activation": _matrix(work, layout.pre_activation, batch, layout.fan_out),
        "activation": _matrix(work, layout.activation, batch, layout.fan_out),
        "activation_gradient": _matrix(work, layout.activation_gradient, batch, layout.fan_out),
        "delta": _matrix(work, layout.delta, batch, layout.fan_out),
        "input_gradient": _matrix(work, layout.input_gradient, batch, layout.fan_in),
    }
    tensors["output"] = tensors["activation"]
    tensors["output_gradient"] = tensors["activation_gradient"]
    for parameter in tape.parameters:
        if parameter.layer == index:
            part = slice(parameter.offset, parameter.offset + parameter.size)
            tensors[parameter.tensor] = parameters[part].reshape(parameter.shape)
            tensors[f"{parameter.tensor}_gradient"] = gradients[part].reshape(parameter.shape)
            tensors[f"{parameter.tensor}_clipped_gradient"] = clipped[part].reshape(parameter.shape)
            tensors[f"{parameter.tensor}_update"] = updates[part].reshape(parameter.shape)
    tensors["update"] = tensors["weight_update"]
    tensors["clipped_gradient"] = tensors["weight_clipped_gradient"]
    return tensors


def _slope(
    tape: Tape,
    program: Program,
    buffers: Buffers,
    parameters: NDArray[Any],
    scratch: NDArray[Any],
    index: int,
    iteration: int,
) -> NDArray[Any]:
    """φ'(z) by the same kernel and random numbers; for softmax the diagonal of its Jacobian, a (1 − a)."""
    layout = tape.layers[index]
    size = tape.batch * layout.fan_out
    z = buffers.work[layout.pre_activation : layout.pre_activation + size]
    a = scratch[layout.activation : layout.activation + size]
    slope = scratch[layout.delta : layout.delta + size]
    code = activation_code(kind_of(layout.spec.activation))
    constants = tape.constants[2 * index + 1]
    slopes = _prelu_slopes(tape, parameters, layout)
    activation_forward(
        program.addresses,
        code,
        z,
        a,
        slope,
        layout.fan_out,
        constants[PARAMETER_0],
        constants[PARAMETER_1],
        slopes,
        program.stream_keys[index],
        iteration * size,
        True,
        False,
        np.empty(ACCUMULATOR_SIZE),
        np.empty(5),
        np.empty(4, np.int32),
    )
    if kind_of(layout.spec.activation) == "softmax":
        slope[:] = a * (1 - a)
    return _frozen(slope.reshape(tape.batch, layout.fan_out))


def _prelu_slopes(tape: Tape, parameters: NDArray[Any], layout: DenseLayout) -> NDArray[Any]:
    for parameter in tape.parameters:
        if parameter.tensor == "prelu_slope" and tape.layers[parameter.layer] is layout:
            return parameters[parameter.offset : parameter.offset + parameter.size].copy()
    return np.empty(0, parameters.dtype)


def _statistics(sizes: NDArray[np.int64], statistics: Statistics, index: int) -> dict[str, TensorStatistics]:
    return {
        tensor: TensorStatistics.from_arrays(
            statistics.values[0, index, t], statistics.counts[0, index, t], int(sizes[index, t])
        )
        for t, tensor in enumerate(TENSORS)
    }


def tensor_sizes(tape: Tape) -> NDArray[np.int64]:
    """Return how many values each measured tensor has.

    Parameters
    ----------
    tape : Tape
        Compiled network.

    Returns
    -------
    ndarray of int64, shape (layers, tensors)
        Tensors in the order of ``trace.TENSORS``.
    """
    sizes = np.empty((len(tape.layers), len(TENSORS)), np.int64)
    for index, layout in enumerate(tape.layers):
        sizes[index, :4] = tape.batch * layout.fan_out
        sizes[index, 4:] = layout.fan_in * layout.fan_out
    return sizes
