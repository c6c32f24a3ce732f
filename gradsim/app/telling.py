"""What the session has to say of what has just happened, in one sentence each."""

from __future__ import annotations

from gradsim.app.messages import Compile, Snapshot
from gradsim.trace import Run


def _iterations(count: int) -> str:
    return f"{count:,} iteration{'' if count == 1 else 's'}"


def training_begun(iteration: int, count: int | None) -> str:
    """Return words for a training run that begins."""
    words = "until stopped" if count is None else f"for {_iterations(count)}"
    return f"Training from iteration {iteration:,} {words}"


def training_ended(snapshot: Snapshot) -> str:
    """Return words for a training run that is over."""
    return f"Trained {_iterations(snapshot.training.done)}; now at iteration {snapshot.trace.iteration:,}"


def edit_done(edit: str, snapshot: Snapshot, before: Run | None, *, is_opening: bool) -> str:
    """Return words for an edit, with what it meant for the numbers computed so far."""
    if is_opening:
        return edit
    if isinstance(snapshot.job, Compile):
        return f"{edit} – restarted from seed {snapshot.experiment.seed} at iteration 0"
    if before is not None and before.experiment.training != snapshot.experiment.training:
        return f"{edit} – training continues at iteration {snapshot.trace.iteration:,}"
    return edit
