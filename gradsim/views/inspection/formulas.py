"""The step under the cursor as a formula, and with the numbers of one sample and unit filled in.

One function for each operation, found by its name in ``_TELLERS``. Every result is the recorded number, not
one computed here again; only sums of terms that are not written out are added up here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from gradsim.analysis import residual_blocks
from gradsim.spec import unrolled_layers
from gradsim.trace import IterationTrace, LayerTrace, Step
from gradsim.views.inspection.between import (
    dropout_formula,
    normalization_formula,
    number_at,
    recurrent_formula,
    recurrent_gradient,
    residual_formula,
    residual_gradient,
    row_at,
    slope_formula,
    when,
)
from gradsim.views.inspection.losses import loss_formula, loss_gradient_formula
from gradsim.views.inspection.number_text import number_text
from gradsim.views.inspection.sums import added, factor_text, product_text, sum_of_products
from gradsim.views.inspection.updates import clip_formula, update_formula, weight_place


@dataclass(frozen=True, slots=True)
class Place:
    """The numbers that are filled in.

    Attributes
    ----------
    sample : int
        Row of the batch.
    unit : int
        Unit of the layer.
    source : int
        Unit of the layer before: with ``unit`` it names one weight.
    """

    sample: int = 0
    unit: int = 0
    source: int = 0


@dataclass(frozen=True, slots=True)
class Formula:
    """A formula with its numbers.

    Attributes
    ----------
    symbols : str
        The formula in the letters of the whole program.
    filled : str
        The same with numbers.
    note : str
        What it means, in words; may be empty.
    """

    symbols: str
    filled: str
    note: str = ""


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
        Sample, unit and source; beyond the end the last one is taken.

    Returns
    -------
    tuple of Formula
        At least one; a single sentence without numbers for an operation not known here.
    """
    teller = _TELLERS.get(step.operation)
    here = trace.layers[layer]
    place = Place(
        min(place.sample, len(trace.inputs) - 1),
        min(place.unit, here.fan_out - 1),
        min(place.source, here.fan_in - 1),
    )
    if teller is None:
        return (Formula(step.operation, ""),)
    return teller(trace, here, place)


def activation_words(trace: IterationTrace, layer: int) -> str:
    """Return the definition of a layer's activation, such as ``φ(z) = tanh z``."""
    spec: Any = unrolled_layers(trace.experiment.network)[layer].layer
    spec = spec.activation
    return (type(spec).__doc__ or "").split("\n")[0].split("; ")[0].rstrip(".")


def _linear(_trace: IterationTrace, layer: LayerTrace, place: Place) -> tuple[Formula, ...]:
    text, _written = sum_of_products(row_at(layer.input, place.sample), layer.weight[:, place.unit])
    symbols = "z = Σᵢ xᵢ Wᵢ"
    if "bias" in layer.tensors:
        text, symbols = added(text, float(layer.bias[place.unit])), "z = Σᵢ xᵢ Wᵢ + b"
    total = number_text(number_at(layer.pre_activation, place.sample, place.unit))
    note = f"the linear map: every input times its weight{when(layer)}"
    return (Formula(symbols, f"z = {text} = {total}", note),)


def _activation(trace: IterationTrace, layer: LayerTrace, place: Place) -> tuple[Formula, ...]:
    told = []
    z = number_at(layer.pre_activation, place.sample, place.unit)
    if "scaled" in layer.tensors:
        told.append(Formula(*normalization_formula(trace, layer, place.sample, place.unit)))
        z = number_at(layer.scaled, place.sample, place.unit)
    a = number_text(number_at(layer.activation, place.sample, place.unit))
    if layer.activation_kind == "softmax":
        filled = f"a = exp({number_text(z)}) / Σⱼ exp zⱼ = {a}"
    else:
        filled = f"a = {layer.activation_kind}({number_text(z)}) = {a}"
    symbols = "a = φ(y)" if told else "a = φ(z)"
    return (*told, Formula(symbols, filled, activation_words(trace, layer.index)))


def _loss(trace: IterationTrace, _layer: LayerTrace, place: Place) -> tuple[Formula, ...]:
    symbols, filled, note = loss_formula(trace, place.sample)
    return (Formula(symbols, filled, note),)


