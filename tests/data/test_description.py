import pytest

from gradsim.data import describe, prepare_samples
from gradsim.spec import Experiment, Training
from gradsim.spec.data import Adding, CopyMemory, Curve, DelayedParity, Digits, Inline, Moons, Sunspots


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
    ("data", "loss", "words"),
    [
        (
            Adding(samples=100, steps=30),
            "mse",
            "Adding two of 30 numbers: 100 samples, 30 steps of 2 features, 1 number to predict, "
            "20 of them held back for validation.",
        ),
        (
            CopyMemory(),
            "cross_entropy",
            "Copying 5 symbols after 20 steps: 5,000 samples, 30 steps of 10 features, 9 classes at every step, "
            "1,000 of them held back for validation.",
        ),
        (
            DelayedParity(bits=1, delay=4, validation=0.0),
            "cross_entropy",
            "Parity of 1 bit after 4 steps: 1,000 samples, 5 steps of 2 features, 2 classes, "
            "none of them held back.",
        ),
        (
            Sunspots(steps=1),
            "mse",
            "Sunspots since 1700: 308 samples, 1 step of 1 feature, 1 number to predict, "
            "62 of them held back for validation.",
        ),
    ],
)
def test_sequences_are_told_with_their_steps(data, loss, words):
    assert sentence(data, loss) == words


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
