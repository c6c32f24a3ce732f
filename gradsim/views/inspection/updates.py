"""Clipping and the optimizers as formulas, with the numbers of one weight. A new one is a row in a table."""

from __future__ import annotations

from gradsim.spec import kind_of, unrolled_layers
from gradsim.trace import IterationTrace, LayerTrace
from gradsim.views.inspection.magnitude import rms
from gradsim.views.inspection.number_text import number_text
from gradsim.views.inspection.sums import added, factor_text

_CLIPPINGS = {
    "none": ("g stays", "nothing is clipped"),
    "value": ("g ← min(max(g, −c), c)", "each element on its own: the direction turns"),
    "norm": ("g ← g · min(1, c / ‖g‖)", "each tensor to the norm c: the direction within it stays"),
    "global_norm": ("g ← g · min(1, c / ‖g‖)", "all gradients together to the norm c: the direction stays"),
    "adaptive": ("gᵤ ← gᵤ · min(1, c ‖wᵤ‖ / ‖gᵤ‖)", "each unit's gradient in proportion to its weights"),
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
    before = number_text(float(layer.weight_gradient[source, unit]))
    after = number_text(float(layer.weight_clipped_gradient[source, unit]))
    filled = f"g: {before} → {after}"
    threshold = getattr(clipping, "threshold", None)
    if threshold is not None:
        filled += f"   c = {number_text(threshold)}"
    norms = {
        "global_norm": trace.gradient_norm,
        "norm": layer.statistics["weight_gradient"].l2,
        "adaptive": float(rms(layer.weight_gradient[:, unit])) * layer.fan_in**0.5,
    }
    if kind_of(clipping) in norms:
        filled += f"   ‖g‖ = {number_text(norms[kind_of(clipping)])}"
    return symbols, filled, note


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
        What the optimizer adds, and the weight after it.
    """
    optimizer = trace.experiment.training.optimizer
    kind, decay = kind_of(optimizer), float(optimizer.weight_decay)
    placed = unrolled_layers(trace.experiment.network)[layer.index].layer
    symbols, note = _OPTIMIZERS[kind]
    rate = trace.learning_rate * placed.learning_rate_scale
    weight, change = layer.weight[source, unit], layer.weight_update[source, unit]
    gradient = float(layer.weight_clipped_gradient[source, unit])
    result = number_text(float(change))
    if not placed.trainable:
        filled, note = "ΔW = 0", "the layer is frozen"
    elif kind == "sgd":
        inside = factor_text(gradient)
        if decay:
            inside = f"({added(number_text(gradient), decay * float(weight))})"
        filled = f"ΔW = −{number_text(rate)}·{inside} = {result}"
    else:
        filled = f"g = {number_text(gradient)}, η = {number_text(rate)}:  ΔW = {result}"
    if decay and kind != "adamw":
        symbols += ";  g with λ W added"
    # Digits enough that a small update can be seen to change the weight.
    before, after = (number_text(float(value), 8) for value in (weight, weight + change))
    return (
        (symbols, filled, note),
        ("W ← W + ΔW", f"W = {added(before, float(change))} = {after}", ""),
    )
