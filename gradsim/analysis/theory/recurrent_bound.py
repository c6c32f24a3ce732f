"""What bounds a gradient through time: the largest singular value of the recurrent weights, not their eigenvalues."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gradsim.analysis.activation_functions import activation_pair, largest_slope
from gradsim.spec import Activation, Recurrent, unrolled_layers
from gradsim.spec.activation import Linear, Relu, Tanh
from gradsim.trace import IterationTrace

_CELLS: dict[str, Activation] = {"tanh": Tanh(), "relu": Relu(), "linear": Linear()}


@dataclass(frozen=True, slots=True)
class RecurrentBound:
    """How much a gradient can grow, or must shrink, in one step back through a simple recurrent layer.

    Attributes
    ----------
    name : str
        Stable name of the layer.
    singular_value : float
        Largest singular value of the recurrent weights.
    spectral_radius : float
        Largest modulus of their eigenvalues, for comparison: it bounds no single step.
    largest : float
        singular_value · max φ', whatever the signal: below 1 every gradient vanishes, above 1 it may explode (Pascanu
        et al. 2013, arXiv 1211.5063, section 2.1).
    present : float
        The same with the largest slope in this pass in place of max φ'.
    """

    name: str
    singular_value: float
    spectral_radius: float
    largest: float
    present: float


def recurrent_bounds(trace: IterationTrace) -> tuple[RecurrentBound, ...]:
    """Return the bounds of the simple recurrent layers of a record.

    Parameters
    ----------
    trace : IterationTrace
        Any record.

    Returns
    -------
    tuple of RecurrentBound
        In forward order; gated cells have other ways back and none of these bounds. NaN where weights are not finite.
    """
    found = []
    for placed in unrolled_layers(trace.experiment.network):
        if not isinstance(placed.layer, Recurrent) or placed.layer.cell != "simple":
            continue
        layer, activation = trace[placed.name], _CELLS[placed.layer.activation]
        weight = layer["recurrent_weight"].astype(np.float64)
        if not np.isfinite(weight).all():
            found.append(RecurrentBound(placed.name, *[float("nan")] * 4))
            continue
        singular = float(np.linalg.svd(weight, compute_uv=False)[0])
        radius = float(np.abs(np.linalg.eigvals(weight)).max())
        slopes = np.abs(activation_pair(activation, layer["pre_activation"])[1])
        found.append(
            RecurrentBound(
                placed.name,
                singular,
                radius,
                singular * largest_slope(activation),
                singular * float(slopes.max()),
            )
        )
    return tuple(found)


def bound_words(bound: RecurrentBound) -> str:
    """Return a bound in a sentence.

    Parameters
    ----------
    bound : RecurrentBound
        Of one layer.

    Returns
    -------
    str
        What must happen to a gradient, or what may.
    """
    meaning = "every gradient vanishes through time" if bound.largest < 1 else "it may explode, and need not"
    if bound.largest != bound.largest:
        return f"The recurrent weights of {bound.name} are not finite."
    return (
        f"A step back through {bound.name} multiplies a gradient by at most {bound.largest:.3g} (largest singular "
        f"value {bound.singular_value:.3g} × largest slope): {meaning}; in this pass by at most {bound.present:.3g}."
    )
