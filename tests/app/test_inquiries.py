"""Questions of views, answered in a thread of their own: with made questions, with the engine, in the window."""

import threading
from dataclasses import replace

import msgspec
import numpy as np
import pytest
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from gradsim.app.inquiries import Inquiries, Inquiry, Question, answer_now
from gradsim.app.questions import QUESTIONS
from gradsim.app.views_table import VIEWS, ViewRow
from gradsim.spec import SpecError
from gradsim.spec.training import Sgd
from gradsim.trace import Cursor
from tests.kind_runs import NETWORKS, kind_run, kind_simulator
from tests.reference import reference_run

RUN = reference_run(layers=2, units=3, records=4)
OTHER_PASS = replace(RUN, trace=reference_run(layers=2, units=3, records=4).trace)
GHOST = replace(RUN, ghost=RUN.trace)
RENAMED = replace(RUN, label="B", experiment=msgspec.structs.replace(RUN.experiment, name="B"))
EDITED = replace(OTHER_PASS, experiment=msgspec.structs.replace(RUN.experiment, seed=99))


class Gate:
    """A question that waits in the thread until it is let go on; it looks up whenever it is told to."""

    def __init__(self):
        self.begun, self.go_on, self.ended = [], threading.Event(), threading.Event()
        self.stops = []

    def __call__(self, inquiry, options):
        self.begun.append(options)
        try:
            while not self.go_on.wait(0.001):
                inquiry.progress("waiting", 0.5)
        finally:
            self.stops.append(inquiry.should_stop())
            self.ended.set()
        return options


def fail(error):
    def question(inquiry, options):
        raise error

    return Question(question)


def echo(inquiry, options):
    return options, threading.current_thread() is threading.main_thread()


@pytest.fixture
def started(qapp):
    threads = []

    def start(**questions):
        rows = {id_: q if isinstance(q, Question) else Question(q) for id_, q in questions.items()}
        threads.append(Inquiries(rows))
        return threads[-1]

    yield start
    for thread in threads:
        thread.shut_down()


def taken(inquiries, qtbot, count=1):
    """The answers and failures that arrive until there are so many of them."""
    told = []

    def look():
        told.extend(one for one in inquiries.take() if one.kind != "progress")
        return len(told) >= count

    qtbot.waitUntil(look)
    return told


def values(told):
    return [(*one.asked.key, one.kind, one.value) for one in told]


def test_a_question_is_answered_in_another_thread(started, qtbot):
    inquiries = started(echo=echo)
    with qtbot.waitSignal(inquiries.arrived):
        inquiries.ask("view", "echo", 5, RUN)
    assert not inquiries.is_settled
    assert values(taken(inquiries, qtbot)) == [("view", "echo", "answer", (5, False))]
    assert inquiries.is_settled
    assert inquiries.take() == ()


def test_an_unknown_question_is_a_fault_of_the_program(started):
    with pytest.raises(KeyError):
        started(echo=echo).ask("view", "ecko", None, RUN)


def test_the_thread_does_not_run_before_the_first_question(started):
    assert not started(echo=echo).is_running


def test_of_one_question_the_latest_wins_and_what_runs_is_stopped(started, qtbot):
    gate = Gate()
    inquiries = started(gate=gate)
    inquiries.ask("view", "gate", 1, RUN)
    qtbot.waitUntil(lambda: gate.begun == [1])
    for options in (2, 3):
        inquiries.ask("view", "gate", options, RUN)
    qtbot.waitUntil(lambda: len(gate.begun) == 2)
    assert gate.stops == [True]
    gate.go_on.set()
    assert values(taken(inquiries, qtbot)) == [("view", "gate", "answer", 3)]
    assert gate.begun == [1, 3]


def test_the_same_question_of_two_views_is_answered_to_both(started, qtbot):
    inquiries = started(echo=echo)
    inquiries.ask("one", "echo", 1, RUN)
    inquiries.ask("two", "echo", 2, RUN)
    assert [one.asked.key[0] for one in taken(inquiries, qtbot, 2)] == ["one", "two"]


@pytest.mark.parametrize(
    ("about", "run", "is_dropped"),
    [
        ("pass", GHOST, False),
        ("pass", RENAMED, False),
        ("pass", OTHER_PASS, True),
        ("pass", EDITED, True),
        ("experiment", OTHER_PASS, False),
        ("experiment", RENAMED, False),
        ("experiment", EDITED, True),
    ],
)
@pytest.mark.parametrize("moment", ["waiting", "running", "sent"])
def test_what_is_no_longer_on_screen_is_not_answered(started, qtbot, about, run, is_dropped, moment):
    gate = Gate()
    inquiries = started(gate=Question(gate, about))
    if moment == "sent":
        gate.go_on.set()
    if moment == "waiting":
        inquiries.set_resting(False)
    inquiries.ask("view", "gate", 1, RUN)
    if moment != "waiting":
        qtbot.waitUntil(lambda: gate.begun == [1] and (moment == "running" or gate.ended.is_set()))
    inquiries.set_run(run)
    inquiries.set_resting(True)
    assert inquiries.is_settled == is_dropped
    gate.go_on.set()
    if is_dropped:
        if moment == "running":
            qtbot.waitUntil(gate.ended.is_set)
            assert gate.stops == [True]
        assert inquiries.take() == ()
    else:
        assert values(taken(inquiries, qtbot)) == [("view", "gate", "answer", 1)]


