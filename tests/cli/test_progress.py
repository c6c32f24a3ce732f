"""The bar on stderr."""

import io

import pytest

from gradsim.cli import progress as module
from gradsim.cli.progress import Progress
from gradsim.cli.terminal import Terminal


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
