"""What CS231n and Andrej Karpathy's lecture on activations and gradients say to look at."""

from __future__ import annotations

import numpy as np

from gradsim.analysis.rule_packs.record import Record, farthest, log10, ratio
from gradsim.analysis.rule_packs.rule import Measured, NotApplicable, PublishedRule

PACK = "CS231n / Karpathy"
UPDATES = (10**-3.5, 10**-2.5)
SATURATED = 0.97
SATURATED_SHARE = 0.2


def update_ratio(record: Record) -> Measured | NotApplicable:
    """Say that the norm of the update over that of the weights should be somewhere around 1e-3.

    CS231n, notes on neural networks 3, "Ratio of weights:updates"; Karpathy, "Building makemore part 3". No
    limits are published: here it fires where another power of ten is nearer, outside 10^−3.5 … 10^−2.5.
    """
    low, high = UPDATES
    ratios = [(one.layer, ratio(one.update_norm, one.value_norm)) for one in record.matrices]
    layer, value = farthest(ratios, low, high, log10)
    return Measured(value, value < low or value > high, layer)


def saturated_tanh(record: Record) -> Measured | NotApplicable:
    """Count values of tanh with |a| > 0.97 as saturated.

    Karpathy, "Building makemore part 3: Activations & Gradients, BatchNorm". No share is published as a cut; the
    lecture is content with about 5 % and calls a layer with 20 % fairly saturated: here 20 % is the cut.
    """
    with np.errstate(invalid="ignore"):
        shares = [
            (layer.name, float(np.mean(np.abs(a) > SATURATED))) for layer, _, a in record.activated(["tanh"])
        ]
    if not shares:
        return NotApplicable("no tanh")
    name, value = farthest(shares, -np.inf, SATURATED_SHARE)
    return Measured(value, value >= SATURATED_SHARE, name)


RULES = (
    PublishedRule(
        PACK, "Update ratio", "size of the updates", "l2 of ΔW / l2 of W", "not about 1e-3", update_ratio
    ),
    PublishedRule(
        PACK,
        "Saturated tanh",
        "saturated units",
        "share of |a| > 0.97",
        "≥ 20 % of a layer",
        saturated_tanh,
    ),
)
