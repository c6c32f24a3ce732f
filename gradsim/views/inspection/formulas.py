"""The step under the cursor as a formula, and with the numbers of one sample, step of time and unit filled in.

One function for each operation, found by its name in ``_TELLERS``. Every result is the recorded number, not
one computed here again; only means and sums of terms that are not written out are taken here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from gradsim.analysis import residual_blocks
from gradsim.trace import IterationTrace, LayerTrace, Step
from gradsim.views.inspection.between import (
    dropout_formula,
    normalization_formula,
    normalization_gradient,
    residual_formula,
    residual_gradient,
    slope_formula,
)
from gradsim.views.inspection.formula import (
    Formula,
    Place,
    Told,
    ended,
    means_words,
    number_at,
    row_at,
    spec_of,
    when,
)
from gradsim.views.inspection.losses import loss_formula, loss_gradient_formula
from gradsim.views.inspection.marked_number import told
from gradsim.views.inspection.nonlinearities import slope_text, value_at, value_text
from gradsim.views.inspection.recurrent import (
    delta_formulas,
    hidden_gradient_formulas,
    recurrent_formulas,
    weight_gradient_formulas,
)
from gradsim.views.inspection.sums import added, factor_text, product_text, sum_of_products
from gradsim.views.inspection.updates import clip_formula, update_formula, weight_place


def formulas_at(trace: IterationTrace, step: Step, layer: int, place: Place) -> tuple[Formula, ...]:
    """Return the formulas of a step for a layer.

    Parameters
    ----------
    trace : IterationTrace
        The iteration.
    step : Step
        What is done.
    layer : int
        Index of the layer to fill in, which need not be that of the step.
    place : Place
        Sample, unit, source and step of time; beyond the end the last one is taken. A step of the iteration
        that is one of time brings its own.

    Returns
    -------
    tuple of Formula
        At least one; a single sentence without numbers for an operation not known here.
    """
    teller = _TELLERS.get(step.operation)
    if step.operation == "recurrent" and step.phase == "backward":
        teller = _hidden_gradient
    here = trace.layers[layer]
    place = Place(
        None if place.sample is None else min(place.sample, len(trace.inputs) - 1),
        min(place.unit, here.fan_out - 1),
        min(place.source, here.fan_in - 1),
        place.time if step.time is None else step.time,
    )
    if teller is None:
        return (Formula(step.operation, ""),)
    formulas = teller(trace, here, place)
    if not place.is_mean or step.operation in (*WEIGHTS, "loss"):  # those are about the whole batch anyway
        return formulas
    return tuple(
        replace(one, told="; ".join(part for part in (one.told, means_words(trace, one)) if part))
        for one in formulas
    )


def activation_words(trace: IterationTrace, layer: int) -> str:
    """Return the definition of a layer's activation, such as ``φ(z) = tanh z``."""
    spec: Any = spec_of(trace, trace.layers[layer]).activation
    if isinstance(spec, str):
        return f"φ is {spec}"
    return (type(spec).__doc__ or "").split("\n")[0].split("; ")[0].rstrip(".")


def _linear(_trace: IterationTrace, layer: LayerTrace, place: Place) -> tuple[Formula, ...]:
    step = place.step_of(layer)
    text, _written = sum_of_products(row_at(layer.input, place.sample, step), layer.weight[:, place.unit])
    symbols = "z = Σᵢ xᵢ Wᵢ"
    if "bias" in layer.tensors:
        text, symbols = added(text, float(layer.bias[place.unit])), "z = Σᵢ xᵢ Wᵢ + b"
    total = told(number_at(layer.pre_activation, place.sample, place.unit, step))
    note = f"the linear map: every input times its weight{when(layer, place)}"
    return (Formula(symbols, f"z = {text} = {total}", note),)


