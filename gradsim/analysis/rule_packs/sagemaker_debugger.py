"""The built-in rules of Amazon SageMaker Debugger with their default parameters."""

from __future__ import annotations

import numpy as np

from gradsim.analysis.rule_packs.record import Record, farthest, log10, ratio
from gradsim.analysis.rule_packs.rule import Measured, NotApplicable, PublishedRule

PACK = "SageMaker Debugger"
VANISHING = 1e-7
INACTIVE_SHARE = 0.01
LAYER_SHARE = 0.5
INPUT_LIMITS = {"tanh": (-9.4999, 9.4999), "sigmoid": (-23.0, 16.99999)}
VARIANCE_RATIO = 10.0
FIRST_STEPS = 10
UPDATE_RATIOS = (1e-8, 10.0)
UPDATE_EPSILON = 1e-9
LOSS_STEPS = 10
LOSS_PERCENT = 0.1


def vanishing_gradient(record: Record) -> Measured | NotApplicable:
    """Fire where the mean of the absolute values of a gradient drops below 1e-7 (VanishingGradient).

    Amazon SageMaker developer guide, "List of Debugger built-in rules". Every gradient is looked at, those of
    biases too.
    """
    means = [(one.layer, one.gradient_mean) for one in record.parameters]
    layer, value = farthest(means, VANISHING, np.inf, log10)
    return Measured(value, value < VANISHING, layer)


def exploding_tensor(record: Record) -> Measured | NotApplicable:
    """Fire where any tensor holds a value that is NaN or infinite (ExplodingTensor).

    Amazon SageMaker developer guide, "List of Debugger built-in rules".
    """
    count, layer = record.not_finite()
    return Measured(float(count), count > 0, layer)


def dead_relu(record: Record) -> Measured | NotApplicable:
    """Fire where more than 50 % of the ReLUs of a layer are active in less than 1 % of the samples (DeadRelu).

    Amazon SageMaker developer guide, "List of Debugger built-in rules": threshold_inactivity 1.0,
    threshold_layer 50.0, both percentages. The samples are those of this batch.
    """
    shares = [
        (layer.name, float(np.mean(np.mean(a > 0, axis=0) < INACTIVE_SHARE)))
        for layer, _, a in record.activated(["relu"])
    ]
    if not shares:
        return NotApplicable("no ReLU")
    name, value = farthest(shares, -np.inf, LAYER_SHARE)
    return Measured(value, value > LAYER_SHARE, name)


def saturated_activation(record: Record) -> Measured | NotApplicable:
    """Fire where more than 50 % of the units of a layer have inputs beyond the limits in over 99 % of the samples.

    Amazon SageMaker developer guide, "List of Debugger built-in rules", SaturatedActivation: the inputs of tanh
    lie within ±9.4999, those of sigmoid within −23 and 16.99999; threshold_inactivity 1.0, threshold_layer 50.0,
    both percentages.
    """
    shares = []
    with np.errstate(invalid="ignore"):
        for layer, z, _ in record.activated(INPUT_LIMITS):
            low, high = INPUT_LIMITS[layer.activation_kind]
            inside = np.mean((z >= low) & (z <= high), axis=0)
            shares.append((layer.name, float(np.mean(inside < INACTIVE_SHARE))))
    if not shares:
        return NotApplicable("no tanh, no sigmoid")
    name, value = farthest(shares, -np.inf, LAYER_SHARE)
    return Measured(value, value > LAYER_SHARE, name)


def poor_weight_initialization(record: Record) -> Measured | NotApplicable:
    """Fire where the variances of the first weights of two layers differ by more than a factor of 10.

    Amazon SageMaker developer guide, "List of Debugger built-in rules", PoorWeightInitialization: threshold 10.0
    for the ratio between the largest and the smallest variance per layer, in the first 10 steps.
    """
    variances = record.initial_variances(FIRST_STEPS)
    if variances is None:
        return NotApplicable("the first iterations are not at hand")
    if len(variances) < 2:
        return NotApplicable("one layer")
    low = min(variances, key=lambda name: variances[name])
    high = max(variances, key=lambda name: variances[name])
    value = ratio(variances[high], variances[low])
    return Measured(value, value > VARIANCE_RATIO, low, f"{high} against {low}")


def weight_update_ratio(record: Record) -> Measured | NotApplicable:
    """Fire where the update of the weights is more than 10 times or less than 1e-8 times the weights.

    Amazon SageMaker developer guide, "List of Debugger built-in rules", WeightUpdateRatio: large_threshold 10.0,
    small_threshold 1e-8, epsilon 1e-9 against a division by 0. Which sizes are divided is not published; here
    it is mean |ΔW| / (mean |W| + 1e-9).
    """
    low, high = UPDATE_RATIOS
    ratios = [(one.layer, ratio(one.update_mean, one.value_mean + UPDATE_EPSILON)) for one in record.matrices]
    layer, value = farthest(ratios, low, high, log10)
    return Measured(value, value < low or value > high, layer)


def loss_not_decreasing(record: Record) -> Measured | NotApplicable:
    """Fire where the loss has decreased by less than 0.1 % in 10 steps (LossNotDecreasing).

    Amazon SageMaker developer guide, "List of Debugger built-in rules": diff_percent 0.1, num_steps 10.
    """
    if record.trace.iteration < LOSS_STEPS:
        return NotApplicable("fewer than 10 iterations")
    before = record.loss_before(LOSS_STEPS)
    if before is None:
        return NotApplicable("the loss 10 iterations ago is not kept")
    value = 100.0 * ratio(before - record.trace.loss, before)
    return Measured(value, value < LOSS_PERCENT)


RULES = (
    PublishedRule(
        PACK, "VanishingGradient", "vanishing gradient", "smallest mean |g|", "< 1e-7", vanishing_gradient
    ),
    PublishedRule(
        PACK,
        "ExplodingTensor",
        "values that are not finite",
        "values that are NaN or infinite",
        "> 0",
        exploding_tensor,
    ),
    PublishedRule(
        PACK,
        "DeadRelu",
        "dead units",
        "share of units active in < 1 % of the samples",
        "> 50 % of a layer",
        dead_relu,
    ),
    PublishedRule(
        PACK,
        "SaturatedActivation",
        "saturated units",
        "share of units beyond tanh ±9.4999, sigmoid −23…16.99999",
        "> 50 % of a layer",
        saturated_activation,
    ),
    PublishedRule(
        PACK,
        "PoorWeightInitialization",
        "initial weights",
        "largest / smallest variance of first weights",
        "> 10",
        poor_weight_initialization,
    ),
    PublishedRule(
        PACK,
        "WeightUpdateRatio",
        "size of the updates",
        "mean |ΔW| / mean |W|",
        "> 10 or < 1e-8",
        weight_update_ratio,
    ),
    PublishedRule(
        PACK,
        "LossNotDecreasing",
        "course of the loss",
        "decrease of the loss in 10 iterations, %",
        "< 0.1 %",
        loss_not_decreasing,
    ),
)
