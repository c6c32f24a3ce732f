"""Distributions: counts are exact, and 0, NaN and ∞ are counted apart."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PySide6.QtGui import QFontMetricsF
from pytestqt.qtbot import QtBot

from gradsim.trace import HISTOGRAM_BINS, TENSORS, TensorStatistics
from gradsim.views.distributions import DistributionsView, exponent_histograms
from gradsim.views.fonts import figure_font
from gradsim.views.lane_marks import compact
from gradsim.views.plot.axes import LABEL_PIXELS
from gradsim.views.plot.marks import Bars
from gradsim.views.running_values import RunningValues
from gradsim.views.theme import LIGHT
from gradsim.views.value_counts import value_counts
from tests.reference_functions import histogram
from tests.views.plot_views import run_named


@given(
    st.sampled_from([np.float32, np.float64]).flatmap(
        lambda kind: hnp.arrays(kind, st.integers(1, 60), elements={"allow_subnormal": True})
    )
)
def test_counts_from_exponents_equal_those_of_the_reference(values: np.ndarray) -> None:
    np.testing.assert_array_equal(exponent_histograms([values])[0], histogram(values))


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_the_edges_fall_into_their_bins(kind: type) -> None:
    tiny = np.float32(1e-45) if kind is np.float32 else 5e-324
    values = np.array([0, -0.0, tiny, 2.0**-126, 2.0**33, 2.0**34, np.nan, np.inf, -np.inf], dtype=kind)
    counts = exponent_histograms([values])[0]
    assert counts[[0, 1, 2]].tolist() == [2, 1, 1]
    assert counts[[HISTOGRAM_BINS - 4, HISTOGRAM_BINS - 3]].tolist() == [1, 1]
    assert counts[[HISTOGRAM_BINS - 2, HISTOGRAM_BINS - 1]].tolist() == [1, 2]
    assert counts.sum() == len(values)


@pytest.mark.parametrize("tensor", TENSORS)
def test_the_table_counts_every_value(qtbot: QtBot, tensor: str) -> None:
    view = DistributionsView()
    qtbot.addWidget(view)
    run = run_named("mixed")
    view.set_run(run)
    view.set_option("tensor", tensor)
    columns, _ = view.table()
    for layer in run.trace.layers:
        assert columns[layer.name].sum() == layer[tensor].size
        known = layer.statistics[tensor]
        assert columns[layer.name][[0, -2, -1]].tolist() == [known.zeros, known.nans, known.infs]


def test_lanes_show_what_has_no_octave(qtbot: QtBot) -> None:
    view = DistributionsView()
    qtbot.addWidget(view)
    view.set_run(run_named("mixed"))
    assert list(view.panels(LIGHT)[0].lanes) == ["0", "NaN", "∞"]


def test_bars_show_the_values_of_the_selected_layer(qtbot: QtBot) -> None:
    view = DistributionsView()
    qtbot.addWidget(view)
    run = run_named("six layers")
    view.set_run(run)
    view.set_selected_layer(2)
    panel = view.panels(LIGHT)[1]
    assert panel.headline[0].text.startswith("dense_3")
    bars = next(mark for mark in panel.marks if isinstance(mark, Bars))
    assert bars.heights.sum() == run.trace.layers[2].delta.size


def test_values_that_are_not_numbers_are_counted_in_words(qtbot: QtBot) -> None:
    view = DistributionsView()
    qtbot.addWidget(view)
    view.set_run(run_named("NaN"))
    told = "".join(words.text for words in view.panels(LIGHT)[1].headline)
    assert "NaN" in told


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0"),
        (999, "999"),
        (1000, "1.0k"),
        (1249, "1.2k"),
        (9950, "10k"),
        (34_567, "35k"),
        (5_600_000, "5.6M"),
    ],
)
def test_counts_are_compact(count: int, text: str) -> None:
    assert compact(count) == text


def test_counts_stand_above_the_layers_and_beside_the_histogram(qtbot: QtBot) -> None:
    view = DistributionsView()
    qtbot.addWidget(view)
    view.resize(1400, 400)
    view.show()
    run = run_named("mixed")
    view.set_run(run)
    view.set_option("tensor", "delta")
    layers, values = view.panels(LIGHT)
    written = {mark.lane: mark.counts for mark in layers.marks if hasattr(mark, "counts")}
    assert set(written) == set(layers.lanes)
    numbered = [layer for layer in run.trace.layers if layer.number is not None]
    for lane, field in (("0", "zeros"), ("NaN", "nans"), ("∞", "infs")):
        if lane in written:
            expected = [getattr(layer.statistics["delta"], field) for layer in numbered]
            np.testing.assert_array_equal(written[lane], expected)
    told = "".join(words.text for words in values.headline)
    assert all(word in told for word in ("zero", "subnormal", "NaN", "∞"))


@pytest.mark.parametrize("width", [90.0, 160.0, 240.0, 330.0, 900.0])
def test_the_counts_of_kinds_are_told_whole_in_any_width(qtbot: QtBot, width: float) -> None:
    known = TensorStatistics(0.0, 1.0, 1.0, 0.0, 1.0, 512, 3, 40, 0, 8192)
    words = value_counts("dense_1", known, width)
    told = "".join(piece.text for piece in words)
    assert all(count in told for count in ("512 zero", "3 sub", "40 NaN"))
    needed = QFontMetricsF(figure_font(LABEL_PIXELS, bold=True)).horizontalAdvance(told)
    assert needed <= max(width, 240.0)
    assert ("8,192 values" in told) == (width == 900.0)


def test_a_tensor_of_ordinary_values_says_so_in_any_width(qtbot: QtBot) -> None:
    known = TensorStatistics(0.0, 1.0, 1.0, 0.0, 1.0, 0, 0, 0, 0, 64)
    assert "".join(words.text for words in value_counts("dense_1", known, 10.0)) == "dense_1  no 0, NaN, ∞"


@pytest.mark.parametrize("tensor", ["running_mean", "running_variance"])
def test_running_values_are_distributed_beside_those_of_the_batch(qtbot: QtBot, tensor: str) -> None:
    view = DistributionsView()
    qtbot.addWidget(view)
    view.resize(900, 400)
    view.show()
    run = run_named("batch normalization")
    view.set_run(run)
    view.set_option("tensor", tensor)
    layers, values = view.panels(LIGHT)
    kept = [layer for layer in run.trace.layers if tensor in layer.tensors]
    assert layers.x.layers == tuple(layer.name for layer in kept)
    assert {mark.name for mark in values.marks} == {"batch", "running"}
    assert sum(mark.heights.sum() for mark in values.marks) == 2 * kept[-1].fan_out
    columns, _ = view.table()
    np.testing.assert_array_equal(columns["running"], np.concatenate([layer[tensor] for layer in kept]))
    assert not np.array_equal(columns["running"], columns["batch"])
    assert kept[0].name in view.text_summary()
    assert "running" in view.hover_text("running", 1.0, 0.0)
    with qtbot.waitSignal(view.layer_selected) as asked:
        view.act_on_click("running", 1.0, 0.0)
    assert asked.args == [kept[0].index]
    assert not view.grab().isNull()
    view.set_run(run_named("layer normalization"))
    (panel,) = view.panels(LIGHT)
    assert "No batch normalization" in panel.message
    assert len(view.table()[0]["batch"]) == 0


@pytest.mark.parametrize("value", [0.0, np.nan, np.inf])
def test_broken_running_values_are_shown_in_their_lanes(qtbot: QtBot, value: float) -> None:
    one = np.full(4, value)
    for tensor in ("running_mean", "running_variance"):
        shown = RunningValues(tensor, ("a",), (0,), (np.ones(4),), (one,))
        layers, values = shown.panels(None, LIGHT)
        lane = {0.0: "0"}.get(value, "NaN" if np.isnan(value) else "∞")
        assert (lane in layers.lanes) == (value != 0 or tensor == "running_variance")
        told = "".join(words.text for words in values.headline)
        assert ("4 NaN or ∞" in told) == (value != 0)
