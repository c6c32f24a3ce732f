"""Layers without a number, and recurrent ones, as formulas with the numbers of one sample, step and unit."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradsim.spec import Normalization, unrolled_layers
from gradsim.trace import IterationTrace, LayerTrace
from gradsim.views.inspection.number_text import number_text
from gradsim.views.inspection.sums import added, factor_text, product_text

Told = tuple[str, str, str]
"""Symbols, the same with numbers, and what it means."""

_CELLS = {
    "simple": "hₜ = φ(xₜ W + hₜ₋₁ R + b)",
    "lstm": "i, f, g, o = gates(xₜ W + hₜ₋₁ R + b);  cₜ = f cₜ₋₁ + i g;  hₜ = o tanh cₜ",
    "gru": "r, u = gates(xₜ W + hₜ₋₁ R + b);  n = tanh(…);  hₜ = (1 − u) n + u hₜ₋₁",
}


def number_at(values: NDArray[Any], sample: int, unit: int) -> float:
    """Return the number of a unit of a sample, at the last step of a sequence."""
    row = values[sample]
    return float(row[-1, unit] if row.ndim == 2 else row[unit])


def row_at(values: NDArray[Any], sample: int) -> NDArray[Any]:
    """Return the numbers of a sample, at the last step of a sequence."""
    return np.asarray(values[sample, -1] if values.ndim == 3 else values[sample])


def when(layer: LayerTrace) -> str:
    """Return a remark on which step of a sequence is filled in; nothing without time."""
    return f"; numbers of the last of {layer.output.shape[1]} steps" if layer.output.ndim == 3 else ""


def _spec(trace: IterationTrace, layer: LayerTrace) -> Any:
    return unrolled_layers(trace.experiment.network)[layer.index].layer


def normalization_formula(trace: IterationTrace, layer: LayerTrace, sample: int, unit: int) -> Told:
    """Return a normalization: alone, or inside a dense layer."""
    spec = _spec(trace, layer)
    inner: Normalization = spec if isinstance(spec, Normalization) else spec.normalization
    over = {
        "batch": "mean and variance of each unit over the batch",
        "layer": "mean and variance of each sample over its units",
        "rms": "root mean square of each sample over its units",
    }[inner.method]
    scaled = layer.tensors.get("scaled", layer.output)
    symbols = "x̂ = x / √(mean x² + ε)" if inner.method == "rms" else "x̂ = (x − μ) / √(σ² + ε)"
    x = number_at(layer.pre_activation, sample, unit)
    hat, result = number_at(layer.normalized, sample, unit), number_at(scaled, sample, unit)
    filled = f"x = {number_text(x)} → x̂ = {number_text(hat)}"
    if "gamma" in layer.tensors:
        gamma = float(layer.gamma[unit])
        text = product_text(gamma, hat)
        symbols += ";  y = γ x̂"
        if "beta" in layer.tensors:
            text, symbols = added(text, float(layer.beta[unit])), symbols + " + β"
        filled += f"\ny = {text} = {number_text(result)}"
    return symbols, filled, over + when(layer)


def dropout_formula(trace: IterationTrace, layer: LayerTrace, sample: int, unit: int) -> Told:
    """Return a dropout with the mask of one value."""
    mask, x = number_at(layer.slope, sample, unit), number_at(layer.input, sample, unit)
    result = number_text(number_at(layer.output, sample, unit))
    rate = _spec(trace, layer).rate
    note = f"m is 0 with probability {rate:g}, else 1 / (1 − {rate:g}){when(layer)}"
    return "y = m x", f"y = {product_text(mask, x)} = {result}", note


def residual_formula(trace: IterationTrace, layer: LayerTrace, sample: int, unit: int) -> Told:
    """Return the sum of skip and branch."""
    spec = _spec(trace, layer)
    alpha = float(layer.scale[0]) if "scale" in layer.tensors else spec.scale
    skip = number_at(layer.tensors.get("skip", layer.input), sample, unit)
    branch = number_at(layer.branch, sample, unit)
    result = number_text(number_at(layer.output, sample, unit))
    filled = f"y = {number_text(skip)} + {product_text(alpha, branch)} = {result}"
    symbols = "y = x P + α · branch(x)" if "skip" in layer.tensors else "y = x + α · branch(x)"
    return symbols, filled, f"the skip and the branch added up{when(layer)}"


def residual_gradient(layer: LayerTrace, sample: int, unit: int) -> Told:
    """Return the gradient of a block's input as the sum of its two ways."""
    unit = min(unit, layer.fan_in - 1)
    by_skip = number_at(layer.tensors.get("skip_gradient", layer.output_gradient), sample, unit)
    through = number_at(layer.branch_input_gradient, sample, unit)
    symbols = (
        "∂L/∂x = ∂L/∂y Pᵀ + through the branch"
        if "skip_gradient" in layer.tensors
        else ("∂L/∂x = ∂L/∂y + through the branch")
    )
    total = number_text(by_skip + through)
    filled = f"∂L/∂x = {added(number_text(by_skip), through)} = {total}"
    return symbols, filled, f"the skip hands the gradient on unchanged by the branch{when(layer)}"


def recurrent_formula(trace: IterationTrace, layer: LayerTrace, sample: int, unit: int) -> Told:
    """Return a step of a cell through time, with the states before and after the last one."""
    spec, steps = _spec(trace, layer), layer.hidden.shape[1]
    before = float(layer.hidden[sample, -2, unit]) if steps > 1 else 0.0
    filled = f"hₜ₋₁ = {number_text(before)} → hₜ = {number_text(float(layer.hidden[sample, -1, unit]))}"
    if "cell" in layer.tensors:
        old = float(layer.cell[sample, -2, unit]) if steps > 1 else 0.0
        filled += f"\ncₜ₋₁ = {number_text(old)} → cₜ = {number_text(float(layer.cell[sample, -1, unit]))}"
    if "gates" in layer.tensors:
        gates = layer.gates[sample, -1].reshape(-1, layer.fan_out)[:, unit]
        names = {"lstm": "i f g o", "gru": "r u n"}[spec.cell].split()
        told = "  ".join(f"{n} = {number_text(float(g))}" for n, g in zip(names, gates, strict=True))
        filled += f"\n{told}"
    else:
        filled = f"z = {number_text(float(layer.pre_activation[sample, -1, unit]))}\n{filled}"
    return _CELLS[spec.cell], filled, f"numbers of the last of {steps} steps"


def recurrent_gradient(layer: LayerTrace, sample: int, unit: int) -> Told:
    """Return the gradient of a hidden state at the last and the first step."""
    steps = layer.hidden.shape[1]
    ends = [number_text(float(layer.hidden_gradient[sample, t, unit])) for t in (-1, 0)]
    filled = f"last step: {ends[0]}\nfirst step: {ends[1]}"
    note = f"at every step what comes from above and from the step after it, over {steps} steps"
    return "∂L/∂hₜ = from above + from step t + 1", filled, note


def slope_formula(layer: LayerTrace, sample: int, unit: int) -> Told:
    """Return the gradient of an elementwise layer's input."""
    slope = number_at(layer.slope, sample, unit)
    gradient = number_at(layer.output_gradient, sample, unit)
    result = number_text(slope * gradient)
    name = "m" if layer.kind == "dropout" else "φ′(x)"
    filled = f"∂L/∂x = {factor_text(gradient)}·{factor_text(slope)} = {result}"
    return f"∂L/∂x = ∂L/∂y · {name}", filled, f"the slope of this layer{when(layer)}"
