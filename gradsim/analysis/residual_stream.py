"""The residual blocks of a record: where each spans the numbered layers, and its gradient's two ways back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from gradsim.analysis.magnitude import rms
from gradsim.spec import PlacedLayer, placed_layers
from gradsim.trace import IterationTrace


@dataclass(frozen=True, slots=True)
class ResidualBlock:
    """One residual block.

    Attributes
    ----------
    name : str
        Stable name.
    index : int
        Into ``IterationTrace.layers``; the block stands behind its branch.
    first : int
        Index of the first layer of its branch.
    depth : int
        0 for a block that is in no other.
    start, end : float
        Between which numbered layers it begins and ends: 1.5 is between layers 1 and 2.
    stream_rms : float
        rms of the gradient of its input, the sum of the other two.
    skip_rms : float
        rms of what comes back by the skip.
    branch_rms : float
        rms of what comes back through the branch.
    """

    name: str
    index: int
    first: int
    depth: int
    start: float
    end: float
    stream_rms: float
    skip_rms: float
    branch_rms: float

    @property
    def skip_share(self) -> float:
        """Return rms by the skip / (rms by it + rms through the branch); NaN where neither is a size."""
        with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
            # Halved, so that the sum of two finite numbers is finite.
            skip, branch = np.float64(0.5 * self.skip_rms), np.float64(0.5 * self.branch_rms)
            return float(skip / (skip + branch))


def residual_blocks(trace: IterationTrace) -> tuple[ResidualBlock, ...]:
    """Return the residual blocks of a record, inner ones before the block they are in.

    Parameters
    ----------
    trace : IterationTrace
        Any record.

    Returns
    -------
    tuple of ResidualBlock
        Empty for a network without any.
    """
    if not any(layer.kind == "residual" for layer in trace.layers):
        return ()
    before = np.cumsum([0, *(layer.number is not None for layer in trace.layers)])
    return tuple(
        ResidualBlock(
            name=trace.layers[index].name,
            index=index,
            first=first,
            depth=depth,
            start=float(before[first]) + 0.5,
            end=float(before[index]) + 0.5,
            stream_rms=trace.layers[index].statistics["delta"].rms,
            skip_rms=_skip_rms(trace, index),
            branch_rms=rms(trace.layers[index]["branch_input_gradient"]),
        )
        for index, first, depth in _spans(placed_layers(trace.experiment.network), 0, 0)
    )


def _skip_rms(trace: IterationTrace, index: int) -> float:
    """Return the rms of what the skip hands back: without projection the gradient of the output itself."""
    layer = trace.layers[index]
    if "skip_gradient" in layer.tensors:
        return rms(layer["skip_gradient"])
    return layer.statistics["activation_gradient"].rms


def _spans(layers: tuple[PlacedLayer, ...], start: int, depth: int) -> Iterator[tuple[int, int, int]]:
    """Index of each block, of the first layer in its branch, and how deep it stands."""
    for placed in layers:
        if placed.branch:
            yield from _spans(placed.branch, start, depth + 1)
            count = _count(placed.branch)
            yield start + count, start, depth
            start += count
        start += 1


def _count(layers: tuple[PlacedLayer, ...]) -> int:
    return sum(1 + _count(placed.branch) for placed in layers)
