"""Sizes of the tensors of a record: measured only where their statistics were not recorded."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradsim.analysis.residual_stream import scaled_rms
from gradsim.trace import LayerTrace

_SAFE = 1e-200, 1e300
_MEASURED = {
    "input_gradient": "delta",
    "output": "activation",
    "output_gradient": "activation_gradient",
    "branch": "pre_activation",
}
"""Tensors of a layer without a number → the statistics under which they are recorded."""


def size_of(layer: LayerTrace, tensor: str) -> float:
    """Return the rms of a tensor, from its statistics where they were recorded.

    Parameters
    ----------
    layer : LayerTrace
        Of any record.
    tensor : str
        One that it holds.

    Returns
    -------
    float
        Over all values; 0, NaN and ∞ as they are.
    """
    measured = tensor if layer.number is not None else _MEASURED.get(tensor, tensor)
    if measured in layer.statistics:
        return layer.statistics[measured].rms
    return rms(layer.tensors[tensor])


def rms(values: NDArray[Any]) -> float:
    """Return a root mean square in which no finite magnitude over- or underflows.

    Parameters
    ----------
    values : ndarray
        Any real array.

    Returns
    -------
    float
        NaN where NaN takes part, else infinite where ∞ does; 0 for no values.
    """
    wide = np.asarray(values, dtype=np.float64).ravel(order="K")
    with np.errstate(all="ignore"):
        total = float(wide @ wide) if wide.size else 0.0
    if _SAFE[0] < total < _SAFE[1]:
        return math.sqrt(total / wide.size)
    with np.errstate(all="ignore"):
        return scaled_rms(wide)
