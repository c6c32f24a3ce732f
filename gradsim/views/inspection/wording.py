"""A step of an iteration in words and as a formula, alike in every view."""

from __future__ import annotations

from collections.abc import Sequence

from gradsim.trace import LayerTrace, Step

FORMULAS = {
    "linear": "z = x @ W + b",
    "activation": "a = φ(z)",
    "loss": "L = loss(a, y)",
    "activation_gradient": "∂L/∂a = δ₊ W₊ᵀ",
    "delta": "δ = ∂L/∂a ⊙ φ′(z)",
    "weight_gradient": "∂L/∂W = xᵀ δ",
    "clip": "g ← clip(g)",
    "update": "W ← W + ΔW",
}
"""Operation of a step → its formula; δ₊ and W₊ belong to the next layer."""

MEANINGS = {
    "linear": "the linear map",
    "activation": "the nonlinearity",
    "loss": "how far the output is from the target",
    "activation_gradient": "the gradient handed down by the next layer",
    "delta": "times the slope of the nonlinearity",
    "weight_gradient": "the gradient of the weights, summed over the batch",
    "clip": "the gradients kept below the threshold",
    "update": "the optimizer moves the parameters",
}


def formula_of(step: Step, layers: Sequence[LayerTrace]) -> str:
    """Return the formula of a step as it holds for its layer.

    Parameters
    ----------
    step : Step
        The step.
    layers : sequence of LayerTrace
        The layers of its trace.

    Returns
    -------
    str
        For the head the gradient comes from the loss, not from a next layer; without a bias there is none.
    """
    if step.layer is not None:
        if step.operation == "activation_gradient" and step.layer == len(layers) - 1:
            return "∂L/∂a from the loss"
        if step.operation == "linear" and "bias" not in layers[step.layer].tensors:
            return "z = x @ W"
    return FORMULAS.get(step.operation, step.operation)


def step_text(step: Step, layers: Sequence[LayerTrace]) -> str:
    """Return one line that tells a step.

    Parameters
    ----------
    step : Step
        The step.
    layers : sequence of LayerTrace
        The layers of its trace.

    Returns
    -------
    str
        Such as ``backward · dense_3 · δ = ∂L/∂a ⊙ φ′(z)``.
    """
    name = "all layers" if step.operation == "clip" else ""
    if step.layer is not None:
        name = layers[step.layer].name
    return " · ".join(part for part in (step.phase, name, formula_of(step, layers)) if part)
