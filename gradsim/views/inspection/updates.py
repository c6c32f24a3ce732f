"""Clipping and the optimizers as formulas, with the numbers of one weight. A new one is a row in a table."""

from __future__ import annotations

import math
from typing import Any

from numpy.typing import NDArray

from gradsim.analysis import angle_between
from gradsim.analysis.magnitude import rms
from gradsim.analysis.update_rule import UpdateRule, update_rule
from gradsim.spec import kind_of
from gradsim.spec.method import Evolution
from gradsim.trace import IterationTrace, LayerTrace
from gradsim.views.inspection.marked_number import told
from gradsim.views.inspection.sums import added, factor_text

_CLIPPINGS = {
    "none": ("g stays", "nothing is clipped"),
    "value": ("g ← min(max(g, −c), c)", "each element on its own: the direction turns"),
    "norm": ("g ← g · min(1, c / ‖g‖)", "each tensor to the norm c: the direction within it stays"),
    "global_norm": ("g ← g · min(1, c / ‖g‖)", "all gradients together to the norm c: the direction stays"),
    "adaptive": (
        "gᵤ ← gᵤ · min(1, c max(‖wᵤ‖, ε) / ‖gᵤ‖)",
        "each unit's gradient in proportion to its weights",
    ),
}

_OPTIMIZERS = {
    "sgd": ("ΔW = −η g", "against the gradient"),
    "momentum": ("v ← μ v + g;  ΔW = −η v", "along a running sum of the gradients"),
    "nesterov": ("v ← μ v + g;  ΔW = −η (g + μ v)", "along a running sum that looks one step ahead"),
    "rmsprop": ("s ← α s + (1 − α) g²;  ΔW = −η g / (√s + ε)", "each weight scaled by its recent gradients"),
    "adagrad": ("s ← s + g²;  ΔW = −η g / (√s + ε)", "each weight scaled by all its gradients so far"),
    "adam": (
        "m ← β₁ m + (1 − β₁) g;  v ← β₂ v + (1 − β₂) g²;  ΔW = −η m̂ / (√v̂ + ε)",
        "a running mean of the gradient over a running mean of its size, both corrected for their start at 0",
    ),
    "adamw": (
        "m ← β₁ m + (1 − β₁) g;  v ← β₂ v + (1 − β₂) g²;  ΔW = −η (m̂ / (√v̂ + ε) + λ W)",
        "Adam, its weight decay apart from the moments",
    ),
}


_STANDING = {
    "frozen": "the layer is frozen",
    "frozen by its group": "frozen by its group",
    "other phase": "stands still in this phase: no update",
    "left out": "left out: a gradient is not finite, so the loss scale is halved instead",
}


_WEIGHT_NAMES = {"recurrent": "recurrent_weight", "normalization": "gamma"}
"""What ``weight`` of a record is called in the parameters, where not so."""


def _way(trace: IterationTrace, rule: UpdateRule) -> tuple[str, str]:
    """Return how a layer's weights are moved, in symbols and in words."""
    if rule.mover in _STANDING:
        return "ΔW = 0", _STANDING[rule.mover]
    training = trace.experiment.training
    if isinstance(training.method, Evolution):
        words = (
            f"no gradient: of {training.method.population:,} children, each W plus normal noise of standard "
            f"deviation σ = {told(rule.rate)}, the best are averaged, and W steps to their mean"
        )
        return "ΔW = mean of the best children − W", words
    return _OPTIMIZERS[kind_of(training.optimizer)]


def _single(layer: LayerTrace) -> str:
    """Return the update of a layer's only number, such as the scale of a residual branch; else nothing."""
    for tensor, letter in (("scale", "α"), ("prelu_slope", "slope")):
        if tensor in layer.tensors:
            before, change = float(layer[tensor].flat[0]), float(layer[f"{tensor}_update"].flat[0])
            return f"{letter} = {added(told(before, 8), change)} = {told(before + change, 8)}"
    return ""


def weight_place(layer: LayerTrace, source: int, unit: int) -> tuple[int, ...] | None:
    """Return where in ``weight`` the numbers of a place are: gamma has one per unit, some layers have none.

    Parameters
    ----------
    layer : LayerTrace
        Any layer.
    source, unit : int
        Which weight; beyond the end of a recurrent weight the last one.

    Returns
    -------
    tuple of int or None
        Index into ``layer.weight``.
    """
    if "weight" not in layer.statistics:
        return None
    shape = layer.weight.shape
    return (unit,) if len(shape) == 1 else (min(source, shape[0] - 1), unit)


