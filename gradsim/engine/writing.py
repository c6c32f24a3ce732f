"""Writing a tape: one function per kind of layer appends its instructions. A new kind is a row of ``WRITERS``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from gradsim.engine import instructions as at
from gradsim.engine.activation_layer import DROPOUT
from gradsim.engine.activations import activation_code, activation_constants, maximal_slope
from gradsim.engine.memory import ALIGNMENT
from gradsim.engine.recurrent_cells import cell_code, workspace_size
from gradsim.engine.tape import LayerLayout, Parameter, Place, Tape, refuse_what_does_not_fit
from gradsim.spec import (
    Activation,
    ActivationLayer,
    Dense,
    Dropout,
    Experiment,
    Head,
    Normalization,
    PlacedLayer,
    Recurrent,
    Residual,
    SpecError,
    kind_of,
    placed_layers,
)
from gradsim.spec.activation import Prelu

FUSED_LOSSES = ("cross_entropy", "binary_cross_entropy")
"""Losses that take the pre-activation of the head, so that the delta is exact where the head saturates."""

METHOD_CODES = {"batch": 0, "layer": 1, "rms": 2}
CELL_GATES = {"simple": 1, "lstm": 4, "gru": 3}


class Signal(NamedTuple):
    """What flows from layer to layer: where its values and its gradient lie, and its shape."""

    values: int
    gradient: int
    width: int
    steps: int
    is_sequence: bool


class TapeWriter:
    """Collects the tables of a tape while layers are appended.

    Parameters
    ----------
    experiment : Experiment
        Decides the precision and the loss.
    outputs : int
        Units of the head.
    batch : int
        Samples in a batch.
    """

    def __init__(self, experiment: Experiment, outputs: int, batch: int) -> None:
        self.experiment = experiment
        self.outputs = outputs
        self.batch = batch
        self.align = ALIGNMENT // (8 if experiment.precision == "float64" else 4)
        self.work_size = 0
        self.parameter_size = 0
        self.instructions: list[list[int]] = []
        self.constants: list[tuple[float, float, float]] = []
        self.table: list[list[int]] = []
        self.rate_scales: list[float] = []
        self.layers: list[LayerLayout] = []
        self.parameters: list[Parameter] = []
        self.states: list[Parameter] = []
        self.numbered = 0

    def work(self, signal: Signal, columns: int) -> int:
        """Return the place of a new tensor with the rows of a signal."""
        return self.room(self.batch * signal.steps * columns)

    def room(self, count: int) -> int:
        """Return the place of ``count`` new elements of the work buffer, on a cache line."""
        offset = self.work_size
        self.work_size += -(-count // self.align) * self.align
        return offset

    def like(self, signal: Signal, width: int) -> Signal:
        """Return a new signal with the rows of another."""
        return signal._replace(
            values=self.work(signal, width), gradient=self.work(signal, width), width=width
        )

    def emit(self, constants: tuple[float, float, float] = (0.0, 0.0, 0.0), **columns: int) -> int:
        """Append an instruction given by the names of its columns; return its row."""
        row = [-1] * at.COLUMNS
        row[at.LAYER] = len(self.layers)
        for name in ("FUNCTION", "FUSED", "MEASURES_INPUT", "MEASURES_INPUT_GRADIENT"):
            row[getattr(at, name)] = 0
        for name, value in columns.items():
            row[getattr(at, name)] = value
        self.instructions.append(row)
        self.constants.append(constants)
        return len(self.instructions) - 1

    def parameter(
        self,
        placed: PlacedLayer,
        tensor: str,
        shape: tuple[int, ...],
        *,
        measured: bool = False,
        short: str = "",
    ) -> int:
        """Append a trained tensor of the layer that is being written; return its offset."""
        layer: Any = placed.layer
        new = self._stored(placed, tensor, shape, short)
        self.parameters.append(new)
        rows, columns = shape if len(shape) == 2 else (1, shape[0])
        self.table.append([new.offset, rows, columns, new.layer, int(measured), int(layer.trainable)])
        self.rate_scales.append(layer.learning_rate_scale)
        return new.offset

    def state(self, placed: PlacedLayer, tensor: str, shape: tuple[int, ...]) -> int:
        """Append a tensor that is kept with the parameters but not trained; return its offset."""
        new = self._stored(placed, tensor, shape, "")
        self.states.append(new)
        return new.offset

    def _stored(self, placed: PlacedLayer, tensor: str, shape: tuple[int, ...], short: str) -> Parameter:
        offset = self.parameter_size
        self.parameter_size += -(-int(np.prod(shape)) // self.align) * self.align
        return Parameter(f"{placed.name}.{short or tensor}", tensor, len(self.layers), offset, shape)

    def close(
        self,
        placed: PlacedLayer,
        source: Signal,
        result: Signal,
        tensors: dict[str, Place],
        *,
        measured: dict[str, int],
        kind: str = "",
        numbered: bool = False,
        activation_row: int | None = None,
    ) -> None:
        """Finish the layer that is being written.

        Sizes of what is measured are given in values per row, those of weights as they are.
        """
        self.numbered += numbered
        rows = self.batch * result.steps
        self.layers.append(
            LayerLayout(
                name=placed.name,
                kind=kind or kind_of(placed.layer),  # type: ignore[arg-type]
                spec=placed.layer,
                number=self.numbered if numbered else None,
                fan_in=source.width,
                fan_out=result.width,
                steps=result.steps,
                is_sequence=result.is_sequence,
                tensors={
                    "input": Place(source.values, source.width),
                    "input_gradient": Place(source.gradient, source.width),
                    "output": Place(result.values, result.width),
                    "output_gradient": Place(result.gradient, result.width),
                }
                | tensors,
                measured={
                    name: size if name in ("weight", "weight_gradient", "update") else size * rows
                    for name, size in measured.items()
                },
                activation_row=activation_row,
            )
        )


def _weights(size: int) -> dict[str, int]:
    return {"weight_gradient": size, "update": size, "weight": size}


def _write_normalization(
    tape: TapeWriter, placed: PlacedLayer, spec: Normalization, source: Signal, *, measures: bool
) -> tuple[Signal, dict[str, Place]]:
    """x̂ · gamma + beta, as a layer of its own or inside a dense one; gamma is measured in the former."""
    result = tape.like(source, source.width)
    width = source.width
    gamma = tape.parameter(placed, "gamma", (width,), measured=measures) if spec.affine else -1
    beta = tape.parameter(placed, "beta", (width,)) if spec.affine and spec.method != "rms" else -1
    normalized = tape.work(source, width)
    saved = width if spec.method == "batch" else tape.batch * source.steps
    running = [-1, -1]
    if spec.method == "batch":
        running = [tape.state(placed, name, (width,)) for name in ("running_mean", "running_variance")]
    tape.emit(
        (spec.eps, spec.momentum, 0.0),
        OPCODE=at.OP_NORMALIZATION,
        STEPS=source.steps,
        FAN_IN=width,
        FAN_OUT=width,
        INPUT=source.values,
        OUTPUT=result.values,
        INPUT_GRADIENT=source.gradient,
        OUTPUT_GRADIENT=result.gradient,
        WEIGHT=gamma,
        BIAS=beta,
        FUNCTION=METHOD_CODES[spec.method],
        MEASURES_INPUT=int(measures),
        MEASURES_INPUT_GRADIENT=1,
        NORMALIZED=normalized,
        MEAN=tape.room(saved),
        INVERSE_SD=tape.room(saved),
        RUNNING_MEAN=running[0],
        RUNNING_VARIANCE=running[1],
    )
    places = {"normalized": Place(normalized, width)}
    return result, places


def _write_activation(
    tape: TapeWriter,
    placed: PlacedLayer,
    spec: Activation,
    source: Signal,
    *,
    fused: bool = False,
    measures_input: bool = False,
    measures_gradient: bool = True,
) -> tuple[Signal, int]:
    """A = φ(z); φ' and then the gradient of z lie in the gradient of the source."""
    result = tape.like(source, source.width)
    slopes, count = -1, 0
    if isinstance(spec, Prelu):
        count = source.width if spec.per == "unit" else 1
        slopes = tape.parameter(placed, "prelu_slope", (count,), short="slope")
    p0, p1 = activation_constants(spec)
    row = tape.emit(
        (p0, p1, maximal_slope(spec)),
        OPCODE=at.OP_ACTIVATION,
        STEPS=source.steps,
        FAN_IN=source.width,
        FAN_OUT=source.width,
        INPUT=source.values,
        OUTPUT=result.values,
        INPUT_GRADIENT=source.gradient,
        OUTPUT_GRADIENT=result.gradient,
        WEIGHT=slopes,
        FUNCTION=activation_code(kind_of(spec)),
        FUSED=int(fused),
        MEASURES_INPUT=int(measures_input),
        MEASURES_INPUT_GRADIENT=int(measures_gradient),
        SLOPES_SIZE=count,
    )
    return result, row


