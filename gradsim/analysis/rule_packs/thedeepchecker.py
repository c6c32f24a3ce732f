"""The rules of TheDeepChecker that watch a training, with the cuts of its settings."""

from __future__ import annotations

import numpy as np

from gradsim.analysis.rule_packs.record import Record, farthest, log10, ratio
from gradsim.analysis.rule_packs.rule import Measured, NotApplicable, PublishedRule

PACK = "TheDeepChecker"
VANISHING = 1e-6
SHRINKING = 0.5
EXPLODING = 1e6
GROWING = 2.0
WINDOW = 5
UPDATES = (-4.0, -1.0)
DEAD = 1e-5
DEAD_PERCENTILE = 95
DEAD_SHARE = 0.5
ACTIVATION_SD = (0.5, 2.0)
BOUNDED = ("sigmoid", "tanh")


def vanishing_gradient(record: Record) -> Measured | NotApplicable:
    """Fire where the mean |g| of the weights of a layer is below 1e-6.

    Ben Braiek, Khomh: Testing Feedforward Neural Networks Training Programs, TOSEM 2023.
    """
    means = [(one.layer, one.gradient_mean) for one in record.matrices]
    layer, value = farthest(means, VANISHING, np.inf, log10)
    return Measured(value, value < VANISHING, layer)


def shrinking_gradient(record: Record) -> Measured | NotApplicable:
    """Fire where the gradient of a layer has shrunk to a half or less in each of four iterations on end.

    Ben Braiek, Khomh: Testing Feedforward Neural Networks Training Programs, TOSEM 2023, a window of 5 values and
    a rate of 0.5. They take mean |g|; the history keeps rms g, which is taken here.
    """
    rates = _rates(record)
    if rates is None:
        return NotApplicable("the last 4 iterations are not kept")
    layer, value = farthest([(name, rate.max()) for name, rate in rates], SHRINKING, np.inf, log10)
    return Measured(value, value <= SHRINKING, layer)


def exploding_gradient(record: Record) -> Measured | NotApplicable:
    """Fire where the mean |g| of the weights of a layer is above 1e6.

    Ben Braiek, Khomh: Testing Feedforward Neural Networks Training Programs, TOSEM 2023.
    """
    means = [(one.layer, one.gradient_mean) for one in record.matrices]
    layer, value = farthest(means, -np.inf, EXPLODING)
    return Measured(value, value > EXPLODING, layer)


def growing_gradient(record: Record) -> Measured | NotApplicable:
    """Fire where the gradient of a layer has at least doubled in each of four iterations on end.

    Ben Braiek, Khomh: Testing Feedforward Neural Networks Training Programs, TOSEM 2023, a window of 5 values and
    a rate of 2. They take mean |g|; the history keeps rms g, which is taken here.
    """
    rates = _rates(record)
    if rates is None:
        return NotApplicable("the last 4 iterations are not kept")
    layer, value = farthest([(name, rate.min()) for name, rate in rates], -np.inf, GROWING)
    return Measured(value, value >= GROWING, layer)


def unstable_updates(record: Record) -> Measured | NotApplicable:
    """Fire where log10 of mean |ΔW| / mean |W| of a layer lies outside −4 … −1.

    Ben Braiek, Khomh: Testing Feedforward Neural Networks Training Programs, TOSEM 2023; weights that do not move
    at all fire too, and weights that are all 0 are left out.
    """
    low, high = UPDATES
    logs = [
        (one.layer, log10(ratio(one.update_mean, one.value_mean)))
        for one in record.matrices
        if one.value_mean != 0
    ]
    if not logs:
        return NotApplicable("all weights are 0")
    layer, value = farthest(logs, low, high)
    return Measured(value, value < low or value > high, layer)


def dead_layer(record: Record) -> Measured | NotApplicable:
    """Fire where of more than half the units of a layer the 95th percentile of |a| is below 1e-5.

    Ben Braiek, Khomh: Testing Feedforward Neural Networks Training Programs, TOSEM 2023; layers of sigmoid and tanh
    are looked at for saturation instead. The values are those of this batch.
    """
    shares = []
    for layer in record.trace.layers[:-1]:
        if layer.kind in ("dense", "activation") and layer.activation_kind not in BOUNDED:
            size = np.abs(layer["activation"]).reshape(-1, layer.fan_out)
            with np.errstate(invalid="ignore"):
                major = np.percentile(size, DEAD_PERCENTILE, axis=0)
            shares.append((layer.name, float(np.mean(major < DEAD))))
    if not shares:
        return NotApplicable("only sigmoid and tanh")
    name, value = farthest(shares, -np.inf, DEAD_SHARE)
    return Measured(value, value > DEAD_SHARE, name)


def activation_spread(record: Record) -> Measured | NotApplicable:
    """Fire where the standard deviation of the activations of a hidden layer lies outside 0.5 … 2.

    Ben Braiek, Khomh: Testing Feedforward Neural Networks Training Programs, TOSEM 2023. Their program forgives
    what an F-test at 0.1 forgives; here the cut is applied as it stands.
    """
    low, high = ACTIVATION_SD
    spreads = [
        (layer.name, layer.statistics["activation"].sd)
        for layer in record.trace.layers[:-1]
        if layer.kind in ("dense", "activation", "recurrent")
    ]
    if not spreads:
        return NotApplicable("no hidden layer")
    layer, value = farthest(spreads, low, high, log10)
    return Measured(value, value < low or value > high, layer)


def _rates(record: Record) -> list[tuple[str, np.ndarray[tuple[int], np.dtype[np.float64]]]] | None:
    rates = []
    for layer in record.trace.layers:
        if layer.number is not None:
            sizes = record.recent("weight_gradient", layer.name, WINDOW)
            if sizes is None:
                return None
            with np.errstate(all="ignore"):
                rates.append((layer.name, sizes[1:] / sizes[:-1]))
    return rates


RULES = (
    PublishedRule(
        PACK,
        "Vanishing gradient, size",
        "vanishing gradient",
        "smallest mean |g|",
        "< 1e-6",
        vanishing_gradient,
    ),
    PublishedRule(
        PACK,
        "Vanishing gradient, course",
        "vanishing gradient",
        "largest of the last four ratios of g",
        "≤ 0.5",
        shrinking_gradient,
    ),
    PublishedRule(
        PACK,
        "Exploding gradient, size",
        "exploding gradient",
        "largest mean |g|",
        "> 1e6",
        exploding_gradient,
    ),
    PublishedRule(
        PACK,
        "Exploding gradient, course",
        "exploding gradient",
        "smallest of the last four ratios of g",
        "≥ 2",
        growing_gradient,
    ),
    PublishedRule(
        PACK,
        "Unstable learning",
        "size of the updates",
        "log10 of mean |ΔW| / mean |W|",
        "outside −4…−1",
        unstable_updates,
    ),
    PublishedRule(
        PACK,
        "Dead layer",
        "dead units",
        "share of units whose 95th percentile of |a| is < 1e-5",
        "> 50 % of a layer",
        dead_layer,
    ),
    PublishedRule(
        PACK,
        "Spread of activations",
        "activations",
        "standard deviation of a",
        "outside 0.5…2",
        activation_spread,
    ),
)
