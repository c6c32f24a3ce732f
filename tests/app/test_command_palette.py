"""Commands are found by a few letters."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction

from gradsim.app.command_palette import CommandPalette, match_cost
from gradsim.app.commands import COMMANDS, MENUS, TOOLBAR


@pytest.mark.parametrize(
    ("query", "better", "worse"),
    [
        ("undo", "Edit: Undo", "View: Put under docks"),
        ("tus", "Run: Train until stopped", "Edit: A status"),
        ("exp", "File: Export the figure", "Edit: An example"),
        ("step f", "Run: Step forward", "Run: Stop after the first"),
    ],
)
def test_the_likelier_command_comes_first(query, better, worse):
    assert match_cost(query, better) < (match_cost(query, worse) or 999)


@pytest.mark.parametrize(
    ("query", "order"),
    [
        ("fit", ["View: Fit", "View: Fit the network", "Go to: Refit", "File: Export picture"]),
        ("cause", ["Go to: Cause", "Show or hide: Cause", "Run: Cancel the use"]),
        ("lo", ["Go to: Loss", "Go to: Low window", "View: Reset layout"]),
        ("go lo", ["Go to: Loss", "Edit: Undo: dropout"]),
        ("tus", ["Run: Train until stopped", "Edit: A status", "View: Put under docks"]),
        ("save as", ["File: Save as", "File: Save a copy as"]),
    ],
)
def test_whole_names_and_beginnings_of_words_come_before_scattered_letters(query, order):
    costs = {text: match_cost(query, text) for text in order}
    found = sorted((text for text in order if costs[text] is not None), key=costs.__getitem__)
    assert found == [text for text in order if text in found]
    assert len(found) >= 2 or query == "go lo"


def test_letters_must_all_be_there_and_in_order():
    assert match_cost("odnu", "Undo") is None
    assert match_cost("", "Undo") == 0.0


@pytest.fixture
def palette(qtbot):
    done = []
    actions = []
    for name, is_enabled in (("Open", True), ("Undo", False), ("Undo everything", True)):
        action = QAction(f"&{name}")
        action.setObjectName(name)
        action.setEnabled(is_enabled)
        action.triggered.connect(lambda *_, name=name: done.append(name))
        actions.append(action)
    palette = CommandPalette(actions)
    palette.done_, palette.kept = done, actions
    palette.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
    qtbot.addWidget(palette)
    palette.show()
    return palette


def test_return_runs_the_best_command_that_can_be_used(palette, qtbot):
    qtbot.keyClicks(palette.query, "und")
    qtbot.keyClick(palette.query, Qt.Key.Key_Return)
    assert palette.done_ == ["Undo everything"]
    assert not palette.isVisible()


def test_arrows_choose_another_command_while_typing(palette, qtbot):
    qtbot.keyClick(palette.query, Qt.Key.Key_Down)
    qtbot.keyClick(palette.query, Qt.Key.Key_Down)
    qtbot.keyClick(palette.query, Qt.Key.Key_Return)
    assert palette.done_ == ["Undo everything"]


def test_letters_that_fit_nothing_run_nothing(palette, qtbot):
    qtbot.keyClicks(palette.query, "qqq")
    qtbot.keyClick(palette.query, Qt.Key.Key_Return)
    assert palette.done_ == []
    assert palette.isVisible()


def test_that_no_command_fits_is_said(palette):
    palette.query.setText("zzzz")
    assert palette.list.isHidden()
    assert not palette.nothing.isHidden()
    palette.query.setText("")
    assert not palette.list.isHidden()
    assert palette.nothing.isHidden()


def test_no_two_commands_share_a_shortcut_or_an_id():
    keys = [key for command in COMMANDS for key in command.keys.split()]
    ids = [command.id for command in COMMANDS]
    assert len(keys) == len(set(keys))
    assert len(ids) == len(set(ids))
    assert {command.menu for command in COMMANDS} == set(MENUS)
    assert set(TOOLBAR) - {""} <= set(ids)


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.id)
def test_every_command_says_what_it_does(command):
    assert command.tip[0].isupper()
    assert not command.tip.endswith(".")
