"""Causes in words, tables and budgets."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

from gradsim.analysis.cause import (
    CAUSE_UNITS,
    FACTOR_KINDS,
    Causes,
    Factor,
    LayerCause,
    budget_sentence,
    cause_budget,
    cause_sentence,
    cause_table,
    causes,
    factor_sentence,
    is_along,
    layer_cause,
    layer_sentence,
    main_cause_sentence,
    main_cause_words,
    times,
    total_cause_sentence,
)
from gradsim.analysis.fit import fitted_factor
from tests.kind_runs import NETWORKS, kind_run
from tests.reference import reference_trace

INF, NAN = math.inf, math.nan
LABELS = {
    "weight": "weights",
    "bias": "bias",
    "slope": "sigmoid slope",
    "normalization": "batch normalization",
    "skip": "skip added",
    "dropout": "dropout",
    "time": "back through time",
}
kinds = pytest.mark.parametrize("name", NETWORKS)
directions = pytest.mark.parametrize("direction", ["backward", "forward"])


def cause_of(*steps, before=1.0, direction="backward", number=1):
    """A cause from pairs of a kind and the size behind it."""
    factors, size = [], before
    for kind, after in steps:
        factors.append(Factor(kind, "dense_1", LABELS[kind], size, after))
        size = after
    other = number + (1 if direction == "backward" else -1)
    return LayerCause(direction, number, other, f"dense_{number}", number - 1, before, size, tuple(factors))


def budget_of(*rows, direction="backward"):
    found = tuple(cause_of(*row, direction=direction, number=i + 1) for i, row in enumerate(rows))
    empty = {"backward": (), "forward": ()} | {direction: found}
    return cause_budget(Causes(0, (), **empty), direction)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (0.21, "×0.21"),
        (1.03, "×1.03"),
        (1.0, "×1.00"),
        (0.096, "×0.096"),
        (3.14159, "×3.1"),
        (99.7, "×100"),
        (999.9, "×1000"),
        (4.1e-7, "×4.1e-07"),
        (9.99e-5, "×1.0e-04"),
        (2e12, "×2.0e+12"),
    ],
)
def test_factors_are_told_in_two_digits(value, words):
    assert times(math.log10(value)) == words


def test_a_factor_beyond_float64_is_told():
    assert times(-600.0) == "×1.0e-600"
    assert times(NAN) == "×NaN"


@pytest.mark.parametrize(
    ("steps", "words"),
    [
        ([("weight", 1.03), ("slope", 0.2163)], "sigmoid slope ×0.21, weights ×1.03: the slope shrinks it"),
        (
            [("weight", 5.0), ("slope", 1.0)],
            "weights ×5, sigmoid slope ×0.2: the weights make up for the slope",
        ),
        ([("weight", 1.1), ("slope", 1.0)], "weights ×1.1, sigmoid slope ×0.91: it hardly changes"),
        (
            [("weight", 0.5), ("slope", 0.2)],
            "sigmoid slope ×0.4, weights ×0.5: the slope and the weights shrink it",
        ),
        ([("weight", 9.0)], "weights ×9: the weights make it grow"),
        (
            [("weight", 9.0), ("slope", 3.0)],
            "weights ×9, sigmoid slope ×0.33: the weights make it grow, the slope against it",
        ),
        ([("skip", 9.0)], "skip added ×9: the skip makes it grow"),
        (
            [("time", 0.1), ("dropout", 0.11)],
            "back through time ×0.1, dropout ×1.1: the time steps shrink it",
        ),
        (
            [("weight", 1.03), ("slope", 0.0)],
            "sigmoid slope: ×0 (1 → 0), weights ×1.03: the sigmoid slope lets nothing through",
        ),
        ([("weight", 0.0), ("slope", 0.0)], "weights: ×0 (1 → 0): the weights let nothing through"),
        (
            [("weight", INF), ("slope", INF)],
            "weights: makes it infinite: the weights make it infinite",
        ),
        ([("weight", NAN), ("slope", NAN)], "it becomes NaN by the weights"),
    ],
)
def test_the_cause_of_a_layer_in_words(steps, words):
    assert cause_sentence(cause_of(*steps)) == words


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        (0.0, 0.0, "nothing arrives: it is 0 in layer 2 already"),
        (NAN, NAN, "it is NaN in layer 2 already"),
        (INF, INF, "it is ∞ in layer 2 already"),
        (0.0, 1.0, "skip added: from 0 to 1: it comes from the skip added alone"),
        (INF, 1.0, "skip added: ×0 (∞ → 1): it was infinite before"),
    ],
)
def test_what_arrives_broken_is_said_to(before, after, words):
    assert cause_sentence(cause_of(("skip", after), before=before)) == words


def test_details_stand_behind_their_factor():
    slope = Factor("slope", "a", "sigmoid slope", 1.0, 0.21, {"mean_slope": 0.24, "correlation": 0.875})
    assert factor_sentence(slope, details=True) == "sigmoid slope ×0.21 (mean φ' 0.24, correlation ×0.88)"
    assert factor_sentence(slope) == "sigmoid slope ×0.21"


def test_a_whole_sentence_names_layer_and_neighbour():
    told = layer_sentence(cause_of(("slope", 0.2), number=3))
    assert (
        told == "Layer 3 (dense_3): rms δ is ×0.2 that of layer 4: sigmoid slope ×0.2: the slope shrinks it."
    )
    told = layer_sentence(cause_of(("slope", 0.0), number=3, direction="forward"))
    assert told.startswith("Layer 3 (dense_3): rms a is 0 after 1 in layer 2: ")


@kinds
@directions
def test_every_kind_of_network_is_told(name, direction):
    found = causes(kind_run(name).trace)
    assert budget_sentence(cause_budget(found, direction)).endswith(".")
    for cause in found.of(direction):
        assert all(factor.label in layer_sentence(cause) for factor in cause.factors)
        assert "NaN" not in layer_sentence(cause)


@kinds
@directions
def test_the_table_has_a_row_per_layer_and_a_column_per_kind(name, direction):
    found = causes(kind_run(name).trace)
    table = cause_table(found, direction)
    assert set(table) <= set(CAUSE_UNITS)
    assert {len(column) for column in table.values()} == {len(found.of(direction))}
    assert {kind for kind in FACTOR_KINDS if kind in table} == {
        factor.kind for cause in found.of(direction) for factor in cause.factors
    }
    assert table["product"] == pytest.approx(table["ratio"])


@kinds
@directions
def test_a_budget_adds_up(name, direction):
    found = causes(kind_run(name).trace)
    budget = cause_budget(found, direction)
    assert sum(part.log10 for part in budget.parts) == pytest.approx(budget.log10, abs=1e-9)
    shares = [part.share for part in budget.parts if not math.isnan(part.share)]
    assert not shares or sum(shares) == pytest.approx(1.0)
    assert all(part.log10 * budget.log10 > 0 for part in budget.parts if not math.isnan(part.share))
    assert budget.counted == budget.steps == len(found.of(direction)) - (direction == "forward")


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([[("slope", 0.2)], [("slope", 0.2)]], "Sigmoid slopes account for all of the shrinking."),
        (
            [[("weight", 0.9), ("slope", 0.2)], [("slope", 0.01)]],
            "Sigmoid slopes account for 98 % of the shrinking.",
        ),
        (
            [[("weight", 0.5), ("slope", 0.2)]],
            "Sigmoid slopes account for 57 % of the shrinking, weights for 43 %.",
        ),
        (
            [[("weight", 3.0), ("normalization", 0.1)]],
            "Batch normalization accounts for all of the shrinking; against it: weights ×3.",
        ),
        ([[("weight", 30.0)]], "Weights account for all of the growth."),
        ([[("weight", 4.0), ("slope", 1.0)]], "Weights make up for sigmoid slopes."),
        ([[("dropout", 4.0), ("slope", 1.0)]], "Dropout makes up for sigmoid slopes."),
        ([[("weight", 1.1), ("slope", 1.0)]], "No factor changes it much."),
        ([], ""),
    ],
)
def test_the_chief_cause_of_a_net_in_words(rows, words):
    assert main_cause_sentence(budget_of(*rows)) == words


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([[("slope", 0.2)]], "sigmoid slopes 100 %"),
        ([[("weight", 0.5), ("slope", 0.2)]], "sigmoid slopes 57 %"),
        ([[("weight", 4.0), ("slope", 1.0)]], ""),
        ([], ""),
    ],
)
def test_the_chief_cause_in_the_fewest_words(rows, words):
    assert main_cause_words(budget_of(*rows)) == words


def test_the_chief_cause_with_the_total_it_speaks_of():
    assert total_cause_sentence(budget_of([("slope", 0.2)], [("slope", 0.7)])) == (
        "Over all layers δ changes ×0.14. Sigmoid slopes account for all of the shrinking."
    )
    told = total_cause_sentence(budget_of([("slope", 0.2)], [("slope", 0.0)]))
    assert told.startswith("Over 1 of 2 layers δ changes ×0.2. ")
    assert total_cause_sentence(budget_of()) == ""


@pytest.mark.parametrize(
    ("delta", "total", "together"),
    [
        ([1e-3, 1e-2, 0.1, 1.0], 1e-3, True),
        ([1e3, 1e2, 10.0, 1.0], 1e3, True),
        ([0.5, 90.0, 40.0, 8.0, 1.0], 0.5, False),  # grows from layer to layer, but is smaller in the first
        ([1.0, 1.0, 1.0], 1.0, True),
        ([0.5, 9.0, 1.0, 1.0, 9.0, 0.5], 0.5, False),
        ([0.0, 0.0, 1.0], 0.5, False),
    ],
)
def test_the_chief_cause_is_that_of_a_slope_that_goes_the_same_way(delta, total, together):
    fit = fitted_factor(np.array(delta), np.arange(1, len(delta) + 1), "backward", len(delta))
    assert is_along(budget_of([("slope", total)]), fit) is together


def test_a_budget_names_what_it_leaves_out():
    budget = budget_of(
        [("slope", 0.2)], [("slope", 0.0)], [("slope", NAN)], [("slope", 0.2)], [("slope", NAN)]
    )
    assert (budget.counted, budget.left_out) == (2, (2, 3, 5))
    assert budget.left_out_words == "in layer 2 it becomes 0; in layers 3, 5 it is not a number"
    assert budget_sentence(budget).endswith(f"Left out: {budget.left_out_words}.")


@pytest.mark.parametrize("fault", ["zero", "nan", "inf"])
@directions
def test_a_broken_net_is_told_as_such(fault, direction):
    budget = cause_budget(causes(reference_trace(layers=9, fault=fault)), direction)
    assert budget.counted == 0
    assert budget_sentence(budget).startswith("No ratio of ")
    assert main_cause_sentence(budget) == ""


def test_one_layer_has_nothing_to_explain():
    found = causes(reference_trace(layers=1))
    assert budget_sentence(cause_budget(found, "backward")) == "There is a single layer: no ratio to explain."
    found = causes(reference_trace(layers=2))
    told = budget_sentence(cause_budget(found, "forward"))
    assert told == "There is a single layer before the head: nothing to add up."


def test_sigmoid_slopes_are_why_a_deep_sigmoid_net_vanishes():
    """From 20 layers of sigmoid with Glorot weights, whose slope is at most a quarter."""
    trace = reference_trace(layers=20, units=32, activation="sigmoid", precision="float64")
    budget = cause_budget(causes(trace), "backward")
    assert budget.log10 < -8
    assert budget.parts[0].label == "sigmoid slopes"
    assert budget.parts[0].share > 0.9
    assert main_cause_sentence(budget).startswith("Sigmoid slopes account for ")
    middle = layer_cause(trace, "backward", 10)
    assert middle is not None
    slope = next(factor for factor in middle.factors if factor.kind == "slope")
    assert slope.details["mean_slope"] <= 0.25
    assert cause_sentence(middle).endswith("the slope shrinks it")


def test_records_are_values():
    cause = cause_of(("slope", 0.2))
    with pytest.raises(dataclasses.FrozenInstanceError):
        cause.before = 2.0
