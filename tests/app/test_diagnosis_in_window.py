"""The diagnosis in the real window: found by itself, applied with a click, taken back, never in the way."""

import threading
from importlib import import_module

import pytest
from PySide6.QtCore import QEvent, QPoint, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QApplication, QPushButton

from gradsim.app.presets import preset
from gradsim.spec import Dense, Experiment, Network, Training
from gradsim.spec.activation import Sigmoid
from gradsim.spec.data import Moons
from gradsim.spec.initializer import GlorotNormal
from gradsim.spec.training import Sgd

SICK = Experiment(
    name="Sick",
    data=Moons(samples=120),
    network=Network(layers=(Dense(units=6, activation=Sigmoid(), initializer=GlorotNormal()),) * 8),
    training=Training(optimizer=Sgd(learning_rate=0.1), batch_size=32),
)


@pytest.fixture
def small():
    return SICK


@pytest.fixture
def answered(window, qtbot, settled):
    def wait():
        settled(window.session)
        qtbot.waitUntil(lambda: window.inquiries.is_settled, timeout=30_000)

    window.resize(1280, 900)
    window.reset_layout()
    window.docks["diagnosis"].raise_()
    qtbot.waitUntil(window.views["diagnosis"].isVisible)
    wait()
    return wait


def click(widget):
    """Click a widget wherever it is scrolled to."""
    for kind in (QEvent.Type.MouseButtonPress, QEvent.Type.MouseButtonRelease):
        place = QPoint(5, 5).toPointF()
        buttons = (
            Qt.MouseButton.LeftButton if kind is QEvent.Type.MouseButtonPress else Qt.MouseButton.NoButton
        )
        event = QMouseEvent(
            kind, place, place, Qt.MouseButton.LeftButton, buttons, Qt.KeyboardModifier.NoModifier
        )
        QApplication.sendEvent(widget, event)


def remedy(window, name):
    found = window.views["diagnosis"].findChild(QPushButton, f"remedy.vanishing_gradient.{name}")
    assert found is not None, name
    return found


def test_a_remedy_is_one_click_and_one_undo(window, answered):
    panel = window.views["diagnosis"]
    assert panel.diagnosis["vanishing_gradient"].value < 1e-3
    first = panel.diagnosis["vanishing_gradient"].remedies[0]
    click(remedy(window, first.id))
    answered()
    assert window.session.run.experiment == first.experiment
    assert window.session.document.undo_description == first.title
    with pytest.raises(KeyError):
        panel.diagnosis["vanishing_gradient"]
    window.session.undo()
    answered()
    assert window.session.run.experiment == SICK
    assert panel.diagnosis["vanishing_gradient"].value < 1e-3


@pytest.mark.parametrize("name", ["welcome", "plain_40", "float16", "evolution_step"])
def test_the_first_remedy_of_the_worst_finding_is_in_sight(window, qtbot, answered, name):
    window.resize(1440, 900)
    window.session.open(preset(name))
    window.reset_layout()
    answered()
    card = window.views["diagnosis"].cards[0]
    assert card.buttons[0].text().startswith("1. ")
    qtbot.waitUntil(lambda: card.buttons[0].visibleRegion().boundingRect() == card.buttons[0].rect())
    for other in window.views["diagnosis"].cards[1:]:
        assert other.content is None


def test_a_layer_that_is_named_is_selected_everywhere(window, answered):
    panel = window.views["diagnosis"]
    panel.cards[0]._evidence.linkActivated.emit("layer:dense_2")
    assert window.views["inspector"].layer == 1


def test_the_diagnosis_follows_the_iteration_on_screen(window, answered):
    panel = window.views["diagnosis"]
    window.session.train(20)
    answered()
    assert panel.diagnosis.iteration == 20
    window.session.step_iteration(-1)
    answered()
    assert panel.diagnosis.iteration == 19


def test_a_closed_panel_asks_nothing_and_catches_up_when_it_is_opened(window, answered):
    panel, dock = window.views["diagnosis"], window.docks["diagnosis"]
    dock.hide()
    asked = []
    panel.question_asked.connect(lambda question, options: asked.append(question))
    window.session.train(10)
    answered()
    assert asked == []
    dock.show()
    dock.raise_()
    answered()
    assert asked == ["diagnosis", "diagnosis.seeds"]
    assert panel.diagnosis.iteration == 10


def test_how_sure_it_is_is_filled_in_behind_the_findings(window, answered):
    panel = window.views["diagnosis"]
    window.session.train(20)
    answered()
    for finding in panel.diagnosis.findings:
        assert (finding.confidence.of, finding.confidence.iteration) == (4, 20)
    assert panel.cards[0].certainty.words == "Seen with 4 of 4 seeds at iteration 20"
    assert panel.diagnosis.depth == "instant"


def test_nothing_of_a_diagnosis_is_computed_in_the_thread_of_the_window(window, answered, monkeypatch):
    threads = []

    def watched(name):
        module, _, function = name.rpartition(".")
        original = getattr(import_module(module), function)

        def call(*positional, **named):
            threads.append((function, threading.current_thread()))
            return original(*positional, **named)

        monkeypatch.setattr(name, call)

    for name in (
        "gradsim.analysis.diagnosis.diagnosing.diagnosis_of",
        "gradsim.analysis.diagnosis.diagnosing.case_with_simulator",
        "gradsim.analysis.diagnosis.other_seeds.case_of",
        "gradsim.analysis.rule_packs.apply_published_rules",
    ):
        watched(name)
    window.session.train(20)
    answered()
    assert [name for name, _ in threads].count("diagnosis_of") == 2  # at once, and with the other seeds
    assert [name for name, _ in threads].count("case_of") == 3
    assert threading.main_thread() not in {thread for _, thread in threads}


def test_the_thorough_diagnosis_can_be_cancelled_while_it_trains(window, answered, qtbot):
    panel = window.views["diagnosis"]
    click(panel.thorough)
    qtbot.waitUntil(lambda: panel.bar.value() > 0, timeout=30_000)
    click(panel.stop)
    assert window.inquiries.is_settled
    assert panel.diagnosis.depth == "instant"


def test_the_thorough_diagnosis_measures_the_remedies(window, answered):
    panel = window.views["diagnosis"]
    window.docks["diagnosis"].hide()
    window.actions_.by_id["run.thorough"].trigger()
    assert panel.isVisible()
    answered()
    assert panel.diagnosis.depth == "thorough"
    assert panel.diagnosis["vanishing_gradient"].remedies[0].effect.loss_after < 10
    assert panel.cards[0].buttons[0].isEnabled()