def _activation_gradient(trace: IterationTrace, layer: LayerTrace, place: Place) -> tuple[Formula, ...]:
    result = number_text(number_at(layer.activation_gradient, place.sample, place.unit))
    if layer.index == len(trace.layers) - 1:
        symbols, numbers = loss_gradient_formula(trace, place.sample, place.unit)
        return (Formula(symbols, f"∂L/∂a = {numbers} = {result}", "the loss seen from the output"),)
    above = trace.layers[layer.index + 1]
    if above.kind == "residual":
        note = (
            f"the end of the branch of {above.name}: its gradient times the scale of the branch{when(layer)}"
        )
        return (Formula("∂L/∂a = α ∂L/∂y of the block", f"∂L/∂a = {result}", note),)
    if above.kind != "dense" or above.output.ndim != layer.output.ndim:
        note = f"handed down by {above.name}{when(layer)}"
        return (Formula("∂L/∂y = ∂L/∂x of the layer above", f"∂L/∂y = {result}", note),)
    text, _written = sum_of_products(row_at(above.delta, place.sample), above.weight[place.unit])
    total = number_text(number_at(above.input_gradient, place.sample, place.unit))
    if _enters_block(trace, layer):
        note = f"through the branch that begins with {above.name}; the skip brings the rest{when(layer)}"
        filled = f"Σₖ δₖ Wₖ = {text} = {total}\n∂L/∂a = {result}"
        return (Formula("∂L/∂a = Σₖ δₖ Wₖ + by the skip", filled, note),)
    note = f"handed down by {above.name}: its δ through the weights that leave this unit{when(layer)}"
    return (Formula("∂L/∂a = Σₖ δₖ Wₖ", f"∂L/∂a = {text} = {result}", note),)


def _enters_block(trace: IterationTrace, layer: LayerTrace) -> bool:
    return any(block.first == layer.index + 1 for block in residual_blocks(trace))


def _delta(trace: IterationTrace, layer: LayerTrace, place: Place) -> tuple[Formula, ...]:
    if layer.kind in ("activation", "dropout"):
        if layer.activation_kind != "softmax":
            return (Formula(*slope_formula(layer, place.sample, place.unit)),)
    elif layer.kind == "residual":
        return (Formula(*residual_gradient(layer, place.sample, place.unit)),)
    elif layer.kind == "normalization":
        result = number_text(number_at(layer.delta, place.sample, min(place.unit, layer.fan_in - 1)))
        note = "the parts of the gradient along x̂ and along a shift of all values fall away"
        symbols = "∂L/∂x = γ/σ · (g − mean g − x̂ · mean(g x̂))"
        return (Formula(symbols, f"∂L/∂x = {result}", note + when(layer)),)
    elif layer.kind == "recurrent":
        last = number_text(float(layer.delta[place.sample, -1, place.unit]))
        first = number_text(float(layer.delta[place.sample, 0, place.unit]))
        filled = f"last step: {last}\nfirst step: {first}"
        return (
            Formula("δₜ = ∂L/∂hₜ · ∂hₜ/∂zₜ", filled, "of the first gate"),
            Formula(*recurrent_gradient(layer, place.sample, place.unit)),
        )
    return _dense_delta(trace, layer, place)


def _dense_delta(trace: IterationTrace, layer: LayerTrace, place: Place) -> tuple[Formula, ...]:
    is_normalized = "normalized_gradient" in layer.tensors
    below = layer.tensors["normalized_gradient" if is_normalized else "delta"]
    letter = "∂L/∂y" if is_normalized else "δ"
    result = number_text(number_at(below, place.sample, place.unit))
    after: tuple[Formula, ...] = ()
    if is_normalized:
        delta = number_text(number_at(layer.delta, place.sample, place.unit))
        symbols = "δ = γ/σ · (g − mean g − ẑ · mean(g ẑ)),  g = ∂L/∂y"
        after = (Formula(symbols, f"δ = {delta}", f"back through the normalization{when(layer)}"),)
    loss = trace.experiment.training.loss
    a = number_at(layer.activation, place.sample, place.unit)
    is_head = layer.index == len(trace.layers) - 1
    if is_head and (layer.activation_kind, loss) in (
        ("softmax", "cross_entropy"),
        ("sigmoid", "binary_cross_entropy"),
    ):
        y = number_at(trace.targets, place.sample, place.unit)
        count, symbol = trace.targets.size // trace.targets.shape[-1], "n"
        if loss == "binary_cross_entropy":
            count, symbol = trace.targets.size, "(n m)"
        filled = f"{letter} = ({added(number_text(a), -y)}) / {count} = {result}"
        note = f"{layer.activation_kind} and {loss.replace('_', ' ')} together: their slopes cancel"
        return (Formula(f"{letter} = (a − y) / {symbol}", filled, note + when(layer)), *after)
    gradient = number_at(layer.activation_gradient, place.sample, place.unit)
    if layer.activation_kind == "softmax":
        text, _written = sum_of_products(
            row_at(layer.activation_gradient, place.sample), row_at(layer.activation, place.sample)
        )
        filled = f"{letter} = {factor_text(a)}·({number_text(gradient)} − [{text}]) = {result}"
        symbols = f"{letter} = a (g − Σⱼ gⱼ aⱼ),  g = ∂L/∂a"
        return (Formula(symbols, filled, f"softmax couples all units of a layer{when(layer)}"), *after)
    slope = number_at(layer.slope, place.sample, place.unit)
    return (
        Formula(
            f"{letter} = ∂L/∂a · φ′({'y' if is_normalized else 'z'})",
            f"{letter} = {product_text(gradient, slope)} = {result}",
            f"the slope of {layer.activation_kind} lets {number_text(slope, 3)} of the gradient through"
            + when(layer),
        ),
        *after,
    )


