"""The factors of every layer as stacked bars."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from PySide6.QtCore import QRectF
from PySide6.QtGui import QColor, QFontMetricsF, QImage, QPainter, QPixmap
from pytestqt.qtbot import QtBot

from gradsim.analysis import (
    FACTOR_KINDS,
    budget_sentence,
    cause_budget,
    causes,
    layer_cause,
    layer_sentence,
    profile,
)
from gradsim.analysis.cause import times
from gradsim.cli.figures import run_of
from gradsim.engine import Simulator
from gradsim.spec import Dense, Experiment, Head, Network, Training
from gradsim.spec.activation import Tanh
from gradsim.spec.data import GaussianNoise
from gradsim.spec.initializer import Normal, Orthogonal
from gradsim.trace import Cursor, Run
from gradsim.views.cause.bars import StackedBars
from gradsim.views.cause.beyond import Beyond
from gradsim.views.cause.stacks import KINDS
from gradsim.views.cause_view import CauseView, _ratio_words
from gradsim.views.fonts import figure_font
from gradsim.views.plot.axes import LABEL_PIXELS, tick_metrics, ticks_along
from gradsim.views.plot.axis import Axis
from gradsim.views.plot.geometry import Geometry
from gradsim.views.plot.marks import VerticalBand
from gradsim.views.plot.numbers import typeset
from gradsim.views.plot.panel import laid_out
from gradsim.views.plot.points import LanePoints, Points
from gradsim.views.theme import DARK, LIGHT
from tests.kind_runs import NETWORKS
from tests.views.plot_views import run_named

kinds = pytest.mark.parametrize("name", NETWORKS)
directions = pytest.mark.parametrize("direction", ["backward", "forward"])


@pytest.fixture
def view(qtbot: QtBot) -> CauseView:
    result = CauseView()
    qtbot.addWidget(result)
    result.resize(900, 320)
    return result


def marks_of(view: CauseView, kind: type) -> list:
    return [mark for mark in view.panels(LIGHT)[0].marks if isinstance(mark, kind)]


@kinds
@directions
def test_the_bars_of_a_layer_add_up_to_its_ratio(view: CauseView, name: str, direction: str) -> None:
    view.set_run(run_named(name))
    view.set_option("direction", direction)
    found = causes(run_named(name).trace).of(direction)
    heights = dict.fromkeys((float(cause.number) for cause in found), 0.0)
    for bars in marks_of(view, StackedBars):
        # What lies below 1 shrinks, what lies above it grows.
        assert ((bars.high <= 1e-12) | (bars.low >= -1e-12)).all()
        for x, low, high in zip(bars.x, bars.low, bars.high, strict=True):
            heights[x] += (high - low) * (-1 if low < 0 else 1)
    for cause in found:
        assert heights[cause.number] == pytest.approx(cause.log10, abs=1e-9)
    (ratio,) = [mark for mark in marks_of(view, Points) if mark.name == "measured ratio"]
    known = getattr(profile(run_named(name).trace), f"{direction}_ratio")
    np.testing.assert_allclose(10**ratio.y, known)


@kinds
def test_bars_of_a_layer_stand_on_each_other(view: CauseView, name: str) -> None:
    view.set_run(run_named(name))
    spans: dict[float, list[tuple[float, float]]] = {}
    for bars in marks_of(view, StackedBars):
        for x, low, high in zip(bars.x, bars.low, bars.high, strict=True):
            spans.setdefault(x, []).append((low, high))
    for found in spans.values():
        for (_, end), (start, _) in zip(sorted(found)[:-1], sorted(found)[1:], strict=True):
            assert start == pytest.approx(end, abs=1e-12)


def test_every_kind_of_factor_looks_different_without_its_colour() -> None:
    assert {row.kind for row in KINDS} == set(FACTOR_KINDS)
    for field in ("series", "hatch", "letter", "words"):
        assert len({getattr(row, field) for row in KINDS}) == len(KINDS)


def test_all_zero_layers_say_that_nothing_arrives(view: CauseView) -> None:
    view.set_run(run_named("all zero"))
    assert marks_of(view, VerticalBand)[0].name == "nothing arrives (0 / 0)"
    assert view.panels(LIGHT)[0].lanes == []
    assert "nothing arrives" in view.text_summary()
    assert "0 / 0, nothing arrives" in view.hover_text("layers", 1.0, 0.0)


@pytest.mark.parametrize("name", ["NaN", "Inf"])
def test_broken_ratios_stand_in_their_lane(view: CauseView, name: str) -> None:
    view.set_run(run_named(name))
    assert view.panels(LIGHT)[0].lanes == ["NaN"]
    (points,) = marks_of(view, LanePoints)
    assert np.isnan(points.values).all()


def test_one_layer_has_no_ratio(view: CauseView) -> None:
    view.set_run(run_named("one layer"))
    assert "no ratio" in view.panels(LIGHT)[0].message
    assert "no ratio" in view.text_summary()


def test_the_sentence_below_is_that_of_the_net_and_then_of_the_layer_selected(view: CauseView) -> None:
    run = run_named("six layers")
    view.set_run(run)
    view.panels(LIGHT)
    assert view.caption.sentence == typeset(budget_sentence(cause_budget(causes(run.trace), "backward")))
    view.set_selected_layer(2)
    view.panels(LIGHT)
    chosen = layer_cause(run.trace, "backward", 3)
    assert chosen is not None
    assert view.caption.sentence == layer_sentence(chosen)
    assert view.text_summary().endswith(layer_sentence(chosen))
    assert view.caption.accessibleName() == layer_sentence(chosen)


def test_a_layer_without_a_number_is_told_with_the_ratio_it_is_part_of(view: CauseView) -> None:
    run = run_named("nested residual")
    view.set_run(run)
    view.set_selected_layer(run.trace["normalization_1"].index)
    assert "Layer 1 (dense_1)" in view.text_summary()
    view.set_selected_layer(run.trace["head"].index)
    assert "Layer" not in view.text_summary()


@pytest.mark.parametrize(("height", "told"), [(160, True), (320, False)])
def test_where_there_is_little_room_the_headline_tells_the_layer(
    view: CauseView, qtbot: QtBot, height: int, told: bool
) -> None:
    view.set_run(run_named("six layers"))
    view.set_selected_layer(2)
    view.resize(900, height)
    view.show()
    qtbot.waitExposed(view)
    assert view.caption.isVisible() != told
    assert view.panels(LIGHT)[0].headline[0].text.startswith("layer 3" if told else "δ")


@pytest.mark.parametrize("width", [120, 300, 900])
def test_the_sentence_below_fits_in_two_lines(view: CauseView, qtbot: QtBot, width: int) -> None:
    view.set_run(run_named("nested residual"))
    view.set_selected_layer(0)
    view.panels(LIGHT)
    view.caption.resize(width, 40)
    shown = view.caption.shown()
    assert shown
    assert shown == view.caption.sentence or len(shown) < len(view.caption.sentence)
    room, lines = width - 20, 0
    metrics, line = view.caption.fontMetrics(), ""
    for word in shown.split():
        if line and metrics.horizontalAdvance(f"{line} {word}") > room:
            line, lines = word, lines + 1
        else:
            line = f"{line} {word}".strip()
    assert lines + 1 <= 3, "one more than two, for a word that is itself longer than a line"


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=lambda theme: theme.name)
@pytest.mark.parametrize("name", ["one layer", "six layers", "200 layers", "mixed", "lstm", "dropout"])
def test_it_is_painted(view: CauseView, qtbot: QtBot, name: str, theme: object) -> None:
    view.set_theme(theme)  # type: ignore[arg-type]
    view.set_run(run_named(name))
    view.show()
    qtbot.waitExposed(view)
    picture: QPixmap = view.grab()
    colors = {picture.toImage().pixelColor(x, y).name() for x in range(0, 900, 9) for y in range(0, 320, 9)}
    assert len(colors) > 3


def test_a_place_in_the_iteration_changes_nothing(view: CauseView, qtbot: QtBot) -> None:
    run = run_named("six layers")
    view.set_run(run)
    made = view._panels_now(LIGHT)
    view.set_cursor(Cursor(run.trace.iteration, 3))
    assert view._panels_now(LIGHT) is made


def test_hovering_tells_what_the_factors_are_made_of(view: CauseView) -> None:
    view.set_run(run_named("six layers"))
    told = view.hover_text("layers", 3.0, 0.0)
    assert "sigmoid slope (dense_3)" in told
    assert "mean φ'" in told
    assert "weights (dense_4)" in told
    assert "begins here" in view.hover_text("layers", 6.0, 0.0)
    assert view.hover_text("layers", 9.0, 0.0) == ""


@directions
def test_the_table_tells_factors_and_product(view: CauseView, direction: str) -> None:
    view.set_run(run_named("residual"))
    view.set_option("direction", direction)
    columns, units = view.table()
    assert set(columns) - set(units) == {"name", "words"}
    np.testing.assert_allclose(columns["product"], columns["ratio"])
    empty = [cell == "" for cell in columns["skip"].tolist()]
    assert empty == [direction == "forward", False, False, False, False]


def steep_head() -> Run:
    """A hundred layers that hardly change the gradient, below a head that shrinks it a hundredfold."""
    small = Dense(units=8, activation=Tanh(), initializer=Orthogonal())
    head = Head(initializer=Normal(std=0.01))
    experiment = Experiment(
        precision="float64",
        data=GaussianNoise(samples=40, features=8, outputs=3),
        network=Network(layers=(small,) * 99, head=head),
        training=Training(loss="mse", batch_size=16),
    )
    return run_of(Simulator(experiment))


def test_one_long_bar_does_not_flatten_a_hundred_others(view: CauseView) -> None:
    run = steep_head()
    view.set_run(run)
    panel = view.panels(LIGHT)[0]
    rows = causes(run.trace).backward
    (beyond,) = [mark for mark in panel.marks if isinstance(mark, Beyond)]
    assert beyond.x.tolist() == [99.0]
    assert beyond.words == (times(rows[-1].log10),)
    assert not beyond.is_above.any()
    assert rows[-1].log10 < panel.y.low
    others = [abs(cause.log10) for cause in rows[:-1]]
    assert panel.y.high - panel.y.low < 4 * max(*others, 0.05)
    view.set_option("most", False)
    panel = view.panels(LIGHT)[0]
    assert not [mark for mark in panel.marks if isinstance(mark, Beyond)]
    assert panel.y.low < rows[-1].log10


@pytest.mark.parametrize("size", [(722, 203), (722, 171), (560, 300), (520, 171)])
def test_a_low_view_keeps_its_plot_two_numbers_and_a_whole_sentence(
    view: CauseView, qtbot: QtBot, size: tuple[int, int]
) -> None:
    view.set_run(run_named("200 layers"))
    view.resize(*size)
    with qtbot.waitExposed(view):
        view.show()
    (panel,) = view.panels(LIGHT)
    geometry = laid_out(panel, QRectF(0, 0, view.figure_size().width(), view.figure_size().height()))
    assert geometry.plot.height() >= (60.0 if size[1] < 200 else 95.0)
    ticks = ticks_along(panel.y, geometry.plot.height(), True, tick_metrics())
    assert sum(bool(tick.text) for tick in ticks) >= 2
    metrics = QFontMetricsF(figure_font(LABEL_PIXELS))
    headline = "".join(words.text for words in panel.headline)
    assert " in all." in headline
    assert metrics.horizontalAdvance(headline) <= view.figure_size().width()


@pytest.mark.parametrize("mark", np.linspace(-1.1, 0.1, 13))
def test_no_letter_touches_the_mark_of_the_measured_ratio(qapp: object, mark: float) -> None:
    ink = QColor("#00ff00")
    one = np.array([1.0])
    bar = StackedBars(one, -one, 0.0 * one, QColor("black"), ink, letter="φ", marks=mark * one)
    plain = dataclasses.replace(bar, marks=None)
    rect = QRectF(0, 0, 40, 60)
    geometry = Geometry(rect, rect, rect, Axis("", 0.5, 1.5), Axis("", -1.0, 0.0), {})

    def painted(drawn: StackedBars) -> QImage:
        image = QImage(40, 60, QImage.Format.Format_RGB32)
        image.fill(QColor("white"))
        painter = QPainter(image)
        drawn.paint(painter, geometry)
        painter.end()
        return image

    def rows(drawn: StackedBars) -> list[int]:
        """Where there is a letter: however faint its edges, without it the picture is another."""
        with_letter, without = painted(drawn), painted(dataclasses.replace(drawn, letter=""))
        return [
            y for y in range(60) if any(with_letter.pixel(x, y) != without.pixel(x, y) for x in range(40))
        ]

    assert rows(plain)
    assert rows(bar)
    assert all(abs(y + 0.5 + 60.0 * mark) > 4.0 for y in rows(bar))


def test_a_total_that_leaves_layers_out_does_not_say_in_all(view: CauseView) -> None:
    layers = (Dense(units=4, activation=Tanh(), initializer=Normal(std=1e-8)),) * 12
    experiment = Experiment(
        data=GaussianNoise(samples=8, features=4, outputs=2),
        network=Network(layers=layers, head=Head()),
        training=Training(loss="mse", batch_size=8),
    )
    run = run_of(Simulator(experiment))
    budget = cause_budget(causes(run.trace), "backward")
    assert 0 < budget.counted < budget.steps == 12  # deep down the gradient is exactly 0
    view.set_run(run)
    (panel,) = view.panels(LIGHT)
    headline = "".join(words.text for words in panel.headline)
    assert typeset(f"{times(budget.log10)} over {budget.counted} of 12 layers.") in headline


@pytest.mark.parametrize(
    ("ratio", "words"),
    [(0.0, "×0"), (np.inf, "×∞"), (np.nan, "×NaN"), (0.353, "×0.35"), (4.1e-7, "×4.1·10⁻⁷")],
)
def test_a_bar_beyond_the_scale_names_its_ratio_even_where_that_has_no_logarithm(
    ratio: float, words: str
) -> None:
    assert _ratio_words(ratio) == words
