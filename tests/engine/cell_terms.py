"""The sums in the cells of recurrent layers, as the magnitudes of their terms; see ``agreement``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


def cell_terms(layer: Any, spec: Any) -> Iterator[tuple[str, Array]]:
    """The sums of the magnitudes of the terms of what a cell computes; gates lie between 0 and 1, and are left out."""
    size = {name: np.abs(tensor) for name, tensor in layer.tensors.items()}
    hidden, delta, units = size["hidden"], size["delta"], spec.units
    before, recurrent = _later(hidden), size["recurrent_weight"]
    biases = size.get("bias", 0.0) + size.get("recurrent_bias", 0.0)
    yield "pre_activation", size["input"] @ size["input_weight"] + before @ recurrent + biases
    yield (
        "recurrent_weight_gradient",
        before.reshape(-1, units).T @ delta.reshape(-1, delta.shape[-1]),
    )
    above = np.zeros_like(hidden)
    if size["activation_gradient"].shape == hidden.shape:
        above += size["activation_gradient"]
    else:
        above[:, -1] = size["activation_gradient"]
    arriving = above + _earlier(delta, spec) @ recurrent.T
    if spec.cell == "lstm":
        yield "cell", _later(size["cell"]) + 1.0
        yield "cell_gradient", size["hidden_gradient"] + _earlier(size["cell_gradient"], spec)
    if spec.cell == "gru":
        yield "hidden", before + 1.0
        arriving += _earlier(size["hidden_gradient"], spec)
        yield "delta", _gru_delta_terms(size, before, spec)
    yield "hidden_gradient", arriving


def _gru_delta_terms(size: dict[str, Array], before: Array, spec: Any) -> Array:
    """Of the gates r, z, n: the new state goes through a product before or after r, z weighs two states."""
    units = spec.units
    new, weights = size["delta"][..., 2 * units :], size["recurrent_weight"][:, 2 * units :]
    if spec.reset_after:
        bias = size["recurrent_bias"][2 * units :] if "recurrent_bias" in size else 0.0
        reset = new * (before @ weights + bias)
    else:
        reset = (new @ weights.T) * before
    keep = size["hidden_gradient"] * (before + 1.0)
    return np.concatenate([reset, keep, np.zeros_like(new)], axis=-1)


def _later(tensor: Array) -> Array:
    """Of every time step the one before it; 0 for the first."""
    moved = np.zeros_like(tensor)
    moved[:, 1:] = tensor[:, :-1]
    return moved


def _earlier(tensor: Array, spec: Any) -> Array:
    """Of every time step the one after it; 0 for the last, and where truncation parts them."""
    moved = np.zeros_like(tensor)
    moved[:, :-1] = tensor[:, 1:]
    if spec.truncation:
        moved[:, spec.truncation - 1 :: spec.truncation] = 0.0
    return moved
