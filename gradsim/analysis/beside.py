"""Another way to train the same network from the same weights, for the same cost: what a method is compared with."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import msgspec
import numpy as np

from gradsim.analysis.operations import operations, operations_until
from gradsim.spec import Experiment
from gradsim.spec.method import Backpropagation, Method
from gradsim.trace import History, IterationTrace

LEAST_ITERATIONS, MOST_ITERATIONS = 1, 200_000
_SLICES = 20


class Machine(Protocol):
    """A simulator, as far as it is needed here."""

    @property
    def iteration(self) -> int:
        """Updates made."""

    def advance(self, count: int, should_stop: Callable[[], bool] | None = None) -> Any:
        """Train."""

    def record(self) -> IterationTrace:
        """Return the pass at the present iteration."""

    def history(self) -> History:
        """Return the statistics of the iterations so far."""


@dataclass(frozen=True, slots=True, eq=False)
class Beside:
    """A run by another method, as far as the same cost takes it.

    Attributes
    ----------
    trace : IterationTrace
        Its pass at the end.
    history : History
        Statistics of its iterations.
    cost, cost_beside : float
        Floating-point operations of the run and of the one beside it; they differ by less than one iteration.
    finished : bool
        False where it was stopped before it had cost as much.
    """

    trace: IterationTrace
    history: History
    cost: float
    cost_beside: float
    finished: bool


def by_method(experiment: Experiment, method: Method = Backpropagation()) -> Experiment:  # noqa: B008
    """Return an experiment with another way to find the weights, everything else being the same.

    Parameters
    ----------
    experiment : Experiment
        Any.
    method : Method, default Backpropagation()
        The other way.

    Returns
    -------
    Experiment
        With the same seed, so that it begins with the same weights and sees the same batches.
    """
    training = msgspec.structs.replace(experiment.training, method=method)
    return msgspec.structs.replace(experiment, training=training)


def trained_beside(
    trace: IterationTrace,
    make: Callable[[Experiment], Machine],
    iterations: int | None = None,
    method: Method = Backpropagation(),  # noqa: B008
    should_stop: Callable[[], bool] = lambda: False,
    progress: Callable[[str, float], None] = lambda words, share: None,
) -> Beside:
    """Train the same network by another method from the same first weights, for what a run has cost.

    Parameters
    ----------
    trace : IterationTrace
        Of the run; what it has cost is counted as ``operations`` does.
    make : callable
        Returns a simulator of an experiment, at iteration 0.
    iterations : int, optional
        How far the run has come; by default as far as the trace.
    method : Method, default Backpropagation()
        The other way.
    should_stop : callable, optional
        Asked in between.
    progress : callable, optional
        Takes words and a share from 0 to 1.

    Returns
    -------
    Beside
        At least one iteration of it, at most 200,000.
    """
    machine = make(by_method(trace.experiment, method))
    cost = float(
        operations_until(trace, np.array([trace.iteration if iterations is None else iterations]))[0]
    )
    each = operations(machine.record()).total
    wanted = min(max(math.ceil(cost / each), LEAST_ITERATIONS), MOST_ITERATIONS)
    words = f"Training by {type(method).__name__.lower()} for the same cost"
    while machine.iteration < wanted and not should_stop():
        progress(words, machine.iteration / wanted)
        machine.advance(min(math.ceil(wanted / _SLICES), wanted - machine.iteration), should_stop)
    end = machine.record()
    spent = float(operations_until(end, np.array([machine.iteration]))[0])
    return Beside(end, machine.history(), cost, spent, machine.iteration >= wanted)
