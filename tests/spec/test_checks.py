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
    Repeat,
    SpecError,
    check_experiment,
    checked,
    kind_of,
    task,
)
from gradsim.spec.activation import Relu, Rrelu, Sigmoid, Softmax
from gradsim.spec.data import (
    Checkerboard,
    Circles,
    Curve,
    GaussianNoise,
    Gaussians,
    Inline,
    Iris,
    Plane,
    Spirals,
)
from gradsim.spec.training import Training
from tests.spec.strategies import experiments


def with_inline(inputs: Any, targets: Any, loss: str = "mse") -> Experiment:
    return Experiment(data=Inline(inputs=inputs, targets=targets), training=Training(loss=loss))


def with_layers(*layers: Any) -> Experiment:
    return Experiment(network=Network(layers=layers))


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


@pytest.mark.parametrize("kind", [k for k in get_args(Data) if k is not Inline])
def test_only_curves_planes_and_noise_are_regressions(kind: Any) -> None:
    expected = "regression" if kind in (Curve, Plane, GaussianNoise) else "classification"
    assert task(Experiment(data=kind())) == expected


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


@given(experiments())
def test_drawn_experiments_are_valid(experiment: Experiment) -> None:
    assert checked(experiment) == experiment
