"""What an edit means for the numbers computed so far."""

from __future__ import annotations

from enum import Enum

import msgspec

from gradsim.spec import Experiment


class Change(Enum):
    """How much of a run an edit leaves standing."""

    NAME = "only the name, or nothing"
    TRAINING = "training goes on from here with other settings"
    NETWORK = "everything starts anew from the seed"


def change_between(before: Experiment | None, after: Experiment) -> Change:
    """
    Return what has to be done to get from one experiment to another.

    Parameters
    ----------
    before : Experiment or None
        The one that runs; None where none does.
    after : Experiment
        The one that is asked for.

    Returns
    -------
    Change
        The least that makes the numbers right.
    """
    if before is None:
        return Change.NETWORK
    same_name = msgspec.structs.replace(before, name=after.name)
    if same_name == after:
        return Change.NAME
    if msgspec.structs.replace(same_name, training=after.training) != after:
        return Change.NETWORK
    return Change.TRAINING if _shape(before) == _shape(after) else Change.NETWORK


def _shape(experiment: Experiment) -> tuple[int, bool]:
    """Return what of the training decides the shape of the arrays: batches, one output or one per class."""
    training = experiment.training
    return training.batch_size, training.loss == "binary_cross_entropy"
