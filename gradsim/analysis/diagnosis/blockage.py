"""Where the gradient, or the difference between samples, becomes exactly 0 on its way, and what makes it so."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gradsim.analysis.diagnosis.case import Case
from gradsim.analysis.fault import lost_to_zero_in
from gradsim.spec import placed_layers
from gradsim.trace import LayerTrace


@dataclass(frozen=True, slots=True)
class Blockage:
    """A layer behind which nothing is left.

    What has become too small for the precision was small before: there the rounding is a consequence, and
    ``causes`` is empty.

    Attributes
    ----------
    layer : str
        Its name.
    finding : str
        Id of the finding that is its cause; empty where there is none.
    words : str
        The cause in a sentence.
    is_small : bool
        Whether nothing shuts it out, but it had become too small for the precision.
    """

    layer: str
    finding: str
    words: str
    is_small: bool = False

    @property
    def causes(self) -> tuple[str, ...]:
        """Ids of the findings that are to be told before those of which this is the cause."""
        return (self.finding,) if self.finding and not self.is_small else ()


def backward_blockage(case: Case) -> Blockage | None:
    """Return where δ becomes exactly 0 on its way back; None where something of it reaches the first layer."""
    trace = case.standing.trace
    if trace is None:
        return None
    names = {placed.name for placed in placed_layers(case.experiment.network)}
    above: LayerTrace | None = None
    for layer in reversed(trace.layers):
        if layer.name not in names and layer is not trace.layers[-1]:
            continue
        if layer.statistics["delta"].rms == 0:
            return _blockage(case, layer, above)
        above = layer
    return None


def forward_blockage(case: Case) -> Blockage | None:
    """Return the first layer whose units are all flat and silent, so that nothing of the input goes on."""
    trace = case.standing.trace
    layers = () if trace is None else case.path
    for layer in layers:
        there = trace.layers[layer.index] if trace is not None else layer
        if _is_shut(there):
            finding, words = _shut(there)
            return Blockage(layer.name, finding, f"{words}: they answer the same, whatever the input is.")
    return None


def _blockage(case: Case, layer: LayerTrace, above: LayerTrace | None) -> Blockage:
    arriving = layer.statistics["activation_gradient"].rms
    if arriving > 0 and _is_shut(layer):
        finding, words = _shut(layer)
        words += ": nothing comes back past them, and every layer before gets a gradient of exactly 0."
        return Blockage(layer.name, finding, words)
    losing = [one for one in (layer, above) if one is not None and one.rounding.flushed_backward]
    if losing:
        count = sum(one.rounding.flushed_backward for one in losing)
        return Blockage(
            layer.name,
            "lost_to_rounding",
            f"Rounding to {case.experiment.precision} takes what is left: in {layer.name} the gradient becomes exactly "
            f"0, {count:,} of its values by being too small for the format.",
            is_small=True,
        )
    if above is not None and "weight" in above.tensors and not np.any(above["weight"]):
        words = f"All weights of {above.name} are 0: nothing comes back through them to {layer.name}."
        return Blockage(layer.name, "", words)
    trace = case.standing.trace
    lost = None if trace is None else lost_to_zero_in(trace)
    if lost is not None:
        words = (
            f"In {layer.name} the gradient becomes exactly 0: numbers so small are 0 in {case.experiment.precision}, "
            f"beginning with {lost.tensor} of {lost.layer_name}."
        )
        return Blockage(layer.name, "", words, is_small=True)
    return Blockage(layer.name, "", f"In {layer.name} the gradient becomes exactly 0: every term of it is 0.")


def _is_shut(layer: LayerTrace) -> bool:
    """Return whether every slope is exactly 0."""
    return "slope" in layer.tensors and not np.any(layer["slope"])


def _shut(layer: LayerTrace) -> tuple[str, str]:
    """Return the finding that is to blame, and what is the case."""
    units = layer["slope"].shape[-1]
    is_silent = not np.any(layer["activation"])
    state = "off" if is_silent else "flat"
    return (
        "dead_units" if is_silent else "saturation",
        f"All {units:,} unit{'s' if units > 1 else ''} of {layer.name} are {state} for every sample of the batch "
        "(slope exactly 0)",
    )
