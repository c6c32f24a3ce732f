"""The optimizers: each turns gradients into updates, one chunk of a parameter tensor at a time.

Kernels work in place on ``update``, which holds the (clipped, decayed) gradient on entry and what is added
to the parameter on exit. Conventions are PyTorch's, see the docstrings in ``gradsim.spec.training``.
"""

from __future__ import annotations

import math
from typing import Any

from gradsim.engine.compilation import kernel

OPTIMIZER_CODES = {
    "sgd": 0,
    "momentum": 1,
    "nesterov": 2,
    "rmsprop": 3,
    "adagrad": 4,
    "adam": 5,
    "adamw": 6,
}
SGD = 0
MOMENTUM = 1
NESTEROV = 2
RMSPROP = 3
ADAGRAD = 4
ADAM = 5
ADAMW = 6

STATE_SLOTS = {"sgd": 0, "momentum": 1, "nesterov": 1, "rmsprop": 1, "adagrad": 1, "adam": 2, "adamw": 2}
"""How many running tensors of the size of the parameters an optimizer keeps."""


@kernel
def sgd_update(update: Any, rate: Any) -> Any:
    """Δw = −η g."""
    for i in range(update.shape[0]):
        update[i] = -rate * update[i]


@kernel
def momentum_update(update: Any, velocity: Any, rate: Any, mu: Any, nesterov: Any) -> Any:
    """V ← μ v + g; Δw = −η v, or −η (g + μ v) for Nesterov (Sutskever et al. 2013, as PyTorch writes it)."""
    if nesterov:
        for i in range(update.shape[0]):
            velocity[i] = mu * velocity[i] + update[i]
            update[i] = -rate * (update[i] + mu * velocity[i])
    else:
        for i in range(update.shape[0]):
            velocity[i] = mu * velocity[i] + update[i]
            update[i] = -rate * velocity[i]


@kernel
def rmsprop_update(update: Any, square: Any, rate: Any, alpha: Any, rest: Any, eps: Any) -> Any:
    """S ← α s + (1 − α) g²; Δw = −η g / (√s + eps) (Tieleman and Hinton 2012)."""
    for i in range(update.shape[0]):
        square[i] = alpha * square[i] + rest * (update[i] * update[i])
        update[i] = -rate * (update[i] / (math.sqrt(square[i]) + eps))


@kernel
def adagrad_update(update: Any, square: Any, rate: Any, eps: Any) -> Any:
    """S ← s + g²; Δw = −η g / (√s + eps) (Duchi et al. 2011)."""
    for i in range(update.shape[0]):
        square[i] += update[i] * update[i]
        update[i] = -rate * (update[i] / (math.sqrt(square[i]) + eps))


@kernel
def adam_update(
    update: Any,
    mean: Any,
    square: Any,
    rate: Any,
    beta1: Any,
    rest1: Any,
    beta2: Any,
    rest2: Any,
    root: Any,
    eps: Any,
) -> Any:
    """M ← β₁ m + (1 − β₁) g; s ← β₂ s + (1 − β₂) g²; Δw = −rate · m / (√s / root + eps).

    ``rate`` is η / (1 − β₁ᵗ) and ``root`` √(1 − β₂ᵗ), so eps is added after the bias-corrected root
    (Kingma and Ba 2015, algorithm 1).
    """
    for i in range(update.shape[0]):
        mean[i] = beta1 * mean[i] + rest1 * update[i]
        square[i] = beta2 * square[i] + rest2 * (update[i] * update[i])
        update[i] = -rate * (mean[i] / (math.sqrt(square[i]) / root + eps))