def write_dense(tape: TapeWriter, placed: PlacedLayer, source: Signal) -> Signal:
    """Z = x @ W + b, normalized or not, a = φ(z)."""
    layer = placed.layer
    assert isinstance(layer, Dense | Head)
    units = tape.outputs if isinstance(layer, Head) else layer.units
    weight = tape.parameter(placed, "weight", (source.width, units), measured=True)
    bias = tape.parameter(placed, "bias", (units,)) if layer.bias else -1
    z = tape.like(source, units)
    tape.emit(
        OPCODE=at.OP_LINEAR,
        STEPS=source.steps,
        FAN_IN=source.width,
        FAN_OUT=units,
        INPUT=source.values,
        OUTPUT=z.values,
        INPUT_GRADIENT=source.gradient,
        OUTPUT_GRADIENT=z.gradient,
        WEIGHT=weight,
        BIAS=bias,
    )
    tensors = {"pre_activation": Place(z.values, units), "delta": Place(z.gradient, units)}
    before = z
    if layer.normalization is not None:
        before, places = _write_normalization(tape, placed, layer.normalization, z, measures=False)
        tensors |= places | {"normalized_gradient": Place(before.gradient, units)}
        tensors["scaled"] = Place(before.values, units)
    fused = isinstance(layer, Head) and tape.experiment.training.loss in FUSED_LOSSES
    result, row = _write_activation(
        tape, placed, layer.activation, before, fused=fused, measures_gradient=layer.normalization is None
    )
    tensors |= {
        "activation": Place(result.values, units),
        "activation_gradient": Place(result.gradient, units),
    }
    every = dict.fromkeys(("pre_activation", "activation", "activation_gradient", "delta"), units)
    tape.close(
        placed,
        source,
        result,
        tensors,
        measured=every | _weights(source.width * units),
        kind="dense",
        numbered=True,
        activation_row=row,
    )
    return result


