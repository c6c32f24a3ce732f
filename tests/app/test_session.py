"""The session with a real worker: what an edit, a step and a training run do to what is shown."""

import msgspec
import numpy as np
import pytest

from gradsim.app.change import Change, change_between
from gradsim.app.whereabouts import END
from gradsim.spec import Dense, Experiment, Network, SpecError
from gradsim.spec.activation import Relu, Tanh
from gradsim.spec.data import Iris
from gradsim.spec.network import MAX_UNITS, Repeat
from gradsim.spec.training import Adam, Sgd
from gradsim.trace import Cursor


def with_network(experiment, *layers):
    return msgspec.structs.replace(
        experiment, network=msgspec.structs.replace(experiment.network, layers=layers)
    )


def with_training(experiment, **values):
    return msgspec.structs.replace(
        experiment, training=msgspec.structs.replace(experiment.training, **values)
    )


RELU = (Dense(units=7, activation=Relu()),)


@pytest.mark.parametrize(
    ("edit", "expected"),
    [
        (lambda e: e, Change.NAME),
        (lambda e: msgspec.structs.replace(e, name="other"), Change.NAME),
        (lambda e: with_training(e, optimizer=Adam()), Change.TRAINING),
        (lambda e: with_training(e, shuffle=False), Change.TRAINING),
        (lambda e: with_training(e, batch_size=7), Change.NETWORK),
        (lambda e: with_training(e, loss="binary_cross_entropy"), Change.NETWORK),
        (lambda e: msgspec.structs.replace(e, seed=9), Change.NETWORK),
        (lambda e: msgspec.structs.replace(e, precision="float64"), Change.NETWORK),
        (lambda e: msgspec.structs.replace(e, data=Iris()), Change.NETWORK),
        (lambda e: with_network(e, *RELU), Change.NETWORK),
    ],
)
def test_what_an_edit_leaves_standing_agrees_with_the_engine(small, edit, expected):
    from gradsim.engine import Simulator

    after = edit(small)
    assert change_between(small, after) is expected
    assert Simulator(small).can_continue(after) == (expected is not Change.NETWORK)


def test_the_first_pass_shows_the_whole_iteration(session):
    assert session.cursor == Cursor(0, len(session.run.trace.steps) - 1)


def test_stepping_past_the_last_step_records_the_next_iteration(session, settled):
    session.step(1)
    settled(session)
    assert session.cursor == Cursor(1, 0)
    assert session.run.trace.iteration == 1


def test_stepping_back_over_the_first_step_gives_the_same_bits(session, settled):
    before = session.run.trace
    session.seek(Cursor(5, 0))
    settled(session)
    session._traces.clear()
    session.step_iteration(-5)
    settled(session)
    assert session.run.trace is not before
    assert session.cursor == Cursor(0, 0)
    for old, new in zip(before.layers, session.run.trace.layers, strict=True):
        np.testing.assert_array_equal(old.delta, new.delta)


def test_several_steps_asked_for_while_a_pass_is_recorded_all_count(session, settled):
    for _ in range(3):
        session.step(1)
    settled(session)
    assert session.cursor == Cursor(1, 2)


def test_going_back_by_layers_leads_into_the_iteration_before(session, settled):
    session.seek(Cursor(1, 0))
    settled(session)
    session.step_layer(-1)
    assert session.cursor == Cursor(0, len(session.run.trace.steps) - 1)


def test_there_is_nothing_before_the_first_step(session):
    session.seek(Cursor(0, 0))
    session.step(-1)
    session.step_layer(-1)
    session.step_iteration(-1)
    assert session.cursor == Cursor(0, 0)


def test_training_moves_the_cursor_and_fills_the_history(session, settled):
    session.train(40)
    assert session.training.is_training
    settled(session)
    assert session.cursor.iteration == 40
    assert len(session.run.history) == 40
    assert session.training.done == 40


def test_training_until_stopped_can_be_stopped(session, settled, qtbot):
    session.train(None)
    qtbot.waitUntil(lambda: session.training.done > 0)
    session.stop()
    settled(session)
    assert session.cursor.iteration == session.training.done > 0


def test_training_can_be_stopped_at_once(session, settled):
    for _ in range(20):
        session.train(None)
        session.stop()
        settled(session)
    assert not session.training.is_training


def test_looking_at_a_place_ends_the_training_and_leads_there(session, settled, qtbot):
    session.train(None)
    qtbot.waitUntil(lambda: session.training.done > 0)
    session.seek(Cursor(2, 1))
    settled(session)
    assert session.cursor == Cursor(2, 1)


def test_training_after_looking_back_goes_on_from_there(session, settled):
    session.train(20)
    settled(session)
    session.seek(Cursor(5, END))
    settled(session)
    session.train(3)
    settled(session)
    assert session.cursor.iteration == 8


