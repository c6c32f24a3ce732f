"""Remedies are pure edits of an experiment: they change what they say and nothing else, or nothing at all."""

import pytest
from msgspec.structs import replace

from gradsim.analysis.network_edits import halved
from gradsim.analysis.remedies import REMEDIES, remedy_for
from gradsim.analysis.remedy_edits import fitting_initializer
from gradsim.engine import Simulator
from gradsim.spec import (
    Dense,
    Experiment,
    Head,
    Network,
    Normalization,
    Recurrent,
    Repeat,
    Residual,
    Training,
    checked,
    placed_layers,
    unrolled_layers,
)
from gradsim.spec.activation import LeakyRelu, Linear, Relu, Selu, Sigmoid, Tanh
from gradsim.spec.data import Adding, Moons, Wine
from gradsim.spec.initializer import Constant, GlorotUniform, HeNormal, LecunNormal
from gradsim.spec.training import CosineSchedule, GlobalNormClipping, Sgd, ValueClipping

SIGMOID = Dense(units=8, activation=Sigmoid())
PLAIN = Experiment(data=Moons(samples=100), network=Network(layers=(Repeat(times=4, layers=(SIGMOID,)),)))
SEQUENCE = Experiment(
    data=Adding(samples=40, steps=6),
    network=Network(layers=(Recurrent(units=4),), head=Head(activation=Linear())),
    training=Training(loss="mse"),
)
PATIENTS = {
    "relu_he": PLAIN,
    "tanh": PLAIN,
    "leaky_relu": replace(PLAIN, network=Network(layers=(Dense(units=8, activation=Relu()),))),
    "fitting_weights": PLAIN,
    "zero_biases": replace(
        PLAIN, network=Network(layers=(Dense(units=8, bias_initializer=Constant(value=-3.0)),))
    ),
    "batch_normalization": PLAIN,
    "layer_normalization": PLAIN,
    "layer_for_batch": replace(PLAIN, network=Network(layers=(Normalization(), SIGMOID))),
    "skips": PLAIN,
    "fewer_layers": PLAIN,
    "lower_rate": PLAIN,
    "higher_rate": PLAIN,
    "much_higher_rate": PLAIN,
    "adam": PLAIN,
    "clip": PLAIN,
    "no_clipping": replace(PLAIN, training=Training(clipping=ValueClipping())),
    "raised_threshold": replace(PLAIN, training=Training(clipping=GlobalNormClipping(threshold=0.01))),
    "lowered_threshold": replace(PLAIN, training=Training(clipping=GlobalNormClipping(threshold=1e6))),
    "dynamic_loss_scale": replace(PLAIN, precision="float16"),
    "loss_scale": replace(PLAIN, precision="float16"),
    "bfloat16": replace(PLAIN, precision="float16"),
    "float32": replace(PLAIN, precision="bfloat16"),
    "no_schedule": replace(PLAIN, training=Training(schedule=CosineSchedule())),
    "no_weight_decay": replace(PLAIN, training=Training(optimizer=Sgd(weight_decay=0.1))),
    "standard_scaling": replace(PLAIN, data=Wine(scaling="none")),
    "larger_batch": replace(PLAIN, training=Training(batch_size=4)),
    "lstm": SEQUENCE,
    "gru": SEQUENCE,
    "orthogonal": replace(
        SEQUENCE,
        network=replace(
            SEQUENCE.network, layers=(Recurrent(units=4, recurrent_initializer=GlorotUniform()),)
        ),
    ),
    "remembering": replace(
        SEQUENCE, network=replace(SEQUENCE.network, layers=(Recurrent(units=4, cell="lstm"),))
    ),
}
NUMBERS = {"median gradient norm": 0.3}


def test_there_is_a_patient_for_every_remedy():
    assert set(PATIENTS) == set(REMEDIES)


@pytest.mark.parametrize("name", REMEDIES)
def test_a_remedy_makes_another_experiment_that_runs_and_leaves_the_old_one(name):
    patient = PATIENTS[name]
    copy = replace(patient)
    cure = remedy_for(name, patient, NUMBERS)
    assert patient == copy
    assert cure.experiment != patient
    assert checked(cure.experiment) == cure.experiment
    assert (cure.experiment.seed, cure.experiment.name) == (patient.seed, patient.name)
    assert len(cure.title) <= 32
    assert cure.description.endswith(".")
    Simulator(cure.experiment).record()


@pytest.mark.parametrize(
    "name",
    sorted(
        set(REMEDIES) - {"lower_rate", "higher_rate", "much_higher_rate", "fewer_layers", "raised_threshold"}
    ),
)
def test_a_remedy_that_was_applied_is_not_proposed_again(name):
    patient = PATIENTS[name]
    cure = remedy_for(name, patient, NUMBERS)
    assert remedy_for(name, cure.experiment, NUMBERS) is None


def test_a_remedy_that_does_not_apply_is_none():
    assert remedy_for("lstm", PLAIN) is None
    assert remedy_for("no_clipping", PLAIN) is None
    for name in ("dynamic_loss_scale", "loss_scale", "bfloat16", "float32"):
        assert remedy_for(name, replace(PLAIN, precision="float64")) is None
    assert remedy_for("lowered_threshold", PATIENTS["lowered_threshold"]) is None, (
        "without a measured gradient"
    )


def test_parameters_from_a_file_do_not_outlive_the_network_they_were_for():
    experiment = replace(PLAIN, parameters="weights.npz")
    assert remedy_for("relu_he", experiment).experiment.parameters is None
    assert remedy_for("lower_rate", experiment).experiment.parameters == "weights.npz"


@pytest.mark.parametrize(
    ("activation", "initializer"),
    [
        (Relu(), HeNormal()),
        (LeakyRelu(slope=0.2), HeNormal(slope=0.2)),
        (Selu(), LecunNormal()),
        (Tanh(), GlorotUniform()),
    ],
)
def test_weights_fit_their_activation(activation, initializer):
    assert fitting_initializer(activation) == initializer


def test_skips_go_round_layers_that_keep_the_width_only():
    layers = (Dense(units=8), Dense(units=8), Dense(units=4), Repeat(times=3, layers=(Dense(units=4),)))
    placed = placed_layers(
        remedy_for("skips", replace(PLAIN, network=Network(layers=layers))).experiment.network
    )
    kinds = [type(one.layer).__name__ for one in placed]
    assert kinds == ["Dense", "Residual", "Dense", "Residual", "Residual", "Residual", "Head"]
    assert {one.layer.scale for one in placed if isinstance(one.layer, Residual)} == {0.5}, "1/√4 blocks"


def test_the_first_round_of_a_repeat_that_changes_the_width_has_no_skip():
    placed = placed_layers(remedy_for("skips", PLAIN).experiment.network)
    assert [type(one.layer).__name__ for one in placed] == [
        "Dense",
        "Residual",
        "Residual",
        "Residual",
        "Head",
    ]


@pytest.mark.parametrize(
    ("layers", "left"),
    [
        ((Repeat(times=8, layers=(SIGMOID,)),), 4),
        ((Repeat(times=5, layers=(SIGMOID,)),), 3),
        ((SIGMOID,) * 6, 3),
        ((Dense(units=4), SIGMOID, SIGMOID, SIGMOID), 3),
    ],
)
def test_half_the_layers_are_left(layers, left):
    network = halved(replace(PLAIN, network=Network(layers=layers))).network
    assert len(unrolled_layers(network)) == left + 1


def test_a_single_layer_cannot_be_halved():
    assert halved(replace(PLAIN, network=Network(layers=(SIGMOID,)))) is None
