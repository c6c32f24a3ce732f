"""Plots tell what is trained and what a narrow format has lost: phases as bands, flushed values as marks."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from PySide6.QtGui import QPixmap
from pytestqt.qtbot import QtBot

from gradsim.app.status import StatusLine
from gradsim.views.distributions import DistributionsView
from gradsim.views.gradient_profile import GradientProfileView
from gradsim.views.history_map import HistoryMapView
from gradsim.views.inspector import Inspector
from gradsim.views.loss_plot import LossPlotView
from gradsim.views.phases import PhaseBand, phase_words
from gradsim.views.rounding import EdgeMarks, pass_notes, rounding_words, scale_words
from gradsim.views.theme import DARK, LIGHT
from gradsim.views.update_ratio import UpdateRatioView
from tests.views.method_runs import SETTINGS, method_run

OVER_ITERATIONS = {"loss": LossPlotView, "update_ratio": UpdateRatioView, "history_map": HistoryMapView}
EVERY_PLOT = {**OVER_ITERATIONS, "profile": GradientProfileView, "distributions": DistributionsView}


def shown(qtbot: QtBot, kind: Any, name: str, **options: Any) -> Any:
    view = kind()
    qtbot.addWidget(view)
    view.resize(900, 320)
    view.set_run(method_run(name, **options))
    return view


def marks_of(view: Any, kind: type) -> list[Any]:
    return [mark for panel in view.panels(LIGHT) for mark in panel.marks if isinstance(mark, kind)]


@pytest.mark.parametrize("plot", OVER_ITERATIONS)
def test_phases_are_labelled_bands_over_the_iterations(qtbot: QtBot, plot: str) -> None:
    view = shown(qtbot, OVER_ITERATIONS[plot], "pretraining", iterations=25, layers=2)
    bands = marks_of(view, PhaseBand)
    assert [(band.words, band.low) for band in bands] == [
        ("pretraining of dense_1", 0.0),
        ("pretraining of dense_2", 10.0),
        ("fine-tuning", 20.0),
    ]
    assert bands[0].high == bands[1].low
    assert np.isinf(bands[-1].high)


def test_phases_not_begun_are_not_drawn(qtbot: QtBot) -> None:
    bands = marks_of(shown(qtbot, LossPlotView, "pretraining"), PhaseBand)
    assert [band.short for band in bands] == ["dense_1", "dense_2"]


@pytest.mark.parametrize("plot", OVER_ITERATIONS)
@pytest.mark.parametrize("name", ["plain", "evolution", "float16"])
def test_a_training_in_one_phase_has_no_bands(qtbot: QtBot, plot: str, name: str) -> None:
    assert not marks_of(shown(qtbot, OVER_ITERATIONS[plot], name), PhaseBand)


def test_bands_stand_where_the_cost_axis_has_the_iterations(qtbot: QtBot) -> None:
    view = shown(qtbot, LossPlotView, "pretraining")
    view.set_option("over", "operations")
    first, second = marks_of(view, PhaseBand)
    assert first.high == second.low > 1000


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("pretraining", "pretraining of dense_2 (phase 2 of 9): loss of restoring its input"),
        ("evolution", "evolution: loss of the present weights; 12 passes forward each"),
        ("plain", ""),
    ],
)
def test_the_phase_is_said_in_words_everywhere(qtbot: QtBot, name: str, words: str) -> None:
    run = method_run(name)
    assert phase_words(run.experiment, run.trace.iteration) == words
    for kind in (LossPlotView, GradientProfileView):
        summary = shown(qtbot, kind, name).text_summary()
        assert (words.lower() in summary.lower()) if words else "phase" not in summary
    status = StatusLine()
    qtbot.addWidget(status)
    status.show_run(run)
    assert status.network.text().startswith(words.split(" (")[0].split(":")[0] or "9 layers")


def test_the_status_follows_the_phase_of_the_same_experiment(qtbot: QtBot) -> None:
    status = StatusLine()
    qtbot.addWidget(status)
    for iterations, title in (
        (5, "pretraining of dense_1"),
        (15, "pretraining of dense_2"),
        (95, "fine-tuning"),
    ):
        status.show_run(method_run("pretraining", iterations=iterations))
        assert status.network.text().startswith(f"{title} · 9 layers")


@pytest.mark.parametrize("kind", [GradientProfileView, DistributionsView])
def test_layers_that_lost_values_are_marked_at_the_edge(qtbot: QtBot, kind: Any) -> None:
    view = shown(qtbot, kind, "float16")
    layers = method_run("float16").trace.layers
    lossy = [
        place
        for place, layer in enumerate(layers, 1)
        if layer.rounding.flushed_forward + layer.rounding.flushed_backward
    ]
    (mark,) = marks_of(view, EdgeMarks)
    assert mark.is_lower
    assert mark.x.tolist() == lossy
    assert lossy
    assert not marks_of(shown(qtbot, kind, "plain"), EdgeMarks)


def test_the_counts_are_columns_of_the_table_and_lines_of_the_tooltip(qtbot: QtBot) -> None:
    view, trace = shown(qtbot, GradientProfileView, "float16"), method_run("float16").trace
    columns, units = view.table()
    assert columns["flushed_backward"].tolist() == [layer.rounding.flushed_backward for layer in trace.layers]
    assert columns["overflowed_forward"].tolist() == [0] * len(trace.layers)
    assert "float16" in units["flushed_backward"]
    for place, layer in enumerate(trace.layers, 1):
        assert rounding_words(trace, layer) in view.hover_text("profile", place, 0.0)
    assert "flushed_backward" not in shown(qtbot, GradientProfileView, "plain").table()[0]


def test_a_loss_scale_is_said_wherever_the_scaled_gradient_is_shown(qtbot: QtBot) -> None:
    words = "δ as stored, ×1,024 loss scale"
    assert scale_words(method_run("scaled").trace) == words
    assert scale_words(method_run("float16").trace) == ""
    for kind in (GradientProfileView, DistributionsView):
        view = shown(qtbot, kind, "scaled")
        told = [part.text.strip() for panel in view.panels(LIGHT) for part in panel.headline]
        assert words in told
        assert words in view.hover_text("layers", 1.0, 0.0)
    view.set_option("tensor", "weight_gradient")
    assert words not in [part.text.strip() for panel in view.panels(LIGHT) for part in panel.headline]


@pytest.mark.parametrize("name", SETTINGS)
def test_the_inspector_notes_what_is_not_as_usual(qtbot: QtBot, name: str) -> None:
    inspector = Inspector()
    qtbot.addWidget(inspector)
    run = method_run(name)
    inspector.set_run(run)
    inspector.set_selection(0)
    notes = pass_notes(run.trace, run.trace.layers[0])
    assert inspector.notes.text() == notes
    assert inspector.notes.isHidden() == (name == "plain")
    assert notes in inspector.text_summary()
    if name == "pretraining":
        assert notes.endswith("dense_1 stands still.")
    if name == "bfloat16":
        assert notes == "bfloat16: none flushed to 0; none overflowed"


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("plot", EVERY_PLOT)
@pytest.mark.parametrize("name", SETTINGS)
def test_every_plot_of_every_method_can_be_painted(qtbot: QtBot, plot: str, name: str, theme: Any) -> None:
    view = shown(qtbot, EVERY_PLOT[plot], name)
    view.set_theme(theme)
    view.show()
    pixmap = QPixmap(view.size())
    view.render(pixmap)
    assert not pixmap.isNull()
    assert view.text_summary()