_EITHER_SIDE = ("pre_activation", "activation", "activation_gradient", "delta")
"""What is measured of a layer without weights: its input, its output, and the gradients of both."""


def _sides(source: Signal, result: Signal) -> dict[str, Place]:
    return {
        "pre_activation": Place(source.values, source.width),
        "activation": Place(result.values, result.width),
        "activation_gradient": Place(result.gradient, result.width),
        "delta": Place(source.gradient, source.width),
    }


def write_normalization(tape: TapeWriter, placed: PlacedLayer, source: Signal) -> Signal:
    """A normalization as a layer of its own."""
    spec = placed.layer
    assert isinstance(spec, Normalization)
    result, places = _write_normalization(tape, placed, spec, source, measures=True)
    measured = dict.fromkeys(_EITHER_SIDE, source.width) | (_weights(source.width) if spec.affine else {})
    tape.close(placed, source, result, _sides(source, result) | places, measured=measured)
    return result


def write_activation(tape: TapeWriter, placed: PlacedLayer, source: Signal) -> Signal:
    """An activation as a layer of its own."""
    assert isinstance(placed.layer, ActivationLayer)
    result, row = _write_activation(tape, placed, placed.layer.activation, source, measures_input=True)
    measured = dict.fromkeys(_EITHER_SIDE, source.width)
    tape.close(placed, source, result, _sides(source, result), measured=measured, activation_row=row)
    return result


def write_dropout(tape: TapeWriter, placed: PlacedLayer, source: Signal) -> Signal:
    """Dropout: an activation with a random slope, 0 or 1 / (1 − rate)."""
    assert isinstance(placed.layer, Dropout)
    result = tape.like(source, source.width)
    row = tape.emit(
        (placed.layer.rate, 0.0, 1.0),
        OPCODE=at.OP_ACTIVATION,
        STEPS=source.steps,
        FAN_IN=source.width,
        FAN_OUT=source.width,
        INPUT=source.values,
        OUTPUT=result.values,
        INPUT_GRADIENT=source.gradient,
        OUTPUT_GRADIENT=result.gradient,
        FUNCTION=DROPOUT,
        MEASURES_INPUT=1,
        MEASURES_INPUT_GRADIENT=1,
        SLOPES_SIZE=0,
    )
    measured = dict.fromkeys(_EITHER_SIDE, source.width)
    tape.close(placed, source, result, _sides(source, result), measured=measured, activation_row=row)
    return result


