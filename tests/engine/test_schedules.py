"""The learning rate of every iteration."""

from __future__ import annotations

import math

import pytest

from gradsim.engine.schedules import CONSTANT, COSINE, STEP, scheduled_rate

pytestmark = pytest.mark.jitless


def rates(kind: int, count: int, warm_up: int = 0, length: int = 1, share: float = 0.0) -> list[float]:
    return [scheduled_rate(kind, 2.0, k, warm_up, length, share) for k in range(count)]


def test_a_constant_rate_stays() -> None:
    assert rates(CONSTANT, 4) == [2.0] * 4


@pytest.mark.parametrize("kind", [CONSTANT, STEP, COSINE])
def test_a_warm_up_rises_in_equal_steps_and_ends_at_the_full_rate(kind: int) -> None:
    assert rates(kind, 5, warm_up=4, length=10, share=0.5)[:4] == [0.5, 1.0, 1.5, 2.0]
    assert rates(kind, 6, warm_up=4, length=10, share=0.5)[4] == 2.0


def test_steps_multiply_by_the_factor_counted_from_the_end_of_the_warm_up() -> None:
    assert rates(STEP, 7, length=3, share=0.5) == [2, 2, 2, 1, 1, 1, 0.5]
    assert rates(STEP, 7, warm_up=1, length=2, share=0.5) == [2, 2, 2, 1, 1, 0.5, 0.5]


def test_a_cosine_falls_to_the_lowest_share_and_stays() -> None:
    falling = rates(COSINE, 30, length=20, share=0.1)
    for k in range(21):
        assert falling[k] == pytest.approx(2 * (0.1 + 0.9 * (1 + math.cos(math.pi * k / 20)) / 2), rel=1e-15)
    assert falling[10] == pytest.approx(1.1)
    assert falling[20:] == [pytest.approx(0.2, rel=1e-15)] * 10


def test_ten_million_iterations_do_not_overflow() -> None:
    assert scheduled_rate(STEP, 2.0, 10_000_000, 0, 1, 0.5) == 0.0
    assert scheduled_rate(COSINE, 2.0, 10_000_000, 0, 7, 0.25) == 0.5
