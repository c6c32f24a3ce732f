"""The one thread in which networks are compiled, trained and recorded, and what it sends back.

Nothing of the window is touched here. The engine, and numba with it, is imported inside the thread, so the
window is on screen before.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from importlib import import_module
from typing import Any

from PySide6.QtCore import QObject, QThread, Signal

from gradsim.app.decision import decision_map
from gradsim.app.messages import (
    ChangeTraining,
    Compile,
    Failure,
    Job,
    Preparation,
    Record,
    Snapshot,
    Train,
    TrainingState,
)
from gradsim.spec import SpecError

SNAPSHOT_SECONDS = 1 / 30
"""Least time between two snapshots of a training run."""
AT_REST = TrainingState()
RECORDING_SHARE = 0.15
"""Most of the training time that may go into recording passes for the eye."""


@dataclass(slots=True)
class _Mailbox:
    """Messages on their way to the window: of snapshots and notes only the latest is kept."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    preparation: Preparation | None = None
    failures: list[Failure] = field(default_factory=list)
    snapshot: Snapshot | None = None

    @property
    def is_empty(self) -> bool:
        return self.preparation is None and not self.failures and self.snapshot is None


class _Stopped(BaseException):
    """The thread shall end while the engine is being compiled: numba holds back an ordinary exception."""


