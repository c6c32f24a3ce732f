"""Sizes of the tensors of a record: measured only where their statistics were not recorded."""

from __future__ import annotations

from gradsim.analysis.magnitude import rms
from gradsim.trace import LayerTrace

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
