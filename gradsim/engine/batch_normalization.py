"""Batch normalization: every column over the rows of the batch.

Parameters as in ``normalize_forward`` and ``normalize_backward``.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gradsim.engine.compilation import kernel
from gradsim.engine.memory import stretch
from gradsim.engine.normalization_lines import fill, fold, gradient_sums, line_width, tile


@kernel
def _column_means(x: Any, units: Any, mean: Any, first: Any) -> None:
    """Write the mean of every column over a line (width,); ``first`` (width,) is scratch."""
    width = mean.shape[0]
    rows = x.shape[0] // units
    fill(first, stretch(x, 0, units), 0.0)
    for j in range(width):
        mean[j] = 0.0
    for start in range(0, x.shape[0], width):
        line = stretch(x, start, min(width, x.shape[0] - start))
        for j in range(line.shape[0]):
            mean[j] += np.float64(line[j]) - first[j]
    fold(mean, units)
    for j in range(units):
        mean[j] = first[j] + mean[j] / rows
        if mean[j] != mean[j]:  # perhaps only the first value is Inf
            total = 0.0
            for row in range(rows):
                total += np.float64(x[row * units + j])
            mean[j] = total / rows
    tile(mean, units)


@kernel
def _column_deviations(x: Any, units: Any, mean: Any, out: Any) -> None:
    """Write Σ (x − mean)² of every column into the first ``units`` places of a line (width,)."""
    width = out.shape[0]
    for j in range(width):
        out[j] = 0.0
    for start in range(0, x.shape[0], width):
        line = stretch(x, start, min(width, x.shape[0] - start))
        for j in range(line.shape[0]):
            value = np.float64(line[j]) - mean[j]
            out[j] += value * value
    fold(out, units)


@kernel
def batch_normalization_forward(
    x: Any,
    out: Any,
    normalized: Any,
    gamma: Any,
    beta: Any,
    mean: Any,
    inverse_sd: Any,
    running_mean: Any,
    running_variance: Any,
    units: Any,
    eps: Any,
    momentum: Any,
    training: Any,
    work: Any,
) -> None:
    """x̂ = (x − mean) / √(biased variance + eps) of every column over the rows, y = γ x̂ + β."""
    rows = x.shape[0] // units
    width = line_width(rows, units)
    mean_line = stretch(work, 0, width)
    inverse_line = stretch(work, width, width)
    if training:
        _column_means(x, units, mean_line, inverse_line)
        _column_deviations(x, units, mean_line, inverse_line)
        for j in range(units):
            deviation = inverse_line[j]
            running_mean[j] += momentum * (mean_line[j] - running_mean[j])
            unbiased = deviation / max(rows - 1, 1)  # one row alone has none: 0
            running_variance[j] += momentum * (unbiased - running_variance[j])
            inverse_line[j] = 1.0 / np.sqrt(deviation / rows + eps)
    else:
        fill(mean_line, running_mean, 0.0)
        for j in range(units):
            inverse_line[j] = 1.0 / np.sqrt(np.float64(running_variance[j]) + eps)
    for j in range(units):
        mean[j] = mean_line[j]
        inverse_sd[j] = inverse_line[j]
    tile(inverse_line, units)
    gamma_line = stretch(work, 2 * width, width)
    beta_line = stretch(work, 3 * width, width)
    fill(gamma_line, gamma, 1.0)
    fill(beta_line, beta, 0.0)
    for start in range(0, x.shape[0], width):
        count = min(width, x.shape[0] - start)
        line = stretch(x, start, count)
        normalized_line = stretch(normalized, start, count)
        out_line = stretch(out, start, count)
        for j in range(count):
            normalized_line[j] = (np.float64(line[j]) - mean_line[j]) * inverse_line[j]
        for j in range(count):
            out_line[j] = np.float64(normalized_line[j]) * gamma_line[j] + beta_line[j]


@kernel
def batch_normalization_backward(
    normalized: Any,
    gamma: Any,
    inverse_sd: Any,
    output_gradient: Any,
    input_gradient: Any,
    gamma_gradient: Any,
    beta_gradient: Any,
    units: Any,
    work: Any,
) -> None:
    """∂L/∂x = γ / sd · (g − mean g − x̂ · mean(x̂ g)) with g = ∂L/∂y; ∂L/∂γ = Σ x̂ g, ∂L/∂β = Σ g."""
    rows = normalized.shape[0] // units
    width = line_width(rows, units)
    plain = stretch(work, 0, width)
    weighted = stretch(work, width, width)
    factor = stretch(work, 2 * width, width)
    gradient_sums(output_gradient, normalized, units, plain, weighted)
    for j in range(gamma_gradient.shape[0]):
        gamma_gradient[j] = weighted[j]
    for j in range(beta_gradient.shape[0]):
        beta_gradient[j] = plain[j]
    for j in range(units):
        plain[j] /= rows
        weighted[j] /= rows
    fill(factor, gamma, 1.0)
    for j in range(units):
        factor[j] *= np.float64(inverse_sd[j])
    tile(plain, units)
    tile(weighted, units)
    tile(factor, units)
    for start in range(0, normalized.shape[0], width):
        count = min(width, normalized.shape[0] - start)
        gradient = stretch(output_gradient, start, count)
        line = stretch(normalized, start, count)
        out = stretch(input_gradient, start, count)
        for j in range(count):
            rest = (np.float64(gradient[j]) - plain[j]) - np.float64(line[j]) * weighted[j]
            out[j] = rest * factor[j]
