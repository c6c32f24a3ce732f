"""Writing a tape: recurrent layers."""

from __future__ import annotations

from gradsim.engine import instructions as at
from gradsim.engine.activations import activation_code
from gradsim.engine.recurrent_cells import cell_code, workspace_size
from gradsim.engine.tape import Place
from gradsim.engine.tape_writer import Signal, TapeWriter, weight_sizes
from gradsim.spec import PlacedLayer, Recurrent, SpecError

CELL_GATES = {"simple": 1, "lstm": 4, "gru": 3}


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
    measured |= {"activation": units, "activation_gradient": units} | weight_sizes(units * gates * units)
    every_step = (
        result if spec.return_sequences else Signal(hidden, hidden_gradient, units, source.steps, True)
    )
    tape.close(placed, source, every_step, tensors, measured=measured, numbered=True)
    return result
