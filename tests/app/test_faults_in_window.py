"""From the first broken value that the proof tells to its number in the inspector, in the real window."""

import pytest

from gradsim.analysis.fault import broken_in
from gradsim.app.presets import preset

BROKEN_AT = 2
"""The first iteration of the experiment with a value that is not finite: an infinite z inside dense_2."""


@pytest.fixture
def small():
    return preset("exploding")


def trained(window, qtbot, settled):
    window.session.train(6)
    settled(window.session)
    assert window.session.run.trace.iteration == 6


def on_screen(window, qtbot, settled):
    trained(window, qtbot, settled)
    window.seek_iteration(BROKEN_AT)
    settled(window.session)


def searched(window, qtbot, settled):
    trained(window, qtbot, settled)
    view = window.views["proof"]
    view.find_faults()
    qtbot.waitUntil(lambda: view.faults.found is not None, timeout=60_000)


@pytest.mark.parametrize("before", [trained, on_screen, searched], ids=lambda before: before.__name__)
def test_the_button_leads_to_the_infinite_number_in_the_formula(window, qtbot, settled, before):
    before(window, qtbot, settled)
    view, inspector = window.views["proof"], window.views["inspector"]
    inspector.tabs.setCurrentWidget(inspector.chain)
    inspector.sample.setValue(5)
    inspector.places.scope.setCurrentIndex(1)
    view._show_fault()
    view.go_buttons["broken"].click()
    qtbot.waitUntil(lambda: window.session.cursor.iteration == BROKEN_AT)
    trace = window.session.run.trace
    fault = broken_in(trace)
    assert (fault.layer_name, fault.tensor) == ("dense_2", "pre_activation")
    assert fault.index[-1] > 0
    wanted = (fault.step, fault.layer, *fault.index)

    def shown():
        place = inspector.place
        return (window.session.cursor.step, inspector.layer, place.sample, place.unit)

    qtbot.waitUntil(lambda: shown() == wanted)
    assert inspector.formulas[-1].filled.rstrip().endswith("= −∞")
    assert "= −∞" in inspector.formula.toPlainText()
    assert not inspector.visibleRegion().isEmpty()
    found = inspector.formula.document().find("= −∞")
    place = inspector.formula.cursorRect(found)
    assert inspector.formula.viewport().rect().intersects(place)


def test_a_look_elsewhere_on_the_way_is_not_overridden(window, qtbot, settled):
    trained(window, qtbot, settled)
    view = window.views["proof"]
    view._show_fault()
    view.go_buttons["broken"].click()
    window.seek_iteration(4)
    settled(window.session)
    window.session.select(7, 3)
    window.seek_iteration(BROKEN_AT)
    settled(window.session)
    qtbot.wait(0)
    assert window.views["inspector"].layer == 7