class Worker(QThread):
    """Thread that owns the simulator.

    Parameters
    ----------
    parent : QObject or None
        Owner in the sense of Qt.
    engine : callable, optional
        Returns the engine (``gradsim.engine``, or whatever has its names); called inside the thread.
    """

    arrived = Signal()
    """There is something to ``take``; emitted once until taken, so a busy window is never flooded."""

    def __init__(
        self,
        parent: QObject | None = None,
        engine: Callable[[], Any] = lambda: import_module("gradsim.engine"),
    ) -> None:
        super().__init__(parent)
        self.setObjectName("simulator")
        self._engine_of = engine
        self._jobs: deque[Job] = deque()
        self._current: Job | None = None
        self._wake = threading.Condition()
        self._interrupt = threading.Event()
        self._ending = False
        self._mailbox = _Mailbox()
        self._simulator: Any = None

    # -- called by the window ---------------------------------------------------------------------------

    def submit(self, job: Job) -> None:
        """Queue a job. It replaces those that it makes needless, the running one included."""
        with self._wake:
            needless: tuple[type, ...] = (Record, Train)
            if isinstance(job, Compile):
                needless = (Record, Train, ChangeTraining, Compile)
            self._jobs = deque(other for other in self._jobs if not isinstance(other, needless))
            self._jobs.append(job)
            if isinstance(self._current, needless):
                self._interrupt.set()
            self._wake.notify()

    def interrupt(self) -> None:
        """End a training run soon; its last snapshot still comes."""
        with self._wake:
            # One that has not begun is still answered, or the window would wait for its end forever.
            self._jobs = deque(replace(job, count=0) if isinstance(job, Train) else job for job in self._jobs)
            self._interrupt.set()

    def take(self) -> tuple[Preparation | None, tuple[Failure, ...], Snapshot | None]:
        """Return what has arrived since the last call."""
        box = self._mailbox
        with box.lock:
            content = box.preparation, tuple(box.failures), box.snapshot
            box.preparation, box.failures, box.snapshot = None, [], None
        return content

    def shut_down(self) -> None:
        """End the thread and wait for it: one that still runs at exit would abort the process."""
        with self._wake:
            self._ending = True
            self._jobs.clear()
            self._interrupt.set()
            self._wake.notify()
        self.wait()

    # -- inside the thread ------------------------------------------------------------------------------

    def run(self) -> None:
        """Do the jobs one after another until told to end."""
        while True:
            with self._wake:
                self._current = None
                while not self._jobs and not self._ending:
                    self._wake.wait()
                if self._ending:
                    return
                job = self._current = self._jobs.popleft()
                self._interrupt.clear()
            try:
                self._do(job)
            except _Stopped:
                return
            except SpecError as error:
                self._send(failure=Failure(job, error))
            except MemoryError:
                self._send(failure=Failure(job, "There is not enough memory for this network."))
            except Exception as error:  # whatever it is, the window and the work in it live on
                self._send(failure=Failure(job, f"{type(error).__name__}: {error}"))

    def _do(self, job: Job) -> None:
        match job:
            case Compile(experiment=experiment, directory=directory):
                self._prepare(experiment.precision)
                self._simulator = self._engine_of().Simulator(experiment, directory)
                self._publish(job)
            case ChangeTraining(experiment=experiment, iteration=iteration):
                if iteration is not None:
                    self._go_to(iteration)
                self._simulator.change_training(experiment)
                self._publish(job)
            case Record(iteration=iteration):
                if self._go_to(iteration):
                    self._publish(job)
            case Train():
                self._train(job)

    def _prepare(self, precision: str) -> None:
        def progress(what: str, share: float) -> None:
            if self._ending:
                raise _Stopped
            self._send(preparation=Preparation(what, min(share, 0.999)))

        progress("Loading the engine", 0.0)
        engine = self._engine_of()
        if not engine.is_prepared(precision):
            engine.prepare(precision, progress)
        self._send(preparation=Preparation("Ready", 1.0))

    def _go_to(self, iteration: int) -> bool:
        """Go to an iteration; False where another job has interrupted a long way forward."""
        simulator = self._simulator
        if simulator is None:
            raise SpecError("$", "there is no network yet that could run")
        if iteration < simulator.iteration:
            simulator.seek(iteration)
        elif iteration > simulator.iteration:
            simulator.advance(iteration - simulator.iteration, self._interrupt.is_set)
        return bool(simulator.iteration == iteration)

    def _publish(self, job: Job, training: TrainingState = AT_REST) -> None:
        simulator = self._simulator
        trace = simulator.record()
        self._send(
            snapshot=Snapshot(
                job,
                simulator.experiment,
                simulator.samples,
                trace,
                simulator.history(),
                decision_map(simulator),
                training,
            )
        )

    def _train(self, job: Train) -> None:
        if not self._go_to(job.iteration):
            self._publish(job)
            return
        simulator = self._simulator
        done, rate, recorded_at = 0, 0.0, time.perf_counter()
        pause = SNAPSHOT_SECONDS
        while not self._interrupt.is_set() and (job.count is None or done < job.count):
            started = time.perf_counter()
            until = max(started + SNAPSHOT_SECONDS / 2, recorded_at + pause)

            def should_stop(until: float = until) -> bool:
                return self._interrupt.is_set() or time.perf_counter() >= until

            left = 1_000_000_000 if job.count is None else job.count - done
            made = simulator.advance(left, should_stop)
            done += made
            now = time.perf_counter()
            lately = made / max(now - started, 1e-9)
            rate = lately if rate == 0.0 else 0.8 * rate + 0.2 * lately
            if job.count is None or done < job.count:
                self._publish(job, TrainingState(True, done, job.count, rate))
            recorded_at = time.perf_counter()
            # A pass that is slow to record is recorded less often, so the training keeps its speed.
            pause = max(SNAPSHOT_SECONDS, (recorded_at - now) * (1 / RECORDING_SHARE - 1))
        self._publish(job, TrainingState(False, done, job.count, rate))

    def _send(
        self,
        preparation: Preparation | None = None,
        failure: Failure | None = None,
        snapshot: Snapshot | None = None,
    ) -> None:
        box = self._mailbox
        with box.lock:
            was_empty = box.is_empty
            if preparation is not None:
                box.preparation = preparation
            if failure is not None:
                box.failures.append(failure)
            if snapshot is not None:
                box.snapshot = snapshot
        if was_empty:
            self.arrived.emit()
