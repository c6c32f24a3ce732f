import pytest

from gradsim.analysis import profile, sentence
from tests.analysis.test_profile import with_rms
from tests.reference import reference_trace

EVEN = [1.0, 1.0, 1.0, 1.0]


def told(delta, activation=EVEN):
    return sentence(profile(with_rms(reference_trace(layers=4), delta=delta, activation=activation)))


def test_a_gradient_that_shrinks_is_told_with_its_factor_and_its_ends():
    assert told([1e-3, 1e-2, 1e-1, 1.0]) == (
        "From the output back to the input the error signal (rms δ) shrinks ×0.1 per layer "
        "(R² 1.00 over 4 layers): 1 in layer 4, 0.001 in layer 1. "
        "From the input forward the activation (rms a) before the head is flat (3 layers)."
    )


@pytest.mark.parametrize(
    ("delta", "words"),
    [
        ([1000.0, 100.0, 10.0, 1.0], "(rms δ) grows ×10 per layer (R² 1.00"),
        ([1.0, 1.0, 1.0, 1.0], "(rms δ) is flat (4 layers)"),
        ([1.0, 100.0, 100.0, 1.0], "(rms δ) is flat on average, but uneven (4 layers)"),
        ([1e-3, 1.0, 1e-3, 1.0], "per layer, unevenly (R²"),
        ([0.0, 0.0, 0.1, 1.0], "0 in layer 1; 2 of 4 layers are 0 and stand outside the fit."),
        ([float("nan"), 0.01, 0.1, 1.0], "not a number in layer 1; not a number in layer 1."),
        ([0.0] * 4, "(rms δ) has no slope: all 4 layers are 0. From"),
        ([float("inf")] * 4, "(rms δ) has no slope: all 4 layers are infinite. From"),
    ],
)
def test_every_course_of_the_gradient_has_its_words(delta, words):
    assert words in told(delta)
