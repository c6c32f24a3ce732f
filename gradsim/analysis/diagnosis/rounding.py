"""The finding about a narrow precision: numbers that become 0 or infinite only because they are rounded to it."""

from __future__ import annotations

import numpy as np

from gradsim.analysis.diagnosis.case import Case, Measurement, Unknown
from gradsim.analysis.diagnosis.words import number
from gradsim.trace import LayerTrace, Rounding

LOST = 0.15
"""Share of a layer's gradients. Tanh nets with Glorot weights and Adam lose up to 0.12 at first, squares
of gradients among them, and learn."""

SMALLEST = {"float16": 2.0**-24, "bfloat16": 2.0**-133}
"""The smallest number other than 0 of each narrow precision."""


def lost_to_rounding(case: Case) -> Measurement | Unknown:
    """Return how many values rounding makes 0 or infinite / how many gradients there are, in the worst layer.

    Counted is what is lost on the way back and in the update, with the squares of an optimizer; held against the
    number of values of ∂L/∂a, δ and parameter gradients. What is computed from a 0 is not lost once more.
    """
    if case.experiment.precision not in SMALLEST:
        return Unknown(f"{case.experiment.precision} is not rounded")
    trace = case.standing.trace
    if trace is None:
        return Unknown("the pass is not finite, and of those before it only statistics are known")
    counts = {layer.name: layer.rounding for layer in trace.layers}
    shares = {layer.name: _lost(layer.rounding) / max(1, _gradients(layer)) for layer in trace.layers}
    worst = max(shares, key=lambda name: shares[name])
    precision, smallest = case.experiment.precision, SMALLEST[case.experiment.precision]
    flushed, overflowed = counts[worst].flushed_backward, counts[worst].overflowed_backward
    behind = [layer.name for layer in trace.layers if layer.statistics["delta"].rms == 0]
    told = (
        f"On the way back and in the update, rounding to {precision} turns {flushed:,} values of {worst} into 0"
        + (f" and {overflowed:,} into infinities" if overflowed else "")
        + f", against {_gradients(trace[worst]):,} gradients that it has"
    )
    told += f"; {len(behind)} of {len(trace.layers)} layers get no gradient at all." if behind else "."
    return Measurement(
        shares[worst],
        told,
        f"{precision} knows nothing between 0 and {number(smallest)}. {case.cause('backward')}",
        shares,
        {
            "flushed to 0 on the way forward": float(sum(one.flushed_forward for one in counts.values())),
            "flushed to 0 on the way back": float(sum(one.flushed_backward for one in counts.values())),
            "overflowed on the way forward": float(sum(one.overflowed_forward for one in counts.values())),
            "overflowed on the way back": float(sum(one.overflowed_backward for one in counts.values())),
        }
        | _course(case),
    )


def _lost(rounding: Rounding) -> int:
    return rounding.flushed_backward + rounding.overflowed_backward


def _gradients(layer: LayerTrace) -> int:
    """Return how many values the gradients of a layer have."""
    gradients = (
        tensor
        for name, tensor in layer.tensors.items()
        if name == "delta"
        or (
            (
                name.endswith("_gradient")
                and name not in ("input_gradient", "output_gradient", "clipped_gradient")
            )
            and not name.endswith("_clipped_gradient")
        )
    )
    return sum(tensor.size for tensor in gradients)


def _course(case: Case) -> dict[str, float]:
    """Return in how many of the iterations before values were lost."""
    lost = case.history.rounded
    if not len(lost):
        return {}
    share = float(np.mean(lost.sum(axis=(1, 2)) > 0))
    return {"share of the iterations before in which values were lost": share}
