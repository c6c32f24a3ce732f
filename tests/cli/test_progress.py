"""The bar on stderr."""

import io
import json

import pytest

from gradsim import engine
from gradsim.cli import doctor, main
from gradsim.cli import progress as module
from gradsim.cli.progress import Progress
from gradsim.cli.terminal import Terminal
from gradsim.cli.training import prepare_engine


def terminal(width=80, interactive=True, unicode=True):
    return Terminal(io.StringIO(), width, interactive, unicode, interactive)


@pytest.fixture
def clock(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    return now


def test_nothing_is_written_where_nobody_watches(clock):
    unwatched = terminal(interactive=False)
    with Progress(unwatched) as bar:
        bar.show("Training", 0.0)
        clock[0] = 10.0
        bar.show("Training", 0.5)
    assert unwatched.stream.getvalue() == ""


@pytest.fixture
def compiling(monkeypatch):
    """Let the engine seem to be compiled anew, function by function; return what was asked for."""
    asked = []

    def prepare(precision, progress):
        asked.append(precision)
        if precision not in asked[:-1]:
            progress("compiling forward", 0.0)
            progress("compiling backward", 0.5)
        progress("ready", 1.0)

    monkeypatch.setattr(engine, "is_prepared", lambda precision: False)
    monkeypatch.setattr(engine, "prepare", prepare)
    return asked


def test_a_log_tells_when_a_compilation_begins_and_ends(compiling):
    unwatched, watched = terminal(interactive=False), terminal()
    prepare_engine("float64", Progress(unwatched))
    told = unwatched.stream.getvalue().splitlines()
    assert told[0] == "Compiling the engine for float64, once only: this takes about a minute on two cores."
    assert told[1].startswith("Compiled in ")
    assert len(told) == 2
    prepare_engine("float64", Progress(unwatched))  # now from the cache
    assert len(unwatched.stream.getvalue().splitlines()) == 2
    prepare_engine("float32", Progress(watched))
    assert "this takes" not in watched.stream.getvalue()
    assert compiling == ["float64", "float64", "float32"]


@pytest.mark.parametrize("command", [["run"], ["check"], ["diagnose", "--seeds", "0"], ["cost"]])
def test_a_compilation_is_told_on_stderr_and_never_on_stdout(compiling, command, capsys):
    main([command[0], "chain", "--iterations", "0", "--json", *command[1:]])
    captured = capsys.readouterr()
    assert "Compiling the engine" in captured.err
    assert json.loads(captured.out)


def test_the_doctor_tells_a_compilation_too(compiling, capsys):
    terminal_of_doctor = terminal(interactive=False)
    finding = doctor._compiled(Progress(terminal_of_doctor))
    assert finding.verdict == "ok"
    assert terminal_of_doctor.stream.getvalue().count("Compiling the engine") == 2


def test_short_work_shows_no_bar_and_long_work_clears_its_own(clock):
    watched = terminal()
    with Progress(watched) as bar:
        bar.show("Training", 0.0)
        clock[0] = 0.2
        bar.show("Training", 0.9)
        assert watched.stream.getvalue() == ""
        clock[0] = 2.0
        bar.show("Training", 0.5, "100 of 200 iterations")
    written = watched.stream.getvalue()
    assert "Training ███████████████░░░░░░░░░░░░░░░  50% · 100 of 200 iterations · 2 s left" in written
    assert written.endswith("\r\x1b[2K")


def test_the_bar_is_not_drawn_more_often_than_eyes_can_follow(clock):
    watched = terminal()
    bar = Progress(watched)
    bar.show("Training", 0.0)
    for tick in range(1000):
        clock[0] = 1.0 + tick / 1000
        bar.show("Training", 0.5)
    assert 15 <= watched.stream.getvalue().count("\r") <= 20


@pytest.mark.parametrize("width", [20, 40, 80, 300])
@pytest.mark.parametrize("unicode", [True, False])
def test_the_bar_never_wraps(width, unicode):
    bar = Progress(terminal(width=width, unicode=unicode))
    for share in (-1.0, 0.0, 0.001, 0.5, 1.0, 2.0):
        assert len(bar.line("Training", share, "1,000,000 of 2,000,000 iterations", 86_400.0)) < width


@pytest.mark.parametrize(
    ("seconds", "expected"), [(4.2, "4 s left"), (65.0, "1 min 05 s left"), (7_260.0, "2 h 01 min left")]
)
def test_the_time_left_is_told_in_the_unit_people_use(seconds, expected):
    assert Progress(terminal()).line("Training", 0.5, "", seconds).endswith(expected)
