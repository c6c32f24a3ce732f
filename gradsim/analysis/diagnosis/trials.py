"""Trying remedies: the network before and after is trained alike, from the same seeds."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from gradsim.analysis.diagnosis.finding import Finding
from gradsim.analysis.diagnosis.simulation import Simulate, other_seed
from gradsim.analysis.profile import profile
from gradsim.analysis.remedy import Effect, Remedy
from gradsim.analysis.through_time import fitted_factor_per_step, rms_per_step
from gradsim.spec import Experiment
from gradsim.trace import IterationTrace

CLEARLY = 0.98
"""A remedy helps where it brings the loss below this share of what it would be without."""


@dataclass(frozen=True, slots=True)
class Trial:
    """What a network was at its first pass, and what it came to: one number per seed.

    ``backward`` is the factor by which the gradient changes on its way back: rms δ per layer, or rms ∂L/∂h per time
    step where the network is recurrent; ``losses`` the training loss in
    evaluation mode after the training.
    """

    backward: tuple[float, ...]
    losses: tuple[float, ...]

    @property
    def loss(self) -> float:
        """Median over the seeds, what is not finite being worst."""
        return float(np.median([value if math.isfinite(value) else math.inf for value in self.losses]))

    @property
    def factor(self) -> float:
        """Geometric mean over the seeds."""
        usable = [value for value in self.backward if value > 0]
        return math.exp(sum(map(math.log, usable)) / len(usable)) if usable else math.nan


def trial(
    experiment: Experiment,
    simulate: Simulate,
    iterations: int,
    seeds: int,
    should_stop: Callable[[], bool],
    tell: Callable[[int], None] | None = None,
) -> Trial | None:
    """Return how a network trains from some seeds, its own first; None where it was stopped.

    ``tell`` is told the number of each seed before it is trained.
    """
    backward, losses = [], []
    for number in range(seeds):
        if tell is not None:
            tell(number)
        simulator = simulate(other_seed(experiment, number))
        backward.append(_backward_factor(simulator.record()))
        simulator.advance(iterations, should_stop)
        if simulator.iteration < iterations:
            return None
        losses.append(float(simulator.evaluate("training").loss))
    return Trial(tuple(backward), tuple(losses))


def effect_of(before: Trial, after: Trial, iterations: int) -> Effect:
    """Return what a remedy did."""
    return Effect(before.factor, after.factor, before.loss, after.loss, iterations, len(before.losses))


def helps(effect: Effect) -> bool:
    """Return whether a remedy brought the loss clearly down, or brought the gradient's factor clearly nearer to 1.

    Parameters
    ----------
    effect : Effect
        What it was measured to do.

    Returns
    -------
    bool
        True where the loss fell by 2 % and more, or the factor's distance from 1 (in logarithms) was halved while
        the loss did not get worse.
    """
    if effect.loss_after < CLEARLY * effect.loss_before:
        return True
    before, after = _departure(effect.backward_before), _departure(effect.backward_after)
    return effect.loss_after <= effect.loss_before / CLEARLY and after < 0.5 * before


def sorted_by_help(remedies: Sequence[Remedy]) -> tuple[Remedy, ...]:
    """Return remedies in the order of the loss they led to; those that did not help, and untried ones, last."""

    def key(remedy: Remedy) -> tuple[bool, bool, float]:
        """Return what a remedy is sorted by."""
        effect = remedy.effect
        if effect is None:
            return True, True, 0.0
        return not helps(effect), False, effect.loss_after

    return tuple(sorted(remedies, key=key))


def with_effects(finding: Finding, effects: dict[Experiment, Effect]) -> Finding:
    """Return a finding whose remedies know what they were measured to do."""
    tried = [replace(remedy, effect=effects.get(remedy.experiment)) for remedy in finding.remedies]
    return replace(finding, remedies=sorted_by_help(tried))


def _backward_factor(trace: IterationTrace) -> float:
    """Per time step of the first recurrent layer if there is one, else per layer."""
    for layer in trace.layers:
        if layer.kind == "recurrent":
            return fitted_factor_per_step(rms_per_step(layer["hidden_gradient"])).factor
    return profile(trace).backward_fit.factor


def _departure(factor: float) -> float:
    """|ln factor|: 0 for a gradient that keeps its size; without a factor it is worst."""
    return abs(math.log(factor)) if factor > 0 and math.isfinite(factor) else math.inf
