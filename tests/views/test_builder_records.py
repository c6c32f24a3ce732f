"""Records in the builder: groups of parameters are added, edited, marked and taken away."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget

from gradsim.spec import Dense, Experiment, Network, SpecError, Training
from gradsim.spec.fields import fields_of
from gradsim.spec.method import ParameterGroup
from gradsim.views.builder.builder import Builder

BIASES = ParameterGroup(parameters="*.bias", learning_rate_scale=2.0)
FIRST = ParameterGroup(parameters="dense_1.*", trainable=False)


def experiment_with(*groups: ParameterGroup) -> Experiment:
    return Experiment(network=Network(layers=(Dense(units=4),)), training=Training(groups=groups))


@pytest.fixture
def builder(qtbot: Any) -> Builder:
    builder = Builder()
    qtbot.addWidget(builder)
    builder.resize(330, 900)
    builder.show()
    # As the session does: what is wished for comes back.
    builder.edit_requested.connect(lambda experiment, words: builder.set_experiment(experiment))
    return builder


@pytest.fixture
def wishes(builder: Builder) -> list[tuple[Experiment, str]]:
    found: list[tuple[Experiment, str]] = []
    builder.edit_requested.connect(lambda experiment, words: found.append((experiment, words)))
    return found


def test_every_group_is_shown_in_a_form_of_its_own(builder: Builder, wishes: list[Any]) -> None:
    builder.set_experiment(experiment_with(BIASES, FIRST))
    form = builder.training_form
    assert form.control("groups.0.parameters").text() == "*.bias"
    assert form.control("groups.0.learning_rate_scale").value == 2.0
    assert form.control("groups.1.parameters").text() == "dense_1.*"
    assert not form.control("groups.1.trainable").isChecked()
    assert not wishes


def test_a_group_is_added_by_the_keyboard_and_the_cursor_stands_in_its_first_field(
    builder: Builder, wishes: list[Any], qtbot: Any
) -> None:
    builder.set_experiment(experiment_with(BIASES))
    adder = builder.training_form.control("groups")
    adder.setFocus()
    qtbot.keyClick(adder, Qt.Key.Key_Space)
    added, words = wishes[-1]
    assert added.training.groups == (BIASES, ParameterGroup(parameters="*"))
    assert words == "Parameter groups: added"
    assert builder.training_form.control("groups.1.parameters").hasFocus()


def test_a_field_of_a_group_changes_that_group_alone(builder: Builder, wishes: list[Any], qtbot: Any) -> None:
    builder.set_experiment(experiment_with(BIASES, FIRST))
    line = builder.training_form.control("groups.1.parameters")
    line.selectAll()
    qtbot.keyClicks(line, "head.*")
    qtbot.keyClick(line, Qt.Key.Key_Return)
    edited, words = wishes[-1]
    assert edited.training.groups == (BIASES, msgspec.structs.replace(FIRST, parameters="head.*"))
    assert words == "Parameter group 2: Parameters: head.*"


@pytest.mark.parametrize("index", [0, 1])
def test_a_group_is_taken_away(builder: Builder, wishes: list[Any], index: int, qtbot: Any) -> None:
    builder.set_experiment(experiment_with(BIASES, FIRST))
    button = builder.training_form.control(f"groups.{index}.remove")
    button.setFocus()
    qtbot.keyClick(button, Qt.Key.Key_Space)
    edited, words = wishes[-1]
    assert edited.training.groups == ((FIRST,) if index == 0 else (BIASES,))
    assert words == f"Parameter group {index + 1}: removed"
    assert builder.training_form.control("groups.0.remove").hasFocus()


def test_an_error_is_marked_at_its_field_of_its_group(builder: Builder) -> None:
    builder.set_experiment(experiment_with(BIASES, FIRST))
    builder.set_error(SpecError("$.training.groups[1].parameters", "expected the name of a parameter"))
    marked = builder.training_form.control("groups.1.parameters").parentWidget()
    assert marked.message.text() == "Expected the name of a parameter"
    assert not builder.training_form.control("groups.0.parameters").parentWidget().message.text()
    builder.set_error(None)
    assert not marked.message.text()


def test_an_error_of_all_groups_is_marked_where_they_are_added(builder: Builder) -> None:
    builder.set_error(SpecError("$.training.groups", "expected at most 100"))
    assert builder.training_form.control("groups").parentWidget().message.text() == "Expected at most 100"


def test_the_tab_key_goes_from_group_to_group(builder: Builder, qtbot: Any) -> None:
    builder.set_experiment(experiment_with(BIASES))
    builder.training_form.control("groups").click()
    seen: list[QWidget | None] = []
    qtbot.waitUntil(builder.training_form.control("groups.1.remove").isVisible)
    builder.training_form.control("groups.0.remove").setFocus()
    for _ in range(6):
        seen.append(builder.focusWidget())
        qtbot.keyClick(builder.focusWidget(), Qt.Key.Key_Tab)
    controls = [
        "groups.0.remove",
        *(f"groups.0.{field.name}" for field in fields_of(ParameterGroup)),
        "groups.1.remove",
    ]
    assert seen == [builder.training_form.control(name) for name in controls]


def test_forms_of_no_group_take_no_room(builder: Builder) -> None:
    builder.set_experiment(experiment_with(BIASES))
    tall = builder.training_form.sizeHint().height()
    builder.set_experiment(experiment_with())
    assert builder.training_form.sizeHint().height() < tall - 60
