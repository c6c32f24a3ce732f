"""The residual blocks of recorded networks: where they stand and how the gradient splits."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

from gradsim.analysis import history_profile, profile, profile_table, residual_blocks, sentence
from gradsim.analysis.magnitude import rms
from tests.kind_runs import NETWORKS, kind_run

kinds = pytest.mark.parametrize("name", NETWORKS)


@kinds
def test_a_profile_has_one_entry_per_numbered_layer(name: str) -> None:
    trace = kind_run(name).trace
    found = profile(trace)
    numbered = [layer for layer in trace.layers if layer.number is not None]
    assert found.layer_names == tuple(layer.name for layer in numbered)
    assert found.numbers.tolist() == list(range(1, len(numbered) + 1))
    assert found.delta_rms.tolist() == [layer.statistics["delta"].rms for layer in numbered]
    assert np.isfinite(found.update_ratio).all()
    assert {len(column) for column in profile_table(found).values()} == {len(numbered)}
    assert sentence(found).endswith(".")


@kinds
def test_the_profile_of_the_past_is_that_of_its_record(name: str) -> None:
    run = kind_run(name)
    assert run.ghost is not None
    past, present = history_profile(run.history, 0, run.trace), profile(run.ghost)
    assert past.layer_names == present.layer_names
    for field in ("delta_rms", "activation_rms", "weight_rms", "update_ratio"):
        np.testing.assert_array_equal(getattr(past, field), getattr(present, field))
    assert past.stream.names == present.stream.names
    np.testing.assert_array_equal(past.stream.gradient_rms, present.stream.gradient_rms)
    assert np.isnan(past.stream.branch_rms).all()


@kinds
def test_a_history_alone_has_a_profile_of_what_has_weights(name: str) -> None:
    run = kind_run(name)
    found = history_profile(run.history, -1)
    assert set(found.layer_names) == {
        layer.name for layer in run.trace.layers if "weight" in layer.statistics
    }
    assert len(found.stream) == 0


@pytest.mark.parametrize("name", [name for name in NETWORKS if "residual" in name])
def test_skip_and_branch_add_up_to_the_stream(name: str) -> None:
    trace = kind_run(name).trace
    blocks = residual_blocks(trace)
    assert [block.name for block in blocks] == [la.name for la in trace.layers if la.kind == "residual"]
    for block in blocks:
        layer = trace.layers[block.index]
        skip = layer.tensors.get("skip_gradient", layer.output_gradient)
        # The array of ∂L/∂x itself is the ∂L/∂h of a recurrent layer below, which goes on to add up over time.
        stream = skip + layer.branch_input_gradient
        assert block.stream_rms == pytest.approx(rms(stream), rel=1e-12)
        assert block.skip_rms == pytest.approx(rms(skip))
        assert 0 < block.skip_share < 1


def test_blocks_know_between_which_layers_they_stand() -> None:
    inner, outer, projected = residual_blocks(kind_run("nested residual").trace)
    assert (inner.depth, outer.depth, projected.depth) == (1, 0, 0)
    assert (inner.start, inner.end) == (2.5, 4.5)
    assert (outer.start, outer.end) == (1.5, 4.5)
    assert (projected.start, projected.end) == (4.5, 5.5)
    trace = kind_run("nested residual").trace
    assert trace.layers[outer.first].name == "normalization_1"


def test_a_network_without_blocks_has_no_stream() -> None:
    trace = kind_run("dropout").trace
    assert residual_blocks(trace) == ()
    assert len(profile(trace).stream) == 0
    assert "residual" not in sentence(profile(trace))


def test_the_stream_is_told_in_words() -> None:
    assert "In 4 residual blocks the branch hands back" in sentence(profile(kind_run("residual").trace))


@pytest.mark.parametrize(
    ("values", "expected"),
    [([], 0.0), ([0.0], 0.0), ([3e-200, 4e-200], 3.5355339059e-200), ([1e300, 1e300], 1e300)],
)
def test_no_size_is_lost_in_squaring(values: list[float], expected: float) -> None:
    assert rms(np.array(values)) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(("value", "is_expected"), [(math.nan, math.isnan), (math.inf, math.isinf)])
def test_nan_and_infinity_stay_what_they_are(value: float, is_expected: object) -> None:
    assert is_expected(rms(np.array([1.0, value])))  # type: ignore[operator]


@pytest.mark.parametrize(
    ("skip", "branch", "share"), [(1.0, 1.0, 0.5), (1.0, 0.0, 1.0), (0.0, 2.0, 0.0), (1e308, 1e308, 0.5)]
)
def test_the_share_of_the_skip_is_of_both_ways(skip: float, branch: float, share: float) -> None:
    block = residual_blocks(kind_run("residual").trace)[0]
    assert dataclasses.replace(block, skip_rms=skip, branch_rms=branch).skip_share == share


def test_no_gradient_at_all_has_no_share() -> None:
    block = residual_blocks(kind_run("residual").trace)[0]
    assert math.isnan(dataclasses.replace(block, skip_rms=0.0, branch_rms=0.0).skip_share)
