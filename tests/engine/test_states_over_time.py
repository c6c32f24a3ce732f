"""dL/dh_t and dL/dc_t of stacked recurrent layers over fifty steps: each step for itself, and what truncation cuts off.

Everything runs through the simulator. A band as wide as a share of the largest number of all steps would let the
first steps, whose gradient has vanished, be anything; here every step has a band of its own.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from gradsim.engine import Simulator
from gradsim.spec import Recurrent
from gradsim.trace import IterationTrace
from tests.engine.agreement import AGREEMENT
from tests.engine.nested_nets import CELLS, experiment_of, sequences, simulator_of
from tests.engine.small_nets import needs_torch

STEPS, UNITS = 50, 6
ALONG_TIME = ("hidden_gradient", "cell_gradient", "delta", "input_gradient")
LAYERS = ("recurrent_1", "recurrent_2")

cells = pytest.mark.parametrize("cell", CELLS)


def stacked(cell: str, every_step: bool, truncations: tuple[int, int], steps: int = STEPS) -> Simulator:
    """Two layers that hand a gradient down ever weaker: the recurrent weights are halved, the gates rather closed."""
    below, above = (
        Recurrent(
            units=UNITS,
            return_sequences=every_step or number == 0,
            truncation=truncation,
            forget_bias=-0.5,
            **CELLS[cell],
        )
        for number, truncation in enumerate(truncations)
    )
    simulator = simulator_of(experiment_of(below, above), sequences(steps, every_step))
    weights = {
        name: 0.5 * value for name, value in simulator.parameters().items() if "recurrent_weight" in name
    }
    simulator.load_parameters(weights)
    return simulator


def by_step(trace: IterationTrace, layer: str, name: str) -> Any:
    """Euclidean norm of a tensor at every step."""
    return np.linalg.norm(trace[layer][name], axis=(0, 2))


@needs_torch
@pytest.mark.parametrize("truncations", [(0, 0), (7, 7), (20, 3)], ids=str)
@pytest.mark.parametrize("every_step", [True, False], ids=["every step", "last step"])
@cells
def test_every_step_agrees_with_autograd_to_a_share_of_itself(
    cell: str, every_step: bool, truncations: tuple[int, int]
) -> None:
    from tests.engine.torch_twin import twin_of

    trace = stacked(cell, every_step, truncations).record()
    _, twin = twin_of(trace)
    for layer in LAYERS:
        names = [name for name in ALONG_TIME if name in trace[layer].tensors]
        assert ("cell_gradient" in names) == (cell == "lstm")
        for name in names:
            exact = twin[layer][name]
            assert exact.shape[:2] == (8, STEPS)
            error = np.linalg.norm(trace[layer][name] - exact, axis=(0, 2))
            size = np.linalg.norm(exact, axis=(0, 2))
            wrong = np.flatnonzero(~(error <= AGREEMENT * size))
            assert wrong.size == 0, f"{layer}.{name}: steps {wrong}, by {error[wrong]} of {size[wrong]}"


@cells
def test_the_first_steps_of_these_runs_are_far_below_a_band_of_the_largest(cell: str) -> None:
    trace = stacked(cell, False, (0, 0)).record()
    for layer in LAYERS:
        sizes = by_step(trace, layer, "hidden_gradient")
        assert 0 < sizes[0] < 1e-9 * sizes[-1]  # a usual band: of the whole tensor it would leave them unseen


@pytest.mark.parametrize("truncations", [(4, 4), (0, 4), (4, 0), (3, 5), (1, 1)], ids=str)
@pytest.mark.parametrize("answered", [3, 10, 19])
@cells
def test_what_a_step_is_told_goes_back_as_far_as_the_windows_and_no_step_further(
    cell: str, answered: int, truncations: tuple[int, int]
) -> None:
    # Targets are what the net answers, bit for bit, at every step but one: only that one has a gradient.
    steps = 20
    simulator = stacked(cell, True, truncations, steps)
    right = simulator.record()
    targets = simulator.samples.training_targets.copy()
    targets[right.sample_indices] = right["head"].activation.reshape(len(right.inputs), steps, -1)
    targets[right.sample_indices, answered] += 1.0
    samples = dataclasses.replace(simulator.samples, training_targets=targets)
    other = simulator_of(simulator.experiment, samples)
    other.load_parameters(simulator.parameters())
    trace = other.record()

    def windows_of(told: set[int], truncation: int) -> set[int]:
        most = truncation or steps
        return {s for t in told for s in range(t // most * most, t + 1)}

    above = windows_of({answered}, truncations[1])
    reached = {"recurrent_2": above, "recurrent_1": windows_of(above, truncations[0])}
    for layer, wanted in reached.items():
        for name in ALONG_TIME:
            if name in trace[layer].tensors:
                found = set(np.flatnonzero(by_step(trace, layer, name)))
                assert found == wanted, f"{layer}.{name}"


@cells
def test_with_the_loss_at_the_last_step_only_the_last_window_has_a_gradient(cell: str) -> None:
    trace = stacked(cell, False, (0, 8)).record()
    for name in ALONG_TIME:
        if name in trace["recurrent_2"].tensors:
            found = np.flatnonzero(by_step(trace, "recurrent_2", name))
            np.testing.assert_array_equal(found, [48, 49])
    assert by_step(trace, "recurrent_1", "hidden_gradient").all()
