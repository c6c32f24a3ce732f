"""Loss by loss: what the best constant answer costs, and what each sample of a batch costs."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gradsim.spec import LossName
from gradsim.trace import IterationTrace, SampleSet


def baseline_loss(loss: LossName, samples: SampleSet, rows: int) -> float:
    """Return the loss of the best constant answer on the training samples.

    For a squared error that is the variance of the targets, for a cross-entropy the entropy (natural
    logarithm) of the classes; ``rows`` is the batch, over which ``sse`` sums.
    """
    targets = samples.training_targets.reshape(-1, samples.outputs)
    if len(targets) == 0:
        return float("nan")
    mean = targets.mean(axis=0)
    if loss == "cross_entropy":
        return float(-_times_log(mean).sum())
    if loss == "binary_cross_entropy":
        return float(-(_times_log(mean) + _times_log(1.0 - mean)).mean())
    variance = targets.var(axis=0)
    if loss == "mse":
        return float(variance.mean())
    steps = samples.target_steps
    return float(0.5 * variance.sum()) if loss == "half_mse" else float(variance.sum() * rows * steps)


def sample_losses(trace: IterationTrace) -> NDArray[np.float64]:
    """Return what each sample of the batch costs, shape (batch,), up to a factor that all have in common."""
    head = trace.layers[-1]
    loss = trace.experiment.training.loss
    rows = len(trace.sample_indices)
    with np.errstate(all="ignore"):
        if loss == "cross_entropy":
            z = np.asarray(head.pre_activation, np.float64)
            z = z.reshape(-1, z.shape[-1])
            z = z - z.max(axis=1, keepdims=True)
            log = z - np.log(np.exp(z).sum(axis=1, keepdims=True))
            each = -(log * np.asarray(trace.targets, np.float64).reshape(log.shape))
        elif loss == "binary_cross_entropy":
            z = np.asarray(head.pre_activation, np.float64)
            targets = np.asarray(trace.targets, np.float64).reshape(z.shape)
            each = np.logaddexp(0.0, z) - targets * z
        else:
            a = np.asarray(head.activation, np.float64)
            each = (a - np.asarray(trace.targets, np.float64).reshape(a.shape)) ** 2
        return np.asarray(each.reshape(rows, -1).sum(axis=1))


def _times_log(p: NDArray[np.float64]) -> NDArray[np.float64]:
    """P ln p, 0 where p is 0."""
    return np.asarray(p * np.log(np.where(p > 0, p, 1.0)))