def test_a_question_that_takes_long_keeps_no_other_one_waiting(started, qtbot):
    gate = Gate()
    inquiries = started(gate=Question(gate, is_long=True), echo=echo)
    inquiries.ask("view", "gate", 1, RUN)
    qtbot.waitUntil(lambda: gate.begun == [1])
    inquiries.ask("view", "echo", 2, RUN)
    assert values(taken(inquiries, qtbot)) == [("view", "echo", "answer", (2, False))]
    gate.go_on.set()
    assert values(taken(inquiries, qtbot)) == [("view", "gate", "answer", 1)]


def test_nothing_is_told_of_a_cancelled_question(started, qtbot):
    gate = Gate()
    inquiries = started(gate=gate)
    inquiries.ask("view", "gate", 1, RUN)
    qtbot.waitUntil(lambda: gate.begun == [1])
    inquiries.cancel("view", "gate")
    qtbot.waitUntil(gate.ended.is_set)
    assert inquiries.is_settled
    assert inquiries.take() == ()


def test_of_the_progress_only_the_latest_is_told_and_within_bounds(started, qtbot):
    def question(inquiry, options):
        for share in (0.1, 0.4, 1.5):
            inquiry.progress(f"at {share}", share)
        go_on.wait()
        return "done"

    go_on = threading.Event()
    inquiries = started(question=question)
    arrivals = []
    inquiries.arrived.connect(lambda: arrivals.append(1))
    inquiries.ask("view", "question", None, RUN)
    qtbot.waitUntil(lambda: any(told.value == "at 1.5" for told in inquiries._state.progress.values()))
    (told,) = inquiries.take()
    assert (told.kind, told.value, told.share) == ("progress", "at 1.5", 1.0)
    go_on.set()
    assert values(taken(inquiries, qtbot)) == [("view", "question", "answer", "done")]
    qtbot.waitUntil(lambda: len(arrivals) == 2)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (SpecError("$.data", "there is too much of it"), "$.data: there is too much of it"),
        (ValueError("the network is too wide for this"), "the network is too wide for this"),
        (MemoryError(), "There is not enough memory to find this out."),
        (ZeroDivisionError("oh"), "ZeroDivisionError: oh"),
    ],
)
def test_whatever_goes_wrong_is_told_and_other_questions_are_still_answered(started, qtbot, error, words):
    inquiries = started(bad=fail(error), echo=echo)
    inquiries.ask("view", "bad", None, RUN)
    inquiries.ask("view", "echo", 1, RUN)
    told = taken(inquiries, qtbot, 2)
    assert [(one.kind, one.value) for one in told] == [("failure", words), ("answer", (1, False))]


def test_no_question_is_begun_while_a_training_run_goes_on(started, qtbot):
    gate = Gate()
    inquiries = started(gate=gate, echo=echo)
    inquiries.set_resting(False)
    inquiries.ask("view", "gate", 1, RUN)
    inquiries.ask("view", "gate", 2, OTHER_PASS)
    qtbot.waitUntil(lambda: inquiries.is_running)
    assert gate.begun == []
    gate.go_on.set()
    inquiries.set_resting(True)
    assert [one.value for one in taken(inquiries, qtbot)] == [2]


def test_questions_asked_while_a_training_run_goes_on_wake_no_thread(started, qtbot, monkeypatch):
    inquiries = started(echo=echo)
    inquiries.ask("view", "echo", 1, RUN)
    assert [one.value[0] for one in taken(inquiries, qtbot)] == [1]
    inquiries.set_resting(False)
    woken = []
    wake = inquiries._wake.notify_all
    monkeypatch.setattr(inquiries._wake, "notify_all", lambda: (woken.append(True), wake()))
    for number in range(5):  # as it goes with every record
        inquiries.set_resting(False)
        inquiries.ask("view", "echo", number, RUN)
    assert not woken
    inquiries.set_resting(True)
    assert [one.value[0] for one in taken(inquiries, qtbot)] == [4]


def test_the_thread_ends_at_once_though_a_question_runs(started, qtbot):
    gate = Gate()
    inquiries = started(gate=gate)
    inquiries.ask("view", "gate", 1, RUN)
    qtbot.waitUntil(lambda: gate.begun == [1])
    inquiries.shut_down()
    assert not inquiries.is_running
    inquiries.ask("view", "gate", 2, RUN)
    assert not inquiries.is_running


