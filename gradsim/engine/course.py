"""The course of a run: what is run from which iteration on, how far it has come, where it can be taken up again."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from gradsim.engine.checkpoints import Checkpoint, Checkpoints
from gradsim.spec import Experiment
from gradsim.spec.method import Pretraining


@dataclass(frozen=True, slots=True, eq=False)
class Stretch:
    """Iterations from ``start`` on that run under one experiment; ``state`` only where it was set by hand."""

    start: int
    experiment: Experiment
    optimizer_start: int
    state: Checkpoint | None


class Course:
    """Stretches and keyframes of one run, which begins with ``first``; nothing here computes.

    Parameters
    ----------
    experiment : Experiment
        What is run first.
    first : Checkpoint
        The beginning; what lies before cannot be sought. Its optimizer has no memory yet.
    numbers : int
        How many numbers one iteration handles: decides how far keyframes lie apart.
    """

    def __init__(self, experiment: Experiment, first: Checkpoint, numbers: int) -> None:
        self.start = first.iteration
        self.reached = first.iteration
        self._stretches = [Stretch(0, experiment, first.iteration, None)]
        self._checkpoints = Checkpoints(first, numbers)

    def stretch(self, iteration: int) -> Stretch:
        """Return the stretch to which an iteration belongs."""
        return next(s for s in reversed(self._stretches) if s.start <= iteration)

    def next_stop(self, iteration: int) -> int:
        """Return how far the machine may run without a stop: a keyframe, another stretch, the known past's end."""
        stops = [self._checkpoints.next_due(iteration)]
        stops += [s.start for s in self._stretches if s.start > iteration]
        if iteration < self.reached:
            stops.append(self.reached)
        return min(stops)

    def wants_keyframe(self, iteration: int) -> bool:
        """Whether a keyframe of this iteration is due and not yet kept."""
        return self._checkpoints.wants(iteration)

    def keep(self, keyframe: Checkpoint) -> None:
        """Keep a keyframe later than all others."""
        self._checkpoints.add(keyframe)

    def keyframe_for(self, iteration: int, here: int) -> Checkpoint | None:
        """Return where to go on from so that an iteration is reached; None for straight on from ``here``."""
        checkpoint = self._checkpoints.before(iteration)
        if checkpoint.iteration <= here <= iteration:
            return None
        stretch = self.stretch(iteration)
        if stretch.state is not None and stretch.start >= checkpoint.iteration:
            return stretch.state
        return checkpoint

    def branch(self, experiment: Experiment, optimizer_start: int, state: Checkpoint) -> None:
        """From a state on the run goes another way: forget what came after it."""
        self._stretches = [s for s in self._stretches if s.start < state.iteration]
        self._stretches.append(Stretch(state.iteration, experiment, optimizer_start, state))
        self._checkpoints.cut(state.iteration - 1)
        self.reached = state.iteration


def can_follow(now: Experiment, new: Experiment) -> bool:
    """Whether a run of ``now`` can go on as ``new``, which differs only in how the parameters move from here on."""
    same_shape = now.training.batch_size == new.training.batch_size and (
        now.training.loss == "binary_cross_entropy"
    ) == (new.training.loss == "binary_cross_entropy")
    # Phases count from the start of a run, and have parameters of their own.
    pretrained = [e.training.method for e in (now, new) if isinstance(e.training.method, Pretraining)]
    same_shape = same_shape and (not pretrained or now.training.method == new.training.method)
    return same_shape and msgspec.structs.replace(new, training=now.training, name=now.name) == now
