"""The optimizers: each turns gradients into updates, one chunk of a parameter tensor at a time.

Kernels work in place on ``update``, which holds the (clipped, decayed) gradient on entry and what is added
to the parameter on exit. Conventions are PyTorch's, see the docstrings in ``gradsim.spec.training``.
"""

from __future__ import annotations

import math
from typing import Any

from gradsim.engine.compilation import inner_kernel, kernel

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

# Places in the scratch array that carries the constants of the update in the precision of the network.
RATE = 0
DECAY_1 = 1
REST_1 = 2
DECAY_2 = 3
REST_2 = 4
EPS = 5
WEIGHT_DECAY = 6
ROOT = 7
CORRECTED_RATE = 8
RATE_TIMES_DECAY = 9


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


@inner_kernel
def update_chunk(
    optimizer: Any,
    gradient: Any,
    parameter: Any,
    update: Any,
    moment_1: Any,
    moment_2: Any,
    typed: Any,
    decay: Any,
) -> None:
    """Write Δw of one chunk of a parameter."""
    if decay and optimizer != ADAMW:
        factor = typed[WEIGHT_DECAY]
        for i in range(update.shape[0]):
            update[i] = gradient[i] + factor * parameter[i]
    else:
        for i in range(update.shape[0]):
            update[i] = gradient[i]
    if optimizer == MOMENTUM or optimizer == NESTEROV:
        momentum_update(update, moment_1, typed[RATE], typed[DECAY_1], optimizer == NESTEROV)
    elif optimizer == RMSPROP:
        rmsprop_update(update, moment_1, typed[RATE], typed[DECAY_1], typed[REST_1], typed[EPS])
    elif optimizer == ADAGRAD:
        adagrad_update(update, moment_1, typed[RATE], typed[EPS])
    elif optimizer == ADAM or optimizer == ADAMW:
        adam_update(
            update,
            moment_1,
            moment_2,
            typed[CORRECTED_RATE],
            typed[DECAY_1],
            typed[REST_1],
            typed[DECAY_2],
            typed[REST_2],
            typed[ROOT],
            typed[EPS],
        )
        if decay and optimizer == ADAMW:
            factor = typed[RATE_TIMES_DECAY]
            for i in range(update.shape[0]):
                update[i] -= factor * parameter[i]
    else:
        sgd_update(update, typed[RATE])
