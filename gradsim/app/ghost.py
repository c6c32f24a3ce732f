"""What a run is compared with: the pass before the last edit, or one that was kept on purpose."""

from __future__ import annotations

from dataclasses import dataclass

from gradsim.spec import Experiment
from gradsim.trace import History, IterationTrace, Run


@dataclass(slots=True)
class Ghost:
    """How long the earlier pass of a run stays; the pass itself is part of the run."""

    is_kept: bool = False
    """It outlives further edits."""
    is_pinned: bool = False
    """It was kept on purpose, so that it even outlives the opening of another example."""

    def keep(self, *, is_pinned: bool) -> None:
        """Let it stay until it is dropped."""
        self.is_kept, self.is_pinned = True, is_pinned

    def drop(self) -> None:
        """Let it go; the next edit leaves another one."""
        self.is_kept = self.is_pinned = False

    def of_the_same(self, run: Run | None) -> tuple[IterationTrace | None, History | None]:
        """Return pass and history to compare with while nothing is edited."""
        return (run.ghost, run.ghost_history) if run is not None else (None, None)

    def after_opening(self, run: Run | None) -> tuple[IterationTrace | None, History | None]:
        """Return pass and history to compare with when another experiment has taken the place of everything."""
        if self.is_pinned:
            return self.of_the_same(run)
        self.is_kept = False
        return None, None

    def after_edit(
        self, run: Run | None, experiment: Experiment
    ) -> tuple[IterationTrace | None, History | None]:
        """Return pass and history to compare an edited ``experiment`` with."""
        if run is not None and run.experiment != experiment and not self.is_kept:
            return run.trace, run.history
        return self.of_the_same(run)
