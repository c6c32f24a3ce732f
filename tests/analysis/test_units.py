from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pytest

from gradsim.analysis.nonlinearities import SHADED_BELOW, activation_layers, nonlinearities
from gradsim.analysis.unit_deaths import coarse_iterations, death_words, deaths_words, unit_deaths
from gradsim.analysis.units import batch_units, unit_survey
from gradsim.engine import Simulator
from gradsim.spec import ActivationLayer, Dense, Dropout, Experiment, Head, Network, Normalization, Training
from gradsim.spec.activation import LeakyRelu, Linear, Prelu, Relu, Sigmoid, Softmax, Step, Tanh
from gradsim.spec.data import GaussianNoise
from gradsim.spec.training import Sgd
from tests.kind_runs import NETWORKS, SEQUENCES, kind_run


def experiment_of(*layers: Any, seed: int = 1, rate: float = 0.05, **data: Any) -> Experiment:
    return Experiment(
        seed=seed,
        precision="float64",
        data=GaussianNoise(**({"samples": 50, "features": 4, "outputs": 2, "validation": 0.0} | data)),
        network=Network(layers=layers, head=Head(activation=Linear())),
        training=Training(loss="mse", batch_size=16, optimizer=Sgd(learning_rate=rate)),
    )


def relu_with_biases(biases: list[float]) -> Simulator:
    """A ReLU layer whose pre-activations are its biases, because its weights are 0."""
    simulator = Simulator(experiment_of(Dense(units=len(biases), activation=Relu())))
    simulator.load_parameters(
        {"dense_1.weight": np.zeros((4, len(biases))), "dense_1.bias": np.array(biases)}
    )
    return simulator


def test_a_survey_names_the_dead_units_over_all_samples() -> None:
    survey = unit_survey(relu_with_biases([1.0, -1.0, 0.0, 2.0]))
    assert survey is not None
    assert (survey.samples, survey.units, survey.iteration) == (50, 6, 0)
    assert survey.layers[0].dead.tolist() == [False, True, True, False]
    assert survey.layers[0].saturation.tolist() == [0.0, 1.0, 1.0, 0.0]
    assert not survey.layers[1].dead.any()
    assert survey.dead == 2


def test_a_unit_that_one_single_sample_wakes_is_not_dead() -> None:
    simulator = Simulator(experiment_of(Dense(units=1, activation=Relu())))
    first = simulator.samples.training_inputs
    direction = np.array([1.0, 0.0, 0.0, 0.0])
    top = np.sort(first @ direction)[-2:]
    simulator.load_parameters({"dense_1.weight": direction[:, None], "dense_1.bias": [-top.mean()]})
    survey = unit_survey(simulator)
    assert survey is not None
    assert not survey.layers[0].dead.any()
    assert survey.layers[0].saturation[0] == pytest.approx(1 - 1 / 50)
    simulator.load_parameters({"dense_1.bias": [-top[1] - 1e-9]})
    survey = unit_survey(simulator)
    assert survey is not None
    assert survey.layers[0].dead.all()


