"""The way back as formulas: ∂L/∂a, δ and the gradients of the parameters, with numbers of a sample or their means."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from gradsim.analysis import residual_blocks
from gradsim.analysis.layer_specs import spec_of
from gradsim.trace import IterationTrace, LayerTrace
from gradsim.views.inspection.between import normalization_gradient, residual_gradient, slope_formula
from gradsim.views.inspection.formula import (
    Formula,
    Place,
    ended,
    number_at,
    row_at,
    when,
    with_scale,
    without_scale,
)
from gradsim.views.inspection.losses import loss_gradient_formula
from gradsim.views.inspection.marked_number import told
from gradsim.views.inspection.nonlinearities import slope_text
from gradsim.views.inspection.number_text import count_text
from gradsim.views.inspection.recurrent import (
    delta_formulas,
    hidden_gradient_formulas,
    weight_gradient_formulas,
)
from gradsim.views.inspection.sums import added, factor_text, product_text, sum_of_products
from gradsim.views.inspection.updates import weight_place


def activation_gradient(trace: IterationTrace, layer: LayerTrace, place: Place) -> tuple[Formula, ...]:
    """Return what reaches the output of a layer: from the loss, or handed down by the layer above."""
    if layer.kind == "recurrent" and not spec_of(trace, layer).return_sequences:
        place = replace(place, time=None)  # only the last step is handed on, and gets anything from above
    step = place.step_of(layer)
    # Of a recurrent layer the part that comes from above; what comes from later steps is told step by step.
    result = told(number_at(layer.output_gradient, place.sample, place.unit, step))
    if layer.index == len(trace.layers) - 1:
        symbols, numbers, value = loss_gradient_formula(trace, place.sample, place.unit, place.step_of(layer))
        numbers = with_scale(trace, numbers)
        filled = f"∂L/∂a = {numbers} = {result}"
        if value is not None:  # of means, and not linear in them
            gradient = number_at(layer.output_gradient, place.sample, place.unit, step)
            filled = ended(f"∂L/∂a = {numbers}", value * trace.loss_scale, gradient, place)
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


def delta(trace: IterationTrace, layer: LayerTrace, place: Place) -> tuple[Formula, ...]:
    """Return what goes through a layer: ∂L/∂z of a dense one, ∂L/∂x of one between them."""
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
        filled = f"{letter} = {with_scale(trace, f'({added(told(a), -y)}) / {count}')} = {result}"
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


def hidden_gradient(trace: IterationTrace, layer: LayerTrace, place: Place) -> tuple[Formula, ...]:
    """Tell the way back through time; another layer looked at meanwhile tells what reaches it."""
    if layer.kind == "recurrent":
        return hidden_gradient_formulas(trace, layer, place)
    return activation_gradient(trace, layer, place)


def weight_gradient(trace: IterationTrace, layer: LayerTrace, place: Place) -> tuple[Formula, ...]:
    """Return the gradients of the parameters as sums over the batch, and what goes on to the layer below."""
    if layer.kind == "recurrent":
        return weight_gradient_formulas(trace, layer, place)
    if layer.kind != "dense":
        return (_other_weight_gradient(trace, layer, place),)
    step = place.step_of(layer)
    rows = layer.input.reshape(-1, layer.fan_in), layer.delta.reshape(-1, layer.fan_out)
    text, _written = sum_of_products(rows[0][:, place.source], rows[1][:, place.unit])
    result = told(float(layer.weight_gradient[place.source, place.unit]))
    note = f"summed over the {count_text(len(layer.input), 'sample')} of the batch"
    note += " and all steps" if layer.output.ndim == 3 else ""
    formulas = [Formula("∂L/∂W = Σₛ xₛ δₛ", f"∂L/∂W = {without_scale(trace, text)} = {result}", note)]
    if "bias_gradient" in layer.tensors:
        text, _written = sum_of_products(rows[1][:, place.unit], None)
        result = told(float(layer.bias_gradient[place.unit]))
        formulas.append(Formula("∂L/∂b = Σₛ δₛ", f"∂L/∂b = {without_scale(trace, text)} = {result}"))
    text, _written = sum_of_products(row_at(layer.delta, place.sample, step), layer.weight[place.source])
    below = "the input" if layer.index == 0 else trace.layers[layer.index - 1].name
    result = told(number_at(layer.input_gradient, place.sample, place.source, step))
    whose = (
        f"mean over {count_text(len(layer.input), 'sample')}"
        if place.sample is None
        else f"of sample {place.sample + 1}"
    )
    note = f"{whose}; goes on to {below}{when(layer, place)}"
    formulas.append(Formula("∂L/∂x = Σₖ δₖ Wₖ", f"∂L/∂x = {text} = {result}", note))
    return tuple(formulas)


def _other_weight_gradient(trace: IterationTrace, layer: LayerTrace, place: Place) -> Formula:
    if layer.kind == "normalization" and "gamma" in layer.tensors:
        factors, result = layer.normalized[..., place.unit], layer.gamma_gradient[place.unit]
        return _summed(trace, "γ", factors, layer, place.unit, result)
    here = weight_place(layer, place.source, place.unit)
    if layer.kind == "residual" and here is not None:
        return _summed(trace, "P", layer.input[..., here[0]], layer, place.unit, layer.weight_gradient[here])
    return Formula("no weights", "", "this layer has nothing to train")


def _summed(
    trace: IterationTrace, letter: str, factors: Any, layer: LayerTrace, unit: int, result: Any
) -> Formula:
    """Tell a gradient that is summed over the batch: what the parameter is multiplied by, times ∂L/∂y."""
    text, _written = sum_of_products(factors.ravel(), layer.output_gradient[..., unit].ravel())
    by = "x̂" if letter == "γ" else "x"
    filled = f"∂L/∂{letter} = {without_scale(trace, text)} = {told(float(result))}"
    return Formula(f"∂L/∂{letter} = Σₛ {by}ₛ gₛ", filled, "g = ∂L/∂y, summed over the batch")
