"""How fast a network trains on this machine, and how far that moves its layers: measured, not estimated."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from gradsim.analysis.magnitude import rms


class Trainable(Protocol):
    """What ``measured_speed`` needs of a simulator."""

    iteration: int

    def advance(self, iterations: int, should_stop: Callable[[], bool] | None = None) -> int:
        """Train."""

    def parameters(self) -> Mapping[str, NDArray[Any]]:
        """Return copies of all parameters."""


@dataclass(frozen=True, slots=True)
class Speed:
    """A short measurement of training on this machine.

    Attributes
    ----------
    iterations : int
        How many were made.
    seconds : float
        How long they took, all statistics included.
    displacement : mapping from str to float
        Parameter, such as ``dense_1.weight`` → how far the measured iterations moved it: l2 of the difference
        over l2 before; ∞ or NaN where that was 0.
    """

    iterations: int
    seconds: float
    displacement: Mapping[str, float]

    @property
    def rate(self) -> float:
        """Iterations per second."""
        return self.iterations / self.seconds if self.seconds > 0 else math.nan

    def moved(self, layer: str) -> float:
        """Return how far the weights of a layer moved.

        Parameters
        ----------
        layer : str
            Name of the layer.

        Returns
        -------
        float
            Of the recurrent weights for a recurrent layer; NaN for a layer without weights.
        """
        names = (f"{layer}.weight", f"{layer}.recurrent_weight")
        return next((self.displacement[name] for name in names if name in self.displacement), math.nan)


def measured_speed(
    simulator: Trainable,
    seconds: float = 0.5,
    should_stop: Callable[[], bool] = lambda: False,
    clock: Callable[[], float] | None = None,
) -> Speed:
    """Return how fast a simulator trains here and how far that moves its layers; it stands further on then.

    Parameters
    ----------
    simulator : Trainable
        At any iteration.
    seconds : float, default 0.5
        How long to train, after a short run that is not counted.
    should_stop : callable
        Ends the measurement early.
    clock : callable, optional
        Seconds; ``time.perf_counter`` by default.

    Returns
    -------
    Speed
        Of at least one iteration, unless it was stopped before.
    """
    now = clock or time.perf_counter
    simulator.advance(1)  # the first call may still load machine code
    before, start, began = simulator.parameters(), simulator.iteration, now()
    end = began + seconds
    simulator.advance(1_000_000_000, lambda: now() >= end or should_stop())
    took, made = now() - began, simulator.iteration - start
    after = simulator.parameters()
    return Speed(made, took, {name: _displacement(before[name], after[name]) for name in before})


def _displacement(before: NDArray[Any], after: NDArray[Any]) -> float:
    with np.errstate(all="ignore"):
        return float(np.float64(rms(after.astype(np.float64) - before)) / np.float64(rms(before)))
