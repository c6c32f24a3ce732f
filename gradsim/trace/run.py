"""What a window draws: a run as far as it has come, and the place in it that is looked at."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gradsim.spec import Experiment
from gradsim.trace.history import History
from gradsim.trace.iteration import IterationTrace
from gradsim.trace.samples import SampleSet


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place in a run.

    Attributes
    ----------
    iteration : int
        Which iteration; 0 is the first.
    step : int
        Index into ``IterationTrace.steps`` of that iteration.
    """

    iteration: int = 0
    step: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class DecisionMap:
    """Outputs of the network over a rectangle of its two inputs.

    Attributes
    ----------
    x, y : ndarray of float64, shape (columns,) and (rows,)
        Scaled inputs of the grid.
    outputs : ndarray of float64, shape (rows, columns, outputs)
        Activations of the head.
    """

    x: NDArray[np.float64]
    y: NDArray[np.float64]
    outputs: NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """One run of one experiment, as far as it has come.

    Attributes
    ----------
    label : str
        How the run is named among others.
    experiment : Experiment
        What was asked for.
    samples : SampleSet
        What it is trained on.
    trace : IterationTrace
        The iteration looked at.
    ghost : IterationTrace or None
        The trace shown before the last edit or recording, for comparison.
    history : History
        Statistics of the iterations so far.
    decision_map : DecisionMap or None
        For data with two inputs.
    ghost_history : History or None
        Statistics of the run to which the ghost belongs, as far as it had come.
    """

    label: str
    experiment: Experiment
    samples: SampleSet
    trace: IterationTrace
    ghost: IterationTrace | None
    history: History
    decision_map: DecisionMap | None = None
    ghost_history: History | None = None
