"""The Jacobian of one layer at one sample, put together from what a recorded pass holds.

The engine can tell any Jacobian by passes backwards, one for each output. Layer by layer that would run the whole
network thousands of times; a layer's own Jacobian is known from its weights and slopes at once. Tests hold both
against each other. Only a recurrent layer, whose outputs depend on each other through time, is left to the passes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradsim.spec import (
    ActivationLayer,
    Dense,
    Dropout,
    Head,
    Normalization,
    PlacedLayer,
    Recurrent,
    Residual,
)
from gradsim.spec.activation import Softmax
from gradsim.trace import IterationTrace

Matrix = NDArray[np.float64]
Tensors = Mapping[str, NDArray[Any]]


def is_local(placed: PlacedLayer) -> bool:
    """Return whether the Jacobian of a block can be put together from a record.

    Parameters
    ----------
    placed : PlacedLayer
        A layer, or a residual with its branch.

    Returns
    -------
    bool
        False for a recurrent layer, and for a block with two batch normalizations.
    """
    return not _has_time(placed) and coupled_layers(placed) < 2


def coupled_layers(placed: PlacedLayer) -> int:
    """Return how many layers of a block tie the samples of a batch together: the batch normalizations.

    Parameters
    ----------
    placed : PlacedLayer
        A layer, or a residual with its branch.

    Returns
    -------
    int
        From two on the Jacobians of one sample do not multiply to that of the whole: what a sample does to its
        neighbours in the first comes back to it in the second.
    """
    layer = placed.layer
    inner = layer if isinstance(layer, Normalization) else getattr(layer, "normalization", None)
    own = int(inner is not None and inner.method == "batch")
    return own + sum(coupled_layers(one) for one in placed.branch)


def _has_time(placed: PlacedLayer) -> bool:
    return isinstance(placed.layer, Recurrent) or any(map(_has_time, placed.branch))


def local_jacobian(placed: PlacedLayer, trace: IterationTrace, sample: int) -> Matrix:
    """Return ∂ output / ∂ input of a block at one sample.

    Parameters
    ----------
    placed : PlacedLayer
        A block for which ``is_local`` holds.
    trace : IterationTrace
        A recorded pass.
    sample : int
        Row of its batch; where batch normalization ties the samples together, the others stay as they are.

    Returns
    -------
    ndarray of float64, shape (outputs, inputs)
        Of the head that of its logits; of a sequence time step after time step.
    """
    with np.errstate(all="ignore"):
        return _jacobian(placed, trace, sample)


def _jacobian(placed: PlacedLayer, trace: IterationTrace, sample: int) -> Matrix:
    layer, tensors = placed.layer, trace[placed.name].tensors
    if isinstance(layer, Dense | Head):
        return _dense(layer, tensors, sample)
    if isinstance(layer, Normalization):
        return _normalization(layer, tensors, tensors["input"], sample)
    if isinstance(layer, Dropout):
        return np.diag(_of(tensors["slope"], sample).ravel())
    if isinstance(layer, ActivationLayer):
        return _activation(layer.activation, tensors, sample)
    if isinstance(layer, Residual):
        return _residual(placed, trace, sample)
    raise ValueError(f"the Jacobian of {placed.name} is not known from a record alone")


def _of(tensor: NDArray[Any], sample: int) -> Matrix:
    """Rows of one sample, one per time step, shape (steps, columns)."""
    return np.asarray(tensor[sample], dtype=np.float64).reshape(-1, tensor.shape[-1])


def _every_step(matrix: Matrix, steps: int) -> Matrix:
    return matrix if steps == 1 else _side_by_side([matrix] * steps)


def _side_by_side(blocks: list[Matrix]) -> Matrix:
    """One matrix per time step, each on its own place of the diagonal."""
    rows, columns = blocks[0].shape
    found = np.zeros((len(blocks), rows, len(blocks), columns))
    for step, block in enumerate(blocks):
        found[step, :, step] = block
    return found.reshape(len(blocks) * rows, len(blocks) * columns)


def _activation(activation: Any, tensors: Tensors, sample: int) -> Matrix:
    if not isinstance(activation, Softmax):
        return np.diag(_of(tensors["slope"], sample).ravel())
    rows = _of(tensors["activation"], sample)
    return _side_by_side([np.diag(a) - np.outer(a, a) for a in rows])


def _dense(layer: Dense | Head, tensors: Tensors, sample: int) -> Matrix:
    steps = len(_of(tensors["input"], sample))
    found = _every_step(np.asarray(tensors["weight"], dtype=np.float64).T, steps)
    if layer.normalization is not None:
        found = _normalization(layer.normalization, tensors, tensors["pre_activation"], sample) @ found
    if isinstance(layer, Head):
        return found
    if isinstance(layer.activation, Softmax):
        return _activation(layer.activation, tensors, sample) @ found
    return _of(tensors["slope"], sample).ravel()[:, None] * found


def _normalization(spec: Normalization, tensors: Tensors, x: NDArray[Any], sample: int) -> Matrix:
    """With x̂ normalized over N values: gamma / sd · (identity − 1/N − x̂ x̂ᵀ/N), of ``rms`` without the 1/N."""
    normalized = _of(tensors["normalized"], sample)
    steps, width = normalized.shape
    gamma = np.asarray(tensors["gamma"], dtype=np.float64) if spec.affine else np.ones(width)
    if spec.method == "batch":
        every = np.asarray(x, dtype=np.float64).reshape(-1, width)
        factor = gamma / np.sqrt(every.var(axis=0) + spec.eps)
        count = len(every)
        pairs = np.einsum("ti,si->tsi", normalized, normalized)
        values = factor * (np.eye(steps)[:, :, None] - (1.0 + pairs) / count)
        found = np.zeros((steps, width, steps, width))
        found[:, np.arange(width), :, np.arange(width)] = values.transpose(2, 0, 1)
        return found.reshape(steps * width, steps * width)
    rows = _of(x, sample)
    blocks = []
    for row, hat in zip(rows, normalized, strict=True):
        centred = spec.method == "layer"
        size = row.var() if centred else np.mean(row * row)
        inner = np.eye(width) - (float(centred) + np.outer(hat, hat)) / width
        blocks.append((gamma / np.sqrt(size + spec.eps))[:, None] * inner)
    return _side_by_side(blocks)


def _residual(placed: PlacedLayer, trace: IterationTrace, sample: int) -> Matrix:
    tensors, spec = trace[placed.name].tensors, placed.layer
    assert isinstance(spec, Residual)
    steps, width = _of(tensors["input"], sample).shape
    branch: Matrix = np.eye(steps * width)
    for inner in placed.branch:
        branch = _jacobian(inner, trace, sample) @ branch
    scale = float(tensors["scale"][0]) if "scale" in tensors else spec.scale
    skip = np.eye(width)
    if "projection" in tensors:
        skip = np.asarray(tensors["projection"], dtype=np.float64).T
    return _every_step(skip, steps) + scale * branch
