"""Gradient clipping: by value, by norm, by the global norm, adaptive.

Norms come from statistics that survive the range of the precision, so a gradient of 1e200 is clipped and
not turned into NaN by its own square.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from gradsim.engine.compilation import kernel
from gradsim.engine.memory import copy

CLIPPING_CODES = {"none": 0, "value": 1, "norm": 2, "global_norm": 3, "adaptive": 4}
NO_CLIPPING = 0
VALUE = 1
NORM = 2
GLOBAL_NORM = 3
ADAPTIVE = 4


@kernel
def clip_values(gradient: Any, out: Any, threshold: Any) -> Any:
    """Each element to ±threshold; NaN stays NaN."""
    for i in range(gradient.shape[0]):
        g = gradient[i]
        out[i] = threshold if g > threshold else (-threshold if g < -threshold else g)


@kernel
def clip_norm(gradient: Any, out: Any, norm: Any, threshold: Any) -> Any:
    """G · c / ‖g‖ where ‖g‖ > c, exactly; else g (Pascanu et al. 2013)."""
    if norm > threshold:
        for i in range(gradient.shape[0]):
            # Divided first: g / ‖g‖ lies within ±1, while c / ‖g‖ may be below the smallest number.
            out[i] = np.float64(gradient[i]) / norm * threshold
    else:
        copy(gradient, out)


@kernel
def clip_adaptive(
    gradient: Any, weight: Any, out: Any, rows: Any, columns: Any, is_matrix: Any, threshold: Any, eps: Any
) -> Any:
    """Norm of each unit's gradient to ≤ threshold · max(its weight norm, eps) (Brock et al. 2021, eq. 3).

    A unit is a column of a weight matrix; a bias or a slope vector counts as one unit.
    """
    columns_per_unit = 1 if is_matrix else columns
    for unit in range(columns // columns_per_unit):
        first = unit * columns_per_unit
        gradient_norm = 0.0
        weight_norm = 0.0
        for i in range(rows):
            for j in range(first, first + columns_per_unit):
                gradient_norm = math.hypot(gradient_norm, np.float64(gradient[i * columns + j]))
                weight_norm = math.hypot(weight_norm, np.float64(weight[i * columns + j]))
        limit = threshold * max(weight_norm, eps)
        for i in range(rows):
            for j in range(first, first + columns_per_unit):
                g = gradient[i * columns + j]
                out[i * columns + j] = np.float64(g) / gradient_norm * limit if gradient_norm > limit else g
