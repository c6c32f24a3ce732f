"""The gain of weights that keeps the size of the gradient, for every activation."""

from __future__ import annotations

from functools import cache

import numpy as np

from gradsim.analysis.activation_functions import activation_pair
from gradsim.spec import Activation, kind_of

SMALL, UNIT = 0.1, 1.0
"""Standard deviations of the pre-activation between which a sound net works."""


@cache
def wanted_gains(activation: Activation) -> tuple[float, float] | None:
    """Return the least and the largest gain σ_w = rms W · √fan_in that keeps the gradient of an activation.

    The gradient keeps its size where σ_w² E[φ'(z)²] = 1 (Schoenholz et al. 2017, χ = 1), here for z normal with
    a standard deviation from 0.1 to 1: √2 for ReLU (He et al. 2015), 1 to 1.5 for tanh, 4 to 4.8 for a sigmoid.
    None where nothing comes back (``step``) or units are not one by one (``softmax``).
    """
    if kind_of(activation) in ("step", "softmax"):
        return None
    x = (np.arange(4000) + 0.5) / 4000 * 16.0 - 8.0
    density = np.exp(-0.5 * x * x)
    density /= density.sum()
    gains = [
        float((density * np.square(activation_pair(activation, sd * x)[1])).sum()) ** -0.5
        for sd in (SMALL, UNIT)
    ]
    return min(gains), max(gains)
