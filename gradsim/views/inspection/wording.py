"""A step of an iteration in words and as a formula, alike in every view."""

from __future__ import annotations

from collections.abc import Sequence

from gradsim.spec.method import Evolution
from gradsim.trace import IterationTrace, LayerTrace, Step

FORMULAS = {
    "linear": "z = x @ W + b",
    "activation": "a = φ(z)",
    "loss": "L = loss(a, y)",
    "activation_gradient": "∂L/∂a = δ₊ W₊ᵀ",
    "delta": "δ = ∂L/∂a ⊙ φ′(z)",
    "weight_gradient": "∂L/∂W = xᵀ δ",
    "clip": "g ← clip(g)",
    "update": "W ← W + ΔW",
    "recurrent": "hₜ = cell(xₜ, hₜ₋₁)",
    "normalization": "y = γ · (x − μ) / σ + β",
    "dropout": "y = m ⊙ x",
    "residual": "y = x + α · branch(x)",
}
"""Operation of a step → its formula; δ₊ and W₊ belong to the next layer."""

KINDS = {
    ("activation", "delta"): "∂L/∂x = ∂L/∂a ⊙ φ′(x)",
    ("dropout", "delta"): "∂L/∂x = m ⊙ ∂L/∂y",
    ("normalization", "delta"): "∂L/∂x = γ/σ · (g − mean g − x̂ · mean(g x̂))",
    ("normalization", "weight_gradient"): "∂L/∂γ = Σₛ x̂ₛ gₛ",
    ("normalization", "update"): "γ ← γ + Δγ",
    ("residual", "delta"): "∂L/∂x = skip + through the branch",
    ("residual", "weight_gradient"): "∂L/∂P = xᵀ ∂L/∂y",
    ("residual", "update"): "parameters ← + Δ",
    ("recurrent", "delta"): "δₜ = ∂L/∂zₜ",
    ("recurrent", "weight_gradient"): "∂L/∂R = Σₜ hₜ₋₁ᵀ δₜ",
    ("recurrent", "update"): "R ← R + ΔR",
}
"""Kind of layer and operation → its formula, where that is another than for a dense layer; g = ∂L/∂y"""

MEANINGS = {
    "linear": "the linear map",
    "activation": "the nonlinearity",
    "loss": "how far the output is from the target",
    "activation_gradient": "the gradient handed down by the next layer",
    "delta": "times the slope of the nonlinearity",
    "weight_gradient": "the gradient of the weights, summed over the batch",
    "clip": "the gradients kept below the threshold",
    "update": "the update of the parameters",
    "recurrent": "the cell, step by step through time",
    "normalization": "shifted and scaled to mean 0 and variance 1, then by gamma and beta",
    "dropout": "a random share of the values set to 0, the others enlarged",
    "residual": "the branch added to the skip",
}


def rate_words(trace: IterationTrace) -> tuple[str, str]:
    """Return what the number is by which an iteration moves its weights.

    Parameters
    ----------
    trace : IterationTrace
        The iteration; the number is its ``learning_rate``.

    Returns
    -------
    name, symbol : str
        An evolution has no learning rate: its mutations have a standard deviation.
    """
    is_evolution = isinstance(trace.experiment.training.method, Evolution)
    return ("mutation", "σ") if is_evolution else ("learning rate", "η")


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
        layer = layers[step.layer]
        if step.time is not None and step.phase == "backward":
            return "∂L/∂hₜ = from above + from step t + 1"
        if step.operation == "linear" and "bias" not in layer.tensors:
            return "z = x @ W"
        if step.operation == "activation" and layer.kind == "recurrent":
            return "hₜ at every step"
        if step.operation == "activation_gradient" and (
            layer.kind == "recurrent" or layers[step.layer + 1].kind != "dense"
        ):
            return (
                "∂L/∂h from above, then back through time"
                if layer.kind == "recurrent"
                else "∂L/∂out from above"
            )
        if step.operation in ("delta", "weight_gradient", "update"):
            return KINDS.get((layer.kind, step.operation), FORMULAS[step.operation])
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
    parts = (step.phase, name, time_words(step, layers), formula_of(step, layers))
    return " · ".join(part for part in parts if part)


def time_words(step: Step, layers: Sequence[LayerTrace]) -> str:
    """Return which time step is told, such as ``t = 17 of 150``: people count from 1.

    Parameters
    ----------
    step : Step
        The step.
    layers : sequence of LayerTrace
        The layers of its trace.

    Returns
    -------
    str
        Empty for a step that is not one of time.
    """
    if step.time is None or step.layer is None:
        return ""
    return f"t = {step.time + 1} of {layers[step.layer].tensors['hidden'].shape[1]}"
