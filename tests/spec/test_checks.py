"""Rules that join several fields."""

from typing import Any, get_args

import pytest
from hypothesis import given

from gradsim.spec import (
    Activation,
    Data,
    Dense,
    Experiment,
    Head,
    LossName,
    Network,
    Normalization,
    Recurrent,
    Repeat,
    Residual,
    SpecError,
    check_experiment,
    checked,
    kind_of,
    task,
)
from gradsim.spec.activation import Relu, Rrelu, Sigmoid, Softmax
from gradsim.spec.data import (
    Adding,
    Checkerboard,
    Circles,
    CopyMemory,
    Curve,
    DelayedParity,
    GaussianNoise,
    Gaussians,
    Inline,
    Iris,
    Plane,
    Spirals,
    Sunspots,
)
from gradsim.spec.training import Training
from tests.spec.strategies import experiments


def with_inline(inputs: Any, targets: Any, loss: str = "mse") -> Experiment:
    return Experiment(data=Inline(inputs=inputs, targets=targets), training=Training(loss=loss))


def with_layers(*layers: Any) -> Experiment:
    return Experiment(network=Network(layers=layers))


def sequences(data: Any, *layers: Any) -> Experiment:
    return Experiment(data=data, network=Network(layers=layers), training=Training(loss="mse"))


LAST, EVERY = Recurrent(), Recurrent(return_sequences=True)


def with_head(loss: str, activation: Any, **parts: Any) -> Experiment:
    return Experiment(
        network=Network(head=Head(activation=activation)), training=Training(loss=loss), **parts
    )


