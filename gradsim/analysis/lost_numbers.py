"""Zeros that are only lost numbers: what is 0 because the precision knows no number as small."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradsim.analysis.fault_sources import hands_down, layer_above
from gradsim.analysis.parameters import parameter_names
from gradsim.analysis.update_rule import update_rule
from gradsim.spec import kind_of, phase_at
from gradsim.trace import IterationTrace, LayerTrace, Step

SMALLEST = {"float64": 2.0**-1074, "float32": 2.0**-149, "bfloat16": 2.0**-133, "float16": 2.0**-24}
"""Precision → the smallest number above 0 that it knows."""

_NEVER_ZERO = ("sigmoid", "softplus", "softmax")

_ZERO_AT_ZERO = (
    *("linear", "tanh", "softsign", "elu", "selu", "celu", "gelu", "gelu_tanh", "silu", "mish"),
    *("leaky_relu", "prelu", "rrelu"),
)
_ALWAYS_SLOPED = ("sigmoid", "softplus", "tanh", "softsign", "elu", "selu", "celu")


def lost_in(trace: IterationTrace, layer: LayerTrace, step: Step) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    """Yield the tensors that a step makes, and where their values are 0 only for want of smaller numbers.

    Parameters
    ----------
    trace : IterationTrace
        A record.
    layer : LayerTrace
        Layer of the step.
    step : Step
        Which step.

    Yields
    ------
    str, ndarray of bool
        Name and places.
    """
    least = SMALLEST[trace.experiment.precision]
    kind = layer.activation_kind
    with np.errstate(all="ignore"):
        if step.operation == "activation" and layer.kind in ("dense", "activation"):
            z = layer.tensors.get("scaled", layer["pre_activation"])
            if kind in _NEVER_ZERO:
                yield "activation", (layer["activation"] == 0) & np.isfinite(z)
            elif kind in _ZERO_AT_ZERO:
                yield "activation", (layer["activation"] == 0) & (z != 0)
            if kind in _ALWAYS_SLOPED:
                yield "slope", (layer["slope"] == 0) & np.isfinite(z)
        elif step.operation == "delta" and layer.kind == "dense" and "scaled" not in layer.tensors:
            gradient, slope = layer["activation_gradient"], layer["slope"]
            if kind != "softmax" and not _is_fused(trace, layer):
                yield "delta", (layer["delta"] == 0) & (gradient != 0) & (slope != 0)
        elif step.operation == "activation_gradient":
            above = layer_above(trace, layer)
            if above is not None and above.kind == "dense" and hands_down(trace):
                exact = _tiny_product(above["delta"], above["weight"].T, least)
                yield "activation_gradient", (layer["activation_gradient"] == 0) & exact
        elif step.operation == "weight_gradient" and layer.kind == "dense":
            rows = layer["input"].reshape(-1, layer.fan_in), layer["delta"].reshape(-1, layer.fan_out)
            yield (
                "weight_gradient",
                (layer["weight_gradient"] == 0) & _tiny_product(rows[0].T, rows[1], least),
            )
        elif step.operation == "update":
            for name in parameter_names(layer):
                yield f"{name}_update", lost_changes(trace, layer, name, least)


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


def _tiny_product(a: NDArray[Any], b: NDArray[Any], least: float) -> NDArray[np.bool_]:
    """Where a @ b is not 0 but below the smallest number; both are scaled first, so float64 loses nothing."""
    top = float(np.abs(a).max(initial=0.0)), float(np.abs(b).max(initial=0.0))
    if not all(0 < one < np.inf for one in top):
        return np.zeros((*a.shape[:-1], b.shape[-1]), dtype=bool)
    exact = np.abs((a.astype(np.float64) / top[0]) @ (b.astype(np.float64) / top[1]))
    log = np.log2(exact) + np.log2(top[0]) + np.log2(top[1])
    return np.asarray((exact > 0) & (log < np.log2(least)))


def _is_fused(trace: IterationTrace, layer: LayerTrace) -> bool:
    return layer.index == len(trace.layers) - 1 and trace.experiment.training.loss.endswith("cross_entropy")
