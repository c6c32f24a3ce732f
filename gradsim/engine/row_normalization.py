"""Layer and root-mean-square normalization: every row over its features.

Parameters as in ``normalize_forward`` and ``normalize_backward``.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gradsim.engine.compilation import kernel
from gradsim.engine.memory import stretch
from gradsim.engine.normalization_lines import fill, gradient_sums, line_width


@kernel
def layer_normalization_forward(
    x: Any,
    out: Any,
    normalized: Any,
    gamma: Any,
    beta: Any,
    mean: Any,
    inverse_sd: Any,
    units: Any,
    eps: Any,
    work: Any,
) -> None:
    """x̂ = (x − mean) / √(biased variance + eps) of every row, y = γ x̂ + β."""
    gamma_line = stretch(work, 0, units)
    beta_line = stretch(work, units, units)
    fill(gamma_line, gamma, 1.0)
    fill(beta_line, beta, 0.0)
    for row in range(x.shape[0] // units):
        line = stretch(x, row * units, units)
        normalized_line = stretch(normalized, row * units, units)
        out_line = stretch(out, row * units, units)
        first = np.float64(line[0])
        total = 0.0
        for j in range(units):
            total += np.float64(line[j]) - first
        centre = first + total / units
        if centre != centre:  # perhaps only the first value is Inf
            total = 0.0
            for j in range(units):
                total += np.float64(line[j])
            centre = total / units
        total = 0.0
        for j in range(units):
            value = np.float64(line[j]) - centre
            total += value * value
        inverse = 1.0 / np.sqrt(total / units + eps)
        mean[row] = centre
        inverse_sd[row] = inverse
        for j in range(units):
            normalized_line[j] = (np.float64(line[j]) - centre) * inverse
        for j in range(units):
            out_line[j] = np.float64(normalized_line[j]) * gamma_line[j] + beta_line[j]


@kernel
def rms_normalization_forward(
    x: Any, out: Any, normalized: Any, gamma: Any, inverse_rms: Any, units: Any, eps: Any, work: Any
) -> None:
    """x̂ = x / √(mean x² + eps) of every row, y = γ x̂."""
    gamma_line = stretch(work, 0, units)
    fill(gamma_line, gamma, 1.0)
    for row in range(x.shape[0] // units):
        line = stretch(x, row * units, units)
        normalized_line = stretch(normalized, row * units, units)
        out_line = stretch(out, row * units, units)
        total = 0.0
        for j in range(units):
            total += np.float64(line[j]) * np.float64(line[j])
        inverse = 1.0 / np.sqrt(total / units + eps)
        inverse_rms[row] = inverse
        for j in range(units):
            normalized_line[j] = np.float64(line[j]) * inverse
        for j in range(units):
            out_line[j] = np.float64(normalized_line[j]) * gamma_line[j]


@kernel
def row_normalization_backward(
    centred: Any,
    normalized: Any,
    gamma: Any,
    inverse: Any,
    output_gradient: Any,
    input_gradient: Any,
    gamma_gradient: Any,
    beta_gradient: Any,
    units: Any,
    work: Any,
) -> None:
    """∂L/∂x = (g − mean g (if ``centred``) − x̂ · mean(x̂ g)) · inverse of every row with g = γ ∂L/∂y."""
    rows = normalized.shape[0] // units
    if gamma_gradient.shape[0] + beta_gradient.shape[0] > 0:
        width = line_width(rows, units)
        plain = stretch(work, 0, width)
        weighted = stretch(work, width, width)
        gradient_sums(output_gradient, normalized, units, plain, weighted)
        for j in range(gamma_gradient.shape[0]):
            gamma_gradient[j] = weighted[j]
        for j in range(beta_gradient.shape[0]):
            beta_gradient[j] = plain[j]
    gamma_line = stretch(work, 0, units)
    fill(gamma_line, gamma, 1.0)
    for row in range(rows):
        gradient = stretch(output_gradient, row * units, units)
        line = stretch(normalized, row * units, units)
        out = stretch(input_gradient, row * units, units)
        mean = along = 0.0
        for j in range(units):
            value = np.float64(gradient[j]) * gamma_line[j]
            mean += value
            along += value * np.float64(line[j])
        mean = mean / units if centred else 0.0
        along /= units
        factor = np.float64(inverse[row])
        for j in range(units):
            value = np.float64(gradient[j]) * gamma_line[j]
            out[j] = ((value - mean) - np.float64(line[j]) * along) * factor
