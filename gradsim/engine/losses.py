"""The losses and where backpropagation starts: ∂L/∂a of the head, and δ directly where both are fused.

Conventions (what is averaged over what) stand in the docstring of each kernel. Sums are kept in float64.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from gradsim.engine.compilation import OFF, ON, kernel

LOSS_CODES = {"mse": 0, "half_mse": 1, "sse": 2, "cross_entropy": 3, "binary_cross_entropy": 4}
MSE = 0
HALF_MSE = 1
SSE = 2
CROSS_ENTROPY = 3
BINARY_CROSS_ENTROPY = 4


@kernel
def squared_error(a: Any, targets: Any, a_gradient: Any, rows: Any, factor: Any, half: Any) -> Any:
    """Σ (a − t)² · factor (halved if ``half``), and ∂L/∂a = 2 (a − t) · factor (halved likewise).

    ``mse`` has factor 1 / (rows · outputs), ``half_mse`` 1 / rows and half, ``sse`` 1. All arrays are flat,
    (rows · outputs,). The gradient is written in the precision of the network.
    """
    total = 0.0
    scale = 1.0 if half else 2.0
    for i in range(a.shape[0]):
        error = np.float64(a[i]) - np.float64(targets[i])
        total += error * error
        a_gradient[i] = scale * error * factor
    return total * factor * (0.5 if half else 1.0)


@kernel
def softmax_cross_entropy(
    z: Any, targets: Any, a: Any, a_gradient: Any, delta: Any, rows: Any, outputs: Any
) -> Any:
    """−Σ t ln softmax(z), natural logarithm, mean over the rows, from the pre-activation.

    δ = (softmax(z) Σt − t) / rows, written so that it keeps its digits where a probability comes close to 1, as
    does the loss: 1 − p is the sum of the others. ∂L/∂a = −t / (a · rows) is
    recorded beside it.
    """
    total = 0.0
    for row in range(rows):
        base = row * outputs
        best = 0
        for j in range(1, outputs):
            if z[base + j] > z[base + best] or z[base + j] != z[base + j]:
                best = j
        largest = np.float64(z[base + best])
        rest = 0.0  # Σ exp(z − largest) without the largest itself, which would swallow what is small
        mass = 0.0
        for j in range(outputs):
            if j != best:
                rest += math.exp(np.float64(z[base + j]) - largest)
            mass += np.float64(targets[base + j])
        log_rest = math.log1p(rest) + (largest - largest)
        for j in range(outputs):
            t = np.float64(targets[base + j])
            below = np.float64(z[base + j]) - largest
            share = math.exp(below - log_rest)
            others = rest / (1.0 + rest) if j == best else 1.0 - share
            if t != 0.0:
                total += t * (log_rest - below)
                a_gradient[base + j] = -t / (np.float64(a[base + j]) * rows)
            else:
                a_gradient[base + j] = 0.0
            delta[base + j] = (share * (mass - t) - t * others) / rows
    return total / rows


@kernel
def sigmoid_cross_entropy(z: Any, targets: Any, a: Any, a_gradient: Any, delta: Any) -> Any:
    """−t ln σ(z) − (1 − t) ln(1 − σ(z)), mean over all elements, from the pre-activation.

    δ = (σ(z) − t) / elements; for t = 1 it is written −σ(−z) / elements, which keeps its digits where the
    sigmoid saturates.
    """
    total = 0.0
    count = a.shape[0]
    for i in range(count):
        logit = np.float64(z[i])
        t = np.float64(targets[i])
        small = math.exp(-abs(logit))
        total += max(logit, 0.0) - logit * t + math.log1p(small)
        if logit >= 0.0:
            up = 1.0 / (1.0 + small)
            down = small / (1.0 + small)
        else:
            up = small / (1.0 + small)
            down = 1.0 / (1.0 + small)
        if logit != logit:
            up = logit
            down = logit
        delta[i] = ((1.0 - t) * up - t * down) / count
        gradient = 0.0
        if t != 0.0:
            gradient -= t / up
        if t != 1.0:
            gradient += (1.0 - t) / down
        a_gradient[i] = gradient / count
    return total / count


@kernel
def loss_and_gradient(
    kind: Any, z: Any, a: Any, targets: Any, a_gradient: Any, delta: Any, rows: Any, outputs: Any
) -> Any:
    """Return the loss of a batch as float64; write ∂L/∂a of the head, and δ for the fused losses."""
    if kind == CROSS_ENTROPY:
        return softmax_cross_entropy(z, targets, a, a_gradient, delta, rows, outputs)
    if kind == BINARY_CROSS_ENTROPY:
        return sigmoid_cross_entropy(z, targets, a, a_gradient, delta)
    if kind == MSE:
        return squared_error(a, targets, a_gradient, rows, 1.0 / (rows * outputs), OFF)
    if kind == HALF_MSE:
        return squared_error(a, targets, a_gradient, rows, 1.0 / rows, ON)
    return squared_error(a, targets, a_gradient, rows, 1.0, OFF)


@kernel
def correct_share(a: Any, classes: Any, outputs: Any) -> Any:
    """Return the share of rows whose largest output (or, with one output, side of 1/2) is their class."""
    rows = classes.shape[0]
    correct = 0
    for row in range(rows):
        best = 0
        if outputs == 1:
            best = 1 if a[row] >= 0.5 else 0
        else:
            for j in range(1, outputs):
                if a[row * outputs + j] > a[row * outputs + best]:
                    best = j
            if a[row * outputs + best] != a[row * outputs + best]:
                best = -1
        if best == classes[row]:
            correct += 1
    return correct / rows
