import pytest

from gradsim.data import describe, prepare_samples
from gradsim.spec import Experiment, Training
from gradsim.spec.data import Curve, Digits, Inline, Moons


def sentence(data, loss="cross_entropy"):
    return describe(prepare_samples(Experiment(data=data, training=Training(loss=loss))))


def test_a_classification_is_told_in_one_sentence():
    assert sentence(Moons()) == (
        "Two moons: 500 samples, 2 features, 2 classes, 100 of them held back for validation."
    )


def test_a_regression_is_told_in_one_sentence():
    assert sentence(Curve(validation=0.0), "mse") == (
        "Curve y = sin 2πx: 300 samples, 1 feature, 1 number to predict, none of them held back."
    )


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (Digits(), "constant in training: row 1, column 1 (0–16)"),
        (
            Inline(inputs=((1.0, 0.1), (2.0, 0.1)), targets=(0, 1), scaling="standard"),
            "constant in training: x2.",
        ),
    ],
)
def test_constant_columns_are_named(data, words):
    assert words in sentence(data)
