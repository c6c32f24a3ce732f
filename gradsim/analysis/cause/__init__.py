"""Why signals shrink or grow from layer to layer: exact factors, their budget over the net, and words for them."""

from gradsim.analysis.cause.budget import BudgetPart, CauseBudget, cause_budget
from gradsim.analysis.cause.budget_wording import (
    budget_sentence,
    counted_layers,
    is_along,
    main_cause_sentence,
    main_cause_words,
    total_cause_sentence,
)
from gradsim.analysis.cause.details import DETAIL_WORDS, angle_between
from gradsim.analysis.cause.factor_wording import factor_sentence, times
from gradsim.analysis.cause.measure import causes, layer_cause
from gradsim.analysis.cause.records import FACTOR_KINDS, Causes, Factor, FactorKind, LayerCause
from gradsim.analysis.cause.table import CAUSE_UNITS, cause_table
from gradsim.analysis.cause.wording import cause_sentence, cause_verdict, layer_sentence

__all__ = [
    "CAUSE_UNITS",
    "DETAIL_WORDS",
    "FACTOR_KINDS",
    "BudgetPart",
    "CauseBudget",
    "Causes",
    "Factor",
    "FactorKind",
    "LayerCause",
    "angle_between",
    "budget_sentence",
    "cause_budget",
    "cause_sentence",
    "cause_table",
    "cause_verdict",
    "causes",
    "counted_layers",
    "factor_sentence",
    "is_along",
    "layer_cause",
    "layer_sentence",
    "main_cause_sentence",
    "main_cause_words",
    "times",
    "total_cause_sentence",
]