def _activation(trace: IterationTrace, layer: LayerTrace, place: Place) -> tuple[Formula, ...]:
    formulas, step = [], place.step_of(layer)
    z = number_at(layer.pre_activation, place.sample, place.unit, step)
    if "scaled" in layer.tensors:
        formulas.append(Formula(*normalization_formula(trace, layer, place)))
        z = number_at(layer.scaled, place.sample, place.unit, step)
    a = number_at(layer.activation, place.sample, place.unit, step)
    spec = spec_of(trace, layer).activation
    if layer.activation_kind == "softmax":
        row = np.asarray(
            row_at(layer.tensors.get("scaled", layer.pre_activation), place.sample, step), np.float64
        )
        with np.errstate(all="ignore"):
            value = float(1.0 / np.exp(row - z).sum())
        filled = ended(f"a = exp({told(z)}) / Σⱼ exp zⱼ", value, a, place)
    else:
        text = value_text(layer, spec, z, place.unit)
        filled = ended(f"a = {text}", value_at(layer, spec, z, place.unit), a, place)
    symbols = "a = φ(y)" if formulas else "a = φ(z)"
    words = activation_words(trace, layer.index) + when(layer, place)
    return (*formulas, Formula(symbols, filled, words))


def _loss(trace: IterationTrace, _layer: LayerTrace, place: Place) -> tuple[Formula, ...]:
    symbols, filled, note = loss_formula(trace, place.sample, place.step_of(trace.layers[-1]))
    return (Formula(symbols, filled, note),)


def _activation_gradient(trace: IterationTrace, layer: LayerTrace, place: Place) -> tuple[Formula, ...]:
    if layer.kind == "recurrent" and not spec_of(trace, layer).return_sequences:
        place = replace(place, time=None)  # only the last step is handed on, and gets anything from above
    step = place.step_of(layer)
    # Of a recurrent layer the part that comes from above; what comes from later steps is told step by step.
    result = told(number_at(layer.output_gradient, place.sample, place.unit, step))
    if layer.index == len(trace.layers) - 1:
        symbols, numbers, value = loss_gradient_formula(trace, place.sample, place.unit, place.step_of(layer))
        filled = f"∂L/∂a = {numbers} = {result}"
        if value is not None:  # of means, and not linear in them
            gradient = number_at(layer.output_gradient, place.sample, place.unit, step)
            filled = ended(f"∂L/∂a = {numbers}", value, gradient, place)
        return (Formula(symbols, filled, "the loss seen from the output"),)
    above = trace.layers[layer.index + 1]
    if above.kind == "residual":
        alpha = float(above.scale[0]) if "scale" in above.tensors else float(spec_of(trace, above).scale)
        gradient = number_at(above.output_gradient, place.sample, place.unit, step)
        filled = f"∂L/∂a = {product_text(alpha, gradient)} = {result}"
        note = f"the end of the branch of {above.name}: its gradient times the scale{when(layer, place)}"
        return (Formula("∂L/∂a = α ∂L/∂y of the block", filled, note),)
    enters = _enters_block(trace, layer)
    if above.kind != "dense" or above.output.ndim != layer.output.ndim:
        by = f"{above.name} and by the skip beside it" if enters else above.name
        note = f"handed down by {by}{when(layer, place)}"
        symbols = "∂L/∂y = ∂L/∂x of the layer above" + (" + by the skip" if enters else "")
        return (Formula(symbols, f"∂L/∂y = {result}", note),)
    text, _written = sum_of_products(row_at(above.delta, place.sample, step), above.weight[place.unit])
    total = told(number_at(above.input_gradient, place.sample, place.unit, step))
    if enters:
        note = (
            f"through the branch that begins with {above.name}; the skip brings the rest{when(layer, place)}"
        )
        filled = f"Σₖ δₖ Wₖ = {text} = {total}\n∂L/∂a = {result}"
        return (Formula("∂L/∂a = Σₖ δₖ Wₖ + by the skip", filled, note),)
    note = f"handed down by {above.name}: its δ through the weights that leave this unit{when(layer, place)}"
    return (Formula("∂L/∂a = Σₖ δₖ Wₖ", f"∂L/∂a = {text} = {result}", note),)


def _enters_block(trace: IterationTrace, layer: LayerTrace) -> bool:
    return any(block.first == layer.index + 1 for block in residual_blocks(trace))


def _delta(trace: IterationTrace, layer: LayerTrace, place: Place) -> tuple[Formula, ...]:
    if layer.kind in ("activation", "dropout") and layer.activation_kind != "softmax":
        return (Formula(*slope_formula(layer, place)),)
    if layer.kind == "residual":
        return (Formula(*residual_gradient(layer, place)),)
    if layer.kind == "normalization":
        return (Formula(*normalization_gradient(trace, layer, place)),)
    if layer.kind == "recurrent":
        return delta_formulas(trace, layer, place)
    return _dense_delta(trace, layer, place)


