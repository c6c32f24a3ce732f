"""The parts of the window, each alone: who is told what, who asked what, which files were opened last."""

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QPushButton, QWidget

from gradsim.app.audience import Audience
from gradsim.app.focus import FIRST_FIGURE, Focus
from gradsim.app.recent_menu import RecentMenu
from gradsim.app.view_questions import ViewQuestions
from gradsim.trace import Cursor


class Listener:
    """Has the setters that it is given, and remembers what it was told."""

    def __init__(self, *setters: str) -> None:
        self.told: list[tuple[Any, ...]] = []
        for setter in setters:
            setattr(self, setter, lambda *values, setter=setter: self.told.append((setter, *values)))


def test_a_view_is_told_what_it_has_a_setter_for_and_nothing_else() -> None:
    deaf, plain, bar = Listener(), Listener("set_cursor", "set_training_rate"), Listener("set_cursor")
    audience = Audience({"deaf": deaf, "plain": plain}, bar)
    audience.set_cursor(Cursor(1, 2))
    audience.set_training_rate(5.0)
    assert deaf.told == []
    assert plain.told == [("set_cursor", Cursor(1, 2)), ("set_training_rate", 5.0)]
    assert bar.told == [("set_cursor", Cursor(1, 2))]


def test_a_view_that_knows_units_is_told_of_units_and_one_that_does_not_of_layers() -> None:
    units, layers = Listener("set_unit", "set_selected_layer"), Listener("set_selected_layer")
    Audience({"units": units, "layers": layers}, Listener("set_unit")).set_selection(3, 7)
    assert units.told == [("set_unit", 3, 7)]
    assert layers.told == [("set_selected_layer", 3)]


def told(asker: str, kind: str, value: Any = None, share: float = 0.0) -> SimpleNamespace:
    return SimpleNamespace(asked=SimpleNamespace(key=(asker, "why")), kind=kind, value=value, share=share)


def test_each_answer_goes_to_whom_it_was_that_asked() -> None:
    all_of_it = Listener("set_answer", "set_answer_progress", "set_answer_failed")
    only_answers = Listener("set_answer")
    waiting = [
        told("a", "progress", "Half of it", 0.5),
        told("b", "progress", "Half of it", 0.5),
        told("a", "answer", 42),
        told("b", "failure", "no"),
        told("a", "failure", "no"),
        told("b", "answer", 43),
    ]
    inquiries: Any = SimpleNamespace(take=lambda: waiting)
    session: Any = SimpleNamespace(run=None)
    ViewQuestions(session, inquiries, {"a": all_of_it, "b": only_answers}).deliver()
    assert all_of_it.told == [
        ("set_answer_progress", "why", "Half of it", 0.5),
        ("set_answer", "why", 42),
        ("set_answer_failed", "why", "no"),
    ]
    assert only_answers.told == [("set_answer", "why", 43)]


def test_a_question_is_about_the_run_on_screen_and_nothing_is_asked_without_one() -> None:
    inquiries: Any = Listener("ask")
    session: Any = SimpleNamespace(run=None, document=SimpleNamespace(directory=Path("here")))
    questions = ViewQuestions(session, inquiries, {})
    questions.ask("a", "why", None)
    assert inquiries.told == []
    session.run = "the run"
    questions.ask("a", "why", 3)
    assert inquiries.told == [("ask", "a", "why", 3, "the run", Path("here"))]


def test_the_menu_of_recent_files_follows_the_list_and_says_so_when_it_is_empty(qtbot: Any) -> None:
    names: list[str] = []
    menu = RecentMenu(lambda: names)
    qtbot.addWidget(menu)
    menu.aboutToShow.emit()
    assert [(a.text(), a.isEnabled()) for a in menu.actions()] == [("No files yet", False)]
    names += ["/far/away/one.json", "/two.json"]
    menu.aboutToShow.emit()
    assert [a.text() for a in menu.actions()] == ["one.json", "two.json"]
    with qtbot.waitSignal(menu.chosen) as chosen:
        menu.actions()[0].trigger()
    assert chosen.args == [Path("/far/away/one.json")]


class Picture(QLineEdit):
    """A view that can be exported."""

    def paint_figure(self) -> None:
        """Do nothing: that it is there is enough."""


@pytest.fixture
def three_views(qtbot: Any) -> Iterator[tuple[Focus, dict[str, QWidget]]]:
    window = QWidget()
    qtbot.addWidget(window)
    row = QHBoxLayout(window)
    views: dict[str, QWidget] = {"picture": Picture(), "plain": QPushButton("plain"), "last": Picture()}
    for view in views.values():
        row.addWidget(view)
    focus = Focus(views)
    focus.follow()
    window.show()
    qtbot.waitExposed(window)
    window.activateWindow()
    yield focus, views
    focus.leave()


def test_the_keys_go_round_the_views_that_can_be_seen(
    three_views: tuple[Focus, dict[str, QWidget]], qtbot: Any
) -> None:
    focus, views = three_views
    views["picture"].setFocus()
    seen = []
    for by in (1, 1, 1, -1):
        focus.go(by)
        seen.append(next(id_ for id_, view in views.items() if view.hasFocus()))
    assert seen == ["plain", "last", "picture", "last"]
    views["plain"].hide()
    focus.go(1)
    focus.go(1)
    assert views["last"].hasFocus()


def test_the_figure_is_the_view_with_a_picture_that_had_the_focus_last(
    three_views: tuple[Focus, dict[str, QWidget]],
) -> None:
    focus, views = three_views
    views["plain"].setFocus()
    first = focus.figure
    views["last"].setFocus()
    views["plain"].setFocus()
    assert (first, focus.figure) in ((FIRST_FIGURE, "last"), ("picture", "last"))


@pytest.mark.parametrize("id_", ["plain", "picture"])
def test_the_space_bar_stays_with_the_widget_whose_own_it_is(
    three_views: tuple[Focus, dict[str, QWidget]], id_: str
) -> None:
    focus, views = three_views
    modifiers = Qt.KeyboardModifier
    own = QKeyEvent(QEvent.Type.ShortcutOverride, Qt.Key.Key_Space, modifiers.NoModifier, " ")
    other = QKeyEvent(QEvent.Type.ShortcutOverride, Qt.Key.Key_Space, modifiers.ControlModifier, " ")
    assert focus.eventFilter(views[id_], own) is True
    assert focus.eventFilter(views[id_], other) is False
