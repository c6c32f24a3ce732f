"""A gradient check as numbers: every comparison as a table, and those of a layer under the pointer."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradsim.analysis import VERDICT_WORDS, GradientCheck
from gradsim.views.plot.numbers import brief
from gradsim.views.plot.plot_view import Table


def check_table(check: GradientCheck | None) -> Table:
    """Return one row per direction that was compared.

    Parameters
    ----------
    check : GradientCheck or None
        None for an empty table.

    Returns
    -------
    tuple of dict
        Columns and their units.
    """
    rows = [(tensor, way) for tensor in check.tensors for way in tensor.directions] if check else []
    columns: dict[str, NDArray[Any]] = {
        "parameter": np.array([tensor.name for tensor, _ in rows], dtype=str),
        "along": np.array([way.along for _, way in rows], dtype=str),
        "verdict": np.array([way.verdict for _, way in rows], dtype=str),
        "backpropagated": np.array([way.backpropagated for _, way in rows], dtype=np.float64),
        "differenced": np.array([way.difference.value for _, way in rows], dtype=np.float64),
        "uncertainty": np.array([way.difference.uncertainty for _, way in rows], dtype=np.float64),
        "step": np.array([way.difference.step for _, way in rows], dtype=np.float64),
        "error": np.array([way.error for _, way in rows], dtype=np.float64),
        "own_error": np.array([tensor.own_error for tensor, _ in rows], dtype=np.float64),
    }
    slope = "change of the loss per size of the parameter"
    return columns, {
        "backpropagated": slope,
        "differenced": slope,
        "uncertainty": slope,
        "step": "of the size of the parameter",
        "error": "relative",
        "own_error": "relative, of the gradient in the network's own precision",
    }


def hover_layer(check: GradientCheck, layer: int) -> str:
    """Return the errors of a layer.

    Parameters
    ----------
    check : GradientCheck
        Any.
    layer : int
        Index into its layers; nothing is said beyond the last.

    Returns
    -------
    str
        Lines.
    """
    if not 0 <= layer < len(check.layers):
        return ""
    lines = [check.layers[layer]]
    for tensor in check.of_layer(layer):
        told = f"{tensor.name}: {VERDICT_WORDS[tensor.verdict]}, relative error {brief(tensor.error)}"
        if tensor.zero_reason:
            told += f"; {tensor.zero_reason}"
        if check.precision != "float64":
            told += f"; {check.precision} off by {brief(tensor.own_error)}"
        lines.append(told)
    return "\n".join(lines if len(lines) > 1 else [*lines, "no parameters"])
