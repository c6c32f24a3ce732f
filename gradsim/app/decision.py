"""What a network answers over the plane of its two inputs."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradsim.trace import DecisionMap, SampleSet

MAP_POINTS = 72
"""Points of the grid along each of the two inputs."""


def decision_map(simulator: Any) -> DecisionMap | None:
    """
    Return what the network answers over the rectangle that its training samples fill.

    Parameters
    ----------
    simulator : Simulator
        With the parameters that are wanted.

    Returns
    -------
    DecisionMap or None
        None unless there are exactly two inputs without time steps.
    """
    samples: SampleSet = simulator.samples
    if samples.map_inputs != 2:
        return None
    lowest = samples.training_inputs.min(axis=0)
    highest = samples.training_inputs.max(axis=0)
    margin = 0.08 * np.maximum(highest - lowest, 1e-9)
    x = np.linspace(lowest[0] - margin[0], highest[0] + margin[0], MAP_POINTS)
    y = np.linspace(lowest[1] - margin[1], highest[1] + margin[1], MAP_POINTS)
    grid = np.stack(np.meshgrid(x, y), axis=-1)
    outputs = np.asarray(simulator.outputs(grid.reshape(-1, 2)), dtype=np.float64)
    outputs = outputs.reshape(MAP_POINTS, MAP_POINTS, -1)
    for array in (x, y, outputs):
        array.setflags(write=False)
    return DecisionMap(x, y, outputs)
