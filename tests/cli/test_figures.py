"""Views drawn without a display; most of it is tested through ``gradsim render``."""

import pytest

from gradsim.cli import figures
from gradsim.cli.failure import Failure
from gradsim.data import prepare_samples
from gradsim.spec import Experiment, Training
from gradsim.spec.data import Adding, Digits, Moons
from tests.reference import reference_experiment, reference_samples


def test_only_data_in_a_plane_have_a_decision_map():
    figures.check_drawable("decision", reference_samples(reference_experiment(data=Moons(samples=50))))
    with pytest.raises(Failure, match="expected data with 2 inputs, got 64"):
        figures.check_drawable("decision", reference_samples(reference_experiment(data=Digits())))
    sequences = prepare_samples(Experiment(data=Adding(samples=20), training=Training(loss="mse")))
    with pytest.raises(Failure, match="expected data with 2 inputs, got sequences"):
        figures.check_drawable("decision", sequences)


def test_a_still_picture_of_the_network_shows_all_deltas_and_no_update(qapp):
    from tests.reference import reference_trace

    trace = reference_trace(layers=3)
    step = trace.steps[figures.telling_step(trace)]
    assert (step.phase, step.layer, step.tensor) == ("backward", 0, "delta")
