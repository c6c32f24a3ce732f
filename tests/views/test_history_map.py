"""The history map: every cell has the colour of its number, and clicks find it again."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from gradsim.trace import TENSORS, History
from gradsim.views.colormaps import INFINITE, NAN, ZERO
from gradsim.views.history_grid import STATISTICS, GrowingSeries, HistoryGrid, history_values
from gradsim.views.history_map import HistoryMapView
from gradsim.views.plot.heat import Heat
from gradsim.views.theme import LIGHT
from tests.reference import reference_run
from tests.views.plot_views import run_named


def first_records(history: History, count: int) -> History:
    """Return a history as it was when it had so many records."""
    names = ("iterations", "values", "counts", "saturation", "loss", "accuracy", "learning_rate")
    names += ("gradient_norm", "clipped")
    return dataclasses.replace(history, **{name: getattr(history, name)[:count] for name in names})


@pytest.mark.parametrize("tensor", TENSORS)
@pytest.mark.parametrize("statistic", STATISTICS)
def test_a_grid_read_in_pieces_equals_one_read_at_once(tensor: str, statistic: str) -> None:
    history = run_named("six layers").history
    pieces, whole = HistoryGrid(tensor, statistic), HistoryGrid(tensor, statistic)
    for count in (1, 2, 7, len(history)):
        pieces.read(first_records(history, count))
        pieces.rows(-6.0, 0.0)
    whole.read(history)
    np.testing.assert_array_equal(pieces.rows(-6.0, 0.0), whole.rows(-6.0, 0.0))
    assert pieces.finite == whole.finite


def test_another_past_is_read_anew() -> None:
    history = run_named("six layers").history
    other = reference_run(6, 16, "sigmoid", data=run_named("six layers").experiment.data, records=12, seed=1)
    series = GrowingSeries(lambda h, records: history_values(h, "delta", "rms", records))
    series.extend(first_records(history, 6))
    assert series.extend(history) == 6
    assert series.extend(other.history) == 0
    np.testing.assert_array_equal(series.values, other.history.series("delta", "rms").T)


def test_0_nan_and_infinity_have_rows_of_their_own(qtbot: QtBot) -> None:
    view = HistoryMapView()
    qtbot.addWidget(view)
    view.set_run(run_named("mixed"))
    heat = next(mark for mark in view.panels(LIGHT)[0].marks if isinstance(mark, Heat))
    assert [set(row.tolist()) for row in heat.rows[:3]] == [{ZERO}, {NAN}, {INFINITE}]
    assert heat.rows[3].max() <= 255


def test_a_click_asks_for_the_iteration_and_the_layer(qtbot: QtBot) -> None:
    view = HistoryMapView()
    qtbot.addWidget(view)
    view.resize(700, 400)
    view.set_run(run_named("six layers"))
    view.show()
    view.canvas.grab()
    geometry = view.canvas.geometry_of("history")
    place = geometry.plot.topLeft()
    place.setX(geometry.x_place(7.0))
    place.setY(geometry.y_place(5.0))
    heard: list[tuple[str, int]] = []
    view.seek_requested.connect(lambda iteration: heard.append(("iteration", iteration)))
    view.layer_selected.connect(lambda layer: heard.append(("layer", layer)))
    qtbot.mouseClick(view.canvas.viewport(), Qt.MouseButton.LeftButton, pos=place.toPoint())
    assert heard == [("layer", 4), ("iteration", 7)]


def test_a_nan_in_one_of_many_records_is_never_lost(qtbot: QtBot) -> None:
    history = run_named("one layer").history
    count = 5000
    values = np.ones((count, 1, len(TENSORS), 5))
    values[1234] = np.nan
    flat = {
        name: np.ones(count) for name in ("loss", "accuracy", "learning_rate", "gradient_norm", "clipped")
    }
    long = dataclasses.replace(
        history,
        iterations=np.arange(count),
        values=values,
        counts=np.zeros((count, 1, len(TENSORS), 4), dtype=np.int32),
        saturation=np.zeros((count, 1), dtype=np.float32),
        **flat,
    )
    view = HistoryMapView()
    qtbot.addWidget(view)
    view.resize(500, 250)
    view.set_run(dataclasses.replace(run_named("one layer"), history=long))
    picture = view.canvas.grab().toImage()
    geometry = view.canvas.geometry_of("history")
    x = round(geometry.x_place(1234.0))
    reach = [picture.pixelColor(x + k, 120 + j).name() for k in (-1, 0, 1) for j in range(8)]
    assert LIGHT.update in reach


def test_levels_stay_until_asked(qtbot: QtBot) -> None:
    view = HistoryMapView()
    qtbot.addWidget(view)
    run = run_named("six layers")
    view.set_run(run)
    before = view.panels(LIGHT)[0].color_bar.axis
    view.set_run(
        dataclasses.replace(run, history=dataclasses.replace(run.history, values=run.history.values * 2))
    )
    assert view.panels(LIGHT)[0].color_bar.axis == before


@pytest.mark.parametrize("statistic", STATISTICS)
def test_the_table_is_the_history(qtbot: QtBot, statistic: str) -> None:
    view = HistoryMapView()
    qtbot.addWidget(view)
    run = run_named("mixed")
    view.set_run(run)
    view.set_option("statistic", statistic)
    columns, _ = view.table()
    values = history_values(run.history, "delta", statistic)
    for place, name in enumerate(run.history.layer_names):
        np.testing.assert_array_equal(columns[name], values[:, place])