def _dense_delta(trace: IterationTrace, layer: LayerTrace, place: Place) -> tuple[Formula, ...]:
    is_normalized = "normalized_gradient" in layer.tensors
    below = layer.tensors["normalized_gradient" if is_normalized else "delta"]
    letter, step = "∂L/∂y" if is_normalized else "δ", place.step_of(layer)
    below_value = number_at(below, place.sample, place.unit, step)
    result = told(below_value)
    after: tuple[Formula, ...] = ()
    if is_normalized:
        after = (Formula(*normalization_gradient(trace, layer, place)),)
    loss = trace.experiment.training.loss
    a = number_at(layer.activation, place.sample, place.unit, step)
    is_head = layer.index == len(trace.layers) - 1
    if is_head and (layer.activation_kind, loss) in (
        ("softmax", "cross_entropy"),
        ("sigmoid", "binary_cross_entropy"),
    ):
        y = number_at(trace.targets, place.sample, place.unit, step)
        count, symbol = trace.targets.size // trace.targets.shape[-1], "n"
        if loss == "binary_cross_entropy":
            count, symbol = trace.targets.size, "(n m)"
        filled = f"{letter} = ({added(told(a), -y)}) / {count} = {result}"
        note = f"{layer.activation_kind} and {loss.replace('_', ' ')} together: their slopes cancel"
        return (Formula(f"{letter} = (a − y) / {symbol}", filled, note + when(layer, place)), *after)
    gradient = number_at(layer.activation_gradient, place.sample, place.unit, step)
    if layer.activation_kind == "softmax":
        rows = (
            row_at(layer.activation_gradient, place.sample, step),
            row_at(layer.activation, place.sample, step),
        )
        text, _written = sum_of_products(*rows)
        with np.errstate(all="ignore"):
            value = a * (gradient - float(np.asarray(rows[0], np.float64) @ np.asarray(rows[1], np.float64)))
        filled = ended(
            f"{letter} = {factor_text(a)}·({told(gradient)} − [{text}])", value, below_value, place
        )
        symbols = f"{letter} = a (g − Σⱼ gⱼ aⱼ),  g = ∂L/∂a"
        return (Formula(symbols, filled, f"softmax couples all units of a layer{when(layer, place)}"), *after)
    slope = number_at(layer.slope, place.sample, place.unit, step)
    z = number_at(layer.tensors.get("scaled", layer.pre_activation), place.sample, place.unit, step)
    by_slope = slope_text(layer, z, a, slope, is_mean=place.is_mean)
    if is_normalized:
        by_slope = by_slope.replace("(z)", "(y)").replace("z ", "y ")
    return (
        Formula(
            f"{letter} = ∂L/∂a · φ′({'y' if is_normalized else 'z'})",
            f"{by_slope}\n{ended(f'{letter} = {product_text(gradient, slope)}', gradient * slope, below_value, place)}",
            f"the slope of {layer.activation_kind} lets {told(slope, 3)} of the gradient through"
            + when(layer, place),
        ),
        *after,
    )


def _hidden_gradient(trace: IterationTrace, layer: LayerTrace, place: Place) -> tuple[Formula, ...]:
    """Tell the way back through time; another layer looked at meanwhile tells what reaches it."""
    if layer.kind == "recurrent":
        return hidden_gradient_formulas(trace, layer, place)
    return _activation_gradient(trace, layer, place)


