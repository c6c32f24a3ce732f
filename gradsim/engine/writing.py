"""Writing a tape: one function per kind of layer appends its instructions. A new kind is a row of ``WRITERS``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gradsim.engine import instructions as at
from gradsim.engine.tape import Place, Tape, refuse_what_does_not_fit
from gradsim.engine.tape_writer import Signal, TapeWriter, either_side, weight_sizes
from gradsim.engine.writing_dense import write_activation, write_dense, write_dropout, write_normalization
from gradsim.engine.writing_recurrent import write_recurrent
from gradsim.spec import (
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
    placed_layers,
)


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
    tensors = either_side(source, result) | {
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
        measured |= weight_sizes(source.width * branch.width)
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
    if tape.unused_groups:
        index = min(tape.unused_groups)
        known = ", ".join(parameter.name for parameter in tape.parameters)
        raise SpecError(
            f"$.training.groups[{index}].parameters",
            f"expected names of parameters, got {experiment.training.groups[index].parameters!r}, which fits none of "
            f"{known}",
        )
    operations = len(tape.instructions)
    for decoder in tape.decoders:
        tape.emit(**decoder)
    compiled = Tape(
        np.array(tape.instructions, np.int64),
        np.array(tape.constants, np.float64),
        np.array(tape.table, np.int64),
        np.array(tape.rate_scales, np.float64),
        np.array(tape.decay_scales, np.float64),
        tuple(tape.layers),
        tuple(tape.parameters),
        tuple(tape.states),
        tape.work_size,
        tape.parameter_size,
        batch,
        steps,
        operations,
        tuple(decoder["LAYER"] for decoder in tape.decoders),
    )
    refuse_what_does_not_fit(compiled, experiment)
    return compiled