def test_saturation_of_a_unit_is_that_of_all_samples_at_once() -> None:
    simulator = Simulator(
        experiment_of(Dense(units=6, activation=Sigmoid()), Dense(units=5, activation=Tanh()))
    )
    survey = unit_survey(simulator)
    assert survey is not None
    x = simulator.samples.training_inputs
    p = simulator.parameters()
    z = x @ p["dense_1.weight"] + p["dense_1.bias"]
    a = 1 / (1 + np.exp(-z))
    np.testing.assert_allclose(survey.layers[0].saturation, 1 - (a * (1 - a)).mean(axis=0) / 0.25, rtol=1e-12)
    b = np.tanh(a @ p["dense_2.weight"] + p["dense_2.bias"])
    np.testing.assert_allclose(survey.layers[1].saturation, (b * b).mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(survey.layers[1].largest_output, np.abs(b).max(axis=0), rtol=1e-12)


def test_a_unit_that_speaks_without_a_slope_is_stuck_and_not_dead() -> None:
    from gradsim.spec.activation import HardTanh

    simulator = Simulator(experiment_of(Dense(units=3, activation=HardTanh())))
    simulator.load_parameters(
        {"dense_1.weight": np.zeros((4, 3)), "dense_1.bias": np.array([5.0, 0.5, -7.0])}
    )
    survey = unit_survey(simulator)
    assert survey is not None
    assert survey.layers[0].stuck.tolist() == [True, False, True]
    assert survey.dead == 0
    assert survey.stuck == 2


def test_a_step_has_no_saturation() -> None:
    survey = unit_survey(Simulator(experiment_of(Dense(units=4, activation=Step()))))
    assert survey is not None
    assert np.isnan(survey.layers[0].saturation).all()
    assert survey.stuck == 0


def test_not_a_number_is_shown_and_never_counted_as_dead() -> None:
    simulator = relu_with_biases([1.0, -1.0])
    simulator.load_parameters({"dense_1.bias": np.array([np.nan, -1.0])})
    survey = unit_survey(simulator)
    assert survey is not None
    assert survey.layers[0].dead.tolist() == [False, True]
    assert np.isnan(survey.layers[0].largest_output[0])
    assert np.isnan(survey.layers[0].saturation[0])


def test_dropout_and_normalization_are_left_out_and_a_survey_changes_nothing() -> None:
    layers = (
        Dense(units=4, activation=Relu()),
        Dropout(),
        Normalization(),
        ActivationLayer(activation=Tanh()),
    )
    simulator = Simulator(experiment_of(*layers))
    before = simulator.record()
    survey = unit_survey(simulator)
    assert survey is not None
    assert [layer.name for layer in survey.layers] == ["dense_1", "activation_1", "head"]
    assert [layer.activation for layer in survey.layers] == ["relu", "tanh", "linear"]
    np.testing.assert_array_equal(simulator.record()["head"].delta, before["head"].delta)


def test_a_batch_shows_its_own_units_only() -> None:
    simulator = Simulator(experiment_of(Dense(units=6, activation=Relu()), Dropout()))
    trace = simulator.record()
    found = batch_units(trace)
    assert (found.samples, found.units) == (16, 8)
    slopes = trace["dense_1"].slope
    np.testing.assert_allclose(found.layers[0].saturation, 1 - slopes.mean(axis=0), rtol=1e-12)
    np.testing.assert_array_equal(found.layers[0].dead, (slopes == 0).all(axis=0))


@pytest.mark.parametrize("broken", [False, True], ids=["sound", "with NaN"])
@pytest.mark.parametrize("together", [2, 16])
def test_layers_that_are_alike_are_measured_together_and_each_keeps_its_own_units(
    broken: bool, together: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Widths, activations and trained slopes differ: what is measured together must come apart again."""
    monkeypatch.setattr("gradsim.analysis.units._TOGETHER", together)
    kinds = [
        (5, Relu()),
        (5, Tanh()),
        (3, Relu()),
        (5, Relu()),
        (5, Prelu()),
        (5, Prelu()),
        (5, Step()),
        (5, Relu()),
    ]
    simulator = Simulator(experiment_of(*(Dense(units=units, activation=kind) for units, kind in kinds)))
    slopes = {"dense_5.slope": np.array([0.9]), "dense_6.slope": np.array([0.1])}
    biases = {"dense_4.bias": np.array([-50.0, 1.0, np.nan if broken else 1.0, -50.0, 0.0])}
    simulator.load_parameters(slopes | biases)
    trace = simulator.record()
    survey = batch_units(trace)
    assert [layer.name for layer in survey.layers] == [layer.name for layer in trace.layers]
    assert [layer.activation for layer in survey.layers] == [layer.activation_kind for layer in trace.layers]
    steepest = {"relu": 1.0, "tanh": 1.0, "linear": 1.0, "prelu": 1.0, "step": 0.0}
    for found, layer in zip(survey.layers, trace.layers, strict=True):
        slope, output = layer.slope.astype(np.float64), np.abs(layer.activation)
        np.testing.assert_array_equal(found.largest_output, output.max(axis=0))
        np.testing.assert_array_equal(found.largest_slope, np.abs(slope).max(axis=0))
        if steepest[found.activation]:
            np.testing.assert_array_equal(
                found.saturation, 1.0 - slope.sum(axis=0) / steepest[found.activation] / len(slope)
            )
    for kind in ("dead", "stuck", "broken"):
        assert getattr(survey, kind) == sum(int(getattr(layer, kind).sum()) for layer in survey.layers)
    assert survey.layers[3].dead[[0, 3]].all()
    assert (survey.broken > 0) is broken


def test_a_survey_can_be_stopped_and_tells_how_far_it_is() -> None:
    simulator = relu_with_biases([1.0])
    told: list[float] = []
    assert unit_survey(simulator, lambda: len(told) == 2, lambda words, share: told.append(share)) is None
    assert told == [16 / 50, 32 / 50]


@pytest.mark.parametrize("name", NETWORKS)
def test_what_went_through_an_activation_is_what_the_pass_recorded(name: str) -> None:
    """z, φ(z) and φ'(z) of one nonlinearity belong together, for every kind of layer."""
    from gradsim.analysis.activation_functions import activation_pair

    trace = kind_run(name).trace
    layers = activation_layers(trace.experiment)
    assert set(layers) >= {layer.name for layer in trace.layers if layer.number is not None}
    for layer_name, layer in layers.items():
        parts = nonlinearities(layer, trace[layer_name].tensors)
        assert len(parts) == (2 if getattr(layer, "cell", "simple") != "simple" else 1)
        for part in parts:
            value, slope = activation_pair(part.activation, part.z, part.trained_slopes)
            np.testing.assert_allclose(part.value, value, rtol=1e-12, atol=1e-300)
            np.testing.assert_allclose(part.slope, slope, rtol=1e-12, atol=1e-16)
        if not np.isnan(trace[layer_name].saturation):  # of a cell and of softmax the engine measures none
            assert parts[0].saturation == pytest.approx(trace[layer_name].saturation, rel=1e-6)


@pytest.mark.parametrize("name", SEQUENCES[:4])
def test_units_of_a_recurrent_layer_are_looked_at_over_all_time_steps(name: str) -> None:
    run = kind_run(name)

    class Recorded:
        iteration = 3
        experiment = run.experiment
        samples = run.samples

        def parameters(self) -> dict[str, Any]:
            return {}

        def observed(self, part: str = "training") -> Iterator[Mapping[str, Mapping[str, Any]]]:
            yield {layer.name: layer.tensors for layer in run.trace.layers}

    survey = unit_survey(Recorded())
    assert survey is not None
    first = survey.layers[0]
    assert len(first) == 5
    hidden = run.trace.layers[0].hidden
    np.testing.assert_array_equal(first.largest_output, np.abs(hidden).max(axis=(0, 1)))
    if name == "simple recurrent":
        np.testing.assert_allclose(first.saturation, (hidden**2).mean(axis=(0, 1)), rtol=1e-9)
    assert ((first.saturation > 0) & (first.saturation < 1)).all()


def test_shares_of_a_nonlinearity() -> None:
    simulator = relu_with_biases([1.0, -1.0, 0.0, 0.0])
    trace = simulator.record()
    part = nonlinearities(trace.experiment.network.layers[0], trace["dense_1"].tensors)[0]
    assert part.saturation == 0.75
    assert part.flat_share == part.shaded_share == 0.75
    assert part.kinks == (0.0,)
    assert part.at_kinks == (2 * len(part.z),)
    leaky = Simulator(experiment_of(Dense(units=2, activation=LeakyRelu(slope=0.01)))).record()
    part = nonlinearities(leaky.experiment.network.layers[0], leaky["dense_1"].tensors)[0]
    assert part.flat_share == 0.0
    assert part.shaded_share == pytest.approx(np.mean(part.z <= 0))
    assert SHADED_BELOW > 0.01


def test_a_prelu_shows_its_trained_slope() -> None:
    simulator = Simulator(
        experiment_of(Dense(units=3, activation=Prelu(per="unit")), Dense(activation=Softmax()))
    )
    simulator.load_parameters({"dense_1.slope": np.array([0.1, 0.5, 2.0])})
    trace = simulator.record()
    part = nonlinearities(trace.experiment.network.layers[0], trace["dense_1"].tensors)[0]
    assert part.trained_slopes is not None
    assert part.trained_slopes.tolist() == [0.1, 0.5, 2.0]
    assert part.maximal_slope == 2.0
    survey = unit_survey(simulator)
    assert survey is not None
    x, p = simulator.samples.training_inputs, simulator.parameters()
    z = x @ p["dense_1.weight"] + p["dense_1.bias"]
    slopes = np.where(z > 0, 1.0, [0.1, 0.5, 2.0])
    np.testing.assert_allclose(survey.layers[0].saturation, 1 - slopes.mean(axis=0) / 2.0, rtol=1e-12)


class Dying:
    """A run in which unit k of a ReLU layer dies at iteration ``times[k]``; −1 never, and one revives."""

    def __init__(self, times: list[int], awake: tuple[int, int, int] | None = None) -> None:
        self.experiment = experiment_of(Dense(units=len(times), activation=Relu()))
        self.samples = Simulator(self.experiment).samples
        self.times, self.awake = times, awake
        self.iteration = 0
        self.visits: list[int] = []

    def seek(self, iteration: int) -> None:
        self.iteration = iteration

    def parameters(self) -> dict[str, Any]:
        return {"dense_1.bias": np.full(2, float(self.iteration))}

    def observed(self, part: str = "training") -> Iterator[Mapping[str, Mapping[str, Any]]]:
        self.visits.append(self.iteration)
        alive = np.array([[time < 0 or self.iteration < time for time in self.times]] * 3, dtype=np.float64)
        if self.awake and self.awake[1] <= self.iteration < self.awake[2]:
            alive[0, self.awake[0]] = 1.0
        z = 2 * alive - 1
        one = {"pre_activation": z, "activation": alive, "slope": alive, "output": alive}
        two = {name: np.ones((3, 2)) for name in one}
        yield {"dense_1": one, "head": two}


@pytest.mark.parametrize("last", [0, 1, 2, 37, 1000, 12345])
def test_every_death_is_found_to_one_iteration(last: int) -> None:
    times = [time for time in (-1, 0, 1, 2, 30, 37, 512, 777, 778, 12345) if time <= last]
    found = unit_deaths(Dying(times), last)
    assert found is not None
    assert found.is_exact
    assert found.dead_at[0].tolist() == times
    assert found.alive_at[0].tolist() == [time - 1 if time > 0 else -1 for time in times]
    assert found.dead_at[1].tolist() == [-1, -1]
    assert found.survey.iteration == last
    assert found.looked_at[0] == 0
    assert found.looked_at[-1] == last


def test_a_unit_that_revives_is_dead_only_since_its_last_death() -> None:
    found = unit_deaths(Dying([100, 100], awake=(1, 120, 700)), 1000)
    assert found is not None
    assert found.dead_at[0].tolist() == [100, 700]


def test_few_looks_give_wide_and_true_brackets() -> None:
    times = list(range(300, 900, 7))
    run = Dying(times)
    found = unit_deaths(run, 1000, most_looks=40)
    assert found is not None
    assert not found.is_exact
    assert len(run.visits) <= 40
    assert (found.alive_at[0] < times).all()
    assert (found.dead_at[0] >= times).all()


def test_the_search_looks_at_few_iterations_and_can_be_stopped_at_any() -> None:
    run = Dying([613])
    assert unit_deaths(run, 100_000) is not None
    assert len(run.visits) < 60
    for stop in (1, 2, 10):
        stopped = Dying([613])
        assert (
            unit_deaths(stopped, 100_000, lambda stopped=stopped, stop=stop: len(stopped.visits) >= stop)
            is None
        )
        assert len(stopped.visits) == stop


def test_a_real_run_tells_when_its_units_died() -> None:
    """Too large a learning rate kills units; each bracket is checked against the run itself."""
    layers = (Dense(units=24, activation=Relu()),) * 2
    simulator = Simulator(experiment_of(*layers, rate=1.0, seed=3))
    simulator.seek(40)
    found = unit_deaths(simulator, 40)
    assert found is not None
    assert found.is_exact
    dead_at = found.dead_at[1]
    assert (dead_at > 2).any(), "some unit must have died on the way for this test to mean anything"
    for unit in np.flatnonzero(dead_at > 0):
        for iteration, is_dead in ((int(dead_at[unit]), True), (int(dead_at[unit]) - 1, False)):
            simulator.seek(iteration)
            survey = unit_survey(simulator)
            assert survey is not None
            assert survey.layers[1].dead[unit] == is_dead


def test_a_run_whose_past_was_changed_is_not_told_a_false_one() -> None:
    run = Dying([5, -1])
    assert unit_deaths(run, 9, parameters={"dense_1.bias": np.full(2, 9.0)}) is not None
    with pytest.raises(ValueError, match=r"at iteration 9 \(dense_1.bias\).*changed on the way"):
        unit_deaths(run, 9, parameters={"dense_1.bias": np.full(2, 8.0)})


@pytest.mark.parametrize(
    ("alive", "dead", "words"),
    [
        (-1, -1, "alive"),
        (-1, 0, "dead from the start"),
        (120, 128, "died between iterations 120 and 128"),
        (1233, 1234, "died by the update of iteration 1,233"),
    ],
)
def test_a_death_is_told_as_exactly_as_it_is_known(alive: int, dead: int, words: str) -> None:
    assert death_words(alive, dead) == words


def test_all_deaths_are_told_with_their_moments_and_their_layer() -> None:
    told = deaths_words(unit_deaths(Dying([0, 0, 5, 9, 20, 2000]), 100))
    assert told.startswith("Of the 5 dead units 2 were so from the start and 3 died in iterations 5 to 20")
    assert "half of them by 9" in told
    assert "at the latest" not in told
    assert "looked at" in told
    assert deaths_words(unit_deaths(Dying([500]), 100)).startswith("No unit is dead; ")
    assert "at the latest" in deaths_words(unit_deaths(Dying([77, 80]), 1000, most_looks=24))
    assert "1 died in iteration 7;" in deaths_words(unit_deaths(Dying([7]), 100))


def test_the_coarse_row_begins_at_the_start_and_ends_at_the_end() -> None:
    assert coarse_iterations(0) == [0]
    assert coarse_iterations(1) == [0, 1]
    row = coarse_iterations(1000)
    assert row[0] == 0
    assert row[-1] == 1000
    assert row == sorted(set(row))
    assert len(row) < 25
