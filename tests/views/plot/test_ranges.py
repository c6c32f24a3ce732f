"""Ranges stay put until numbers leave them or somebody asks."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradsim.views.plot.ranges import GrowingRange, StickyRange, finite_range, range_of_most, round_up


def test_a_range_of_nothing_finite_is_none() -> None:
    assert finite_range() is None
    assert finite_range(np.array([]), np.array([np.nan, np.inf])) is None
    assert finite_range(np.array([3.0, np.nan]), np.array([-1.0])) == (-1.0, 3.0)


def test_a_sticky_range_grows_but_does_not_shrink_until_fitted() -> None:
    held = StickyRange(step=1.0, margin=0.25, least=3.0)
    first = held.around((-6.1, -2.0))
    assert first == (-7.0, -1.0)
    assert held.around((-4.0, -3.0)) == first
    assert held.around((-4.0, 2.0)) == (-7.0, 3.0)
    assert held.around(None) == (-7.0, 3.0)
    held.fit()
    assert held.around((-4.0, -3.0)) == (-5.0, -2.0)


@given(st.floats(-1e6, 1e6), st.floats(0, 1e6))
def test_a_sticky_range_holds_its_numbers_and_has_its_least_width(low: float, span: float) -> None:
    found = StickyRange(step=1.0, margin=0.1, least=3.0).around((low, low + span))
    assert found[0] <= low <= low + span <= found[1]
    assert found[1] - found[0] >= 3.0


def test_a_growing_range_leaps() -> None:
    held = GrowingRange()
    seen = {held.around(0.0, float(last)) for last in range(1, 1000)}
    assert len(seen) < 25
    assert held.around(0.0, 5.0) == (0.0, 1000.0)
    held.fit()
    assert held.around(0.0, 5.0) == (0.0, 10.0)


@given(st.floats(1e-300, 1e300))
def test_a_round_number_is_not_below(value: float) -> None:
    assert round_up(value) >= value * (1 - 1e-9)
    assert round_up(value) <= value * 1.35


@pytest.mark.parametrize("value", [0.0, -1.0, math.nan, math.inf])
def test_what_cannot_be_rounded_gives_1(value: float) -> None:
    assert round_up(value) == 1.0


def test_a_few_long_bars_do_not_take_the_scale_from_the_many() -> None:
    low, high = -np.linspace(0.01, 0.05, 100), np.linspace(0.01, 0.03, 100)
    assert range_of_most(low, high) == (low.min(), high.max())
    low[98] = -0.4
    assert range_of_most(low, high) == (-0.05, 0.03)
    low[10:14] = -0.5
    assert range_of_most(low, high) == (-0.05, 0.03)
    low[14:20] = -0.5  # eleven of a hundred are no exception any more
    assert range_of_most(low, high) == (-0.5, 0.03)


def test_few_bars_or_hardly_longer_ones_are_shown_whole() -> None:
    low, high = np.full(7, -0.1), np.full(7, 0.1)
    low[3] = -9.0
    assert range_of_most(low, high) == (-9.0, 0.1)
    low, high = np.full(40, -0.1), np.full(40, 0.1)
    low[3] = -0.25
    assert range_of_most(low, high) == (-0.25, 0.1)
    low[5] = np.nan
    high[6] = np.inf
    assert range_of_most(low, high) == (-0.25, 0.1)
    assert range_of_most(np.array([np.nan]), np.array([1.0])) is None