@pytest.mark.parametrize("name", NETWORKS)
def test_the_twin_has_the_same_pass_bit_for_bit(name):
    run = kind_run(name)

    class Engine:
        Simulator = staticmethod(lambda experiment, directory: kind_simulator(experiment.name))
        is_prepared = staticmethod(lambda precision: True)

    again = Inquiry(run, None, lambda: Engine).twin().record()
    assert again.iteration == run.trace.iteration > 0
    assert again.loss == run.trace.loss
    for layer, other in zip(run.trace.layers, again.layers, strict=True):
        for tensor, array in layer.tensors.items():
            if "update" not in tensor:  # an optimizer with memory begins anew
                np.testing.assert_array_equal(array, other[tensor], f"{layer.name} {tensor}")


class AskingView(QWidget):
    """A view that asks what the tests tell it to."""

    question_asked = Signal(str, object)
    question_cancelled = Signal(str)
    edit_requested = Signal(object, str)

    def __init__(self):
        super().__init__()
        self.told = []

    def set_answer(self, question, answer):
        self.told.append(("answer", question, answer))

    def set_answer_progress(self, question, words, share):
        self.told.append(("progress", question, words, share))

    def set_answer_failed(self, question, reason):
        self.told.append(("failure", question, reason))


@pytest.fixture
def asking(monkeypatch, request):
    """The window with one more view, and questions made for it."""
    rows = (*VIEWS, ViewRow("asking", "Asking", AskingView, "tabs"))
    gate = Gate()
    questions = QUESTIONS | {
        "loss": Question(lambda inquiry, options: inquiry.twin().record().loss),
        "bad": fail(ValueError("no")),
        "gate": Question(gate),
        "trains": Question(lambda inquiry, options: inquiry.twin().advance(10**9, inquiry.should_stop)),
    }
    monkeypatch.setattr("gradsim.app.layout.VIEWS", rows)
    monkeypatch.setattr("gradsim.app.window.VIEWS", rows)
    monkeypatch.setattr("gradsim.app.window.QUESTIONS", questions)
    window = request.getfixturevalue("window")
    return window, window.views["asking"], gate


def test_the_window_brings_every_answer_to_the_view_that_asked(asking, qtbot, settled):
    window, view, gate = asking
    window.session.seek(Cursor(7, 0))
    settled(window.session)
    view.question_asked.emit("loss", None)
    view.question_asked.emit("bad", None)
    view.question_asked.emit("gate", 1)
    qtbot.waitUntil(lambda: ("progress", "gate", "waiting", 0.5) in view.told)
    view.question_cancelled.emit("gate")
    qtbot.waitUntil(lambda: window.inquiries.is_settled and gate.ended.is_set())
    assert [told for told in view.told if told[0] != "progress"] == [
        ("answer", "loss", window.session.run.trace.loss),
        ("failure", "bad", "no"),
    ]


def test_an_edit_of_any_view_is_made_and_can_be_undone(asking, qtbot, settled):
    window, view, _ = asking
    before = window.session.experiment
    training = msgspec.structs.replace(before.training, optimizer=Sgd(learning_rate=0.7))
    view.edit_requested.emit(msgspec.structs.replace(before, training=training), "Learning rate 0.7")
    settled(window.session)
    assert window.session.run.experiment.training.optimizer.learning_rate == 0.7
    assert window.session.document.undo_description == "Learning rate 0.7"
    window.session.undo()
    assert window.session.experiment == before


def test_a_training_run_makes_an_asked_question_wait_and_overtakes_it(asking, qtbot, settled):
    window, view, gate = asking
    view.question_asked.emit("gate", 1)
    qtbot.waitUntil(lambda: gate.begun == [1])
    window.session.train(5)
    view.question_asked.emit("gate", 2)
    settled(window.session)
    qtbot.waitUntil(gate.ended.is_set)
    assert gate.stops == [True]
    gate.go_on.set()
    qtbot.waitUntil(lambda: window.inquiries.is_settled)
    assert {told[0] for told in view.told} <= {"progress"}


def test_the_window_lives_and_closes_while_a_question_trains(asking, qtbot):
    window, view, _ = asking
    view.question_asked.emit("trains", None)
    window.session.step(1)
    window.close()
    assert not window.inquiries.is_running


def test_a_question_can_be_answered_without_a_window():
    run = kind_run("residual")
    question = Question(lambda inquiry, options: (inquiry.twin().record().loss, options))
    assert answer_now(question, 3, run) == (run.trace.loss, 3)


def test_a_question_may_prepare_another_precision():
    prepared = []

    class Engine:
        Simulator = staticmethod(lambda experiment, directory: (experiment, directory))

        @staticmethod
        def is_prepared(precision):
            return precision in prepared

        @staticmethod
        def prepare(precision, progress):
            progress("compiling", 0.5)
            prepared.append(precision)

    told = []
    inquiry = Inquiry(RUN, None, lambda: Engine, tell=lambda *what: told.append(what))
    wide = msgspec.structs.replace(RUN.experiment, precision="float64")
    assert [inquiry.simulator(wide) for _ in range(2)] == [(wide, None)] * 2
    assert prepared == ["float64"]
    assert told == [("compiling", 0.5)]