def clip_formula(trace: IterationTrace, layer: LayerTrace, source: int, unit: int) -> tuple[str, str, str]:
    """Return the clipping in symbols, with the numbers of one weight, and in words.

    Parameters
    ----------
    trace : IterationTrace
        The iteration.
    layer : LayerTrace
        The layer of the weight.
    source, unit : int
        Which weight.

    Returns
    -------
    symbols, filled, note : str
        The norms are l2.
    """
    clipping = trace.experiment.training.clipping
    symbols, note = _CLIPPINGS[kind_of(clipping)]
    here = weight_place(layer, source, unit)
    if here is None:
        return (
            symbols,
            "",
            f"{note}; this layer has no parameters" if not layer.statistics.get("weight") else note,
        )
    gradient, after = float(layer.weight_gradient[here]), told(float(layer.clipped_gradient[here]))
    threshold = getattr(clipping, "threshold", None)
    if threshold is None:
        return symbols, f"g = {told(gradient)}", note
    turned = _turned(layer)
    if kind_of(clipping) == "value":
        return (
            symbols,
            f"g = min(max({told(gradient)}, {told(-threshold)}), {told(threshold)}) = {after}",
            f"{note}; {turned}",
        )
    limit, column = told(threshold), layer.weight_gradient[..., here[-1]]
    norms = {
        "global_norm": trace.gradient_norm,
        "norm": layer.statistics["weight_gradient"].l2,
        "adaptive": _l2(column if layer.weight.ndim == 2 else layer.weight_gradient),
    }
    norm = norms[kind_of(clipping)]
    if kind_of(clipping) == "adaptive":
        weights = layer.weight[..., here[-1]] if layer.weight.ndim == 2 else layer.weight
        limit = f"{limit}·max({told(_l2(weights))}, {told(getattr(clipping, 'eps', 0.0))})"
    filled = f"g = {factor_text(gradient)}·min(1, {limit} / {told(norm)}) = {after}"
    acts = "it is longer than allowed" if after != told(gradient) else "it is short enough"
    return symbols, filled, f"{note}; ‖g‖ = {told(norm)}: {acts}; {turned}"


def _turned(layer: LayerTrace) -> str:
    """Say how far clipping has turned the gradient of a layer's weights, and what no clipping can do."""
    angle = angle_between(layer.weight_gradient, layer.clipped_gradient)
    way = "it has no direction that could turn" if math.isnan(angle) else f"turned by {told(angle, 3)}°"
    return f"the gradient of this layer's weights: {way}. Clipping only shortens: small gradients stay small"


def _l2(values: NDArray[Any]) -> float:
    return rms(values) * float(values.size) ** 0.5


def update_formula(
    trace: IterationTrace, layer: LayerTrace, source: int, unit: int
) -> tuple[tuple[str, str, str], ...]:
    """Return the update in symbols, with the numbers of one weight, and in words.

    Parameters
    ----------
    trace : IterationTrace
        The iteration.
    layer : LayerTrace
        The layer of the weight.
    source, unit : int
        Which weight.

    Returns
    -------
    tuple of (symbols, filled, note)
        What the optimizer or the evolution adds, and the weight after it.
    """
    kind = kind_of(trace.experiment.training.optimizer)
    rule = update_rule(trace, layer, _WEIGHT_NAMES.get(layer.kind, "weight"))
    symbols, note = _way(trace, rule)
    here = weight_place(layer, source, unit)
    if here is None:
        return ((symbols, _single(layer), note),)
    weight, change = layer.weight[here], layer.update[here]
    gradient = float(layer.clipped_gradient[here])
    result = told(float(change))
    if rule.mover != "gradient":
        filled = f"ΔW = {result}"
    elif kind == "sgd":
        inside = factor_text(gradient)
        if rule.decay:
            inside = f"({added(told(gradient), rule.decay * float(weight))})"
        filled = f"ΔW = −{told(rule.rate)}·{inside} = {result}"
    else:
        filled = f"g = {told(gradient)}, η = {told(rule.rate)}:  ΔW = {result}"
    if rule.decay and rule.mover == "gradient" and kind != "adamw":
        symbols += ";  g with λ W added"
    # Digits enough that a small update can be seen to change the weight.
    before, after = (told(float(value), 8) for value in (weight, weight + change))
    return (
        (symbols, filled, note),
        ("W ← W + ΔW", f"W = {added(before, float(change))} = {after}", ""),
    )
