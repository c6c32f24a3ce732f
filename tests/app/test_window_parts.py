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


class Seen(QWidget):
    """A view that notes each run it is told of, and the place in it."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setFixedSize(20, 20)
        self.told: list[Any] = []

    def set_run(self, run: Any) -> None:
        self.told.append(run.iteration)

    def set_cursor(self, cursor: Cursor) -> None:
        self.told.append(cursor)


@pytest.fixture
def row_of_views(qtbot: Any) -> Iterator[tuple[list[Seen], Audience]]:
    box = QWidget()
    qtbot.addWidget(box)
    views = [Seen(box) for _ in range(4)]
    for place, view in enumerate(views[:3]):
        view.move(25 * place, 0)
    views[3].move(-500, -500)  # where Qt keeps the tabs that stand behind another
    box.resize(100, 20)
    with qtbot.waitExposed(box):
        box.show()
    audience = Audience({str(place): view for place, view in enumerate(views)}, Listener(), box)
    show_iteration(audience, 0, in_turns=True)
    yield views, audience
    box.close()


def show_iteration(audience: Audience, iteration: int, *, in_turns: bool, experiment: str = "same") -> None:
    audience.set_run(SimpleNamespace(iteration=iteration, experiment=experiment), in_turns=in_turns)  # type: ignore[arg-type]
    audience.set_cursor(Cursor(iteration, 3))


def iterations(views: list[Seen]) -> list[Any]:
    return [view.told[-2] for view in views]


def test_in_turns_each_view_that_is_seen_is_told_alone_and_those_behind_at_once(
    qtbot: Any, row_of_views: tuple[list[Seen], Audience]
) -> None:
    views, audience = row_of_views
    assert iterations(views) == [0, 0, 0, 0]  # the first run comes to all of them at once
    show_iteration(audience, 1, in_turns=True)
    assert iterations(views) == [0, 0, 0, 1]
    qtbot.waitUntil(lambda: iterations(views) == [1, 1, 1, 1])
    assert all(view.told[-2:] == [1, Cursor(1, 3)] for view in views)
    assert len(views[0].told) == 4


def test_who_has_waited_is_told_first_and_of_the_latest_run(
    row_of_views: tuple[list[Seen], Audience],
) -> None:
    views, audience = row_of_views
    show_iteration(audience, 1, in_turns=True)
    audience._turn.timeout.emit()
    assert iterations(views) == [1, 0, 0, 1]
    show_iteration(audience, 2, in_turns=True)
    assert iterations(views) == [1, 0, 0, 2]
    audience._turn.timeout.emit()
    assert iterations(views) == [1, 2, 0, 2]
    audience.catch_up()
    assert iterations(views) == [2, 2, 2, 2]
    assert not audience._turn.isActive()


def test_where_nothing_is_seen_any_more_all_are_told_and_the_turns_end(
    row_of_views: tuple[list[Seen], Audience],
) -> None:
    views, audience = row_of_views
    show_iteration(audience, 1, in_turns=True)
    views[0].window().hide()
    show_iteration(audience, 2, in_turns=True)
    assert iterations(views) == [2, 2, 2, 2]
    assert not audience._turn.isActive()


@pytest.mark.parametrize(("in_turns", "experiment"), [(False, "same"), (True, "another")])
def test_another_network_and_a_step_by_hand_come_to_all_at_once(
    row_of_views: tuple[list[Seen], Audience], in_turns: bool, experiment: str
) -> None:
    views, audience = row_of_views
    show_iteration(audience, 1, in_turns=True)
    show_iteration(audience, 2, in_turns=in_turns, experiment=experiment)
    assert iterations(views) == [2, 2, 2, 2]
    assert not audience._turn.isActive()


def test_a_place_in_a_run_comes_only_to_those_who_have_the_run(
    row_of_views: tuple[list[Seen], Audience],
) -> None:
    views, audience = row_of_views
    show_iteration(audience, 1, in_turns=True)
    audience._turn.timeout.emit()
    audience.set_cursor(Cursor(1, 5))
    assert [view.told[-1] for view in views] == [Cursor(1, 5), Cursor(0, 3), Cursor(0, 3), Cursor(1, 5)]
    audience.catch_up()
    assert all(view.told[-1] == Cursor(1, 5) for view in views)


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
