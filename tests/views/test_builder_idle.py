"""A field that changes nothing as the others stand cannot be turned, and says why."""

from __future__ import annotations

from typing import Any

import pytest
from pytestqt.qtbot import QtBot

from gradsim.spec import Dense, Head, Normalization, Recurrent
from gradsim.views.builder.forms import StructForm
from gradsim.views.builder.idle import idle_fields

ROWS: tuple[tuple[Any, set[str]], ...] = (
    (Dense(), set()),
    (Dense(bias=False), {"bias_initializer"}),
    (Head(bias=False, trainable=False), {"bias_initializer", "learning_rate_scale"}),
    (Normalization(), set()),
    (Normalization(method="layer"), {"momentum"}),
    (Normalization(method="rms", affine=False), {"momentum", "trainable", "learning_rate_scale"}),
    (Recurrent(), {"forget_bias", "reset_after"}),
    (Recurrent(cell="lstm"), {"activation", "reset_after"}),
    (Recurrent(cell="gru"), {"activation", "forget_bias"}),
)


@pytest.mark.parametrize(
    ("value", "idle"), ROWS, ids=lambda one: " ".join(sorted(one)) if isinstance(one, set) else repr(one)[:60]
)
def test_fields_without_effect_are_dimmed_and_say_why(qtbot: QtBot, value: Any, idle: set[str]) -> None:
    form = StructForm("$.it")
    qtbot.addWidget(form)
    form.set_value(type(value)())
    form.set_value(value)
    assert idle_fields(value).keys() == idle
    for name in value.__struct_fields__:
        if name in form._rows:
            assert form.control(name).isEnabled() == (name not in idle), name
            assert (idle_fields(value).get(name, "…") in form.control(name).toolTip()) == (name in idle), name
    form.set_value(type(value)())
    assert [name for name in form._rows if not form.control(name).isEnabled()] == [
        name for name in form._rows if name in idle_fields(type(value)())
    ]
