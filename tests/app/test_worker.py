"""The thread itself, with an engine made for the purpose."""

import threading
from types import SimpleNamespace

import numpy as np
import pytest

from gradsim.app.decision import MAP_POINTS, decision_map
from gradsim.app.messages import Compile, Record, Train
from gradsim.app.worker import Worker
from gradsim.spec import SpecError
from tests.reference import reference_run

RUN = reference_run(layers=2, units=3, records=4)


class FakeSimulator:
    def __init__(self, experiment, directory=None):
        if experiment.name == "refused":
            raise SpecError("$.data", "there is too much of it")
        if experiment.name == "too large":
            raise MemoryError
        if experiment.name == "broken":
            raise ZeroDivisionError("oh")
        self.experiment, self.samples, self.iteration = experiment, RUN.samples, 0

    def record(self):
        return RUN.trace

    def history(self):
        return RUN.history

    def outputs(self, inputs):
        return inputs @ np.eye(2)

    def advance(self, n, should_stop=None):
        done = 0
        while done < n and not (should_stop and should_stop()):
            self.iteration += 1
            done += 1
        return done

    def seek(self, iteration):
        self.iteration = iteration


def engine(**more):
    return SimpleNamespace(Simulator=FakeSimulator, is_prepared=lambda p: True, **more)


@pytest.fixture
def started(qapp):
    workers = []

    def start(made_engine):
        worker = Worker(engine=lambda: made_engine)
        worker.start()
        workers.append(worker)
        return worker

    yield start
    for worker in workers:
        worker.shut_down()


def experiment(name="fake"):
    import msgspec

    return msgspec.structs.replace(RUN.experiment, name=name)


def taken(worker, qtbot, wanted):
    """Everything that arrives until ``wanted`` holds of what has arrived."""
    seen = []

    def look():
        seen.append(worker.take())
        return any(wanted(box) for box in seen)

    qtbot.waitUntil(look)
    return seen


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("refused", "$.data: there is too much of it"),
        ("too large", "There is not enough memory for this network."),
        ("broken", "ZeroDivisionError: oh"),
    ],
)
def test_whatever_goes_wrong_is_told_and_the_thread_lives_on(started, qtbot, name, words):
    worker = started(engine())
    worker.submit(Compile(1, experiment(name)))
    boxes = taken(worker, qtbot, lambda box: box[1])
    assert [str(failure.error) for box in boxes for failure in box[1]] == [words]
    worker.submit(Compile(2, experiment()))
    taken(worker, qtbot, lambda box: box[2] is not None)


def test_the_engine_is_prepared_in_the_thread_with_progress(started, qtbot):
    told = []

    def prepare(precision, progress):
        told.append((precision, threading.current_thread() is threading.main_thread()))
        progress("compiling", 0.5)

    worker = started(engine())
    worker._engine_of().is_prepared = lambda precision: False
    worker._engine_of().prepare = prepare
    worker.submit(Compile(1, experiment()))
    boxes = taken(worker, qtbot, lambda box: box[2] is not None)
    assert told == [("float32", False)]
    assert any(box[0] is not None and box[0].is_done for box in boxes)


def test_closing_during_the_first_compilation_does_not_wait_for_all_of_it(started, qtbot):
    begun, rest = threading.Event(), []

    def prepare(precision, progress):
        begun.set()
        for function in range(1_000_000):
            progress(f"compiling {function}", 0.1)
        rest.append("all compiled")

    made = engine(prepare=prepare)
    made.is_prepared = lambda precision: False
    worker = started(made)
    worker.submit(Compile(1, experiment()))
    qtbot.waitUntil(begun.is_set)
    worker.shut_down()
    assert worker.isFinished()
    assert rest == []


def test_a_busy_window_gets_one_message_and_the_latest_snapshot(started, qtbot):
    worker = started(engine())
    arrivals = []
    worker.arrived.connect(lambda: arrivals.append(1))
    worker.submit(Compile(1, experiment()))
    taken(worker, qtbot, lambda box: box[2] is not None)
    count = len(arrivals)
    worker.submit(Train(1, 0, None))
    qtbot.waitUntil(lambda: worker._simulator.iteration > 0 and worker._mailbox.snapshot is not None)
    first = worker._mailbox.snapshot
    qtbot.waitUntil(lambda: worker._mailbox.snapshot is not first)
    assert len(arrivals) <= count + 2
    worker.interrupt()
    boxes = taken(worker, qtbot, lambda box: box[2] is not None and not box[2].training.is_training)
    assert sum(box[2] is not None for box in boxes) <= 2


def test_a_new_job_ends_a_training_run_and_replaces_waiting_looks(started, qtbot):
    worker = started(engine())
    worker.submit(Compile(1, experiment()))
    taken(worker, qtbot, lambda box: box[2] is not None)
    worker.submit(Train(1, 0, None))
    worker.submit(Record(1, 7))
    worker.submit(Record(1, 5))
    taken(worker, qtbot, lambda box: box[2] is not None and box[2].job == Record(1, 5))
    assert worker._simulator.iteration == 5


def test_a_training_run_that_is_stopped_before_it_begins_is_answered(started, qtbot):
    begin = threading.Event()

    class Slow(FakeSimulator):
        def record(self):
            begin.wait()
            return RUN.trace

    made = engine()
    made.Simulator = Slow
    worker = started(made)
    worker.submit(Compile(1, experiment()))
    qtbot.waitUntil(lambda: worker._current is not None)
    worker.submit(Train(1, 0, None))
    worker.interrupt()
    begin.set()
    boxes = taken(worker, qtbot, lambda box: box[2] is not None and isinstance(box[2].job, Train))
    assert not boxes[-1][2].training.is_training


def test_asking_before_there_is_a_network_is_answered(started, qtbot):
    worker = started(engine())
    worker.submit(Record(1, 3))
    (failure,) = taken(worker, qtbot, lambda box: box[1])[-1][1]
    assert "no network yet" in str(failure.error)


def test_a_thread_that_was_never_started_can_be_shut_down(qapp):
    Worker(engine=engine).shut_down()


def test_the_decision_map_covers_the_training_samples():
    simulator = FakeSimulator(experiment())
    grid = decision_map(simulator)
    assert grid.outputs.shape == (MAP_POINTS, MAP_POINTS, 2)
    x, y = RUN.samples.training_inputs.T
    assert grid.x[0] < x.min() < x.max() < grid.x[-1]
    assert grid.y[0] < y.min() < y.max() < grid.y[-1]
    np.testing.assert_allclose(grid.outputs[3, 5], [grid.x[5], grid.y[3]])
