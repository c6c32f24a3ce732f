"""What a gradient check says: of every direction, of every parameter tensor, and of the network."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from gradsim.analysis.differences import Difference

TOLERANCE = 1e-6
"""Relative error up to which backpropagation and differences agree."""

Conclusion = Literal["passed", "nothing compared", "not finite", "failed"]
"""What all tensors together say."""

Verdict = Literal["agrees", "zero", "kink", "undecided", "deliberate", "not finite", "disagrees"]


@dataclass(frozen=True, slots=True)
class DirectionCheck:
    """One direction in the space of one parameter tensor.

    Attributes
    ----------
    along : {"gradient", "random"}
        The gradient itself, in which nothing can hide by chance, or a random direction.
    backpropagated : float
        Sum of gradient times direction.
    difference : Difference
        The same from losses.
    error : float
        |backpropagated − difference| / the larger of the two and of the standard deviation of
        ``backpropagated`` over random directions; NaN where one is not finite.
    verdict : str
        ``agrees``; ``zero`` (both are 0); ``kink`` (the loss has a kink exactly here, so no derivative that differences
        could tell); ``undecided`` (the loss hardly changes: its rounding hides the difference);
        ``deliberate`` (truncated backpropagation hands back less on purpose); ``not finite``; ``disagrees``.
    """

    along: Literal["gradient", "random"]
    backpropagated: float
    difference: Difference
    error: float
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class TensorCheck:
    """One parameter tensor.

    Attributes
    ----------
    name : str
        Such as ``dense_1.weight``.
    layer : int
        Index into ``IterationTrace.layers``.
    size : int
        How many parameters.
    norm : float
        l2 of the gradient in float64.
    directions : tuple of DirectionCheck
        The comparisons.
    own_error : float
        l2 of (gradient in the network's own precision − gradient in float64) / l2 of the latter; NaN where that
        is 0 or not finite.
    own_zeros : int
        Values of the gradient that are 0 in the network's own precision only.
    own_broken : int
        Values of the gradient that are NaN or ±∞ in the network's own precision only.
    zero_reason : str
        Of a gradient that is exactly 0: what lets none through; empty for any other, and where it is not known.
    """

    name: str
    layer: int
    size: int
    norm: float
    directions: tuple[DirectionCheck, ...]
    own_error: float
    own_zeros: int
    own_broken: int
    zero_reason: str = ""

    @property
    def error(self) -> float:
        """Largest relative error of a direction; NaN where none could be compared."""
        known = [d.error for d in self.directions if d.verdict in ("agrees", "disagrees", "deliberate")]
        return max(known, default=0.0 if all(d.verdict == "zero" for d in self.directions) else math.nan)

    @property
    def verdict(self) -> Verdict:
        """The gravest one of its directions."""
        return max((d.verdict for d in self.directions), key=_GRAVITY.index)


_GRAVITY: tuple[Verdict, ...] = (
    "zero",
    "agrees",
    "undecided",
    "kink",
    "deliberate",
    "not finite",
    "disagrees",
)


@dataclass(frozen=True, slots=True)
class GradientCheck:
    """The proof of a network's gradients at one iteration.

    Attributes
    ----------
    iteration : int
        Which one.
    precision : str
        The network's own.
    loss, own_loss : float
        In float64, and in its own precision.
    layers : tuple of str
        Names of all layers.
    tensors : tuple of TensorCheck
        Every parameter tensor, in forward order.
    evaluations : int
        How many passes were run.
    truncated : tuple of str
        Recurrent layers whose backpropagation is cut short on purpose.
    """

    iteration: int
    precision: str
    loss: float
    own_loss: float
    layers: tuple[str, ...]
    tensors: tuple[TensorCheck, ...]
    evaluations: int
    truncated: tuple[str, ...] = ()

    @property
    def conclusion(self) -> Conclusion:
        """``failed`` where a tensor disagrees, else ``not finite`` where one is; ``passed`` where one agrees at least.

        Otherwise ``nothing compared``: every gradient is 0 as far as differences can tell, stands on a kink or is
        truncated on purpose, which speaks neither for backpropagation nor against it.
        """
        verdicts = {tensor.verdict for tensor in self.tensors}
        if "disagrees" in verdicts:
            return "failed"
        if "not finite" in verdicts:
            return "not finite"
        return "passed" if "agrees" in verdicts else "nothing compared"

    @property
    def passed(self) -> bool:
        """Whether nothing disagrees and nothing is broken."""
        return self.conclusion in ("passed", "nothing compared")

    def of_layer(self, layer: int) -> tuple[TensorCheck, ...]:
        """Return the tensors of one layer.

        Parameters
        ----------
        layer : int
            Index into ``IterationTrace.layers``.

        Returns
        -------
        tuple of TensorCheck
            Empty for a layer without parameters.
        """
        return tuple(tensor for tensor in self.tensors if tensor.layer == layer)
