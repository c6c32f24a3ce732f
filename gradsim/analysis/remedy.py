"""What a remedy is: an edit of an experiment with its name and reason; the edits are in ``remedies``."""

from __future__ import annotations

from dataclasses import dataclass

from gradsim.spec import Experiment


@dataclass(frozen=True, slots=True)
class Effect:
    """What a remedy did to a network when both were trained alike, the medians over some seeds.

    Attributes
    ----------
    backward_before, backward_after : float
        Factor by which the gradient changes on its way back in the first pass: rms δ per layer, of a recurrent
        network rms ∂L/∂h per time step; 1 is neither shrinking nor growing, NaN where there is no such factor.
    loss_before, loss_after : float
        Loss over the whole training part, in evaluation mode.
    iterations : int
        Length of the training.
    seeds : int
        How many seeds were trained.
    """

    backward_before: float
    backward_after: float
    loss_before: float
    loss_after: float
    iterations: int
    seeds: int


@dataclass(frozen=True, slots=True)
class Remedy:
    """An edit that should help, ready to be applied.

    Attributes
    ----------
    id : str
        Which edit, a key of ``REMEDIES``.
    title : str
        What is done, a few words that fit on a button.
    description : str
        Why it should help, in one sentence.
    experiment : Experiment
        The whole edited experiment.
    effect : Effect or None
        What it was measured to do here; None until it was tried.
    """

    id: str
    title: str
    description: str
    experiment: Experiment
    effect: Effect | None = None
