"""What is said between the window and the thread that computes: jobs one way, answers the other."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from gradsim.spec import Experiment, SpecError
from gradsim.trace import DecisionMap, History, IterationTrace, SampleSet


@dataclass(frozen=True, slots=True)
class Compile:
    """Build the network of an experiment and record its first pass."""

    generation: int
    experiment: Experiment
    directory: Path | None = None
    """Where the file with its initial parameters lies."""


@dataclass(frozen=True, slots=True)
class ChangeTraining:
    """Go on from an iteration with other training settings, and record it."""

    generation: int
    experiment: Experiment
    iteration: int | None
    """None for wherever the training is."""


@dataclass(frozen=True, slots=True)
class Record:
    """Go to an iteration, forwards or backwards, and record it."""

    generation: int
    iteration: int


@dataclass(frozen=True, slots=True)
class Train:
    """Train from an iteration on, for ``count`` iterations or until stopped."""

    generation: int
    iteration: int
    count: int | None


Job = Compile | ChangeTraining | Record | Train


@dataclass(frozen=True, slots=True)
class TrainingState:
    """How far a training run is.

    Attributes
    ----------
    is_training : bool
        Whether it still runs.
    done : int
        Iterations made since it was started.
    total : int or None
        How many were asked for; None until stopped.
    rate : float
        Iterations per second, measured lately; 0 before the first measurement.
    """

    is_training: bool = False
    done: int = 0
    total: int | None = None
    rate: float = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Snapshot:
    """What the thread knows after a job, or in the middle of a training run.

    Attributes
    ----------
    job : Job
        What it answers.
    experiment : Experiment
        The one that really runs.
    samples : SampleSet
        What it is trained on.
    trace : IterationTrace
        The pass last recorded.
    history : History
        Statistics so far.
    decision_map : DecisionMap or None
        For data with two inputs.
    training : TrainingState
        Whether the run goes on.
    """

    job: Job
    experiment: Experiment
    samples: SampleSet
    trace: IterationTrace
    history: History
    decision_map: DecisionMap | None
    training: TrainingState = TrainingState()


@dataclass(frozen=True, slots=True)
class Failure:
    """A job that could not be done; the last network is still there."""

    job: Job
    error: SpecError | str


@dataclass(frozen=True, slots=True)
class Preparation:
    """How far the compilation of the engine is: a sentence, and a share from 0 to 1."""

    what: str
    share: float

    @property
    def is_done(self) -> bool:
        """Whether the engine is ready."""
        return self.share >= 1.0
