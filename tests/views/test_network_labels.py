"""The numbers below narrow columns of the network."""

from types import SimpleNamespace
from typing import Any, cast

import pytest
from PySide6.QtGui import QFontMetricsF

from gradsim.views.fonts import figure_font
from gradsim.views.network.painting import _apart


@pytest.mark.parametrize(("place", "is_kept"), [(180.0, True), (252.0, True), (266.0, False), (290.0, False)])
def test_a_number_that_would_touch_the_name_of_the_last_column_is_left_out(
    qapp: object, place: float, is_kept: bool
) -> None:
    places = {0: 10.0, 1: place, 2: 299.0}
    layout = SimpleNamespace(numbered=[0, 1, 2], centre=places.get, frame=SimpleNamespace(right=300.0))
    columns = [SimpleNamespace(name=name, number=None, layer=0, time=None) for name in ("in", "180", "head")]
    scene = SimpleNamespace(layout=layout, content=SimpleNamespace(columns=columns))
    metrics = QFontMetricsF(figure_font(11))
    assert metrics.horizontalAdvance("head") > 20
    assert _apart(cast(Any, scene), metrics) == ([0, 1, 2] if is_kept else [0, 2])
