"""What a layer has beyond its row in the table, as plain values: parameters, time steps, the two ways of a block."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gradsim.analysis import ResidualBlock
    from gradsim.trace import LayerTrace, TensorStatistics

_PARTS = ("", "_gradient", "_clipped_gradient", "_update")
_RUNNING = ("running_mean", "running_variance")


def array_statistics(array: NDArray[Any]) -> TensorStatistics:
    """Return the statistics of an array whose statistics no pass has taken.

    Parameters
    ----------
    array : ndarray
        Any shape.

    Returns
    -------
    TensorStatistics
        In float64, as IEEE says where NaN or ∞ take part; NaN for an empty array.
    """
    from gradsim.analysis.magnitude import rms
    from gradsim.trace import TensorStatistics

    values = np.asarray(array, dtype=np.float64).ravel()
    smallest = np.finfo(array.dtype).smallest_normal if array.dtype.kind == "f" else 0.0
    with np.errstate(all="ignore"):
        mean, sd, least, greatest = (
            (float(values.mean()), float(values.std()), float(values.min()), float(values.max()))
            if values.size
            else (np.nan,) * 4
        )
        subnormals = np.count_nonzero((values != 0) & (np.abs(values) < smallest))
    return TensorStatistics(
        mean=mean,
        sd=sd,
        rms=rms(values) if values.size else np.nan,
        min=least,
        max=greatest,
        zeros=int(np.count_nonzero(values == 0)),
        subnormals=int(subnormals),
        nans=int(np.count_nonzero(np.isnan(values))),
        infs=int(np.count_nonzero(np.isinf(values))),
        count=values.size,
    )


def parameter_document(layer: LayerTrace) -> dict[str, Any]:
    """Return the statistics of every parameter of a layer, of its gradients and its update, and of running values.

    Parameters
    ----------
    layer : LayerTrace
        A layer of a recorded pass.

    Returns
    -------
    dict
        Parameter → ``value``, ``gradient``, ``clipped_gradient``, ``update`` → statistics; running means and
        variances have a ``value`` only. Empty for a layer without any.
    """
    names = [name for name in layer.tensors if f"{name}_update" in layer.tensors]
    names += [name for name in _RUNNING if name in layer.tensors]
    return {
        name: {
            part.removeprefix("_") or "value": dataclasses.asdict(
                array_statistics(layer.tensors[name + part])
            )
            for part in _PARTS
            if name + part in layer.tensors
        }
        for name in names
    }


def time_document(layer: LayerTrace) -> dict[str, Any] | None:
    """Return how large the gradient of the state of a recurrent layer is at every time step.

    Parameters
    ----------
    layer : LayerTrace
        A layer of a recorded pass.

    Returns
    -------
    dict or None
        ``hidden_gradient`` is dL/dh_t, and ``cell_gradient`` dL/dc_t of an LSTM, each with ``norm`` (l2 over the
        batch and the units) and ``rms``, one number per step from the first to the last; ``first_over_last`` is
        the norm at the first step / that at the last. None for a layer that does not go through time.
    """
    from gradsim.analysis.through_time import STATE_GRADIENTS, rms_per_step

    if layer.kind != "recurrent":
        return None
    told: dict[str, Any] = {}
    for tensor in STATE_GRADIENTS:
        if tensor not in layer.tensors:
            continue
        values = layer.tensors[tensor]
        rms = rms_per_step(values)
        with np.errstate(all="ignore"):
            norm = rms * np.sqrt(values.shape[0] * values.shape[2])
            share = float(np.divide(rms[0], rms[-1]))
        told[tensor] = {"norm": norm.tolist(), "rms": rms.tolist(), "first_over_last": share}
    return told


def block_document(block: ResidualBlock) -> dict[str, float]:
    """Return by which way the gradient passes a residual block.

    Parameters
    ----------
    block : ResidualBlock
        As ``gradsim.analysis`` measures it.

    Returns
    -------
    dict
        rms of the gradient at the input of the block, of what the skip hands back and of what comes through the
        branch; ``skip_share`` = skip / (skip + branch).
    """
    return {
        "stream_rms": block.stream_rms,
        "skip_rms": block.skip_rms,
        "branch_rms": block.branch_rms,
        "skip_share": block.skip_share,
    }
