"""Writing a tape: dense layers and what acts on single values or rows, normalization, activation, dropout."""

from __future__ import annotations

from gradsim.engine import instructions as at
from gradsim.engine.activation_layer import DROPOUT
from gradsim.engine.activations import activation_code, activation_constants, maximal_slope
from gradsim.engine.tape import Place
from gradsim.engine.tape_writer import EITHER_SIDE, Signal, TapeWriter, either_side, weight_sizes
from gradsim.spec import (
    Activation,
    ActivationLayer,
    Dense,
    Dropout,
    Head,
    Normalization,
    PlacedLayer,
    kind_of,
)
from gradsim.spec.activation import Prelu
from gradsim.spec.method import Pretraining

FUSED_LOSSES = ("cross_entropy", "binary_cross_entropy")
"""Losses that take the pre-activation of the head, so that the delta is exact where the head saturates."""

METHOD_CODES = {"batch": 0, "layer": 1, "rms": 2}


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
    if isinstance(layer, Dense) and isinstance(tape.experiment.training.method, Pretraining):
        _plan_decoder(tape, placed, source, result)
    every = dict.fromkeys(("pre_activation", "activation", "activation_gradient", "delta"), units)
    tape.close(
        placed,
        source,
        result,
        tensors,
        measured=every | weight_sizes(source.width * units),
        kind="dense",
        numbered=True,
        activation_row=row,
    )
    return result


def _plan_decoder(tape: TapeWriter, placed: PlacedLayer, source: Signal, result: Signal) -> None:
    """Make room for the linear map that restores the input of a layer in its phase of pretraining."""
    restored = tape.like(source, source.width)
    tape.decoders.append(
        {
            "OPCODE": at.OP_LINEAR,
            "LAYER": len(tape.layers),
            "STEPS": source.steps,
            "FAN_IN": result.width,
            "FAN_OUT": source.width,
            "INPUT": result.values,
            "OUTPUT": restored.values,
            "INPUT_GRADIENT": result.gradient,
            "OUTPUT_GRADIENT": restored.gradient,
            "WEIGHT": tape.parameter(placed, "decoder_weight", (result.width, source.width)),
            "BIAS": tape.parameter(placed, "decoder_bias", (source.width,)),
        }
    )


def write_normalization(tape: TapeWriter, placed: PlacedLayer, source: Signal) -> Signal:
    """A normalization as a layer of its own."""
    spec = placed.layer
    assert isinstance(spec, Normalization)
    result, places = _write_normalization(tape, placed, spec, source, measures=True)
    measured = dict.fromkeys(EITHER_SIDE, source.width) | (weight_sizes(source.width) if spec.affine else {})
    tape.close(placed, source, result, either_side(source, result) | places, measured=measured)
    return result


def write_activation(tape: TapeWriter, placed: PlacedLayer, source: Signal) -> Signal:
    """An activation as a layer of its own."""
    assert isinstance(placed.layer, ActivationLayer)
    result, row = _write_activation(tape, placed, placed.layer.activation, source, measures_input=True)
    measured = dict.fromkeys(EITHER_SIDE, source.width)
    tape.close(placed, source, result, either_side(source, result), measured=measured, activation_row=row)
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
    measured = dict.fromkeys(EITHER_SIDE, source.width)
    tape.close(placed, source, result, either_side(source, result), measured=measured, activation_row=row)
    return result
