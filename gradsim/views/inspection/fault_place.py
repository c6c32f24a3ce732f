"""Where the formula of a fault stands: the step that tells its tensor, and the numbers to fill in there."""

from __future__ import annotations

from collections.abc import Sequence

from gradsim.analysis import Fault
from gradsim.analysis.parameters import parameter_names
from gradsim.trace import LayerTrace, Step
from gradsim.views.inspection.formula import Place

_ENDINGS = ("_clipped_gradient", "_gradient", "_update")


def fault_step(fault: Fault, steps: Sequence[Step]) -> int:
    """Return the step at which the broken tensor is told.

    Parameters
    ----------
    fault : Fault
        Any; of one that is known by its counts alone layer and tensor say where.
    steps : sequence of Step
        Those of its iteration, or of another one of the same experiment.

    Returns
    -------
    int
        Index into ``steps``: what was broken before the first step, parameters and data, is told by the first one
        that uses it.
    """
    if fault.step is not None:
        return fault.step
    if fault.layer is None:
        return 0 if fault.tensor == "inputs" else _first(steps, "loss", None)
    phase = "forward"
    if fault.tensor.endswith("update"):
        phase = "update"
    elif fault.tensor.endswith("_clipped_gradient"):
        phase = "clip"
    elif fault.tensor.endswith("gradient") or fault.tensor == "delta":
        phase = "backward"
    layer = None if phase == "clip" else fault.layer
    return _first(steps, phase, layer, fault.tensor)


def fault_place(fault: Fault, layer: LayerTrace) -> Place:
    """Return which numbers of a layer show the broken value.

    Parameters
    ----------
    fault : Fault
        With an index into the tensor; the first numbers of all where only counts are known.
    layer : LayerTrace
        The layer it is in.

    Returns
    -------
    Place
        Sample, step of time and unit of a signal; source and unit of a weight. The gates of a recurrent layer
        stand side by side, so their units repeat.
    """
    if not fault.index:
        return Place()
    if (
        fault.layer is None
    ):  # the loss shows the output that counts most for it, data enter by the first layer
        index = fault.sources[0].index if fault.sources else fault.index
        if fault.tensor == "inputs":
            return Place(index[0], source=index[-1])
        return Place(index[0], index[-1] if len(index) > 1 else 0)
    unit = fault.index[-1] % layer.fan_out
    name = fault.tensor
    for ending in _ENDINGS:
        name = name.removesuffix(ending)
    if name in parameter_names(layer) or len(fault.index) == 1:
        return Place(unit=unit, source=fault.index[0] if len(fault.index) == 2 else 0)
    time = fault.index[1] if len(fault.index) == 3 else None
    return Place(fault.index[0], unit, time=time)


def _first(steps: Sequence[Step], phase: str, layer: int | None, tensor: str = "") -> int:
    """Return the first step of a phase and layer that makes a tensor, or else the first of both."""
    there = [i for i, step in enumerate(steps) if step.phase == phase and step.layer == layer]
    return next((i for i in there if steps[i].tensor == tensor), there[0] if there else 0)
