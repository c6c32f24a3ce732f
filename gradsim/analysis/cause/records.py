"""What is known of the causes: factors with their sizes before and after, and the ratio they multiply to."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

from gradsim.analysis.fit import Direction

FactorKind = Literal["weight", "bias", "slope", "normalization", "skip", "dropout", "time"]
FACTOR_KINDS: tuple[FactorKind, ...] = get_args(FactorKind)
"""What can change a signal: a linear map, a bias (forward only), an activation (its slope on the way back), a
normalization, the two ways of a residual block, dropout, the time steps of a recurrent layer."""

FactorState = Literal["finite", "nothing arrives", "vanishes", "appears", "infinite", "not a number"]


@dataclass(frozen=True, slots=True)
class Factor:
    """By what one operation multiplies the rms of a signal.

    Attributes
    ----------
    kind : str
        One of ``FACTOR_KINDS``.
    layer : str
        Stable name of the layer whose operation it is.
    label : str
        In words, such as ``sigmoid slope`` or ``weights``.
    before, after : float
        rms of the signal at either side; 0, NaN and infinities as they are.
    details : mapping from str to float
        What the factor is made of, by names of ``DETAIL_WORDS``; empty where that was not asked for.
    """

    kind: FactorKind
    layer: str
    label: str
    before: float
    after: float
    details: Mapping[str, float] = field(default_factory=dict)

    @property
    def value(self) -> float:
        """Return after / before as IEEE has it: x / 0 is infinite; 0 / 0, where nothing arrives, is NaN."""
        return quotient(self.after, self.before)

    @property
    def log10(self) -> float:
        """Return log10 of the value, also where the value itself is beyond float64; NaN unless both sides are sizes."""
        return log10_quotient(self.after, self.before)

    @property
    def is_idle(self) -> bool:
        """Return whether it goes from 0 to 0 or from ∞ to ∞, so that it decides nothing."""
        return (category(self.before), category(self.after)) in (("0", "0"), ("∞", "∞"))

    @property
    def state(self) -> FactorState:
        """Return whether it is a number, and what it means if not: a 0 that goes on being 0 is no NaN."""
        return _state(self.before, self.after)


@dataclass(frozen=True, slots=True)
class LayerCause:
    """Why the signal of one layer is so much larger or smaller than that of its neighbour.

    Attributes
    ----------
    direction : {"backward", "forward"}
        ``backward``: rms δ of this layer / rms δ of the next one; ``forward``: rms a of this layer / rms a of
        the one before.
    number, other : int
        Numbers, from 1, of this layer and of the neighbour the signal comes from.
    name : str
        Stable name of this layer.
    index : int
        Into ``IterationTrace.layers``.
    before, after : float
        rms of the signal in the neighbour and in this layer.
    factors : tuple of Factor
        In the order in which the signal meets them. Each begins with the size at which the one before ends, so
        their product is the ratio, whatever the layers are.
    """

    direction: Direction
    number: int
    other: int
    name: str
    index: int
    before: float
    after: float
    factors: tuple[Factor, ...]

    @property
    def ratio(self) -> float:
        """Return after / before: the backward or forward ratio of the gradient profile."""
        return quotient(self.after, self.before)

    @property
    def log10(self) -> float:
        """Return log10 of the ratio; NaN unless both sides are sizes."""
        return log10_quotient(self.after, self.before)

    @property
    def product(self) -> float:
        """Return the product of the factors, leaving out those to which nothing, or still ∞, arrives."""
        return product_of(self.factors)

    def value_of(self, kind: FactorKind) -> float | None:
        """Return the product of the factors of one kind.

        Parameters
        ----------
        kind : str
            One of ``FACTOR_KINDS``.

        Returns
        -------
        float or None
            As ``product``; NaN where nothing arrives; None without such a factor.
        """
        factors = tuple(factor for factor in self.factors if factor.kind == kind)
        return product_of(factors) if factors else None

    @property
    def log10_by_kind(self) -> dict[FactorKind, float]:
        """Return the sum of log10 over the factors of each kind; only those with a logarithm take part."""
        found: dict[FactorKind, float] = {}
        for factor in self.factors:
            value = factor.log10
            if value == value:
                found[factor.kind] = found.get(factor.kind, 0.0) + value
        return found

    @property
    def state(self) -> FactorState:
        """Return whether the ratio is a number, and what it means if not."""
        return _state(self.before, self.after)


@dataclass(frozen=True, slots=True)
class Causes:
    """The causes of a recorded iteration.

    Attributes
    ----------
    iteration : int
        Number of updates made before.
    layer_names : tuple of str
        Stable names of the L numbered layers.
    backward : tuple of LayerCause
        Of layers 1…L − 1, in forward order.
    forward : tuple of LayerCause
        Of layers 2…L.
    """

    iteration: int
    layer_names: tuple[str, ...]
    backward: tuple[LayerCause, ...]
    forward: tuple[LayerCause, ...]

    def of(self, direction: Direction) -> tuple[LayerCause, ...]:
        """Return the causes of one direction.

        Parameters
        ----------
        direction : {"backward", "forward"}
            Which.

        Returns
        -------
        tuple of LayerCause
            In forward order.
        """
        return self.backward if direction == "backward" else self.forward


def is_size(value: float) -> bool:
    """Whether a signal of this rms has a logarithm."""
    return 0.0 < value < math.inf


def quotient(dividend: float, divisor: float) -> float:
    """Divide as IEEE has it, without warnings."""
    if divisor == 0:
        return math.nan if dividend == 0 or math.isnan(dividend) else math.inf
    return dividend / divisor


def log10_quotient(dividend: float, divisor: float) -> float:
    """Return log10 of a quotient that may itself over- or underflow; NaN unless both are sizes."""
    if not (0.0 < dividend < math.inf and 0.0 < divisor < math.inf):
        return math.nan
    return math.log10(dividend) - math.log10(divisor)


def category(value: float) -> str:
    """Tell sizes, 0, infinity and NaN apart."""
    if is_size(value):
        return "size"
    return "0" if value == 0 else "NaN" if math.isnan(value) else "∞"


def product_of(factors: tuple[Factor, ...]) -> float:
    """Return a product in which neither a step from 0 to 0 nor one from ∞ to ∞ takes part, unless there is no other."""
    told = [factor for factor in factors if not factor.is_idle]
    if not told:
        return math.nan if factors else 1.0
    if all(factor.state == "finite" for factor in told):
        return _power_of_ten(math.fsum(factor.log10 for factor in told))
    result = 1.0
    for factor in told:
        result *= factor.value
    return result


def _state(before: float, after: float) -> FactorState:
    if 0.0 < before < math.inf and 0.0 < after < math.inf:
        return "finite"
    sides = category(before), category(after)
    if "NaN" in sides or sides == ("∞", "∞"):
        return "not a number"
    if sides == ("0", "0"):
        return "nothing arrives"
    if sides[1] == "∞":
        return "infinite"
    return "appears" if sides[0] == "0" else "vanishes"


def _power_of_ten(exponent: float) -> float:
    try:
        return float(10.0**exponent)
    except OverflowError:
        return math.inf
