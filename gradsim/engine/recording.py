"""From the flat buffers of one iteration to the records people read."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gradsim.engine.activation_layer import activation_forward
from gradsim.engine.activations import SOFTMAX
from gradsim.engine.instructions import (
    FAN_IN,
    FAN_OUT,
    FUNCTION,
    INPUT,
    P_IS_MEASURED,
    PARAMETER_0,
    PARAMETER_1,
    SLOPES,
    SLOPES_SIZE,
)
from gradsim.engine.program import (
    CORRECT,
    GRADIENT_NORM,
    LOSS,
    LOSS_SCALE,
    RATE,
    Buffers,
    Program,
    Statistics,
)
from gradsim.engine.statistics import ACCUMULATOR_SIZE
from gradsim.engine.tape import LayerLayout, Place, Tape, tensor_sizes
from gradsim.spec import Experiment, kind_of
from gradsim.trace import TENSORS, IterationTrace, LayerTrace, Rounding, Step, TensorStatistics


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
    flats = _Flats(work, _frozen(parameters), gradients, clipped, _frozen(buffers.updates.copy()))
    sizes = tensor_sizes(tape)
    layers = tuple(
        LayerTrace(
            name=layout.name,
            kind=layout.kind,
            index=index,
            number=layout.number,
            activation_kind=_activation_kind(layout),
            fan_in=layout.fan_in,
            fan_out=layout.fan_out,
            tensors=MappingProxyType(
                _tensors(tape, index, flats) | _slope(tape, program, flats, index, iteration)
            ),
            statistics=MappingProxyType(_statistics(sizes, statistics, index)),
            saturation=float(statistics.saturation[0, index])
            if layout.activation_row is not None
            else float("nan"),
            rounding=Rounding(*(int(count) for count in statistics.rounded[0, index])),
        )
        for index, layout in enumerate(tape.layers)
    )
    scalars = statistics.scalars[0]
    head = tape.layers[-1]
    features = int(tape.instructions[0, FAN_IN])
    return IterationTrace(
        experiment=experiment,
        iteration=iteration,
        loss=float(scalars[LOSS]),
        accuracy=None if np.isnan(scalars[CORRECT]) else float(scalars[CORRECT]),
        learning_rate=float(scalars[RATE]),
        gradient_norm=float(scalars[GRADIENT_NORM]),
        layers=layers,
        steps=steps_of(experiment, tape),
        inputs=_array(
            tape, work, Place(int(tape.instructions[0, INPUT]), features), max(1, tape.steps), tape.steps > 0
        ),
        targets=_array(
            tape, _frozen(buffers.targets.copy()), Place(0, head.fan_out), head.steps, head.is_sequence
        ),
        sample_indices=_frozen(buffers.rows.copy()),
        loss_scale=float(scalars[LOSS_SCALE]),
    )


def steps_of(experiment: Experiment, tape: Tape) -> tuple[Step, ...]:
    """Return the told moments of an iteration, in order.

    Parameters
    ----------
    experiment : Experiment
        Decides whether there is clipping.
    tape : Tape
        Decides the layers.

    Returns
    -------
    tuple of Step
        Forward from the first layer, the loss, backward from the head, clipping where it is asked for, then
        the updates of the layers that have parameters. A recurrent layer goes through its time steps, forwards
        from the first, backwards from the last.
    """
    steps: list[Step] = []
    for i, layer in enumerate(tape.layers):
        if layer.kind == "recurrent":
            steps += [Step("forward", i, "recurrent", "hidden", time) for time in range(layer.steps)]
        steps += [Step("forward", i, operation, tensor) for operation, tensor in FORWARD_STEPS[layer.kind]]
    steps.append(Step("loss", None, "loss", "loss"))
    for i, layer in reversed(list(enumerate(tape.layers))):
        steps.append(Step("backward", i, "activation_gradient", "activation_gradient"))
        if layer.kind == "recurrent":
            times = reversed(range(layer.steps))
            steps += [Step("backward", i, "recurrent", "hidden_gradient", time) for time in times]
        steps.append(Step("backward", i, "delta", "delta"))
        if "weight" in layer.measured:
            steps.append(Step("backward", i, "weight_gradient", "weight_gradient"))
    if kind_of(experiment.training.clipping) != "none":
        steps.append(Step("clip", None, "clip", "clipped_gradient"))
    trained = {parameter.layer for parameter in tape.parameters}
    steps.extend(Step("update", i, "update", "update") for i in range(len(tape.layers)) if i in trained)
    return tuple(steps)


FORWARD_STEPS: dict[str, tuple[tuple[str, str], ...]] = {
    "dense": (("linear", "pre_activation"), ("activation", "activation")),
    "recurrent": (("activation", "activation"),),
    "normalization": (("normalization", "activation"),),
    "activation": (("activation", "activation"),),
    "dropout": (("dropout", "activation"),),
    "residual": (("residual", "activation"),),
}
"""What a kind of layer does on the way forward, and the tensor that exists from then on."""


class _Flats(NamedTuple):
    """The copied buffers that the arrays of a record are views into."""

    work: NDArray[Any]
    parameters: NDArray[Any]
    gradients: NDArray[Any]
    clipped: NDArray[Any]
    updates: NDArray[Any]


def _frozen(array: NDArray[Any]) -> NDArray[Any]:
    array.flags.writeable = False
    return array


def _array(tape: Tape, flat: NDArray[Any], place: Place, steps: int, is_sequence: bool) -> NDArray[Any]:
    """A tensor as people read it: (batch, columns), or (batch, time, columns) where it has steps of time."""
    count = tape.batch * steps * place.columns
    array = flat[place.offset : place.offset + count].reshape(steps, tape.batch, place.columns)
    return array.transpose(1, 0, 2) if is_sequence else array[0]


def _activation_kind(layout: LayerLayout) -> str:
    spec: Any = layout.spec
    chosen = getattr(spec, "activation", None)
    if isinstance(chosen, str):
        return chosen if spec.cell == "simple" else "tanh"
    return "linear" if chosen is None else kind_of(chosen)


def _tensors(tape: Tape, index: int, flats: _Flats) -> dict[str, NDArray[Any]]:
    layout = tape.layers[index]
    tensors = {
        name: _array(tape, flats.work, place, layout.steps, layout.is_sequence)
        for name, place in layout.tensors.items()
    }
    measured = ""
    for row, parameter in zip(tape.parameter_table, tape.parameters, strict=True):
        if parameter.layer == index:
            part, shape, name = parameter.part, parameter.shape, parameter.tensor
            measured = name if row[P_IS_MEASURED] else measured
            tensors[name] = flats.parameters[part].reshape(shape)
            tensors[f"{name}_gradient"] = flats.gradients[part].reshape(shape)
            tensors[f"{name}_clipped_gradient"] = flats.clipped[part].reshape(shape)
            tensors[f"{name}_update"] = flats.updates[part].reshape(shape)
    for state in tape.states:
        if state.layer == index:
            tensors[state.tensor] = flats.parameters[state.part].reshape(state.shape)
    if measured:
        tensors["weight"] = tensors[measured]
        tensors["weight_gradient"] = tensors[f"{measured}_gradient"]
        tensors["update"] = tensors[f"{measured}_update"]
        tensors["clipped_gradient"] = tensors[f"{measured}_clipped_gradient"]
    return tensors


def _slope(
    tape: Tape, program: Program, flats: _Flats, index: int, iteration: int
) -> dict[str, NDArray[Any]]:
    """φ'(z) by the same kernel and random numbers; for softmax the diagonal of its Jacobian, a (1 − a)."""
    layout = tape.layers[index]
    if layout.activation_row is None:
        return {}
    row = tape.instructions[layout.activation_row]
    constants = tape.constants[layout.activation_row]
    size = tape.batch * layout.steps * layout.fan_out
    z = flats.work[row[INPUT] : row[INPUT] + size].copy()
    a, slope = np.empty_like(z), np.empty_like(z)
    activation_forward(
        program.addresses,
        row[FUNCTION],
        z,
        a,
        slope,
        row[FAN_OUT],
        constants[PARAMETER_0],
        constants[PARAMETER_1],
        flats.parameters[row[SLOPES] : row[SLOPES] + row[SLOPES_SIZE]].copy(),
        program.stream_keys[index],
        iteration * size,
        True,
        False,
        np.empty(ACCUMULATOR_SIZE),
        np.empty(5),
        np.empty(4, np.int32),
    )
    if row[FUNCTION] == SOFTMAX:
        slope[:] = a * (1 - a)
    place = Place(0, layout.fan_out)
    return {"slope": _array(tape, _frozen(slope), place, layout.steps, layout.is_sequence)}


def _statistics(sizes: NDArray[np.int64], statistics: Statistics, index: int) -> dict[str, TensorStatistics]:
    return {
        tensor: TensorStatistics.from_arrays(
            statistics.values[0, index, t], statistics.counts[0, index, t], int(sizes[index, t])
        )
        for t, tensor in enumerate(TENSORS)
        if sizes[index, t]
    }