def write_residual(tape: TapeWriter, placed: PlacedLayer, source: Signal) -> Signal:
    """Out = skip + α · branch(x), where skip is x or its projection."""
    spec = placed.layer
    assert isinstance(spec, Residual)
    begin = tape.emit(OPCODE=at.OP_RESIDUAL_BEGIN)
    entrance = source._replace(gradient=tape.work(source, source.width))
    branch = entrance
    for inner in placed.branch:
        branch = WRITERS[type(inner.layer)](tape, inner, branch)
    if branch.steps != source.steps:
        raise SpecError(
            placed.path, "expected a branch that keeps the time steps, got one that ends with the last"
        )
    weight, skip, skip_gradient = -1, source.values, -1
    result = tape.like(branch, branch.width)
    tensors = _sides(source, result) | {
        "branch": Place(branch.values, branch.width),
        "branch_gradient": Place(branch.gradient, branch.width),
        "branch_input_gradient": Place(entrance.gradient, source.width),
    }
    measured = {
        "pre_activation": branch.width,
        "activation": result.width,
        "activation_gradient": result.width,
        "delta": source.width,
    }
    tensors["pre_activation"] = tensors["branch"]
    if branch.width != source.width:
        if spec.projection is None:
            raise SpecError(
                f"{placed.path}.projection",
                f"expected a rule for the weights of the skip, because the branch turns {source.width} units "
                f"into {branch.width}, got none",
            )
        weight = tape.parameter(placed, "projection", (source.width, branch.width), measured=True)
        skip = tape.work(source, branch.width)
        skip_gradient = tape.work(source, source.width)
        tensors |= {
            "skip": Place(skip, branch.width),
            "skip_gradient": Place(skip_gradient, source.width),
        }
        measured |= _weights(source.width * branch.width)
    scale = tape.parameter(placed, "scale", (1,)) if spec.train_scale else -1
    shared = {
        "STEPS": source.steps,
        "FAN_IN": source.width,
        "FAN_OUT": branch.width,
        "INPUT": source.values,
        "OUTPUT": result.values,
        "INPUT_GRADIENT": source.gradient,
        "OUTPUT_GRADIENT": result.gradient,
        "WEIGHT": weight,
        "BIAS": scale,
        "MEASURES_INPUT": 1,
        "MEASURES_INPUT_GRADIENT": 1,
        "BRANCH": branch.values,
        "SKIP": skip,
        "SKIP_GRADIENT": skip_gradient,
    }
    for name, value in (shared | {"LAYER": len(tape.layers), "BRANCH_GRADIENT": entrance.gradient}).items():
        tape.instructions[begin][getattr(at, name)] = value
    tape.emit((spec.scale, 0.0, 0.0), OPCODE=at.OP_RESIDUAL_END, **shared, BRANCH_GRADIENT=branch.gradient)
    tape.close(placed, source, result, tensors, measured=measured)
    return result


