"""The phases of a training as far as it came: their spans, their losses, and what that loss is of."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from gradsim.cli.result import Result

RESTORING = "mse of restoring the layer's input"
"""What is made small while a layer is pretrained, whatever the loss of the experiment is."""


class PhaseRow(NamedTuple):
    """One phase."""

    title: str
    layer: str | None
    """The layer that is pretrained; None where all move."""
    start: int
    """First iteration."""
    stop: int
    """First iteration after what was done of it; ``start`` where nothing was."""
    loss: str
    """What is made small."""
    first_loss: float | None
    last_loss: float | None
    """Of the first and the last batch on record; None where nothing was done."""


def phases_of(result: Result) -> tuple[PhaseRow, ...]:
    """Return the phases of a run.

    Parameters
    ----------
    result : Result
        A run.

    Returns
    -------
    tuple of PhaseRow
        All there are, also those to which it did not come; one for a training without phases.
    """
    from gradsim.spec import training_phases

    loss, at = result.history.loss, result.history.iterations
    rows = []
    for phase in training_phases(result.experiment):
        end = result.iterations if phase.stop is None else min(phase.stop, result.iterations)
        inside = loss[(at >= phase.start) & (at < end)]
        first, last = (float(inside[0]), float(inside[-1])) if len(inside) else (None, None)
        goal = result.experiment.training.loss if phase.layer is None else RESTORING
        rows.append(PhaseRow(phase.title, phase.layer, phase.start, max(end, phase.start), goal, first, last))
    return tuple(rows)