def test_a_new_network_starts_again_and_the_old_pass_stays_as_a_ghost(session, settled, qtbot, small):
    session.train(10)
    settled(session)
    before = session.run.trace
    with qtbot.waitSignal(session.status_changed) as said:
        session.edit(with_network(small, *RELU), "Activation: ReLU")
    settled(session)
    assert said.args == ["Activation: ReLU – restarted from seed 3 at iteration 0"]
    assert session.cursor.iteration == 0
    assert session.run.ghost is before
    assert [layer.activation_kind for layer in session.run.trace.layers] == ["relu", "softmax"]


def test_other_training_settings_continue_and_the_window_says_so(session, settled, qtbot, small):
    session.train(10)
    settled(session)
    with qtbot.waitSignal(session.status_changed) as said:
        session.edit(with_training(small, optimizer=Sgd(learning_rate=0.5)), "Learning rate: 0.5")
    settled(session)
    assert said.args == ["Learning rate: 0.5 – training continues at iteration 10"]
    assert session.cursor.iteration == 10
    assert session.run.trace.learning_rate == 0.5


def test_an_edit_of_the_training_while_training_does_not_interrupt_it(session, settled, qtbot, small):
    session.train(None)
    qtbot.waitUntil(lambda: session.training.done > 5)
    reached = session.cursor.iteration
    session.edit(with_training(small, optimizer=Sgd(learning_rate=0.5)), "Learning rate: 0.5")
    qtbot.waitUntil(lambda: session.run.trace.learning_rate == 0.5)
    assert session.cursor.iteration >= reached
    assert session.training.is_training
    session.stop()
    settled(session)


def test_an_edit_of_the_network_while_training_trains_the_new_one_from_the_start(
    session, settled, qtbot, small
):
    session.train(30_000)
    qtbot.waitUntil(lambda: session.training.done > 5)
    session.edit(with_network(small, *RELU), "Activation: ReLU")
    qtbot.waitUntil(lambda: session.run.experiment.network.layers == RELU and session.training.done > 0)
    assert session.training.total == 30_000
    assert session.cursor.iteration == session.training.done
    session.stop()
    settled(session)


def test_a_new_name_disturbs_nothing(session, qtbot, small):
    trace = session.run.trace
    session.edit(msgspec.structs.replace(small, name="Other"), "Name: Other")
    assert session.run.label == "Small"
    assert session.run.experiment.name == "Other"
    assert session.run.trace is trace


def test_a_bad_value_is_refused_with_its_path_and_the_network_stays(session, qtbot, small):
    errors = []
    session.error_raised.connect(errors.append)
    session.edit(with_network(small, Dense(units=0)), "Units: 0")
    assert errors[-1].path == "$.network.layers[0].units"
    assert session.experiment == small
    assert session.can_undo
    session.undo()
    assert errors[-1] is None
    assert session.experiment == small
    assert not session.can_undo


def test_a_network_that_does_not_fit_is_refused_and_the_last_valid_one_stays(session, settled, qtbot, small):
    errors = []
    session.error_raised.connect(errors.append)
    before = session.run
    huge = with_network(small, Repeat(times=1000, layers=(Dense(units=MAX_UNITS),)))
    session.edit(huge, "Layers: 1000")
    settled(session)
    assert isinstance(errors[-1], SpecError)
    assert session.experiment == small
    assert session.run is before
    session.train(3)
    settled(session)
    assert session.cursor.iteration == 3


def test_undo_and_redo_walk_over_every_edit(session, settled, small):
    relu, wide = with_network(small, *RELU), with_network(small, Dense(units=40, activation=Tanh()))
    session.edit(relu, "Activation: ReLU")
    session.edit(wide, "Units: 40")
    session.undo()
    settled(session)
    assert session.run.experiment == session.experiment == relu
    session.undo()
    session.redo()
    session.redo()
    settled(session)
    assert session.run.experiment == wide
    assert not session.document.redo_description


def test_an_edit_that_is_taken_back_before_it_was_computed_leaves_the_old_network(session, settled, small):
    session.edit(with_network(small, *RELU), "Activation: ReLU")
    session.undo()
    settled(session)
    assert session.run.experiment == small


def test_edits_of_one_thing_in_quick_succession_are_one_step_of_undo(session, settled, small):
    for units in (8, 9, 10):
        session.edit(with_network(small, Dense(units=units)), f"Units: {units}")
    settled(session)
    session.undo()
    settled(session)
    assert session.experiment == small