def _weight_gradient(trace: IterationTrace, layer: LayerTrace, place: Place) -> tuple[Formula, ...]:
    if layer.kind != "dense":
        return (_other_weight_gradient(layer, place),)
    is_sequence = layer.output.ndim == 3
    rows = layer.input.reshape(-1, layer.fan_in), layer.delta.reshape(-1, layer.fan_out)
    text, _written = sum_of_products(rows[0][:, place.source], rows[1][:, place.unit])
    result = number_text(float(layer.weight_gradient[place.source, place.unit]))
    note = f"summed over the samples of the batch{' and all steps' if is_sequence else ''}"
    told = [Formula("∂L/∂W = Σₛ xₛ δₛ", f"∂L/∂W = {text} = {result}", note)]
    if "bias_gradient" in layer.tensors:
        result = number_text(float(layer.bias_gradient[place.unit]))
        told.append(Formula("∂L/∂b = Σₛ δₛ", f"∂L/∂b = {result}"))
    text, _written = sum_of_products(row_at(layer.delta, place.sample), layer.weight[place.source])
    below = "the input" if layer.index == 0 else trace.layers[layer.index - 1].name
    told.append(Formula("∂L/∂x = Σₖ δₖ Wₖ", f"∂L/∂x = {text}{_total(layer, place)}", f"goes on to {below}"))
    return tuple(told)


def _total(layer: LayerTrace, place: Place) -> str:
    """Return the recorded sum; a recurrent layer below goes on to add up in the same place."""
    if layer.output.ndim == 3 or layer.input.ndim != layer.delta.ndim:
        return ""
    return f" = {number_text(float(layer.input_gradient[place.sample, place.source]))}"


def _other_weight_gradient(layer: LayerTrace, place: Place) -> Formula:
    symbols, note = {
        "normalization": ("∂L/∂γ = Σₛ x̂ₛ gₛ", "summed over the batch, g = ∂L/∂y"),
        "residual": ("∂L/∂P = xᵀ ∂L/∂y", "of the projection of the skip, summed over the batch"),
        "recurrent": ("∂L/∂R = Σₜ hₜ₋₁ᵀ δₜ", "summed over all steps and the batch"),
    }.get(layer.kind, ("no weights", "this layer has nothing to train"))
    here = weight_place(layer, place.source, place.unit)
    if here is None:
        return Formula(symbols, "", note)
    return Formula(
        symbols, f"{symbols.split(' =')[0]} = {number_text(float(layer.weight_gradient[here]))}", note
    )


def _clip(trace: IterationTrace, layer: LayerTrace, place: Place) -> tuple[Formula, ...]:
    symbols, filled, note = clip_formula(trace, layer, place.source, place.unit)
    return (Formula(symbols, filled, note),)


def _update(trace: IterationTrace, layer: LayerTrace, place: Place) -> tuple[Formula, ...]:
    return tuple(Formula(*told) for told in update_formula(trace, layer, place.source, place.unit))


def _forward(trace: IterationTrace, layer: LayerTrace, place: Place) -> tuple[Formula, ...]:
    """Tell a layer on the way forward by its kind: it may be looked at while another is in work."""
    teller = _FORWARD.get(layer.kind)
    if teller is None:
        return _linear(trace, layer, place) if layer.kind == "dense" else _activation(trace, layer, place)
    return (Formula(*teller(trace, layer, place.sample, place.unit)),)


def _activation_or_own(trace: IterationTrace, layer: LayerTrace, place: Place) -> tuple[Formula, ...]:
    return (_activation if layer.kind in ("dense", "activation") else _forward)(trace, layer, place)


_FORWARD: dict[str, Callable[[IterationTrace, LayerTrace, int, int], tuple[str, str, str]]] = {
    "normalization": normalization_formula,
    "dropout": dropout_formula,
    "residual": residual_formula,
    "recurrent": recurrent_formula,
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
