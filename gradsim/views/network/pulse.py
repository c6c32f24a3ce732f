"""What is computed, being computed and still to come at a step of an iteration. Without Qt."""

from __future__ import annotations

from dataclasses import dataclass

from gradsim.trace import IterationTrace, Phase, Step

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
    "recurrent": "pre_activation",
    "activation_gradient": "activation_gradient",
}


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
    return Pulse(
        step=here,
        tensor=tensor,
        computed=tuple(computed),
        active=here.layer,
        active_tensor=active_tensor,
        into_weights=here.operation in ("linear", "recurrent", "weight_gradient"),
        from_above=here.operation == "activation_gradient",
    )
