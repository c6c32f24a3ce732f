"""Evolution beside backpropagation in the real window: the same weights, the same cost, the same axes."""

import msgspec
import numpy as np
import pytest

from gradsim.analysis import operations_until
from gradsim.spec.method import Backpropagation, Evolution
from gradsim.trace import Cursor


@pytest.fixture
def small(small):
    training = msgspec.structs.replace(small.training, method=Evolution(population=6))
    return msgspec.structs.replace(small, training=training)


def trained(window, qtbot, count):
    window.session.train(count)
    qtbot.waitUntil(lambda: window.session.is_settled and window.session.run.trace.iteration >= count)


def compared(window, qtbot):
    window.actions_.by_id["run.compare"].trigger()
    qtbot.waitUntil(lambda: window.session.run.ghost_history is not None, timeout=30_000)
    return window.session.run


def test_backpropagation_is_trained_for_the_same_cost_and_drawn_over_it(window, qtbot):
    trained(window, qtbot, 12)
    window.session.seek(Cursor(3, 0))  # what is looked at does not matter, but what was trained
    qtbot.waitUntil(lambda: window.session.run.trace.iteration == 3)
    run = compared(window, qtbot)
    assert isinstance(run.ghost.experiment.training.method, Backpropagation)
    assert run.ghost_history.loss[0] == run.history.loss[0]
    spent = operations_until(run.trace, np.array([12]))[0]
    beside = operations_until(run.ghost, np.array([run.ghost.iteration]))[0]
    assert 0 <= beside - spent < beside / run.ghost.iteration
    view = window.views["loss"]
    assert view.isVisible()
    assert view.option("over") == "operations"
    assert "By backpropagation the batch loss was" in view.text_summary()
    assert "batch loss by backpropagation" in {curve.name("loss") for curve in view._curves(run)}


def test_it_stays_while_the_evolution_goes_on_and_goes_when_dropped(window, qtbot):
    trained(window, qtbot, 2)
    beside = compared(window, qtbot).ghost_history
    trained(window, qtbot, 4)
    assert window.session.run.ghost_history is beside
    window.actions_.by_id["run.drop"].trigger()
    assert window.session.run.ghost_history is None


def test_before_anything_is_trained_it_says_what_to_do(window):
    said = []
    window.comparison.told.connect(said.append)
    window.actions_.by_id["run.compare"].trigger()
    assert said == ["Train first: backpropagation is given as much as the training has cost"]


def test_backpropagation_itself_has_nothing_to_be_compared_with(window, qtbot, settled):
    assert window.actions_.by_id["run.compare"].isEnabled()
    training = msgspec.structs.replace(window.session.experiment.training, method=Backpropagation())
    window.session.edit(msgspec.structs.replace(window.session.experiment, training=training), "Method")
    settled(window.session)
    assert not window.actions_.by_id["run.compare"].isEnabled()
