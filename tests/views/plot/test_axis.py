"""Ticks: at round places, with words that never touch."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradsim.views.plot.axis import Axis, Scale, layer_axis


def width(text: str) -> float:
    return 7.0 * len(text)


def labelled(axis: Axis, length: float) -> list[tuple[float, str]]:
    return [(tick.at, tick.text) for tick in axis.ticks(length, width) if tick.text]


@pytest.mark.parametrize("layers", [1, 2, 3, 7, 12, 13, 40, 100, 199, 200, 1000])
@pytest.mark.parametrize("length", [100.0, 250.0, 460.0, 1300.0])
def test_layers_begin_with_1_and_end_with_the_head(layers: int, length: float) -> None:
    names = (*(f"dense_{k}" for k in range(1, layers)), "head")
    found = labelled(layer_axis(names), length)
    assert found[-1] == (layers, "head")
    assert layers == 1 or found[0] == (1, "1")
    assert all(float(text) == at for at, text in found[:-1])


@given(
    scale=st.sampled_from(["linear", "log10", "iteration"]),
    low=st.floats(-300, 300),
    span=st.floats(1e-3, 300),
    length=st.floats(60, 2000),
)
def test_words_of_ticks_never_touch(scale: Scale, low: float, span: float, length: float) -> None:
    axis = Axis("", low, low + span, scale)
    found = labelled(axis, length)
    assert len(found) < 100
    ends = [
        ((at - low) / span * length - width(text) / 2, (at - low) / span * length + width(text) / 2)
        for at, text in found
    ]
    assert all(left[1] <= right[0] for left, right in itertools.pairwise(ends))


@given(low=st.floats(-300, 299), span=st.floats(1e-3, 300))
def test_ticks_lie_within_the_range(low: float, span: float) -> None:
    ticks = Axis("", low, low + span, "log10").ticks(400.0, width)
    assert all(low - 1e-6 <= tick.at <= low + span + 1e-6 for tick in ticks)


def test_a_log_axis_counts_decades_with_superscripts() -> None:
    assert labelled(Axis("", -3.0, 0.0, "log10"), 400.0) == [
        (-3.0, "10⁻³"),
        (-2.0, "10⁻²"),
        (-1.0, "10⁻¹"),
        (0.0, "10⁰"),
    ]


def test_within_a_decade_a_log_axis_names_the_values() -> None:
    texts = [text for _, text in labelled(Axis("", -0.5, 0.5, "log10"), 400.0)]
    assert texts == ["1", "2", "3"]


def test_iterations_are_whole_and_grouped() -> None:
    found = labelled(Axis("", 0.0, 20000.0, "iteration"), 600.0)
    assert ("10,000") in [text for _, text in found]
    assert all(at == round(at) for at, _ in labelled(Axis("", 0.0, 3.0, "iteration"), 2000.0))


@pytest.mark.parametrize("scale", ["linear", "log10"])
@given(low=st.floats(-12, 12), span=st.floats(0.02, 40), length=st.floats(42, 120))
def test_even_a_low_axis_has_two_numbers(scale: Scale, low: float, span: float, length: float) -> None:
    axis = Axis("", low, low + span, scale)
    found = [tick for tick in axis.ticks(length, lambda text: 13.0) if tick.text]
    assert len(found) >= 2
    assert len({tick.text for tick in found}) == len(found)
    places = [(tick.at - low) / span * length for tick in found]
    assert all(above - below >= 13.0 for below, above in itertools.pairwise(places))


@pytest.mark.parametrize(
    ("label", "shorter"),
    [
        ("rms of all values", ["rms"]),
        ("layer, from the input to the head", ["layer"]),
        ("loss (cross entropy)", ["loss"]),
        ("FLOP per iteration", ["FLOP"]),
        ("ratio of rms δ", ["ratio"]),
        ("units, most active first (of 64)", ["units"]),
        ("iteration", []),
    ],
)
def test_where_there_is_little_room_a_label_loses_what_explains_it(label: str, shorter: list[str]) -> None:
    assert list(Axis(label, 0, 1).labels()) == [label, *shorter]


@pytest.mark.parametrize("length", [40.0, 84.0, 200.0, 600.0])
@pytest.mark.parametrize("decades", [12.0, 40.0, 65.0, 300.0, 600.0])
def test_ticks_of_many_decades_do_not_run_together(decades: float, length: float) -> None:
    ticks = Axis("", -decades, 0.3, "log10").ticks(length, width)
    places = np.unique([tick.at for tick in ticks]) * length / (decades + 0.3)
    assert len(places) >= 2
    assert np.diff(places).min() >= 2.0


@pytest.mark.parametrize(
    ("low", "high", "length", "told"),
    [
        (0.15, 8.0, 90.0, ["0.2", "1", "7"]),
        (0.15, 8.0, 30.0, ["0.2", "7"]),  # no room between them
        (2e-8, 3.2e-7, 90.0, ["3·10⁻⁸", "10⁻⁷", "3·10⁻⁷"]),
    ],
)
def test_the_one_round_number_of_an_axis_stays_between_its_ends(
    low: float, high: float, length: float, told: list[str]
) -> None:
    axis = Axis("", math.log10(low), math.log10(high), "log10")
    ticks = sorted((tick for tick in axis.ticks(length, lambda text: 13.0) if tick.text), key=lambda t: t.at)
    assert [tick.text for tick in ticks] == told
    places = [(tick.at - axis.low) / (axis.high - axis.low) * length for tick in ticks]
    assert all(b - a > 13.0 for a, b in itertools.pairwise(places))