def _weight_gradient(trace: IterationTrace, layer: LayerTrace, place: Place) -> tuple[Formula, ...]:
    if layer.kind == "recurrent":
        return weight_gradient_formulas(trace, layer, place)
    if layer.kind != "dense":
        return (_other_weight_gradient(layer, place),)
    step = place.step_of(layer)
    rows = layer.input.reshape(-1, layer.fan_in), layer.delta.reshape(-1, layer.fan_out)
    text, _written = sum_of_products(rows[0][:, place.source], rows[1][:, place.unit])
    result = told(float(layer.weight_gradient[place.source, place.unit]))
    note = f"summed over the {len(layer.input)} samples of the batch"
    note += " and all steps" if layer.output.ndim == 3 else ""
    formulas = [Formula("∂L/∂W = Σₛ xₛ δₛ", f"∂L/∂W = {text} = {result}", note)]
    if "bias_gradient" in layer.tensors:
        text, _written = sum_of_products(rows[1][:, place.unit], None)
        result = told(float(layer.bias_gradient[place.unit]))
        formulas.append(Formula("∂L/∂b = Σₛ δₛ", f"∂L/∂b = {text} = {result}"))
    text, _written = sum_of_products(row_at(layer.delta, place.sample, step), layer.weight[place.source])
    below = "the input" if layer.index == 0 else trace.layers[layer.index - 1].name
    result = told(number_at(layer.input_gradient, place.sample, place.source, step))
    whose = (
        f"mean over {len(layer.input)} samples" if place.sample is None else f"of sample {place.sample + 1}"
    )
    note = f"{whose}; goes on to {below}{when(layer, place)}"
    formulas.append(Formula("∂L/∂x = Σₖ δₖ Wₖ", f"∂L/∂x = {text} = {result}", note))
    return tuple(formulas)


def _other_weight_gradient(layer: LayerTrace, place: Place) -> Formula:
    if layer.kind == "normalization" and "gamma" in layer.tensors:
        return _summed(
            "γ", layer.normalized[..., place.unit], layer, place.unit, layer.gamma_gradient[place.unit]
        )
    here = weight_place(layer, place.source, place.unit)
    if layer.kind == "residual" and here is not None:
        return _summed("P", layer.input[..., here[0]], layer, place.unit, layer.weight_gradient[here])
    return Formula("no weights", "", "this layer has nothing to train")


def _summed(letter: str, factors: Any, layer: LayerTrace, unit: int, result: Any) -> Formula:
    """Tell a gradient that is summed over the batch: what the parameter is multiplied by, times ∂L/∂y."""
    text, _written = sum_of_products(factors.ravel(), layer.output_gradient[..., unit].ravel())
    by = "x̂" if letter == "γ" else "x"
    filled = f"∂L/∂{letter} = {text} = {told(float(result))}"
    return Formula(f"∂L/∂{letter} = Σₛ {by}ₛ gₛ", filled, "g = ∂L/∂y, summed over the batch")


def _clip(trace: IterationTrace, layer: LayerTrace, place: Place) -> tuple[Formula, ...]:
    symbols, filled, note = clip_formula(trace, layer, place.source, place.unit)
    return (Formula(symbols, filled, note),)


def _update(trace: IterationTrace, layer: LayerTrace, place: Place) -> tuple[Formula, ...]:
    return tuple(Formula(*told) for told in update_formula(trace, layer, place.source, place.unit))


def _forward(trace: IterationTrace, layer: LayerTrace, place: Place) -> tuple[Formula, ...]:
    """Tell a layer on the way forward by its kind: it may be looked at while another is in work."""
    if layer.kind == "recurrent":
        return recurrent_formulas(trace, layer, place)
    teller = _FORWARD.get(layer.kind)
    if teller is None:
        return _linear(trace, layer, place) if layer.kind == "dense" else _activation(trace, layer, place)
    return (Formula(*teller(trace, layer, place)),)


def _activation_or_own(trace: IterationTrace, layer: LayerTrace, place: Place) -> tuple[Formula, ...]:
    return (_activation if layer.kind in ("dense", "activation") else _forward)(trace, layer, place)


_FORWARD: dict[str, Callable[[IterationTrace, LayerTrace, Place], Told]] = {
    "normalization": normalization_formula,
    "dropout": dropout_formula,
    "residual": residual_formula,
}


_TELLERS: dict[str, Callable[[IterationTrace, LayerTrace, Place], tuple[Formula, ...]]] = {
    **dict.fromkeys(("linear", "recurrent", "normalization", "dropout", "residual"), _forward),
    "activation": _activation_or_own,
    "loss": _loss,
    "activation_gradient": _activation_gradient,
    "delta": _delta,
    "weight_gradient": _weight_gradient,
    "clip": _clip,
    "update": _update,
}

WEIGHTS = ("weight_gradient", "clip", "update")
"""Operations whose formula is about one weight, not one unit alone."""
