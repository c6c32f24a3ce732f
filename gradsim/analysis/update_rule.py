"""What moves a parameter in an iteration."""

from __future__ import annotations

import math
from typing import Any, Literal, NamedTuple

from gradsim.analysis.layer_specs import spec_of
from gradsim.analysis.parameters import stored_name
from gradsim.spec import phase_at
from gradsim.spec.method import DynamicLossScale, Evolution, parameter_rules
from gradsim.trace import IterationTrace, LayerTrace

Mover = Literal["gradient", "evolution", "frozen", "frozen by its group", "other phase", "left out"]

STANDING = ("frozen", "frozen by its group", "other phase", "left out")
"""Movers that move nothing."""


class UpdateRule(NamedTuple):
    """How one parameter is changed in one iteration.

    Attributes
    ----------
    mover : {"gradient", "evolution", "frozen", "frozen by its group", "other phase", "left out"}
        What the change is made of, or why the parameter stands still: its layer is frozen, or its group; another
        layer is being pretrained; or the whole update is left out, because a gradient is not finite.
    rate : float
        η with the factors of its layer and its groups; of an evolution the standard deviation σ of the noise.
    decay : float
        λ with the factors of its groups.
    """

    mover: Mover
    rate: float
    decay: float


def update_rule(trace: IterationTrace, layer: LayerTrace, tensor: str) -> UpdateRule:
    """Return how a parameter is changed in an iteration.

    Parameters
    ----------
    trace : IterationTrace
        A record.
    layer : LayerTrace
        One of its layers.
    tensor : str
        One of its parameters, such as ``weight``.

    Returns
    -------
    UpdateRule
        By the rules of the engine: those of the layer, its groups, the phase, the method and the loss scale.
    """
    training = trace.experiment.training
    placed: Any = spec_of(trace, layer)
    is_trained = getattr(placed, "trainable", True)
    rules = parameter_rules(
        training.groups,
        stored_name(layer.name, tensor),
        is_trained,
        getattr(placed, "learning_rate_scale", 1.0),
    )
    decay = float(training.optimizer.weight_decay) * rules.weight_decay_scale
    rate = trace.learning_rate * rules.learning_rate_scale
    if not rules.trainable:
        return UpdateRule("frozen by its group" if is_trained else "frozen", rate, decay)
    if phase_at(trace.experiment, trace.iteration).layer not in (None, layer.name):
        return UpdateRule("other phase", rate, decay)
    if isinstance(training.method, Evolution):
        return UpdateRule("evolution", trace.learning_rate, 0.0)
    if isinstance(training.loss_scale, DynamicLossScale) and not math.isfinite(trace.gradient_norm):
        return UpdateRule("left out", rate, decay)
    return UpdateRule("gradient", rate, decay)
