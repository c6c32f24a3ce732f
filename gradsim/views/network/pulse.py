"""What is computed, being computed and still to come at a step of an iteration. Without Qt."""

from __future__ import annotations

from dataclasses import dataclass

from gradsim.trace import IterationTrace, Phase, Step
from gradsim.views.network.column import Column

# Phase → operation after which a layer counts as computed, and the tensor it shows from then on.
_TOLD = {
    "forward": ("activation", "activation"),
    "loss": ("activation", "activation"),
    "backward": ("delta", "delta"),
    "clip": ("clip", "weight_clipped_gradient"),
    "update": ("update", "update"),
}
# Shown by the layer in work alone, on the way to the tensor of the phase.
_UNDERWAY = {
    "linear": "pre_activation",
    "activation_gradient": "activation_gradient",
}
# Shown of a time step; the state is what goes to the next one.
_AT_A_TIME = {"forward": "activation", "backward": "activation_gradient"}


@dataclass(frozen=True, slots=True)
class Pulse:
    """The state of the picture at one step.

    Attributes
    ----------
    step : Step
        The step itself.
    tensor : str
        What computed layers show.
    computed : tuple of bool
        For each layer, whether its tensor of this phase exists by now.
    active : int or None
        The layer in work.
    active_tensor : str
        What the layer in work shows.
    into_weights : bool
        Whether the work is done along the links into the layer (linear map, weight gradient).
    from_above : bool
        Whether the work is done along the links to the next layer (the gradient handed down).
    """

    step: Step
    tensor: str
    computed: tuple[bool, ...]
    active: int | None
    active_tensor: str
    into_weights: bool
    from_above: bool

    @property
    def time(self) -> int | None:
        """The time step that is told, of a layer that goes through time."""
        return self.step.time

    def has(self, column: Column) -> bool:
        """Return whether a column shows its numbers by now.

        Parameters
        ----------
        column : Column
            The input (which has none on the way back), a layer, or a time step of one.

        Returns
        -------
        bool
            Of an unrolled layer in work those steps that have been told.
        """
        if column.layer is None:
            return self.phase in ("forward", "loss")
        if column.time is None or self.time is None or column.layer != self.active:
            return self.computed[column.layer]
        return column.time <= self.time if self.phase == "forward" else column.time >= self.time

    @property
    def phase(self) -> Phase:
        """The phase of the step."""
        return self.step.phase


def pulse_at(trace: IterationTrace, step: int) -> Pulse:
    """Return the state of the picture at a step.

    Parameters
    ----------
    trace : IterationTrace
        The iteration.
    step : int
        Index into its steps; beyond either end the nearest one.

    Returns
    -------
    Pulse
        What to draw.
    """
    steps = trace.steps
    here = steps[min(max(step, 0), len(steps) - 1)]
    operation, tensor = _TOLD[here.phase]
    layers = len(trace.layers)
    computed = [here.phase == "loss"] * layers
    for index, told in enumerate(steps[: min(max(step, 0), len(steps) - 1) + 1]):
        if told.phase != here.phase or index > step:
            continue
        if told.operation != operation and told.tensor != tensor:
            continue
        for layer in range(layers) if told.layer is None else (told.layer,):
            computed[layer] = True
    active_tensor = tensor
    if here.layer is not None and not computed[here.layer]:
        active_tensor = _UNDERWAY.get(here.operation, tensor)
        if here.time is not None:
            active_tensor = _AT_A_TIME[here.phase]
    return Pulse(
        step=here,
        tensor=tensor,
        computed=tuple(computed),
        active=here.layer,
        active_tensor=active_tensor,
        into_weights=here.operation in ("linear", "weight_gradient")
        or (here.operation == "recurrent" and here.phase == "forward"),
        from_above=here.operation == "activation_gradient"
        or (here.operation == "recurrent" and here.phase == "backward"),
    )
