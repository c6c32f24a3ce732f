"""Layers without a number as formulas with the numbers of one sample, step of time and unit."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradsim.analysis.layer_specs import spec_of
from gradsim.spec import Normalization
from gradsim.trace import IterationTrace, LayerTrace
from gradsim.views.inspection.formula import Place, Told, ended, number_at, row_at, when
from gradsim.views.inspection.marked_number import told
from gradsim.views.inspection.nonlinearities import slope_text
from gradsim.views.inspection.sums import added, factor_text, product_text


def normalization_of(trace: IterationTrace, layer: LayerTrace) -> Normalization:
    """Return the normalization that a layer is, or has inside."""
    spec = spec_of(trace, layer)
    inner: Normalization = spec if isinstance(spec, Normalization) else spec.normalization
    return inner


def _over(method: str, values: NDArray[Any], place: Place, step: int) -> NDArray[np.float64]:
    """Return the values that are normalized together with that of a place."""
    if method == "batch":
        return np.asarray(values[..., place.unit], np.float64).ravel()
    return np.asarray(row_at(values, place.sample, step), np.float64)


def normalization_formula(trace: IterationTrace, layer: LayerTrace, place: Place) -> Told:
    """Return a normalization: alone, or inside a dense layer."""
    inner, step = normalization_of(trace, layer), place.step_of(layer)
    over = {
        "batch": "mean μ and variance σ² of each unit over the batch",
        "layer": "mean μ and variance σ² of each sample over its units",
        "rms": "root mean square of each sample over its units",
    }[inner.method]
    scaled = layer.tensors.get("scaled", layer.output)
    x = number_at(layer.pre_activation, place.sample, place.unit, step)
    hat = number_at(layer.normalized, place.sample, place.unit, step)
    together = _over(inner.method, layer.pre_activation, place, step)
    with np.errstate(all="ignore"):
        if inner.method == "rms":
            symbols = "x̂ = x / √(mean x² + ε)"
            square = told(float(np.square(together).mean()))
            filled = f"x̂ = {factor_text(x)} / √({square} + {told(inner.eps)}) = {told(hat)}"
        else:
            symbols = "x̂ = (x − μ) / √(σ² + ε)"
            top = added(told(x), -float(together.mean()))
            filled = f"x̂ = ({top}) / √({told(float(together.var()))} + {told(inner.eps)}) = {told(hat)}"
            top_value, spread = x - float(together.mean()), float(together.var())
        if inner.method == "rms":
            top_value, spread = x, float(np.square(together).mean())
        if place.is_mean and inner.method != "batch":  # each sample has its own μ and σ
            begin = filled.rpartition(" = ")[0]
            filled = ended(begin, float(top_value / np.sqrt(np.float64(spread + inner.eps))), hat, place)
    result = number_at(scaled, place.sample, place.unit, step)
    if "gamma" in layer.tensors:
        text = product_text(float(layer.gamma[place.unit]), hat)
        symbols += ";  y = γ x̂"
        if "beta" in layer.tensors:
            text, symbols = added(text, float(layer.beta[place.unit])), symbols + " + β"
        filled += f"\ny = {text} = {told(result)}"
    return symbols, filled, over + when(layer, place)


def normalization_gradient(trace: IterationTrace, layer: LayerTrace, place: Place) -> Told:
    """Return the gradient of what goes into a normalization."""
    inner, step = normalization_of(trace, layer), place.step_of(layer)
    letter, hat_letter, above = (
        ("δ", "ẑ", layer.normalized_gradient)
        if "scaled" in layer.tensors
        else ("∂L/∂x", "x̂", layer.output_gradient)
    )
    gradient = np.asarray(above, np.float64)
    with np.errstate(all="ignore"):
        if "gamma" in layer.tensors:
            gradient = gradient * np.asarray(layer.gamma, np.float64)
        g = number_at(gradient, place.sample, place.unit, step)
        hat = number_at(layer.normalized, place.sample, place.unit, step)
        gradients = _over(inner.method, gradient, place, step)
        hats = _over(inner.method, layer.normalized, place, step)
        together = _over(inner.method, layer.pre_activation, place, step)
        variance = np.square(together).mean() if inner.method == "rms" else together.var()
        along = float((gradients * hats).mean())
        mean = "" if inner.method == "rms" else " − mean g"
        inside = told(g) if inner.method == "rms" else added(told(g), -float(gradients.mean()))
    result = number_at(layer.delta, place.sample, place.unit, step)
    symbols = f"{letter} = (g{mean} − {hat_letter} · mean(g {hat_letter})) / √(σ² + ε),  g = γ ∂L/∂y"
    text = (
        f"{letter} = ({inside} − {factor_text(hat)}·{factor_text(along)}) / "
        f"√({told(float(variance))} + {told(inner.eps)})"
    )
    filled = f"{text} = {told(result)}"
    if place.is_mean and inner.method != "batch":
        with np.errstate(all="ignore"):
            shift = 0.0 if inner.method == "rms" else float(gradients.mean())
            value = (g - shift - hat * along) / np.sqrt(np.float64(variance + inner.eps))
        filled = ended(text, float(value), result, place)
    away = (
        "along x̂ falls away" if inner.method == "rms" else "along x̂ and along a shift of all values fall away"
    )
    over = {"batch": "the batch", "layer": "the units", "rms": "the units"}[inner.method]
    return symbols, filled, f"means over {over}: the part of the gradient {away}{when(layer, place)}"


def dropout_formula(trace: IterationTrace, layer: LayerTrace, place: Place) -> Told:
    """Return a dropout with the mask of one value."""
    step = place.step_of(layer)
    mask = number_at(layer.slope, place.sample, place.unit, step)
    x = number_at(layer.input, place.sample, place.unit, step)
    result = number_at(layer.output, place.sample, place.unit, step)
    rate = spec_of(trace, layer).rate
    note = f"m is 0 with probability {rate:g}, else 1 / (1 − {rate:g}){when(layer, place)}"
    return "y = m x", ended(f"y = {product_text(mask, x)}", mask * x, result, place), note


def residual_formula(trace: IterationTrace, layer: LayerTrace, place: Place) -> Told:
    """Return the sum of skip and branch."""
    spec, step = spec_of(trace, layer), place.step_of(layer)
    alpha = float(layer.scale[0]) if "scale" in layer.tensors else spec.scale
    skip = number_at(layer.tensors.get("skip", layer.input), place.sample, place.unit, step)
    branch = number_at(layer.branch, place.sample, place.unit, step)
    result = told(number_at(layer.output, place.sample, place.unit, step))
    filled = f"y = {told(skip)} + {product_text(alpha, branch)} = {result}"
    symbols = "y = x P + α · branch(x)" if "skip" in layer.tensors else "y = x + α · branch(x)"
    return symbols, filled, f"the skip and the branch added up{when(layer, place)}"


def residual_gradient(layer: LayerTrace, place: Place) -> Told:
    """Return the gradient of a block's input as the sum of its two ways."""
    unit, step = min(place.unit, layer.fan_in - 1), place.step_of(layer)
    by_skip = number_at(layer.tensors.get("skip_gradient", layer.output_gradient), place.sample, unit, step)
    through = number_at(layer.branch_input_gradient, place.sample, unit, step)
    symbols = (
        "∂L/∂x = ∂L/∂y Pᵀ + through the branch"
        if "skip_gradient" in layer.tensors
        else "∂L/∂x = ∂L/∂y + through the branch"
    )
    total = told(number_at(layer.delta, place.sample, unit, step))
    filled = f"∂L/∂x = {added(told(by_skip), through)} = {total}"
    return symbols, filled, f"the skip hands the gradient on unchanged by the branch{when(layer, place)}"


def slope_formula(layer: LayerTrace, place: Place) -> Told:
    """Return the gradient of an elementwise layer's input."""
    step = place.step_of(layer)
    slope = number_at(layer.slope, place.sample, place.unit, step)
    gradient = number_at(layer.output_gradient, place.sample, place.unit, step)
    result = number_at(layer.delta, place.sample, place.unit, step)
    text = f"∂L/∂x = {factor_text(gradient)}·{factor_text(slope)}"
    filled = ended(text, gradient * slope, result, place)
    name = "m"
    if layer.kind != "dropout":
        x = number_at(layer.input, place.sample, place.unit, step)
        y = number_at(layer.output, place.sample, place.unit, step)
        name = "φ′(x)"
        by_slope = slope_text(layer, x, y, slope, is_mean=place.is_mean)
        filled = f"{by_slope.replace('(z)', '(x)').replace('z ', 'x ')}\n{filled}"
    return f"∂L/∂x = ∂L/∂y · {name}", filled, f"the slope of this layer{when(layer, place)}"
