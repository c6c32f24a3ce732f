"""What moves a parameter in an iteration, and which changes of it are 0 only for want of smaller numbers."""

from __future__ import annotations

import math
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gradsim.analysis.parameters import stored_name
from gradsim.spec import kind_of, phase_at, unrolled_layers
from gradsim.spec.method import DynamicLossScale, Evolution, parameter_rules
from gradsim.trace import IterationTrace, LayerTrace

Mover = Literal["gradient", "evolution", "nothing"]


class UpdateRule(NamedTuple):
    """How one parameter is changed in one iteration.

    Attributes
    ----------
    mover : {"gradient", "evolution", "nothing"}
        What the change is made of; ``nothing`` where the parameter stands still: it is frozen, the layer of another
        phase of pretraining, or the whole update is left out because a gradient is not finite.
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
    placed: Any = unrolled_layers(trace.experiment.network)[layer.index].layer
    rules = parameter_rules(
        training.groups,
        stored_name(layer.name, tensor),
        getattr(placed, "trainable", True),
        getattr(placed, "learning_rate_scale", 1.0),
    )
    decay = float(training.optimizer.weight_decay) * rules.weight_decay_scale
    mover: Mover = "gradient"
    if not rules.trainable or phase_at(trace.experiment, trace.iteration).layer not in (None, layer.name):
        mover = "nothing"
    elif isinstance(training.method, Evolution):
        return UpdateRule("evolution", trace.learning_rate, 0.0)
    elif isinstance(training.loss_scale, DynamicLossScale) and not math.isfinite(trace.gradient_norm):
        mover = "nothing"
    return UpdateRule(mover, trace.learning_rate * rules.learning_rate_scale, decay)


def lost_changes(trace: IterationTrace, layer: LayerTrace, tensor: str, least: float) -> NDArray[np.bool_]:
    """Return where a parameter stands still only because the precision knows no number as small as its change.

    Parameters
    ----------
    trace : IterationTrace
        A record.
    layer : LayerTrace
        One of its layers.
    tensor : str
        One of its parameters, such as ``weight``.
    least : float
        The smallest number above 0 of the precision.

    Returns
    -------
    ndarray of bool, shape of the parameter
        Where Δw is 0 and the exact one is not, but below ``least``. Nowhere where it cannot be known: what an
        optimizer remembers is in no record, so of the optimizers that remember only the first iteration of a run
        or of a phase is told, in which they remember nothing; and the weight that decays is not in the record
        where it was noisy during the pass.
    """
    change = layer[f"{tensor}_update"]
    training = trace.experiment.training
    rule = update_rule(trace, layer, tensor)
    remembers = kind_of(training.optimizer) != "sgd"
    begins = trace.iteration == phase_at(trace.experiment, trace.iteration).start
    hidden = rule.decay != 0 and training.weight_noise > 0
    if rule.mover != "gradient" or (remembers and not begins) or hidden:
        return np.zeros(change.shape, dtype=bool)
    gradient = layer[f"{tensor}_clipped_gradient"].astype(np.float64)
    pull = rule.decay * layer[tensor].astype(np.float64)
    with np.errstate(all="ignore"):
        if kind_of(training.optimizer) == "adamw" and rule.decay:
            # m̂ = g and √v̂ = |g| in the first iteration.
            eps = float(getattr(training.optimizer, "eps", 0.0))
            exact = gradient / (np.abs(gradient) + eps) + pull
        else:
            exact = gradient + pull
        # The factors are looked at one by one, because their product may be 0 in float64 too.
        moves = (exact != 0) & (rule.rate != 0)
        return np.asarray((change == 0) & moves & (np.abs(exact * rule.rate) < least))
