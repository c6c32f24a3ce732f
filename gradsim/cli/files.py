"""A run as tables of its layers and of its iterations. How a table is written is in ``gradsim.formats``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradsim import formats
from gradsim.cli.result import Result
from gradsim.trace import TENSORS

_PER_LAYER = ("activation", "delta", "weight_gradient", "update", "weight")


def write_layers(path: Path, result: Result) -> None:
    """Write the numbers of every layer of the last pass as CSV, one row per layer.

    Parameters
    ----------
    path : Path
        The file.
    result : Result
        A run.
    """
    rows = result.rows
    columns: dict[str, Any] = {
        "layer": ["" if row.number is None else row.number for row in rows],
        "name": [row.name for row in rows],
        "kind": [row.kind for row in rows],
        "activation": [row.activation for row in rows],
        "units": [row.units for row in rows],
        "activation_rms": [row.activation_rms for row in rows],
        "delta_rms": [row.delta_rms for row in rows],
        "backward_ratio": [np.nan if row.backward_ratio is None else row.backward_ratio for row in rows],
        "weight_gradient_rms": [
            np.nan if row.weight_gradient_rms is None else row.weight_gradient_rms for row in rows
        ],
        "weight_rms": [np.nan if row.weight_rms is None else row.weight_rms for row in rows],
        "update_ratio": [np.nan if row.update_ratio is None else row.update_ratio for row in rows],
        "saturation": [row.saturation for row in rows],
        "delta_zero_share": [row.zero_share for row in rows],
        "nans": [row.nans for row in rows],
        "infs": [row.infs for row in rows],
    }
    if any(row.flushed is not None for row in rows):
        columns |= {
            "flushed": [row.flushed for row in rows],
            "overflowed": [row.overflowed for row in rows],
        }
    units = {
        "activation_rms": f"rms over the batch of iteration {result.iterations}",
        "delta_rms": f"rms of dL/dz over the batch of iteration {result.iterations}",
        "backward_ratio": "delta_rms / delta_rms of the next layer; NaN for the last and between",
        "update_ratio": "rms of the update / rms of the weight",
        "delta_zero_share": "from 0 to 1",
        "nans": "count over all tensors of the layer",
        "infs": "count over all tensors of the layer",
        "flushed": "values that rounding made 0, in the pass and in the update",
        "overflowed": "values that rounding made infinite, in the pass and in the update",
    }
    units = {name: unit for name, unit in units.items() if name in columns}
    formats.write_table(path, columns, units, result.experiment)


def write_history(path: Path, result: Result) -> None:
    """Write the numbers of every recorded iteration as CSV, one row per iteration.

    Parameters
    ----------
    path : Path
        The file.
    result : Result
        A run.
    """
    history = result.history
    columns: dict[str, Any] = {
        "iteration": history.iterations,
        "loss": history.loss,
        "accuracy": history.accuracy,
        "learning_rate": history.learning_rate,
        "gradient_norm": history.gradient_norm,
        "clipped": history.clipped,
        "validation_loss": _placed(
            history.validation_loss, history.validation_iterations, history.iterations
        ),
        "validation_accuracy": _placed(
            history.validation_accuracy, history.validation_iterations, history.iterations
        ),
    }
    for i, name in enumerate(history.layer_names):
        for tensor in _PER_LAYER:
            if not history.sizes[i, TENSORS.index(tensor)]:
                continue
            columns[f"{name}.{tensor}_rms"] = history.series(tensor, "rms", i)
        columns[f"{name}.saturation"] = history.saturation[:, i]
    units = {
        "iteration": "updates made before it"
        + (f"; every {history.stride} iterations" if history.stride > 1 else ""),
        "loss": "of the batch",
        "accuracy": "share of the batch, from 0 to 1; NaN for a regression",
        "gradient_norm": "l2 over all parameters, before clipping",
        "clipped": "norm after / before clipping",
        "validation_loss": "NaN where the validation part was not evaluated",
    }
    formats.write_table(path, columns, units, result.experiment)


def _placed(
    values: NDArray[np.float64], at: NDArray[np.int64], iterations: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Values known at some iterations, as a column over all of them."""
    column = np.full(len(iterations), np.nan)
    _, where, which = np.intersect1d(iterations, at, return_indices=True)
    column[where] = values[which]
    return column
