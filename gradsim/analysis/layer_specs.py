"""What was asked for of each layer of a record, found once for a network and not for every record of it."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from gradsim.spec import Network, unrolled_layers
from gradsim.trace import IterationTrace, LayerTrace


@lru_cache(maxsize=4)
def layer_specs(network: Network) -> tuple[Any, ...]:
    """Return the layers of a network as they were asked for, in the order of ``IterationTrace.layers``.

    Parameters
    ----------
    network : Network
        Of an experiment.

    Returns
    -------
    tuple
        Layers of ``gradsim.spec``, repeats unrolled.
    """
    return tuple(placed.layer for placed in unrolled_layers(network))


def spec_of(trace: IterationTrace, layer: LayerTrace) -> Any:
    """Return what was asked for of a layer.

    Parameters
    ----------
    trace : IterationTrace
        Any record.
    layer : LayerTrace
        One of its layers.

    Returns
    -------
    object
        A layer of ``gradsim.spec``.
    """
    return layer_specs(trace.experiment.network)[layer.index]
