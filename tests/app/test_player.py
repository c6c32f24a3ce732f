"""The clock of the playback."""

import pytest

from gradsim.app.player import TICK_MILLISECONDS, Player
from gradsim.trace import Cursor, Step

STEP = Step("forward", 0, "linear", "pre_activation")


@pytest.fixture
def player(qapp):
    player = Player()
    player.set_steps([STEP] * 4)
    player.set_speed(60.0)
    player.seek_requested.connect(player.set_cursor)  # a session that has every pass at hand
    yield player
    player.pause()


def collected(player):
    asked = []
    player.seek_requested.connect(asked.append)
    return asked


def test_steps_follow_each_other_across_iterations(player, qtbot):
    asked = collected(player)
    player.play()
    qtbot.waitUntil(lambda: Cursor(2, 0) in asked)
    player.pause()
    assert asked == sorted(asked, key=lambda cursor: (cursor.iteration, cursor.step))
    assert {cursor.step for cursor in asked if cursor.iteration == 1} <= {0, 1, 2, 3}


def test_a_loop_stays_in_its_iteration(player, qtbot):
    player.set_loop(True)
    asked = collected(player)
    player.play()
    qtbot.waitUntil(lambda: len(asked) > 6)
    assert {cursor.iteration for cursor in asked} == {0}
    assert Cursor(0, 0) in asked


@pytest.mark.parametrize(
    ("way", "beginning"),
    [
        ([Cursor(3, 3)], Cursor(3, 0)),  # opened or trained: nothing of it has been told yet
        ([Cursor(3, 2), Cursor(3, 3)], Cursor(4, 0)),  # stepped there
        ([Cursor(3, 2), Cursor(3, 3), Cursor(5, 3)], Cursor(5, 0)),
    ],
)
def test_playing_from_the_last_step_tells_an_iteration_that_has_not_been_told(player, way, beginning):
    for cursor in way:
        player.set_cursor(cursor)
    asked = collected(player)
    player.play()
    assert asked == [beginning]


def test_another_experiment_at_the_same_place_has_not_been_told(player):
    player.set_cursor(Cursor(0, 3))
    player.set_steps([STEP] * 4)
    player.set_cursor(Cursor(0, 3))
    asked = collected(player)
    player.play()
    assert asked == [Cursor(0, 0)]


def test_while_a_pass_is_being_recorded_nothing_more_is_asked_for(qapp, qtbot):
    player = Player()
    player.set_steps([STEP] * 2)
    player.set_speed(60.0)
    asked = collected(player)
    player.set_cursor(Cursor(0, 0))
    player.set_cursor(Cursor(0, 1))
    player.play()
    for _ in range(20):
        player.tick()
    assert asked == [Cursor(1, 0)]
    player.set_cursor(Cursor(1, 0))
    qtbot.waitUntil(lambda: asked[-1] != Cursor(1, 0))
    player.pause()


def test_without_steps_there_is_nothing_to_play(qapp):
    player = Player()
    player.toggle()
    assert not player.is_playing


def test_play_and_pause_say_so_once(player):
    said = []
    player.playing_changed.connect(said.append)
    player.play()
    player.play()
    player.toggle()
    player.pause()
    assert said == [True, False]


class EvenClock:
    """Stands for the clock of the machine, which may stop for a second."""

    def __init__(self):
        self.now = self._began = 0

    def start(self):
        self._began = self.now

    def elapsed(self):
        return self.now - self._began


def test_a_long_sequence_is_swept_and_every_other_step_has_its_time(player, monkeypatch):
    times = [Step("forward", 0, "recurrent", "hidden", time) for time in range(2000)]
    clock = EvenClock()
    monkeypatch.setattr(player, "_clock", clock)
    player.set_steps([*times, STEP, STEP])
    asked = collected(player)
    player.play()
    while Cursor(1, 0) not in asked:
        clock.now += TICK_MILLISECONDS
        player.tick()
    player.pause()
    told = [cursor.step for cursor in asked if cursor.iteration == 0]
    assert told == sorted(told)
    assert {2000, 2001} <= set(told)
    assert 3 < len(told) < 200  # one per tick of the clock, not one per time step
