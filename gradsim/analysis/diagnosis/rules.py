"""The table of rules. A new finding is one function in the file of its family and one row here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from gradsim.analysis.diagnosis import (
    depth,
    finite,
    loss_course,
    settings,
    signals,
    through_time,
    units,
    updates,
    weights,
)
from gradsim.analysis.diagnosis.case import CONVERGED, Case, Measurement, Unknown
from gradsim.analysis.diagnosis.finding import Relation

Needs = Literal["pass", "history", "training"]


@dataclass(frozen=True, slots=True)
class Rule:
    """One kind of finding.

    Attributes
    ----------
    id, title : str
        Which, and a few words.
    measure : str
        What its number is.
    relation : {"above", "below"}
        On which side of the cut a finding lies.
    cut : float
        What the number is compared with; a measurement may bring its own.
    source : str
        Where the cut comes from.
    observe : callable
        Measures the number.
    remedies : tuple of str
        Keys of ``REMEDIES``, the most helpful first: as measured on the examples. A measurement may bring its own.
    needs : {"pass", "history", "training"}
        What must be known: the present iteration, those before it, or other trainings.
    gate : float
        Loss / baseline at or below which the number is no fault; negative for never.
    is_advice : bool
        Whether a network with this finding may be called healthy.
    """

    id: str
    title: str
    measure: str
    relation: Relation
    cut: float
    source: str
    observe: Callable[[Case], Measurement | Unknown]
    remedies: tuple[str, ...]
    needs: Needs = "pass"
    gate: float = CONVERGED
    is_advice: bool = False


DEBUGGER = "Amazon SageMaker Debugger"

RULES: tuple[Rule, ...] = (
    Rule(
        "not_finite",
        "NaN or infinite values",
        "values that are NaN or ±∞",
        "above",
        0.0,
        "one is enough: it spreads to every parameter with the next update",
        finite.not_finite,
        ("lower_rate", "clip", "standard_scaling"),
        needs="history",
        gate=-1.0,
    ),
    Rule(
        "vanishing_gradient",
        "Vanishing gradient",
        "rms δ / rms δ of the last hidden layer",
        "below",
        signals.VANISHING,
        "a thousand times slower learning; |g₁|/|g_L| of AutoTrainer (Zhang et al. 2021)",
        signals.vanishing_gradient,
        ("relu_he", "tanh", "batch_normalization", "skips", "fitting_weights", "leaky_relu"),
    ),
    Rule(
        "exploding_gradient",
        "Exploding gradient",
        "rms δ / rms δ of the last hidden layer",
        "above",
        signals.EXPLODING,
        "the mirror image of vanishing",
        signals.exploding_gradient,
        ("batch_normalization", "fitting_weights", "skips", "layer_normalization", "clip"),
    ),
    Rule(
        "vanishing_signal",
        "Vanishing signal",
        "difference between samples / that in the first layer (sd over the batch)",
        "below",
        signals.VANISHING,
        "as for the gradient",
        signals.vanishing_signal,
        ("relu_he", "tanh", "fitting_weights", "batch_normalization", "skips", "fewer_layers"),
    ),
    Rule(
        "exploding_signal",
        "Exploding signal",
        "rms a / rms a of the first layer",
        "above",
        signals.EXPLODING,
        "as for the gradient",
        signals.exploding_signal,
        ("fitting_weights", "batch_normalization", "layer_normalization"),
    ),
    Rule(
        "vanishing_through_time",
        "Gradient vanishes through time",
        "rms ∂L/∂h of the first time step / of the last",
        "below",
        signals.VANISHING,
        "as through layers",
        through_time.vanishing_through_time,
        ("gru", "lstm", "orthogonal", "remembering"),
    ),
    Rule(
        "exploding_through_time",
        "Gradient explodes through time",
        "rms ∂L/∂h of the first time step / of the last",
        "above",
        signals.EXPLODING,
        "as through layers",
        through_time.exploding_through_time,
        ("lstm", "gru", "orthogonal", "clip"),
    ),
    Rule(
        "symmetry",
        "Units are copies of each other",
        "difference between units: of weights or of gradients, the larger (relative rms)",
        "below",
        1e-4,
        "rounding leaves 1e-6 between equal units in float32, random weights about 1",
        units.symmetry,
        ("fitting_weights",),
    ),
    Rule(
        "poor_initialization",
        "First weights do not fit the activation",
        "factor on the gradient that is due to the first weights, both ways",
        "above",
        weights.POOR,
        "half of the way to vanishing, in logarithms",
        weights.poor_initialization,
        ("fitting_weights", "relu_he", "batch_normalization", "layer_normalization"),
    ),
    Rule(
        "unscaled_inputs",
        "Inputs are not scaled",
        "largest rms of an input column",
        "above",
        10.0,
        "ten times what LeCun et al. 1998 ask for: a hundredfold curvature",
        settings.unscaled_inputs,
        ("standard_scaling",),
    ),
    Rule(
        "dead_units",
        "Dead units",
        "share of units with slope 0 for the whole batch",
        "above",
        0.5,
        f"half of a layer: {DEBUGGER}, and three standard deviations of what chance gives",
        units.dead_units,
        ("batch_normalization", "zero_biases", "leaky_relu", "fitting_weights"),
    ),
    Rule(
        "saturation",
        "Saturated activations",
        "share of values where φ' is below 6 % of its maximum",
        "above",
        0.5,
        "half of the ways back are shut; tanh |a| > 0.97 as in CS231n",
        units.saturation,
        ("relu_he", "batch_normalization", "fitting_weights", "layer_normalization", "standard_scaling"),
    ),
    Rule(
        "avalanche",
        "Weights grow like an avalanche",
        "rms W / rms W ten iterations before",
        "above",
        2.0,
        "doubling within ten iterations, 7 % at each",
        weights.avalanche,
        ("lower_rate", "clip", "no_weight_decay"),
        needs="history",
    ),
    Rule(
        "collapsing_weights",
        "Weights collapse to 0",
        "rms W / rms W at the beginning",
        "below",
        0.1,
        "a layer whose weights are a tenth passes a tenth, both ways",
        weights.collapsing_weights,
        ("no_weight_decay", "lower_rate"),
        needs="history",
    ),
    Rule(
        "fast_updates",
        "Updates too large",
        "rms update / rms W per iteration",
        "above",
        0.1,
        "log10 above −1: TheDeepChecker (Ben Braiek and Khomh 2023); CS231n aims at 1e-3",
        updates.fast_updates,
        ("lower_rate", "clip"),
        needs="history",
    ),
    Rule(
        "slow_updates",
        "Updates too small",
        "rms update / rms W per iteration",
        "below",
        1e-5,
        "a decade below the log10 of −4 of TheDeepChecker and DL4J, at which sound nets still learn",
        updates.slow_updates,
        ("adam", "much_higher_rate", "higher_rate", "no_schedule"),
        needs="history",
    ),
    Rule(
        "unchanged_first_layers",
        "First layers stay as they were",
        "distance of the first layer's weights / that of the farthest layer's",
        "below",
        0.01,
        "a hundredth of the way: what the first layers compute is still chance",
        updates.unchanged_first_layers,
        ("relu_he", "tanh", "batch_normalization", "skips"),
        needs="history",
    ),
    Rule(
        "oscillating_loss",
        "Loss oscillates",
        "standard deviation of the loss around its trend / mean",
        "above",
        loss_course.SWING,
        "a tenth, and three times what the choice of the batch explains",
        loss_course.oscillating_loss,
        ("lower_rate", "adam"),
        needs="history",
    ),
    Rule(
        "stagnating_loss",
        "Loss stands still",
        "relative fall of the loss over the last third of the run",
        "below",
        loss_course.STANDSTILL,
        f"twice the 0.1 % in 10 steps of {DEBUGGER}, over 50 steps and more",
        loss_course.stagnating_loss,
        ("relu_he", "batch_normalization", "skips", "fitting_weights"),
        needs="history",
        gate=0.5,
    ),
    Rule(
        "deeper_but_worse",
        "Worse than half its depth",
        "training loss / that with half the hidden layers",
        "above",
        1.1,
        "a tenth worse than a network it contains (He et al. 2016)",
        depth.deeper_but_worse,
        ("relu_he", "skips", "fewer_layers", "batch_normalization"),
        needs="training",
    ),
    Rule(
        "small_batch",
        "Batch too small for batch normalization",
        "values per unit that the batch statistics are taken over",
        "below",
        16.0,
        "the error rises below 16 (Wu and He 2018, table 2)",
        settings.small_batch,
        ("larger_batch", "layer_for_batch"),
    ),
    Rule(
        "clipping_always",
        "Clipping always acts",
        "share of iterations in which clipping acts",
        "above",
        0.95,
        "all but one in twenty",
        settings.clipping_always,
        ("raised_threshold", "no_clipping", "higher_rate"),
        needs="history",
        is_advice=True,
    ),
    Rule(
        "clipping_never",
        "Clipping never acts",
        "share of iterations in which clipping acts",
        "below",
        1e-9,
        "never",
        settings.clipping_never,
        ("lowered_threshold",),
        needs="history",
        is_advice=True,
    ),
)
"""In the order in which findings are told: what breaks everything first, causes before their consequences."""
