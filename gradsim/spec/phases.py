"""What a run goes through: the phases of pretraining and then the fine-tuning, or one phase without an end."""

from __future__ import annotations

from typing import NamedTuple

from gradsim.spec.experiment import Experiment
from gradsim.spec.layout import unrolled_layers
from gradsim.spec.method import Evolution, Pretraining
from gradsim.spec.network import Dense


class TrainingPhase(NamedTuple):
    """Iterations during which the same layers are trained for the same goal."""

    title: str
    """Such as ``pretraining of dense_1``."""
    layer: str | None
    """The layer that is pretrained; None where all move."""
    start: int
    """First iteration."""
    stop: int | None
    """First iteration of the next phase; None for the last."""


def training_phases(experiment: Experiment) -> tuple[TrainingPhase, ...]:
    """Return the phases of a run, in order.

    Parameters
    ----------
    experiment : Experiment
        What was asked for.

    Returns
    -------
    tuple of TrainingPhase
        One for each pretrained layer and then the fine-tuning; else a single one without an end.
    """
    method = experiment.training.method
    if isinstance(method, Evolution):
        return (TrainingPhase("evolution", None, 0, None),)
    if not isinstance(method, Pretraining):
        return (TrainingPhase("backpropagation", None, 0, None),)
    names = [placed.name for placed in unrolled_layers(experiment.network) if isinstance(placed.layer, Dense)]
    length = method.iterations
    phases = [
        TrainingPhase(f"pretraining of {name}", name, index * length, (index + 1) * length)
        for index, name in enumerate(names)
    ]
    return (*phases, TrainingPhase("fine-tuning", None, len(names) * length, None))


def phase_at(experiment: Experiment, iteration: int) -> TrainingPhase:
    """Return the phase to which an iteration belongs.

    Parameters
    ----------
    experiment : Experiment
        What was asked for.
    iteration : int
        From 0 on.

    Returns
    -------
    TrainingPhase
        One of ``training_phases``.
    """
    phases = training_phases(experiment)
    return next(phase for phase in reversed(phases) if phase.start <= iteration)