FAULTS: dict[str, tuple[Experiment, str]] = {
    "cross entropy without softmax": (
        with_head("cross_entropy", Relu()),
        "$.network.head.activation: expected softmax, which the loss cross_entropy is computed with, "
        "got relu",
    ),
    "binary cross entropy without sigmoid": (
        with_head("binary_cross_entropy", Softmax()),
        "$.network.head.activation: expected sigmoid, which the loss binary_cross_entropy is computed with, "
        "got softmax",
    ),
    "cross entropy of a regression": (
        Experiment(data=Curve()),
        "$.training.loss: expected mse, half_mse or sse, because the targets of the data curve are numbers "
        "and not classes, got cross_entropy",
    ),
    "binary cross entropy of a regression": (
        with_head("binary_cross_entropy", Sigmoid(), data=GaussianNoise()),
        "$.training.loss: expected mse, half_mse or sse, because the targets of the data noise are numbers "
        "and not classes, got binary_cross_entropy",
    ),
    "cross entropy of rows": (
        with_inline(((1.0,), (2.0,)), ((0.0,), (1.0,)), "cross_entropy"),
        "$.training.loss: expected mse, half_mse or sse, because the targets of the data inline are numbers "
        "and not classes, got cross_entropy",
    ),
    "slopes in the wrong order": (
        with_layers(Repeat(layers=(Dense(), Dense(activation=Rrelu(lower=0.5, upper=0.25))))),
        "$.network.layers[0].layers[1].activation.lower: expected at most the highest slope 0.25, got 0.5",
    ),
    "slopes of the head in the wrong order": (
        with_head("mse", Rrelu(lower=0.5, upper=0.25)),
        "$.network.head.activation.lower: expected at most the highest slope 0.25, got 0.5",
    ),
    "two layers of one name": (
        with_layers(Dense(name="a"), Dense(name="a")),
        "$.network.layers[1].name: expected a name of its own, got 'a', which is $.network.layers[0]'s",
    ),
    "too many layers": (
        with_layers(Repeat(times=1000, layers=(Repeat(times=1000, layers=(Dense(),)),))),
        "$.network.layers: expected at most 2000 layers after repeats, got more",
    ),
    "no layer": (
        with_layers(),
        "$.network.layers: expected at least one layer before the head, got an empty list",
    ),
    "rows of different width": (
        with_inline(((1.0, 2.0), (3.0,)), (0, 1)),
        "$.data.inputs[1]: expected 2 numbers as in the first row, got 1",
    ),
    "targets of different width": (
        with_inline(((1.0,), (3.0,)), ((0.0,), (1.0, 2.0))),
        "$.data.targets[1]: expected 1 numbers as in the first row, got 2",
    ),
    "too few targets": (
        with_inline(((1.0,), (3.0,)), (0,)),
        "$.data.targets: expected one target for each of the 2 rows of inputs, got 1",
    ),
    "classes among rows": (
        with_inline(((1.0,), (3.0,)), ((0.5,), 1)),
        "$.data.targets[1]: expected a list of numbers like the targets before, got a class number",
    ),
    "rows among classes": (
        with_inline(((1.0,), (3.0,), (4.0,)), (0, 1, (0.5,))),
        "$.data.targets[2]: expected a class number like the targets before, got a list of numbers",
    ),
    "one class": (
        with_inline(((1.0,), (3.0,)), (0, 0)),
        "$.data.targets: expected at least two classes, got only class 0",
    ),
    "a class left out": (
        with_inline(((1.0,), (3.0,)), (0, 2)),
        "$.data.targets: expected classes numbered from 0 without a gap, but none is 1",
    ),
    "more classes than samples": (
        Experiment(data=Spirals(samples=4, classes=5)),
        "$.data.samples: expected at least one sample for each of the 5 classes, got 4",
    ),
    "more classes than colours of the board": (
        Experiment(data=Checkerboard(squares=2, classes=4)),
        "$.data.classes: expected at most 3 classes on a board of 2 × 2 squares, got 4",
    ),
    "sequences without a recurrent layer": (
        sequences(Adding(), Dense(), Residual(layers=(Dense(),))),
        "$.network.layers: expected a recurrent layer, because the data adding are sequences, got none",
    ),
    "a recurrent layer without sequences": (
        with_layers(Dense(), Repeat(layers=(LAST,))),
        "$.network.layers[1].layers[0]: expected no recurrent layer, because the data digits have no time "
        "steps, got one",
    ),
    "a recurrent layer in a branch without sequences": (
        with_layers(Residual(layers=(EVERY,))),
        "$.network.layers[0].layers[0]: expected no recurrent layer, because the data digits have no time "
        "steps, got one",
    ),
    "only the last step for a target at every step": (
        sequences(CopyMemory(), EVERY, Dense(), LAST),
        "$.network.layers[2].return_sequences: expected true, because the data copy_memory have a target at "
        "every step, got false",
    ),
    "every step for one target": (
        sequences(Adding(), EVERY, EVERY, Dense()),
        "$.network.layers[1].return_sequences: expected false, because the data adding have one target per "
        "sequence, got true",
    ),
    "a recurrent layer after the last step": (
        sequences(DelayedParity(), LAST, Dense(), LAST),
        "$.network.layers[0].return_sequences: expected true, because the recurrent layers after it need "
        "every step, got false",
    ),
    "a recurrent branch after the last step": (
        sequences(Sunspots(), LAST, Residual(layers=(EVERY,)), LAST),
        "$.network.layers[0].return_sequences: expected true, because the recurrent layers after it need "
        "every step, got false",
    ),
    "a recurrent layer repeated to the end": (
        sequences(Adding(), Repeat(times=3, layers=(EVERY, Dense()))),
        "$.network.layers[0].layers[0]: expected after the repeats of this layer a recurrent layer that hands "
        "on only its last step, because the data adding have one target per sequence, got none",
    ),
    "recurrent layers in branches alone": (
        sequences(Adding(), Residual(layers=(Residual(layers=(EVERY,)),))),
        "$.network.layers[0]: expected after this residual a recurrent layer that hands on only its last "
        "step, because the data adding have one target per sequence, got none",
    ),
    "only the last step within a branch": (
        sequences(Adding(), Residual(layers=(Dense(), LAST)), LAST),
        "$.network.layers[0].layers[1].return_sequences: expected true, because the residual adds its branch "
        "step by step, got false",
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_parts_that_do_not_fit_are_refused_where_they_stand(name: str) -> None:
    experiment, sentence = FAULTS[name]
    with pytest.raises(SpecError) as caught:
        check_experiment(experiment)
    assert str(caught.value) == sentence


@pytest.mark.parametrize("kind", [Circles, Spirals, Gaussians, Checkerboard])
def test_every_data_set_with_a_number_of_classes_needs_a_sample_for_each(kind: Any) -> None:
    check_experiment(Experiment(data=kind(samples=5, classes=5)))
    with pytest.raises(SpecError, match=r"\$\.data\.samples"):
        check_experiment(Experiment(data=kind(samples=4, classes=5)))


FITTING: dict[str, Experiment] = {
    "one layer that hands on the last step": sequences(Adding(), LAST),
    "several of which the last does": sequences(
        Sunspots(), Dense(), EVERY, Repeat(layers=(EVERY,)), LAST, Dense()
    ),
    "one copy of a repeat": sequences(DelayedParity(), Repeat(times=1, layers=(LAST,))),
    "every step in branches and the last after them": sequences(Adding(), Residual(layers=(EVERY,)), LAST),
    "residuals without time after the last step": sequences(Adding(), LAST, Residual(layers=(Dense(),))),
    "every step throughout": sequences(
        CopyMemory(), EVERY, Repeat(layers=(EVERY,)), Residual(layers=(EVERY,))
    ),
}


@pytest.mark.parametrize("name", FITTING)
def test_recurrent_layers_that_fit_the_sequences_are_accepted(name: str) -> None:
    check_experiment(FITTING[name])


@pytest.mark.parametrize("kind", [k for k in get_args(Data) if k is not Inline])
def test_only_curves_planes_noise_sums_and_series_are_regressions(kind: Any) -> None:
    regressions = (Curve, Plane, GaussianNoise, Adding, Sunspots)
    assert task(Experiment(data=kind())) == ("regression" if kind in regressions else "classification")


def test_only_sequences_that_are_copied_are_answered_at_every_step() -> None:
    kinds = get_args(Data)
    assert [kind for kind in kinds if kind.is_sequence] == [Adding, CopyMemory, DelayedParity, Sunspots]
    assert [kind for kind in kinds if kind.answers_every_step] == [CopyMemory]


@pytest.mark.parametrize(
    ("targets", "expected"), [((0, 1), "classification"), (((0.0,), (1.0,)), "regression")]
)
def test_inline_data_say_by_their_targets_what_they_are(targets: Any, expected: str) -> None:
    assert task(with_inline(((0.0,), (1.0,)), targets)) == expected


@pytest.mark.parametrize("activation", get_args(Activation), ids=lambda kind: str(kind.__struct_config__.tag))
@pytest.mark.parametrize("loss", get_args(LossName))
def test_a_head_fits_every_loss_but_the_two_that_are_computed_with_their_own(
    loss: str, activation: Any
) -> None:
    own = {"cross_entropy": "softmax", "binary_cross_entropy": "sigmoid"}
    experiment = with_head(loss, activation(), data=Iris())
    if kind_of(activation()) == own.get(loss, kind_of(activation())):
        check_experiment(experiment)
    else:
        with pytest.raises(SpecError, match=r"\$\.network\.head\.activation"):
            check_experiment(experiment)


@pytest.mark.parametrize(
    ("layer", "path"),
    [
        (Normalization(), "$.network.layers[0].method"),
        (Dense(normalization=Normalization()), "$.network.layers[0].normalization.method"),
        (Residual(layers=(Normalization(),)), "$.network.layers[0].layers[0].method"),
    ],
)
def test_a_batch_of_one_has_no_variance_to_normalize_by(layer: Any, path: str) -> None:
    network = Network(layers=(layer,))
    check_experiment(Experiment(network=network, training=Training(batch_size=2)))
    with pytest.raises(SpecError, match="a batch of 1 has no variance") as caught:
        check_experiment(Experiment(network=network, training=Training(batch_size=1)))
    assert caught.value.path == path


@given(experiments())
def test_drawn_experiments_are_valid(experiment: Experiment) -> None:
    assert checked(experiment) == experiment
