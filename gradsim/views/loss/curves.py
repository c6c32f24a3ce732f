"""The curves of a training: losses and accuracies of a part of the samples, of this run and of the one before."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gradsim.spec import Experiment, kind_of, phase_at, training_phases
from gradsim.trace import Run
from gradsim.views.cost_axis import Measure, places

RESTORING = "mse of restoring"
"""The loss of a layer that is pretrained."""


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """Loss and accuracy of a part of the samples, in this run or in that before.

    Attributes
    ----------
    part : {"batch", "validation"}
        Of which samples.
    at : ndarray of int, shape (n,)
        Iterations.
    loss, accuracy : ndarray, shape (n,)
        There; the accuracy is NaN where there is none.
    of_ghost : bool
        Whether it is of the run before.
    apart : str
        What sets it apart from the others of its part, in the legend.
    answers : str
        In brackets behind its loss in the legend: which loss that is, where the others are of something else.
    """

    part: str
    at: NDArray
    loss: NDArray
    accuracy: NDArray
    of_ghost: bool = False
    apart: str = ""
    answers: str = ""

    def name(self, kind: str) -> str:
        """Return its words in the legend of the losses or of the accuracies."""
        answers = f" ({self.answers})" if self.answers and kind == "loss" else ""
        return f"{self.part} {kind}{self.apart}{answers}"

    def places(self, run: Run, measure: Measure) -> NDArray:
        """Return where its iterations stand on the axis of a measure."""
        return places(run, self.at, measure, of_ghost=self.of_ghost)


def curves_of(run: Run, *, has_validation: bool, has_ghost: bool) -> Iterator[Curve]:
    """Yield the curves of a run and then those of the one before.

    Parameters
    ----------
    run : Run
        With records or without.
    has_validation, has_ghost : bool
        Whether the validation part and the run before are wanted.

    Yields
    ------
    Curve
        None of a run without records.
    """
    before = run.ghost_history if run.ghost and has_ghost else None
    other = other_method(run)
    for of_ghost, one in ((False, run.history), (True, before)):
        if one is None or not len(one):
            continue
        apart = "" if not of_ghost else f" by {other}" if other else " before"
        yield Curve("batch", one.iterations, one.loss, one.accuracy, of_ghost, apart)
        if has_validation and len(one.validation_iterations):
            at, answers = one.validation_iterations, ""
            if not of_ghost and restores(run.experiment):
                answers = spoken_loss(run.experiment)
            losses, shares = one.validation_loss, one.validation_accuracy
            yield Curve("validation", at, losses, shares, of_ghost, apart, answers)


def other_method(run: Run) -> str:
    """Return how the run beside was trained, where that is what sets it apart.

    Parameters
    ----------
    run : Run
        A run, maybe with what was before.

    Returns
    -------
    str
        Such as ``backpropagation``; empty where nothing stands beside it, or it was trained by the same method.
    """
    if run.ghost is None:
        return ""
    kinds = [kind_of(trace.experiment.training.method) for trace in (run.ghost, run.trace)]
    return kinds[0] if kinds[0] != kinds[1] else ""


def restores(experiment: Experiment) -> bool:
    """Return whether there are phases in which a layer learns to restore its input."""
    return any(phase.layer is not None for phase in training_phases(experiment))


def spoken_loss(experiment: Experiment) -> str:
    """Return the loss of an experiment in words."""
    return experiment.training.loss.replace("_", " ")


def batch_loss_words(run: Run) -> str:
    """Return what the curve of the batches is a loss of: while a layer is pretrained, of restoring its input.

    Parameters
    ----------
    run : Run
        With at least one record.

    Returns
    -------
    str
        One loss, or one after the other.
    """
    name = spoken_loss(run.experiment)
    if not restores(run.experiment):
        return name
    is_restoring = phase_at(run.experiment, int(run.history.iterations[-1])).layer is not None
    return RESTORING if is_restoring else f"{RESTORING}, then {name}"


def has_accuracy(run: Run) -> bool:
    """Return whether accuracies were recorded, as for a classification."""
    return bool(np.isfinite(run.history.accuracy).any())
