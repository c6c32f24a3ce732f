"""The finding that comes before all others: values that are NaN or infinite."""

from __future__ import annotations

import math

import numpy as np

from gradsim.analysis.diagnosis.case import Case, Measurement
from gradsim.analysis.diagnosis.weights import POOR, poor_initialization
from gradsim.trace import COUNTS, TENSORS

FOR_BAD_WEIGHTS = ("batch_normalization", "clip", "fitting_weights")


def not_finite(case: Case) -> Measurement:
    """Return how many values of the present iteration, or else of the first bad one before it, are NaN or infinite.

    ∂L/∂a of a head fused with its cross-entropy does not count: it is −t/a, infinite where a probability is
    rounded to 0, and nothing is computed from it.
    """
    fused = case.experiment.training.loss in ("cross_entropy", "binary_cross_entropy")
    unused = TENSORS.index("activation_gradient")
    bad: dict[str, float] = {}
    for layer in case.trace.layers:
        count = sum(
            s.nans + s.infs
            for tensor, s in layer.statistics.items()
            if not (fused and layer is case.trace.layers[-1] and tensor == TENSORS[unused])
        )
        if count:
            bad[layer.name] = float(count)
    total = sum(bad.values()) + (not math.isfinite(case.trace.loss))
    broken = case.history.counts[..., [COUNTS.index("nans"), COUNTS.index("infs")]].sum(axis=-1)
    if fused:
        broken[:, -1, unused] = 0
    records = np.flatnonzero(broken.any(axis=(1, 2)) | ~np.isfinite(case.history.loss))
    first, place = case.trace.iteration, next(iter(bad), "the loss")
    if len(records):
        first = int(case.history.iterations[records[0]])
        layers, tensors = np.nonzero(broken[records[0]])
        place = "the loss"
        if len(layers):
            place = f"{TENSORS[tensors[0]]} of {case.history.layer_names[layers[0]]}"
        total = total or max(1.0, float(broken[records[0]].sum()))
    weights = case.weight_rms[:, [layer.index for layer in case.numbered]]
    largest = np.max(weights, where=np.isfinite(weights), initial=0.0)
    return Measurement(
        total,
        f"{total:.0f} values are NaN or infinite: nothing is learned from there on. The first appeared at iteration "
        f"{first}, in {place}.",
        f"Numbers grew until {case.experiment.precision} holds them no more, or 0/0 and ∞ − ∞ were met; the learning "
        f"rate is {case.trace.learning_rate:g}.",
        bad,
        {"first iteration": float(first), "largest finite rms of weights": float(largest)},
        remedies=FOR_BAD_WEIGHTS if _begins_badly(case) else None,
    )


def _begins_badly(case: Case) -> bool:
    """Return whether the first weights alone make the gradient much larger or smaller than it should be."""
    measured = poor_initialization(case)
    return isinstance(measured, Measurement) and measured.value > POOR
