"""The reference is itself checked against central differences, so that it can be an oracle."""

import numpy as np
import pytest

from gradsim.spec.data import Curve, Iris, Moons
from gradsim.spec.training import GlobalNormClipping
from gradsim.trace import COUNTS, HISTOGRAM_BINS, TENSORS
from tests.reference import Reference, reference_experiment, reference_run, reference_steps, reference_trace
from tests.reference_functions import ACTIVATIONS, histogram, tensor_statistics

SMOOTH = [name for name in ACTIVATIONS if name not in ("step", "softmax", "hard_tanh")]
PROMISED = {"clipped_gradient", "input", "pre_activation", "activation", "output", "slope", "delta", "update"}
PROMISED |= {f"{what}_gradient" for what in ("activation", "output", "input")}
PROMISED |= {p + s for p in ("weight", "bias") for s in ("", "_gradient", "_clipped_gradient", "_update")}


def assert_gradients_are_central_differences(experiment):
    trace = Reference(experiment).record()
    values = {f"{layer.name}.{part}": layer[key] for layer in trace.layers for part, key in parts(layer)}
    gradients = {
        f"{layer.name}.{part}": layer[f"{key}_gradient"]
        for layer in trace.layers
        for part, key in parts(layer)
    }
    random = np.random.default_rng(1)
    for name, gradient in gradients.items():
        direction = random.standard_normal(gradient.shape)
        step = 1e-5
        ahead, behind = (
            Reference(experiment, values | {name: values[name] + s * step * direction}).record().loss
            for s in (1, -1)
        )
        assert (ahead - behind) / (2 * step) == pytest.approx(
            np.sum(gradient * direction), rel=1e-5, abs=1e-9
        ), name


def parts(layer):
    return [
        (p, k)
        for p, k in (("weight", "weight"), ("bias", "bias"), ("slope", "prelu_slope"))
        if k in layer.tensors
    ]


@pytest.mark.parametrize("activation", SMOOTH)
def test_gradients_agree_with_central_differences_for_every_activation(activation):
    assert_gradients_are_central_differences(reference_experiment(4, 5, activation, precision="float64"))


@pytest.mark.parametrize(
    ("data", "loss"),
    [
        (Iris(), "cross_entropy"),
        (Moons(), "binary_cross_entropy"),
        (Curve(), "mse"),
        (Curve(), "half_mse"),
        (Curve(), "sse"),
    ],
)
def test_gradients_agree_with_central_differences_for_every_loss(data, loss):
    assert_gradients_are_central_differences(
        reference_experiment(3, 5, data=data, loss=loss, precision="float64")
    )


@pytest.mark.parametrize("layers", [1, 2, 200])
def test_every_promised_tensor_is_there_and_read_only(layers):
    trace = reference_trace(layers=layers)
    assert len(trace.layers) == layers
    assert trace.steps == reference_steps(layers)
    for layer in trace.layers:
        assert set(layer.tensors) == PROMISED
        assert set(layer.statistics) == set(TENSORS)
        assert layer.output is layer["activation"]
        assert layer.output_gradient is layer.activation_gradient
        assert layer.update is layer.weight_update
        for name, array in layer.tensors.items():
            assert not array.flags.writeable, name
            assert array.dtype == np.float32, name


@pytest.mark.parametrize(("fault", "kind"), [("zero", "zeros"), ("nan", "nans"), ("inf", "infs")])
def test_a_fault_fills_every_computed_tensor_of_every_layer(fault, kind):
    for layer in reference_trace(fault=fault).layers:
        for name in TENSORS[:-1]:
            assert getattr(layer.statistics[name], kind) == layer.statistics[name].count
        assert all(getattr(layer.statistics["weight"], c) == 0 for c in COUNTS)


def test_clipping_is_a_step_of_its_own_and_shortens_the_gradient():
    trace = reference_trace(clipping=GlobalNormClipping(threshold=0.01), precision="float64")
    clipped = [layer[f"{p}_clipped_gradient"] for layer in trace.layers for p in ("weight", "bias")]
    assert np.sqrt(sum(np.sum(c**2) for c in clipped)) == pytest.approx(0.01)
    assert [s.phase for s in trace.steps].count("clip") == 1


def test_a_run_is_whole_and_its_history_learns():
    run = reference_run(layers=3, units=16, records=50)
    assert len(run.history) == 50
    assert run.history.loss[-10:].mean() < run.history.loss[:10].mean()
    assert run.history.loss[0] == run.trace.loss
    assert run.decision_map.outputs.shape == (50, 40, 2)
    assert run.history.histograms.shape == (10, 3, len(TENSORS), HISTOGRAM_BINS)
    assert (run.history.histograms.sum(axis=-1) == run.history.sizes).all()


def test_statistics_survive_the_range_they_measure():
    huge = tensor_statistics(np.array([3e200, -4e200]))
    assert huge.rms == pytest.approx(np.sqrt(12.5) * 1e200)
    tiny = tensor_statistics(np.array([1e-40, 0.0, -1.0, 1.0], dtype=np.float32))
    assert (tiny.zeros, tiny.subnormals, tiny.nans, tiny.infs) == (1, 1, 0, 0)


@pytest.mark.parametrize(
    ("value", "place"),
    [
        (0.0, 0),
        (2.0**-127, 1),
        (2.0**-126, 2),
        (1.0, 128),
        (1.99, 128),
        (2.0**34, 162),
        (1e300, 162),
        (np.nan, 163),
        (-np.inf, 164),
    ],
)
def test_values_fall_into_their_octave(value, place):
    assert np.flatnonzero(histogram(np.array([value]))).tolist() == [place]
