"""The finding that comes before all others: values that are NaN or infinite."""

from __future__ import annotations

import math

import numpy as np

from gradsim.analysis.diagnosis.breaking import Breaking
from gradsim.analysis.diagnosis.case import Case, Measurement
from gradsim.analysis.diagnosis.weights import begins_badly
from gradsim.analysis.diagnosis.words import lower, number
from gradsim.analysis.fault import Fault
from gradsim.analysis.fault_wording import fault_words
from gradsim.analysis.fit import Direction
from gradsim.spec.method import DynamicLossScale

BACKWARD = (
    "activation_gradient",
    "delta",
    "weight_gradient",
    "bias_gradient",
    "hidden_gradient",
    "cell_gradient",
)

LARGEST = {"float16": 65504.0, "bfloat16": 3.3895e38, "float32": 3.4028e38, "float64": 1.7977e308}
"""The largest finite number of each precision."""

GROWN = 10.0
"""Growth of the weights since the beginning that is worth a word."""

FOR_BAD_WEIGHTS = ("batch_normalization", "clip", "fitting_weights")


def not_finite(case: Case) -> Measurement:
    """Return how many values of the present iteration, or else of the first bad one before it, are NaN or infinite.

    ∂L/∂a of a head fused with its cross-entropy does not count: it is −t/a, infinite where a probability is
    rounded to 0, and nothing is computed from it.
    """
    bad = _bad_values(case)
    breaking = case.breaking
    if breaking is None:
        return Measurement(0.0, "Every value is finite.", "", {})
    fault, precision = breaking.fault, case.experiment.precision
    total = sum(bad.values()) + (not math.isfinite(case.trace.loss)) or float(max(1, fault.count))
    weights = case.weight_rms[:, [layer.index for layer in case.numbered]]
    largest = np.max(weights, where=np.isfinite(weights), initial=0.0)
    place, last = fault_place(fault), case.standing.iteration
    return Measurement(
        total,
        f"{total:,.0f} values are NaN or infinite: nothing is learned from there on. The first appeared at iteration "
        f"{fault.iteration:,}, in {place}.",
        " ".join(one for one in (_made_by(breaking, precision), _grown(case, fault), breaking.note) if one),
        bad,
        {"first iteration": float(fault.iteration), "largest finite rms of weights": float(largest)}
        | ({"last finite iteration": float(last)} if last < fault.iteration else {}),
        excuse="the dynamic loss scale leaves such an update out" if _is_left_out(case) else "",
        remedies=FOR_BAD_WEIGHTS if begins_badly(case) else None,
    )


def fault_place(fault: Fault) -> str:
    """Return where a value is: tensor and layer, with its index where that is known."""
    if fault.tensor == "loss" or not fault.layer_name:
        return "the loss" if fault.tensor == "loss" else f"the {fault.tensor}"
    index = f"[{', '.join(f'{i}' for i in fault.index)}]" if fault.index else ""
    return f"{fault.tensor}{index} of {fault.layer_name}"


def _bad_values(case: Case) -> dict[str, float]:
    """Return how many values of each layer are NaN or infinite now."""
    fused = case.experiment.training.loss in ("cross_entropy", "binary_cross_entropy")
    bad: dict[str, float] = {}
    for layer in case.trace.layers:
        count = sum(
            s.nans + s.infs
            for tensor, s in layer.statistics.items()
            if not (fused and layer is case.trace.layers[-1] and tensor == "activation_gradient")
        )
        if count:
            bad[layer.name] = float(count)
    return bad


def _made_by(breaking: Breaking, precision: str) -> str:
    """Return what made the first bad value; of which only the counts are known, what such values come from."""
    if breaking.fault.sources:
        told = fault_words(breaking.fault, precision)
        return f"{told[0].upper()}{told[1:]}: {precision} holds nothing larger than {LARGEST[precision]:.2g}."
    return (
        f"{precision} holds nothing larger than {LARGEST[precision]:.2g}: what grows beyond is infinite, and 0 · ∞ and "
        "∞ − ∞ are not a number."
    )


def _grown(case: Case, fault: Fault) -> str:
    """Return why values had become so large: on their way through the layers, and from iteration to iteration."""
    at = case.standing
    direction: Direction = "backward" if fault.tensor in BACKWARD else "forward"
    told = case.cause(direction)
    if at.trace is not None:
        way = "back" if direction == "backward" else "forward"
        whole = (
            "the last finite pass" if at.iteration < fault.iteration else "that pass, as far as it is finite"
        )
        told = f"On the way {way} in {whole}, iteration {at.iteration:,}: {lower(told)}"
    rows = np.flatnonzero(np.append(case.history.iterations, case.trace.iteration) == at.iteration)
    if not len(rows) or at.iteration == 0:
        return told
    first, now = case.weight_rms[0], case.weight_rms[rows[0]]
    growth = {
        layer.name: float(now[layer.index] / first[layer.index])
        for layer in case.numbered
        if first[layer.index] > 0
    }
    name = max(growth, key=lambda name: growth[name], default="")
    if not name or not growth[name] > GROWN:
        return told
    since = int(case.history.iterations[0])
    return (
        f"{told} The weights of {name} had grown to {number(growth[name])} times their size since iteration {since:,}, "
        f"at a learning rate of {case.trace.learning_rate:g}."
    )


def _is_left_out(case: Case) -> bool:
    """Return whether only the gradient of an iteration overflowed whose update a dynamic loss scale leaves out."""
    if not isinstance(case.experiment.training.loss_scale, DynamicLossScale):
        return False
    return math.isfinite(case.trace.loss) and all(
        layer.statistics[tensor].nans + layer.statistics[tensor].infs == 0
        for layer in case.trace.layers
        for tensor in ("weight", "activation")
        if tensor in layer.statistics
    )
