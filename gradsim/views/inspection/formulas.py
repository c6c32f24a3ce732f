"""The step under the cursor as a formula, and with the numbers of one sample and unit filled in.

One function for each operation, found by its name in ``_TELLERS``. Every result is the recorded number, not
one computed here again; only sums of terms that are not written out are added up here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from gradsim.spec import unrolled_layers
from gradsim.trace import IterationTrace, LayerTrace, Step
from gradsim.views.inspection.losses import loss_formula, loss_gradient_formula
from gradsim.views.inspection.number_text import number_text
from gradsim.views.inspection.sums import added, factor_text, product_text, sum_of_products
from gradsim.views.inspection.updates import clip_formula, update_formula


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
    spec = unrolled_layers(trace.experiment.network)[layer].layer.activation
    return (type(spec).__doc__ or "").split("\n")[0].split("; ")[0].rstrip(".")


def _linear(_trace: IterationTrace, layer: LayerTrace, place: Place) -> tuple[Formula, ...]:
    text, _written = sum_of_products(layer.input[place.sample], layer.weight[:, place.unit])
    symbols = "z = Σᵢ xᵢ Wᵢ"
    if "bias" in layer.tensors:
        text, symbols = added(text, float(layer.bias[place.unit])), "z = Σᵢ xᵢ Wᵢ + b"
    total = number_text(float(layer.pre_activation[place.sample, place.unit]))
    return (Formula(symbols, f"z = {text} = {total}", "the linear map: every input times its weight"),)


def _activation(trace: IterationTrace, layer: LayerTrace, place: Place) -> tuple[Formula, ...]:
    z = float(layer.pre_activation[place.sample, place.unit])
    a = number_text(float(layer.activation[place.sample, place.unit]))
    if layer.activation_kind == "softmax":
        filled = f"a = exp({number_text(z)}) / Σⱼ exp zⱼ = {a}"
    else:
        filled = f"a = {layer.activation_kind}({number_text(z)}) = {a}"
    return (Formula("a = φ(z)", filled, activation_words(trace, layer.index)),)


def _loss(trace: IterationTrace, _layer: LayerTrace, place: Place) -> tuple[Formula, ...]:
    symbols, filled, note = loss_formula(trace, place.sample)
    return (Formula(symbols, filled, note),)


def _activation_gradient(trace: IterationTrace, layer: LayerTrace, place: Place) -> tuple[Formula, ...]:
    result = number_text(float(layer.activation_gradient[place.sample, place.unit]))
    if layer.index == len(trace.layers) - 1:
        symbols, numbers = loss_gradient_formula(trace, place.sample, place.unit)
        return (Formula(symbols, f"∂L/∂a = {numbers} = {result}", "the loss seen from the output"),)
    above = trace.layers[layer.index + 1]
    text, _written = sum_of_products(above.delta[place.sample], above.weight[place.unit])
    note = f"handed down by {above.name}: its δ through the weights that leave this unit"
    return (Formula("∂L/∂a = Σₖ δₖ Wₖ", f"∂L/∂a = {text} = {result}", note),)


def _delta(trace: IterationTrace, layer: LayerTrace, place: Place) -> tuple[Formula, ...]:
    result = number_text(float(layer.delta[place.sample, place.unit]))
    loss = trace.experiment.training.loss
    a = float(layer.activation[place.sample, place.unit])
    is_head = layer.index == len(trace.layers) - 1
    if is_head and (layer.activation_kind, loss) in (
        ("softmax", "cross_entropy"),
        ("sigmoid", "binary_cross_entropy"),
    ):
        y = float(trace.targets[place.sample, place.unit])
        count, symbol = len(trace.targets), "n"
        if loss == "binary_cross_entropy":
            count, symbol = trace.targets.size, "(n m)"
        filled = f"δ = ({added(number_text(a), -y)}) / {count} = {result}"
        note = f"{layer.activation_kind} and {loss.replace('_', ' ')} together: their slopes cancel"
        return (Formula(f"δ = (a − y) / {symbol}", filled, note),)
    gradient = float(layer.activation_gradient[place.sample, place.unit])
    if layer.activation_kind == "softmax":
        text, _written = sum_of_products(
            layer.activation_gradient[place.sample], layer.activation[place.sample]
        )
        filled = f"δ = {factor_text(a)}·({number_text(gradient)} − [{text}]) = {result}"
        return (Formula("δ = a (g − Σⱼ gⱼ aⱼ),  g = ∂L/∂a", filled, "softmax couples all units of a layer"),)
    slope = float(layer.slope[place.sample, place.unit])
    return (
        Formula(
            "δ = ∂L/∂a · φ′(z)",
            f"δ = {product_text(gradient, slope)} = {result}",
            f"the slope of {layer.activation_kind} lets {number_text(slope, 3)} of the gradient through",
        ),
    )


def _weight_gradient(trace: IterationTrace, layer: LayerTrace, place: Place) -> tuple[Formula, ...]:
    delta = layer.delta[:, place.unit]
    text, _written = sum_of_products(layer.input[:, place.source], delta)
    result = number_text(float(layer.weight_gradient[place.source, place.unit]))
    told = [Formula("∂L/∂W = Σₛ xₛ δₛ", f"∂L/∂W = {text} = {result}", "summed over the samples of the batch")]
    if "bias_gradient" in layer.tensors:
        result = number_text(float(layer.bias_gradient[place.unit]))
        told.append(Formula("∂L/∂b = Σₛ δₛ", f"∂L/∂b = {result}"))
    text, _written = sum_of_products(layer.delta[place.sample], layer.weight[place.source])
    result = number_text(float(layer.input_gradient[place.sample, place.source]))
    below = "the input" if layer.index == 0 else trace.layers[layer.index - 1].name
    told.append(Formula("∂L/∂x = Σₖ δₖ Wₖ", f"∂L/∂x = {text} = {result}", f"goes on to {below}"))
    return tuple(told)


def _clip(trace: IterationTrace, layer: LayerTrace, place: Place) -> tuple[Formula, ...]:
    symbols, filled, note = clip_formula(trace, layer, place.source, place.unit)
    return (Formula(symbols, filled, note),)


def _update(trace: IterationTrace, layer: LayerTrace, place: Place) -> tuple[Formula, ...]:
    return tuple(Formula(*told) for told in update_formula(trace, layer, place.source, place.unit))


_TELLERS: dict[str, Callable[[IterationTrace, LayerTrace, Place], tuple[Formula, ...]]] = {
    "linear": _linear,
    "activation": _activation,
    "loss": _loss,
    "activation_gradient": _activation_gradient,
    "delta": _delta,
    "weight_gradient": _weight_gradient,
    "clip": _clip,
    "update": _update,
}

WEIGHTS = ("weight_gradient", "clip", "update")
"""Operations whose formula is about one weight, not one unit alone."""
