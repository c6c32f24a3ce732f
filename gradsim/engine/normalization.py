"""Batch, layer and root-mean-square normalization: y = γ x̂ + β and its backward pass, by the code of a method.

Tensors are flat, (rows · units,), row by row, all of one dtype. Moments are accumulated in float64 around the
first value, so that a large common offset does not cancel and equal values give x̂ = 0 exactly. An empty γ is 1,
an empty β is 0, and their gradients are then empty too.
"""

from __future__ import annotations

from typing import Any

from gradsim.engine.batch_normalization import batch_normalization_backward, batch_normalization_forward
from gradsim.engine.compilation import kernel
from gradsim.engine.normalization_lines import work_size
from gradsim.engine.row_normalization import (
    layer_normalization_forward,
    rms_normalization_forward,
    row_normalization_backward,
)

__all__ = ["BATCH", "LAYER", "RMS", "normalize_backward", "normalize_forward", "work_size"]

BATCH, LAYER, RMS = range(3)
"""Methods of ``normalize_forward`` and ``normalize_backward``."""


@kernel
def normalize_forward(
    method: Any,
    x: Any,
    out: Any,
    normalized: Any,
    gamma: Any,
    beta: Any,
    mean: Any,
    inverse: Any,
    running_mean: Any,
    running_variance: Any,
    units: Any,
    eps: Any,
    momentum: Any,
    training: Any,
    work: Any,
) -> None:
    """Normalize by the method of a code.

    Parameters
    ----------
    method : int
        ``BATCH``, ``LAYER`` or ``RMS``.
    x : ndarray, shape (rows · units,)
        Input.
    out, normalized : ndarray, shape (rows · units,)
        Overwritten with y and x̂.
    gamma, beta : ndarray, shape (units,) or (0,)
        Scale and shift; RMS has no shift.
    mean, inverse : ndarray, shape (units,) for BATCH, (rows,) otherwise
        Overwritten with what was subtracted (not by RMS) and multiplied by.
    running_mean, running_variance : ndarray, shape (units,) for BATCH
        Moved in training towards the mean and the unbiased variance of the batch, used in evaluation.
    units : int
        Features.
    eps, momentum : float
        Added to the variance; weight of the batch in the running values.
    training : bool
        Whether BATCH takes its moments from the batch.
    work : ndarray of float64, shape (work_size(units),)
        Scratch memory.
    """
    if method == BATCH:
        batch_normalization_forward(
            x,
            out,
            normalized,
            gamma,
            beta,
            mean,
            inverse,
            running_mean,
            running_variance,
            units,
            eps,
            momentum,
            training,
            work,
        )
    elif method == LAYER:
        layer_normalization_forward(x, out, normalized, gamma, beta, mean, inverse, units, eps, work)
    else:
        rms_normalization_forward(x, out, normalized, gamma, inverse, units, eps, work)


@kernel
def normalize_backward(
    method: Any,
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
    """Write the gradients of what ``normalize_forward`` did in training.

    Parameters
    ----------
    method : int
        ``BATCH``, ``LAYER`` or ``RMS``.
    normalized, gamma, inverse : ndarray
        As they were then.
    output_gradient : ndarray, shape (rows · units,)
        ∂L/∂y.
    input_gradient : ndarray, shape (rows · units,)
        Overwritten with ∂L/∂x.
    gamma_gradient, beta_gradient : ndarray, shape (units,) or (0,)
        Overwritten with ∂L/∂γ and ∂L/∂β.
    units : int
        Features.
    work : ndarray of float64, shape (work_size(units),)
        Scratch memory.
    """
    if method == BATCH:
        batch_normalization_backward(
            normalized,
            gamma,
            inverse,
            output_gradient,
            input_gradient,
            gamma_gradient,
            beta_gradient,
            units,
            work,
        )
    else:
        row_normalization_backward(
            method == LAYER,
            normalized,
            gamma,
            inverse,
            output_gradient,
            input_gradient,
            gamma_gradient,
            beta_gradient,
            units,
            work,
        )