def write_recurrent(tape: TapeWriter, placed: PlacedLayer, source: Signal) -> Signal:
    """A recurrent layer: hidden states of all time steps; the last or all of them go on."""
    spec = placed.layer
    assert isinstance(spec, Recurrent)
    if not source.is_sequence:
        raise SpecError(
            placed.path,
            "expected a sequence before a recurrent layer: data with time steps, or a recurrent layer whose "
            "return_sequences is on",
        )
    units, gates = spec.units, CELL_GATES[spec.cell]
    weight = tape.parameter(placed, "input_weight", (source.width, gates * units))
    recurrent = tape.parameter(placed, "recurrent_weight", (units, gates * units), measured=True)
    bias = tape.parameter(placed, "bias", (gates * units,)) if spec.bias else -1
    second = -1
    if spec.bias and spec.cell == "gru" and spec.reset_after:
        second = tape.parameter(placed, "recurrent_bias", (gates * units,))
    cell = cell_code(spec.cell, spec.reset_after)
    state = tape.batch * units
    z, delta = tape.work(source, gates * units), tape.work(source, gates * units)
    values = tape.work(source, gates * units) if gates > 1 else -1
    hidden = tape.room(state + tape.batch * source.steps * units) + state
    hidden_gradient = tape.work(source, units)
    memory = memory_gradient = -1
    if spec.cell == "lstm":
        memory = tape.room(state + tape.batch * source.steps * units) + state
        memory_gradient = tape.work(source, units)
    # What the layers above hand down has a place of its own, so that the total over time does not cover it.
    result = Signal(hidden, tape.work(source, units), units, source.steps, True)
    if not spec.return_sequences:
        result = Signal(tape.room(state), tape.room(state), units, 1, False)
    size = workspace_size(cell, source.steps, tape.batch, source.width, units)
    tape.emit(
        OPCODE=at.OP_RECURRENT,
        STEPS=source.steps,
        FAN_IN=source.width,
        FAN_OUT=units,
        INPUT=source.values,
        OUTPUT=result.values,
        INPUT_GRADIENT=source.gradient,
        OUTPUT_GRADIENT=result.gradient,
        WEIGHT=weight,
        BIAS=bias,
        FUNCTION=cell,
        RECURRENT_WEIGHT=recurrent,
        RECURRENT_BIAS=second,
        Z=z,
        GATES=values,
        GATE_DELTA=delta,
        HIDDEN=hidden,
        HIDDEN_GRADIENT=hidden_gradient,
        CELL=memory,
        CELL_GRADIENT=memory_gradient,
        WORKSPACE=tape.room(size),
        WORKSPACE_SIZE=size,
        TRUNCATION=spec.truncation,
        CELL_FUNCTION=activation_code(spec.activation),
    )
    tensors = {
        "pre_activation": Place(z, gates * units),
        "delta": Place(delta, gates * units),
        "activation": Place(hidden, units),
        "activation_gradient": Place(hidden_gradient, units),
        "hidden": Place(hidden, units),
        "hidden_gradient": Place(hidden_gradient, units),
    }
    if gates > 1:
        tensors["gates"] = Place(values, gates * units)
    if spec.cell == "lstm":
        tensors |= {"cell": Place(memory, units), "cell_gradient": Place(memory_gradient, units)}
    measured = {"pre_activation": gates * units, "delta": gates * units}
    measured |= {"activation": units, "activation_gradient": units} | _weights(units * gates * units)
    every_step = (
        result if spec.return_sequences else Signal(hidden, hidden_gradient, units, source.steps, True)
    )
    tape.close(placed, source, every_step, tensors, measured=measured, numbered=True)
    return result


WRITERS: dict[type[Any], Callable[[TapeWriter, PlacedLayer, Signal], Signal]] = {
    Dense: write_dense,
    Head: write_dense,
    Normalization: write_normalization,
    ActivationLayer: write_activation,
    Dropout: write_dropout,
    Residual: write_residual,
    Recurrent: write_recurrent,
}


def compile_network(experiment: Experiment, features: int, outputs: int, batch: int, steps: int = 0) -> Tape:
    """Flatten the network of an experiment into a tape.

    Parameters
    ----------
    experiment : Experiment
        What was asked for.
    features, outputs : int
        Width of the data's inputs and of the head.
    batch : int
        Samples in a batch.
    steps : int, default 0
        Time steps of a sample; 0 where the data have none.

    Returns
    -------
    Tape
        Tables only; no buffer is allocated.

    Raises
    ------
    SpecError
        If names repeat, widths or time steps do not fit, or the buffers would not.
    """
    tape = TapeWriter(experiment, outputs, batch)
    count = max(1, steps)
    size = batch * count * features
    signal = Signal(tape.room(size), tape.room(size), features, count, steps > 0)
    for placed in placed_layers(experiment.network):
        signal = WRITERS[type(placed.layer)](tape, placed, signal)
    compiled = Tape(
        np.array(tape.instructions, np.int64),
        np.array(tape.constants, np.float64),
        np.array(tape.table, np.int64),
        np.array(tape.rate_scales, np.float64),
        tuple(tape.layers),
        tuple(tape.parameters),
        tuple(tape.states),
        tape.work_size,
        tape.parameter_size,
        batch,
        steps,
    )
    refuse_what_does_not_fit(compiled, experiment)
    return compiled
