"""The exchange with the thread that computes: what was asked of it last, and which answers still matter."""

from __future__ import annotations

from pathlib import Path

from gradsim.app.change import Change, change_between
from gradsim.app.messages import ChangeTraining, Compile, Failure, Job, Preparation, Record, Snapshot, Train
from gradsim.app.worker import Worker
from gradsim.spec import Experiment


def is_edit(job: Job) -> bool:
    """Whether a job answers an edit, not a wish to look or to train."""
    return isinstance(job, Compile | ChangeTraining)


class Exchange:
    """Questions to the worker, in generations: each edit begins one, and answers to older ones are dropped.

    Parameters
    ----------
    worker : Worker
        Who answers.
    """

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self._generation = self._answered = 0
        self._submitted: Experiment | None = None
        self._is_compiling = False

    @property
    def is_answered(self) -> bool:
        """Whether something has come since the last edit."""
        return self._answered == self._generation

    def change_to(self, experiment: Experiment, *, is_new: bool) -> Change:
        """Return what it means to compute an experiment next; everything where the present network is not ready."""
        return change_between(None if is_new or self._is_compiling else self._submitted, experiment)

    def begin(self, experiment: Experiment) -> None:
        """Begin a generation with an edit that is about to be asked for: nothing older matters any more."""
        self._generation += 1
        self._submitted = experiment

    def compile(self, experiment: Experiment, directory: Path | None) -> None:
        """Ask for a network and its first pass."""
        self._is_compiling = True
        self._worker.submit(Compile(self._generation, experiment, directory))

    def change_training(self, experiment: Experiment, iteration: int | None) -> None:
        """Ask to go on under other settings from an iteration, or from wherever the training is."""
        self._worker.submit(ChangeTraining(self._generation, experiment, iteration))

    def record(self, iteration: int) -> None:
        """Ask for the pass of an iteration."""
        self._worker.submit(Record(self._generation, iteration))

    def train(self, iteration: int, count: int | None) -> None:
        """Ask for a training run from an iteration on."""
        self._worker.submit(Train(self._generation, iteration, count))

    def interrupt(self) -> None:
        """Ask to end the training run."""
        self._worker.interrupt()

    def take(self) -> tuple[Preparation | None, tuple[Failure, ...], Snapshot | None]:
        """Return what has arrived since the last call, overtaken answers among it."""
        return self._worker.take()

    def matters(self, answer: Failure | Snapshot) -> bool:
        """Whether an answer is one to the last edit or to what came after it; from then on that is answered."""
        if answer.job.generation != self._generation:
            return False
        self._answered = self._generation
        return True

    def end_compiling(self) -> None:
        """Remember that there is a network again, the one asked for or the one before."""
        self._is_compiling = False

    def return_to(self, experiment: Experiment) -> None:
        """Remember that the one before is computed, as what was asked for could not be."""
        self._submitted = experiment
