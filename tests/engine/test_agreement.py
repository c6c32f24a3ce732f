"""The comparison with PyTorch can fail: whatever is off is found at the operation that made it."""

from __future__ import annotations

import dataclasses
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest

from gradsim.trace import IterationTrace
from tests.engine.agreement import AGREEMENT, ROUNDING, assert_agrees, length
from tests.engine.nested_nets import KINDS, KINDS_IN_TIME, experiment_of, sequences, simulator_of
from tests.engine.small_nets import needs_torch

pytestmark = needs_torch

RECORDS: dict[str, IterationTrace] = {}


def record_of(kind: str) -> IterationTrace:
    if kind not in RECORDS:
        in_time = kind in KINDS_IN_TIME
        layer = KINDS_IN_TIME[kind] if in_time else KINDS[kind]
        samples = sequences(5, True) if in_time else None
        RECORDS[kind] = simulator_of(experiment_of(layer), samples).record()
    return RECORDS[kind]


def with_another(trace: IterationTrace, index: int, name: str, values: Any) -> IterationTrace:
    layer = trace.layers[index]
    changed = dataclasses.replace(
        layer, tensors=MappingProxyType(dict(layer.tensors) | {name: np.asarray(values)})
    )
    return dataclasses.replace(trace, layers=tuple(changed if one is layer else one for one in trace.layers))


def compared_in(trace: IterationTrace) -> list[tuple[int, str]]:
    """Every tensor that is compared and is not 0, by the number of its layer."""
    from tests.engine.torch_twin import StepwiseTwin, twin_of

    _, twin = twin_of(trace, StepwiseTwin)
    return [
        (layer.index, name)
        for layer in trace.layers
        for name in twin[layer.name]
        if length(layer[name]) > 1e-9
    ]


@pytest.mark.parametrize("kind", [*KINDS, *KINDS_IN_TIME])
def test_every_tensor_that_is_off_by_little_is_found(kind: str) -> None:
    trace = record_of(kind)
    assert_agrees(trace)
    compared = compared_in(trace)
    assert len(compared) >= 4
    for index, name in compared[:: max(1, len(compared) // 5)]:
        exact = trace.layers[index][name]
        off = exact * (1.0 + 10 * AGREEMENT * np.sign(np.random.default_rng(3).normal(size=exact.shape)))
        with pytest.raises(AssertionError, match="is wrong by"):
            assert_agrees(with_another(trace, index, name, off))


def test_a_gradient_that_is_handed_on_wrongly_is_found_where_it_is() -> None:
    # The layers below have made of it what they should: only the layer that was handed it is named.
    trace = record_of("residual in a residual")
    wrong = with_another(trace, 1, "activation_gradient", trace.layers[1]["activation_gradient"] * 2.0)
    with pytest.raises(AssertionError, match=f"{trace.layers[1].name}.delta is wrong by"):
        assert_agrees(wrong)


def test_a_sum_of_terms_that_cancel_is_held_to_its_terms() -> None:
    trace = record_of("dense with batch inside")
    layer = trace.layers[0]
    terms = np.abs(layer.delta).sum(axis=0)
    assert length(layer.bias_gradient) < ROUNDING * length(terms)
    assert_agrees(with_another(trace, 0, "bias_gradient", np.zeros_like(layer.bias_gradient)))
    with pytest.raises(AssertionError, match=r"bias_gradient is wrong by"):
        assert_agrees(with_another(trace, 0, "bias_gradient", 3 * ROUNDING * terms))
