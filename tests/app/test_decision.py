"""The answers over the plane are asked for only where the inputs are points of a plane."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from gradsim.app.decision import MAP_POINTS, decision_map
from gradsim.data import prepare_samples
from gradsim.spec import Experiment, Training
from gradsim.spec.data import Adding, DelayedParity, Iris, Moons


def simulator(data: Any) -> Any:
    def outputs(inputs: Any) -> Any:
        return np.zeros((len(inputs), 2))

    samples = prepare_samples(Experiment(data=data, training=Training(loss="mse")))
    return SimpleNamespace(samples=samples, outputs=outputs)


def test_points_of_a_plane_have_a_map() -> None:
    found = decision_map(simulator(Moons()))
    assert found is not None
    assert found.outputs.shape == (MAP_POINTS, MAP_POINTS, 2)


@pytest.mark.parametrize("data", [Iris(), Adding(samples=20), DelayedParity(samples=20)])
def test_four_inputs_and_sequences_of_two_features_have_none(data: Any) -> None:
    assert decision_map(simulator(data)) is None
