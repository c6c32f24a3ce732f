"""A profile drawn by hand beside the measured one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gradsim.analysis.profile import profile
from gradsim.trace import IterationTrace


@dataclass(frozen=True, slots=True, eq=False)
class RelativeProfile:
    """log10 of the rms of a tensor in each of L numbered layers, relative to where the signal comes from.

    Attributes
    ----------
    names : tuple of str
        Of the layers, in forward order.
    reference : int
        Index of the layer that all others are compared with: the last for δ and weight gradients, the first
        for activations.
    decades : ndarray of float64, shape (L,)
        0 at the reference; −∞ where the signal is 0, NaN where nothing can be said.
    """

    names: tuple[str, ...]
    reference: int
    decades: NDArray[np.float64]


def relative_profile(trace: IterationTrace, of: str) -> RelativeProfile:
    """Return the profile that a prediction is compared with.

    Parameters
    ----------
    trace : IterationTrace
        The pass.
    of : {"delta", "activation", "weight_gradient"}
        Which tensor.

    Returns
    -------
    RelativeProfile
        Of the numbered layers.
    """
    found = profile(trace)
    rms = {
        "delta": found.delta_rms,
        "activation": found.activation_rms,
        "weight_gradient": found.weight_gradient_rms,
    }[of]
    reference = 0 if of == "activation" else len(rms) - 1
    with np.errstate(all="ignore"):
        # A difference of logarithms: the quotient of two subnormal numbers would have lost its digits.
        decades = np.log10(rms) - np.log10(rms[reference])
    return RelativeProfile(found.layer_names, reference, np.asarray(decades, dtype=np.float64))


def mean_distance(
    predicted: Sequence[float], measured: RelativeProfile, lowest: float, highest: float
) -> float:
    """Return how far a prediction is off on average, in powers of ten.

    Parameters
    ----------
    predicted : sequence of float
        One per layer, relative to the reference.
    measured : RelativeProfile
        What the pass gave.
    lowest, highest : float
        Ends of the picture: what lies beyond, 0 and ∞ too, counts as drawn at the edge.

    Returns
    -------
    float
        Mean over all layers but the reference; NaN where there is nothing to compare.
    """
    told = np.clip(np.asarray(predicted, dtype=np.float64), lowest, highest)
    real = np.clip(measured.decades, lowest, highest)
    compared = ~np.isnan(real)
    compared[measured.reference] = False
    return float(np.mean(np.abs(told - real)[compared])) if compared.any() else float("nan")
