"""What theory expects of random networks, to stand beside what a pass has measured."""

from gradsim.analysis.theory.expected_profile import ExpectedProfile, expected_profile
from gradsim.analysis.theory.gaussian import Moments, moments
from gradsim.analysis.theory.mean_field import MeanField, critical_points, mean_field_of, next_q
from gradsim.analysis.theory.network_mean_field import mean_field
from gradsim.analysis.theory.recurrent_bound import RecurrentBound, bound_words, recurrent_bounds
from gradsim.analysis.theory.wording import (
    THEORY_UNITS,
    field_sentence,
    power_words,
    theory_sentence,
    theory_sentences,
    theory_table,
    theory_words,
)

__all__ = [
    "THEORY_UNITS",
    "ExpectedProfile",
    "MeanField",
    "Moments",
    "RecurrentBound",
    "bound_words",
    "critical_points",
    "expected_profile",
    "field_sentence",
    "mean_field",
    "mean_field_of",
    "moments",
    "next_q",
    "power_words",
    "recurrent_bounds",
    "theory_sentence",
    "theory_sentences",
    "theory_table",
    "theory_words",
]
