"""The line of status."""

import pytest

from gradsim.app.status import StatusLine, parameter_count
from tests.kind_runs import kind_run


@pytest.mark.parametrize(
    ("name", "count"),
    [
        # 5→8, 8→8 twice, 8→3 with biases; γ and β of the input and of three layers
        ("batch normalization", 5 * 8 + 8 + 2 * (8 * 8 + 8) + 8 * 3 + 3 + 2 * 5 + 3 * 2 * 8),
        ("residual without weights", 5 * 8 + 8 + 8 * 3 + 3),
        # input, recurrent weights and bias of 4 gates, twice; dense 4→6; head 6→2
        ("lstm", 4 * (3 * 5 + 5 * 5 + 5) + 4 * (5 * 4 + 4 * 4 + 4) + 4 * 6 + 6 + 6 * 2 + 2),
    ],
)
def test_every_trained_number_is_counted_once(name, count):
    assert parameter_count(kind_run(name).trace) == count


@pytest.mark.parametrize(
    ("said", "after"),
    [
        ("Trained 5 iterations; now at iteration 1,005", "Trained 5 iterations"),
        ("Learning rate: 0.5 – training continues at iteration 1,005", "Learning rate: 0.5"),
        ("Activation: ReLU – restarted from seed 3 at iteration 1,005", "Activation: ReLU"),
        ("Iteration 5 is kept for comparison", None),
        ("Saved a; b – c at iteration x", None),
    ],
)
def test_where_one_is_stands_there_as_long_as_one_is_there(qtbot, said, after):
    line = StatusLine()
    qtbot.addWidget(line)
    line.say(said)
    line.show_place(1005)
    assert line.currentMessage() == said
    line.show_place(5)
    assert line.currentMessage() == (after or said)
    line.show_place(1005)
    assert line.currentMessage() == (after or said)


def test_the_line_of_a_window_does_not_stay_at_an_iteration_that_was_left(window, settled):
    window.session.train(5)
    settled(window.session)
    assert window.status.currentMessage() == "Trained 5 iterations; now at iteration 5"
    window.seek_iteration(2)
    settled(window.session)
    assert window.session.cursor.iteration == 2
    assert window.status.currentMessage() == "Trained 5 iterations"