def test_opening_forgets_the_edits_and_a_refused_file_leaves_everything_as_it_was(session, settled, small):
    messages = []
    session.failed.connect(messages.append)
    session.edit(with_network(small, *RELU), "Activation: ReLU")
    settled(session)
    session.open(with_network(small, Repeat(times=1000, layers=(Dense(units=MAX_UNITS),))))
    settled(session)
    assert "was not opened" in messages[0]
    assert session.experiment.network.layers == RELU
    assert session.can_undo
    session.open(small)
    settled(session)
    assert not session.can_undo
    assert session.run.ghost is None


def test_an_opened_example_is_compared_with_nothing_and_starts_afresh_and_so_does_undo(
    session, settled, small
):
    wide = with_network(small, Dense(units=9, activation=Relu()), Dense(units=4))
    session.edit(with_network(small, *RELU), "Activation: ReLU")
    settled(session)
    session.train(5)
    settled(session)
    assert session.run.ghost is not None
    for move in (
        lambda: session.edit(wide, "Start from “Wide”", is_opening=True),
        session.undo,
        session.redo,
    ):
        session.select(1, 2)
        session.seek(Cursor(session.cursor.iteration, 1))
        move()
        settled(session)
        assert session.run.ghost is None
        assert session.run.ghost_history is None
        assert session._selection == (None, None)
        assert session.cursor == Cursor(0, len(session.run.trace.steps) - 1)
    assert session.experiment == wide
    session.edit(with_network(wide, *RELU), "Activation: ReLU")
    settled(session)
    assert session.run.ghost is not None


def test_an_opened_example_can_be_compared_with_one_that_was_kept_on_purpose(session, settled, small):
    wide = with_network(small, Dense(units=9, activation=Relu()), Dense(units=4))
    session.train(5)
    settled(session)
    session.keep_ghost()
    kept = session.run.trace
    session.edit(wide, "Start from “Wide”", is_opening=True)
    settled(session)
    assert session.run.ghost is kept
    session.open(small)
    settled(session)
    assert session.run.ghost is None


def test_an_example_that_cannot_be_opened_leaves_everything_as_it_was(session, settled, small):
    messages = []
    session.failed.connect(messages.append)
    huge = with_network(small, Repeat(times=1000, layers=(Dense(units=MAX_UNITS),)))
    session.edit(huge, "Start from “Huge”", is_opening=True)
    settled(session)
    assert "was not opened" in messages[0]
    assert session.experiment == small
    assert not session.can_undo
    assert session.run.experiment == small


def test_the_selection_does_not_outlive_its_layer(session, settled, small):
    session.select(2, 1)
    session.edit(with_network(small, *RELU), "Activation: ReLU")
    settled(session)
    assert session._selection == (None, None)


def test_a_pass_can_be_kept_for_comparison(session, settled):
    first = session.run.trace
    session.keep_ghost()
    session.train(5)
    settled(session)
    assert session.run.ghost is first
    session.drop_ghost()
    assert session.run.ghost is None


def test_values_that_overflow_are_shown_and_nothing_breaks(session, settled, small):
    session.edit(
        with_training(
            with_network(small, Dense(units=6, activation=Relu())), optimizer=Sgd(learning_rate=1e6)
        ),
        "Learning rate: 1e6",
    )
    settled(session)
    session.train(50)
    settled(session)
    assert session.cursor.iteration == 50
    assert not np.isfinite(session.run.history.loss[-1])


def test_two_inputs_have_a_decision_map_and_others_have_none(session, settled, small):
    assert session.run.decision_map.outputs.shape[2] == 2
    session.edit(msgspec.structs.replace(small, data=Iris()), "Data: Iris")
    settled(session)
    assert session.run.decision_map is None


def test_an_experiment_is_not_needed_to_ask_for_things(worker, small):
    from gradsim.app.session import Session

    session = Session(worker)
    session.step(1)
    session.train(5)
    session.seek(Cursor(3, 3))
    session.undo()
    assert session.run is None
    assert session.experiment == Experiment(network=Network())


def test_what_is_kept_outlives_edits_with_its_history(session, settled, small):
    session.train(5)
    settled(session)
    kept, history = session.run.trace, session.run.history
    session.keep_ghost()
    session.edit(with_network(small, *RELU), "Activation: ReLU")
    settled(session)
    session.train(3)
    settled(session)
    assert session.run.ghost is kept
    assert session.run.ghost_history is history
    assert len(history) == 5
    assert len(session.run.history) == 3
    session.drop_ghost()
    assert session.run.ghost_history is None


def test_the_run_before_an_edit_keeps_its_history(session, settled, small):
    session.train(4)
    settled(session)
    history = session.run.history
    session.edit(with_network(small, *RELU), "Activation: ReLU")
    settled(session)
    assert session.run.ghost_history is history
