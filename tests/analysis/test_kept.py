"""Answers about a record are worked out once, and live no longer than the record."""

from __future__ import annotations

import gc
import weakref

import pytest

from gradsim.analysis import cause_budget, causes, profile
from gradsim.analysis.kept import kept_for_trace
from gradsim.trace import IterationTrace
from tests.reference import reference_trace


class Asked:
    """A function of a record that counts how often it is worked out."""

    def __init__(self) -> None:
        self.times = 0

        @kept_for_trace
        def answer(trace: IterationTrace, power: int = 1, *, sign: int = 1) -> float:
            self.times += 1
            return float(sign * trace.loss**power)

        self.answer = answer


def test_the_same_question_about_the_same_record_is_answered_once() -> None:
    asked, trace = Asked(), reference_trace()
    assert asked.answer(trace) == asked.answer(trace) == trace.loss
    assert asked.times == 1


def test_other_arguments_and_other_records_have_answers_of_their_own() -> None:
    asked, first, second = Asked(), reference_trace(seed=0), reference_trace(seed=1)
    assert asked.answer(first, 2) == first.loss**2
    assert asked.answer(first, 2, sign=-1) == -(first.loss**2)
    assert asked.answer(second, 2) == second.loss**2
    assert asked.answer(first, 2) == first.loss**2
    assert asked.times == 3


@pytest.mark.parametrize("question", [profile, causes])
def test_no_record_is_kept_alive_by_what_is_known_of_it(question: object) -> None:
    trace = reference_trace(layers=4)
    assert question(trace) is question(trace)  # type: ignore[operator]
    gone = weakref.ref(trace)
    del trace
    gc.collect()
    assert gone() is None


def test_only_the_answers_about_the_last_records_are_kept() -> None:
    asked, traces = Asked(), [reference_trace(seed=seed) for seed in range(6)]
    for trace in traces:
        asked.answer(trace)
    asked.answer(traces[-1])
    assert asked.times == 6
    asked.answer(traces[0])
    assert asked.times == 7


def test_causes_with_details_are_not_those_without() -> None:
    trace = reference_trace(layers=4)
    bare, full = causes(trace, details=False), causes(trace)
    assert not any(factor.details for cause in bare.backward for factor in cause.factors)
    assert all(factor.details for cause in full.backward for factor in cause.factors)
    assert causes(trace, ["backward"]).forward == ()
    assert cause_budget(bare, "backward") == cause_budget(full, "backward")
    for one, other in zip(bare.backward, full.backward, strict=True):
        assert [(f.kind, f.layer, f.label, f.before, f.after) for f in one.factors] == [
            (f.kind, f.layer, f.label, f.before, f.after) for f in other.factors
        ]
