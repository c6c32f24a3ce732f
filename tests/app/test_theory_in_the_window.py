"""The window finds theory out beside the screen, and the gradient profile shows it."""

from __future__ import annotations

import pytest

from gradsim.analysis import expected_profile, theory_sentence
from gradsim.trace import Cursor

pytestmark = pytest.mark.timeout(600)  # the first test ever compiles the machine


def test_theory_follows_the_iteration_on_screen_and_does_not_wait_in_a_frame(window, qtbot, settled):
    view = window.views["gradient_profile"]
    window.docks["gradient_profile"].raise_()
    qtbot.waitUntil(lambda: not view.visibleRegion().isEmpty())
    view.bar.toggles["theory"].trigger()
    assert view.asked("theory").is_waiting
    for iteration in (0, 7):
        window.session.seek(Cursor(iteration, 0))
        settled(window.session)
        trace = window.session.run.trace
        qtbot.waitUntil(
            lambda trace=trace: view.asked("theory").answered is trace and trace is view.run.trace
        )
        qtbot.waitUntil(lambda: window.inquiries.is_settled)
        assert theory_sentence(expected_profile(trace)) in view.text_summary()
        assert ("trained for 7 iterations" in view.text_summary()) == (iteration == 7)
